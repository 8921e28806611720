//! Criterion groups that also print how many times faster the first way is than the others.

use std::cell::RefCell;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion};

/// One case of a table: this crate's way first, then the plain ways it is compared with.
pub(crate) struct Case<'a> {
    group: BenchmarkGroup<'a, WallTime>,
    name: &'static str,
    medians: Vec<(&'static str, f64)>,
}

impl<'a> Case<'a> {
    pub(crate) fn new(criterion: &'a mut Criterion, name: &'static str) -> Self {
        let mut group = criterion.benchmark_group(name);
        group
            .sample_size(40)
            .warm_up_time(Duration::from_millis(500))
            .measurement_time(Duration::from_secs(2));
        Self {
            group,
            name,
            medians: Vec::new(),
        }
    }

    /// Measures `routine`.
    pub(crate) fn way<T>(&mut self, way: &'static str, mut routine: impl FnMut() -> T) {
        self.way_after(way, || (), |()| routine());
    }

    /// Measures `routine` without the `setup` before each call.
    pub(crate) fn way_after<S, T>(
        &mut self,
        way: &'static str,
        mut setup: impl FnMut() -> S,
        mut routine: impl FnMut(S) -> T,
    ) {
        let samples = RefCell::new(Vec::new());
        let is_bare = size_of::<S>() == 0;
        self.group.bench_function(way, |bencher| {
            bencher.iter_custom(|iterations| {
                let mut took = Duration::ZERO;
                if is_bare {
                    let start = Instant::now();
                    for _ in 0..iterations {
                        black_box(routine(setup()));
                    }
                    took = start.elapsed();
                } else {
                    for _ in 0..iterations {
                        let input = setup();
                        let start = Instant::now();
                        let output = black_box(routine(input));
                        took += start.elapsed();
                        drop(output);
                    }
                }
                let each = took.as_nanos() as f64 / iterations as f64;
                samples.borrow_mut().push(each);
                took
            });
        });
        let mut samples = samples.into_inner();
        samples.sort_by(f64::total_cmp);
        if !samples.is_empty() {
            self.medians.push((way, samples[samples.len() / 2]));
        }
    }
}

impl Drop for Case<'_> {
    fn drop(&mut self) {
        if let Some(&(_, own)) = self.medians.first() {
            for &(way, median) in &self.medians {
                println!(
                    "RATIO {:<28} {way:<24} {:>11.3} µs {:>8.1}×",
                    self.name,
                    median / 1e3,
                    median / own
                );
            }
        }
    }
}
