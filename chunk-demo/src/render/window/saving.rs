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

#[cfg(test)]
mod tests {
    use bevy_math::IVec3;
    use bevy_tasks::block_on;
    use bevy_time::TimePlugin;
    use chunk_apply::ChunkStream;
    use chunk_scheduler::Runtime;
    use chunk_scheduler::store::{Archive, ArchiveConfig, MemoryStore, Postcard};

    use super::*;
    use crate::harness::{Settings, Workload, WorldKind, add_world, headless, ready};
    use crate::voxels::{Block, Edits, VoxelChunk};

    #[test]
    fn the_key_saves_and_what_is_not_saved_is_shown() {
        let store = MemoryStore::default();
        let archive = || {
            let config = ArchiveConfig::default();
            Archive::new(store.clone(), Postcard::new(), config, Runtime::default())
        };
        let edits = block_on(Edits::saved_in(archive())).expect("it is in memory");
        let world = VoxelWorld::with(1, edits);
        let mut settings = Settings::default();
        WorldKind::Voxels.adjust(&mut settings);
        let mut app = headless();
        add_world(&mut app, &settings, &Workload::voxels(world.clone()))
            .expect("the settings make sense");
        app.add_plugins(TimePlugin)
            .insert_resource(Asked::new(&settings))
            .init_resource::<ButtonInput<KeyCode>>();
        add(&mut app);
        ready(&mut app);
        let unsaved = |app: &App| app.world().resource::<Asked>().unsaved;
        assert_eq!(unsaved(&app), Some(Unsaved::default()));

        let stream = app.world_mut().resource_mut::<ChunkStream<VoxelChunk>>();
        world.set(IVec3::ZERO, Block::Brick, stream.into_inner());
        let mut keys = app.world_mut().resource_mut::<ButtonInput<KeyCode>>();
        keys.press(KeyCode::F5);
        app.update();
        while unsaved(&app) != Some(Unsaved::default()) {
            app.update();
        }
        let saved = block_on(Edits::saved_in(archive())).expect("it is in memory");
        assert_eq!(saved.at(IVec3::ZERO), Some(Block::Brick));
    }
}
