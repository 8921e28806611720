//! A histogram of durations, of fixed size, that any thread can write to.

use std::time::Duration;

use crate::sync::{AtomicU64, Ordering};

/// Buckets per doubling, so that quantiles are accurate within one part in eight.
const STEPS: usize = 8;
const STEP_BITS: u32 = STEPS.trailing_zeros();
/// Durations beyond 2⁴⁴ ns, which is almost five hours, are in the last bucket.
const DOUBLINGS: usize = if cfg!(loom) { 1 } else { 42 };

/// A summary of durations, from a histogram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DurationSummary {
    /// How many durations were recorded.
    pub count: u64,
    /// The exact mean.
    pub mean: Duration,
    /// The median, at most an eighth too high.
    pub p50: Duration,
    /// The 99th percentile, at most an eighth too high.
    pub p99: Duration,
    /// The exact maximum.
    pub max: Duration,
}

/// Records durations from any thread, in a few kilobytes.
///
/// ```
/// use chunk_scheduler::DurationRecorder;
/// use std::time::Duration;
///
/// let recorder = DurationRecorder::new();
/// recorder.record(Duration::from_micros(200));
/// assert_eq!(recorder.summary().max, Duration::from_micros(200));
/// ```
#[derive(Debug)]
pub struct DurationRecorder {
    buckets: [AtomicU64; DOUBLINGS * STEPS],
    total_nanos: AtomicU64,
    max_nanos: AtomicU64,
}

impl DurationRecorder {
    /// An empty recorder.
    #[must_use]
    pub fn new() -> Self {
        Self {
            buckets: std::array::from_fn(|_| AtomicU64::new(0)),
            total_nanos: AtomicU64::new(0),
            max_nanos: AtomicU64::new(0),
        }
    }

    /// Adds one duration, of at most 584 years.
    pub fn record(&self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket_of(nanos)].fetch_add(1, Ordering::Relaxed);
        self.total_nanos.fetch_add(nanos, Ordering::Relaxed);
        self.max_nanos.fetch_max(nanos, Ordering::Relaxed);
    }

    /// A summary of what was recorded so far.
    #[must_use]
    pub fn summary(&self) -> DurationSummary {
        let counts = self.buckets.each_ref().map(|b| b.load(Ordering::Relaxed));
        let count: u64 = counts.iter().sum();
        let Some(mean) = self.total_nanos.load(Ordering::Relaxed).checked_div(count) else {
            return DurationSummary::default();
        };
        let max = self.max_nanos.load(Ordering::Relaxed);
        let quantile = |per_cent: u64| {
            let rank = (count * per_cent).div_ceil(100).max(1);
            let mut seen = 0;
            let bucket = counts.iter().position(|in_bucket| {
                seen += in_bucket;
                seen >= rank
            });
            Duration::from_nanos(bucket.map_or(max, upper_bound).min(max))
        };
        DurationSummary {
            count,
            mean: Duration::from_nanos(mean),
            p50: quantile(50),
            p99: quantile(99),
            max: Duration::from_nanos(max),
        }
    }
}

impl Default for DurationRecorder {
    fn default() -> Self {
        Self::new()
    }
}

/// The number of the duration's bucket, which fits into ten bits.
#[expect(
    clippy::cast_possible_truncation,
    reason = "there are fewer than 1,024 buckets"
)]
pub(crate) fn coarse(duration: Duration) -> u16 {
    bucket_of(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)) as u16
}

/// The middle of the bucket, which is accurate within one part in sixteen.
pub(crate) fn from_coarse(code: u16) -> Duration {
    let bucket = usize::from(code);
    let above = upper_bound(bucket);
    let below = bucket.checked_sub(1).map_or(0, upper_bound);
    Duration::from_nanos(below + (above - below).div_ceil(2))
}

/// Small numbers have buckets of their own. Of others the exponent and the three bits after the leading one count.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the value was shifted down to a few bits"
)]
fn bucket_of(nanos: u64) -> usize {
    if nanos < STEPS as u64 {
        return (nanos as usize).min(DOUBLINGS * STEPS - 1);
    }
    let doubling = nanos.ilog2() - STEP_BITS;
    let step = (nanos >> doubling) as usize - STEPS;
    let index = (doubling as usize + 1) * STEPS + step;
    index.min(DOUBLINGS * STEPS - 1)
}

fn upper_bound(bucket: usize) -> u64 {
    let (row, step) = (bucket / STEPS, (bucket % STEPS) as u64);
    match row.checked_sub(1) {
        None => step,
        Some(doubling) => ((STEPS as u64 + step + 1) << doubling) - 1,
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_bounds_its_durations_and_its_middle_is_near() {
        for nanos in [0, 1, 7, 8, 9, 1_000, 123_456, 20_000_000, 60_000_000_000] {
            let bound = upper_bound(bucket_of(nanos));
            assert!(bound >= nanos, "{bound} < {nanos}");
            assert!(bound <= nanos + nanos / 8, "{bound} for {nanos}");
            let middle = from_coarse(coarse(Duration::from_nanos(nanos))).as_nanos();
            let error = middle.abs_diff(u128::from(nanos));
            assert!(error <= u128::from(nanos / 16) + 1, "{middle} for {nanos}");
        }
        assert!(coarse(Duration::MAX) < 1 << 10);
    }

    #[test]
    fn the_longest_duration_has_a_bucket() {
        let times = DurationRecorder::new();
        times.record(Duration::MAX);
        assert_eq!(times.summary().max, Duration::from_nanos(u64::MAX));
    }

    #[test]
    fn a_summary_distinguishes_the_typical_from_the_longest() {
        let times = DurationRecorder::new();
        assert_eq!(times.summary(), DurationSummary::default());
        for _ in 0..199 {
            times.record(Duration::from_micros(100));
        }
        times.record(Duration::from_millis(10));
        let summary = times.summary();
        assert_eq!(summary.count, 200);
        assert!(summary.p50 < Duration::from_micros(113));
        assert!(summary.p99 < Duration::from_micros(113));
        assert_eq!(summary.max, Duration::from_millis(10));
        assert_eq!(summary.mean, Duration::from_nanos(149_500));
    }
}
