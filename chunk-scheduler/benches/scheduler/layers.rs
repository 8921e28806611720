//! What layers save, and what they cost.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use chunk_scheduler::{
    GenerateError, Generator, Job, Layer, Layers, Runtime, Scheduler, SchedulerConfig,
};

use super::{
    Key, Near, drain_and_apply,
    figures::Figures,
    yardsticks::{Work, square},
};

/// More than the values of any of these rows take.
const ENOUGH: usize = 1 << 30;

/// The time in which these chunks are generated and applied on this thread.
fn fill(generator: Generator<Key, u64>, keys: &[Key]) -> Duration {
    let runtime = Runtime::Inline {
        budget: Duration::MAX,
    };
    let config = SchedulerConfig {
        completed_capacity: 65_536,
        backlog_capacity: 65_536,
        ..SchedulerConfig::default()
    };
    let mut scheduler = Scheduler::new(config, generator, runtime, Near([0; 3]))
        .expect("the configuration is valid");
    let began = Instant::now();
    for key in keys {
        scheduler.request(*key);
    }
    scheduler.tick(Duration::ZERO);
    drain_and_apply(&mut scheduler, &mut Vec::new());
    assert_eq!(scheduler.counters().applied, keys.len() as u64);
    began.elapsed()
}

fn layer(make: impl Fn(Key) -> u64 + Send + Sync + 'static) -> Layer<Key, u64> {
    Layers::new().add("values", ENOUGH, |_: &u64| 8, move |_, key| Ok(make(key)))
}

fn sum_of_layer(layer: &Layer<Key, u64>, around: fn(Key) -> Vec<Key>) -> Generator<Key, u64> {
    let layer = layer.clone();
    Generator::fallible(move |job: &Job<Key>| {
        (around(job.key()).into_iter()).try_fold(0_u64, |sum, key| {
            Ok::<_, GenerateError>(sum.wrapping_add(*layer.read(job, key)?))
        })
    })
}

fn sum_of(make: fn(Key) -> u64, around: fn(Key) -> Vec<Key>) -> Generator<Key, u64> {
    Generator::new(move |job: &Job<Key>| {
        (around(job.key()).into_iter()).fold(0_u64, |sum, key| sum.wrapping_add(make(key)))
    })
}

/// Nine.
fn around(key: Key) -> Vec<Key> {
    cube(key, 0)
}

/// Twenty-seven.
fn all_around(key: Key) -> Vec<Key> {
    cube(key, 1)
}

fn cube([x, y, z]: Key, height: i32) -> Vec<Key> {
    let beside = |at: i32| at - 1..=at + 1;
    let planes = y - height..=y + height;
    let row = |y| beside(x).flat_map(move |x| beside(z).map(move |z| [x, y, z]));
    planes.flat_map(row).collect()
}

fn costly(key: Key) -> u64 {
    Work::taking(Duration::from_micros(20)).run(key[0])
}

fn cheap([x, y, z]: Key) -> u64 {
    black_box(x.wrapping_mul(31) ^ y.wrapping_mul(17) ^ z) as u64
}

pub(crate) fn measure(figures: &mut Figures) {
    figures.group = "chunks";
    let keys: Vec<Key> = square(1_000).collect();
    let name = "layers: generated on one thread from 9 values, over computing these for each";
    figures.ratio(name, 2.0, || {
        let layered = fill(sum_of_layer(&layer(costly), around), &keys);
        let alone = fill(sum_of(costly, around), &keys);
        (alone.as_secs_f64(), layered.as_secs_f64())
    });
    // All that a chunk costs more than one of a plain closure, for each of its look-ups.
    let name = "layers: a look-up that hits, of 27 by each chunk";
    figures.at_most(name, 200.0, "ns", || {
        let layer = layer(cheap);
        fill(sum_of_layer(&layer, all_around), &keys);
        let made = layer.report().made;
        // The least, because what else the machine does only adds to it.
        let least = |fill: &dyn Fn() -> Duration| (0..10).map(|_| fill()).min();
        let layered = least(&|| fill(sum_of_layer(&layer, all_around), &keys));
        let plain = least(&|| fill(sum_of(cheap, all_around), &keys));
        assert_eq!(layer.report().made, made);
        let (layered, plain) = (layered.unwrap_or_default(), plain.unwrap_or_default());
        let more = layered.saturating_sub(plain).as_nanos() as f64;
        more / (27 * keys.len()) as f64
    });
}
