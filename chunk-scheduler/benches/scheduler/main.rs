//! The figures of this crate: `cargo bench -p chunk-scheduler`.
//!
//! At the end the figures are printed next to their bounds. The yardsticks run in the same process, with the same
//! work.

mod figures;
mod layers;
mod teleports;
mod yardsticks;

use std::{
    hint::black_box,
    sync::{
        Arc, Mutex,
        mpsc::{Sender, channel},
    },
    time::{Duration, Instant},
};

use bevy_tasks::{TaskPool, TaskPoolBuilder};
use chunk_scheduler::{Generator, Job, Rank, Runtime, Scheduler, SchedulerConfig, available_cores};
use criterion::Criterion;
use figures::Figures;
use yardsticks::{Work, at_60_hz, bare, distance_sq, original, square, task_per_chunk};

type Key = [i32; 3];

#[derive(Clone, Copy, Debug)]
struct Near(Key);

impl Rank<Key> for Near {
    type Priority = u64;

    fn rank(&self, key: &Key) -> u64 {
        distance_sq(*key, self.0)
    }
}

fn pool(threads: usize) -> Arc<TaskPool> {
    Arc::new(TaskPoolBuilder::new().num_threads(threads).build())
}

/// A scheduler with as many workers as the pool has threads.
fn scheduler(runtime: Runtime, threads: usize, work: Work) -> Scheduler<Key, u64, Near> {
    let config = SchedulerConfig {
        max_in_flight: threads,
        // Workers make tens of thousands of cheap chunks in 16 ms.
        completed_capacity: 65_536,
        backlog_capacity: 65_536,
        ..SchedulerConfig::default()
    };
    let generator = Generator::new(move |job: &Job<Key>| work.run(job.key()[0]));
    Scheduler::new(config, generator, runtime, Near([0; 3])).expect("the configuration is valid")
}

fn drain_and_apply(
    scheduler: &mut Scheduler<Key, u64, Near>,
    ready: &mut Vec<(Key, chunk_scheduler::Version)>,
) {
    scheduler.drain(usize::MAX, |result| {
        black_box(result.content);
        ready.push((result.key, result.version));
    });
    for (key, version) in ready.drain(..) {
        assert!(scheduler.applied(key, version));
    }
}

/// Chunks per second at 60 Hz while jobs are always queued.
fn steady_rate(threads: usize, work: Work, duration: Duration) -> f64 {
    let mut scheduler = scheduler(Runtime::pool(pool(threads)), threads, work);
    let (mut ready, mut next) = (Vec::new(), 0);
    // From the second frame on, when the queue has been filled.
    let mut began = None;
    at_60_hz(|now| {
        while scheduler.depths().queued < 50_000 {
            scheduler.request([next, 0, 0]);
            next += 1;
        }
        scheduler.tick(now);
        drain_and_apply(&mut scheduler, &mut ready);
        if began.is_none() && !now.is_zero() {
            began = Some((Instant::now(), scheduler.counters().generated));
        }
        now >= duration
    });
    let (began, before) = began.expect("there were frames");
    (scheduler.counters().generated - before) as f64 / began.elapsed().as_secs_f64()
}

/// Fills `keys`; returns frames and the main thread's time.
fn fill(pool: &Arc<TaskPool>, keys: &[Key], work: Work, workers: usize) -> (u32, Duration) {
    let mut scheduler = scheduler(Runtime::pool(Arc::clone(pool)), workers, work);
    let mut ready = Vec::new();
    at_60_hz(|now| {
        if scheduler.counters().requested == 0 {
            for key in keys {
                scheduler.request(*key);
            }
        }
        scheduler.tick(now);
        drain_and_apply(&mut scheduler, &mut ready);
        scheduler.depths().live() == 0
    })
}

fn throughput(figures: &mut Figures) {
    let threads = available_cores();
    for (name, cost, floor) in [
        ("200 µs generator: chunks/s over bare threads", 200, 0.95),
        ("20 µs generator: chunks/s over bare threads", 20, 0.85),
        ("1 µs generator: chunks/s over bare threads", 1, 0.3),
    ] {
        let work = Work::taking(Duration::from_micros(cost));
        let slice = Duration::from_millis(250);
        figures.ratio(name, floor, || {
            // In turns, so that a change of the machine's speed affects both.
            let (mut ours, mut bare) = (0.0, 0.0);
            for _ in 0..6 {
                bare += bare::chunks_per_second(threads, work, slice) / 6.0;
                ours += steady_rate(threads, work, slice) / 6.0;
            }
            (ours, bare)
        });
    }
}

fn against_the_usual_shape(figures: &mut Figures) {
    let keys: Vec<_> = square(2_000).collect();
    let work = Work::taking(Duration::from_micros(200));
    let pool = pool(1);
    figures.ratio(
        "task per chunk: main-thread time, theirs over ours",
        3.0,
        || {
            let (_, theirs) = task_per_chunk::fill(&pool, &keys, work);
            let (_, ours) = fill(&pool, &keys, work, 1);
            (theirs.as_secs_f64(), ours.as_secs_f64())
        },
    );
}

fn against_the_original(figures: &mut Figures) {
    let keys: Vec<_> = square(400).collect();
    let work = Work::taking(Duration::from_micros(5));
    let pool = pool(1);
    figures.ratio(
        "original algorithm: chunks/s, ours over theirs",
        50.0,
        || {
            // Both count frames, because a chunk is shown at the end of a frame.
            let theirs = keys.len() as f64 / f64::from(original::fill(&pool, &keys, work));
            let ours = keys.len() as f64 / f64::from(fill(&pool, &keys, work, 1).0);
            (ours, theirs)
        },
    );
}

/// The same per chunk as below, while a worker finishes one after the other.
fn main_thread_cost_under_way(figures: &mut Figures) {
    let name = "main thread while workers run: request, tick, drain and apply, per chunk";
    figures.at_most(name, 300.0, "ns", || {
        let mut scheduler = scheduler(Runtime::pool(pool(1)), 1, Work::taking(Duration::ZERO));
        let (mut ready, mut next, mut busy) = (Vec::new(), 0, Duration::ZERO);
        let began = Instant::now();
        while scheduler.counters().applied < 200_000 {
            let frame = Instant::now();
            for _ in 0..500 {
                scheduler.request([next, 0, 0]);
                next += 1;
            }
            scheduler.tick(frame - began);
            drain_and_apply(&mut scheduler, &mut ready);
            busy += frame.elapsed();
            // The worker still has jobs when the next frame begins.
            while scheduler.depths().queued > 2_000 {
                std::thread::yield_now();
            }
        }
        busy.as_nanos() as f64 / scheduler.counters().applied as f64
    });
}

/// What one chunk costs the main thread, from its request until it is applied.
fn main_thread_cost(criterion: &mut Criterion, figures: &mut Figures) {
    const CHUNKS: usize = 2_000;
    let keys: Vec<_> = square(CHUNKS).collect();
    let mut scheduler = scheduler(Runtime::pool(pool(1)), 1, Work::taking(Duration::ZERO));
    let mut ready = Vec::new();
    let mut now = Duration::ZERO;
    let mut round = |scheduler: &mut Scheduler<Key, u64, Near>| {
        let began = Instant::now();
        for key in &keys {
            scheduler.request(*key);
        }
        now += Duration::from_millis(16);
        scheduler.tick(now);
        let busy = began.elapsed();
        while scheduler.depths().completed < CHUNKS {
            std::thread::yield_now();
        }
        let began = Instant::now();
        drain_and_apply(scheduler, &mut ready);
        busy + began.elapsed()
    };
    let name = "main thread: request, tick, drain and apply, per chunk";
    criterion.bench_function(name, |bencher| {
        bencher.iter_custom(|rounds| {
            (0..rounds).map(|_| round(&mut scheduler)).sum::<Duration>() / CHUNKS as u32
        });
    });
    figures.at_most(name, 300.0, "ns", || {
        round(&mut scheduler).as_nanos() as f64 / CHUNKS as f64
    });
}

/// A hundred thousand queued jobs, and a worker whose generator blocks until the sender is dropped.
fn with_a_long_queue() -> (Scheduler<Key, u64, Near>, Sender<()>) {
    let (unblock, wait) = channel();
    let wait = Mutex::new(wait);
    let generator = Generator::new(move |_: &Job<Key>| {
        let _ = wait.lock().map(|wait| wait.recv());
        0
    });
    let config = SchedulerConfig {
        max_in_flight: 1,
        ..SchedulerConfig::default()
    };
    let runtime = Runtime::pool(pool(1));
    let mut scheduler = Scheduler::new(config, generator, runtime, Near([0; 3]))
        .expect("the configuration is valid");
    for key in square(100_000) {
        scheduler.request(key);
    }
    scheduler.tick(Duration::ZERO);
    while scheduler.depths().in_flight == 0 {
        std::thread::yield_now();
    }
    (scheduler, unblock)
}

fn quiet(criterion: &mut Criterion, figures: &mut Figures) {
    let (mut scheduler, unblock) = with_a_long_queue();
    let mut now = Duration::ZERO;
    let mut tick = |scheduler: &mut Scheduler<Key, u64, Near>| {
        now += Duration::from_millis(16);
        scheduler.tick(black_box(now));
    };
    let name = "tick with 100,000 queued and nothing changed";
    criterion.bench_function(name, |bencher| bencher.iter(|| tick(&mut scheduler)));
    figures.at_most(name, 1_000.0, "ns", || {
        let began = Instant::now();
        for _ in 0..1_000 {
            tick(&mut scheduler);
        }
        began.elapsed().as_nanos() as f64 / 1_000.0
    });
    drop(unblock);
}

/// A viewer that moves every frame, with 100,000 jobs queued that a worker re-ranks each time.
fn moving(figures: &mut Figures) {
    let work = Work::taking(Duration::from_micros(200));
    let name = "re-rank of 100,000 queued: main-thread time, the worst of 60 frames";
    figures.at_most(name, 20_000.0, "ns", || {
        let mut scheduler = scheduler(Runtime::pool(pool(1)), 1, work);
        for key in square(100_000) {
            scheduler.request(key);
        }
        scheduler.tick(Duration::ZERO);
        let mut worst = Duration::ZERO;
        let mut frames = 0;
        at_60_hz(|now| {
            frames += 1;
            let began = Instant::now();
            scheduler.publish(Near([frames, 0, 0]));
            scheduler.tick(now);
            worst = worst.max(began.elapsed());
            frames == 60
        });
        worst.as_nanos() as f64
    });
}

fn main() {
    let mut criterion = Criterion::default()
        .configure_from_args()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    let mut figures = Figures::from_args();
    main_thread_cost(&mut criterion, &mut figures);
    main_thread_cost_under_way(&mut figures);
    quiet(&mut criterion, &mut figures);
    moving(&mut figures);
    throughput(&mut figures);
    against_the_usual_shape(&mut figures);
    against_the_original(&mut figures);
    teleports::measure(&mut figures);
    layers::measure(&mut figures);
    criterion.final_summary();
    figures.print();
}
