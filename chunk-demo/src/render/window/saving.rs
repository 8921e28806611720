//! Saving what one digs and builds.

use bevy_app::{App, Update};
use bevy_ecs::prelude::*;
use bevy_input::ButtonInput;
use bevy_input::keyboard::KeyCode;
use bevy_time::{Real, Time};
use chunk_coord::ChunkCoord;
use chunk_scheduler::store::Flush;

use super::controls::{Asked, Unsaved};
use crate::voxels::{ChunkEdits, VoxelWorld};

/// Lets the key save, if the app's world is saved.
pub(super) fn add(app: &mut App) {
    let world = app.world().get_resource::<VoxelWorld>();
    if world.is_some_and(|world| world.edits().archive().is_some()) {
        app.world_mut().resource_mut::<Asked>().unsaved = Some(Unsaved::default());
        app.add_systems(Update, save);
    }
}

/// Each edit is written as soon as a worker comes to it. The key has it written at once, also after a failure.
fn save(
    keys: Res<ButtonInput<KeyCode>>,
    time: Res<Time<Real>>,
    world: Res<VoxelWorld>,
    mut asked: ResMut<Asked>,
    mut flush: Local<Option<Flush<ChunkCoord, ChunkEdits>>>,
    mut old_failures: Local<u64>,
) {
    let Some(archive) = world.edits().archive() else {
        return;
    };
    archive.tick(time.elapsed());
    if keys.just_pressed(KeyCode::F5) {
        *flush = Some(archive.flush());
    }
    if flush.as_ref().is_some_and(|flush| flush.remaining() == 0) {
        *flush = None;
    }
    let report = archive.report();
    if report.waiting == 0 {
        *old_failures = report.failures;
    }
    asked.unsaved = Some(Unsaved {
        chunks: report.waiting,
        is_awaited: flush.is_some(),
        has_failed: report.failures > *old_failures,
    });
}
