//! What the hook before unloading sees, and when.

use crate::rig::{PIECES, Pieces, Rig, config, grid, spawner};
use bevy_ecs::prelude::*;
use bevy_transform::components::Transform;
use chunk_apply::{ApplyBudget, ChunkIndex, ChunkStream, ChunkStreamingPlugin, ManualClock};
use chunk_coord::{ChunkCoord, ChunkGrid};
use chunk_scheduler::{Generator, Job, Lane};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

/// What the players built: pieces by chunk. The hook writes it, the generator reads it.
#[derive(Clone, Default)]
struct Disk(Arc<Mutex<BTreeMap<ChunkCoord, usize>>>);

impl Disk {
    fn write(&self, coord: ChunkCoord, pieces: usize) {
        let mut disk = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        disk.insert(coord, pieces);
    }

    fn read(&self, coord: ChunkCoord) -> Option<usize> {
        let disk = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        disk.get(&coord).copied()
    }
}

#[derive(Resource, Default)]
struct Calls(Vec<(ChunkCoord, Entity)>);

/// A stream that saves each chunk's number of pieces, and makes as many as were saved.
fn rig() -> (Rig, Disk) {
    let disk = Disk::default();
    let (reading, writing) = (disk.clone(), disk.clone());
    let generator = Generator::new(move |job: &Job<ChunkCoord>| {
        Pieces(reading.read(job.key()).unwrap_or(PIECES))
    });
    let plugin = ChunkStreamingPlugin::new(grid(), generator, spawner())
        .with_config(config())
        .before_unload(move |world, coord, root| {
            let pieces = world.get::<Children>(root).map_or(0, |pieces| pieces.len());
            writing.write(coord, pieces);
            world.resource_mut::<Calls>().0.push((coord, root));
        });
    let mut rig = Rig::build(ManualClock::default(), plugin);
    rig.app.init_resource::<Calls>();
    (rig, disk)
}

fn calls(rig: &Rig) -> &[(ChunkCoord, Entity)] {
    &rig.app.world().resource::<Calls>().0
}

/// A player puts one more piece into the chunk.
fn build(rig: &mut Rig, coord: ChunkCoord) {
    let root = rig.index().root(coord).expect("loaded");
    rig.app.world_mut().spawn(ChildOf(root));
}

fn children(rig: &Rig, coord: ChunkCoord) -> usize {
    let root = rig.index().root(coord).expect("loaded");
    let world = rig.app.world();
    world.get::<Children>(root).map_or(0, |pieces| pieces.len())
}

#[test]
fn a_chunk_that_is_wanted_again_is_made_from_what_was_saved_of_it() {
    let (mut rig, disk) = rig();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let built = [ChunkCoord::ORIGIN, ChunkCoord::planar(2, 1)];
    for (pieces, coord) in built.into_iter().enumerate() {
        (0..=pieces).for_each(|_| build(&mut rig, coord));
    }
    // Nothing can be unloaded while the viewer is away, so nothing is saved before it returns.
    rig.stream_mut().budget = ApplyBudget {
        chunks: Some(0),
        ..ApplyBudget::unlimited()
    };
    rig.move_to(viewer, 100, 0);
    rig.frames(3);
    rig.move_to(viewer, 0, 0);
    rig.frames(3);
    assert_eq!(disk.read(ChunkCoord::ORIGIN), None);
    assert!(!rig.stream().is_settled());
    rig.stream_mut().budget = ApplyBudget::unlimited();
    rig.settle();
    for (pieces, coord) in built.into_iter().enumerate() {
        assert_eq!(disk.read(coord), Some(PIECES + pieces + 1));
        assert_eq!(children(&rig, coord), PIECES + pieces + 1);
    }
    assert_eq!(calls(&rig).len(), 29, "each is saved once");
}

#[test]
fn what_is_wanted_again_is_saved_before_what_goes_for_good() {
    let (mut rig, _) = rig();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().budget.chunks = Some(1);
    rig.move_to(viewer, 100, 0);
    rig.frame();
    // The origin is among the nearest of those that go, so that it would be among the last.
    rig.move_to(viewer, -3, 0);
    rig.frames(2);
    let saved: Vec<ChunkCoord> = calls(&rig).iter().map(|(coord, _)| *coord).collect();
    for x in -3..=0 {
        assert!(saved.contains(&ChunkCoord::planar(x, 0)), "{saved:?}");
    }
}

#[test]
fn a_chunk_that_waits_for_its_save_and_is_left_again_is_never_requested() {
    let (mut rig, _) = rig();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let before = rig.stream().scheduler().counters().requested;
    rig.stream_mut().budget.chunks = Some(0);
    rig.move_to(viewer, 100, 0);
    rig.frame();
    rig.move_to(viewer, 0, 0);
    rig.frame();
    assert!(rig.stream_mut().refresh(ChunkCoord::ORIGIN), "it is wanted");
    rig.app.world_mut().despawn(viewer);
    rig.frame();
    rig.stream_mut().budget.chunks = None;
    rig.settle();
    let requested = rig.stream().scheduler().counters().requested;
    assert_eq!(
        requested,
        before + 29,
        "those around the place it was away at"
    );
    assert_eq!(rig.pieces(), 0);
    assert_eq!(calls(&rig).len(), 29);
}

#[test]
fn versions_of_one_chunk_are_saved_oldest_first_and_before_the_next_is_told_of() {
    let (mut rig, disk) = rig();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let mut roots = Vec::new();
    for pieces in 1..=3 {
        roots.push(rig.index().root(ChunkCoord::ORIGIN).expect("loaded"));
        build(&mut rig, ChunkCoord::ORIGIN);
        rig.loaded();
        rig.stream_mut()
            .refresh_in(ChunkCoord::ORIGIN, Lane::Normal);
        while rig.loaded().is_empty() {
            rig.frame();
        }
        // The edit was made while the new one was under way: it is saved, and made into the next.
        let expected = if pieces == 1 { 1 } else { pieces - 1 };
        assert!(disk.read(ChunkCoord::ORIGIN) >= Some(PIECES + expected));
    }
    roots.push(rig.index().root(ChunkCoord::ORIGIN).expect("loaded"));
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    let saved: Vec<Entity> = (calls(&rig).iter())
        .filter(|(coord, _)| *coord == ChunkCoord::ORIGIN)
        .map(|(_, root)| *root)
        .collect();
    assert_eq!(saved, roots);
}

#[test]
fn a_chunk_of_the_former_grid_is_saved_under_its_former_coordinate() {
    #[derive(Resource, Default)]
    struct Places(Vec<(ChunkCoord, f32)>);
    let mut rig = Rig::with_plugin(|plugin| {
        plugin.before_unload(|world, coord, root| {
            let x = world.get::<Transform>(root).expect("placed").translation.x;
            world.resource_mut::<Places>().0.push((coord, x));
        })
    });
    rig.app.init_resource::<Places>();
    rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().budget.chunks = Some(1);
    rig.stream_mut()
        .set_grid(ChunkGrid::planar(40.0).expect("40 is a size"));
    rig.frames(2);
    rig.stream_mut().set_origin(ChunkCoord::planar(1, 0));
    rig.stream_mut().budget.chunks = None;
    rig.frame();
    let places = &rig.app.world().resource::<Places>().0;
    assert_eq!(places.len(), 29);
    for (coord, x) in places {
        let former = coord.x as f32 * 10.0;
        assert!([former, former - 10.0].contains(x), "{coord:?} at {x}");
    }
}

#[test]
fn before_exit_everything_that_is_there_or_on_its_way_out_can_be_saved() {
    let (mut rig, disk) = rig();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().budget.chunks = Some(0);
    rig.move_to(viewer, 4, 0);
    rig.frame();
    assert!(rig.stream().unloading() > 0 && !rig.index().is_empty());
    build(&mut rig, ChunkCoord::planar(3, 0));
    ChunkStream::<Pieces>::save_all(rig.app.world_mut());
    assert_eq!(calls(&rig).len(), 29);
    assert_eq!(disk.read(ChunkCoord::planar(3, 0)), Some(PIECES + 1));
    let index = rig.app.world().resource::<ChunkIndex<Pieces>>();
    assert!(!index.is_empty(), "nothing is unloaded by it");
    // What was on its way out is not saved again, what is there is.
    let loaded = index.len();
    ChunkStream::<Pieces>::save_all(rig.app.world_mut());
    assert_eq!(calls(&rig).len(), 29 + loaded);
}
