//! How much memory the process holds, and whether it grows.

/// The most memory that the process held since [`reset_peak_rss`], in bytes: `VmHWM` of `/proc/self/status`. 0 on systems
/// without that file.
pub(super) fn peak_rss_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    kilobytes(&status, "VmHWM:").unwrap_or(0) * 1024
}

/// Lets [`peak_rss_bytes`] begin anew, so that a run does not inherit the peak of the one before. Where the system
/// cannot, the peak is that of the whole process.
pub(super) fn reset_peak_rss() {
    // 5 is the peak alone; see proc_pid_clear_refs(5).
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn kilobytes(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.starts_with(field))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Samples of the memory in use.
#[derive(Clone, Debug, Default)]
pub(super) struct MemoryTrend {
    samples: Vec<(f64, f64)>,
}

impl MemoryTrend {
    pub(super) fn sample(&mut self, frame: u64, bytes: u64) {
        self.samples.push((frame as f64, bytes as f64));
    }

    /// The slope of the straight line through the second half of the samples, in bytes a frame, if there are enough.
    /// The first half is the warm-up: pools, tables and queues grow to their working size.
    pub(super) fn slope(&self) -> Option<f64> {
        let late = self.late();
        let count = late.len() as f64;
        let mean = |pick: fn(&(f64, f64)) -> f64| late.iter().map(pick).sum::<f64>() / count;
        let (mean_frame, mean_bytes) = (mean(|sample| sample.0), mean(|sample| sample.1));
        let (mut covariance, mut variance) = (0.0, 0.0);
        for (frame, bytes) in late {
            covariance += (frame - mean_frame) * (bytes - mean_bytes);
            variance += (frame - mean_frame).powi(2);
        }
        (variance > 0.0).then(|| covariance / variance)
    }

    /// The first sample of the second half, in bytes.
    pub(super) fn at_half(&self) -> u64 {
        self.late().first().map_or(0, |sample| sample.1 as u64)
    }

    fn late(&self) -> &[(f64, f64)] {
        &self.samples[self.samples.len() / 2..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slope_ignores_the_warm_up() {
        let mut trend = MemoryTrend::default();
        assert_eq!((trend.slope(), trend.at_half()), (None, 0));
        trend.sample(0, 5);
        assert_eq!(trend.slope(), None, "one sample says nothing");
        let mut trend = MemoryTrend::default();
        for frame in 0..100 {
            trend.sample(frame, 1_000_000 * frame.min(50));
        }
        assert_eq!(trend.slope(), Some(0.0));
        for frame in 100..200 {
            trend.sample(frame, 50_000_000 + 7 * (frame - 100));
        }
        let slope = trend.slope().expect("there are enough samples");
        assert!((slope - 7.0).abs() < 1e-6, "{slope}");
        assert_eq!(trend.at_half(), 50_000_000);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_peak_is_forgotten_when_a_run_begins() {
        // Every byte is written, so that the system maps the memory.
        let big = vec![1_u8; 64 << 20];
        assert!(std::hint::black_box(&big).iter().all(|byte| *byte == 1));
        drop(big);
        let before = peak_rss_bytes();
        reset_peak_rss();
        let after = peak_rss_bytes();
        assert!(after + (32 << 20) < before, "{before} {after}");
    }
}
