//! What happened in a run, noted frame by frame and held against what should have.

use std::time::Duration;

use ahash::{AHashMap, AHashSet};
use bevy_ecs::message::{MessageCursor, Messages};
use bevy_ecs::world::World;
use bevy_math::Vec3;
use chunk_apply::{ChunkFailed, ChunkIndex, ChunkLoaded, ChunkStream, ChunkUnloaded};
use chunk_coord::ChunkCoord;
use hdrhistogram::Histogram;

use crate::faults::{Fate, Faults};
use crate::oracle::{Move, Oracle, Sight};
use crate::recorder::{Recorder, histogram};
use crate::settings::Settings;
use crate::settings_error::SettingsError;

/// What happened in a run, beyond the figures of its report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Witnessed {
    /// The first frame in which every chunk within the load radius of a viewer was there.
    pub filled_in_frame: Option<u64>,
    /// Chunks that became visible after that frame.
    pub applied_after_filled: u64,
    /// The frame in which the world had warmed up: every chunk near a viewer was there, or as many seconds had passed
    /// as there are viewers. "Near" is within 6 chunks, or half the radius if that is less.
    pub warm_in_frame: Option<u64>,
    /// Frames since then in which a chunk near a viewer was missing. Those that are meant to fail for ever do not count.
    pub frames_near_missing: u64,
    /// The most chunks that were within the load radius of a viewer at once.
    pub most_wanted: usize,
    /// The most chunks that were hidden and not yet despawned at once.
    pub most_unloading: usize,
    /// How often a chunk came to be wanted that no viewer had kept.
    pub entered: u64,
    /// Chunks that went away though a viewer looked at them.
    pub vanished: u64,
    /// Chunks that became visible though they were visible, without an edit.
    pub remade: u64,
    /// Chunks that are broken for ever and became visible.
    pub broken_shown: u64,
    /// Chunks that were given up after fewer or more attempts than they should have had.
    pub wrong_attempts: u64,
    /// Chunks that were given up although a later attempt would have succeeded.
    pub sound_given_up: u64,
    /// Times that a viewer went somewhere from where it saw nothing of what it had seen.
    pub leaps: u64,
    /// How many of those happened before everything was there, though the budget had not been used up.
    pub leaps_unfilled: u64,
    /// Edits that were accepted.
    pub edits: u64,
    /// Edits whose result became visible; an edit that another one replaced has none.
    pub edits_shown: u64,
    /// Chunks that became visible before an older edit, though they were wanted a tenth of a second after it.
    pub edits_overtaken: u64,
    /// The 99th percentile of the frames from an edit to its result.
    pub edit_frames_p99: u64,
}

/// Reads what the stream tells its users, and asks the oracle.
pub(crate) struct Witness<T: Send + Sync + 'static> {
    oracle: Oracle,
    sight: Sight,
    faults: Faults,
    seed: u64,
    attempts: u32,
    warm_up: u64,
    loaded: MessageCursor<ChunkLoaded<T>>,
    unloaded: MessageCursor<ChunkUnloaded<T>>,
    failed: MessageCursor<ChunkFailed<T>>,
    shown: AHashSet<ChunkCoord>,
    /// Edits without a result, and the frames in which they were made.
    edits: AHashMap<ChunkCoord, u64>,
    edit_frames: Histogram<u64>,
    /// Frames since the last leap, and those of them that used up their budget.
    since_leap: (u64, u64),
    has_moved: bool,
    loaded_before: usize,
    witnessed: Witnessed,
}

/// An edit may be this many frames behind a chunk that was wanted later: one worker can be slower than another.
const SLACK: u64 = 6;

impl<T: Send + Sync + 'static> Witness<T> {
    pub(crate) fn new(settings: &Settings, faults: Faults) -> Result<Self, SettingsError> {
        Ok(Self {
            oracle: Oracle::new(settings, faults)?,
            sight: Sight::default(),
            faults,
            seed: settings.seed,
            attempts: settings.scheduler().retry.max_attempts,
            warm_up: u64::from(Settings::FRAMES_PER_SECOND) * u64::from(settings.viewers.max(1)),
            loaded: MessageCursor::default(),
            unloaded: MessageCursor::default(),
            failed: MessageCursor::default(),
            shown: AHashSet::new(),
            edits: AHashMap::new(),
            edit_frames: histogram(),
            since_leap: (0, 0),
            has_moved: false,
            loaded_before: 0,
            witnessed: Witnessed::default(),
        })
    }

    pub(crate) fn witnessed(&self) -> Witnessed {
        Witnessed {
            entered: self.oracle.entered(),
            edit_frames_p99: self.edit_frames.value_at_quantile(0.99),
            ..self.witnessed
        }
    }

    /// The viewers are here in the frame that is about to be played.
    pub(crate) fn see(
        &mut self,
        positions: impl Iterator<Item = Vec3>,
        frame: u64,
        now: Duration,
        index: &ChunkIndex<T>,
    ) {
        let is_there = |coord| index.contains(coord);
        let motion = self.oracle.see(positions, frame, now, is_there);
        self.has_moved = motion != Move::None;
        if motion == Move::Leap {
            let (frames, used_up) = core::mem::take(&mut self.since_leap);
            let is_unfilled = self.sight.present < self.sight.demanded;
            // Whoever gives no more time cannot have more.
            let had_time = used_up * 5 < frames * 4;
            self.witnessed.leaps += 1;
            self.witnessed.leaps_unfilled += u64::from(is_unfilled && had_time);
        }
    }

    /// Somebody asked for a chunk anew.
    pub(crate) fn edited(&mut self, coord: ChunkCoord, frame: u64) {
        self.witnessed.edits += 1;
        self.edits.insert(coord, frame);
    }

    /// A frame was played.
    pub(crate) fn note(
        &mut self,
        world: &World,
        frame: u64,
        now: Duration,
        recorder: &mut Recorder,
    ) {
        let shown = self.read(world, frame);
        let index = world.resource::<ChunkIndex<T>>();
        let stream = world.resource::<ChunkStream<T>>();
        let has_changed = self.has_moved || shown > 0 || self.loaded_before != index.len();
        self.loaded_before = index.len();
        if has_changed {
            let is_there = |coord| index.contains(coord);
            let latency = |latency| recorder.latency(latency);
            self.sight = self.oracle.look(now, is_there, latency);
            self.witnessed.vanished += self.sight.vanished as u64;
        }
        let Sight {
            demanded,
            present,
            near_missing,
            ..
        } = self.sight;
        recorder.coverage(present, demanded);
        let is_over = |budget| stream.last_frame().main_thread() * 10 >= budget * 9;
        let applied = stream.last_frame().apply.applied;
        let is_used_up = stream.budget.time.is_some_and(is_over)
            || (stream.budget.chunks).is_some_and(|most| applied >= most as usize);
        self.since_leap.0 += 1;
        self.since_leap.1 += u64::from(is_used_up);

        let witnessed = &mut self.witnessed;
        witnessed.most_wanted = witnessed.most_wanted.max(demanded);
        witnessed.most_unloading = witnessed.most_unloading.max(stream.unloading());
        if witnessed.filled_in_frame.is_some() {
            witnessed.applied_after_filled += shown;
        } else if demanded > 0 && present == demanded {
            witnessed.filled_in_frame = Some(frame);
        }
        let is_warm = demanded > 0 && (near_missing == 0 || frame >= self.warm_up);
        if witnessed.warm_in_frame.is_none() && is_warm {
            witnessed.warm_in_frame = Some(frame);
        }
        let is_missing = witnessed.warm_in_frame.is_some() && near_missing > 0;
        witnessed.frames_near_missing += u64::from(is_missing);
    }

    /// Reads what the stream told in a frame. Returns how many chunks became visible.
    pub(crate) fn read(&mut self, world: &World, frame: u64) -> u64 {
        for unloaded in self
            .unloaded
            .read(world.resource::<Messages<ChunkUnloaded<T>>>())
        {
            self.shown.remove(&unloaded.coord);
            self.edits.remove(&unloaded.coord);
        }
        let fate = |coord| self.faults.fate(self.seed, coord);
        let witnessed = &mut self.witnessed;
        for failed in self
            .failed
            .read(world.resource::<Messages<ChunkFailed<T>>>())
        {
            if !failed.will_retry {
                self.edits.remove(&failed.coord);
                match fate(failed.coord) {
                    Fate::Broken => {
                        let is_wrong = failed.attempts != self.attempts;
                        witnessed.wrong_attempts += u64::from(is_wrong);
                    }
                    Fate::Recovers => witnessed.sound_given_up += 1,
                    // The workload fails of its own accord, which is its own affair.
                    Fate::Sound | Fate::Slow => {}
                }
            }
        }
        let mut loads = Vec::new();
        let mut count = 0;
        for loaded in self
            .loaded
            .read(world.resource::<Messages<ChunkLoaded<T>>>())
        {
            let coord = loaded.coord;
            count += 1;
            witnessed.broken_shown += u64::from(fate(coord) == Fate::Broken);
            let was_shown = !self.shown.insert(coord);
            if let Some(edited_in) = self.edits.remove(&coord) {
                witnessed.edits_shown += 1;
                // No run has as many frames as the histogram takes.
                let _ = self.edit_frames.record(frame.saturating_sub(edited_in));
            } else {
                witnessed.remade += u64::from(was_shown);
                loads.push(coord);
            }
        }
        if let Some(oldest) = self.edits.values().min() {
            let is_later = |coord: &ChunkCoord| {
                (self.oracle.demanded_in(*coord)).is_some_and(|frame| frame > oldest + SLACK)
            };
            witnessed.edits_overtaken +=
                loads.iter().filter(|coord| is_later(coord)).count() as u64;
        }
        count
    }
}
