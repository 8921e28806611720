//! What it costs a frame to take chunks away: hiding their roots, disabling all of them, despawning them.

use std::time::{Duration, Instant};

use bevy_app::App;
use bevy_camera::visibility::Visibility;
use bevy_ecs::entity_disabling::Disabled;
use bevy_ecs::hierarchy::{ChildOf, Children};
use bevy_ecs::prelude::*;
use bevy_math::Vec3;
use bevy_transform::components::Transform;
use chunk_assets::{ChunkAssetsPlugin, SharedAssets, Tint};
use chunk_demo::Settings;
use chunk_demo::render::measured::{self, Renderer};

/// Chunks, and the entities in each.
const CHUNKS: usize = 200;
const ENTITIES: usize = 100;
/// How many of the chunks are taken away at a time.
const TAKEN: usize = 20;
/// How often.
const TURNS: usize = 30;

/// Microseconds that an entity takes.
#[derive(Debug)]
pub(crate) struct Removal {
    /// In the frame in which it is hidden by its root's `Visibility`, disabled by `Disabled`, despawned.
    pub(crate) hidden: f64,
    pub(crate) disabled: f64,
    pub(crate) despawned: f64,
    /// Each frame that it stays, against its being there.
    pub(crate) staying_hidden: f64,
    pub(crate) staying_disabled: f64,
}

/// Takes chunks away and brings them back, with every frame drawn on a device that does nothing.
pub(crate) fn measure(renderer: Renderer) -> Removal {
    let mut app = measured::app(renderer);
    app.add_plugins(ChunkAssetsPlugin);
    let settings = Settings::default();
    measured::add_scene(&mut app, &settings);
    app.finish();
    app.cleanup();
    let viewer = app.world_mut().spawn(Transform::default()).id();
    measured::look_from(app.world_mut(), viewer, &settings);
    let mut roots: Vec<_> = (0..CHUNKS).map(|nth| spawn(app.world_mut(), nth)).collect();
    for _ in 0..TURNS {
        frame(&mut app, |_| {});
    }
    let mut hide = |is_hidden: bool, app: &mut App, roots: &[Entity]| {
        let visibility = if is_hidden {
            Visibility::Hidden
        } else {
            Visibility::Inherited
        };
        frame(app, |world| {
            for root in roots {
                world.entity_mut(*root).insert(visibility);
            }
        })
    };
    let [hidden, staying_hidden] = turns(&mut app, &roots, &mut hide);
    let mut disable = |is_disabled: bool, app: &mut App, roots: &[Entity]| {
        frame(app, |world| {
            for root in roots {
                let mut root = world.entity_mut(*root);
                if is_disabled {
                    root.insert_recursive::<Children>(Disabled);
                } else {
                    root.remove_recursive::<Children, Disabled>();
                }
            }
        })
    };
    let [disabled, staying_disabled] = turns(&mut app, &roots, &mut disable);

    let (mut rest, mut removed) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        rest.push(frame(&mut app, |_| {}));
        let taken: Vec<_> = roots.drain(..TAKEN).collect();
        removed.push(frame(&mut app, |world| {
            for root in &taken {
                world.despawn(*root);
            }
        }));
        frame(&mut app, |world| {
            roots.extend((0..TAKEN).map(|nth| spawn(world, nth)));
        });
        frame(&mut app, |_| {});
    }
    Removal {
        hidden,
        disabled,
        despawned: micros_each(&mut removed, &mut rest),
        staying_hidden,
        staying_disabled,
    }
}

/// What an entity takes in the frame in which it is taken away, and in the next one.
fn turns(
    app: &mut App,
    roots: &[Entity],
    take: &mut impl FnMut(bool, &mut App, &[Entity]) -> Duration,
) -> [f64; 2] {
    let (mut rest, mut first, mut next) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..TURNS {
        let taken = &roots[turn % (CHUNKS / TAKEN) * TAKEN..][..TAKEN];
        rest.push(frame(app, |_| {}));
        first.push(take(true, app, taken));
        next.push(frame(app, |_| {}));
        take(false, app, taken);
        frame(app, |_| {});
    }
    [
        micros_each(&mut first, &mut rest),
        micros_each(&mut next, &mut rest),
    ]
}

/// How much longer the one frames are than the others, the medians of both, for each entity that was taken away.
fn micros_each(frames: &mut [Duration], rest: &mut [Duration]) -> f64 {
    let [frames, rest] = [frames, rest].map(|frames| {
        frames.sort_unstable();
        frames[frames.len() / 2].as_secs_f64() * 1e6
    });
    (frames - rest) / (TAKEN * ENTITIES) as f64
}

/// A frame in which something is done first.
fn frame(app: &mut App, act: impl FnOnce(&mut World)) -> Duration {
    let start = Instant::now();
    act(app.world_mut());
    app.update();
    start.elapsed()
}

/// A chunk in front of the viewer.
fn spawn(world: &mut World, nth: usize) -> Entity {
    let assets = world.resource::<SharedAssets>().clone();
    let place = Vec3::new(50.0 + 10.0 * nth as f32, 0.0, 0.0);
    let root = (Transform::from_translation(place), Visibility::Inherited);
    let root = world.spawn(root).id();
    let parts = (0..ENTITIES).map(|nth| {
        let place = Transform::from_xyz(0.0, -30.0, nth as f32 - 50.0);
        let house = assets.building_at(place, Tint::srgb(200, 100, 50));
        (house, ChildOf(root))
    });
    world.spawn_batch(parts.collect::<Vec<_>>());
    root
}
