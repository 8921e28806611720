//! Roots that the game despawns.

use crate::rig::{PIECES, Pieces, Rig, config, generator, grid, spawner};
use bevy_app::Update;
use bevy_ecs::prelude::*;
use chunk_apply::{
    ChunkLevels, ChunkLoaded, ChunkStatus, ChunkStreamingPlugin, DespawnedRoots, ManualClock,
    StreamingConfig,
};
use chunk_coord::{ChunkCoord, LevelRings};

fn despawn(rig: &mut Rig, coord: ChunkCoord) {
    let root = rig.index().root(coord).expect("loaded");
    rig.app.world_mut().despawn(root);
}

fn explain(rig: &Rig, coord: ChunkCoord) -> ChunkStatus {
    rig.stream().explain(rig.index(), coord)
}

#[test]
fn a_chunk_whose_root_was_despawned_stays_gone_and_says_so() {
    let mut rig = Rig::new();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    assert_eq!(explain(&rig, ChunkCoord::ORIGIN), ChunkStatus::Loaded);
    despawn(&mut rig, ChunkCoord::ORIGIN);
    rig.settle();
    rig.frames(10);
    assert!(!rig.index().contains(ChunkCoord::ORIGIN));
    assert!(rig.stream().despawned().eq([ChunkCoord::ORIGIN]));
    let status = explain(&rig, ChunkCoord::ORIGIN);
    assert_eq!(status, ChunkStatus::Despawned);
    assert!(status.to_string().contains("despawned by a user"));
    // Until it is no longer wanted.
    rig.move_to(viewer, 50, 0);
    rig.settle();
    assert_eq!(rig.stream().despawned().len(), 0);
    assert_eq!(explain(&rig, ChunkCoord::ORIGIN), ChunkStatus::NotWanted);
    rig.move_to(viewer, 0, 0);
    rig.settle();
    assert_eq!(explain(&rig, ChunkCoord::ORIGIN), ChunkStatus::Loaded);
}

#[test]
fn a_refresh_brings_it_back() {
    let mut rig = Rig::new();
    rig.viewer(0, 0);
    rig.settle();
    despawn(&mut rig, ChunkCoord::ORIGIN);
    rig.settle();
    assert!(rig.stream_mut().refresh(ChunkCoord::ORIGIN));
    assert_eq!(rig.stream().despawned().len(), 0);
    rig.settle();
    assert_eq!((rig.index().len(), rig.pieces()), (29, 29 * PIECES));
    despawn(&mut rig, ChunkCoord::ORIGIN);
    rig.settle();
    assert_eq!(rig.stream().despawned().len(), 1);
}

#[test]
fn a_root_that_is_despawned_while_a_newer_version_is_made_is_replaced_by_it() {
    let mut rig = Rig::new();
    rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().refresh(ChunkCoord::ORIGIN);
    despawn(&mut rig, ChunkCoord::ORIGIN);
    rig.settle();
    assert_eq!((rig.index().len(), rig.stream().despawned().len()), (29, 0));
}

#[test]
fn a_new_level_does_not_bring_it_back() {
    let levels = ChunkLevels::new(LevelRings::new([1], 0).expect("one ring"));
    let plugin = ChunkStreamingPlugin::new(grid(), generator(), spawner())
        .with_config(config())
        .with_levels(levels.clone());
    let mut rig = Rig::build(ManualClock::default(), plugin);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    despawn(&mut rig, ChunkCoord::ORIGIN);
    rig.move_to(viewer, 2, 0);
    rig.settle();
    assert_eq!(levels.of(ChunkCoord::ORIGIN), 1);
    assert!(!rig.index().contains(ChunkCoord::ORIGIN));
    assert!(rig.stream().despawned().eq([ChunkCoord::ORIGIN]));
}

#[test]
fn it_is_made_again_where_the_stream_is_told_so() {
    let config = StreamingConfig {
        despawned_roots: DespawnedRoots::MakeAgain,
        ..config()
    };
    let mut rig = Rig::with(generator(), spawner(), config);
    rig.viewer(0, 0);
    rig.settle();
    let all: Vec<_> = rig.index().iter().map(|(coord, _)| coord).collect();
    for coord in &all {
        despawn(&mut rig, *coord);
    }
    assert_eq!(rig.pieces(), 0);
    rig.frame();
    assert!(!rig.stream().is_settled());
    rig.settle();
    assert_eq!((rig.index().len(), rig.pieces()), (29, 29 * PIECES));
    assert_eq!(rig.stream().scheduler().counters().requested, 2 * 29);
    assert_eq!(rig.stream().despawned().len(), 0);
    // From now on they stay gone.
    rig.stream_mut().despawned_roots = DespawnedRoots::StayGone;
    despawn(&mut rig, ChunkCoord::ORIGIN);
    rig.settle();
    assert_eq!((rig.index().len(), rig.stream().despawned().len()), (28, 1));
}

#[test]
fn code_that_despawns_each_new_root_makes_work_without_end_but_nothing_worse() {
    let config = StreamingConfig {
        despawned_roots: DespawnedRoots::MakeAgain,
        ..config()
    };
    let mut rig = Rig::with(generator(), spawner(), config);
    rig.app.add_systems(
        Update,
        |mut loaded: MessageReader<ChunkLoaded<Pieces>>, mut commands: Commands| {
            for chunk in loaded.read() {
                commands.entity(chunk.root).try_despawn();
            }
        },
    );
    let viewer = rig.viewer(0, 0);
    for _ in 0..50 {
        rig.frame();
        assert_eq!(rig.stream().scheduler().audit(), Ok(()));
        assert!(rig.stream().scheduler().depths().live() <= 29);
    }
    assert!(rig.stream().scheduler().counters().requested > 10 * 29);
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    assert_eq!(rig.pieces(), 0);
}

#[test]
fn a_root_that_is_despawned_while_its_refresh_waits_for_a_save_is_made_again_and_is_no_hole() {
    let mut rig = Rig::with_plugin(|plugin| plugin.with_save_hook(|_, _| Ok(())));
    rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().refresh(ChunkCoord::ORIGIN);
    despawn(&mut rig, ChunkCoord::ORIGIN);
    rig.settle();
    assert_eq!((rig.index().len(), rig.stream().despawned().len()), (29, 0));
}
