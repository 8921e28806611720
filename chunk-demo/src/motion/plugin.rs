//! Moves what is near enough to a viewer to be seen moving.

use std::time::{Duration, Instant};

use bevy_app::{App, Plugin, Update};
use bevy_ecs::prelude::*;
use bevy_math::Vec3;
use bevy_time::Time;
use bevy_transform::components::Transform;
use chunk_apply::{ChunkRoot, ChunkViewer, StreamingSystems};

use super::course::Course;

/// Moves everything with a [`Course`] near a viewer.
///
/// ```
/// use bevy_transform::components::Transform;
/// use chunk_apply::ChunkViewer;
/// use chunk_demo::{Settings, city_app, motion::MotionReport};
///
/// let mut app = city_app(&Settings { radius: 2, ..Settings::default() })?;
/// app.world_mut().spawn((ChunkViewer::default(), Transform::from_xyz(0.0, 100.0, 0.0)));
/// while app.world().resource::<MotionReport>().moved == 0 {
///     app.update();
/// }
/// # Ok::<(), chunk_demo::SettingsError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Resource)]
pub struct MotionPlugin {
    /// Nothing moves in a chunk whose minimum corner is farther than this from every viewer, in metres.
    /// Default 883: every car that is [seen](crate::city::spawn::fades) drives, whichever part of a chunk of 200 m it is in.
    /// The cost grows with the square.
    pub reach: f32,
    /// Nothing moves that is farther than this from every viewer, in metres. Default 600, where every car has faded.
    pub within: f32,
}

impl Default for MotionPlugin {
    fn default() -> Self {
        Self {
            reach: 883.0,
            within: 600.0,
        }
    }
}

impl Plugin for MotionPlugin {
    fn build(&self, app: &mut App) {
        app.insert_resource(*self)
            .init_resource::<MotionReport>()
            .add_systems(Update, advance.after(StreamingSystems::Apply));
    }
}

/// What motion did and cost in the last frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Resource)]
pub struct MotionReport {
    /// Vehicles and people that were moved.
    pub moved: usize,
    /// Main-thread time of moving them.
    pub spent: Duration,
}

/// How far time moves on in a frame of an app without a clock.
const STEP: f32 = 1.0 / 60.0;
/// The most that time moves on in a frame, so that nothing jumps after a long one.
const LONGEST_STEP: f32 = 0.1;

fn advance(
    time: Option<Res<Time>>,
    plugin: Res<MotionPlugin>,
    mut report: ResMut<MotionReport>,
    viewers: Query<&Transform, (With<ChunkViewer>, Without<Course>)>,
    chunks: Query<(&Transform, &Children), (With<ChunkRoot>, Without<Course>)>,
    mut moving: Query<(&mut Transform, &mut Course)>,
) {
    let start = Instant::now();
    let step = time.map_or(STEP, |time| time.delta_secs().min(LONGEST_STEP));
    let reach_sq = plugin.reach * plugin.reach;
    let within_sq = plugin.within * plugin.within;
    let is_within = |place: Vec3, distance_sq: f32| {
        let mut viewers = viewers.iter();
        viewers.any(|viewer| (place - viewer.translation).length_squared() <= distance_sq)
    };
    let mut moved = 0;
    for (chunk, children) in &chunks {
        if !is_within(chunk.translation, reach_sq) {
            continue;
        }
        let mut moving = moving.iter_many_mut(children);
        while let Some((mut transform, mut course)) = moving.fetch_next() {
            // What moves is drawn anew in each frame, which costs far more than this.
            if is_within(chunk.translation + transform.translation, within_sq) {
                course.advance(&mut transform.translation, step);
                moved += 1;
            }
        }
    }
    *report = MotionReport {
        moved,
        spent: start.elapsed(),
    };
}
