//! Records each frame of a run, and sums up at the end.

use std::time::Duration;

use chunk_apply::ApplyBudget;
use hdrhistogram::Histogram;

use super::frame_cost::{Cause, FrameCost};
use super::outcome::Outcome;
use super::report::tenths;

/// How many of the longest frames are kept.
const LONGEST: usize = 5;

/// Histograms and sums over the frames of a run.
#[derive(Debug)]
pub(super) struct Recorder {
    budget: Option<Duration>,
    main_thread_ns: Histogram<u64>,
    stream_alone_ns: Histogram<u64>,
    whole_ns: Histogram<u64>,
    caused_ns: Histogram<u64>,
    latency_us: Histogram<u64>,
    frames: u64,
    over_budget: u64,
    over_16ms: u64,
    late_by_stream: u64,
    longest: Vec<FrameCost>,
    coverage: f64,
    covered_frames: u64,
}

impl Recorder {
    pub(super) fn new(budget: ApplyBudget) -> Self {
        Self {
            budget: budget.time,
            main_thread_ns: histogram(),
            stream_alone_ns: histogram(),
            whole_ns: histogram(),
            caused_ns: histogram(),
            latency_us: histogram(),
            frames: 0,
            over_budget: 0,
            over_16ms: 0,
            late_by_stream: 0,
            longest: Vec::with_capacity(LONGEST + 1),
            coverage: 0.0,
            covered_frames: 0,
        }
    }

    /// A frame was played.
    pub(super) fn frame(&mut self, cost: FrameCost) {
        let is_over = |budget| cost.stream > budget;
        self.frames += 1;
        self.over_budget += u64::from(self.budget.is_some_and(is_over));
        if cost.is_late() {
            self.over_16ms += 1;
            let is_by_stream = cost.cause(self.budget) == Cause::Stream;
            self.late_by_stream += u64::from(is_by_stream);
        }
        record(&mut self.main_thread_ns, cost.stream.as_nanos());
        record(&mut self.stream_alone_ns, cost.stream_alone().as_nanos());
        record(&mut self.whole_ns, cost.whole.as_nanos());
        record(&mut self.caused_ns, cost.caused.as_nanos());
        let rank = self
            .longest
            .partition_point(|longer| longer.whole >= cost.whole);
        if rank < LONGEST {
            self.longest.insert(rank, cost);
            self.longest.truncate(LONGEST);
        }
    }

    /// How many of the wanted chunks were loaded in a frame. A frame in which none is wanted does not count.
    pub(super) fn coverage(&mut self, loaded: usize, wanted: usize) {
        if wanted > 0 {
            self.coverage += loaded as f64 / wanted as f64;
            self.covered_frames += 1;
        }
    }

    /// A chunk became visible this long after it became wanted.
    pub(super) fn latency(&mut self, latency: Duration) {
        record(&mut self.latency_us, latency.as_micros());
    }

    pub(super) fn write_to(&self, outcome: &mut Outcome) {
        let alone =
            |quantile| Duration::from_nanos(self.stream_alone_ns.value_at_quantile(quantile));
        outcome.stream_alone_p99 = alone(0.99);
        outcome.stream_alone_max = alone(1.0);
        outcome.late_by_stream = self.late_by_stream;
        outcome.longest_frames.clone_from(&self.longest);
        let report = &mut outcome.report;
        let us_of = |histogram: &Histogram<u64>, quantile| {
            tenths(histogram.value_at_quantile(quantile) as f64 / 1e3)
        };
        let us = |quantile| us_of(&self.main_thread_ns, quantile);
        let ms = |quantile| tenths(self.latency_us.value_at_quantile(quantile) as f64 / 1e3);
        report.frames = self.frames;
        report.main_thread_us_p50 = us(0.5);
        report.main_thread_us_p99 = us(0.99);
        report.main_thread_us_max = us(1.0);
        report.budget_us = self.budget.unwrap_or_default().as_secs_f64() * 1e6;
        report.frames_over_budget = self.over_budget;
        report.whole_frame_us_p50 = us_of(&self.whole_ns, 0.5);
        report.whole_frame_us_p99 = us_of(&self.whole_ns, 0.99);
        report.whole_frame_us_max = us_of(&self.whole_ns, 1.0);
        report.caused_us_p99 = us_of(&self.caused_ns, 0.99);
        report.frames_over_16ms = self.over_16ms;
        report.coverage = if self.covered_frames == 0 {
            1.0
        } else {
            (self.coverage / self.covered_frames as f64 * 1e5).round() / 1e5
        };
        report.latency_ms_p50 = ms(0.5);
        report.latency_ms_p99 = ms(0.99);
        report.latency_ms_max = ms(1.0);
    }
}

/// An hour in nanoseconds, which no frame takes.
const MOST: u64 = 3_600_000_000_000;

/// A histogram with three significant digits that allocates all of its memory now: one that grew with its largest value
/// would look like a leak in a long session.
pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, MOST, 3).expect("the bounds and the precision make sense")
}

fn record(histogram: &mut Histogram<u64>, value: u128) {
    let recorded = histogram.record(u64::try_from(value).unwrap_or(MOST).min(MOST));
    debug_assert!(recorded.is_ok(), "the value is within the bounds");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(stream_us: u64, whole_us: u64) -> FrameCost {
        FrameCost {
            stream: Duration::from_micros(stream_us),
            caused: Duration::from_micros(2 * stream_us),
            whole: Duration::from_micros(whole_us),
            ..FrameCost::default()
        }
    }

    fn summed_up(recorder: &Recorder) -> Outcome {
        let mut outcome = Outcome::default();
        recorder.write_to(&mut outcome);
        outcome
    }

    #[test]
    fn a_run_is_summed_up() {
        let mut recorder = Recorder::new(ApplyBudget::DEFAULT);
        for micros in [100, 100, 100, 2_500] {
            recorder.frame(frame(micros, micros * 10));
        }
        recorder.coverage(0, 0);
        recorder.coverage(5, 10);
        recorder.coverage(10, 10);
        recorder.latency(Duration::from_millis(17));
        let report = summed_up(&recorder).report;
        assert_eq!(report.frames, 4);
        assert_eq!(report.frames_over_budget, 1);
        assert_eq!(report.frames_over_16ms, 1);
        assert_eq!(report.main_thread_us_p50, 100.0);
        assert!((report.whole_frame_us_p50 - 1_000.0).abs() < 5.0);
        assert!((report.whole_frame_us_max - 25_000.0).abs() < 50.0);
        assert!((report.caused_us_p99 - 5_000.0).abs() < 10.0);
        assert!((report.main_thread_us_max - 2_500.0).abs() < 5.0);
        assert_eq!(report.coverage, 0.75);
        assert!((report.latency_ms_p99 - 17.0).abs() < 0.1);
    }

    #[test]
    fn the_longest_frames_are_kept_and_the_streams_late_ones_counted() {
        let mut recorder = Recorder::new(ApplyBudget::DEFAULT);
        for whole in [3_000, 20_000, 1_000, 30_000, 2_000, 5_000, 4_000] {
            recorder.frame(frame(1_000, whole));
        }
        recorder.frame(FrameCost {
            preempted: Some(Duration::from_millis(9)),
            ..frame(10_000, 17_000)
        });
        recorder.frame(frame(12_000, 18_000));
        let outcome = summed_up(&recorder);
        let longest = outcome
            .longest_frames
            .iter()
            .map(|cost| cost.whole.as_millis());
        assert_eq!(longest.collect::<Vec<_>>(), [30, 20, 18, 17, 5]);
        assert_eq!(outcome.report.frames_over_16ms, 4);
        assert_eq!(outcome.late_by_stream, 1, "{outcome:#?}");
        assert_eq!(outcome.stream_alone_max.as_millis(), 12);
    }

    #[test]
    fn without_a_limit_by_time_no_frame_is_over_it_and_without_wanted_chunks_all_are_loaded() {
        let mut recorder = Recorder::new(ApplyBudget::unlimited());
        recorder.frame(frame(50_000, 1_000));
        let report = summed_up(&recorder).report;
        assert_eq!((report.budget_us, report.frames_over_budget), (0.0, 0));
        assert_eq!(report.coverage, 1.0);
    }

    #[test]
    fn a_histogram_never_grows() {
        let mut histogram = histogram();
        let before = histogram.distinct_values();
        for value in [0, 1, 1_000_000, u128::from(MOST), u128::MAX] {
            record(&mut histogram, value);
        }
        assert_eq!(histogram.distinct_values(), before);
        assert_eq!(histogram.len(), 5);
    }
}
