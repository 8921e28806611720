//! Writes down each frame, and sums up at the end.

use std::time::Duration;

use chunk_apply::{ApplyBudget, StreamingFrame};
use hdrhistogram::Histogram;

use crate::report::{Report, tenths};

/// A frame at 60 Hz.
const FRAME: Duration = Duration::from_nanos(16_666_667);

/// Histograms and sums over the frames of a run.
#[derive(Debug)]
pub(crate) struct Recorder {
    budget: Option<Duration>,
    main_thread_ns: Histogram<u64>,
    latency_us: Histogram<u64>,
    frames: u64,
    over_budget: u64,
    over_16ms: u64,
    coverage: f64,
    covered_frames: u64,
}

impl Recorder {
    pub(crate) fn new(budget: ApplyBudget) -> Self {
        Self {
            budget: budget.time,
            main_thread_ns: histogram(),
            latency_us: histogram(),
            frames: 0,
            over_budget: 0,
            over_16ms: 0,
            coverage: 0.0,
            covered_frames: 0,
        }
    }

    /// A frame in which the stream took what it reports, and everything together took `whole`.
    pub(crate) fn frame(&mut self, stream: StreamingFrame, whole: Duration) {
        let main_thread = stream.main_thread();
        self.frames += 1;
        self.over_budget += u64::from(self.budget.is_some_and(|budget| main_thread > budget));
        self.over_16ms += u64::from(whole > FRAME);
        record(&mut self.main_thread_ns, main_thread.as_nanos());
    }

    /// How many of the wanted chunks are there in a frame. A frame in which none is wanted says nothing.
    pub(crate) fn coverage(&mut self, present: usize, wanted: usize) {
        if wanted > 0 {
            self.coverage += present as f64 / wanted as f64;
            self.covered_frames += 1;
        }
    }

    /// A chunk became visible so long after it was wanted.
    pub(crate) fn latency(&mut self, latency: Duration) {
        record(&mut self.latency_us, latency.as_micros());
    }

    pub(crate) fn write_to(&self, report: &mut Report) {
        let us = |quantile| tenths(self.main_thread_ns.value_at_quantile(quantile) as f64 / 1e3);
        let ms = |quantile| tenths(self.latency_us.value_at_quantile(quantile) as f64 / 1e3);
        report.frames = self.frames;
        report.main_thread_us_p50 = us(0.5);
        report.main_thread_us_p99 = us(0.99);
        report.main_thread_us_max = us(1.0);
        report.budget_us = self.budget.unwrap_or_default().as_secs_f64() * 1e6;
        report.frames_over_budget = self.over_budget;
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

/// Three significant digits; it grows to what it holds.
fn histogram() -> Histogram<u64> {
    Histogram::new(3).expect("three digits are a precision that histograms have")
}

fn record(histogram: &mut Histogram<u64>, value: u128) {
    // An hour in nanoseconds, which no frame takes, bounds what it grows to.
    const MOST: u128 = 3_600_000_000_000;
    let recorded = histogram.record(u64::try_from(value.min(MOST)).unwrap_or(u64::MAX));
    debug_assert!(recorded.is_ok(), "a growing histogram takes every value");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(micros: u64) -> StreamingFrame {
        StreamingFrame {
            scan: Duration::from_micros(micros),
            ..StreamingFrame::default()
        }
    }

    #[test]
    fn a_run_is_summed_up() {
        let mut recorder = Recorder::new(ApplyBudget::DEFAULT);
        for micros in [100, 100, 100, 2_500] {
            recorder.frame(frame(micros), Duration::from_millis(micros / 100));
        }
        recorder.coverage(0, 0);
        recorder.coverage(5, 10);
        recorder.coverage(10, 10);
        recorder.latency(Duration::from_millis(17));
        let mut report = Report::default();
        recorder.write_to(&mut report);
        assert_eq!(report.frames, 4);
        assert_eq!(report.frames_over_budget, 1);
        assert_eq!(report.frames_over_16ms, 1);
        assert_eq!(report.main_thread_us_p50, 100.0);
        assert!((report.main_thread_us_max - 2_500.0).abs() < 5.0);
        assert_eq!(report.coverage, 0.75);
        assert!((report.latency_ms_p99 - 17.0).abs() < 0.1);
    }

    #[test]
    fn without_a_limit_by_time_no_frame_is_over_it() {
        let mut recorder = Recorder::new(ApplyBudget::original());
        recorder.frame(frame(50_000), Duration::from_millis(1));
        let mut report = Report::default();
        recorder.write_to(&mut report);
        assert_eq!((report.budget_us, report.frames_over_budget), (0.0, 0));
    }

    #[test]
    fn a_run_that_wants_nothing_is_covered() {
        let mut report = Report::default();
        Recorder::new(ApplyBudget::DEFAULT).write_to(&mut report);
        assert_eq!(report.coverage, 1.0);
    }
}
