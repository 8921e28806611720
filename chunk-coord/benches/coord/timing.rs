//! The time that work takes on a machine that does other work as well.

use std::time::{Duration, Instant};

/// How long each piece of work took, of those during which the system ran nothing else on the thread's processor.
///
/// On a machine with other work the longest of many thousand pieces is one that waited for the processor, which
/// says nothing about the work.
#[derive(Default)]
pub(crate) struct Timings {
    took: Vec<Duration>,
    interrupted: usize,
}

impl Timings {
    pub(crate) fn measure(&mut self, work: impl FnOnce()) {
        let before = interruptions();
        let start = Instant::now();
        work();
        let took = start.elapsed();
        if interruptions() == before {
            self.took.push(took);
        } else {
            self.interrupted += 1;
        }
    }

    /// What so many of a thousand pieces took at most, in microseconds.
    pub(crate) fn longest_of(&mut self, per_mille: usize) -> f64 {
        self.took.sort_unstable();
        let rank = self.took.len() * per_mille / 1000;
        let took = self.took.get(rank.min(self.took.len().saturating_sub(1)));
        took.map_or(f64::NAN, |took| took.as_nanos() as f64 / 1e3)
    }

    pub(crate) fn tell(&self, what: &str) {
        let (count, interrupted) = (self.took.len(), self.interrupted);
        println!("{count} {what}, and {interrupted} during which the system ran something else");
    }
}

/// How often this thread had to give way; always 0 where the system does not tell.
fn interruptions() -> u64 {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let lines = status
        .lines()
        .filter_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"));
    lines
        .filter_map(|count| count.trim().parse::<u64>().ok())
        .sum()
}

/// The time that this thread has spent on a processor: what else the machine does is not part of it.
///
/// Where the system does not tell, the time that has passed.
pub(crate) fn spent() -> Duration {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    }
    #[cfg(not(unix))]
    {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }
}
