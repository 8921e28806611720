//! Levels of detail: the right one everywhere, never a hole, no flicker.

use crate::rig::{CHUNK_SIZE, Pieces, Rig, config, grid, middle_of, spawner};
use bevy_app::Plugin;
use bevy_math::Vec3;
use chunk_apply::{
    ChunkLevels, ChunkStreamingPlugin, ChunkViewer, ManualClock, NeighbourLevels, StreamingConfig,
    StreamingConfigError,
};
use chunk_coord::{ChunkCoord, ChunkGrid, LevelRings, ViewRange};
use chunk_scheduler::{Generator, Job};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

/// Chunks have as many pieces as their level, and one more.
fn rig(hysteresis: u32) -> (Rig, ChunkLevels) {
    let rings = LevelRings::new([1, 3], hysteresis).expect("3 is more than 1");
    let levels = ChunkLevels::new(rings);
    let asked = levels.clone();
    let generator =
        Generator::new(move |job: &Job<ChunkCoord>| Pieces(usize::from(asked.of_job(job)) + 1));
    let config = StreamingConfig {
        range: Some(ViewRange::disc(5, 6).expect("6 is not less than 5")),
        ..config()
    };
    let plugin = ChunkStreamingPlugin::new(grid(), generator, spawner())
        .with_config(config)
        .with_levels(levels.clone());
    (Rig::build(ManualClock::default(), plugin), levels)
}

fn expected_level(coord: ChunkCoord, viewer: ChunkCoord) -> usize {
    match coord.distance_sq(viewer) {
        0..=1 => 0,
        2..=9 => 1,
        _ => 2,
    }
}

#[test]
fn each_chunk_is_made_at_the_level_of_its_ring_and_anew_when_that_changes() {
    let (mut rig, levels) = rig(0);
    let viewer = rig.viewer(0, 0);
    for x in 0..12 {
        rig.move_to(viewer, x, 0);
        rig.settle();
        let centre = ChunkCoord::planar(x, 0);
        for (coord, chunk) in rig.index().iter() {
            assert_eq!(
                chunk.entities,
                expected_level(coord, centre) + 1,
                "{coord:?}"
            );
            assert_eq!(usize::from(levels.of(coord)), expected_level(coord, centre));
        }
        assert!(rig.index().len() >= 81);
    }
}

#[test]
fn while_levels_change_no_chunk_is_missing_for_a_frame() {
    let (mut rig, _) = rig(0);
    rig.stream_mut().budget.chunks = Some(2);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    for x in 1..4 {
        rig.move_to(viewer, x, 0);
        for _ in 0..10 {
            let before: Vec<ChunkCoord> = rig.index().iter().map(|(coord, _)| coord).collect();
            rig.frame();
            for coord in before {
                let is_gone = rig.stream().wanted().contains(coord) && !rig.index().contains(coord);
                assert!(!is_gone, "{coord:?} left a hole");
            }
        }
    }
}

#[test]
fn swaying_over_the_border_of_a_ring_makes_nothing_anew() {
    let (mut rig, _) = rig(1);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.move_to(viewer, 1, 0);
    rig.settle();
    rig.move_to(viewer, 0, 0);
    rig.settle();
    let before = rig.stream().scheduler().counters();
    for step in 0..50 {
        rig.move_to(viewer, (step + 1) % 2, 0);
        rig.frame();
    }
    assert_eq!(rig.stream().scheduler().counters(), before);
}

/// What the generators of all versions read.
type Made = Arc<Mutex<HashMap<(ChunkCoord, u64), NeighbourLevels>>>;

/// A stream whose chunks are made for the levels around them, in this grid.
fn stitched_rig(grid: ChunkGrid, range: ViewRange, hysteresis: u32) -> (Rig, ChunkLevels, Made) {
    let levels = ChunkLevels::new(LevelRings::new([1, 3], hysteresis).expect("3 is more than 1"));
    let (asked, made) = (levels.clone(), Made::default());
    let noted = Arc::clone(&made);
    let generator = Generator::new(move |job: &Job<ChunkCoord>| {
        let levels = asked.around(job);
        let mut noted = noted.lock().expect("no test panics here");
        noted.insert((job.key(), job.version().get()), levels);
        Pieces(usize::from(levels.own()) + 1)
    });
    let config = StreamingConfig {
        range: Some(range),
        ..config()
    };
    let plugin = ChunkStreamingPlugin::new(grid, generator, spawner())
        .with_config(config)
        .with_levels(levels.clone());
    (Rig::build(ManualClock::default(), plugin), levels, made)
}

/// How many chunks stand against another level of a neighbour than they were made for, and how many neighbours were
/// compared.
fn seams(rig: &Rig, made: &Made) -> (usize, usize) {
    let made = made.lock().expect("no generator panics");
    let made =
        |coord: ChunkCoord| (rig.index().chunk(coord)).map(|chunk| made[&(coord, chunk.version)]);
    let (mut seams, mut compared) = (0, 0);
    for (coord, _) in rig.index().iter() {
        let own = made(coord).expect("the chunk is loaded");
        let mut is_seam = false;
        for neighbour in coord.all_neighbours() {
            let Some(other) = made(neighbour) else {
                continue;
            };
            let [x, y, z] = [
                neighbour.x - coord.x,
                neighbour.y - coord.y,
                neighbour.z - coord.z,
            ];
            compared += 1;
            is_seam |= own.at(x, y, z) != other.own();
        }
        seams += usize::from(is_seam);
    }
    (seams, compared)
}

fn space() -> ChunkGrid {
    ChunkGrid::volumetric(Vec3::splat(CHUNK_SIZE)).expect("10 is a size")
}

#[test]
fn no_chunk_stands_against_another_level_of_a_neighbour_than_it_was_made_for() {
    let planar = (grid(), ViewRange::disc(6, 7).expect("7 is not less than 6"));
    // The outermost ring is not coarsest: chunks that enter have levels that the rim did not stand against.
    let narrow = (grid(), ViewRange::disc(2, 4).expect("4 is not less than 2"));
    let deep = (
        space(),
        ViewRange::sphere(4, 5).expect("5 is not less than 4"),
    );
    for (grid, range) in [planar, narrow, deep] {
        for hysteresis in [0, 1] {
            let (mut rig, levels, made) = stitched_rig(grid, range, hysteresis);
            let viewer = rig.viewer(0, 0);
            let steps = [
                (1, 0),
                (2, 0),
                (3, 1),
                (2, 1),
                (9, 1),
                (8, 2),
                (8, 1),
                (30, -4),
            ];
            for (x, z) in steps {
                rig.move_to(viewer, x, z);
                rig.settle();
                let (seams, compared) = seams(&rig, &made);
                assert_eq!(seams, 0, "{range:?} at {x}, {z}");
                assert!(compared > 8, "{compared}");
                for (coord, chunk) in rig.index().iter() {
                    assert_eq!(chunk.entities, usize::from(levels.of(coord)) + 1);
                }
            }
        }
    }
}

#[test]
fn seams_close_with_little_time_a_frame_and_several_viewers_that_come_and_go() {
    let range = ViewRange::disc(5, 6).expect("6 is not less than 5");
    let (mut rig, _, made) = stitched_rig(grid(), range, 1);
    rig.stream_mut().scan_budget = Duration::ZERO;
    rig.stream_mut().budget.chunks = Some(3);
    let first = rig.viewer(0, 0);
    let mut second = rig.viewer(9, 0);
    for step in 0..40 {
        rig.move_to(first, step / 2, step % 3);
        rig.frame();
        if step % 9 == 8 {
            rig.app.world_mut().despawn(second);
            second = rig.viewer(step / 2 + 7, -3);
        }
        if step % 10 == 9 {
            rig.settle();
            assert_eq!(seams(&rig, &made).0, 0, "at step {step}");
        }
    }
}

#[test]
fn a_step_of_the_viewer_makes_each_chunk_anew_at_most_once() {
    let range = ViewRange::disc(6, 7).expect("7 is not less than 6");
    let (mut rig, _, made) = stitched_rig(grid(), range, 0);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    for x in 1..5 {
        made.lock().expect("no generator panics").clear();
        rig.move_to(viewer, x, 0);
        rig.settle();
        let made = made.lock().expect("no generator panics");
        let mut coords: Vec<_> = made.keys().map(|(coord, _)| *coord).collect();
        coords.sort_unstable();
        let all = coords.len();
        coords.dedup();
        assert_eq!(coords.len(), all, "some were made twice at {x}");
        // Far from every border of a ring nothing is made.
        let is_near_a_ring = |coord: &ChunkCoord| coord.distance_sq(ChunkCoord::planar(x, 0)) < 49;
        assert!(coords.iter().all(is_near_a_ring));
        assert!((1..113).contains(&all), "{all}");
        drop(made);
        rig.frames(3);
    }
}

#[test]
fn a_stream_at_rest_makes_nothing_for_its_seams() {
    let range = ViewRange::disc(6, 7).expect("7 is not less than 6");
    let (mut rig, _, made) = stitched_rig(grid(), range, 1);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    assert_eq!(
        made.lock().expect("no generator panics").len(),
        113,
        "each once"
    );
    rig.move_to(viewer, 1, 0);
    rig.settle();
    rig.move_to(viewer, 0, 0);
    rig.settle();
    let before = rig.stream().scheduler().counters();
    for step in 0..50 {
        rig.move_to(viewer, (step + 1) % 2, 0);
        rig.frame();
    }
    assert_eq!(rig.stream().scheduler().counters(), before);
}

#[test]
fn a_message_tells_the_level_that_the_chunk_was_made_at() {
    let (mut rig, levels) = rig(0);
    rig.stream_mut().budget.chunks = Some(2);
    let viewer = rig.viewer(0, 0);
    let mut told = HashMap::new();
    for step in 0..200 {
        rig.move_to(viewer, (step / 4).min(15), 0);
        rig.frame();
        for loaded in rig.loaded() {
            assert_eq!(usize::from(loaded.level) + 1, loaded.entities);
            told.insert(loaded.coord, loaded.level);
        }
    }
    assert!(rig.stream().is_settled());
    for (coord, _) in rig.index().iter() {
        assert_eq!(told[&coord], levels.of(coord), "{coord}");
    }
    assert!(told.values().any(|level| *level == 0) && told.values().any(|level| *level == 2));
}

#[test]
fn a_second_stream_with_the_same_levels_is_refused_until_the_first_is_gone() {
    let (rig, levels) = rig(0);
    let plugin = || {
        ChunkStreamingPlugin::new(grid(), crate::rig::generator(), spawner())
            .with_levels(levels.clone())
    };
    let error = plugin().validate().expect_err("another stream has them");
    assert_eq!(error, StreamingConfigError::SharedLevels);
    assert!(error.to_string().contains("ChunkLevels"));
    drop(rig);
    assert_eq!(plugin().validate(), Ok(()));
    let mut app = bevy_app::App::new();
    plugin().build(&mut app);
    assert_eq!(plugin().validate(), Err(StreamingConfigError::SharedLevels));
}

#[test]
fn a_viewer_of_another_stream_leaves_the_levels_alone() {
    let (mut rig, levels) = rig(0);
    rig.viewer(0, 0);
    rig.settle();
    let other = ChunkLevels::new(LevelRings::new([1, 3], 0).expect("3 is more than 1"));
    let plugin = ChunkStreamingPlugin::new(grid(), crate::rig::generator(), spawner())
        .with_levels(other.clone());
    let mut second = Rig::build(ManualClock::default(), plugin);
    let viewer = ChunkViewer::default();
    second.app.world_mut().spawn((viewer, middle_of(40, 0)));
    second.settle();
    assert_eq!(
        (levels.of(ChunkCoord::ORIGIN), other.of(ChunkCoord::ORIGIN)),
        (0, 2)
    );
}
