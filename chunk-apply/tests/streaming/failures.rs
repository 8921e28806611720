//! Chunks that cannot be made or spawned hurt only themselves.

use crate::rig::{PIECES, Piece, Pieces, Rig, config, generator, grid, spawner};
use bevy_ecs::prelude::*;
use chunk_apply::{
    ApplyBudget, ChunkStreamingPlugin, ChunkViewer, ChunkWriter, Clock, ManualClock, SpawnError,
    Spawner, StreamingConfig,
};
use chunk_coord::{ChunkCoord, ViewRange};
use chunk_scheduler::{Generator, Job, Verdict};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

const BAD: ChunkCoord = ChunkCoord::ORIGIN;

fn expect_only_the_bad_one_missing(rig: &mut Rig, message: &str) {
    rig.viewer(0, 0);
    let mut failures = Vec::new();
    for _ in 0..2_000 {
        rig.frame();
        failures.append(&mut rig.failed());
    }
    assert!(rig.stream().is_settled());
    assert_eq!(rig.index().len(), 28);
    assert_eq!(rig.pieces(), 28 * PIECES);
    assert_eq!(failures.len(), 3, "three attempts, then never again");
    assert!(failures.iter().all(|failure| failure.coord == BAD));
    assert!(
        failures[0].message.contains(message),
        "{}",
        failures[0].message
    );
    let verdicts: Vec<_> = failures.iter().map(|failure| failure.verdict).collect();
    assert_eq!(verdicts, [Verdict::Retry, Verdict::Retry, Verdict::GaveUp]);
    assert_eq!(Vec::from_iter(rig.stream().quarantined()), [BAD]);
    assert_eq!(rig.stream().scheduler().counters().failed, 1);
}

#[test]
fn a_panicking_generator() {
    let generator = Generator::new(|job: &Job<ChunkCoord>| {
        assert!(job.key() != BAD, "no ground here");
        Pieces(PIECES)
    });
    let mut rig = Rig::with(generator, spawner(), config());
    expect_only_the_bad_one_missing(&mut rig, "no ground here");
    assert_eq!(rig.stream().scheduler().counters().panics, 3);
}

#[test]
fn a_generator_that_returns_an_error() {
    let generator = Generator::fallible(|job: &Job<ChunkCoord>| {
        if job.key() == BAD {
            Err("the disk is full")
        } else {
            Ok(Pieces(PIECES))
        }
    });
    let mut rig = Rig::with(generator, spawner(), config());
    expect_only_the_bad_one_missing(&mut rig, "the disk is full");
}

#[test]
fn a_spawner_that_panics_at_once() {
    let spawner = Spawner::new(|coord, pieces: Pieces, writer: &mut ChunkWriter<'_, '_>| {
        assert!(coord != BAD, "no such tree");
        writer.spawn_batch((0..pieces.0).map(Piece));
    });
    let mut rig = Rig::with(generator(), spawner, config());
    expect_only_the_bad_one_missing(&mut rig, "no such tree");
}

#[test]
fn a_spawner_that_panics_half_way_through_a_batch() {
    let spawner = Spawner::new(|coord, pieces: Pieces, writer: &mut ChunkWriter<'_, '_>| {
        writer.spawn_batch((0..pieces.0).map(move |piece| {
            assert!(coord != BAD || piece < 3, "piece {piece} is broken");
            Piece(piece)
        }));
    });
    let mut rig = Rig::with(generator(), spawner, config());
    expect_only_the_bad_one_missing(&mut rig, "piece 3 is broken");
}

#[test]
fn a_spawner_that_returns_an_error_after_spawning() {
    let spawner = Spawner::fallible(|coord, pieces: Pieces, writer: &mut ChunkWriter<'_, '_>| {
        writer.spawn_batch((0..pieces.0).map(Piece));
        if coord == BAD {
            return Err(SpawnError::new("half of it is missing"));
        }
        Ok(())
    });
    let mut rig = Rig::with(generator(), spawner, config());
    expect_only_the_bad_one_missing(&mut rig, "half of it is missing");
}

#[test]
fn a_quarantined_chunk_loads_once_it_is_asked_for_again_and_can_be_made() {
    let is_broken = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&is_broken);
    let generator = Generator::fallible(move |job: &Job<ChunkCoord>| {
        if job.key() == BAD && switch.load(Ordering::Relaxed) {
            Err("broken")
        } else {
            Ok(Pieces(PIECES))
        }
    });
    let mut rig = Rig::with(generator, spawner(), config());
    expect_only_the_bad_one_missing(&mut rig, "broken");
    is_broken.store(false, Ordering::Relaxed);
    assert_eq!(rig.stream_mut().retry_quarantined(), 1);
    assert!(!rig.stream().is_settled(), "it is not requested yet");
    rig.settle();
    assert_eq!(rig.index().len(), 29);
    assert_eq!(rig.stream().quarantined().len(), 0);
}

#[test]
fn a_quarantined_chunk_that_nobody_wants_any_more_is_forgotten() {
    let is_broken = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&is_broken);
    let generator = Generator::fallible(move |job: &Job<ChunkCoord>| {
        if job.key() == BAD && switch.load(Ordering::Relaxed) {
            Err("broken")
        } else {
            Ok(Pieces(PIECES))
        }
    });
    let mut rig = Rig::with(generator, spawner(), config());
    expect_only_the_bad_one_missing(&mut rig, "broken");
    is_broken.store(false, Ordering::Relaxed);
    let world = rig.app.world_mut();
    let viewers: Vec<_> = (world.query_filtered::<Entity, With<ChunkViewer>>())
        .iter(world)
        .collect();
    for viewer in viewers {
        rig.app.world_mut().despawn(viewer);
    }
    rig.settle();
    assert_eq!(rig.stream_mut().retry_quarantined(), 0);
    rig.settle();
    assert!(rig.index().is_empty());
    assert_eq!(rig.pieces(), 0);
    assert_eq!(rig.stream().scheduler().depths().quarantined, 0);
    assert_eq!(rig.stream().quarantined().len(), 0);
}

#[test]
fn what_was_not_spawned_of_a_chunk_is_dropped_by_a_worker_and_may_panic() {
    /// Says on dropping where it was dropped, and then fails.
    struct Heavy(Arc<AtomicUsize>);
    impl Drop for Heavy {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
            panic!("a destructor that fails");
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&dropped);
    let spawner = Spawner::new(move |_, _: Pieces, writer: &mut ChunkWriter<'_, '_>| {
        for _ in 0..3 {
            let heavy = Heavy(Arc::clone(&counter));
            writer.spawn_batch((0..50).map(move |piece| {
                let _ = &heavy;
                Piece(piece)
            }));
        }
    });
    let config = StreamingConfig {
        budget: ApplyBudget::time(Duration::ZERO),
        ..config()
    };
    let mut rig = Rig::with(generator(), spawner, config);
    let viewer = rig.viewer(0, 0);
    while rig.stream().partial().is_none() {
        rig.frame();
    }
    rig.app.world_mut().despawn(viewer);
    rig.app.update();
    assert_eq!(dropped.load(Ordering::Relaxed), 0, "not on this thread");
    rig.settle();
    assert_eq!(dropped.load(Ordering::Relaxed), 3);
    assert_eq!(rig.pieces(), 0);
}

#[test]
fn a_failed_refresh_keeps_what_is_there() {
    let is_broken = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&is_broken);
    let generator = Generator::fallible(move |_job: &Job<ChunkCoord>| {
        if switch.load(Ordering::Relaxed) {
            Err("broken")
        } else {
            Ok(Pieces(PIECES))
        }
    });
    let mut rig = Rig::with(generator, spawner(), config());
    rig.viewer(0, 0);
    rig.settle();
    is_broken.store(true, Ordering::Relaxed);
    rig.stream_mut().refresh(BAD);
    rig.settle();
    assert_eq!(rig.index().len(), 29);
    assert_eq!(rig.pieces(), 29 * PIECES);
    assert_eq!(Vec::from_iter(rig.stream().quarantined()), [BAD]);
    is_broken.store(false, Ordering::Relaxed);
    assert_eq!(rig.stream_mut().retry_quarantined(), 1);
    rig.settle();
    assert_eq!(rig.stream().quarantined().len(), 0);
}

/// A clock on which everything takes time: each reading moves it.
#[derive(Clone, Debug, Default)]
struct TickingClock(ManualClock);

impl Clock for TickingClock {
    fn now(&self) -> Duration {
        self.0.advance(Duration::from_micros(2));
        self.0.now()
    }
}

/// 5,025 chunks around a viewer, each of which fails at once while the switch is on.
fn outage(is_down: &Arc<AtomicBool>) -> ChunkStreamingPlugin<Pieces> {
    let switch = Arc::clone(is_down);
    let generator =
        Generator::fallible(
            move |_: &Job<ChunkCoord>| match switch.load(Ordering::Relaxed) {
                true => Err("the server does not answer"),
                false => Ok(Pieces(1)),
            },
        );
    let mut config = StreamingConfig {
        range: Some(ViewRange::disc(40, 42).expect("42 is not less than 40")),
        ..config()
    };
    config.scheduler.retry.max_attempts = 1;
    ChunkStreamingPlugin::new(grid(), generator, spawner()).with_config(config)
}

/// More than the quarantine of the scheduler lists.
#[test]
fn an_outage_leaves_no_hole() {
    let is_down = Arc::new(AtomicBool::new(true));
    let mut rig = Rig::build(ManualClock::default(), outage(&is_down));
    let viewer = rig.viewer(0, 0);
    let mut told = Vec::new();
    let mut longest = 0;
    while !rig.stream().is_settled() || told.is_empty() {
        rig.frame();
        let now = rig.failed();
        longest = longest.max(now.len());
        told.extend(now.into_iter().map(|failed| failed.coord));
    }
    told.sort_unstable();
    let wanted = Vec::from_iter(rig.stream().wanted().iter());
    assert_eq!(wanted.len(), 5_025);
    assert_eq!(told, wanted, "each failure is told once");
    assert!(longest <= 128, "{longest} failures in one frame");
    let listed = rig.stream().scheduler().depths().quarantined;
    assert!(listed < wanted.len(), "{listed} are still listed");
    assert_eq!(Vec::from_iter(rig.stream().quarantined()), wanted);

    is_down.store(false, Ordering::Relaxed);
    assert_eq!(rig.stream_mut().retry_quarantined(), 5_025);
    rig.settle();
    assert_eq!(rig.index().len(), 5_025);
    assert_eq!(rig.stream().quarantined().len(), 0);

    // Chunks that are no longer wanted are forgotten.
    is_down.store(true, Ordering::Relaxed);
    rig.move_to(viewer, 100, 0);
    rig.settle();
    assert_eq!(rig.stream().quarantined().len(), 5_025);
    rig.move_to(viewer, 300, 0);
    rig.settle();
    let wanted = Vec::from_iter(rig.stream().wanted().iter());
    assert_eq!(Vec::from_iter(rig.stream().quarantined()), wanted);
}

#[test]
fn thousands_of_retries_are_requested_within_the_scan_budget() {
    let is_down = Arc::new(AtomicBool::new(true));
    let clock = TickingClock::default();
    let mut plugin = outage(&is_down);
    plugin.config.scan_budget = Duration::from_micros(250);
    plugin.config.budget = ApplyBudget::time(Duration::from_millis(1));
    let mut rig = Rig::build_on(clock.clone(), clock.0, plugin);
    rig.viewer(0, 0);
    rig.settle();
    assert_eq!(rig.stream().quarantined().len(), 5_025);
    is_down.store(false, Ordering::Relaxed);
    assert_eq!(rig.stream_mut().retry_quarantined(), 5_025);
    let mut frames = 0;
    while rig.index().len() < 5_025 {
        let before = rig.stream().scheduler().counters().requested;
        rig.frame();
        let requested = rig.stream().scheduler().counters().requested - before;
        // Half of the budget at most, of which two readings of the clock buy eight.
        assert!(
            requested <= 8 * 500 / 4 + 8,
            "{requested} in frame {frames}"
        );
        frames += 1;
    }
    assert!(frames > 5, "{frames}");
}
