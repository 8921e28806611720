//! The scheduler: requests, ranking and picking, delivery, and ticks in which nothing changed.

use std::hint::black_box;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use chunk_scheduler::{Generator, Job, Rank, Runtime, Scheduler, SchedulerConfig};

use super::Path;

type Key = [i32; 2];
type Workers = Arc<Mutex<Vec<Pin<Box<dyn Future<Output = ()> + Send>>>>>;

const QUEUED: i32 = 100;
const PICKS: usize = 256;
/// The keys that are requested and delivered are a square of this side.
const SIDE: i32 = 32;
const DELIVERED: usize = 1_024;
const FRAME: Duration = Duration::from_millis(16);

#[derive(Clone, Copy, Debug)]
struct Near(Key);

impl Rank<Key> for Near {
    type Priority = u64;

    fn rank(&self, key: &Key) -> u64 {
        let axes = key.iter().zip(self.0);
        axes.map(|(a, b)| u64::from(a.abs_diff(b)).pow(2)).sum()
    }
}

/// A scheduler, and its workers, which go on only when they are polled by hand.
fn scheduler(completed_capacity: usize) -> (Scheduler<Key, u64, Near>, Workers) {
    let workers = Workers::default();
    let spawned = Arc::clone(&workers);
    let runtime = Runtime::custom(1, move |worker| {
        let mut workers = spawned.lock().unwrap_or_else(PoisonError::into_inner);
        workers.push(worker);
    });
    let config = SchedulerConfig {
        max_in_flight: 1,
        completed_capacity,
        backlog_capacity: completed_capacity,
        ..SchedulerConfig::default()
    };
    let generator = Generator::new(|job: &Job<Key>| u64::from(job.key()[0].unsigned_abs()));
    let scheduler =
        Scheduler::new(config, generator, runtime, Near([0; 2])).expect("the settings are valid");
    (scheduler, workers)
}

/// The same with a long queue.
fn queued() -> (Scheduler<Key, u64, Near>, Workers) {
    let (mut scheduler, workers) = scheduler(PICKS);
    request(&mut scheduler, QUEUED);
    scheduler.tick(Duration::ZERO);
    (scheduler, workers)
}

/// Requests a square of keys.
fn request(scheduler: &mut Scheduler<Key, u64, Near>, side: i32) {
    for x in 0..side {
        for z in 0..side {
            scheduler.request([x, z]);
        }
    }
}

/// Lets the workers make results until so many wait.
fn complete(scheduler: &Scheduler<Key, u64, Near>, workers: &Workers, results: usize) {
    let mut workers = workers.lock().unwrap_or_else(PoisonError::into_inner);
    let mut context = Context::from_waker(Waker::noop());
    while scheduler.depths().completed < results {
        // A worker without a job ends.
        workers.retain_mut(|worker| worker.as_mut().poll(&mut context).is_pending());
        assert!(!workers.is_empty() || scheduler.depths().completed == results);
    }
}

pub(super) fn pick() -> Path {
    let (mut scheduler, workers) = queued();
    Box::new(move || {
        scheduler.publish(Near([QUEUED, QUEUED]));
        scheduler.tick(FRAME);
        complete(&scheduler, &workers, PICKS);
    })
}

pub(super) fn at_rest() -> Path {
    let (mut scheduler, workers) = queued();
    Box::new(move || {
        for frame in 1..=1_000 {
            scheduler.tick(black_box(FRAME * frame));
        }
        black_box(&workers);
    })
}

pub(super) fn requests() -> Path {
    let (mut scheduler, workers) = scheduler(DELIVERED);
    scheduler.tick(Duration::ZERO);
    Box::new(move || {
        request(&mut scheduler, SIDE);
        scheduler.tick(FRAME);
        black_box(&workers);
    })
}

pub(super) fn deliveries() -> Path {
    let (mut scheduler, workers) = scheduler(DELIVERED);
    request(&mut scheduler, SIDE);
    scheduler.tick(Duration::ZERO);
    complete(&scheduler, &workers, DELIVERED);
    let mut ready = Vec::with_capacity(DELIVERED);
    Box::new(move || {
        scheduler.drain(usize::MAX, |result| {
            ready.push((result.key, result.version))
        });
        for (key, version) in ready.drain(..) {
            assert!(scheduler.applied(key, version));
        }
    })
}
