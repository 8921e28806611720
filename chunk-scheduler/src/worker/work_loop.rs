//! The loop of a worker: pick the best job, generate its content, leave the result, again.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tracing::Span;

use super::{
    shared::Shared,
    slot::{Fault, Finished, WorkerSlot},
};
use crate::{
    job::{Attempt, Job, JobCell, JobState, Key, Make, panics, yield_now},
    queue::{Picked, Rank, Reach},
    runtime::ClockTime,
    sync::{Arc, Ordering},
};

/// After this time a worker yields to the other users of the pool. A job that takes longer is followed by a yield of its
/// own; cheaper ones share one.
const SLICE: Duration = Duration::from_micros(100);

/// How an attempt ended.
enum Outcome<T> {
    Made(T),
    Failed {
        message: String,
        panicked: bool,
    },
    /// The job was cancelled before its generator returned anything.
    Abandoned,
}

/// A worker and its slot. Dropping it at any point, which an executor may do, leaves every counter right: its job fails,
/// and its permit and its slot become free.
struct Worker<K: Key, T, R: Rank<K>> {
    shared: Arc<Shared<K, T, R>>,
    slot: Arc<WorkerSlot<K, T>>,
    /// The key that the picker believes to be running here.
    holding: Option<K>,
    has_exited: bool,
}

/// The future of one worker. The caller has counted it and claimed the slot for it.
pub(crate) fn run<K, T, R>(
    shared: Arc<Shared<K, T, R>>,
    slot: Arc<WorkerSlot<K, T>>,
) -> impl Future<Output = ()> + Send + 'static
where
    K: Key,
    T: Send + 'static,
    R: Rank<K>,
{
    // Made here and not in the async block, so that a future that is dropped before its first poll is counted out.
    let worker = Worker {
        shared,
        slot,
        holding: None,
        has_exited: false,
    };
    async move { worker.work().await }
}

impl<K: Key, T: Send + 'static, R: Rank<K>> Worker<K, T, R> {
    async fn work(mut self) {
        let mut slice_began = self.shared.now();
        loop {
            // The order matters: read the count, then look for work.
            let seen = self.shared.worker_count.observe();
            if self.shared.is_stopped() {
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

    /// Takes a permit for the result, then picks. Without a permit no job is started.
    fn next_job(&mut self) -> Option<Picked<K>> {
        let Self {
            shared,
            slot,
            holding,
            ..
        } = self;
        let (permit, reach) = match shared.permits.take() {
            Some(permit) => (permit, Reach::Everything),
            None => (shared.permits.take_urgent()?, Reach::UrgentOnly),
        };
        let mut unrankable = Vec::new();
        let picked = tracing::debug_span!("chunk_pick")
            .in_scope(|| shared.pick(holding.take(), reach, &mut unrankable));
        for fault in unrankable
            .into_iter()
            .filter_map(Shared::<K, T, R>::fault_of)
        {
            put_fault(shared, slot, fault);
        }
        if let Some(picked) = &picked {
            *holding = Some(picked.cell.key);
            permit.keep();
        }
        picked
    }

    /// Runs one attempt and leaves its result. Returns when it ended.
    async fn attempt(&mut self, picked: Picked<K>) -> ClockTime {
        let Picked {
            cell,
            attempt,
            order,
        } = picked;
        let began = self.shared.now();
        self.slot.begin(Arc::clone(&cell), began);
        self.note("start", &cell);
        if self.shared.is_stepwise {
            yield_now().await;
        }
        let job = Job::new(cell, attempt);
        let outcome = self.generate(&job).await;
        if self.shared.is_stepwise {
            yield_now().await;
        }
        let ended = self.shared.now();
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
        // Entered where user code runs, and not while an async generator waits.
        let span = tracing::debug_span!("chunk_attempt", key = ?job.key(), attempt = job.attempt());
        let made = match &self.shared.make {
            Make::Now(make) => span.in_scope(|| panics::guard(|| make(job))),
            Make::Later(make) => match span.in_scope(|| panics::guard(|| make(job.clone()))) {
                Ok(attempt) => {
                    let attempt = Watched {
                        attempt: Some(attempt),
                        job,
                        slot: &self.slot,
                        span,
                    };
                    return attempt.await;
                }
                Err(message) => Err(message),
            },
        };
        Outcome::from(made)
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
                    let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
                    shared.counts.wasted.fetch_add(1, Ordering::Relaxed);
                    shared
                        .counts
                        .wasted_nanos
                        .fetch_add(nanos, Ordering::Relaxed);
                    shared.discard([content]);
                    shared.permits.release();
                }
            }
            Outcome::Failed { message, panicked } => {
                self.note("fault", &cell);
                if cell.advance(JobState::InFlight, JobState::Retrying) {
                    shared.left(JobState::InFlight);
                }
                let fault = Fault {
                    cell,
                    message,
                    panicked,
                    holds_permit: true,
                };
                put_fault(shared, &self.slot, fault);
            }
            Outcome::Abandoned => {
                self.note("abandon", &cell);
                shared.permits.release();
            }
        }
    }
}

fn put_fault<K: Key, T, R: Rank<K>>(
    shared: &Shared<K, T, R>,
    slot: &WorkerSlot<K, T>,
    fault: Fault<K>,
) {
    slot.put_fault(fault);
    shared.counts.faults.fetch_add(1, Ordering::Release);
}

impl<K: Key, T, R: Rank<K>> Worker<K, T, R> {
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

impl<K: Key, T, R: Rank<K>> Drop for Worker<K, T, R> {
    fn drop(&mut self) {
        if let Some(current) = self.slot.end() {
            let cell = current.cell;
            if cell.advance(JobState::InFlight, JobState::Retrying) {
                self.shared.left(JobState::InFlight);
            }
            let fault = Fault {
                cell,
                message: "its executor dropped the worker".to_owned(),
                panicked: false,
                holds_permit: true,
            };
            put_fault(&self.shared, &self.slot, fault);
        }
        self.release_key();
        if let Some(simulation) = &self.shared.simulation {
            simulation.note(format_args!("exit"));
        }
        // The slot first: when the main thread reads in the count that another worker may start, it needs a free slot.
        self.slot.leave();
        if !self.has_exited {
            self.shared.worker_count.exit();
        }
    }
}

impl<T> From<Result<Result<T, String>, String>> for Outcome<T> {
    fn from(made: Result<Result<T, String>, String>) -> Self {
        match made {
            Ok(Ok(content)) => Self::Made(content),
            Ok(Err(message)) => Self::Failed {
                message,
                panicked: false,
            },
            Err(message) => Self::Failed {
                message,
                panicked: true,
            },
        }
    }
}

/// An async generator under way: panics are caught around each poll, and it is dropped as soon as
/// its job is cancelled.
struct Watched<'a, K, T> {
    attempt: Option<Attempt<T>>,
    job: &'a Job<K>,
    slot: &'a WorkerSlot<K, T>,
    span: Span,
}

impl<K: Key, T> Future for Watched<'_, K, T> {
    type Output = Outcome<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome<T>> {
        if self.job.is_cancelled() {
            return Poll::Ready(self.abandon());
        }
        let Self { attempt, span, .. } = &mut *self;
        let Some(attempt) = attempt else {
            return Poll::Ready(Outcome::Abandoned);
        };
        match span.in_scope(|| panics::guard(|| attempt.as_mut().poll(cx))) {
            Ok(Poll::Pending) => {
                self.slot.wait(cx.waker());
                // The cancellation may have come before the waker was there.
                if self.job.is_cancelled() {
                    return Poll::Ready(self.abandon());
                }
                Poll::Pending
            }
            Ok(Poll::Ready(made)) => Poll::Ready(self.close(Outcome::from(Ok(made)))),
            Err(message) => Poll::Ready(self.close(Outcome::from(Err(message)))),
        }
    }
}

impl<K: Key, T> Watched<'_, K, T> {
    fn abandon(&mut self) -> Outcome<T> {
        self.close(Outcome::Abandoned)
    }

    /// Drops the generator's future, which is user code too.
    fn close(&mut self, outcome: Outcome<T>) -> Outcome<T> {
        match panics::discard(self.attempt.take()) {
            Ok(()) => outcome,
            Err(message) => Outcome::Failed {
                message,
                panicked: true,
            },
        }
    }
}
