//! Keys that change the stream.

use core::time::Duration;
use std::sync::atomic::Ordering;

use bevy_app::AppExit;
use bevy_ecs::prelude::*;
use bevy_input::ButtonInput;
use bevy_input::keyboard::KeyCode;
use bevy_transform::components::Transform;
use chunk_apply::{ChunkViewer, Streaming};
use chunk_coord::ViewRange;

use super::Panics;
use crate::city::CityChunk;

/// What the keys do, for the screen.
pub(super) const HELP: [&str; 6] = [
    "W A S D  fly    Q E  down, up    Shift  fast    mouse button  look",
    "T  teleport 9 km        P  pause the stream",
    "F  make every second new chunk panic, or not    R  retry those",
    "[ ]  radius down, up    - =  budget down, up",
    "H  this help            Esc  close",
    "",
];

/// What was asked for with keys, besides what the stream itself knows.
#[derive(Resource, Clone, Copy, Debug)]
pub(super) struct Asked {
    /// Whether the keys are listed.
    pub(super) help: bool,
    /// The load radius, in chunks.
    pub(super) radius: Option<u32>,
}

impl Default for Asked {
    fn default() -> Self {
        Self {
            help: true,
            radius: None,
        }
    }
}

/// A teleport goes so far along x, in metres.
const TELEPORT: f32 = 9_000.0;
const RADII: core::ops::RangeInclusive<u32> = 2..=40;
const SHORTEST_BUDGET: Duration = Duration::from_micros(125);
const LONGEST_BUDGET: Duration = Duration::from_millis(16);

pub(super) fn act(
    keys: Res<ButtonInput<KeyCode>>,
    panics: Res<Panics>,
    mut asked: ResMut<Asked>,
    mut stream: ResMut<Streaming<CityChunk>>,
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
            KeyCode::KeyF => {
                panics.0.fetch_not(Ordering::Relaxed);
            }
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

fn change_radius(stream: &mut Streaming<CityChunk>, asked: &mut Asked, by: i32) {
    // The widest chunk of the load footprint along x is the radius.
    let now = asked.radius.unwrap_or_else(|| {
        RADII
            .rev()
            .find(|radius| {
                let edge = chunk_coord::ChunkCoord::planar(radius.cast_signed(), 0);
                stream
                    .range
                    .load()
                    .contains(chunk_coord::ChunkCoord::ORIGIN, edge)
            })
            .unwrap_or(*RADII.start())
    });
    let radius = now
        .saturating_add_signed(by)
        .clamp(*RADII.start(), *RADII.end());
    if let Ok(range) = ViewRange::disc(radius, radius + 2) {
        stream.range = range;
        asked.radius = Some(radius);
    }
}

fn change_budget(stream: &mut Streaming<CityChunk>, change: impl FnOnce(Duration) -> Duration) {
    let now = stream.budget.time.unwrap_or(LONGEST_BUDGET);
    stream.budget.time = Some(change(now).clamp(SHORTEST_BUDGET, LONGEST_BUDGET));
}

#[cfg(test)]
mod tests {
    use bevy_app::{App, Update};
    use bevy_ecs::message::Messages;

    use super::*;
    use crate::{Settings, city_app};

    fn app() -> App {
        let mut app = city_app(&Settings::default()).expect("the defaults make sense");
        app.init_resource::<ButtonInput<KeyCode>>()
            .init_resource::<Asked>()
            .init_resource::<Panics>()
            .add_systems(Update, act);
        app.world_mut().spawn(ChunkViewer::default());
        app
    }

    fn press(app: &mut App, key: KeyCode) {
        let mut keys = app.world_mut().resource_mut::<ButtonInput<KeyCode>>();
        keys.press(key);
        app.update();
        let mut keys = app.world_mut().resource_mut::<ButtonInput<KeyCode>>();
        keys.release(key);
        keys.clear();
    }

    fn stream(app: &App) -> &Streaming<CityChunk> {
        app.world().resource::<Streaming<CityChunk>>()
    }

    #[test]
    fn each_key_does_what_the_help_says() {
        let mut app = app();
        press(&mut app, KeyCode::KeyP);
        assert!(stream(&app).is_paused());
        press(&mut app, KeyCode::KeyP);
        assert!(!stream(&app).is_paused());

        press(&mut app, KeyCode::Equal);
        assert_eq!(stream(&app).budget.time, Some(Duration::from_millis(4)));
        (0..9).for_each(|_| press(&mut app, KeyCode::Minus));
        assert_eq!(stream(&app).budget.time, Some(SHORTEST_BUDGET));

        press(&mut app, KeyCode::BracketRight);
        assert_eq!(ViewRange::disc(13, 15), Ok(stream(&app).range));
        press(&mut app, KeyCode::BracketLeft);
        assert_eq!(ViewRange::disc(12, 14), Ok(stream(&app).range));

        press(&mut app, KeyCode::KeyF);
        assert!(app.world().resource::<Panics>().0.load(Ordering::Relaxed));
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
}
