//! The scheduler: ranking and picking, and ticks in which nothing changed.

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

/// A scheduler with a long queue, and its workers, which go on only when they are polled by hand.
fn queued() -> (Scheduler<Key, u64, Near>, Workers) {
    let workers = Workers::default();
    let spawned = Arc::clone(&workers);
    let runtime = Runtime::custom(1, move |worker| {
        let mut workers = spawned.lock().unwrap_or_else(PoisonError::into_inner);
        workers.push(worker);
    });
    let config = SchedulerConfig {
        max_in_flight: 1,
        completed_capacity: PICKS,
        ..SchedulerConfig::default()
    };
    let generator = Generator::new(|job: &Job<Key>| u64::from(job.key()[0].unsigned_abs()));
    let mut scheduler =
        Scheduler::new(config, generator, runtime, Near([0; 2])).expect("the settings are valid");
    for x in 0..QUEUED {
        for z in 0..QUEUED {
            scheduler.request([x, z]);
        }
    }
    scheduler.tick(Duration::ZERO);
    (scheduler, workers)
}

pub(super) fn pick() -> Path {
    let (mut scheduler, workers) = queued();
    Box::new(move || {
        scheduler.publish(Near([QUEUED, QUEUED]));
        scheduler.tick(FRAME);
        let mut workers = workers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut context = Context::from_waker(Waker::noop());
        while scheduler.depths().completed < PICKS {
            // A worker without a job ends; the result queue has room for all picks.
            workers.retain_mut(|worker| worker.as_mut().poll(&mut context).is_pending());
            assert!(!workers.is_empty() || scheduler.depths().completed == PICKS);
        }
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
