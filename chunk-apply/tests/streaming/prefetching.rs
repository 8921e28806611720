//! What lies ahead beyond the load radius.

use crate::fast_flight::{TOO_FAST, missing_ahead};
use crate::rig::{CHUNK_SIZE, Pieces, Rig, config, grid, middle_of, spawner, two_chunks_a_frame};
use bevy_ecs::prelude::*;
use bevy_transform::components::Transform;
use chunk_apply::{ApplyBudget, ChunkStreamingPlugin, LoadOrder, ManualClock};
use chunk_coord::{ChunkCoord, ChunkGrid};
use chunk_scheduler::{Generator, Job, Lane, Status};
use std::time::Duration;

fn order(look_ahead: Duration, prefetch: bool) -> LoadOrder {
    LoadOrder::Motion {
        look_ahead,
        prefetch,
    }
}

/// The usual stream, which prefetches; it loads 3 chunks far and keeps 4.
fn rig() -> Rig {
    Rig::with_plugin(|plugin| plugin.with_order(order(Duration::from_secs(2), true)))
}

/// A tenth of a chunk, `steps` times along x and z. Returns where the viewer then is.
pub(crate) fn fly(rig: &mut Rig, viewer: Entity, steps: usize, [x, z]: [f32; 2]) -> ChunkCoord {
    fly_and(rig, viewer, steps, [x, z], |_, _| {})
}

fn fly_and(
    rig: &mut Rig,
    viewer: Entity,
    steps: usize,
    [x, z]: [f32; 2],
    mut check: impl FnMut(&mut Rig, ChunkCoord),
) -> ChunkCoord {
    for _ in 0..steps {
        let mut place = rig.app.world_mut().get_mut::<Transform>(viewer);
        let place = place.as_mut().expect("a viewer");
        place.translation.x += 0.1 * CHUNK_SIZE * x;
        place.translation.z += 0.1 * CHUNK_SIZE * z;
        rig.frame();
        let here = rig.stream().viewers()[0].coord;
        check(rig, here);
    }
    rig.stream().viewers()[0].coord
}

fn radius_sq(coord: ChunkCoord, viewer: ChunkCoord) -> u64 {
    coord.distance_sq(viewer)
}

#[test]
fn chunks_ahead_are_loaded_beyond_the_load_radius_and_none_behind() {
    let mut rig = rig();
    let viewer = rig.viewer(0, 0);
    let here = fly(&mut rig, viewer, 200, [1.0, 0.0]);
    // Three chunks ahead, which is the load radius, although the viewer will be farther in two seconds.
    let ahead = here.saturating_offset(3, 0, 0);
    for x in 0..=7 {
        let coord = here.saturating_offset(x, 0, 0);
        assert_eq!(rig.index().contains(coord), x <= 6, "{x}");
    }
    for (coord, _) in rig.index().iter() {
        let is_kept = radius_sq(coord, here) <= 16 || radius_sq(coord, ahead) <= 16;
        assert!(is_kept, "{coord:?} around {here:?}");
    }
    assert_eq!(rig.stream().viewers().len(), 1);
}

#[test]
fn without_prefetch_nothing_beyond_the_load_radius_is_requested() {
    for (look_ahead, prefetch) in [(Duration::from_secs(2), false), (Duration::ZERO, true)] {
        let mut rig = Rig::with_plugin(|plugin| plugin.with_order(order(look_ahead, prefetch)));
        let viewer = rig.viewer(0, 0);
        let here = fly(&mut rig, viewer, 200, [1.0, 0.0]);
        assert!(
            rig.index()
                .iter()
                .all(|(coord, _)| radius_sq(coord, here) <= 16)
        );
        assert!(rig.index().contains(here.saturating_offset(3, 0, 0)));
    }
}

#[test]
fn a_viewer_that_stops_keeps_what_it_wants_and_no_more() {
    let mut rig = rig();
    let viewer = rig.viewer(0, 0);
    let here = fly(&mut rig, viewer, 200, [0.0, -1.0]);
    rig.frames(200);
    assert!(rig.stream().is_settled());
    assert!(
        rig.index()
            .iter()
            .all(|(coord, _)| radius_sq(coord, here) <= 16)
    );
    let within = (rig.index().iter()).filter(|(coord, _)| radius_sq(*coord, here) <= 9);
    assert_eq!(within.count(), 29);
    assert_eq!(rig.stream().scheduler().audit(), Ok(()));
}

#[test]
fn however_fast_and_far_a_viewer_wants_at_most_twice_as_much() {
    for look_ahead in [Duration::from_secs(1), Duration::MAX] {
        let mut rig = Rig::with_plugin(|plugin| plugin.with_order(order(look_ahead, true)));
        let viewer = rig.viewer(0, 0);
        for speed in [0.1, 1.0, 10.0, 200.0] {
            fly_and(&mut rig, viewer, 60, [speed, speed / 3.0], |rig, _| {
                // Two unload discs of 4 chunks' radius.
                assert!(rig.stream().wanted().len() <= 2 * 49);
            });
        }
    }
}

/// A viewer of land of which no chunk is ever made, and what lies ahead of it is prefetched.
fn over_endless_land() -> (Rig, Entity) {
    let endless = Generator::from_async(|_job: Job<ChunkCoord>| async {
        core::future::pending::<()>().await;
        Ok::<_, String>(Pieces(0))
    });
    let plugin = ChunkStreamingPlugin::new(grid(), endless, spawner())
        .with_config(config())
        .with_order(order(Duration::from_secs(2), true));
    let mut rig = Rig::build(ManualClock::default(), plugin);
    let viewer = rig.viewer(0, 0);
    (rig, viewer)
}

#[test]
fn what_is_no_longer_ahead_is_cancelled() {
    let (mut rig, viewer) = over_endless_land();
    let here = fly(&mut rig, viewer, 100, [1.0, 0.0]);
    let ahead = here.saturating_offset(6, 0, 0);
    assert!(rig.stream().wanted().contains(ahead));
    assert!(rig.stream().scheduler().live_version(ahead).is_some());
    // It stops.
    rig.frames(200);
    assert!(!rig.stream().wanted().contains(ahead));
    assert_eq!(rig.stream().scheduler().live_version(ahead), None);
    let counters = rig.stream().scheduler().counters();
    // What was only ahead is not missed when it is given up.
    assert!(rig.stream().totals().missed < counters.cancelled);
}

#[test]
fn what_is_prefetched_is_in_the_lowest_lane_until_the_viewer_comes_near() {
    let (mut rig, viewer) = over_endless_land();
    let (mut prefetched, mut wanted) = (0, 0);
    fly_and(&mut rig, viewer, 200, [1.0, 0.0], |rig, here| {
        for coord in rig.stream().wanted().iter() {
            let explanation = rig.stream().scheduler().explain(coord);
            let Status::Live(job) = explanation.status else {
                panic!("{explanation:?}");
            };
            let is_near = radius_sq(coord, here) <= 9;
            if is_near {
                assert_eq!(job.lane, Lane::Normal, "{coord:?} near {here:?}");
                wanted += 1;
            } else if job.lane == Lane::Prefetch {
                prefetched += 1;
            } else {
                // Behind, and not yet left.
                assert!(coord.x <= here.x + 1, "{coord:?} ahead of {here:?}");
            }
        }
    });
    assert!(prefetched > 1_000 && wanted > 1_000);
}

#[test]
fn nothing_prefetched_is_applied_while_something_nearer_could_be() {
    let mut rig = rig();
    let viewer = rig.viewer(0, 0);
    // Nothing is applied until there is much to choose from.
    rig.stream_mut().budget.chunks = Some(0);
    fly(&mut rig, viewer, 60, [1.0, 0.0]);
    rig.stream_mut().budget = ApplyBudget {
        chunks: Some(1),
        ..ApplyBudget::unlimited()
    };
    rig.loaded();
    let (mut beyond, mut within) = (0, 0);
    // What became wanted in a frame was generated after it, so it can be applied in the next.
    let mut could_be: Vec<ChunkCoord> = rig.stream().wanted().iter().collect();
    fly_and(&mut rig, viewer, 600, [0.25, 0.1], |rig, here| {
        for loaded in rig.loaded() {
            if radius_sq(loaded.coord, here) <= 9 {
                within += 1;
                continue;
            }
            beyond += 1;
            let nearer = (could_be.iter()).find(|coord| {
                radius_sq(**coord, here) <= 9
                    && rig.stream().wanted().contains(**coord)
                    && !rig.index().contains(**coord)
            });
            assert_eq!(nearer, None, "{:?} came before it", loaded.coord);
        }
        could_be = rig.stream().wanted().iter().collect();
    });
    assert!(beyond > 20 && within > 20, "{beyond} {within}");
}

#[test]
fn a_chunk_that_was_prefetched_is_not_made_again_when_it_is_reached() {
    let mut rig = rig();
    let viewer = rig.viewer(0, 0);
    let mut latest = Vec::new();
    fly_and(&mut rig, viewer, 300, [1.0, 0.0], |rig, here| {
        for loaded in rig.loaded() {
            assert_eq!(loaded.replaced, None);
            if radius_sq(loaded.coord, here) > 9 {
                assert_eq!(loaded.latency, Duration::ZERO);
            }
            latest.push(loaded.coord);
        }
    });
    let loaded = latest.len();
    latest.sort_unstable();
    latest.dedup();
    assert_eq!(latest.len(), loaded, "no chunk twice");
    let counters = rig.stream().scheduler().counters();
    assert_eq!(counters.applied, loaded as u64);
    assert_eq!(counters.cancelled, 0);
}

#[test]
fn swaying_over_a_border_and_teleports_prefetch_nothing() {
    let mut rig = rig();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.move_to(viewer, 1, 0);
    rig.frames(200);
    rig.settle();
    let before = rig.stream().scheduler().counters();
    for step in 0..200 {
        let mut place = middle_of(1, 0);
        place.translation.x -= CHUNK_SIZE * if step % 2 == 0 { 0.4 } else { 0.6 };
        *(rig.app.world_mut().get_mut::<Transform>(viewer)).expect("a viewer") = place;
        rig.frame();
    }
    // By whole chunks as well.
    for step in 0..200 {
        rig.move_to(viewer, step % 2, 0);
        rig.frame();
    }
    assert_eq!(rig.stream().scheduler().counters(), before);
    for x in [500, -3, 40] {
        rig.move_to(viewer, x, 9);
        rig.frames(3);
        assert_eq!(rig.stream().wanted().len(), 29, "{x}");
    }
}

#[test]
fn what_is_prefetched_goes_with_its_viewer_and_with_the_grid() {
    let mut rig = Rig::with_plugin(|plugin| {
        plugin
            .with_config(chunk_apply::StreamingConfig {
                budget: two_chunks_a_frame(),
                ..config()
            })
            .with_order(order(Duration::from_secs(2), true))
    });
    let viewer = rig.viewer(0, 0);
    fly(&mut rig, viewer, 100, [1.0, 0.0]);
    let double = ChunkGrid::planar(2.0 * CHUNK_SIZE).expect("20 is a size");
    rig.stream_mut().set_grid(double);
    rig.settle();
    assert_eq!(rig.index().len(), 29);
    fly(&mut rig, viewer, 100, [1.0, 0.0]);
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    assert!(rig.index().is_empty());
    assert_eq!(rig.pieces(), 0);
}

#[test]
fn with_prefetch_hardly_anything_is_missing_ahead_where_workers_have_time_to_spare() {
    let missing = |prefetch, speed| {
        let look_ahead = Duration::from_secs(2);
        missing_ahead(order(look_ahead, prefetch), speed)
    };
    let (without, with) = (missing(false, 4.0), missing(true, 4.0));
    assert!(without > 0.01, "nothing to prefetch: {without}");
    assert!(with <= without / 2.0, "{with} of {without}");
    // Where they have none, they never come to it.
    assert_eq!(missing(true, TOO_FAST), missing(false, TOO_FAST));
}
