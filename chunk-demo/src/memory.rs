//! How much memory the process holds.

/// The most memory that the process ever held, in bytes: `VmHWM` of `/proc/self/status`. 0 on systems without that
/// file.
#[must_use]
pub fn peak_rss_bytes() -> u64 {
    status_bytes("VmHWM:")
}

/// The memory that the process holds now, in bytes: `VmRSS` of `/proc/self/status`. 0 on systems without that file.
#[must_use]
pub fn rss_bytes() -> u64 {
    status_bytes("VmRSS:")
}

fn status_bytes(field: &str) -> u64 {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else {
        return 0;
    };
    kilobytes(&status, field).unwrap_or(0) * 1024
}

fn kilobytes(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.starts_with(field))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// Memory over time, and whether it grows.
#[derive(Clone, Debug, Default)]
pub(crate) struct MemoryTrend {
    samples: Vec<(f64, f64)>,
}

impl MemoryTrend {
    pub(crate) fn sample(&mut self, frame: u64) {
        self.push(frame, rss_bytes());
    }

    fn push(&mut self, frame: u64, bytes: u64) {
        self.samples.push((frame as f64, bytes as f64));
    }

    /// The slope of the straight line through the second half of the samples, in bytes a frame. The first half warms
    /// up: pools, tables and the allocator grow to their working size.
    pub(crate) fn slope(&self) -> f64 {
        let late = self.late();
        let count = late.len() as f64;
        let mean = |pick: fn(&(f64, f64)) -> f64| late.iter().map(pick).sum::<f64>() / count;
        let (mean_frame, mean_bytes) = (mean(|sample| sample.0), mean(|sample| sample.1));
        let (mut covariance, mut variance) = (0.0, 0.0);
        for (frame, bytes) in late {
            covariance += (frame - mean_frame) * (bytes - mean_bytes);
            variance += (frame - mean_frame).powi(2);
        }
        if variance > 0.0 {
            covariance / variance
        } else {
            0.0
        }
    }

    /// The first sample of the second half, in bytes.
    pub(crate) fn at_half(&self) -> u64 {
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
    fn a_field_is_read_in_kilobytes() {
        let status = "Name:\tdemo\nVmPeak:\t  9000 kB\nVmHWM:\t    5120 kB\nVmRSS:\t 4096 kB\n";
        assert_eq!(kilobytes(status, "VmHWM:"), Some(5120));
        assert_eq!(kilobytes(status, "VmSwap:"), None);
        assert_eq!(kilobytes("VmHWM: lots", "VmHWM:"), None);
    }

    #[test]
    fn the_slope_ignores_the_warm_up() {
        let mut trend = MemoryTrend::default();
        assert_eq!((trend.slope(), trend.at_half()), (0.0, 0));
        for frame in 0..100 {
            trend.push(frame, 1_000_000 * frame.min(50));
        }
        assert_eq!(trend.slope(), 0.0);
        for frame in 100..200 {
            trend.push(frame, 50_000_000 + 7 * (frame - 100));
        }
        assert!((trend.slope() - 7.0).abs() < 1e-6, "{}", trend.slope());
        assert_eq!(trend.at_half(), 50_000_000);
    }
}
