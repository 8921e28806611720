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
    pub(super) frame: Duration,
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
    /// `None` before the first frame.
    interval: Option<Interval>,
    report: ConcurrencyReport,
    has_reported_pool_limit: bool,
}

#[derive(Debug, Default)]
struct Interval {
    began: TickTime,
    frames: u32,
    late: u32,
    busy: u32,
    /// The results that were not applied when the interval began.
    unapplied: usize,
}

impl Controller {
    pub(super) fn new(config: &SchedulerConfig, threads: usize) -> Self {
        let (limit, policy) = match config.concurrency {
            Concurrency::Fixed => (config.max_in_flight, None),
            Concurrency::Adaptive(policy) => (
                threads.clamp(policy.min_in_flight, policy.max_in_flight),
                Some(policy),
            ),
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
            has_reported_pool_limit: false,
        }
    }

    /// Logs, once, that more jobs may be in flight than the pool has threads, where that is so.
    pub(super) fn report_pool_limit(&mut self) {
        let report = self.report;
        if report.is_pool_bound() && !self.has_reported_pool_limit {
            self.has_reported_pool_limit = true;
            tracing::info!(
                in_flight = report.limit,
                threads = report.pool_threads,
                "more jobs may be in flight than the task pool has threads: generators that \
                 compute will wait for each other (see `recommended_pool_threads`)"
            );
        }
    }

    pub(super) fn limit(&self) -> usize {
        self.report.limit
    }

    pub(super) fn set_limit(&mut self, limit: usize) {
        self.report.limit = match self.policy {
            Some(policy) => limit.clamp(policy.min_in_flight, policy.max_in_flight),
            None => limit,
        };
    }

    pub(super) fn report(&self) -> ConcurrencyReport {
        self.report
    }

    pub(super) fn observe(&mut self, now: TickTime, pressure: Pressure) {
        let Some(policy) = self.policy else { return };
        let Some(interval) = &mut self.interval else {
            // The first frame is not judged, because the caller's clock may have started long before it.
            self.interval = Some(Interval::new(now, pressure));
            return;
        };
        interval.frames += 1;
        let is_late = pressure.frame > policy.frame.mul_f32(policy.late_factor);
        interval.late += u32::from(is_late);
        let is_busy = pressure.has_waiting_jobs && pressure.are_workers_busy;
        interval.busy += u32::from(is_busy);
        if now.since(interval.began) < policy.interval {
            return;
        }
        let reason = interval.reason(&policy, pressure);
        *interval = Interval::new(now, pressure);
        self.decide(now, &policy, reason);
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
        let late_fraction = self.late as f32 / self.frames as f32;
        let is_piling_up =
            pressure.unapplied > self.unapplied && pressure.unapplied > pressure.room / 2;
        if self.late > 0 && late_fraction >= policy.late_fraction {
            ConcurrencyReason::FramesLate
        } else if is_piling_up {
            ConcurrencyReason::ResultsPileUp
        } else if 2 * self.busy > self.frames {
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
        Controller::new(&config, threads)
    }

    fn calm() -> Pressure {
        Pressure {
            frame: FRAME,
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
        pressure: impl Fn(usize) -> Pressure,
    ) -> Duration {
        for frame in 0..125 {
            now += FRAME;
            controller.observe(TickTime::new(now), pressure(frame));
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
    fn waiting_jobs_raise_and_late_frames_lower_the_limit() {
        let mut controller = controller(1);
        controller.observe(TickTime::default(), calm());
        let busy = Pressure {
            has_waiting_jobs: true,
            are_workers_busy: true,
            ..calm()
        };
        let now = observe_frames(&mut controller, Duration::ZERO, |_| busy);
        assert_eq!(controller.limit(), 4);
        assert_eq!(controller.report().raised, 3);
        assert_eq!(latest(&controller), Some(ConcurrencyReason::JobsWait));
        let late = Pressure {
            frame: 2 * FRAME,
            ..busy
        };
        let now = observe_frames(&mut controller, now, |frame| {
            if frame % 5 == 0 { late } else { busy }
        });
        assert_eq!(controller.limit(), 1);
        assert_eq!(controller.report().lowered, 3);
        assert_eq!(latest(&controller), Some(ConcurrencyReason::FramesLate));
        observe_frames(&mut controller, now, |_| calm());
        assert_eq!(controller.limit(), 1);
        assert_eq!(latest(&controller), Some(ConcurrencyReason::Idle));
    }

    #[test]
    fn a_growing_backlog_lowers_the_limit() {
        let mut controller = controller(4);
        observe_frames(&mut controller, Duration::ZERO, |frame| Pressure {
            unapplied: 51 + frame,
            ..calm()
        });
        assert_eq!(controller.limit(), 1);
        assert_eq!(latest(&controller), Some(ConcurrencyReason::ResultsPileUp));
    }

    #[test]
    fn there_is_one_decision_per_interval() {
        let mut controller = controller(4);
        let late = Pressure {
            frame: 2 * FRAME,
            ..calm()
        };
        for frame in 0..=15 {
            controller.observe(TickTime::new(FRAME * frame), late);
        }
        assert_eq!(controller.limit(), 4);
        controller.observe(TickTime::new(FRAME * 16), late);
        assert_eq!(controller.limit(), 3);
    }

    #[test]
    fn a_clock_that_started_long_ago_makes_no_late_frame() {
        let mut controller = controller(4);
        let hour = Duration::from_secs(3_600);
        let first = Pressure {
            frame: hour,
            ..calm()
        };
        controller.observe(TickTime::new(hour), first);
        assert_eq!(controller.report().latest, None);
        observe_frames(&mut controller, hour, |_| calm());
        assert_eq!(controller.limit(), 4);
        assert_eq!(controller.report().lowered, 0);
    }
}
