//! What other systems meet of a chunk that is not whole, that is replaced, or that was given up.

use crate::rig::{Piece, Pieces, Rig, config, generator};
use bevy_app::{Last, Update};
use bevy_ecs::prelude::*;
use chunk_apply::{
    ApplyBudget, ChunkWriter, LoadedChunks, ManualClock, Spawner, StreamingConfig, StreamingSystems,
};
use chunk_coord::{ChunkCoord, ViewRange};
use chunk_scheduler::{Generator, Job};
use std::{collections::BTreeMap, time::Duration};

const MANY: usize = 3_000;

/// Chunks of many pieces, 1 µs each, under a budget of a millisecond.
fn rig(whole_chunks: bool) -> Rig {
    let clock = ManualClock::default();
    let slow = clock.clone();
    let spawner = Spawner::new(move |_, pieces: Pieces, writer: &mut ChunkWriter<'_, '_>| {
        let slow = slow.clone();
        writer.spawn_batch((0..pieces.0 / 2).map(Piece));
        writer.run(|_, _| ());
        writer.spawn_batch((pieces.0 / 2..pieces.0).map(move |piece| {
            slow.advance(Duration::from_micros(2));
            Piece(piece)
        }));
    });
    let budget = ApplyBudget {
        whole_chunks,
        ..ApplyBudget::time(Duration::from_millis(1))
    };
    let config = StreamingConfig {
        range: Some(ViewRange::disc(1, 1).expect("equal radii")),
        budget,
        ..config()
    };
    let generator = Generator::new(|_: &Job<ChunkCoord>| Pieces(MANY));
    Rig::on(clock, generator, spawner, config)
}

/// How many pieces an ordinary query finds of each root.
#[derive(Resource, Default)]
struct Found {
    by_root: BTreeMap<Entity, usize>,
    partial: usize,
    ghosts: usize,
    most: usize,
}

fn look(
    pieces: Query<(Entity, &ChildOf), With<Piece>>,
    chunks: LoadedChunks<Pieces>,
    mut found: ResMut<Found>,
) {
    let found = &mut *found;
    found.by_root.clear();
    for (piece, root) in &pieces {
        *found.by_root.entry(root.parent()).or_default() += 1;
        assert_ne!(chunks.contains(piece), chunks.is_ghost(piece));
        assert_eq!(chunks.contains(piece), chunks.contains(root.parent()));
        found.ghosts += usize::from(chunks.is_ghost(piece));
    }
    found.partial += found
        .by_root
        .values()
        .filter(|count| **count != MANY)
        .count();
    found.most = found.most.max(found.by_root.values().sum());
}

fn watch(rig: &mut Rig) {
    rig.app
        .init_resource::<Found>()
        .add_systems(Update, look.before(StreamingSystems::Scan));
    rig.app.add_systems(Last, look);
}

#[test]
fn in_whole_chunks_no_query_meets_a_part_of_a_chunk_or_two_versions_of_one() {
    let mut rig = rig(true);
    watch(&mut rig);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    for _ in 0..3 {
        for x in -1..=1 {
            rig.stream_mut().refresh(ChunkCoord::planar(x, 0));
        }
        rig.settle();
    }
    let found = rig.app.world().resource::<Found>();
    assert_eq!((found.partial, found.ghosts), (0, 0));
    assert_eq!((found.most, found.by_root.len()), (5 * MANY, 5));
    // What is given up is despawned in one piece as well.
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    let found = rig.app.world().resource::<Found>();
    assert_eq!((found.partial, found.by_root.len()), (0, 0));
    let totals = rig.stream().totals();
    assert_eq!(
        (totals.spawned, totals.despawned),
        (14 * MANY as u64, 14 * MANY as u64)
    );
    assert_eq!(totals.unloaded, 14);
}

#[test]
fn in_whole_chunks_a_version_that_left_goes_when_a_newer_one_is_there() {
    let mut rig = rig(true);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let budget = rig.stream().budget;
    // All leave while a newer version of the one in the middle is made, and nothing is despawned.
    rig.stream_mut().budget.chunks = Some(0);
    rig.stream_mut().refresh(ChunkCoord::ORIGIN);
    rig.move_to(viewer, 100, 0);
    rig.frame();
    assert!(rig.index().is_empty());
    rig.move_to(viewer, 0, 0);
    rig.stream_mut().budget = ApplyBudget {
        chunks: Some(1),
        ..budget
    };
    let roots = |rig: &mut Rig| {
        let world = rig.app.world_mut();
        let mut roots = world.query::<&chunk_apply::ChunkRoot>();
        let roots = roots.iter(world);
        roots
            .filter(|root| root.coord == ChunkCoord::ORIGIN)
            .count()
    };
    for _ in 0..100 {
        rig.frame();
        if rig.index().contains(ChunkCoord::ORIGIN) {
            assert_eq!(roots(&mut rig), 1);
        }
    }
    assert!(rig.index().contains(ChunkCoord::ORIGIN));
}

#[test]
fn in_slices_a_system_can_tell_what_is_loaded() {
    let mut rig = rig(false);
    watch(&mut rig);
    rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().refresh(ChunkCoord::ORIGIN);
    rig.settle();
    let found = rig.app.world().resource::<Found>();
    assert!(found.partial > 0 && found.ghosts > 0);
    assert!(found.most > 5 * MANY, "two versions at once");
}

#[test]
fn a_whole_chunk_is_not_started_where_it_is_expected_not_to_fit() {
    let mut rig = rig(true);
    rig.viewer(0, 0);
    let mut shown = Vec::new();
    for _ in 0..20 {
        rig.frame();
        let applied = rig.stream().last_frame().apply.applied;
        if applied > 0 {
            shown.push(applied);
        }
    }
    // Each takes 3 ms.
    assert_eq!(shown, [1; 5]);
    rig.stream_mut().budget.time = Some(Duration::from_millis(10));
    for x in -1..=1 {
        rig.stream_mut().refresh(ChunkCoord::planar(x, 0));
    }
    let mut most = 0;
    for _ in 0..10 {
        rig.frame();
        let apply = rig.stream().last_frame().apply;
        most = most.max(apply.applied);
        assert_eq!(apply.overshoot, Duration::ZERO);
    }
    assert_eq!(most, 3);
}

#[test]
fn a_spawner_that_fails_leaves_no_part_of_a_whole_chunk() {
    let spawner = Spawner::new(
        |coord: ChunkCoord, pieces: Pieces, writer: &mut ChunkWriter<'_, '_>| {
            writer.spawn_batch((0..pieces.0).map(Piece));
            assert!(coord != ChunkCoord::ORIGIN, "no chunk here");
        },
    );
    let config = StreamingConfig {
        budget: ApplyBudget::time(Duration::from_millis(1)).in_whole_chunks(),
        ..config()
    };
    let mut rig = Rig::with(generator(), spawner, config);
    rig.viewer(0, 0);
    for _ in 0..400 {
        rig.frame();
        let (pieces, loaded) = (rig.pieces(), rig.index().len());
        assert_eq!(pieces, loaded * crate::rig::PIECES);
    }
    assert_eq!(rig.index().len(), 28);
    assert!(rig.stream().quarantined().eq([ChunkCoord::ORIGIN]));
}

#[test]
fn a_chunk_that_was_begun_in_slices_is_finished_at_once_when_that_changes() {
    let mut rig = rig(false);
    rig.viewer(0, 0);
    while rig.stream().partial().is_none() {
        rig.frame();
    }
    rig.stream_mut().budget.whole_chunks = true;
    rig.frame();
    assert_eq!(rig.stream().partial(), None);
    assert_eq!(rig.pieces(), rig.index().len() * MANY);
    rig.settle();
    assert_eq!(rig.index().len(), 5);
}

#[test]
fn what_is_enabled_later_is_missed_by_code_that_looks_for_what_is_new() {
    use bevy_ecs::entity_disabling::Disabled;
    use bevy_transform::{
        TransformPlugin,
        components::{GlobalTransform, Transform},
    };
    // Why chunks are not spawned with `Disabled` entities that are enabled when the chunk is whole.
    let mut app = bevy_app::App::new();
    app.add_plugins((bevy_app::TaskPoolPlugin::default(), TransformPlugin));
    let world = app.world_mut();
    let root = world.spawn(Transform::from_xyz(5.0, 0.0, 0.0)).id();
    let place = Transform::from_xyz(1.0, 0.0, 0.0);
    let child = world.spawn((place, ChildOf(root), Disabled)).id();
    app.update();
    app.update();
    app.world_mut().entity_mut(child).remove::<Disabled>();
    app.update();
    let place = app.world().get::<GlobalTransform>(child);
    assert_eq!(place.expect("one").translation().x, 0.0, "6 would be right");
}
