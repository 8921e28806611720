//! What a stream cost in one frame of the app, however often its systems ran in it.

use super::{stream::ChunkStream, work::WorkTimes};
use crate::{budget::ApplyBudget, report::ApplyReport};
use bevy_ecs::{change_detection::DetectChangesMut, system::ResMut};
use core::time::Duration;

/// Main-thread time of a stream in one frame of the app. A schedule that ran several times in it,
/// such as `FixedUpdate` catching up, is added up; one that did not run is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "bevy_reflect", derive(bevy_reflect::Reflect))]
pub struct StreamingFrame {
    /// Finding out which chunks became wanted, and asking for them.
    pub scan: Duration,
    /// Handing over requests and noting failures.
    pub generate: Duration,
    /// All of the work on the `World`, and what it did. Its overshoot is by how much the whole
    /// frame, scanning and generating included, was longer than the budget.
    pub apply: ApplyReport,
}

impl StreamingFrame {
    /// The sum of the three.
    #[must_use]
    pub fn main_thread(&self) -> Duration {
        self.scan + self.generate + self.apply.spent
    }

    /// What is left of a frame's budget.
    pub(super) fn left_of(&self, budget: &ApplyBudget) -> ApplyBudget {
        let done = (self.apply.applied + self.apply.failed).max(self.apply.unloaded);
        let done = u32::try_from(done).unwrap_or(u32::MAX);
        ApplyBudget {
            time: (budget.time).map(|time| time.saturating_sub(self.main_thread())),
            chunks: budget.chunks.map(|chunks| chunks.saturating_sub(done)),
            ..*budget
        }
    }

    /// Adds one turn of applying to the frame.
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
    /// Chunks that stopped being wanted before anything of them was shown.
    pub missed: u64,
}

/// The frame that is under way, or was the last.
#[derive(Debug, Default)]
pub(super) struct Frames {
    pub(super) now: StreamingFrame,
    /// Of those before.
    pub(super) work: WorkTimes,
    /// Whether there was any work on the `World`.
    has_worked: bool,
    /// Whether the app says when a frame begins. If it runs our schedules alone, each turn of applying
    /// ends one.
    are_announced: bool,
    has_ended: bool,
}

impl Frames {
    /// The app has begun a frame.
    pub(super) fn begin(&mut self) {
        self.are_announced = true;
        self.next();
    }

    /// One of our systems runs.
    pub(super) fn go_on(&mut self) {
        if core::mem::take(&mut self.has_ended) {
            self.next();
        }
    }

    /// One turn of work on the `World`.
    pub(super) fn worked(&mut self, report: ApplyReport, budget: &ApplyBudget) {
        self.now.add(report, budget);
        self.has_worked = true;
    }

    /// Applying has had its turn.
    pub(super) fn applied(&mut self) {
        self.has_ended = !self.are_announced;
    }

    fn next(&mut self) {
        if core::mem::take(&mut self.has_worked) {
            self.work.frame(&self.now.apply);
        }
        self.now = StreamingFrame::default();
    }
}

/// The app begins a frame.
pub(super) fn begin_frame<T: Send + Sync + 'static>(stream: Option<ResMut<ChunkStream<T>>>) {
    if let Some(mut stream) = stream {
        stream.bypass_change_detection().parts.frames.begin();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_of_one_frame_share_its_budget() {
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
    fn without_an_app_that_announces_frames_each_turn_is_one() {
        let mut frames = Frames::default();
        frames.now.scan = Duration::from_micros(1);
        frames.applied();
        frames.go_on();
        assert_eq!(frames.now, StreamingFrame::default());
        frames.begin();
        frames.now.scan = Duration::from_micros(1);
        frames.applied();
        frames.go_on();
        assert_eq!(frames.now.scan, Duration::from_micros(1));
    }

    #[test]
    fn turns_of_one_frame_count_as_one_and_frames_without_work_as_none() {
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
        let (spent, overshoot) = (frames.work.spent(), frames.work.overshoot());
        assert_eq!((spent.count, overshoot.count), (1, 1));
        assert_eq!(spent.max, Duration::from_micros(600));
        assert_eq!(overshoot.max, Duration::from_micros(100));
    }
}
