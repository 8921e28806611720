//! What a stream cost in one frame of the app, however often its systems ran in it.

use crate::{
    budget::{ApplyBudget, ApplyReport, Changes, Downstream, FrameBudget},
    streaming::frame_meter::WholeFrame,
};
use chunk_scheduler::{DurationRecorder, DurationSummary};
use core::time::Duration;

/// Main-thread time of a stream in one frame of the app. Several runs of a schedule in the frame, as of `FixedUpdate`
/// when it catches up, are added; a schedule that did not run counts as zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "bevy_reflect", derive(bevy_reflect::Reflect))]
pub struct StreamingFrame {
    /// Finding out which chunks became wanted, and requesting them.
    pub scan: Duration,
    /// Handing over requests and noting failures. Where no other thread does, also generating.
    pub generate: Duration,
    /// All of the work on the `World`, and what it did. Its overshoot is by how much the whole frame, scanning and
    /// generating included, was longer than the budget, and that of [`Runtime::Inline`](chunk_scheduler::Runtime::Inline).
    pub apply: ApplyReport,
    /// Entities under roots that were hidden because their chunks left.
    pub hidden: usize,
    /// What a budget that [follows the frame](crate::FrameTarget) allowed, `downstream` included; zero where it rests. `None` with another.
    pub allowed: Option<Duration>,
    /// What these changes cost the rest of the frame (extraction, propagation, visibility, drawing), as it was learned from
    /// earlier frames. Only a budget that follows the frame counts it.
    pub downstream: Duration,
}

impl StreamingFrame {
    /// The sum of the three.
    #[must_use]
    pub fn main_thread(&self) -> Duration {
        self.scan + self.generate + self.apply.spent
    }

    /// The part of the whole frame that streaming caused, in the stream's own systems and later.
    #[must_use]
    pub fn caused(&self) -> Duration {
        self.main_thread().saturating_add(self.downstream)
    }

    /// What is left of a frame's budget of time and chunks. What generating inline has left of its own budget is added. What it
    /// took more is not subtracted: generators that take long must not stop what they made from being shown.
    fn left_of(&self, budget: &ApplyBudget, inline: Option<Duration>) -> ApplyBudget {
        let generate = inline.map_or(self.generate, |inline| self.generate.min(inline));
        let spent = self.scan + generate + self.apply.spent;
        let done = (self.apply.applied + self.apply.failed).max(self.apply.unloaded);
        let done = u32::try_from(done).unwrap_or(u32::MAX);
        ApplyBudget {
            time: whole(budget, inline).map(|time| time.saturating_sub(spent)),
            chunks: budget.chunks.map(|chunks| chunks.saturating_sub(done)),
            ..*budget
        }
    }

    /// Adds one run of applying to the frame.
    fn add(&mut self, report: ApplyReport, budget: &ApplyBudget, inline: Option<Duration>) {
        self.apply += report;
        let over = |time| self.main_thread().saturating_sub(time);
        self.apply.overshoot = whole(budget, inline).map_or(Duration::ZERO, over);
    }
}

/// No less than zero and no more than a duration can be.
fn nanoseconds(nanos: f64) -> Duration {
    Duration::try_from_secs_f64(nanos / 1e9).unwrap_or(Duration::MAX)
}

/// The main-thread time of a frame: the budget, and that of generating inline.
fn whole(budget: &ApplyBudget, inline: Option<Duration>) -> Option<Duration> {
    let inline = inline.unwrap_or_default();
    budget.time.map(|time| time.saturating_add(inline))
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
    /// Chunks that waited for their gates for longer than [`gate_patience`](crate::StreamingConfig::gate_patience).
    pub late_gates: u64,
    /// Panics of observers and hooks that were caught while chunks were spawned, shown and despawned. A spawner's panic is
    /// a failure of its chunk, and a save hook's one of `save_failures`.
    pub panics: u64,
}

/// Later in the frame Bevy tells each entity under a root that it is hidden, which takes so many nanoseconds at least.
const LEAST_OF_HIDING: f64 = 25.0;

/// The current frame, or the last one, and how long all before it took.
#[derive(Debug, Default)]
pub(in crate::streaming) struct Frames {
    pub(in crate::streaming) now: StreamingFrame,
    // On the heap, because a resource is moved out of the `World` and back in each frame.
    recorders: Box<Recorders>,
    following: Box<FrameBudget>,
    /// What the stream took and changed in the frame before.
    before: (Duration, Changes),
    /// Whether something was done to the `World`.
    has_advanced: bool,
    /// Whether nothing is to be done to it.
    rests: bool,
    /// Whether the app runs `First`, where frames begin. If it does not, each run of applying ends a frame.
    are_announced: bool,
    has_ended: bool,
}

/// Of all frames in which something was done to the `World`, or which were longer than the budget.
#[derive(Debug, Default)]
struct Recorders {
    spent: DurationRecorder,
    overshoot: DurationRecorder,
}

impl Frames {
    /// The app has begun a frame, and this is the latest of which all work is done.
    pub(in crate::streaming) fn begin(&mut self, latest: Option<WholeFrame>, budget: &ApplyBudget) {
        let changes = Changes {
            spawned: self.now.apply.spawned,
            despawned: self.now.apply.despawned,
            hidden: self.now.hidden,
        };
        let now = (self.now.main_thread(), changes);
        let before = core::mem::replace(&mut self.before, now);
        if let Some(whole) = latest {
            let (streaming, changes) = if whole.is_pipelined() { before } else { now };
            let (busy, rest) = (whole.busy(), whole.without(streaming));
            let target = budget.frame.unwrap_or_default();
            self.following.observe(&target, busy, rest, changes);
        }
        self.following.end_frame(changes != Changes::default());
        let allowed = (budget.frame).map(|target| self.following.allowance(&target, budget.time));
        self.are_announced = true;
        self.next();
        self.rests = allowed == Some(None);
        self.now.allowed = allowed.map(Option::unwrap_or_default);
    }

    /// The limits of this frame.
    pub(in crate::streaming) fn budget(&self, budget: &ApplyBudget) -> ApplyBudget {
        ApplyBudget {
            time: self.now.allowed.or(budget.time),
            ..*budget
        }
    }

    /// What is left of this frame's limits.
    pub(in crate::streaming) fn left_of(
        &self,
        budget: &ApplyBudget,
        inline: Option<Duration>,
    ) -> ApplyBudget {
        let left = self.now.left_of(&self.budget(budget), inline);
        let later = match self.now.allowed {
            Some(_) => self.now.downstream,
            None => nanoseconds(self.now.hidden as f64 * LEAST_OF_HIDING),
        };
        ApplyBudget {
            time: match self.rests {
                true => Some(Duration::ZERO),
                false => left.time.map(|time| time.saturating_sub(later)),
            },
            ..left
        }
    }

    /// What entities cost the rest of the frame, where the budget follows that.
    pub(in crate::streaming) fn downstream(&self) -> Downstream {
        let costs = self.now.allowed.map(|_| self.following.downstream());
        costs.unwrap_or_default()
    }

    /// What hiding costs for each entity under a root, in nanoseconds.
    pub(in crate::streaming) fn cost_of_hiding(&self) -> f64 {
        self.downstream().hidden.max(LEAST_OF_HIDING)
    }

    /// So many entities are hidden.
    pub(in crate::streaming) fn hid(&mut self, entities: usize) {
        self.now.hidden += entities;
        let nanos_each = self.following.downstream().hidden.max(LEAST_OF_HIDING);
        self.charge(nanoseconds(entities as f64 * nanos_each));
    }

    fn charge(&mut self, cost: Duration) {
        self.now.downstream = self.now.downstream.saturating_add(cost);
    }

    /// One of the stream's systems runs.
    pub(in crate::streaming) fn resume(&mut self) {
        if core::mem::take(&mut self.has_ended) {
            self.next();
        }
    }

    /// One run of work on the `World`.
    pub(in crate::streaming) fn worked(
        &mut self,
        report: ApplyReport,
        has_advanced: bool,
        budget: &ApplyBudget,
        inline: Option<Duration>,
    ) {
        let changes = Changes {
            spawned: report.spawned,
            despawned: report.despawned,
            hidden: 0,
        };
        self.charge(self.following.downstream().of(changes));
        let budget = ApplyBudget {
            // What is done though it rests, such as looking for chunks, is not over the limit of what it may do to the `World`.
            time: self.budget(budget).time.filter(|_| !self.rests),
            ..*budget
        };
        self.now.add(report, &budget, inline);
        self.has_advanced |= has_advanced;
    }

    /// Whether something is to be done to the `World` in this frame however little time is left.
    pub(in crate::streaming) fn owes_a_slice(&self) -> bool {
        !self.has_advanced && !self.rests
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
        let has_advanced = core::mem::take(&mut self.has_advanced);
        if has_advanced || !self.now.apply.overshoot.is_zero() {
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
        frame.add(report, &budget, None);
        let left = frame.left_of(&budget, None);
        assert_eq!(left.time, Some(Duration::from_micros(300)));
        assert_eq!(left.chunks, Some(1));
        frame.add(report, &budget, None);
        assert_eq!(frame.apply.applied, 4);
        assert_eq!(frame.apply.overshoot, Duration::from_micros(200));
        assert_eq!(frame.left_of(&budget, None).chunks, Some(0));
    }

    #[test]
    fn generating_inline_gives_what_it_leaves_and_takes_no_more_than_its_own() {
        let left = |scan, generate| {
            let frame = StreamingFrame {
                scan: Duration::from_millis(scan),
                generate: Duration::from_millis(generate),
                ..StreamingFrame::default()
            };
            let budget = ApplyBudget::time(Duration::from_millis(2));
            let left = frame.left_of(&budget, Some(Duration::from_millis(4)));
            left.time.map(|time| time.as_millis())
        };
        assert_eq!(
            [left(0, 0), left(0, 1), left(0, 4)],
            [Some(6), Some(5), Some(2)]
        );
        assert_eq!([left(1, 50), left(3, 50)], [Some(1), Some(0)]);
    }

    #[test]
    fn what_entities_cost_later_in_the_frame_is_learned_and_counts_only_where_the_budget_follows_it()
     {
        let mut frames = Frames::default();
        let fixed = ApplyBudget::time(Duration::from_millis(2));
        let mut play = |budget: &ApplyBudget, spawned: usize| {
            let rest = Duration::from_millis(5) + Duration::from_nanos(1_300) * spawned as u32;
            let report = ApplyReport {
                spawned,
                ..ApplyReport::default()
            };
            frames.worked(report, true, budget, None);
            let (caused, left) = (frames.now.caused(), frames.left_of(budget, None).time);
            let whole = WholeFrame {
                main: rest,
                ..WholeFrame::default()
            };
            frames.begin(Some(whole), budget);
            (caused, left)
        };
        for nth in 0..200 {
            play(&fixed, nth % 2 * 1_000);
        }
        let (caused, left) = play(&fixed, 1_000);
        assert!((1_250..1_400).contains(&caused.as_micros()), "{caused:?}");
        assert_eq!(left, fixed.time);
        let following = ApplyBudget::following(crate::FrameTarget::default());
        play(&following, 0);
        let (caused, left) = play(&following, 1_000);
        assert_eq!(left, following.time.map(|time| time - caused));
    }

    #[test]
    fn without_an_app_that_announces_frames_each_run_is_one() {
        let mut frames = Frames::default();
        frames.now.scan = Duration::from_micros(1);
        frames.applied();
        frames.resume();
        assert_eq!(frames.now, StreamingFrame::default());
        frames.begin(None, &ApplyBudget::DEFAULT);
        frames.now.scan = Duration::from_micros(1);
        frames.applied();
        frames.resume();
        assert_eq!(frames.now.scan, Duration::from_micros(1));
    }

    #[test]
    fn runs_of_one_frame_count_as_one_and_frames_without_work_as_none() {
        let mut frames = Frames::default();
        frames.begin(None, &ApplyBudget::DEFAULT);
        let report = ApplyReport {
            spent: Duration::from_micros(300),
            ..ApplyReport::default()
        };
        let budget = ApplyBudget::time(Duration::from_micros(500));
        frames.worked(report, true, &budget, None);
        assert!(!frames.owes_a_slice());
        frames.worked(report, false, &budget, None);
        for _ in 0..3 {
            frames.begin(None, &ApplyBudget::DEFAULT);
            assert!(frames.owes_a_slice());
            // Chunks are on their way, and none has arrived.
            let report = ApplyReport::default();
            frames.worked(report, false, &budget, None);
        }
        let (spent, overshoot) = (frames.apply_times(), frames.overshoots());
        assert_eq!((spent.count, overshoot.count), (1, 1));
        assert_eq!(spent.max, Duration::from_micros(600));
        assert_eq!(overshoot.max, Duration::from_micros(100));
    }
}
