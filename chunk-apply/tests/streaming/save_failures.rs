//! A save hook that fails keeps its chunk, and what waits for it, until it succeeds or the game gives it up.

use crate::rig::{PIECES, Pieces, Rig, config, generator, grid, spawner};
#[cfg(feature = "visibility")]
use bevy_camera::visibility::Visibility;
use bevy_ecs::prelude::*;
use chunk_apply::{
    ApplyBudget, ChunkRoot, ChunkSaveFailed, ChunkStream, ChunkStreamingPlugin, ManualClock,
    PendingSave, SavePolicy, SaveReason, StreamingConfig,
};
use chunk_coord::ChunkCoord;
use chunk_scheduler::Generator;
use core::num::NonZeroU32;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

const BAD: ChunkCoord = ChunkCoord::ORIGIN;

/// A stream whose hook fails at one chunk while the switch is on, by an error or by a panic.
struct Broken {
    rig: Rig,
    is_broken: Arc<AtomicBool>,
    /// When the hook was called with the chunk, in milliseconds.
    calls: Arc<Mutex<Vec<u128>>>,
}

fn broken(does_panic: bool, saving: SavePolicy) -> Broken {
    build(does_panic, saving, |coord| coord == BAD)
}

fn build(
    does_panic: bool,
    saving: SavePolicy,
    is_bad: impl Fn(ChunkCoord) -> bool + Send + Sync + 'static,
) -> Broken {
    let clock = ManualClock::default();
    let is_broken = Arc::new(AtomicBool::new(true));
    let calls = Arc::new(Mutex::new(Vec::new()));
    let (switch, list, now) = (Arc::clone(&is_broken), Arc::clone(&calls), clock.clone());
    let plugin = ChunkStreamingPlugin::new(grid(), generator(), spawner())
        .with_config(StreamingConfig { saving, ..config() })
        .with_save_hook(move |_, chunk| {
            if !is_bad(chunk.coord) {
                return Ok(());
            }
            let now = chunk_apply::Clock::now(&now).as_millis();
            list.lock().expect("no panic holds it").push(now);
            let is_broken = switch.load(Ordering::Relaxed);
            assert!(!(is_broken && does_panic), "the disk is gone");
            if is_broken {
                return Err("the disk is full".into());
            }
            Ok(())
        });
    Broken {
        rig: Rig::build(clock, plugin),
        is_broken,
        calls,
    }
}

impl Broken {
    fn failures(&mut self) -> Vec<ChunkSaveFailed<Pieces>> {
        let world = self.rig.app.world_mut();
        let mut messages = world.resource_mut::<Messages<ChunkSaveFailed<Pieces>>>();
        messages.drain().collect()
    }

    fn roots(&mut self) -> usize {
        let world = self.rig.app.world_mut();
        world.query::<&ChunkRoot>().iter(world).count()
    }
}

#[test]
fn a_chunk_that_cannot_be_saved_is_kept_hidden_and_tried_again_ever_later() {
    for does_panic in [false, true] {
        let mut broken = broken(does_panic, SavePolicy::default());
        let viewer = broken.rig.viewer(0, 0);
        broken.rig.settle();
        let root = broken.rig.index().root(BAD).expect("loaded");
        broken.rig.app.world_mut().despawn(viewer);
        let mut failures = Vec::new();
        for _ in 0..1_000 {
            broken.rig.frame();
            failures.append(&mut broken.failures());
        }
        let rig = &mut broken.rig;
        assert_eq!(rig.pieces(), PIECES, "the others are gone");
        assert_eq!(rig.stream().unloading(), 1);
        assert!(!rig.stream().is_settled());
        let snapshot = rig.stream().snapshot(rig.index());
        assert_eq!((snapshot.unsaved_chunks, snapshot.unloading_chunks), (1, 1));
        assert_eq!(snapshot.totals.saved, 28);
        #[cfg(feature = "visibility")]
        assert_eq!(
            rig.app.world().get::<Visibility>(root),
            Some(&Visibility::Hidden)
        );
        let counts: Vec<u32> = failures.iter().map(|failure| failure.failures).collect();
        assert_eq!(counts, [1, 2, 3, 4, 5], "at 0, 1, 3, 7 and 15 of 16 s");
        assert_eq!(snapshot.totals.save_failures, 5);
        for failure in &failures {
            assert_eq!((failure.coord, failure.root), (BAD, root));
            assert_eq!(failure.reason, SaveReason::Unloaded);
            assert!(failure.will_retry && failure.message.contains("the disk is"));
        }
        let calls = broken.calls.lock().expect("no panic").clone();
        let waits: Vec<u128> = calls
            .windows(2)
            .map(|two| (two[1] - two[0]) / 1_000)
            .collect();
        assert_eq!(waits, [1, 2, 4, 8]);
        let pending = broken.rig.stream().pending_save(BAD).expect("it waits");
        assert_eq!(pending.failures, 5);
        broken.is_broken.store(false, Ordering::Relaxed);
        broken.rig.settle();
        assert_eq!(broken.roots(), 0);
        assert_eq!(broken.rig.stream().totals().saved, 29);
    }
}

#[test]
fn what_is_wanted_again_is_taken_back_although_saving_it_fails() {
    let mut broken = broken(false, SavePolicy::default());
    let viewer = broken.rig.viewer(0, 0);
    broken.rig.settle();
    let root = broken.rig.index().root(BAD);
    broken.rig.move_to(viewer, 100, 0);
    broken.rig.frame();
    assert!(!broken.failures().is_empty());
    broken.rig.frames(20);
    broken.rig.move_to(viewer, 0, 0);
    broken.rig.settle();
    assert_eq!(broken.rig.index().root(BAD), root);
    assert_eq!((broken.rig.index().len(), broken.roots()), (29, 29));
}

#[test]
fn what_is_wanted_again_and_cannot_return_waits_for_a_save_that_fails() {
    let mut broken = broken(false, SavePolicy::default());
    let viewer = broken.rig.viewer(0, 0);
    broken.rig.settle();
    broken.rig.move_to(viewer, 100, 0);
    broken.rig.frames(20);
    broken.rig.stream_mut().refresh(BAD);
    broken.rig.move_to(viewer, 0, 0);
    broken.rig.frames(100);
    assert_eq!(broken.rig.index().len(), 28);
    assert_eq!(broken.rig.stream().scheduler().state(BAD), None);
    assert!(!broken.rig.stream().is_settled());
    broken.is_broken.store(false, Ordering::Relaxed);
    broken.rig.settle();
    assert_eq!((broken.rig.index().len(), broken.roots()), (29, 29));
}

#[test]
fn a_chunk_that_stands_is_not_made_anew_before_it_is_saved() {
    let mut broken = broken(false, SavePolicy::default());
    let viewer = broken.rig.viewer(0, 0);
    broken.rig.settle();
    let root = broken.rig.index().root(BAD);
    assert!(broken.rig.stream_mut().refresh(BAD));
    let mut failures = Vec::new();
    for _ in 0..200 {
        broken.rig.frame();
        failures.append(&mut broken.failures());
    }
    assert_eq!(failures.len(), 3, "at 0, 1 and 3 of 3.2 s");
    assert_eq!(broken.rig.index().root(BAD), root);
    assert_eq!(broken.rig.stream().scheduler().counters().requested, 29);
    let pending = broken.rig.stream().pending_save(BAD);
    let expected =
        |pending: PendingSave| pending.reason == SaveReason::Replaced && pending.failures == 3;
    assert!(pending.is_some_and(expected), "{pending:?}");
    assert!(
        failures
            .iter()
            .all(|failure| failure.reason == SaveReason::Replaced),
        "{failures:?}"
    );
    // It is not one of those that left.
    assert_eq!(broken.rig.stream().unloading(), 0);
    // It leaves, and is still the same chunk.
    broken.rig.app.world_mut().despawn(viewer);
    broken.rig.frames(20);
    assert_eq!(broken.rig.stream().unloading(), 1);
    let pending = broken.rig.stream().pending_save(BAD).expect("it waits");
    assert_eq!(
        (pending.reason, pending.failures),
        (SaveReason::Unloaded, 3)
    );
    broken.is_broken.store(false, Ordering::Relaxed);
    broken.rig.settle();
    assert_eq!(broken.roots(), 0);
}

#[test]
fn a_policy_gives_up_after_so_many_failures_and_says_so() {
    let saving = SavePolicy {
        give_up_after: NonZeroU32::new(2),
        ..SavePolicy::default()
    };
    let mut broken = broken(false, saving);
    let viewer = broken.rig.viewer(0, 0);
    broken.rig.settle();
    broken.rig.stream_mut().refresh(BAD);
    let retries = |broken: &mut Broken| -> Vec<bool> {
        let mut retries = Vec::new();
        for _ in 0..1_000 {
            if !retries.is_empty() && broken.rig.stream().is_settled() {
                break;
            }
            broken.rig.frame();
            let failures = broken.failures();
            retries.extend(failures.iter().map(|failure| failure.will_retry));
        }
        retries
    };
    assert_eq!(retries(&mut broken), [true, false]);
    assert_eq!(broken.rig.stream().scheduler().counters().applied, 30);
    broken.rig.app.world_mut().despawn(viewer);
    assert_eq!(retries(&mut broken), [true, false]);
    assert_eq!(broken.roots(), 0);
    assert_eq!(broken.rig.stream().totals().save_failures, 4);
}

#[test]
fn the_game_can_let_one_chunk_or_all_of_them_go_unsaved() {
    for one in [true, false] {
        let mut broken = build(false, SavePolicy::default(), |_| true);
        let viewer = broken.rig.viewer(0, 0);
        broken.rig.settle();
        broken.rig.move_to(viewer, 100, 0);
        broken.rig.frames(20);
        // Otherwise they would be taken back as they are.
        for (x, z) in (-3..=3).flat_map(|x| (-3..=3).map(move |z| (x, z))) {
            broken.rig.stream_mut().refresh(ChunkCoord::planar(x, z));
        }
        broken.rig.move_to(viewer, 0, 0);
        broken.rig.frames(20);
        assert_eq!(broken.rig.index().len(), 0);
        if one {
            assert!(broken.rig.stream_mut().skip_save(BAD));
            assert!(!broken.rig.stream_mut().skip_save(BAD));
            broken.rig.frames(20);
            assert_eq!(broken.rig.index().len(), 1);
        }
        let left = 29 - usize::from(one);
        // Those around the other place failed as well.
        assert_eq!(broken.rig.stream_mut().skip_saves(), left + 29);
        broken.rig.settle();
        assert_eq!((broken.rig.index().len(), broken.roots()), (29, 29));
    }
}

#[test]
fn what_is_kept_is_bounded_because_nothing_is_spawned_while_too_much_is() {
    let saving = SavePolicy {
        max_kept: 60,
        ..SavePolicy::default()
    };
    let mut broken = build(false, saving, |_| true);
    let viewer = broken.rig.viewer(0, 0);
    for step in 0..300 {
        broken.rig.move_to(viewer, step, 0);
        broken.rig.frame();
        // What was loaded when the bound was met leaves later.
        let most = 60 + 29 + 20;
        assert!(broken.roots() <= most, "{}", broken.roots());
    }
    assert!(
        broken
            .rig
            .stream()
            .snapshot(broken.rig.index())
            .unsaved_chunks
            >= 60
    );
    assert!(broken.rig.index().is_empty(), "the viewer outran the world");
    broken.is_broken.store(false, Ordering::Relaxed);
    broken.rig.settle();
    // Those between the load and the unload radius as well.
    let loaded = broken.rig.index().len();
    assert!((29..=49).contains(&loaded), "{loaded}");
    assert_eq!(broken.roots(), loaded);
}

#[test]
fn saving_everything_reports_what_failed_and_a_hook_may_ask_for_it() {
    let mut broken = broken(false, SavePolicy::default());
    let viewer = broken.rig.viewer(0, 0);
    broken.rig.settle();
    let report = ChunkStream::<Pieces>::save_all(broken.rig.app.world_mut());
    assert_eq!(report.saved, 28);
    assert_eq!(report.failed.len(), 1);
    assert_eq!(report.failed[0].chunk.coord, BAD);
    assert_eq!(report.failed[0].chunk.reason, SaveReason::SaveAll);
    assert_eq!(report.failed[0].message, "the disk is full");
    let failures = broken.failures();
    assert!(
        failures.len() == 1 && !failures[0].will_retry,
        "it stands as it did"
    );
    // One that left and failed is tried as well.
    broken.rig.app.world_mut().despawn(viewer);
    broken.rig.frames(10);
    let report = ChunkStream::<Pieces>::save_all(broken.rig.app.world_mut());
    assert_eq!((report.saved, report.failed.len()), (0, 1));
    assert_eq!(report.failed[0].chunk.failures, 1);
    broken.is_broken.store(false, Ordering::Relaxed);
    let report = ChunkStream::<Pieces>::save_all(broken.rig.app.world_mut());
    assert_eq!((report.saved, report.failed.len()), (1, 0));
    broken.rig.settle();
    assert_eq!(broken.roots(), 0);
}

#[test]
fn a_wait_of_nothing_tries_once_a_frame() {
    let saving = SavePolicy {
        first_delay: Duration::ZERO,
        max_delay: Duration::ZERO,
        ..SavePolicy::default()
    };
    for budget in [ApplyBudget::unlimited(), ApplyBudget::time(Duration::ZERO)] {
        let mut broken = broken(false, saving);
        let viewer = broken.rig.viewer(0, 0);
        broken.rig.settle();
        broken.rig.app.world_mut().despawn(viewer);
        while broken.roots() > 1 {
            broken.rig.frame();
        }
        broken.rig.stream_mut().budget = budget;
        let before = broken.calls.lock().expect("no panic").len();
        broken.rig.frames(10);
        let calls = broken.calls.lock().expect("no panic").len() - before;
        assert_eq!(calls, 10);
    }
}

#[test]
fn another_generator_error_is_not_a_save_failure() {
    let plugin = ChunkStreamingPlugin::new(
        grid(),
        Generator::fallible(|_| Err::<Pieces, _>("no ground")),
        spawner(),
    );
    let plugin = plugin.with_config(config()).with_save_hook(|_, _| Ok(()));
    let mut rig = Rig::build(ManualClock::default(), plugin);
    let viewer = rig.viewer(0, 0);
    rig.frames(10);
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    let totals = rig.stream().totals();
    assert_eq!((totals.saved, totals.save_failures), (0, 0));
}
