//! Criterion groups that also print how many times faster the first way is than the others.

use std::cell::RefCell;
use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion};

use crate::print::Figure;
use crate::timing::spent;

/// One case of a table: this crate's way first, then the plain ways it is compared with.
pub(crate) struct Case<'a> {
    group: BenchmarkGroup<'a, WallTime>,
    name: String,
    /// How many times faster than the second way the first should be.
    target: Option<f64>,
    medians: Vec<(&'static str, f64)>,
}

impl<'a> Case<'a> {
    /// `target` is how many times faster than the second way the first should be.
    pub(crate) fn new(
        criterion: &'a mut Criterion,
        name: impl Into<String>,
        target: Option<f64>,
    ) -> Self {
        let name = name.into();
        let mut group = criterion.benchmark_group(&name);
        group
            .sample_size(40)
            .warm_up_time(Duration::from_millis(300))
            .measurement_time(Duration::from_secs(1));
        Self {
            group,
            name,
            target,
            medians: Vec::new(),
        }
    }

    /// Measures `routine`, and returns the median in nanoseconds.
    pub(crate) fn way<T>(&mut self, way: &'static str, routine: impl FnMut() -> T) -> f64 {
        self.way_of(way, 1, routine)
    }

    /// Measures `routine`, which does as much as `parts` do: the figure is for one of them.
    pub(crate) fn way_of<T>(
        &mut self,
        way: &'static str,
        parts: u32,
        mut routine: impl FnMut() -> T,
    ) -> f64 {
        let whole = self.way_after(way, || (), |()| routine());
        let each = whole / f64::from(parts);
        if let Some((_, median)) = self.medians.last_mut() {
            *median = each;
        }
        each
    }

    /// Measures `routine` without the `setup` before each call.
    pub(crate) fn way_after<S, T>(
        &mut self,
        way: &'static str,
        mut setup: impl FnMut() -> S,
        mut routine: impl FnMut(S) -> T,
    ) -> f64 {
        let samples = RefCell::new(Vec::new());
        let is_bare = size_of::<S>() == 0;
        self.group.bench_function(way, |bencher| {
            bencher.iter_custom(|iterations| {
                let mut took = Duration::ZERO;
                if is_bare {
                    let start = spent();
                    for _ in 0..iterations {
                        black_box(routine(setup()));
                    }
                    took = spent() - start;
                } else {
                    for _ in 0..iterations {
                        let input = setup();
                        let start = spent();
                        let output = black_box(routine(input));
                        took += spent() - start;
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
        // There are none where criterion only lists what there is.
        let median = samples.get(samples.len() / 2).copied();
        self.medians.extend(median.map(|median| (way, median)));
        median.unwrap_or(f64::NAN)
    }
}

/// Pairs of samples that [`Case::in_turns`] takes, and how long each sample lasts.
const PAIRS: usize = 31;
const SAMPLE: Duration = Duration::from_millis(10);

impl Case<'_> {
    /// Measures the first two ways once more, in turns, and takes the pair in the middle: a machine whose speed changes
    /// changes it for both.
    pub(crate) fn in_turns<T, U>(
        &mut self,
        mut own: impl FnMut() -> T,
        mut plain: impl FnMut() -> U,
    ) {
        // None where criterion only lists what there is.
        if self.medians.len() < 2 {
            return;
        }
        let mut pairs: Vec<_> = (0..PAIRS)
            .map(|nth| {
                if nth % 2 == 0 {
                    (each(&mut own), each(&mut plain))
                } else {
                    let plain = each(&mut plain);
                    (each(&mut own), plain)
                }
            })
            .collect();
        pairs.sort_by(|one, other| (one.1 / one.0).total_cmp(&(other.1 / other.0)));
        let (own, plain) = pairs[PAIRS / 2];
        self.medians[0].1 = own;
        self.medians[1].1 = plain;
    }
}

/// Nanoseconds that each of as many calls takes as fill a sample.
fn each<T>(mut routine: impl FnMut() -> T) -> f64 {
    let (start, mut calls, mut took) = (spent(), 0, Duration::ZERO);
    while took < SAMPLE {
        // Looking at this clock costs as much as a fast call.
        let are_slow = took > SAMPLE / 100 * calls;
        let few = if calls == 0 || are_slow { 1 } else { 16 };
        for _ in 0..few {
            black_box(routine());
        }
        calls += few;
        took = spent() - start;
    }
    took.as_nanos() as f64 / f64::from(calls)
}

impl Drop for Case<'_> {
    fn drop(&mut self) {
        let Some(&(_, own)) = self.medians.first() else {
            return;
        };
        for (index, &(way, median)) in self.medians.iter().enumerate().skip(1) {
            // The target holds against the first plain way; the others are for comparison.
            let (name, target) = match index {
                1 => (self.name.clone(), self.target),
                _ => (format!("{} ({way})", self.name), None),
            };
            figure(&name, own / 1e3, Some(median / 1e3), target);
        }
    }
}

/// Prints a figure in microseconds, in the form that `cargo xtask bench` gathers.
pub(crate) fn figure(bench: &str, value: f64, yardstick: Option<f64>, target: Option<f64>) {
    let figure = Figure::new(bench, "us", value);
    let figure = match yardstick {
        Some(yardstick) => figure.against(yardstick),
        None => figure,
    };
    println!("{}", Figure { target, ..figure });
}
