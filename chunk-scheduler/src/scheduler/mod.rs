//! The main thread's handle: what is requested, withdrawn, handed over and counted.
//!
//! [`Scheduler`] composes the parts of this folder, each of which holds its own state and calls no other:
//!
//! - `outbox`: new jobs, until the next tick submits them
//! - `workers`: where workers run, and their slots
//! - `results`: what they finished
//! - `retry`: failed jobs, waiting or quarantined
//! - `concurrency`: how many jobs may be in flight
//! - `overrun`: generators that do not return
//! - `live_jobs`, `request_times`: every job that has not ended, and when it was requested
//! - `counters`, `explain`: what happened, and where a job is
//! - `tick_time`: the time that the caller gives

mod concurrency;
mod counters;
mod explain;
mod live_jobs;
mod outbox;
mod overrun;
mod request_times;
mod results;
mod retry;
mod tick_time;
mod workers;

use std::{fmt, mem::needs_drop, time::Duration};

use crate::{
    config::{ConfigError, SchedulerConfig, check_in_flight},
    histogram::DurationSummary,
    job::{Generator, JobCell, JobState, Key, KnownEmpty, Lane, Requested, Version, panics},
    queue::Rank,
    runtime::Runtime,
    sync::{Arc, Ordering},
    worker::{ResultPermits, Shared},
};
use concurrency::{Controller, Pressure};
use counters::{AtRest, Audit};
use explain::waits_for;
use live_jobs::LiveJobs;
use outbox::Outbox;
use overrun::OverrunWatch;
use request_times::RequestTimes;
use results::{Results, use_permit};
use retry::{Failures, Verdict};
use tick_time::TickTime;
use workers::{Started, Workers};

pub use concurrency::{ConcurrencyDecision, ConcurrencyReason, ConcurrencyReport};
pub use counters::{AuditError, AuditErrorKind, Counters, Depths};
pub use explain::{Explanation, LiveStatus, Status, WaitsFor};
pub use overrun::Overrun;
pub use results::Delivered;
pub use retry::{Failure, Quarantined};

/// Generates what is asked for on background threads, soonest first, and hands back each result once, on the thread
/// that owns this.
///
/// A frame is: [`publish`](Self::publish), [`request`](Self::request) and [`cancel`](Self::cancel) what changed;
/// [`tick`](Self::tick); [`drain`](Self::drain) what is ready; say that it was [`applied`](Self::applied). None of
/// these ever waits for a worker.
///
/// ```
/// use chunk_scheduler::{FnRank, Generator, Job, Runtime, Scheduler, SchedulerConfig};
/// use std::time::Duration;
///
/// let generator = Generator::new(|job: &Job<i32>| format!("chunk {}", job.key()));
/// let runtime = Runtime::Inline { budget: Duration::from_secs(1) };
/// let nearest_to_zero = FnRank(|key: &i32| key.unsigned_abs());
/// let mut scheduler = Scheduler::new(SchedulerConfig::default(), generator, runtime, nearest_to_zero)?;
///
/// scheduler.request(3);
/// scheduler.request(-1);
/// scheduler.tick(Duration::ZERO);
///
/// let mut ready = Vec::new();
/// scheduler.drain(usize::MAX, |delivered| ready.push(delivered));
/// assert_eq!(ready[0].content, "chunk -1");
/// assert!(scheduler.applied(ready[0].key, ready[0].version));
/// # Ok::<(), chunk_scheduler::ConfigError>(())
/// ```
#[cfg_attr(feature = "bevy_ecs", derive(bevy_ecs::resource::Resource))]
pub struct Scheduler<K: Key, T: Send + 'static, R: Rank<K>> {
    config: SchedulerConfig,
    shared: Arc<Shared<K, T, R>>,
    workers: Workers<K, T>,
    known_empty: Option<Arc<KnownEmpty<K, T>>>,
    /// Every job that has not ended. Whether a job is in here decides whether its result is wanted.
    live: LiveJobs<K>,
    outbox: Outbox<K>,
    results: Results<K, T>,
    failures: Failures<K>,
    overruns: OverrunWatch<K>,
    controller: Controller,
    request_times: RequestTimes,
    last_version: u64,
    /// How many live jobs are in the state `Delivered`.
    delivered: usize,
    /// What is counted here; workers and parts count the rest.
    tally: Counters,
    /// How many applied jobs were known to be empty.
    applied_empties: u64,
    /// The time of the latest tick.
    now: TickTime,
    has_ticked: bool,
    is_shut_down: bool,
}

impl<K: Key, T: Send + 'static, R: Rank<K>> Scheduler<K, T, R> {
    /// A scheduler that runs `generator` on `runtime`, in the order of `rank`.
    ///
    /// Says in the log, once, when more jobs may be in flight than the runtime has threads, now or later;
    /// [`ConcurrencyReport::is_pool_bound`] always says it.
    ///
    /// # Errors
    ///
    /// A field of `config` that makes no sense.
    pub fn new(
        config: SchedulerConfig,
        generator: Generator<K, T>,
        runtime: Runtime,
        rank: R,
    ) -> Result<Self, ConfigError> {
        config.validate()?;
        panics::warn_if_panics_abort();
        let workers = Workers::new(runtime);
        let executor = workers.executor();
        let mut controller = Controller::new(&config, executor.threads());
        let shared = Arc::new(Shared::new(
            generator.make,
            rank,
            executor.clock(),
            ResultPermits::new(config.completed_capacity, config.urgent_reserve),
            controller.limit(),
            executor.simulation(),
            executor.is_stepwise(),
        ));
        controller.report_pool_limit();
        Ok(Self {
            shared,
            workers,
            known_empty: generator.known_empty,
            live: LiveJobs::new(),
            outbox: Outbox::new(),
            results: Results::new(),
            failures: Failures::new(config.quarantine_capacity),
            overruns: OverrunWatch::new(),
            controller,
            request_times: RequestTimes::new(),
            last_version: 0,
            delivered: 0,
            tally: Counters::default(),
            applied_empties: 0,
            now: TickTime::default(),
            has_ticked: false,
            is_shut_down: false,
            config,
        })
    }

    /// Gives the workers a new snapshot to order jobs by. They re-rank what is queued before they start another job;
    /// this thread only swaps a pointer.
    pub fn publish(&mut self, rank: R) {
        self.shared.publish(Arc::new(rank));
    }

    /// Asks for `key` in the normal lane; see [`Self::request_in`].
    pub fn request(&mut self, key: K) -> Requested {
        self.request_in(key, Lane::Normal)
    }

    /// Asks for `key`. Where a job for it is live already, wherever it is, that one serves this request too; a queued
    /// one moves to `lane` if that is more urgent. A quarantined key gets a fresh start.
    ///
    /// Workers see new requests from the next [`Self::tick`] on, all together.
    pub fn request_in(&mut self, key: K, lane: Lane) -> Requested {
        if let Some(cell) = self.live.find(&key) {
            let cell = Arc::clone(cell);
            self.tally.coalesced += 1;
            self.promote(&cell, lane);
            return Requested::Coalesced(cell.version);
        }
        Requested::New(self.enqueue(key, lane))
    }

    /// Asks for `key` anew in the normal lane; see [`Self::refresh_in`].
    pub fn refresh(&mut self, key: K) -> Version {
        self.refresh_in(key, Lane::Normal)
    }

    /// Asks for `key` because what was generated, or is about to be, is out of date. A live job for it ends as stale
    /// and its result will never be delivered; whatever was applied before is unaffected. An edit belongs in
    /// [`Lane::Urgent`].
    ///
    /// The new job keeps the more urgent of both lanes, and it does not start before a superseded attempt has
    /// returned.
    pub fn refresh_in(&mut self, key: K, lane: Lane) -> Version {
        let former = self.end(&key, JobState::Stale);
        let lane = former.map_or(lane, |former| former.min(lane));
        self.enqueue(key, lane)
    }

    /// Withdraws `key`, wherever its job is. A queued one costs nothing more; a running generator can see it and
    /// stop; a result is discarded; a quarantined key is forgotten. False when no job was live.
    pub fn cancel(&mut self, key: K) -> bool {
        self.failures.quarantine.remove(&key);
        self.end(&key, JobState::Cancelled).is_some()
    }

    /// Whether `version` is what `key` is waiting for or was delivered as.
    #[must_use]
    pub fn is_current(&self, key: K, version: Version) -> bool {
        self.live_version(key) == Some(version)
    }

    /// The version of the job that is live for `key`, if there is one.
    #[must_use]
    pub fn live_version(&self, key: K) -> Option<Version> {
        self.live.find(&key).map(|cell| cell.version)
    }

    fn enqueue(&mut self, key: K, lane: Lane) -> Version {
        self.last_version += 1;
        let version = Version(self.last_version);
        self.tally.requested += 1;
        self.failures.quarantine.remove(&key);
        self.request_times.note(version, self.now);
        if self.is_shut_down {
            self.tally.cancelled += 1;
            return version;
        }
        let cell = match self.known_empty(&key, lane) {
            Some(content) => {
                self.tally.known_empty += 1;
                let cell = Arc::new(JobCell::known_empty(key, version, lane));
                self.results.push_known_empty(Arc::clone(&cell), content);
                cell
            }
            None => {
                let cell = Arc::new(JobCell::new(key, version, lane));
                self.outbox.push(lane, Arc::clone(&cell));
                cell
            }
        };
        tracing::trace!(?key, version = version.get(), ?lane, "requested");
        self.live.insert(cell);
        version
    }

    /// The content of a key that is known to be empty, and a used permit for it.
    fn known_empty(&mut self, key: &K, lane: Lane) -> Option<T> {
        let known_empty = self.known_empty.as_ref()?;
        let content = panics::guard(|| known_empty(key)).unwrap_or_else(|message| {
            self.tally.panics += 1;
            tracing::warn!(?key, "the known-empty hook panicked: {message}");
            None
        });
        content.filter(|_| use_permit(&self.shared, lane))
    }

    fn promote(&mut self, cell: &Arc<JobCell<K>>, lane: Lane) {
        match cell.promote(lane) {
            Some(JobState::Queued) => {
                // Its entry in the former lane is dead from here on.
                self.shared.count_dead_entry();
                self.outbox.push(lane, Arc::clone(cell));
            }
            Some(JobState::Completed) => self.results.note_promotion(),
            _ => {}
        }
    }

    /// Ends the live job of `key`. Returns the lane it was in.
    fn end(&mut self, key: &K, end: JobState) -> Option<Lane> {
        let cell = self.live.remove(key)?;
        match end {
            JobState::Stale => self.tally.stale += 1,
            _ => self.tally.cancelled += 1,
        }
        let former = cell.end(end)?;
        self.shared.left(former);
        match former {
            JobState::Queued => self.shared.count_dead_entry(),
            JobState::InFlight => self.workers.cancel(&cell, self.shared.now()),
            JobState::Retrying => self.failures.delayed.remove(key),
            JobState::Completed => {
                self.results.count_dead();
                self.count_wasted(&cell);
            }
            JobState::Delivered => {
                self.delivered -= 1;
                self.count_wasted(&cell);
            }
            _ => {}
        }
        tracing::trace!(?key, version = cell.version.get(), ?end, "ended");
        Some(cell.lane())
    }

    /// Counts a result that was generated and will not be applied.
    fn count_wasted(&mut self, cell: &JobCell<K>) {
        if !cell.is_known_empty() {
            self.tally.wasted += 1;
            self.tally.wasted_time += cell.took();
        }
    }

    /// Does what is due: handles failed attempts, brings back those whose wait is over, submits new requests to the
    /// workers and starts workers where some are missing. With [`Runtime::Inline`] it also does the work.
    ///
    /// `now` is any time that does not run backwards, such as the time since start-up. When nothing changed this
    /// costs well under a microsecond and allocates nothing.
    pub fn tick(&mut self, now: Duration) {
        if self.is_shut_down {
            return;
        }
        let _span = tracing::debug_span!("chunk_tick").entered();
        let now = TickTime::new(now);
        if !std::mem::replace(&mut self.has_ticked, true) {
            // The caller's clock may have run for hours before the first request.
            self.request_times.begin(now);
            self.now = now;
        }
        let frame = now.since(self.now);
        self.now = self.now.max(now);
        self.handle_faults();
        if self.discard_dead_results() {
            self.shared.worker_count.notify();
        }
        while let Some(cell) = self.failures.delayed.pop_due(self.now) {
            if let Some(lane) = cell.retry() {
                self.tally.retried += 1;
                self.outbox.push(lane, cell);
            }
        }
        let policy = &self.config.overrun;
        let compensated = (self.overruns).watch(policy, &self.workers, &self.shared.clock);
        self.adapt(frame);
        self.controller.report_pool_limit();
        let limit = self.controller.limit() + compensated;
        self.shared.limit.store(limit, Ordering::Release);
        self.outbox.submit(&self.shared, self.live.len());
        self.spawn_workers();
        self.workers.work(&self.shared.clock);
    }

    fn handle_faults(&mut self) {
        let faults = self.workers.take_faults(&self.shared);
        if faults.is_empty() {
            return;
        }
        for fault in faults {
            self.handle_failure(&fault.cell, fault.message, fault.panicked);
        }
        self.shared.worker_count.notify();
    }

    /// Handles a job that just failed. True when it will be tried again.
    fn handle_failure(&mut self, cell: &Arc<JobCell<K>>, message: String, panicked: bool) -> bool {
        self.tally.panics += u64::from(panicked);
        let retry = &self.config.retry;
        let verdict = (self.failures).handle_failure(retry, self.now, cell, message, panicked);
        if verdict == Verdict::GaveUp {
            self.live.remove(&cell.key);
            self.tally.failed += 1;
        }
        verdict == Verdict::Retry
    }

    fn spawn_workers(&mut self) {
        let delayed = self.failures.delayed.len();
        let startable = self.depths().queued.saturating_sub(delayed);
        let started = self.workers.spawn_workers(&self.shared, startable);
        self.tally.starts_refused += u64::from(started == Started::NoPermit);
        self.results.make_room(self.workers.slots().len());
    }

    fn adapt(&mut self, frame: Duration) {
        if !self.controller.is_adaptive() {
            return;
        }
        let depths = self.depths();
        let pressure = Pressure {
            frame,
            has_waiting_jobs: depths.queued > self.failures.delayed.len(),
            are_workers_busy: self.shared.worker_count.get() >= self.controller.limit(),
            unapplied: depths.completed + depths.backlog,
            room: self.config.completed_capacity + self.config.backlog_capacity,
        };
        self.controller.observe(self.now, pressure);
    }

    /// Hands up to `max` results to `sink`: the urgent ones first, then the others in the order in which their jobs
    /// were started, and never more than the backlog has room for
    /// ([`urgent_reserve`](SchedulerConfig::urgent_reserve) is for the urgent ones alone). Results of jobs that were
    /// cancelled or superseded are discarded on the way, and count towards neither. Returns how many were handed
    /// over.
    ///
    /// Each one handed over stays live until [`Self::applied`], [`Self::apply_failed`], [`Self::cancel`] or
    /// [`Self::refresh`] settles it.
    pub fn drain(&mut self, max: usize, mut sink: impl FnMut(Delivered<K, T>)) -> usize {
        let before = self.delivered;
        let most = before.saturating_add(max);
        let capacity = self.config.backlog_capacity;
        let urgent_capacity = capacity.saturating_add(self.config.urgent_reserve);
        let mut has_freed = self.discard_dead_results();
        self.results.collect(&self.workers, &self.shared);
        let mut unwanted = Vec::new();
        while self.delivered < most {
            let lanes: &[Lane] = match self.delivered {
                delivered if delivered < capacity => &Lane::ALL,
                delivered if delivered < urgent_capacity => &[Lane::Urgent],
                _ => &[],
            };
            let (workers, shared) = (&self.workers, &self.shared);
            let next = (self.results).next(workers, shared, lanes, &mut unwanted, &mut has_freed);
            let Some(delivered) = next else {
                break;
            };
            self.delivered += 1;
            sink(delivered);
        }
        if has_freed && !self.is_shut_down {
            self.shared.worker_count.notify();
            self.spawn_workers();
        }
        self.discard(unwanted);
        self.delivered - before
    }

    /// Says that a delivered result has reached its destination. False when it is out of date by now (and already
    /// counted as cancelled or stale): what was made of it should go.
    #[must_use = "an outdated result must not stay"]
    pub fn applied(&mut self, key: K, version: Version) -> bool {
        let Some(cell) = self.settle(key, version, JobState::Applied) else {
            return false;
        };
        self.live.remove(&key);
        self.tally.applied += 1;
        self.applied_empties += u64::from(cell.is_known_empty());
        true
    }

    /// Says that a delivered result could not be applied. It is treated like a failed attempt: the key is generated
    /// again after a wait, or quarantined. True when it will be tried again.
    pub fn apply_failed(&mut self, key: K, version: Version, message: impl Into<String>) -> bool {
        let Some(cell) = self.settle(key, version, JobState::Retrying) else {
            return false;
        };
        self.count_wasted(&cell);
        self.handle_failure(&cell, message.into(), false)
    }

    /// Takes a job of this version out of the backlog.
    fn settle(&mut self, key: K, version: Version, to: JobState) -> Option<Arc<JobCell<K>>> {
        let cell = self.live.find(&key)?;
        if cell.version != version || !cell.advance(JobState::Delivered, to) {
            return None;
        }
        self.delivered -= 1;
        Some(Arc::clone(cell))
    }

    /// Drops outputs, or what was made of them, where they delay nobody: on a worker, however heavy they are. A
    /// destructor that panics is contained, counted and logged.
    pub fn discard<O: Send + 'static>(&mut self, outputs: Vec<O>) {
        if outputs.is_empty() || !needs_drop::<O>() {
            return;
        }
        let shared = Arc::clone(&self.shared);
        if self.is_shut_down {
            shared.discard(outputs);
        } else {
            let work = async move { shared.discard(outputs) };
            self.workers.spawn(Box::pin(work));
        }
    }

    /// True when a permit was released.
    fn discard_dead_results(&mut self) -> bool {
        let dead = self.results.take_dead(&self.workers, &self.shared);
        let has_freed = !dead.is_empty();
        self.discard(dead);
        has_freed
    }

    /// The failed attempts since the last call, oldest first. Keeps the newest 256 of them until asked;
    /// [`Counters::failures_unread`] counts the others.
    pub fn failures(&mut self) -> impl Iterator<Item = Failure<K>> + '_ {
        self.failures.read()
    }

    /// The overruns since the last call, oldest first. Keeps the newest 64 of them.
    pub fn overruns(&mut self) -> impl Iterator<Item = Overrun<K>> + '_ {
        self.overruns.read()
    }

    /// The keys that were given up, in their order.
    pub fn quarantined(&self) -> impl Iterator<Item = &Quarantined<K>> {
        self.failures.quarantine.iter()
    }

    /// Asks again for every quarantined key, in the lane it was in. Returns how many there were.
    pub fn retry_quarantined(&mut self) -> usize {
        self.retry_quarantined_where(|_| true)
    }

    /// Asks again for the quarantined keys that `is_wanted` accepts, each in the lane it was in, and leaves the
    /// others where they are. Returns how many were asked for.
    pub fn retry_quarantined_where(&mut self, mut is_wanted: impl FnMut(&K) -> bool) -> usize {
        let entries = self.quarantined().map(|entry| (entry.key, entry.lane));
        let wanted: Vec<_> = entries.filter(|(key, _)| is_wanted(key)).collect();
        for (key, lane) in &wanted {
            // A request takes the key off the list.
            self.request_in(*key, *lane);
        }
        wanted.len()
    }

    /// Forgets the quarantined keys. Returns how many there were.
    pub fn clear_quarantine(&mut self) -> usize {
        self.failures.quarantine.clear()
    }

    /// The most jobs in flight now, compensation for overrunning ones not included.
    #[must_use]
    pub fn max_in_flight(&self) -> usize {
        self.controller.limit()
    }

    /// Changes the most jobs in flight. Workers that are too many exit after their current job. An adaptive scheduler
    /// goes on from here, within its bounds.
    ///
    /// # Errors
    ///
    /// When `max_in_flight` is 0 or absurdly large.
    pub fn set_max_in_flight(&mut self, max_in_flight: usize) -> Result<(), ConfigError> {
        check_in_flight("max_in_flight", max_in_flight)?;
        self.controller.set_limit(max_in_flight);
        self.controller.report_pool_limit();
        Ok(())
    }

    /// How many jobs may be in flight, and why.
    #[must_use]
    pub fn concurrency(&self) -> ConcurrencyReport {
        self.controller.report()
    }

    /// How many threads the runtime has: what [`Self::max_in_flight`] is really bounded by, for generators that
    /// compute.
    #[must_use]
    pub fn pool_threads(&self) -> usize {
        self.workers.executor().threads()
    }

    /// The configuration it was made with.
    #[must_use]
    pub fn config(&self) -> &SchedulerConfig {
        &self.config
    }

    /// What happened so far.
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
            failures_unread: self.failures.overwritten,
            ..self.tally
        }
    }

    /// Where the live jobs are. Costs the same however many there are.
    #[must_use]
    pub fn depths(&self) -> Depths {
        let counts = &self.shared.counts;
        let not_delivered = self.live.len() - self.delivered;
        let clamped = |count: isize, most: usize| usize::try_from(count).unwrap_or(0).min(most);
        let in_flight = clamped(counts.in_flight.load(Ordering::Acquire), not_delivered);
        let completed = clamped(
            counts.completed.load(Ordering::Acquire),
            not_delivered - in_flight,
        );
        Depths {
            queued: not_delivered - in_flight - completed,
            in_flight,
            completed,
            backlog: self.delivered,
            quarantined: self.failures.quarantine.len(),
            unwanted: (self.shared.permits.taken()).saturating_sub(in_flight + completed),
        }
    }

    /// How long generating took: every attempt that made a result, the unwanted ones included.
    #[must_use]
    pub fn generation_times(&self) -> DurationSummary {
        self.shared.generation_times.summary()
    }

    /// How long it took from withdrawing a job in flight until its generator stopped.
    #[must_use]
    pub fn cancel_latencies(&self) -> DurationSummary {
        self.shared.cancel_latencies.summary()
    }

    /// Audits every live job against the counters; while no worker is there, everything that workers count as well.
    /// Costs a walk over all of them; for tests and for bug reports.
    ///
    /// # Errors
    ///
    /// The first equation that does not hold.
    pub fn audit(&self) -> Result<(), AuditError> {
        // Before the states of the jobs are read, because workers change them.
        let is_at_rest = self.shared.worker_count.get() == 0;
        let dead = self.results.dead() + self.workers.permits_of_faults();
        let mut audit = Audit {
            counters: self.counters(),
            applied_empties: self.applied_empties,
            delivered: self.delivered as u64,
            at_rest: is_at_rest.then(|| AtRest::new(&self.shared, dead)),
            ..Audit::default()
        };
        for cell in self.live.iter() {
            let state = cell.state();
            audit.listed[state as usize] += 1;
            let is_waiting = matches!(state, JobState::Completed | JobState::Delivered);
            audit.generated_waiting += u64::from(is_waiting && !cell.is_known_empty());
        }
        audit.check()
    }

    /// Where the job of `key` is, at the cost of a look-up: its live state, [`JobState::Failed`] for a quarantined
    /// key, and `None` when no job is live for it.
    #[must_use]
    pub fn state(&self, key: K) -> Option<JobState> {
        let live = self.live.find(&key).map(|cell| cell.state());
        live.or_else(|| {
            self.failures
                .quarantine
                .find(&key)
                .map(|_| JobState::Failed)
        })
    }

    /// Says where `key` is and what it waits for. Costs a walk over the queue when it is queued, during which no
    /// worker can start a job; for people, not for every frame.
    #[must_use]
    pub fn explain(&self, key: K) -> Explanation<K> {
        let status = if let Some(cell) = self.live.find(&key) {
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
        let is_queued = state == JobState::Queued;
        let requested = self.request_times.requested_at(cell.version);
        let mut current = self.workers.current();
        let running = current.find(|(current, _)| current.version == cell.version);
        let due = self.failures.delayed.due(&cell.key);
        LiveStatus {
            state,
            version: cell.version,
            lane: cell.lane(),
            attempt: cell.attempt(),
            age: self.now.since(requested),
            position: is_queued
                .then(|| self.shared.position(cell, self.outbox.submissions()))
                .flatten(),
            waits_for: is_queued
                .then(|| waits_for(cell, &self.outbox, &self.workers, &self.shared))
                .flatten(),
            retry_in: due.map(|due| due.since(self.now)),
            running_for: running.map(|(_, began)| self.shared.now().since(began)),
        }
    }

    /// Ends everything: each live job becomes cancelled and workers exit after their current job. Never waits for a
    /// generator, may be called again, and is what dropping does. Requests made afterwards are cancelled at once.
    pub fn shutdown(&mut self) {
        self.is_shut_down = true;
        self.shared.is_stopped.store(true, Ordering::Release);
        let keys: Vec<K> = self.live.iter().map(|cell| cell.key).collect();
        for key in keys {
            self.end(&key, JobState::Cancelled);
        }
        self.outbox.clear();
        self.failures.delayed.clear();
        self.workers.shut_down();
        self.handle_faults();
        drop(self.shared.recall());
        // No job is live any more, so all results are dead.
        self.discard_dead_results();
    }

    /// Whether [`Self::shutdown`] was called.
    #[must_use]
    pub fn is_shut_down(&self) -> bool {
        self.is_shut_down
    }
}

impl<K: Key, T: Send + 'static, R: Rank<K>> Drop for Scheduler<K, T, R> {
    fn drop(&mut self) {
        self.shutdown();
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
