//! The task that works: pick the best job, generate, leave the result, again.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tracing::Span;

use crate::{
    desk::{Desk, Fault, Finished},
    generator::{Attempt, Make},
    job::{Job, yield_now},
    key::Key,
    panics,
    picker::{Picked, Reach},
    rank::Rank,
    shared::Shared,
    slot::{JobState, Slot},
    sync::{Arc, Ordering},
};

/// How long a runner works before it lets other users of the pool have the thread. A job that
/// takes longer is followed by a yield of its own; cheaper ones share the cost of one.
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

/// A runner at its desk. Dropping it at any point, which an executor may do, leaves every counter
/// right: its job fails, its place and its desk are free.
struct Runner<K: Key, T, R: Rank<K>> {
    shared: Arc<Shared<K, T, R>>,
    desk: Arc<Desk<K, T>>,
    /// The key that the picker believes to be running here.
    holding: Option<K>,
    has_left: bool,
}

/// The future of one runner. The caller has entered the gate and claimed the desk for it.
pub(crate) fn run<K, T, R>(
    shared: Arc<Shared<K, T, R>>,
    desk: Arc<Desk<K, T>>,
) -> impl Future<Output = ()> + Send + 'static
where
    K: Key,
    T: Send + 'static,
    R: Rank<K>,
{
    // Made here and not in the async block, so that a future that is dropped before its first poll
    // still leaves.
    let runner = Runner {
        shared,
        desk,
        holding: None,
        has_left: false,
    };
    async move { runner.work().await }
}

impl<K: Key, T: Send + 'static, R: Rank<K>> Runner<K, T, R> {
    async fn work(mut self) {
        let mut slice_began = self.shared.now();
        loop {
            // The order matters: note what the gate says, then look for a reason to stay.
            let seen = self.shared.gate.observe();
            if self.shared.is_stopped() {
                return;
            }
            let is_surplus = seen.runners() > self.shared.limit.load(Ordering::Acquire);
            let job = if is_surplus { None } else { self.next_job() };
            let Some(picked) = job else {
                self.release_key();
                if self.shared.gate.leave(seen) {
                    self.has_left = true;
                    return;
                }
                continue;
            };
            let ended = self.attempt(picked).await;
            if self.shared.is_stepwise || ended.saturating_sub(slice_began) >= SLICE {
                yield_now().await;
                slice_began = self.shared.now();
            }
        }
    }

    /// Reserves a place for the result, then picks. Without a place nothing is started.
    fn next_job(&mut self) -> Option<Picked<K>> {
        let Self {
            shared,
            desk,
            holding,
            ..
        } = self;
        let (place, reach) = match shared.places.take() {
            Some(place) => (place, Reach::Everything),
            None => (shared.places.take_urgent()?, Reach::UrgentOnly),
        };
        let mut unrankable = Vec::new();
        let picked = tracing::debug_span!("chunk_pick")
            .in_scope(|| shared.pick(holding.take(), reach, &mut unrankable));
        for fault in unrankable
            .into_iter()
            .filter_map(Shared::<K, T, R>::fault_of)
        {
            put_fault(shared, desk, fault);
        }
        if let Some(picked) = &picked {
            *holding = Some(picked.slot.key);
            place.keep();
        }
        picked
    }

    /// Runs one attempt and settles it. Returns when it ended.
    async fn attempt(&mut self, picked: Picked<K>) -> Duration {
        let Picked {
            slot,
            attempt,
            order,
            ..
        } = picked;
        let began = self.shared.now();
        self.desk.begin(Arc::clone(&slot), began);
        self.note("start", &slot);
        if self.shared.is_stepwise {
            yield_now().await;
        }
        let job = Job::new(slot, attempt);
        let outcome = self.generate(&job).await;
        if self.shared.is_stepwise {
            yield_now().await;
        }
        let ended = self.shared.now();
        if let Some(current) = self.desk.end() {
            if let Some(cancelled) = current.cancelled {
                let latency = ended.saturating_sub(cancelled);
                self.shared.cancel_latencies.record(latency);
            }
            self.settle(current.slot, order, outcome, ended.saturating_sub(began));
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
                        desk: &self.desk,
                        span,
                    };
                    return attempt.await;
                }
                Err(message) => Err(message),
            },
        };
        Outcome::from(made)
    }

    fn settle(&self, slot: Arc<Slot<K>>, order: u64, outcome: Outcome<T>, took: Duration) {
        let shared = &self.shared;
        match outcome {
            Outcome::Made(content) => {
                self.note("made", &slot);
                shared.counts.generated.fetch_add(1, Ordering::Relaxed);
                shared.generation_times.record(took);
                if slot.complete(took) {
                    shared.left(JobState::InFlight);
                    shared.counts.completed.fetch_add(1, Ordering::AcqRel);
                    self.desk.put_result(Finished {
                        slot,
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
                    let _span = tracing::debug_span!("chunk_discard", key = ?slot.key).entered();
                    if let Err(message) = panics::discard(content) {
                        shared.counts.discard_panics.fetch_add(1, Ordering::Relaxed);
                        tracing::warn!(key = ?slot.key, "dropping an unwanted result panicked: {message}");
                    }
                    shared.places.release();
                }
            }
            Outcome::Failed { message, panicked } => {
                self.note("fault", &slot);
                if slot.advance(JobState::InFlight, JobState::Retrying) {
                    shared.left(JobState::InFlight);
                }
                let fault = Fault {
                    slot,
                    message,
                    panicked,
                    holds_place: true,
                };
                put_fault(shared, &self.desk, fault);
            }
            Outcome::Abandoned => {
                self.note("abandon", &slot);
                shared.places.release();
            }
        }
    }
}

fn put_fault<K: Key, T, R: Rank<K>>(shared: &Shared<K, T, R>, desk: &Desk<K, T>, fault: Fault<K>) {
    desk.put_fault(fault);
    shared.counts.faults.fetch_add(1, Ordering::Release);
}

impl<K: Key, T, R: Rank<K>> Runner<K, T, R> {
    /// Lets the picker know that the last key is no longer running here.
    fn release_key(&mut self) {
        if let Some(key) = self.holding.take() {
            self.shared.finish(&key);
        }
    }

    fn note(&self, event: &str, slot: &Slot<K>) {
        let (key, version) = (&slot.key, slot.version.get());
        tracing::trace!(?key, version, event);
        if let Some(simulation) = &self.shared.simulation {
            simulation.note(format_args!("{event} {key:?} v{version}"));
        }
    }
}

impl<K: Key, T, R: Rank<K>> Drop for Runner<K, T, R> {
    fn drop(&mut self) {
        if let Some(current) = self.desk.end() {
            let slot = current.slot;
            if slot.advance(JobState::InFlight, JobState::Retrying) {
                self.shared.left(JobState::InFlight);
            }
            let fault = Fault {
                slot,
                message: "its executor dropped the runner".to_owned(),
                panicked: false,
                holds_place: true,
            };
            put_fault(&self.shared, &self.desk, fault);
        }
        self.release_key();
        if let Some(simulation) = &self.shared.simulation {
            simulation.note(format_args!("leave"));
        }
        // The desk first: whoever learns from the gate that a runner may start needs a free one.
        self.desk.leave();
        if !self.has_left {
            self.shared.gate.abandon();
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
    desk: &'a Desk<K, T>,
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
                self.desk.wait(cx.waker());
                // The cancellation may have come before there was anyone to wake.
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
