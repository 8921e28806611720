//! Keys that change the stream.

use core::time::Duration;

use bevy_app::AppExit;
use bevy_ecs::prelude::*;
use bevy_input::ButtonInput;
use bevy_input::keyboard::KeyCode;
use bevy_pbr::{DistanceFog, FogFalloff};
use bevy_transform::components::Transform;
use chunk_apply::{ChunkStream, ChunkViewer};

use super::panics::Panics;
use crate::city::spawn::WholeWithin;
use crate::harness::{Settings, view_range};
use crate::render::scene::haze;

/// The keys and what they do, as the window shows them.
pub(super) const HELP: [(&str, &str); 10] = [
    ("W A S D", "fly; with Shift fast"),
    ("Q E", "down, up"),
    ("mouse", "look, with the right button held"),
    ("T", "teleport 9 km"),
    ("P", "pause the stream, or go on"),
    ("[ ]", "radius down, up"),
    ("- =", "budget down, up"),
    ("F", "every second new chunk panics, or not"),
    ("R", "retry what has failed"),
    ("H Esc", "hide this, close"),
];
/// The same for worlds where one can dig.
pub(super) const DIGGING: [(&str, &str); 2] = [
    ("left, G", "dig what the cross is on"),
    ("middle, B", "build before it"),
];

/// The same where what one changes is saved.
pub(super) const SAVING: [(&str, &str); 1] = [("F5", "save, and say when it is done")];

/// How much of what one changed is not durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Unsaved {
    /// In how many chunks.
    pub(super) chunks: usize,
    /// Whether it was asked to be saved and is not yet.
    pub(super) is_awaited: bool,
    /// Whether the last attempt to save failed.
    pub(super) has_failed: bool,
}

/// What keys have set, apart from the settings that the stream itself has.
#[derive(Resource, Clone, Copy, Debug)]
pub(super) struct Asked {
    /// Whether the keys are listed.
    pub(super) help: bool,
    /// The load radius, in chunks.
    pub(super) radius: u32,
    /// How much wider the unload radius is.
    margin: u32,
    half_height: u32,
    chunk_size: f32,
    /// Whether one can dig and build here.
    pub(super) digs: bool,
    /// What is not saved, if it is to be.
    pub(super) unsaved: Option<Unsaved>,
}

impl Asked {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            help: true,
            radius: settings.radius,
            margin: settings.unload_radius - settings.radius,
            half_height: settings.half_height,
            digs: false,
            unsaved: None,
            chunk_size: settings.chunk_size,
        }
    }

    /// The unload radius, in chunks.
    pub(super) fn unload_radius(&self) -> u32 {
        self.radius + self.margin
    }
}

/// A viewer is at least so high, in metres.
const LOWEST: f32 = 2.0;
/// The length of a teleport along x, in metres.
const TELEPORT: f32 = 9_000.0;
const RADII: core::ops::RangeInclusive<u32> = 1..=Settings::WIDEST_RADIUS;
const SHORTEST_BUDGET: Duration = Duration::from_micros(125);
const LONGEST_BUDGET: Duration = Duration::from_millis(16);

pub(super) fn act<T: Send + Sync + 'static>(
    keys: Res<ButtonInput<KeyCode>>,
    panics: Res<Panics>,
    mut asked: ResMut<Asked>,
    mut stream: ResMut<ChunkStream<T>>,
    mut viewers: Query<&mut Transform, With<ChunkViewer>>,
    mut exit: MessageWriter<AppExit>,
) {
    for key in keys.get_just_pressed() {
        match key {
            KeyCode::KeyT => {
                for mut transform in &mut viewers {
                    transform.translation.x += TELEPORT;
                }
            }
            KeyCode::KeyF => panics.toggle(),
            KeyCode::KeyR => {
                stream.retry_quarantined();
            }
            KeyCode::KeyP if stream.is_paused() => stream.resume(),
            KeyCode::KeyP => stream.pause(),
            KeyCode::BracketLeft => change_radius(&mut stream, &mut asked, -1),
            KeyCode::BracketRight => change_radius(&mut stream, &mut asked, 1),
            KeyCode::Minus => change_budget(&mut stream, |budget| budget / 2),
            KeyCode::Equal => change_budget(&mut stream, |budget| budget * 2),
            KeyCode::KeyH => asked.help = !asked.help,
            KeyCode::Escape => {
                exit.write(AppExit::Success);
            }
            _ => {}
        }
    }
}

fn change_radius<T: Send + Sync + 'static>(
    stream: &mut ChunkStream<T>,
    asked: &mut Asked,
    by: i32,
) {
    let radius = asked.radius.saturating_add_signed(by);
    asked.radius = radius.clamp(*RADII.start(), *RADII.end());
    stream.range = Some(view_range(asked.radius, asked.half_height, asked.margin));
}

/// Lets fog and fading follow the radius, so that a wider world is visible.
pub(super) fn look_as_far(
    asked: Res<Asked>,
    whole: Option<ResMut<WholeWithin>>,
    mut seen: Local<Option<u32>>,
    mut eyes: Query<&mut DistanceFog>,
) {
    if seen.replace(asked.radius) == Some(asked.radius) {
        return;
    }
    if let Some(mut whole) = whole {
        whole.set(asked.chunk_size, asked.radius);
        // The spawner shares the value, so setting it is no change of the resource that systems would notice.
        whole.set_changed();
    }
    for mut fog in &mut eyes {
        let haze = haze(asked.chunk_size, asked.radius);
        fog.falloff = FogFalloff::from_visibility_squared(haze);
    }
}

/// Keeps the viewers from flying into the ground.
pub(super) fn stay_above_ground(mut viewers: Query<&mut Transform, With<ChunkViewer>>) {
    for mut transform in &mut viewers {
        transform.translation.y = transform.translation.y.max(LOWEST);
    }
}

fn change_budget<T: Send + Sync + 'static>(
    stream: &mut ChunkStream<T>,
    change: impl FnOnce(Duration) -> Duration,
) {
    let now = stream.budget.time.unwrap_or(LONGEST_BUDGET);
    stream.budget.time = Some(change(now).clamp(SHORTEST_BUDGET, LONGEST_BUDGET));
}

#[cfg(test)]
mod tests {
    use bevy_app::{App, Update};
    use bevy_camera::visibility::VisibilityRange;
    use bevy_ecs::message::Messages;
    use chunk_apply::ChunkIndex;
    use chunk_coord::ViewRange;

    use super::*;
    use crate::city::spawn::{Building, fade_anew, fades};
    use crate::city::{CityChunk, ItemKind};
    use crate::render::window::panics::add_city_with_panics;

    fn app(settings: &Settings) -> App {
        let mut app = crate::harness::headless();
        add_city_with_panics(&mut app, settings).expect("the settings make sense");
        crate::harness::ready(&mut app);
        app.init_resource::<ButtonInput<KeyCode>>()
            .insert_resource(Asked::new(settings))
            .add_systems(
                Update,
                (
                    act::<CityChunk>,
                    look_as_far,
                    stay_above_ground,
                    fade_anew.run_if(resource_exists_and_changed::<WholeWithin>),
                )
                    .chain(),
            );
        app.world_mut()
            .spawn((ChunkViewer::default(), DistanceFog::default()));
        app
    }

    fn small() -> Settings {
        Settings {
            radius: 2,
            unload_radius: 3,
            ..Settings::default()
        }
    }

    fn press(app: &mut App, key: KeyCode) {
        let mut keys = app.world_mut().resource_mut::<ButtonInput<KeyCode>>();
        keys.press(key);
        app.update();
        let mut keys = app.world_mut().resource_mut::<ButtonInput<KeyCode>>();
        keys.release(key);
        keys.clear();
    }

    fn stream(app: &App) -> &ChunkStream<CityChunk> {
        app.world().resource::<ChunkStream<CityChunk>>()
    }

    fn settle(app: &mut App) {
        app.update();
        while !stream(app).is_settled() {
            app.update();
        }
    }

    #[test]
    fn each_key_does_what_the_help_says() {
        let mut app = app(&Settings::default());
        press(&mut app, KeyCode::KeyP);
        assert!(stream(&app).is_paused());
        press(&mut app, KeyCode::KeyP);
        assert!(!stream(&app).is_paused());

        press(&mut app, KeyCode::Equal);
        assert_eq!(stream(&app).budget.time, Some(Duration::from_millis(4)));
        (0..9).for_each(|_| press(&mut app, KeyCode::Minus));
        assert_eq!(stream(&app).budget.time, Some(SHORTEST_BUDGET));

        press(&mut app, KeyCode::BracketRight);
        assert_eq!(ViewRange::disc(13, 15).ok(), stream(&app).range);
        press(&mut app, KeyCode::BracketLeft);
        assert_eq!(ViewRange::disc(12, 14).ok(), stream(&app).range);

        press(&mut app, KeyCode::KeyH);
        assert!(!app.world().resource::<Asked>().help);
        press(&mut app, KeyCode::KeyT);
        let mut viewers = app
            .world_mut()
            .query_filtered::<&Transform, With<ChunkViewer>>();
        let viewer = viewers.single(app.world()).expect("there is one");
        assert_eq!(viewer.translation.x, TELEPORT);
        press(&mut app, KeyCode::Escape);
        assert_eq!(app.world().resource::<Messages<AppExit>>().len(), 1);
    }

    #[test]
    fn a_wide_radius_still_grows_and_the_widest_stays() {
        for (radius, grown) in [(60, 61), (200, 200)] {
            let mut app = app(&Settings {
                radius,
                unload_radius: radius + 5,
                ..Settings::default()
            });
            app.world_mut()
                .resource_mut::<ChunkStream<CityChunk>>()
                .pause();
            press(&mut app, KeyCode::BracketRight);
            assert_eq!(ViewRange::disc(grown, grown + 5).ok(), stream(&app).range);
        }
    }

    #[test]
    fn fog_and_fading_follow_the_radius() {
        let mut app = app(&small());
        settle(&mut app);
        press(&mut app, KeyCode::BracketRight);
        settle(&mut app);

        let whole = WholeWithin::new(200.0, 3).metres();
        let world = app.world_mut();
        let mut houses = world.query_filtered::<&VisibilityRange, With<Building>>();
        assert!(houses.iter(world).count() > 500);
        for range in houses.iter(world) {
            assert_eq!(range.end_margin, fades(ItemKind::Building, whole));
        }
        let fog = world.query::<&DistanceFog>().single(world);
        let FogFalloff::ExponentialSquared { density } = fog.expect("one camera").falloff else {
            panic!("the fog is of another kind");
        };
        let expected = FogFalloff::from_visibility_squared(haze(200.0, 3));
        assert!(
            matches!(expected, FogFalloff::ExponentialSquared { density: d } if d == density),
            "{density}"
        );
    }

    #[test]
    fn panics_reach_the_generator_and_can_be_retried() {
        let mut app = app(&small());
        // Paused, so that nothing is generated before the key has done its work.
        app.world_mut()
            .resource_mut::<ChunkStream<CityChunk>>()
            .pause();
        press(&mut app, KeyCode::KeyF);
        press(&mut app, KeyCode::KeyP);
        assert!(app.world().resource::<Panics>().are_on());
        settle(&mut app);
        let failed = stream(&app).quarantined().len();
        // Every second of the 13 chunks around the origin, the one in the middle not.
        assert_eq!(failed, 4);
        assert_eq!(loaded(&app), 9);

        press(&mut app, KeyCode::KeyF);
        press(&mut app, KeyCode::KeyR);
        settle(&mut app);
        assert_eq!(stream(&app).quarantined().len(), 0);
        assert_eq!(loaded(&app), 13);
    }

    #[test]
    fn nobody_flies_into_the_ground() {
        let mut app = app(&small());
        let mut viewers = app
            .world_mut()
            .query_filtered::<&mut Transform, With<ChunkViewer>>();
        for mut viewer in viewers.iter_mut(app.world_mut()) {
            viewer.translation.y = -9.0;
        }
        app.update();
        for viewer in viewers.iter(app.world()) {
            assert_eq!(viewer.translation.y, LOWEST);
        }
    }

    fn loaded(app: &App) -> usize {
        app.world().resource::<ChunkIndex<CityChunk>>().len()
    }
}
