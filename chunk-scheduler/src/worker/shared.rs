//! The state that the main thread and the workers share.

use super::{count::WorkerCount, permits::ResultPermits};
use crate::{
    histogram::DurationRecorder,
    job::{JobCell, JobState, Key, Make, panics},
    layer::MadeFrom,
    queue::{Inbox, Picked, Picker, Rank, Reach, Submissions, Unrankable, no_submissions},
    runtime::{ClockTime, Executor, Simulation, WorkClock},
    sync::{Arc, AtomicBool, AtomicIsize, AtomicU64, AtomicUsize, CachePadded, Mutex, Ordering},
};

/// Up to this many dead entries the queue is not compacted.
const FEW_DEAD: usize = 256;

pub(crate) struct Shared<K: Key, T, R: Rank<K>> {
    pub(crate) make: Make<K, T>,
    pub(crate) clock: WorkClock,
    pub(crate) worker_count: WorkerCount,
    pub(crate) permits: ResultPermits,
    /// The most workers.
    pub(crate) limit: AtomicUsize,
    pub(crate) is_stopped: AtomicBool,
    /// Its lock is never held for longer than a swap.
    inbox: Mutex<Inbox<K, R>>,
    /// Grows with each change of the inbox.
    pub(crate) epoch: CachePadded<AtomicU64>,
    /// For workers. [`Scheduler::explain`](crate::Scheduler::explain) reads it when no worker holds the lock.
    picker: CachePadded<Mutex<Picker<K, R>>>,
    /// The epoch + 1 in which a worker found no job that can start; 0 after a key left a worker. In the same epoch no
    /// other worker would find one.
    exhausted: AtomicU64,
    /// The same for the urgent lane alone.
    urgent_exhausted: AtomicU64,
    pub(crate) counts: Counts,
    /// What results are made from that were not applied yet.
    pub(crate) made_from: MadeFrom<K>,
    pub(crate) generation_times: DurationRecorder,
    pub(crate) cancel_latencies: DurationRecorder,
    pub(crate) simulation: Option<Simulation>,
    /// Whether workers yield after every step, as on executors that share the main thread.
    pub(crate) is_stepwise: bool,
}

/// What workers count. Exact while there is no worker, otherwise off by at most one for each.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Live jobs on workers. Signed, because two threads may count the start and the end of a job in either order.
    pub(crate) in_flight: CachePadded<AtomicIsize>,
    /// Live results that were not drained.
    pub(crate) completed: CachePadded<AtomicIsize>,
    /// Entries in inbox and queue whose job can no longer be started through them.
    pub(crate) dead: CachePadded<AtomicUsize>,
    /// Faults in the slots.
    pub(crate) faults: AtomicUsize,
    /// Attempts that made a result, including unwanted ones.
    pub(crate) generated: CachePadded<AtomicU64>,
    /// Results whose job had ended when they were ready.
    pub(crate) wasted: AtomicU64,
    /// How long generating those took.
    pub(crate) wasted_nanos: AtomicU64,
    /// Panics in destructors of unwanted outputs.
    pub(crate) discard_panics: AtomicU64,
}

impl<K: Key, T, R: Rank<K>> Shared<K, T, R> {
    pub(crate) fn new(
        make: Make<K, T>,
        rank: R,
        executor: &Executor,
        permits: ResultPermits,
        limit: usize,
    ) -> Self {
        let rank = Arc::new(rank);
        Self {
            make,
            clock: executor.clock(),
            worker_count: WorkerCount::new(),
            permits,
            limit: AtomicUsize::new(limit),
            is_stopped: AtomicBool::new(false),
            inbox: Mutex::new(Inbox {
                submissions: no_submissions(),
                rank: Arc::clone(&rank),
                turn: 0,
            }),
            epoch: CachePadded::new(AtomicU64::new(0)),
            picker: CachePadded::new(Mutex::new(Picker::new(rank))),
            exhausted: AtomicU64::new(0),
            urgent_exhausted: AtomicU64::new(0),
            counts: Counts::default(),
            made_from: MadeFrom::new(),
            generation_times: DurationRecorder::new(),
            cancel_latencies: DurationRecorder::new(),
            simulation: executor.simulation(),
            is_stepwise: executor.is_stepwise(),
        }
    }

    pub(crate) fn now(&self) -> ClockTime {
        self.clock.now()
    }

    /// Main thread: gives the workers a new snapshot.
    pub(crate) fn publish(&self, rank: Arc<R>) {
        let former = {
            let mut inbox = self.inbox.lock();
            self.epoch.fetch_add(1, Ordering::Release);
            std::mem::replace(&mut inbox.rank, rank)
        };
        // Outside of the lock, because this may run the user's destructor.
        drop(former);
    }

    /// Main thread: submits jobs, all together. Returns the number of entries in the inbox.
    pub(crate) fn submit(&self, work: &mut Submissions<K>, turn: u32) -> usize {
        let mut inbox = self.inbox.lock();
        for (waiting, new) in inbox.submissions.iter_mut().zip(work) {
            if waiting.is_empty() {
                std::mem::swap(waiting, new);
            } else {
                waiting.append(new);
            }
        }
        inbox.turn = turn;
        self.epoch.fetch_add(1, Ordering::Release);
        inbox.submissions.iter().map(Vec::len).sum()
    }

    /// Main thread: takes the submissions back.
    pub(crate) fn recall(&self) -> Submissions<K> {
        std::mem::take(&mut self.inbox.lock().submissions)
    }

    /// Worker: starts the best job by the latest snapshot, after it said that the generator of `finished` has
    /// returned.
    pub(crate) fn pick(
        &self,
        finished: Option<K>,
        reach: Reach,
        unrankable: &mut Vec<Unrankable<K>>,
    ) -> Option<Picked<K>> {
        let mut picker = self.picker.lock();
        if let Some(key) = finished {
            self.finish_in(&mut picker, &key);
        }
        self.merge_news(&mut picker, unrankable);
        let dead = self.counts.dead.load(Ordering::Relaxed);
        if dead > FEW_DEAD && dead > picker.len() / 2 {
            picker.compact();
            self.counts.dead.store(0, Ordering::Relaxed);
        }
        let (picked, dead) = picker.pick(reach);
        if picked.is_none() {
            // Under the lock, so that a worker which frees a key later resets this.
            self.urgent_exhausted
                .store(picker.merged + 1, Ordering::Release);
            if reach == Reach::Everything {
                self.exhausted.store(picker.merged + 1, Ordering::Release);
            }
        }
        drop(picker);
        if dead > 0 {
            // The counter must not wrap, since an entry may be removed before its death is counted.
            let forget = |count: usize| Some(count.saturating_sub(dead));
            let _ = (self.counts.dead).fetch_update(Ordering::Relaxed, Ordering::Relaxed, forget);
        }
        if picked.is_some() {
            self.counts.in_flight.fetch_add(1, Ordering::AcqRel);
        }
        picked
    }

    /// Worker: merges what was submitted or published since the last time.
    fn merge_news(&self, picker: &mut Picker<K, R>, unrankable: &mut Vec<Unrankable<K>>) {
        while picker.merged != self.epoch.load(Ordering::Acquire) {
            let news = {
                let mut inbox = self.inbox.lock();
                picker.merged = self.epoch.load(Ordering::Acquire);
                picker.collect(&mut inbox)
            };
            picker.merge(news, unrankable);
        }
    }

    /// Worker, when it exits: says that the generator of `key` has returned.
    pub(crate) fn finish(&self, key: &K) {
        self.finish_in(&mut self.picker.lock(), key);
    }

    fn finish_in(&self, picker: &mut Picker<K, R>, key: &K) {
        if picker.finish(key) > 0 {
            self.exhausted.store(0, Ordering::Release);
            self.urgent_exhausted.store(0, Ordering::Release);
        }
    }

    /// Main thread: whether a worker would find no job to start, even if it had a permit.
    pub(crate) fn is_exhausted(&self, reach: Reach) -> bool {
        let exhausted = match reach {
            Reach::Everything => &self.exhausted,
            Reach::UrgentOnly => &self.urgent_exhausted,
        };
        exhausted.load(Ordering::Acquire) == self.epoch.load(Ordering::Acquire) + 1
    }

    /// Main thread: how many queued jobs would start before `cell`. `None` while a worker holds the queue, because
    /// the main thread does not wait.
    pub(crate) fn position(
        &self,
        cell: &Arc<JobCell<K>>,
        outgoing: &Submissions<K>,
    ) -> Option<usize> {
        let picker = self.picker.try_lock()?;
        let inbox = self.inbox.lock();
        panics::guard(|| picker.position(cell, &inbox, outgoing)).ok()?
    }

    /// Drops unwanted outputs. Panics of their destructors are caught, counted and logged.
    pub(crate) fn discard<O>(&self, outputs: impl IntoIterator<Item = O>) {
        let _span = tracing::debug_span!("chunk_discard").entered();
        let mut panics = 0;
        let mut first = None;
        for output in outputs {
            if let Err(message) = panics::discard(output) {
                panics += 1;
                first.get_or_insert(message);
            }
        }
        if let Some(message) = first {
            (self.counts.discard_panics).fetch_add(panics, Ordering::Relaxed);
            // One line, because there may be thousands.
            tracing::warn!(panics, "dropping unwanted outputs panicked: {message}");
        }
    }

    /// Counts that a live job left `state`.
    pub(crate) fn left(&self, state: JobState) {
        match state {
            JobState::InFlight => self.counts.in_flight.fetch_sub(1, Ordering::AcqRel),
            JobState::Completed => self.counts.completed.fetch_sub(1, Ordering::AcqRel),
            _ => return,
        };
    }

    pub(crate) fn count_dead_entry(&self) {
        self.counts.dead.fetch_add(1, Ordering::Relaxed);
    }
}
