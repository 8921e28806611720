//! Dirty chunks that stand are saved after a time, a few a frame.

use crate::rig::{Pieces, Rig, config, generator, grid, middle_of, spawner};
use bevy_ecs::prelude::*;
use chunk_apply::{
    ApplyBudget, ChunkIndex, ChunkSaveFailed, ChunkStream, ChunkStreamingPlugin, ChunkViewer,
    ManualClock, SavePolicy, SaveReason, SavedChunks, StreamingConfig,
};
use chunk_coord::{ChunkCoord, ViewRange};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

const AUTOSAVE: Duration = Duration::from_secs(8);
const FRAME: Duration = Duration::from_millis(16);
/// How long the hook takes.
const SAVE: Duration = Duration::from_micros(100);

struct Autosave {
    rig: Rig,
    is_full: Arc<AtomicBool>,
    /// Chunks, and when the hook was called with them, by the stream's clock.
    saved: Arc<Mutex<Vec<(ChunkCoord, SaveReason, Duration)>>>,
}

fn autosave(autosave: Duration) -> Autosave {
    let clock = ManualClock::default();
    let (slow, is_full) = (clock.clone(), Arc::new(AtomicBool::new(false)));
    let saved = Arc::<Mutex<Vec<_>>>::default();
    let (broken, list) = (is_full.clone(), saved.clone());
    let saving = SavePolicy {
        chunks: Some(SavedChunks::Dirty),
        autosave: Some(autosave),
        ..SavePolicy::default()
    };
    let plugin = ChunkStreamingPlugin::new(grid(), generator(), spawner())
        .with_config(StreamingConfig { saving, ..config() })
        .with_save_hook(move |_, chunk| {
            let now = chunk_apply::Clock::now(&slow);
            slow.advance(SAVE);
            let mut list = list.lock().expect("no panic holds it");
            list.push((chunk.coord, chunk.reason, now));
            if broken.load(Ordering::Relaxed) {
                return Err("the disk is full".into());
            }
            Ok(())
        });
    let rig = Rig::build(clock, plugin);
    Autosave {
        rig,
        is_full,
        saved,
    }
}

impl Autosave {
    fn mark(&mut self, coord: ChunkCoord) {
        let world = self.rig.app.world_mut();
        world.resource_scope(|world, index: Mut<ChunkIndex<Pieces>>| {
            let mut stream = world.resource_mut::<ChunkStream<Pieces>>();
            assert!(stream.mark_dirty(&index, coord));
        });
    }

    fn mark_all(&mut self) -> usize {
        let coords: Vec<_> = self.rig.index().iter().map(|(coord, _)| coord).collect();
        coords.iter().for_each(|coord| self.mark(*coord));
        coords.len()
    }

    fn now(&self) -> Duration {
        chunk_apply::Clock::now(&self.rig.clock)
    }

    /// Frames for so long.
    fn run(&mut self, time: Duration) {
        let end = self.now() + time;
        while self.now() < end {
            self.rig.frame();
        }
    }

    /// What was saved since the last look.
    fn saved(&mut self) -> Vec<(ChunkCoord, SaveReason, Duration)> {
        core::mem::take(&mut *self.saved.lock().expect("no panic holds it"))
    }
}

#[test]
fn what_is_marked_at_once_is_saved_in_time_a_few_a_frame_and_stays() {
    let mut autosave = autosave(AUTOSAVE);
    autosave.rig.viewer(0, 0);
    autosave.rig.settle();
    let roots = autosave.rig.pieces();
    let start = autosave.now();
    assert_eq!(autosave.mark_all(), 29);
    autosave.run(AUTOSAVE);
    let saved = autosave.saved();
    assert_eq!((saved.len(), autosave.rig.stream().dirty()), (29, 0));
    for (_, reason, at) in &saved {
        assert_eq!(*reason, SaveReason::Autosave);
        let waited = *at - start;
        assert!(AUTOSAVE / 4 <= waited && waited <= AUTOSAVE, "{waited:?}");
    }
    let frames = saved.chunk_by(|one, two| two.2 - one.2 < FRAME / 2);
    let most = frames.map(<[_]>::len).max();
    assert!(most <= Some(3), "{most:?} in one frame");
    // Each once, and everything is there.
    autosave.run(2 * AUTOSAVE);
    assert_eq!((autosave.saved(), autosave.rig.pieces()), (vec![], roots));
    assert!(autosave.rig.stream().is_settled());
}

#[test]
fn a_chunk_that_is_edited_all_the_time_is_saved_again_and_again() {
    let mut autosave = autosave(AUTOSAVE);
    autosave.rig.viewer(0, 0);
    autosave.rig.settle();
    let end = autosave.now() + 10 * AUTOSAVE;
    while autosave.now() < end {
        autosave.mark(ChunkCoord::ORIGIN);
        autosave.rig.frame();
    }
    let saved = autosave.saved();
    assert!(
        (10..=40).contains(&saved.len()),
        "{} in ten times",
        saved.len()
    );
    let is_in_time = |two: &[(ChunkCoord, SaveReason, Duration)]| two[1].2 - two[0].2 <= AUTOSAVE;
    assert!(saved.windows(2).all(is_in_time));
}

#[test]
fn a_save_that_fails_is_tried_again_later_and_the_chunk_is_dirty_until_then() {
    let mut autosave = autosave(AUTOSAVE);
    autosave.rig.viewer(0, 0);
    autosave.rig.settle();
    autosave.is_full.store(true, Ordering::Relaxed);
    autosave.mark(ChunkCoord::ORIGIN);
    autosave.run(4 * AUTOSAVE);
    assert!(autosave.rig.stream().is_dirty(ChunkCoord::ORIGIN));
    let world = autosave.rig.app.world_mut();
    let mut messages = world.resource_mut::<Messages<ChunkSaveFailed<Pieces>>>();
    for failure in messages.drain() {
        assert_eq!(failure.reason, SaveReason::Autosave);
        assert!(failure.will_retry);
    }
    let times: Vec<Duration> = autosave.saved().into_iter().map(|saved| saved.2).collect();
    let waits: Vec<u64> = times
        .windows(2)
        .map(|two| (two[1] - two[0]).as_secs())
        .collect();
    assert_eq!(waits, [1, 2, 4, 8], "seconds");
    autosave.is_full.store(false, Ordering::Relaxed);
    autosave.run(Duration::from_secs(16));
    assert_eq!(autosave.saved().len(), 1);
    assert_eq!(autosave.rig.stream().dirty(), 0);
}

#[test]
fn a_chunk_that_leaves_before_its_time_is_saved_once() {
    let mut autosave = autosave(AUTOSAVE);
    let viewer = autosave.rig.viewer(0, 0);
    autosave.rig.settle();
    autosave.mark(ChunkCoord::ORIGIN);
    autosave.rig.move_to(viewer, 50, 0);
    autosave.run(2 * AUTOSAVE);
    let reasons: Vec<SaveReason> = autosave.saved().into_iter().map(|saved| saved.1).collect();
    assert_eq!(reasons, [SaveReason::Unloaded]);
}

#[test]
fn frames_that_have_no_time_to_unload_all_save_in_time_as_well() {
    let mut autosave = autosave(AUTOSAVE);
    autosave.rig.viewer(0, 0);
    let world = autosave.rig.app.world_mut();
    let far = ChunkViewer::with_range(ViewRange::disc(20, 20).expect("equal radii"));
    let far = world.spawn((far, middle_of(100, 0))).id();
    autosave.rig.settle();
    for (x, z) in (-2..=2).flat_map(|x| (-2..=2).map(move |z| (x, z))) {
        autosave.mark(ChunkCoord::planar(x, z));
    }
    autosave.rig.app.world_mut().despawn(far);
    autosave.rig.stream_mut().budget = ApplyBudget::time(Duration::ZERO);
    let start = autosave.now();
    autosave.run(AUTOSAVE + Duration::from_secs(1));
    let saved = autosave.saved();
    assert_eq!((saved.len(), autosave.rig.stream().dirty()), (25, 0));
    let latest = saved.iter().map(|saved| saved.2 - start).max();
    assert!(latest <= Some(AUTOSAVE + 20 * FRAME), "{latest:?}");
    assert!(autosave.rig.stream().unloading() > 0, "it still unloads");
}

#[test]
fn without_a_wait_a_dirty_chunk_is_saved_in_the_next_frame() {
    let mut autosave = autosave(Duration::ZERO);
    autosave.rig.viewer(0, 0);
    autosave.rig.settle();
    autosave.mark_all();
    autosave.rig.frame();
    assert_eq!(
        (autosave.saved().len(), autosave.rig.stream().dirty()),
        (29, 0)
    );
}
