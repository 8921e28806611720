//! The controller of the limit on jobs in flight, and what it reports.

use std::time::Duration;

use super::tick_time::TickTime;
use crate::config::{AdaptivePolicy, Concurrency, SchedulerConfig};

/// The limit on jobs in flight, and the last decision that changed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConcurrencyReport {
    /// The most jobs in flight now.
    pub limit: usize,
    /// How many threads the runtime has.
    pub pool_threads: usize,
    /// How often the controller raised the limit.
    pub raised: u64,
    /// How often the controller lowered the limit.
    pub lowered: u64,
    /// The latest decision, also where it kept the limit. `None` before the first one, and with
    /// [`Concurrency::Fixed`].
    pub latest: Option<ConcurrencyDecision>,
}

impl ConcurrencyReport {
    /// Whether more jobs may be in flight than there are threads. Generators that compute then wait for a thread.
    #[must_use]
    pub fn is_pool_bound(&self) -> bool {
        self.limit > self.pool_threads
    }
}

/// A decision of the controller, at the end of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConcurrencyDecision {
    /// The time of the tick that made it.
    pub at: Duration,
    /// The limit from that tick on.
    pub limit: usize,
    /// Why.
    pub reason: ConcurrencyReason,
}

/// Why a limit was raised, lowered or kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConcurrencyReason {
    /// Lowered unless it was the lowest, because too many frames of the interval were late.
    FramesLate,
    /// Lowered unless it was the lowest, because results pile up faster than they are applied.
    ResultsPileUp,
    /// Raised unless it was the highest, because jobs wait while every worker is busy.
    JobsWait,
    /// Kept, because none of the above holds.
    Idle,
}

/// What the controller observes at each tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pressure {
    pub(super) has_waiting_jobs: bool,
    pub(super) are_workers_busy: bool,
    /// How many results are ready and not applied.
    pub(super) unapplied: usize,
    /// The most such results.
    pub(super) room: usize,
}

#[derive(Debug)]
pub(super) struct Controller {
    policy: Option<AdaptivePolicy>,
    /// `None` before the first tick.
    interval: Option<Interval>,
    report: ConcurrencyReport,
    /// Whether generators wait, so that more of them than threads are of use.
    are_generators_async: bool,
    /// Whether the caller chose the limit. The default may be above the threads of a small machine.
    is_chosen: bool,
    /// Whether the pool could have more threads on this machine.
    lacks_threads: bool,
    has_reported_pool_limit: bool,
}

#[derive(Debug, Default)]
struct Interval {
    began: TickTime,
    ticks: u32,
    /// The ticks at which jobs waited while every worker was busy.
    busy: u32,
    /// The frames that the caller told of.
    frames: u32,
    late: u32,
    /// The results that were not applied when the interval began.
    unapplied: usize,
}

impl Controller {
    pub(super) fn new(
        config: &SchedulerConfig,
        threads: usize,
        are_generators_async: bool,
    ) -> Self {
        let (limit, policy, is_chosen) = match config.concurrency {
            Concurrency::Fixed => {
                let default = SchedulerConfig::default().max_in_flight;
                (config.max_in_flight, None, config.max_in_flight != default)
            }
            Concurrency::Adaptive(policy) => {
                let limit = threads.clamp(policy.min_in_flight, policy.max_in_flight);
                let default = AdaptivePolicy::default().max_in_flight;
                (limit, Some(policy), policy.max_in_flight != default)
            }
        };
        Self {
            policy,
            interval: None,
            report: ConcurrencyReport {
                limit,
                pool_threads: threads,
                raised: 0,
                lowered: 0,
                latest: None,
            },
            are_generators_async,
            is_chosen,
            lacks_threads: false,
            has_reported_pool_limit: false,
        }
    }

    /// The first tick: the number of threads is certain now. An adaptive limit starts from it unless the caller has set one.
    /// `lacks_threads` says whether a pool with more of them would help.
    pub(super) fn begin(&mut self, threads: usize, lacks_threads: bool) {
        self.lacks_threads = lacks_threads;
        let former = std::mem::replace(&mut self.report.pool_threads, threads);
        if let Some(policy) = self.policy {
            let start = |threads: usize| threads.clamp(policy.min_in_flight, policy.max_in_flight);
            if self.report.limit == start(former) {
                self.report.limit = start(threads);
            }
        }
    }

    /// Logs, once, that more jobs may be in flight than the pool has threads, where the user can do something about it: the
    /// generators compute, and the limit was chosen or the pool is smaller than it could be.
    pub(super) fn report_pool_limit(&mut self) {
        let can_help = self.is_chosen || self.lacks_threads;
        if self.has_reported_pool_limit || self.are_generators_async || !can_help {
            return;
        }
        if self.report.is_pool_bound() {
            self.has_reported_pool_limit = true;
            tracing::info!(
                in_flight = self.report.limit,
                threads = self.report.pool_threads,
                "more jobs may be in flight than the task pool has threads: generators that \
                 compute will wait for each other (see `recommended_pool_threads`)"
            );
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.report.limit
    }

    pub(super) fn set_limit(&mut self, limit: usize) {
        self.is_chosen = true;
        self.report.limit = match self.policy {
            Some(policy) => limit.clamp(policy.min_in_flight, policy.max_in_flight),
            None => limit,
        };
    }

    pub(super) fn is_adaptive(&self) -> bool {
        self.policy.is_some()
    }

    pub(super) fn report(&self) -> ConcurrencyReport {
        self.report
    }

    pub(super) fn observe(&mut self, now: TickTime, pressure: Pressure) {
        let Some(policy) = self.policy else { return };
        let Some(interval) = &mut self.interval else {
            self.interval = Some(Interval::new(now, pressure));
            return;
        };
        interval.ticks = interval.ticks.saturating_add(1);
        let is_busy = pressure.has_waiting_jobs && pressure.are_workers_busy;
        interval.busy = interval.busy.saturating_add(u32::from(is_busy));
        if now.since(interval.began) < policy.interval {
            return;
        }
        let reason = interval.reason(&policy, pressure);
        *interval = Interval::new(now, pressure);
        self.decide(now, &policy, reason);
    }

    /// Notes how long the work of a frame took.
    pub(super) fn frame_took(&mut self, time: Duration) {
        let (Some(policy), Some(interval)) = (self.policy, &mut self.interval) else {
            return;
        };
        // As floats, because the product of the longest duration and a factor is no duration.
        let most = policy.frame.as_secs_f32() * policy.late_factor;
        interval.frames = interval.frames.saturating_add(1);
        let is_late = time.as_secs_f32() > most;
        interval.late = interval.late.saturating_add(u32::from(is_late));
    }

    fn decide(&mut self, now: TickTime, policy: &AdaptivePolicy, reason: ConcurrencyReason) {
        let report = &mut self.report;
        let former = report.limit;
        report.limit = match reason {
            ConcurrencyReason::FramesLate | ConcurrencyReason::ResultsPileUp => {
                former.saturating_sub(1).max(policy.min_in_flight)
            }
            ConcurrencyReason::JobsWait => (former + 1).min(policy.max_in_flight),
            ConcurrencyReason::Idle => former,
        };
        let limit = report.limit;
        report.raised += u64::from(limit > former);
        report.lowered += u64::from(limit < former);
        report.latest = Some(ConcurrencyDecision {
            at: now.get(),
            limit,
            reason,
        });
        if limit != former {
            tracing::debug!(
                former,
                limit,
                ?reason,
                "changed the limit on jobs in flight"
            );
        }
    }
}

impl Interval {
    fn new(now: TickTime, pressure: Pressure) -> Self {
        Self {
            began: now,
            unapplied: pressure.unapplied,
            ..Self::default()
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "frames of one interval are few enough to be exact"
    )]
    fn reason(&self, policy: &AdaptivePolicy, pressure: Pressure) -> ConcurrencyReason {
        let late_fraction = self.late as f32 / self.frames.max(1) as f32;
        let is_piling_up =
            pressure.unapplied > self.unapplied && pressure.unapplied > pressure.room / 2;
        if self.late > 0 && late_fraction >= policy.late_fraction {
            ConcurrencyReason::FramesLate
        } else if is_piling_up {
            ConcurrencyReason::ResultsPileUp
        } else if self.busy > self.ticks / 2 {
            ConcurrencyReason::JobsWait
        } else {
            ConcurrencyReason::Idle
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(16);

    fn controller(threads: usize) -> Controller {
        let config = SchedulerConfig {
            concurrency: Concurrency::Adaptive(AdaptivePolicy::default()),
            ..SchedulerConfig::default()
        };
        Controller::new(&config, threads, false)
    }

    fn calm() -> Pressure {
        Pressure {
            has_waiting_jobs: false,
            are_workers_busy: false,
            unapplied: 0,
            room: 100,
        }
    }

    /// Two seconds of frames, which is eight decisions. Returns the time at the end.
    fn observe_frames(
        controller: &mut Controller,
        mut now: Duration,
        frame: impl Fn(usize) -> (Duration, Pressure),
    ) -> Duration {
        for number in 0..125 {
            now += FRAME;
            let (took, pressure) = frame(number);
            controller.frame_took(took);
            controller.observe(TickTime::new(now), pressure);
        }
        now
    }

    fn latest(controller: &Controller) -> Option<ConcurrencyReason> {
        controller.report().latest.map(|decision| decision.reason)
    }

    #[test]
    fn the_limit_starts_from_the_threads_of_the_pool_within_its_bounds() {
        assert_eq!(controller(0).limit(), 1);
        assert_eq!(controller(2).limit(), 2);
        assert_eq!(controller(64).limit(), 4);
    }

    #[test]
    fn an_adaptive_limit_starts_from_the_threads_of_the_first_tick() {
        let mut pristine = controller(1);
        pristine.begin(3, false);
        assert_eq!((pristine.limit(), pristine.report().pool_threads), (3, 3));
        let mut chosen = controller(1);
        chosen.set_limit(2);
        chosen.begin(3, false);
        assert_eq!(chosen.limit(), 2);
    }

    #[test]
    fn waiting_jobs_raise_and_late_frames_lower_the_limit() {
        let mut controller = controller(1);
        controller.observe(TickTime::default(), calm());
        let busy = Pressure {
            has_waiting_jobs: true,
            are_workers_busy: true,
            ..calm()
        };
        let now = observe_frames(&mut controller, Duration::ZERO, |_| (FRAME, busy));
        assert_eq!(controller.limit(), 4);
        assert_eq!(controller.report().raised, 3);
        assert_eq!(latest(&controller), Some(ConcurrencyReason::JobsWait));
        let now = observe_frames(&mut controller, now, |frame| match frame % 5 {
            0 => (FRAME * 2, busy),
            _ => (FRAME, busy),
        });
        assert_eq!(controller.limit(), 1);
        assert_eq!(controller.report().lowered, 3);
        assert_eq!(latest(&controller), Some(ConcurrencyReason::FramesLate));
        observe_frames(&mut controller, now, |_| (FRAME, calm()));
        assert_eq!(controller.limit(), 1);
        assert_eq!(latest(&controller), Some(ConcurrencyReason::Idle));
    }

    #[test]
    fn a_growing_backlog_lowers_the_limit() {
        let mut controller = controller(4);
        observe_frames(&mut controller, Duration::ZERO, |frame| {
            let unapplied = 51 + frame;
            let pressure = Pressure {
                unapplied,
                ..calm()
            };
            (FRAME, pressure)
        });
        assert_eq!(controller.limit(), 1);
        assert_eq!(latest(&controller), Some(ConcurrencyReason::ResultsPileUp));
    }

    #[test]
    fn there_is_one_decision_per_interval() {
        let mut controller = controller(4);
        for frame in 0..=15 {
            controller.observe(TickTime::new(FRAME * frame), calm());
            controller.frame_took(FRAME * 2);
        }
        assert_eq!(controller.limit(), 4);
        controller.observe(TickTime::new(FRAME * 16), calm());
        assert_eq!(controller.limit(), 3);
    }

    /// Whether ticks are far apart or the first one comes late says nothing about the machine.
    #[test]
    fn the_time_between_ticks_makes_no_frame_late() {
        let mut controller = controller(4);
        for hour in 1..10 {
            let now = Duration::from_secs(3_600 * hour);
            controller.frame_took(FRAME);
            controller.observe(TickTime::new(now), calm());
        }
        assert_eq!(controller.limit(), 4);
        assert_eq!(latest(&controller), Some(ConcurrencyReason::Idle));
    }
}
