//! What a scheduler tells about its jobs and itself.

use std::{fmt, time::Duration};

use super::{
    Scheduler,
    concurrency::ConcurrencyReport,
    counters::{AtRest, Audit, AuditError, Counters, Depths},
    explain::{Explanation, LiveStatus, Status, waits_for},
    failures::{Failure, Quarantined},
    overrun::Overrun,
};
use crate::{
    config::SchedulerConfig,
    histogram::DurationSummary,
    job::{JobCell, JobState, Key, Version},
    layer::{Invalidated, Sources},
    queue::Rank,
    sync::{Arc, AtomicIsize, Ordering},
};

impl<K: Key, T: Send + 'static, R: Rank<K>> Scheduler<K, T, R> {
    /// Whether the job of this version of `key` is live, so that its result may be applied.
    #[must_use]
    pub fn is_live(&self, key: K, version: Version) -> bool {
        self.live.find(&key, version).is_some()
    }

    /// The newest version of `key` whose job is live.
    #[must_use]
    pub fn live_version(&self, key: K) -> Option<Version> {
        self.live.newest(&key).map(|cell| cell.version)
    }

    /// The versions of `key` whose jobs are live, oldest first: at most four, see [`Self::refresh_in`].
    pub fn live_versions(&self, key: K) -> impl Iterator<Item = Version> + '_ {
        self.live.of(key).map(|cell| cell.version)
    }

    /// How long a tick runs jobs on this thread: the budget of [`Runtime::Inline`](crate::Runtime::Inline), or `None` where other threads run
    /// them.
    #[must_use]
    pub fn inline_budget(&self) -> Option<Duration> {
        self.workers.executor.inline_budget()
    }

    /// The failed attempts that were not read yet, oldest first. Call this after every tick: a tick drops what was there
    /// at the end of the last one. A tick handles at most 128 failures, and leaves the others to the next ones;
    /// [`Counters::failures`] counts all of them.
    pub fn failures(&mut self) -> impl Iterator<Item = Failure<K>> + '_ {
        self.failures.read()
    }

    /// The overruns since the last call, oldest first. Only the newest are kept: as many as there are workers, and at least
    /// 64, so that a caller who reads after each tick misses none.
    pub fn overruns(&mut self) -> impl Iterator<Item = Overrun<K>> + '_ {
        self.overruns.read()
    }

    /// The keys that the quarantine lists, in their order.
    pub fn quarantined(&self) -> impl Iterator<Item = &Quarantined<K>> {
        self.failures.quarantine.iter()
    }

    /// The limit on jobs in flight, without compensation for overrunning ones.
    #[must_use]
    pub fn max_in_flight(&self) -> usize {
        self.controller.limit()
    }

    /// The limit on jobs in flight, and why it has changed.
    #[must_use]
    pub fn concurrency(&self) -> ConcurrencyReport {
        self.controller.report()
    }

    /// How many threads the runtime has. Before the first tick, those that a missing pool would have.
    #[must_use]
    pub fn pool_threads(&self) -> usize {
        self.workers.executor.threads()
    }

    /// The configuration that the scheduler was made with.
    #[must_use]
    pub fn config(&self) -> &SchedulerConfig {
        &self.config
    }

    /// Counts of what happened so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let counts = &self.shared.counts;
        let wasted_nanos = counts.wasted_nanos.load(Ordering::Relaxed);
        Counters {
            generated: counts.generated.load(Ordering::Relaxed),
            wasted: self.tally.wasted + counts.wasted.load(Ordering::Relaxed),
            wasted_time: self.tally.wasted_time + Duration::from_nanos(wasted_nanos),
            panics: self.tally.panics + counts.discard_panics.load(Ordering::Relaxed),
            overruns: self.overruns.count,
            failures: self.failures.count,
            not_yet: self.failures.not_yet,
            ..self.tally
        }
    }

    /// How many live jobs are in each state, in constant time.
    #[must_use]
    pub fn depths(&self) -> Depths {
        let counts = &self.shared.counts;
        let not_delivered = self.live.len() - self.delivered;
        let read = |count: &AtomicIsize, most: usize| {
            usize::try_from(count.load(Ordering::Acquire)).map_or(0, |count| count.min(most))
        };
        let in_flight = read(&counts.in_flight, not_delivered);
        let completed = read(&counts.completed, not_delivered - in_flight);
        Depths {
            queued: not_delivered - in_flight - completed,
            in_flight,
            completed,
            backlog: self.delivered,
            quarantined: self.failures.quarantine.len(),
            unwanted: (self.shared.permits.taken()).saturating_sub(in_flight + completed),
        }
    }

    /// How many jobs wait to start. Those whose failure was not handled yet are among them.
    pub(super) fn startable(&self) -> usize {
        (self.depths().queued).saturating_sub(self.failures.delayed())
    }

    /// How long attempts took that made a result, including unwanted ones.
    #[must_use]
    pub fn generation_times(&self) -> DurationSummary {
        self.shared.generation_times.summary()
    }

    /// How long generators took to return after their job was cancelled.
    #[must_use]
    pub fn cancel_latencies(&self) -> DurationSummary {
        self.shared.cancel_latencies.summary()
    }

    /// Compares the counters with all live jobs, for tests and bug reports. It checks more while there is no worker.
    ///
    /// # Errors
    ///
    /// The first equation that does not hold.
    pub fn audit(&self) -> Result<(), AuditError> {
        // Read before the states of the jobs, because workers change them.
        let is_at_rest = self.shared.worker_count.get() == 0;
        let faults = self.workers.permits_of_faults() + self.failures.permits();
        let dead = self.results.dead() + faults;
        let mut audit = Audit {
            counters: self.counters(),
            applied_empties: self.applied_empties,
            delivered: self.delivered as u64,
            at_rest: is_at_rest.then(|| AtRest::new(&self.shared, dead)),
            ..Audit::default()
        };
        for cell in self.live.iter() {
            audit.list(cell);
        }
        audit.check()
    }

    /// The state of the newest live job of `key`, or [`JobState::Failed`] for a quarantined key, in constant time.
    #[must_use]
    pub fn state(&self, key: K) -> Option<JobState> {
        let live = self.live.newest(&key).map(|cell| cell.state());
        let quarantined = || self.failures.quarantine.find(&key);
        live.or_else(|| quarantined().map(|_| JobState::Failed))
    }

    /// Explains where `key` is and what it waits for. For a queued job this visits the whole queue, and no worker can
    /// start a job meanwhile, so it is for people and not for every frame.
    #[must_use]
    pub fn explain(&self, key: K) -> Explanation<K> {
        let status = if let Some(cell) = self.live.newest(&key) {
            Status::Live(self.explain_live(cell))
        } else if let Some(entry) = self.failures.quarantine.find(&key) {
            Status::Quarantined {
                attempts: entry.attempts,
                message: entry.message.clone(),
            }
        } else {
            Status::Unknown
        };
        Explanation { key, status }
    }

    fn explain_live(&self, cell: &Arc<JobCell<K>>) -> LiveStatus {
        let state = cell.state();
        let delayed = self.failures.due(&cell.key);
        let (position, waits_for) = match state {
            JobState::Queued => (
                self.shared.position(cell, self.outbox.submissions()),
                waits_for(cell, &self.outbox, &self.workers, &self.shared),
            ),
            JobState::Retrying => (None, delayed.map(|(_, why)| why)),
            _ => (None, None),
        };
        let requested = self.request_times.requested_at(cell.version);
        let mut current = self.workers.current();
        let running = current.find(|(current, _)| current.version == cell.version);
        LiveStatus {
            state,
            version: cell.version,
            lane: cell.lane(),
            attempt: cell.attempt(),
            age: self.now.since(requested),
            position,
            waits_for,
            retry_in: delayed.map(|(due, _)| due.since(self.now)),
            running_for: running.map(|(_, began)| self.shared.now().since(began)),
        }
    }

    /// The keys, in their order, that have a live job whose generator has read a value of a layer that was invalidated, or one
    /// that was made from it: jobs in flight, and results that were not applied yet. [Refresh](Self::refresh) them. What was
    /// applied is told by its [sources](Self::sources).
    #[must_use]
    pub fn made_from(&self, invalidated: &Invalidated) -> Vec<K> {
        let slots = self.workers.slots().iter();
        let in_flight = slots.filter_map(|slot| slot.reached(invalidated));
        let in_flight = in_flight.filter(|cell| cell.state().is_live());
        let mut keys: Vec<K> = in_flight.map(|cell| cell.key).collect();
        self.shared.made_from.reached(invalidated, &mut keys);
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// What the result of a live job was made from, which is forgotten when it is applied. `None` where its generator has
    /// read no [`Layer`](crate::Layer), and before it has returned.
    #[must_use]
    pub fn sources(&self, version: Version) -> Option<Sources> {
        self.shared.made_from.of(version)
    }

    /// Whether [`Self::shutdown`] was called.
    #[must_use]
    pub fn is_shut_down(&self) -> bool {
        self.is_shut_down
    }
}

impl<K: Key, T: Send + 'static, R: Rank<K>> fmt::Debug for Scheduler<K, T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler")
            .field("config", &self.config)
            .field("depths", &self.depths())
            .field("counters", &self.counters())
            .field("max_in_flight", &self.max_in_flight())
            .field("is_shut_down", &self.is_shut_down)
            .finish_non_exhaustive()
    }
}
