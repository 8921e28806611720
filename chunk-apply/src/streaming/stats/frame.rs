//! What a stream cost in one frame of the app, however often its systems ran in it.

use crate::budget::{ApplyBudget, ApplyReport};
use chunk_scheduler::{DurationRecorder, DurationSummary};
use core::time::Duration;

/// Main-thread time of a stream in one frame of the app. Several runs of a schedule in the frame, as of `FixedUpdate`
/// when it catches up, are added; a schedule that did not run counts as zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "bevy_reflect", derive(bevy_reflect::Reflect))]
pub struct StreamingFrame {
    /// Finding out which chunks became wanted, and requesting them.
    pub scan: Duration,
    /// Handing over requests and noting failures.
    pub generate: Duration,
    /// All of the work on the `World`, and what it did. Its overshoot is by how much the whole frame, scanning and
    /// generating included, was longer than the budget.
    pub apply: ApplyReport,
}

impl StreamingFrame {
    /// The sum of the three.
    #[must_use]
    pub fn main_thread(&self) -> Duration {
        self.scan + self.generate + self.apply.spent
    }

    /// What is left of a frame's budget.
    pub(in crate::streaming) fn left_of(&self, budget: &ApplyBudget) -> ApplyBudget {
        let done = (self.apply.applied + self.apply.failed).max(self.apply.unloaded);
        let done = u32::try_from(done).unwrap_or(u32::MAX);
        ApplyBudget {
            time: (budget.time).map(|time| time.saturating_sub(self.main_thread())),
            chunks: budget.chunks.map(|chunks| chunks.saturating_sub(done)),
            ..*budget
        }
    }

    /// Adds one run of applying to the frame.
    fn add(&mut self, report: ApplyReport, budget: &ApplyBudget) {
        self.apply += report;
        let over = |time| self.main_thread().saturating_sub(time);
        self.apply.overshoot = budget.time.map_or(Duration::ZERO, over);
    }
}

/// Sums since the stream was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "bevy_reflect", derive(bevy_reflect::Reflect))]
pub struct StreamingTotals {
    /// Chunks whose last entity is gone.
    pub unloaded: u64,
    /// Entities spawned below roots.
    pub spawned: u64,
    /// Entities despawned below roots.
    pub despawned: u64,
    /// Viewer positions that were ignored because they have no chunk.
    pub invalid_positions: u64,
    /// Viewer ranges that were cut to the viewer's own layer, because they do not fit the planar grid; counted for each
    /// viewer in each scan.
    pub invalid_ranges: u64,
    /// Chunks that stopped being wanted before anything of them was shown.
    pub missed: u64,
    /// Calls of the save hook that succeeded.
    pub saved: u64,
    /// Calls of the save hook that failed.
    pub save_failures: u64,
    /// Panics of observers and hooks that were caught while chunks were spawned, shown and despawned. A spawner's panic is
    /// a failure of its chunk, and a save hook's one of `save_failures`.
    pub panics: u64,
}

/// The current frame, or the last one, and how long all before it took.
#[derive(Debug, Default)]
pub(in crate::streaming) struct Frames {
    pub(in crate::streaming) now: StreamingFrame,
    // On the heap, because a resource is moved out of the `World` and back in each frame.
    recorders: Box<Recorders>,
    /// Whether there was any work on the `World`.
    has_worked: bool,
    /// Whether the app runs `First`, where frames begin. If it does not, each run of applying ends a frame.
    are_announced: bool,
    has_ended: bool,
}

/// Of all frames with work on the `World`.
#[derive(Debug, Default)]
struct Recorders {
    spent: DurationRecorder,
    overshoot: DurationRecorder,
}

impl Frames {
    /// The app has begun a frame.
    pub(in crate::streaming) fn begin(&mut self) {
        self.are_announced = true;
        self.next();
    }

    /// One of the stream's systems runs.
    pub(in crate::streaming) fn resume(&mut self) {
        if core::mem::take(&mut self.has_ended) {
            self.next();
        }
    }

    /// One run of work on the `World`.
    pub(in crate::streaming) fn worked(&mut self, report: ApplyReport, budget: &ApplyBudget) {
        self.now.add(report, budget);
        self.has_worked = true;
    }

    /// The system that applies has run.
    pub(in crate::streaming) fn applied(&mut self) {
        self.has_ended = !self.are_announced;
    }

    /// How long the work on the `World` took.
    pub(in crate::streaming) fn apply_times(&self) -> DurationSummary {
        self.recorders.spent.summary()
    }

    /// How far frames went over the budget.
    pub(in crate::streaming) fn overshoots(&self) -> DurationSummary {
        self.recorders.overshoot.summary()
    }

    fn next(&mut self) {
        if core::mem::take(&mut self.has_worked) {
            self.recorders.spent.record(self.now.apply.spent);
            self.recorders.overshoot.record(self.now.apply.overshoot);
        }
        self.now = StreamingFrame::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_one_frame_share_its_budget() {
        let mut frame = StreamingFrame {
            scan: Duration::from_micros(200),
            ..StreamingFrame::default()
        };
        let budget = ApplyBudget {
            chunks: Some(3),
            ..ApplyBudget::time(Duration::from_micros(1_000))
        };
        let report = ApplyReport {
            applied: 2,
            spent: Duration::from_micros(500),
            ..ApplyReport::default()
        };
        frame.add(report, &budget);
        let left = frame.left_of(&budget);
        assert_eq!(left.time, Some(Duration::from_micros(300)));
        assert_eq!(left.chunks, Some(1));
        frame.add(report, &budget);
        assert_eq!(frame.apply.applied, 4);
        assert_eq!(frame.apply.overshoot, Duration::from_micros(200));
        assert_eq!(frame.left_of(&budget).chunks, Some(0));
    }

    #[test]
    fn without_an_app_that_announces_frames_each_run_is_one() {
        let mut frames = Frames::default();
        frames.now.scan = Duration::from_micros(1);
        frames.applied();
        frames.resume();
        assert_eq!(frames.now, StreamingFrame::default());
        frames.begin();
        frames.now.scan = Duration::from_micros(1);
        frames.applied();
        frames.resume();
        assert_eq!(frames.now.scan, Duration::from_micros(1));
    }

    #[test]
    fn runs_of_one_frame_count_as_one_and_frames_without_work_as_none() {
        let mut frames = Frames::default();
        frames.begin();
        let report = ApplyReport {
            spent: Duration::from_micros(300),
            ..ApplyReport::default()
        };
        let budget = ApplyBudget::time(Duration::from_micros(500));
        frames.worked(report, &budget);
        frames.worked(report, &budget);
        for _ in 0..3 {
            frames.begin();
        }
        let (spent, overshoot) = (frames.apply_times(), frames.overshoots());
        assert_eq!((spent.count, overshoot.count), (1, 1));
        assert_eq!(spent.max, Duration::from_micros(600));
        assert_eq!(overshoot.max, Duration::from_micros(100));
    }
}
