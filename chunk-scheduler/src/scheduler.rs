//! The main thread's handle: what is asked for, withdrawn and asked for again.

use std::{collections::VecDeque, fmt, time::Duration};

use crate::{
    adaptive::Controller,
    chronicle::Chronicle,
    config::SchedulerConfig,
    config_error::{ConfigError, check_in_flight},
    desk::{Desk, Finished, Tray},
    generator::{Generator, KnownEmpty},
    inbox::Arrivals,
    key::{Key, Lane, Requested, Version},
    ledger::Counters,
    live::Live,
    overrun::Overrun,
    panics,
    places::Places,
    rank::Rank,
    retry::{Delayed, Failure, Quarantine},
    runtime::{Executor, Runtime},
    shared::Shared,
    slot::JobState,
    sync::{Arc, Mutex, Ordering},
};

/// Generates what is asked for on background threads, soonest first, and hands back each result
/// once, on the thread that owns this.
///
/// A frame is: [`publish`](Self::publish), [`request`](Self::request) and
/// [`cancel`](Self::cancel) what changed; [`tick`](Self::tick); [`drain`](Self::drain) what is
/// ready; say that it was [`applied`](Self::applied). None of these ever waits for a worker.
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
    pub(crate) config: SchedulerConfig,
    pub(crate) shared: Arc<Shared<K, T, R>>,
    pub(crate) executor: Executor,
    pub(crate) known_empty: Option<Arc<KnownEmpty<K, T>>>,
    /// Every job that has not ended; the only reference to a job that decides anything.
    pub(crate) live: Live<K>,
    /// New work, by lane, that the next tick hands over.
    pub(crate) outgoing: Arrivals<K>,
    /// Counts the times that work was handed over.
    pub(crate) turn: u32,
    pub(crate) last_version: u64,
    /// How many live jobs are in the state `Delivered`.
    pub(crate) delivered: usize,
    /// A desk per runner there ever was at the same time.
    pub(crate) desks: Vec<Arc<Desk<K, T>>>,
    /// The tray of each desk, on its way through [`Self::drain`]. In a mutex, which nobody ever
    /// locks, because outputs need not be `Sync` and this handle should be.
    pub(crate) trays: Mutex<Vec<Tray<K, T>>>,
    /// How many finished results, on trays and desks, belong to jobs that have ended since.
    pub(crate) dead_results: usize,
    /// Whether a job was promoted whose result lies in a tray already.
    pub(crate) has_promoted_results: bool,
    /// Answers of the generator's known-empty hook, the urgent ones first. They count as queued.
    pub(crate) empties: Mutex<VecDeque<Finished<K, T>>>,
    /// How many of `empties` are live.
    pub(crate) live_empties: usize,
    pub(crate) delayed: Delayed<K>,
    pub(crate) quarantine: Quarantine<K>,
    pub(crate) failures: VecDeque<Failure<K>>,
    pub(crate) overruns: VecDeque<Overrun<K>>,
    /// The attempt on each desk that was last reported as overrunning, by version and beginning.
    pub(crate) reported: Vec<Option<(Version, Duration)>>,
    pub(crate) tally: Counters,
    /// How many of the applied ones were known to be empty.
    pub(crate) applied_empties: u64,
    pub(crate) controller: Controller,
    pub(crate) chronicle: Chronicle,
    /// The time of the latest tick; zero before the first.
    pub(crate) now: Duration,
    pub(crate) has_ticked: bool,
    has_said_that_the_pool_is_the_limit: bool,
    pub(crate) is_shut_down: bool,
}

impl<K: Key, T: Send + 'static, R: Rank<K>> Scheduler<K, T, R> {
    /// A scheduler that runs `generator` on `runtime`, in the order of `rank`.
    ///
    /// Says in the log, once, when more jobs may be in flight than the runtime has threads, now or
    /// later; [`ConcurrencyReport::is_pool_bound`](crate::ConcurrencyReport::is_pool_bound) always
    /// says it.
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
        let executor = Executor::new(runtime);
        let controller = Controller::new(&config, executor.threads());
        let shared = Arc::new(Shared::new(
            generator.make,
            rank,
            executor.clock(),
            Places::new(config.completed_capacity, config.urgent_reserve),
            controller.limit(),
            executor.simulation(),
            executor.is_stepwise(),
        ));
        let mut scheduler = Self {
            shared,
            executor,
            known_empty: generator.known_empty,
            live: Live::new(),
            outgoing: [Vec::new(), Vec::new(), Vec::new()],
            turn: 0,
            last_version: 0,
            delivered: 0,
            desks: Vec::new(),
            trays: Mutex::new(Vec::new()),
            dead_results: 0,
            has_promoted_results: false,
            empties: Mutex::new(VecDeque::new()),
            live_empties: 0,
            delayed: Delayed::new(),
            quarantine: Quarantine::new(config.quarantine_capacity),
            failures: VecDeque::new(),
            overruns: VecDeque::new(),
            reported: Vec::new(),
            tally: Counters::default(),
            applied_empties: 0,
            controller,
            chronicle: Chronicle::new(),
            now: Duration::ZERO,
            has_ticked: false,
            has_said_that_the_pool_is_the_limit: false,
            is_shut_down: false,
            config,
        };
        scheduler.say_when_the_pool_is_the_limit();
        Ok(scheduler)
    }

    /// In the log, once.
    pub(crate) fn say_when_the_pool_is_the_limit(&mut self) {
        let report = self.controller.report();
        if report.is_pool_bound() && !self.has_said_that_the_pool_is_the_limit {
            self.has_said_that_the_pool_is_the_limit = true;
            tracing::info!(
                in_flight = report.limit,
                threads = report.pool_threads,
                "more jobs may be in flight than the task pool has threads: generators that \
                 compute will wait for each other (see `recommended_pool_threads`)"
            );
        }
    }

    /// Hands the runners a new snapshot to order jobs by. They re-rank what is queued before they
    /// start another job; this thread only swaps a pointer.
    pub fn publish(&mut self, rank: R) {
        self.shared.publish(Arc::new(rank));
    }

    /// Asks for `key` in the normal lane; see [`Self::request_in`].
    pub fn request(&mut self, key: K) -> Requested {
        self.request_in(key, Lane::Normal)
    }

    /// Asks for `key`. Where a job for it is live already, wherever it is, that one serves this
    /// request too; a queued one moves to `lane` if that is more urgent. A quarantined key gets a
    /// fresh start.
    ///
    /// Runners see new requests from the next [`Self::tick`] on, all together.
    pub fn request_in(&mut self, key: K, lane: Lane) -> Requested {
        if let Some(slot) = self.live.find(&key) {
            let slot = Arc::clone(slot);
            self.tally.coalesced += 1;
            self.promote(&slot, lane);
            return Requested::Coalesced(slot.version);
        }
        Requested::New(self.enqueue(key, lane))
    }

    /// Asks for `key` anew in the normal lane; see [`Self::refresh_in`].
    pub fn refresh(&mut self, key: K) -> Version {
        self.refresh_in(key, Lane::Normal)
    }

    /// Asks for `key` because what was generated, or is about to be, is out of date. A live job for
    /// it ends as stale and its result will never be delivered; whatever was applied before is
    /// unaffected. An edit belongs in [`Lane::Urgent`].
    ///
    /// The new job keeps the more urgent of both lanes, and it does not start before a superseded
    /// attempt has returned.
    pub fn refresh_in(&mut self, key: K, lane: Lane) -> Version {
        let former = self.end(&key, JobState::Stale);
        let lane = former.map_or(lane, |former| former.min(lane));
        self.enqueue(key, lane)
    }

    /// Withdraws `key`, wherever its job is. A queued one costs nothing more; a running generator
    /// can see it and stop; a result is discarded; a quarantined key is forgotten, since nobody
    /// misses it any more. False when nothing was live.
    pub fn cancel(&mut self, key: K) -> bool {
        self.quarantine.remove(&key);
        self.end(&key, JobState::Cancelled).is_some()
    }

    /// Whether `version` is what `key` is waiting for or was delivered as.
    #[must_use]
    pub fn is_current(&self, key: K, version: Version) -> bool {
        self.live
            .find(&key)
            .is_some_and(|slot| slot.version == version)
    }

    /// The most jobs in flight now, compensation for overrunning ones not included.
    #[must_use]
    pub fn max_in_flight(&self) -> usize {
        self.controller.limit()
    }

    /// Changes the most jobs in flight. Runners that are too many leave after their current job. An
    /// adaptive scheduler goes on from here, within its bounds.
    ///
    /// # Errors
    ///
    /// When `max_in_flight` is 0 or absurdly large.
    pub fn set_max_in_flight(&mut self, max_in_flight: usize) -> Result<(), ConfigError> {
        check_in_flight("max_in_flight", max_in_flight)?;
        self.controller.set_limit(max_in_flight);
        self.say_when_the_pool_is_the_limit();
        Ok(())
    }

    /// How many threads the runtime has: what [`Self::max_in_flight`] is really bounded by, for
    /// generators that compute.
    #[must_use]
    pub fn pool_threads(&self) -> usize {
        self.executor.threads()
    }

    /// The configuration it was made with.
    #[must_use]
    pub fn config(&self) -> &SchedulerConfig {
        &self.config
    }

    /// Ends everything: each live job becomes cancelled and runners leave after their current job.
    /// Never waits for a generator, may be called again, and is what dropping does. Requests made
    /// afterwards are cancelled at once.
    pub fn shutdown(&mut self) {
        self.is_shut_down = true;
        self.shared.is_stopped.store(true, Ordering::Release);
        let keys: Vec<K> = self.live.iter().map(|slot| slot.key).collect();
        for key in keys {
            self.end(&key, JobState::Cancelled);
        }
        self.outgoing = [Vec::new(), Vec::new(), Vec::new()];
        self.delayed.clear();
        self.executor.shut_down();
        self.collect_faults();
        drop(self.shared.recall());
        self.discard_results();
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
