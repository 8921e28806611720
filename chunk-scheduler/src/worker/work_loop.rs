//! The loop of a worker: pick the best job, generate its content, put the result into the slot.

use std::{
    future::{Future, poll_fn},
    task::Poll,
    time::Duration,
};

use tracing::Span;

use super::{
    shared::Shared,
    slot::{Fault, Finished, WorkerSlot},
};
use crate::{
    job::{Attempt, GenerateError, Job, JobCell, JobState, Key, Lane, Make, panics, yield_now},
    layer::Reads,
    queue::{Picked, Rank, Reach, Unrankable},
    runtime::ClockTime,
    sync::{Arc, Ordering},
};

/// A worker that has not yielded for this long yields after its job, so that other users of the pool get the thread.
const SLICE: Duration = Duration::from_micros(100);

/// How an attempt ended.
enum Outcome<T> {
    Made(T),
    Failed {
        error: GenerateError,
        panicked: bool,
    },
    /// The job was cancelled before its generator returned.
    Abandoned,
}

/// A worker and its slot. An executor may drop it at any point: then its job fails, and its permit and its slot
/// become free.
struct Worker<K: Key, T: Send + 'static, R: Rank<K>> {
    shared: Arc<Shared<K, T, R>>,
    slot: Arc<WorkerSlot<K, T>>,
    /// What the current job has read of layers. The next one takes it over if that is nothing.
    reads: Arc<Reads>,
    /// The key that the picker has as running here.
    holding: Option<K>,
    has_exited: bool,
}

/// The future of one worker. The caller has counted the worker and claimed the slot.
pub(crate) fn run<K, T, R>(
    shared: Arc<Shared<K, T, R>>,
    slot: Arc<WorkerSlot<K, T>>,
) -> impl Future<Output = ()> + Send + 'static
where
    K: Key,
    T: Send + 'static,
    R: Rank<K>,
{
    // Not made in the async block, so that dropping the future before its first poll drops the worker.
    let worker = Worker {
        shared,
        slot,
        reads: Arc::default(),
        holding: None,
        has_exited: false,
    };
    async move { worker.work().await }
}

impl<K: Key, T: Send + 'static, R: Rank<K>> Worker<K, T, R> {
    async fn work(mut self) {
        let mut slice_began = self.shared.now();
        loop {
            // The count has to be read before the worker looks for a job, see `WorkerCount`.
            let seen = self.shared.worker_count.observe();
            if self.shared.is_stopped.load(Ordering::Acquire) {
                return;
            }
            let is_surplus = seen.workers() > self.shared.limit.load(Ordering::Acquire);
            let job = if is_surplus { None } else { self.next_job() };
            let Some(picked) = job else {
                self.release_key();
                if self.shared.worker_count.try_exit(seen) {
                    self.has_exited = true;
                    return;
                }
                continue;
            };
            let ended = self.attempt(picked).await;
            if self.shared.is_stepwise || ended.since(slice_began) >= SLICE {
                yield_now().await;
                slice_began = self.shared.now();
            }
        }
    }

    /// Takes a permit for the result, then picks a job.
    fn next_job(&mut self) -> Option<Picked<K>> {
        let permits = &self.shared.permits;
        let (permit, reach) = match permits.take(Lane::Normal) {
            Some(permit) => (permit, Reach::Everything),
            None => (permits.take(Lane::Urgent)?, Reach::UrgentOnly),
        };
        let (finished, mut unrankable) = (self.holding.take(), Vec::new());
        let picked = tracing::debug_span!("chunk_pick")
            .in_scope(|| self.shared.pick(finished, reach, &mut unrankable));
        for Unrankable { cell, message } in unrankable {
            if cell.advance(JobState::Queued, JobState::Retrying) {
                self.put_fault(Fault {
                    cell,
                    error: GenerateError::Transient(format!("its rank panicked: {message}")),
                    panicked: true,
                    holds_permit: false,
                });
            }
        }
        if let Some(picked) = &picked {
            self.holding = Some(picked.cell.key);
            permit.keep();
        }
        picked
    }

    /// Runs one attempt and puts its result into the slot. Returns when the attempt ended.
    async fn attempt(&mut self, picked: Picked<K>) -> ClockTime {
        let Picked {
            cell,
            attempt,
            order,
        } = picked;
        let began = self.shared.now();
        if Arc::get_mut(&mut self.reads).is_none() {
            // The generator kept its job, which may read still.
            self.reads = Arc::default();
        }
        (self.slot).begin(Arc::clone(&cell), Arc::clone(&self.reads), began);
        self.note("start", &cell);
        if self.shared.is_stepwise {
            yield_now().await;
        }
        let job = Job::new(cell, attempt, Arc::clone(&self.reads));
        let outcome = self.generate(&job).await;
        if self.shared.is_stepwise {
            yield_now().await;
        }
        let ended = self.shared.now();
        if !self.reads.is_empty() {
            // While the slot has the job, so that who looks for what was made from something finds it in either.
            let reads = std::mem::take(&mut self.reads);
            let (made_from, key) = (&self.shared.made_from, job.key());
            made_from.insert(job.version(), key, reads.sources(None));
        }
        if let Some(current) = self.slot.end() {
            if let Some(cancelled) = current.cancelled {
                self.shared.cancel_latencies.record(ended.since(cancelled));
            }
            self.settle(current.cell, order, outcome, ended.since(began));
        }
        ended
    }

    async fn generate(&self, job: &Job<K>) -> Outcome<T> {
        if job.is_cancelled() {
            return Outcome::Abandoned;
        }
        // Entered only while user code runs, not while an async generator waits.
        let span = tracing::debug_span!("chunk_attempt", key = ?job.key(), attempt = job.attempt());
        let attempt = match &self.shared.make {
            Make::Now(make) => {
                return span
                    .in_scope(|| panics::guard_generator(|| make(job)))
                    .into();
            }
            Make::Later(make) => span.in_scope(|| panics::guard_generator(|| make(job.clone()))),
        };
        match attempt {
            Ok(attempt) => self.poll_attempt(job, attempt, &span).await,
            Err(message) => Outcome::panicked(message),
        }
    }

    /// Polls an async generator until it ends or its job is cancelled. Catches panics of each poll.
    async fn poll_attempt(&self, job: &Job<K>, mut attempt: Attempt<T>, span: &Span) -> Outcome<T> {
        let outcome = poll_fn(|cx| {
            if job.is_cancelled() {
                return Poll::Ready(Outcome::Abandoned);
            }
            match span.in_scope(|| panics::guard_generator(|| attempt.as_mut().poll(cx))) {
                Ok(Poll::Ready(made)) => Poll::Ready(Outcome::from(Ok(made))),
                Err(message) => Poll::Ready(Outcome::panicked(message)),
                Ok(Poll::Pending) => {
                    self.slot.wait(cx.waker());
                    // The job may have been cancelled before the slot had the waker.
                    match job.is_cancelled() {
                        true => Poll::Ready(Outcome::Abandoned),
                        false => Poll::Pending,
                    }
                }
            }
        });
        let outcome = outcome.await;
        // The destructor of the future is user code too.
        match panics::discard(attempt) {
            Ok(()) => outcome,
            Err(message) => Outcome::panicked(message),
        }
    }

    fn settle(&self, cell: Arc<JobCell<K>>, order: u64, outcome: Outcome<T>, took: Duration) {
        let shared = &self.shared;
        match outcome {
            Outcome::Made(content) => {
                self.note("made", &cell);
                shared.counts.generated.fetch_add(1, Ordering::Relaxed);
                shared.generation_times.record(took);
                if cell.complete(took) {
                    shared.left(JobState::InFlight);
                    shared.counts.completed.fetch_add(1, Ordering::AcqRel);
                    self.slot.put_result(Finished {
                        cell,
                        order,
                        content,
                    });
                } else {
                    shared.made_from.remove(cell.version);
                    let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
                    let counts = &shared.counts;
                    counts.wasted.fetch_add(1, Ordering::Relaxed);
                    counts.wasted_nanos.fetch_add(nanos, Ordering::Relaxed);
                    shared.discard([content]);
                    shared.permits.release();
                }
            }
            Outcome::Failed { error, panicked } => {
                let is_not_yet = matches!(error, GenerateError::NotYet(_));
                self.note(if is_not_yet { "not-yet" } else { "fault" }, &cell);
                self.fail(cell, error, panicked);
            }
            Outcome::Abandoned => {
                self.note("abandon", &cell);
                shared.made_from.remove(cell.version);
                shared.permits.release();
            }
        }
    }

    /// Ends an attempt that holds a permit and made nothing.
    fn fail(&self, cell: Arc<JobCell<K>>, error: GenerateError, panicked: bool) {
        self.shared.made_from.remove(cell.version);
        if cell.advance(JobState::InFlight, JobState::Retrying) {
            self.shared.left(JobState::InFlight);
        }
        self.put_fault(Fault {
            cell,
            error,
            panicked,
            holds_permit: true,
        });
    }

    fn put_fault(&self, fault: Fault<K>) {
        self.slot.put_fault(fault);
        self.shared.counts.faults.fetch_add(1, Ordering::Release);
    }

    /// Tells the picker that the last key is no longer running here.
    fn release_key(&mut self) {
        if let Some(key) = self.holding.take() {
            self.shared.finish(&key);
        }
    }

    fn note(&self, event: &str, cell: &JobCell<K>) {
        let (key, version) = (&cell.key, cell.version.get());
        tracing::trace!(?key, version, event);
        if let Some(simulation) = &self.shared.simulation {
            simulation.note(format_args!("{event} {key:?} v{version}"));
        }
    }
}

impl<K: Key, T: Send + 'static, R: Rank<K>> Drop for Worker<K, T, R> {
    fn drop(&mut self) {
        if let Some(current) = self.slot.end() {
            let error = GenerateError::from("its executor dropped the worker");
            self.fail(current.cell, error, false);
        }
        self.release_key();
        if let Some(simulation) = &self.shared.simulation {
            simulation.note(format_args!("exit"));
        }
        // Before the count, because the main thread claims a slot as soon as the count lets it start a worker.
        self.slot.leave();
        if !self.has_exited {
            self.shared.worker_count.exit();
        }
    }
}

impl<T> Outcome<T> {
    fn panicked(message: String) -> Self {
        Self::Failed {
            error: GenerateError::Transient(message),
            panicked: true,
        }
    }
}

impl<T> From<Result<Result<T, GenerateError>, String>> for Outcome<T> {
    /// From what a generator returned, inside of what the panic guard returned.
    fn from(made: Result<Result<T, GenerateError>, String>) -> Self {
        match made {
            Ok(Ok(content)) => Self::Made(content),
            Ok(Err(error)) => Self::Failed {
                error,
                panicked: false,
            },
            Err(message) => Self::panicked(message),
        }
    }
}
