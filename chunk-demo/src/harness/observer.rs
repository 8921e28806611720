//! Observes a run from outside of the stream, and compares what it does with what the oracle says.

use std::time::Duration;

use ahash::{AHashMap, AHashSet};
use bevy_ecs::message::{Message, MessageCursor, Messages};
use bevy_ecs::world::World;
use bevy_math::Vec3;
use chunk_apply::{ChunkFailed, ChunkIndex, ChunkLoaded, ChunkStream, ChunkUnloaded, Verdict};
use chunk_coord::ChunkCoord;
use hdrhistogram::Histogram;

use super::faults::{Fate, Faults};
use super::oracle::{Coverage, Move, Oracle};
use super::outcome::Observed;
use super::recorder::{Recorder, histogram};
use super::settings::{Settings, SettingsError};

/// Reads the stream's messages and the index of loaded chunks, frame by frame.
pub(super) struct Observer<T: Send + Sync + 'static> {
    oracle: Oracle,
    coverage: Coverage,
    faults: Faults,
    seed: u64,
    max_attempts: u32,
    /// The frame that ends the warm-up at the latest.
    warm_up: u64,
    loaded: MessageCursor<ChunkLoaded<T>>,
    unloaded: MessageCursor<ChunkUnloaded<T>>,
    failed: MessageCursor<ChunkFailed<T>>,
    has_levels: bool,
    given_up: AHashSet<ChunkCoord>,
    /// The level of each chunk that is visible.
    visible: AHashMap<ChunkCoord, u8>,
    /// Of each chunk with edits that are not visible the first and the last of them.
    edits: AHashMap<ChunkCoord, (Edit, Edit)>,
    edit_frames: Histogram<u64>,
    since_leap: SinceLeap,
    has_moved: bool,
    loaded_before: usize,
    observed: Observed,
}

/// An edit that is not visible yet.
#[derive(Clone, Copy, Debug)]
struct Edit {
    /// The frame in which it was made.
    frame: u64,
    /// The version that is generated after it.
    version: u64,
}

/// What was used up since the last leap.
#[derive(Clone, Copy, Debug, Default)]
struct SinceLeap {
    frames: u64,
    /// Frames that used up their budget.
    spent_frames: u64,
    began: Duration,
    /// How long all generators had run by then.
    generated: Duration,
}

impl SinceLeap {
    /// Whether four fifths of the frames or of the threads' time went into loading, so that more could not be loaded.
    fn is_used_up(self, now: Duration, generated: Duration, threads: usize) -> bool {
        let had = now.saturating_sub(self.began).as_secs_f64() * threads as f64;
        let ran = generated.saturating_sub(self.generated).as_secs_f64();
        self.spent_frames * 5 >= self.frames * 4 || ran >= 0.8 * had
    }
}

/// An edit may become visible this many frames after a chunk that became wanted later: workers differ in speed.
const EDIT_SLACK: u64 = 6;

impl<T: Send + Sync + 'static> Observer<T> {
    pub(super) fn new(
        settings: &Settings,
        faults: Faults,
        has_levels: bool,
    ) -> Result<Self, SettingsError> {
        Ok(Self {
            oracle: Oracle::new(settings, faults)?,
            coverage: Coverage::default(),
            faults,
            seed: settings.seed,
            max_attempts: settings.scheduler().retry.max_attempts,
            warm_up: u64::from(Settings::FRAMES_PER_SECOND) * u64::from(settings.viewers.max(1)),
            loaded: MessageCursor::default(),
            unloaded: MessageCursor::default(),
            failed: MessageCursor::default(),
            has_levels,
            given_up: AHashSet::new(),
            visible: AHashMap::new(),
            edits: AHashMap::new(),
            edit_frames: histogram(),
            since_leap: SinceLeap::default(),
            has_moved: false,
            loaded_before: 0,
            observed: Observed::default(),
        })
    }

    pub(super) fn observed(&self) -> Observed {
        Observed {
            has_levels: self.has_levels,
            entered: self.oracle.entered(),
            edit_frames_p99: self.edit_frames.value_at_quantile(0.99),
            ..self.observed
        }
    }

    /// The level of detail that a visible chunk was made at, by the stream's messages.
    pub(super) fn level(&self, coord: ChunkCoord) -> u8 {
        self.visible.get(&coord).copied().unwrap_or(0)
    }

    /// The viewers are at these positions in the frame that is about to be played.
    pub(super) fn viewers_moved(
        &mut self,
        positions: impl Iterator<Item = Vec3>,
        frame: u64,
        now: Duration,
        world: &World,
    ) {
        let index = world.resource::<ChunkIndex<T>>();
        let is_loaded = |coord| index.contains(coord);
        let movement = self.oracle.move_viewers(positions, frame, now, is_loaded);
        self.has_moved = movement != Move::None;
        if movement == Move::Leap {
            let scheduler = world.resource::<ChunkStream<T>>().scheduler();
            let threads = scheduler.pool_threads().min(scheduler.max_in_flight());
            let times = scheduler.generation_times();
            let generated = times.mean.mul_f64(times.count as f64);
            let is_unfilled = self.coverage.loaded < self.coverage.wanted;
            let is_used_up = self.since_leap.is_used_up(now, generated, threads);
            self.observed.leaps += 1;
            self.observed.leaps_unfilled += u64::from(is_unfilled && !is_used_up);
            self.since_leap = SinceLeap {
                began: now,
                generated,
                ..SinceLeap::default()
            };
        }
    }

    /// A chunk was edited before this frame, and `version` is generated after that.
    pub(super) fn edited(&mut self, coord: ChunkCoord, frame: u64, version: u64) {
        self.observed.edits += 1;
        let edit = Edit { frame, version };
        self.edits.entry(coord).or_insert((edit, edit)).1 = edit;
    }

    /// A frame of the scenario was played.
    pub(super) fn frame_played(
        &mut self,
        world: &World,
        frame: u64,
        now: Duration,
        recorder: &mut Recorder,
    ) {
        let shown = self.read_messages(world, frame);
        let index = world.resource::<ChunkIndex<T>>();
        let stream = world.resource::<ChunkStream<T>>();
        let has_changed = self.has_moved || shown > 0 || self.loaded_before != index.len();
        self.loaded_before = index.len();
        if has_changed {
            let is_loaded = |coord| index.contains(coord);
            let latency = |latency| recorder.latency(latency);
            self.coverage = self.oracle.compare(now, is_loaded, latency);
            self.observed.vanished += self.coverage.vanished as u64;
        }
        let Coverage {
            wanted,
            loaded,
            near_missing,
            ..
        } = self.coverage;
        recorder.coverage(loaded, wanted);
        let is_over = |budget| stream.last_frame().main_thread() * 10 >= budget * 9;
        let applied = stream.last_frame().apply.applied;
        let is_used_up = stream.budget.time.is_some_and(is_over)
            || (stream.budget.chunks).is_some_and(|most| applied >= most as usize);
        self.since_leap.frames += 1;
        self.since_leap.spent_frames += u64::from(is_used_up);

        let observed = &mut self.observed;
        observed.most_wanted = observed.most_wanted.max(wanted);
        observed.most_unloading = observed.most_unloading.max(stream.unloading());
        if observed.filled_in_frame.is_some() {
            observed.applied_after_filled += shown;
        } else if wanted > 0 && loaded == wanted {
            observed.filled_in_frame = Some(frame);
        }
        let is_warm = observed.filled_in_frame.is_some() || wanted > 0 && frame >= self.warm_up;
        if observed.warm_in_frame.is_none() && is_warm {
            observed.warm_in_frame = Some(frame);
        }
        let is_missing = observed.warm_in_frame.is_some() && near_missing > 0;
        observed.frames_near_missing += u64::from(is_missing);
    }

    /// Reads the stream's messages of a frame. Returns how many chunks became visible.
    pub(super) fn read_messages(&mut self, world: &World, frame: u64) -> u64 {
        for unloaded in self.unloaded.read(messages(world)) {
            self.visible.remove(&unloaded.coord);
            self.edits.remove(&unloaded.coord);
        }
        let fate = |coord| self.faults.fate(self.seed, coord);
        let observed = &mut self.observed;
        let is_given_up = |failed: &&ChunkFailed<T>| {
            failed.verdict == Verdict::GaveUp && self.oracle.keeps(failed.coord)
        };
        for failed in self.failed.read(messages(world)).filter(is_given_up) {
            let was_edited = self.edits.remove(&failed.coord).is_some();
            // What stands or was given up before, and was not edited, is asked for again for another level alone.
            let is_again = !self.given_up.insert(failed.coord);
            let is_of_level = is_again || self.visible.contains_key(&failed.coord);
            let is_of_level = is_of_level && !was_edited && self.has_levels;
            observed.levels_failed += u64::from(is_of_level);
            match fate(failed.coord) {
                Fate::Broken => {
                    let is_wrong = failed.attempts != self.max_attempts;
                    observed.wrong_attempts += u64::from(is_wrong);
                }
                Fate::Recovers => observed.sound_given_up += 1,
                // The workload's own generator failed, of which nothing is expected.
                Fate::Sound | Fate::Slow => {}
            }
        }
        let mut loads = Vec::new();
        let mut count = 0;
        for loaded in self.loaded.read(messages(world)) {
            let coord = loaded.coord;
            count += 1;
            observed.broken_shown += u64::from(fate(coord) == Fate::Broken);
            let visible_before = self.visible.insert(coord, loaded.level);
            if let Some((first, last)) = self.edits.get_mut(&coord) {
                // A version that was already on its way is shown first.
                if loaded.version >= first.version {
                    observed.edits_shown += 1;
                    // No run has more frames than the histogram can hold.
                    let _ = self.edit_frames.record(frame.saturating_sub(first.frame));
                    *first = *last;
                }
                if loaded.version >= last.version {
                    self.edits.remove(&coord);
                }
            } else {
                match visible_before {
                    None => {}
                    // Its level changed and changed back before it was made anew.
                    Some(level) if level == loaded.level && self.has_levels => {
                        observed.levels_changed_back += 1;
                    }
                    Some(level) if level == loaded.level => observed.remade += 1,
                    Some(_) => observed.levels_changed += 1,
                }
                loads.push(coord);
            }
        }
        let first_edits = self.edits.values().map(|(first, _)| first.frame);
        if let Some(oldest_edit) = first_edits.min() {
            let is_later = |coord: &&ChunkCoord| {
                let since = self.oracle.wanted_since_frame(**coord);
                since.is_some_and(|frame| frame > oldest_edit + EDIT_SLACK)
            };
            observed.edits_overtaken += loads.iter().filter(is_later).count() as u64;
        }
        count
    }
}

fn messages<M: Message>(world: &World) -> &Messages<M> {
    world.resource::<Messages<M>>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leap_finds_the_time_used_up_by_frames_or_by_threads() {
        let ms = Duration::from_millis;
        let since = SinceLeap {
            frames: 30,
            spent_frames: 23,
            began: ms(1_000),
            generated: ms(300),
        };
        // Two threads for half a second, of which generators took just less than four fifths.
        assert!(!since.is_used_up(ms(1_500), ms(1_099), 2));
        assert!(since.is_used_up(ms(1_500), ms(1_100), 2));
        let spent = SinceLeap {
            spent_frames: 24,
            ..since
        };
        assert!(spent.is_used_up(ms(1_500), ms(300), 2));
    }
}
