//! From unwanted to gone, with nothing left behind.

use crate::rig::{PIECES, Piece, Pieces, Rig, config, middle_of, spawner};
use bevy_ecs::prelude::*;
use chunk_apply::{ApplyBudget, ChunkViewer, StreamingConfig};
use chunk_coord::{ChunkCoord, ViewRange};
use chunk_scheduler::{Generator, Job};
use std::time::Duration;

#[test]
fn chunks_beyond_the_unload_radius_go_and_are_reported_once() {
    let mut rig = Rig::new();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.move_to(viewer, 20, 0);
    rig.settle();
    let unloaded = rig.unloaded();
    assert_eq!(unloaded.len(), 29);
    assert_eq!(rig.index().len(), 29);
    assert_eq!(rig.pieces(), 29 * PIECES);
    assert_eq!(rig.stream().totals().unloaded, 29);
}

#[test]
fn when_the_last_viewer_is_gone_the_world_is_as_it_was() {
    let mut rig = Rig::new();
    rig.frame();
    let before = rig.app.world().entities().count_spawned();
    let viewer = rig.viewer(0, 0);
    for step in 0..60 {
        rig.move_to(viewer, step, step / 2);
        rig.frame();
    }
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    assert!(rig.index().is_empty());
    assert_eq!(rig.app.world().entities().count_spawned(), before);
}

#[test]
fn what_is_queued_or_in_flight_is_cancelled_when_it_is_left_behind() {
    let endless = Generator::from_async(|_job: Job<ChunkCoord>| async {
        core::future::pending::<()>().await;
        Ok::<_, String>(Pieces(0))
    });
    let mut rig = Rig::with(endless, spawner(), config());
    let viewer = rig.viewer(0, 0);
    rig.frame();
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    let counters = rig.stream().scheduler().counters();
    assert_eq!((counters.requested, counters.cancelled), (29, 29));
}

#[test]
fn what_waits_to_be_applied_is_cancelled_when_it_is_left_behind() {
    let mut rig = Rig::new();
    rig.stream_mut().budget.chunks = Some(0);
    let viewer = rig.viewer(0, 0);
    rig.frames(3);
    assert_eq!(rig.stream().scheduler().depths().backlog, 29);
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    let counters = rig.stream().scheduler().counters();
    assert_eq!((counters.applied, counters.cancelled), (0, 29));
    assert_eq!(rig.pieces(), 0);
}

#[test]
fn what_waits_to_be_applied_is_bounded_however_often_the_viewer_teleports() {
    let mut config = config();
    config.scheduler.backlog_capacity = 10;
    config.budget.chunks = Some(0);
    let mut rig = Rig::with(crate::rig::generator(), spawner(), config);
    let viewer = rig.viewer(0, 0);
    for step in 0..50 {
        rig.move_to(viewer, step * 100, 0);
        rig.frame();
        assert!(rig.stream().scheduler().depths().backlog <= 10);
        assert!(rig.stream().backlog() <= 10);
    }
}

#[test]
fn the_farthest_chunk_goes_first() {
    let config = StreamingConfig {
        budget: ApplyBudget {
            chunks: Some(1),
            ..ApplyBudget::unlimited()
        },
        ..config()
    };
    let mut rig = Rig::with(crate::rig::generator(), spawner(), config);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.move_to(viewer, 100, 0);
    let mut gone = Vec::new();
    let mut left: Vec<(ChunkCoord, Entity)> = (rig.index().iter())
        .map(|(coord, chunk)| (coord, chunk.root))
        .collect();
    left.sort();
    while !rig.stream().is_settled() || gone.is_empty() {
        rig.frame();
        let world = rig.app.world();
        left.retain(|(coord, root)| {
            let is_there = world.get_entity(*root).is_ok();
            if !is_there {
                gone.push(coord.distance_sq(ChunkCoord::planar(100, 0)));
            }
            is_there
        });
    }
    assert_eq!(gone.len(), 29);
    assert!(gone.is_sorted_by(|a, b| a >= b), "{gone:?}");
}

#[test]
fn the_save_hook_sees_each_chunk_with_all_of_its_entities_once() {
    #[derive(Resource, Default)]
    struct Saved(Vec<(ChunkCoord, usize)>);
    let mut rig = Rig::with_plugin(|plugin| {
        plugin.with_save_hook(|world, chunk| {
            // A broken save must not stop the others.
            assert!(chunk.coord.x != 2 || chunk.failures == 1, "broken once");
            let pieces = world.get::<Children>(chunk.root);
            let pieces = pieces.map_or(0, |children| children.len());
            world.resource_mut::<Saved>().0.push((chunk.coord, pieces));
            Ok(())
        })
    });
    rig.app.init_resource::<Saved>();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut()
        .refresh_in(ChunkCoord::ORIGIN, chunk_scheduler::Lane::Normal);
    rig.settle();
    let saved = |rig: &Rig| rig.app.world().resource::<Saved>().0.clone();
    assert_eq!(saved(&rig), [(ChunkCoord::ORIGIN, PIECES)]);
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    assert_eq!(saved(&rig).len(), 1 + 29);
    assert!(saved(&rig).iter().all(|(_, pieces)| *pieces == PIECES));
    assert_eq!(rig.pieces(), 0);
}

/// A rig in which each piece takes a microsecond to despawn.
fn slow_to_despawn(pieces: usize, radius: u32, budget: Duration) -> Rig {
    let generator = Generator::new(move |_: &Job<ChunkCoord>| Pieces(pieces));
    let config = StreamingConfig {
        range: Some(ViewRange::disc(radius, radius).expect("equal radii")),
        budget: ApplyBudget::time(budget),
        ..config()
    };
    let mut rig = Rig::with(generator, spawner(), config);
    let slow = rig.clock.clone();
    (rig.app).add_observer(move |_: On<Remove, Piece>| slow.advance(Duration::from_micros(1)));
    rig
}

#[cfg(feature = "visibility")]
#[test]
fn what_left_is_hidden_within_the_budget_the_farthest_first() {
    use bevy_camera::visibility::Visibility;
    use chunk_apply::ChunkRoot;
    let mut rig = slow_to_despawn(1_000, 3, Duration::from_millis(2));
    let viewer = rig.viewer(0, 0);
    // Without any viewer, nothing would be far or near.
    let origin = ViewRange::disc(0, 0).expect("equal radii");
    (rig.app.world_mut()).spawn((ChunkViewer::with_range(origin), middle_of(0, 0)));
    rig.settle();
    rig.app.world_mut().despawn(viewer);
    let (mut before, mut frames) = (0, 0);
    while frames == 0 || rig.stream().unloading() > 0 {
        rig.frame();
        frames += 1;
        let world = rig.app.world_mut();
        let mut roots = world.query::<(&ChunkRoot, &Visibility)>();
        let mut distances = |hidden: bool| -> Vec<u64> {
            (roots.iter(world))
                .filter(|(_, visibility)| (**visibility == Visibility::Hidden) == hidden)
                .map(|(root, _)| root.coord.distance_sq(ChunkCoord::ORIGIN))
                .filter(|distance_sq| *distance_sq > 0)
                .collect()
        };
        let (hidden, seen) = (distances(true), distances(false));
        let gone = 28 - hidden.len() - seen.len();
        // Bevy tells 1,001 entities of each, 25 ns each, in a quarter of 2 ms.
        let now = hidden.len() + gone - before;
        assert!(now <= 20 + 2, "{now} in frame {frames}");
        before = hidden.len() + gone;
        let is_farther = |hidden: &u64| seen.iter().all(|seen| seen <= hidden);
        assert!(hidden.iter().all(is_farther), "{hidden:?} {seen:?}");
    }
    assert!((14..=20).contains(&frames), "{frames}");
    assert_eq!(rig.pieces(), 1_000);
}

#[test]
fn a_child_with_a_deep_subtree_is_despawned_in_slices() {
    let budget = Duration::from_micros(200);
    let mut rig = slow_to_despawn(3, 0, budget);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let root = rig.index().root(ChunkCoord::ORIGIN).expect("loaded");
    let world = rig.app.world_mut();
    // A chain of 1,000 under one child, and 2,000 twigs in 10 branches.
    let mut last = world.spawn((Piece(0), ChildOf(root))).id();
    for piece in 0..1_000 {
        last = world.spawn((Piece(piece), ChildOf(last))).id();
    }
    for _ in 0..10 {
        let branch = world.spawn((Piece(0), ChildOf(last))).id();
        for piece in 0..200 {
            world.spawn((Piece(piece), ChildOf(branch)));
        }
    }
    let all = rig.pieces();
    assert_eq!(all, 3 + 1 + 1_000 + 10 * 201);
    let before = rig.stream().totals().despawned;
    rig.app.world_mut().despawn(viewer);
    let mut frames = 0;
    while rig.stream().unloading() > 0 || frames == 0 {
        rig.frame();
        let spent = rig.stream().last_frame().apply.spent;
        assert!(spent <= budget, "{spent:?} in frame {frames}");
        frames += 1;
    }
    assert_eq!(rig.pieces(), 0);
    assert_eq!(rig.stream().totals().despawned - before, all as u64);
    assert!((15..=22).contains(&frames), "{frames}");
}

#[test]
fn what_was_moved_out_of_a_chunk_while_it_is_despawned_stays() {
    let mut rig = slow_to_despawn(1, 0, Duration::from_micros(50));
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let root = rig.index().root(ChunkCoord::ORIGIN).expect("loaded");
    let world = rig.app.world_mut();
    let branch = world.spawn((Piece(0), ChildOf(root))).id();
    let twig = world.spawn((Piece(0), ChildOf(branch))).id();
    for piece in 0..300 {
        world.spawn((Piece(piece), ChildOf(twig)));
    }
    world.despawn(viewer);
    rig.frames(3);
    let left = rig
        .app
        .world()
        .get::<Children>(twig)
        .map_or(0, |pieces| pieces.len());
    assert!((1..300).contains(&left), "it is under way: {left}");
    rig.app.world_mut().entity_mut(twig).remove::<ChildOf>();
    rig.settle();
    assert_eq!(rig.pieces(), 1 + left);
    assert!(rig.app.world().get_entity(branch).is_err());
}
