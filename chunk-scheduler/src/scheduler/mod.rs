//! The main thread's handle. [`Scheduler`] composes the parts of this folder, each of which holds its own state:
//!
//! - `outbox`: new jobs, until the next tick submits them
//! - `workers`: where workers run, and their slots
//! - `results`: results on their way from the workers to the caller
//! - `failures`: jobs whose attempts made nothing, waiting for another one or quarantined
//! - `log_limit`: the limit on warnings
//! - `concurrency`: the limit on jobs in flight
//! - `overrun`: the watch over generators that do not return
//! - `live_jobs`, `request_times`: the jobs that have not ended, and when they were requested
//! - `counters`, `explain`, `tick_time`: what happened, where a job is, and the time that the caller gives
//! - `start_workers`: when workers are started
//! - `report`: the methods that answer from all of these

mod concurrency;
mod counters;
mod explain;
mod failures;
mod live_jobs;
mod log_limit;
mod outbox;
mod overrun;
mod report;
mod request_times;
mod results;
mod start_workers;
mod tick_time;
mod workers;

use std::{mem::needs_drop, time::Duration};

use crate::{
    config::{ConfigError, SchedulerConfig, check_in_flight},
    job::{
        GenerateError, Generator, JobCell, JobState, Key, KnownEmpty, Lane, Make, Requested,
        Version, panics,
    },
    queue::Rank,
    runtime::Runtime,
    sync::{Arc, Ordering},
    worker::{ResultPermits, Shared},
};
use concurrency::{Controller, Pressure};
use failures::Failures;
use live_jobs::LiveJobs;
use outbox::Outbox;
use overrun::OverrunWatch;
use request_times::RequestTimes;
use results::Results;
use tick_time::TickTime;
use workers::Workers;

pub use concurrency::{ConcurrencyDecision, ConcurrencyReason, ConcurrencyReport};
pub use counters::{AuditError, AuditErrorKind, Counters, Depths};
pub use explain::{Explanation, LiveStatus, Status, WaitsFor};
pub use failures::{Failure, Quarantined, Verdict};
pub use overrun::Overrun;
pub use results::Delivered;

/// The most failed attempts that a tick handles, which takes it a tenth of a millisecond.
const MOST_FAULTS: usize = 128;
/// The most retries that a tick queues, and the most jobs that it asks for again.
const MOST_DUE: usize = 256;

/// Generates what is requested on background threads, soonest first, and delivers each result once, on the thread
/// that owns the scheduler.
///
/// In each frame, [`publish`](Self::publish), [`request`](Self::request) and [`cancel`](Self::cancel) what changed,
/// then [`tick`](Self::tick), then [`drain`](Self::drain) what is ready and report it as [`applied`](Self::applied).
/// No method waits for a worker.
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
    /// What is counted in this file. Workers and the parts count the rest.
    tally: Counters,
    /// How many applied jobs were known to be empty.
    applied_empties: u64,
    /// How many attempts had made a result or failed at the latest tick.
    progress: u64,
    /// The time of the latest tick.
    now: TickTime,
    has_ticked: bool,
    is_shut_down: bool,
}

impl<K: Key, T: Send + 'static, R: Rank<K>> Scheduler<K, T, R> {
    /// A scheduler that runs `generator` on `runtime`, in the order of `rank`. A tick logs, once, when more jobs may be in
    /// flight than the runtime has threads, unless the generator is async or both numbers are the defaults; see
    /// [`ConcurrencyReport::is_pool_bound`].
    ///
    /// # Errors
    ///
    /// The first field of `config` whose value is invalid.
    pub fn new(
        config: SchedulerConfig,
        generator: Generator<K, T>,
        runtime: Runtime,
        rank: R,
    ) -> Result<Self, ConfigError> {
        config.validate()?;
        panics::prepare();
        let workers = Workers::new(runtime);
        let executor = &workers.executor;
        let are_async = matches!(generator.make, Make::Later(_));
        let controller = Controller::new(&config, executor.threads(), are_async);
        let shared = Arc::new(Shared::new(
            generator.make,
            rank,
            executor,
            ResultPermits::new(config.completed_capacity, config.urgent_reserve),
            controller.limit(),
        ));
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
            progress: 0,
            now: TickTime::default(),
            has_ticked: false,
            is_shut_down: false,
            config,
        })
    }

    /// Gives the workers a new snapshot to order jobs by. They rank the queue again before they start another job;
    /// this thread only swaps a pointer.
    pub fn publish(&mut self, rank: R) {
        self.shared.publish(Arc::new(rank));
    }

    /// Requests `key` in the normal lane; see [`Self::request_in`].
    pub fn request(&mut self, key: K) -> Requested {
        self.request_in(key, Lane::Normal)
    }

    /// Requests `key`. A job that is live already serves this request too, and moves to `lane` if that is more
    /// urgent. A quarantined key leaves the quarantine. Workers see new requests after the next [`Self::tick`], all
    /// together.
    pub fn request_in(&mut self, key: K, lane: Lane) -> Requested {
        let Some(cell) = self.live.newest(&key) else {
            return Requested::New(self.enqueue(key, lane));
        };
        if self.failures.quarantine.find(&key).is_some() {
            // The newest version was given up while an earlier one waits to be applied.
            return self.refresh_in(key, lane);
        }
        let cell = Arc::clone(cell);
        self.tally.coalesced += 1;
        self.promote(&cell, lane);
        Requested::Coalesced(cell.version)
    }

    /// Refreshes `key` in the normal lane; see [`Self::refresh_in`].
    pub fn refresh(&mut self, key: K) -> Requested {
        self.refresh_in(key, Lane::Normal)
    }

    /// Requests `key` again because what it is generated from has changed. An edit belongs in [`Lane::Urgent`]. The
    /// returned version, and each newer one, is generated from what was there before this call.
    ///
    /// It may be called at any rate: each version that is finished is delivered unless a newer one is, and one is
    /// generated after the last call. So a change waits for the rest of a running attempt and for its own. A job that is
    ///
    /// - *queued* serves this refresh too, because its generator has read nothing. It starts over with its first
    ///   attempt, in the more urgent of both lanes.
    /// - *in flight* continues. A new job, in the more urgent of both lanes, starts after it.
    /// - *finished* is valid until a newer result is there, which is then urgent, or [drained](Self::drain); one that [is
    ///   being applied](Self::applying), until a newer one is applied.
    /// - *waiting for a retry* is stale. The new job starts at once.
    ///
    /// A failed attempt is not retried where a newer job of its key exists, which takes its place. A key has at most
    /// four live jobs, one being applied, one finished, one in flight and one queued, and one whose failure was not
    /// handled yet.
    pub fn refresh_in(&mut self, key: K, lane: Lane) -> Requested {
        self.failures.quarantine.remove(&key);
        let Some(newest) = self.live.newest(&key) else {
            return Requested::New(self.enqueue(key, lane));
        };
        let newest = Arc::clone(newest);
        if let Some(former_lane) = newest.start_over(lane) {
            self.tally.coalesced += 1;
            if lane < former_lane {
                self.requeue(&newest, lane);
            }
            return Requested::Coalesced(newest.version);
        }
        if newest.state() == JobState::Retrying {
            self.live.pop(&key);
            self.end(&newest, JobState::Stale);
        }
        let version = self.enqueue(key, newest.lane().min(lane));
        self.end_outdated(&key);
        Requested::New(version)
    }

    /// Withdraws every version of `key`. A queued job does not start, a running generator can see the cancellation and
    /// stop, a result is discarded, and a quarantined key leaves the quarantine. False where no job was live.
    pub fn cancel(&mut self, key: K) -> bool {
        self.failures.quarantine.remove(&key);
        self.end_all(&key)
    }

    fn end_all(&mut self, key: &K) -> bool {
        let mut cells = self.live.take_all_earlier(key);
        cells.extend(self.live.pop(key));
        for cell in &cells {
            self.end(cell, JobState::Cancelled);
        }
        !cells.is_empty()
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
        tracing::trace!(?key, version = version.get(), ?lane, "requested");
        if let Some(content) = self.known_empty(&key, lane) {
            self.tally.known_empty += 1;
            let cell = Arc::new(JobCell::known_empty(key, version, lane));
            self.live.insert(Arc::clone(&cell));
            self.results.push_known_empty(cell, content);
        } else {
            let cell = Arc::new(JobCell::new(key, version, lane));
            self.live.insert(Arc::clone(&cell));
            self.outbox.push(lane, cell);
        }
        version
    }

    /// The content of a key that is known to be empty, if a permit for it is free. Keeps the permit.
    fn known_empty(&mut self, key: &K, lane: Lane) -> Option<T> {
        let known_empty = self.known_empty.as_ref()?;
        let permit = self.shared.permits.take(lane)?;
        let content = panics::guard(|| known_empty(key)).unwrap_or_else(|message| {
            self.tally.panics += 1;
            if self.failures.log.admits() {
                tracing::warn!(?key, "the known-empty hook panicked: {message}");
            }
            None
        })?;
        permit.keep();
        (self.shared.counts.completed).fetch_add(1, Ordering::AcqRel);
        Some(content)
    }

    fn promote(&mut self, cell: &Arc<JobCell<K>>, lane: Lane) {
        match cell.promote(lane) {
            Some(JobState::Queued) => self.requeue(cell, lane),
            Some(JobState::Completed) => self.results.note_promotion(),
            _ => {}
        }
    }

    /// Queues a job again that was moved to `lane`.
    fn requeue(&mut self, cell: &Arc<JobCell<K>>, lane: Lane) {
        // The entry in the former lane is dead now.
        self.shared.count_dead_entry();
        self.outbox.push(lane, Arc::clone(cell));
    }

    /// Ends a job that was live and is no longer listed.
    fn end(&mut self, cell: &Arc<JobCell<K>>, end: JobState) {
        match end {
            JobState::Stale => self.tally.stale += 1,
            _ => self.tally.cancelled += 1,
        }
        let Some(former) = cell.end(end) else {
            return;
        };
        self.shared.left(former);
        self.shared.made_from.remove(cell.version);
        match former {
            JobState::Queued => self.shared.count_dead_entry(),
            JobState::InFlight => self.workers.cancel(cell, self.shared.now()),
            JobState::Retrying => self.failures.withdraw(cell),
            JobState::Completed => {
                self.results.count_dead();
                self.tally.count_wasted(cell);
            }
            JobState::Delivered | JobState::Applying => {
                self.delivered -= 1;
                self.tally.count_wasted(cell);
            }
            _ => {}
        }
        tracing::trace!(key = ?cell.key, version = cell.version.get(), ?end, "ended");
    }

    /// Ends the jobs of `key` that a newer result makes out of date. The place in which they waited goes on to that
    /// result, if it was not drained yet: in its own, the last, it would be out of date as well at its turn, and so on.
    fn end_outdated(&mut self, key: &K) {
        let outdated = self.live.take_outdated(key);
        if outdated.is_empty() {
            return;
        }
        self.end_superseded(outdated);
        let is_waiting = |cell: &&Arc<JobCell<K>>| cell.state() == JobState::Completed;
        if let Some(waiting) = self.live.of(*key).filter(is_waiting).last().cloned() {
            self.promote(&waiting, Lane::Urgent);
        }
    }

    /// Ends superseded jobs, which are no longer listed.
    fn end_superseded(&mut self, cells: Vec<Arc<JobCell<K>>>) {
        for cell in cells {
            self.end(&cell, JobState::Stale);
        }
    }

    /// Handles failed attempts, queues retries that are due, submits new requests and starts missing workers. With
    /// [`Runtime::Inline`] it also runs the workers.
    ///
    /// `now` is any time that does not run backwards, such as the time since start-up. When nothing changed, a tick
    /// takes less than a microsecond and allocates nothing.
    pub fn tick(&mut self, now: Duration) {
        let Some(budget) = self.inline_budget() else {
            return self.tick_while(now, || false);
        };
        let clock = self.shared.clock.clone();
        // The first step is always taken.
        let mut began = None;
        self.tick_while(now, || match began {
            None => began.replace(clock.now()).is_none(),
            Some(began) => clock.now().since(began) < budget,
        });
    }

    /// The same as [`Self::tick`] with time of the caller's for [`Runtime::Inline`]: before each step of a job, `may_step`
    /// says whether there is time for it. Where it never does, no job makes progress. Other runtimes do not ask.
    pub fn tick_while(&mut self, now: Duration, may_step: impl FnMut() -> bool) {
        if self.is_shut_down {
            return;
        }
        let _span = tracing::debug_span!("chunk_tick").entered();
        let now = TickTime::new(now);
        if !std::mem::replace(&mut self.has_ticked, true) {
            // The caller's clock may have started long before the first request.
            self.request_times.begin(now);
            self.now = now;
            self.workers.executor.begin();
            let executor = &self.workers.executor;
            (self.controller).begin(executor.threads(), executor.lacks_threads());
        }
        self.now = self.now.max(now);
        self.failures.begin_tick(self.now);
        self.handle_faults(MOST_FAULTS);
        if self.discard_dead_results() {
            self.shared.worker_count.notify();
        }
        self.retry();
        self.ask_again();
        let policy = &self.config.overrun;
        let compensated = (self.overruns).watch(policy, &self.workers, &self.shared.clock);
        self.adapt();
        self.controller.report_pool_limit();
        let limit = self.controller.limit() + compensated;
        self.shared.limit.store(limit, Ordering::Release);
        self.outbox.submit(&self.shared, self.live.len());
        self.spawn_workers();
        self.workers.executor.work(may_step);
        self.failures.end_tick();
    }

    /// Says how long the caller's work of a frame took, for a limit that [adapts](crate::AdaptivePolicy): workers that take
    /// the processor from the caller make this longer. The time in which the caller waits for its next frame is no part of
    /// it, so the time between ticks would not do. Without these calls no frame is late.
    pub fn frame_took(&mut self, time: Duration) {
        self.controller.frame_took(time);
    }

    /// Handles up to `most` attempts that made nothing, oldest first. The others keep their permits, so that workers start
    /// no more jobs than there is room for.
    fn handle_faults(&mut self, most: usize) {
        let faults = self.shared.counts.faults.load(Ordering::Acquire);
        if faults == 0 && self.failures.faults.is_empty() {
            return;
        }
        (self.workers).take_faults(&self.shared, &mut self.failures.faults);
        // Beyond live jobs and permits there are only those of keys whose rank panicked and which were withdrawn since.
        // Nothing else bounds them.
        let bound = self.live.len() + self.shared.permits.taken();
        let most = most.max(self.failures.faults.len().saturating_sub(bound));
        let mut has_freed = false;
        for _ in 0..most {
            let Some(fault) = self.failures.faults.pop_front() else {
                break;
            };
            if fault.holds_permit {
                self.shared.permits.release();
                has_freed = true;
            }
            self.tally.panics += u64::from(fault.panicked);
            self.handle_failure(&fault.cell, fault.error, fault.panicked);
        }
        if has_freed {
            self.shared.worker_count.notify();
        }
    }

    /// Handles an attempt that made nothing. True where the job will be retried.
    fn handle_failure(
        &mut self,
        cell: &Arc<JobCell<K>>,
        error: GenerateError,
        panicked: bool,
    ) -> bool {
        let newest = self.live.newest(&cell.key);
        if newest.is_some_and(|newest| newest.version > cell.version) && self.live.remove(cell) {
            // The newer job is the retry.
            self.end(cell, JobState::Stale);
        }
        let retry = &self.config.retry;
        let verdict = (self.failures).handle(retry, self.now, cell, error, panicked);
        if verdict == Verdict::GaveUp {
            self.live.remove(cell);
            self.tally.failed += 1;
        }
        verdict == Verdict::Retry
    }

    /// Queues failed jobs again whose wait is over.
    fn retry(&mut self) {
        for _ in 0..MOST_DUE {
            let Some(cell) = self.failures.retries.pop_due(self.now) else {
                break;
            };
            if let Some(lane) = cell.retry() {
                self.tally.retried += 1;
                self.outbox.push(lane, cell);
            }
        }
    }

    /// Queues jobs again that could not be made yet. While others can start, no more of them than there were results and
    /// failures since the last tick: they may rank first, so they would take all workers otherwise.
    fn ask_again(&mut self) {
        let progress = self.shared.counts.generated.load(Ordering::Relaxed) + self.failures.count;
        let since = progress - std::mem::replace(&mut self.progress, progress);
        if self.failures.postponed.len() == 0 {
            return;
        }
        let most = match self.startable().saturating_sub(self.live.held_back()) {
            0 => MOST_DUE,
            _ => usize::try_from(since).map_or(MOST_DUE, |since| since.min(MOST_DUE)),
        };
        for _ in 0..most {
            let Some(cell) = self.failures.postponed.pop_due(self.now) else {
                break;
            };
            if let Some(lane) = cell.ask_again() {
                self.outbox.push(lane, cell);
            }
        }
    }

    fn adapt(&mut self) {
        if !self.controller.is_adaptive() {
            return;
        }
        let depths = self.depths();
        let pressure = Pressure {
            has_waiting_jobs: depths.queued > self.failures.delayed(),
            are_workers_busy: self.shared.worker_count.get() >= self.controller.limit(),
            unapplied: depths.completed + depths.backlog,
            room: (self.config.completed_capacity).saturating_add(self.config.backlog_capacity),
        };
        self.controller.observe(self.now, pressure);
    }

    /// Delivers up to `max` results to `sink`, as far as the backlog has room: by lane, and within a lane in the
    /// order in which the jobs were started. Discards results of cancelled and superseded jobs. Returns the number of
    /// delivered results.
    ///
    /// The job of a delivered result stays live until [`Self::applied`], [`Self::apply_failed`] or [`Self::cancel`], or
    /// until a newer result of its key is delivered, which may happen in the same call. To apply a result over several
    /// frames, say so with [`Self::applying`].
    pub fn drain(&mut self, max: usize, mut sink: impl FnMut(Delivered<K, T>)) -> usize {
        let mut count = 0;
        let capacity = self.config.backlog_capacity;
        let urgent_capacity = capacity.saturating_add(self.config.urgent_reserve);
        let mut has_freed = self.discard_dead_results();
        self.results.collect(&self.workers, &self.shared);
        let mut unwanted = Vec::new();
        while count < max {
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
            if self.live.has_earlier() {
                self.end_outdated(&delivered.key);
                self.results.settle_promotions(&self.workers);
                if !self.is_live(delivered.key, delivered.version) {
                    unwanted.push(delivered.content);
                    continue;
                }
            }
            count += 1;
            sink(delivered);
        }
        has_freed |= self.discard_dead_results();
        if has_freed && !self.is_shut_down {
            self.shared.worker_count.notify();
            self.spawn_workers();
        }
        self.discard(unwanted);
        count
    }

    /// Reports that the caller begins to apply a delivered result and will need more than this frame for it. False where
    /// its job was cancelled or superseded meanwhile, or was begun before: then the caller should not begin.
    ///
    /// Without this report a result is superseded as soon as a newer one of its key is delivered, so a caller that takes
    /// several frames for one would never finish any while its key is refreshed all the time. With it, it is superseded
    /// only when a newer one is applied or begun.
    #[must_use = "an outdated result must not be applied"]
    pub fn applying(&mut self, key: K, version: Version) -> bool {
        let cell = self.live.find(&key, version);
        let has_begun =
            cell.is_some_and(|cell| cell.advance(JobState::Delivered, JobState::Applying));
        if has_begun {
            let older = self.live.take_older(&key, version);
            self.end_superseded(older);
        }
        has_begun
    }

    /// Reports that a delivered result has reached its destination. False where its job was cancelled or superseded
    /// meanwhile: then the caller should remove what it made of the result. Older versions of the key are superseded.
    #[must_use = "an outdated result must not stay"]
    pub fn applied(&mut self, key: K, version: Version) -> bool {
        let settle = |cell: &JobCell<K>| cell.settle(JobState::Applied);
        let Some((cell, older)) = self.live.take_with_older(&key, version, settle) else {
            return false;
        };
        self.delivered -= 1;
        self.shared.made_from.remove(version);
        self.end_superseded(older);
        self.tally.applied += 1;
        self.applied_empties += u64::from(cell.is_known_empty());
        true
    }

    /// Reports that a delivered result could not be applied. That counts as a failed attempt: the key is generated
    /// again after a wait, or quarantined, unless a newer job of it exists. True where the job will be retried.
    pub fn apply_failed(&mut self, key: K, version: Version, message: impl Into<String>) -> bool {
        let cell = self.live.find(&key, version).cloned();
        let Some(cell) = cell.filter(|cell| cell.settle(JobState::Retrying)) else {
            return false;
        };
        self.delivered -= 1;
        self.shared.made_from.remove(version);
        self.tally.count_wasted(&cell);
        let error = GenerateError::Transient(message.into());
        self.handle_failure(&cell, error, false)
    }

    /// Drops `outputs`, or whatever was made of them, on the runtime, so that slow destructors do not delay this
    /// thread. Panics of destructors are caught, counted and logged.
    pub fn discard<O: Send + 'static>(&mut self, outputs: Vec<O>) {
        if outputs.is_empty() || !needs_drop::<O>() {
            return;
        }
        let shared = Arc::clone(&self.shared);
        if self.is_shut_down {
            shared.discard(outputs);
        } else {
            let work = async move { shared.discard(outputs) };
            self.workers.executor.spawn(Box::pin(work));
        }
    }

    /// Discards the results of ended jobs. True where that released a permit.
    fn discard_dead_results(&mut self) -> bool {
        if self.results.dead() == 0 {
            return false;
        }
        let dead = self.results.take_dead(&self.workers, &self.shared);
        let has_freed = !dead.is_empty();
        self.discard(dead);
        has_freed
    }

    /// Requests the keys again that the quarantine lists and `is_wanted` accepts, in their former lanes. Returns their
    /// number.
    pub fn retry_quarantined(&mut self, mut is_wanted: impl FnMut(&K) -> bool) -> usize {
        let entries = self.quarantined().map(|entry| (entry.key, entry.lane));
        let wanted: Vec<_> = entries.filter(|(key, _)| is_wanted(key)).collect();
        for (key, lane) in &wanted {
            // A request removes the key from the quarantine.
            self.request_in(*key, *lane);
        }
        wanted.len()
    }

    /// Empties the quarantine. Returns the number of keys that were in it.
    pub fn clear_quarantine(&mut self) -> usize {
        self.failures.quarantine.clear()
    }

    /// Changes the limit on jobs in flight. Surplus workers exit after their current job. An adaptive limit is
    /// clamped to its bounds, and continues from there.
    ///
    /// # Errors
    ///
    /// When `max_in_flight` is 0 or above 4,096.
    pub fn set_max_in_flight(&mut self, max_in_flight: usize) -> Result<(), ConfigError> {
        check_in_flight("max_in_flight", max_in_flight)?;
        self.controller.set_limit(max_in_flight);
        if self.has_ticked {
            self.controller.report_pool_limit();
        }
        Ok(())
    }

    /// Cancels all live jobs and all later requests, and lets workers exit after their current job. It does not wait
    /// for them. Dropping the scheduler does the same.
    pub fn shutdown(&mut self) {
        self.is_shut_down = true;
        self.shared.is_stopped.store(true, Ordering::Release);
        let keys: Vec<K> = self.live.iter().map(|cell| cell.key).collect();
        for key in keys {
            self.end_all(&key);
        }
        self.outbox.clear();
        self.failures.retries.clear();
        self.failures.postponed.clear();
        self.workers.executor.shut_down();
        self.handle_faults(usize::MAX);
        self.failures.log.report();
        drop(self.shared.recall());
        self.discard_dead_results();
    }
}

impl<K: Key, T: Send + 'static, R: Rank<K>> Drop for Scheduler<K, T, R> {
    fn drop(&mut self) {
        self.shutdown();
    }
}
