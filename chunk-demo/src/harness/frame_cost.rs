//! What a frame cost, and why it was long: the stream, the rest of the frame, or other threads that ran meanwhile.

use std::fs::File;
use std::io::{Read, Seek};
use std::time::Duration;

use super::pacing::Pacing;

/// What a frame cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameCost {
    /// The frame's number, from 0.
    pub frame: u64,
    /// Time of everything in the frame, Bevy's own systems included.
    pub whole: Duration,
    /// Time of the stream's systems.
    pub stream: Duration,
    /// The part of `whole` that the stream caused: `stream`, and what its entities cost the rest of the frame.
    pub caused: Duration,
    /// How long the main thread was runnable while another thread had its core: one of another program, or a worker
    /// where there are fewer cores than threads. `None` where the system does not say.
    pub preempted: Option<Duration>,
    /// Entities that the stream spawned.
    pub spawned: usize,
    /// Entities that the stream despawned.
    pub despawned: usize,
    /// Entities that the stream hid because their chunks left.
    pub hidden: usize,
}

/// Why a frame was as long as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Without the time in which other threads had the core, the frame would have been in time.
    Preempted,
    /// The stream took more than its budget allows.
    Stream,
    /// Everything else in the frame.
    Rest,
}

impl FrameCost {
    /// The least that the stream took: all of the time in which other threads had the core may be in `stream`.
    #[must_use]
    pub fn stream_alone(&self) -> Duration {
        self.stream
            .saturating_sub(self.preempted.unwrap_or_default())
    }

    /// Whether the frame was too long for 60 a second.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.whole > Pacing::FRAME
    }

    /// Why the frame was long, where the stream may take `budget`, and half a frame without one.
    #[must_use]
    pub fn cause(&self, budget: Option<Duration>) -> Cause {
        let allowed = budget.map_or(Pacing::FRAME / 2, |budget| budget + budget / 20);
        let preempted = self.preempted.unwrap_or_default();
        if self.stream_alone() > allowed {
            Cause::Stream
        } else if preempted > self.whole / 2
            || (self.is_late() && self.whole.saturating_sub(preempted) <= Pacing::FRAME)
        {
            Cause::Preempted
        } else {
            Cause::Rest
        }
    }
}

/// How long the thread that opened it has waited for a core: Linux's `/proc/thread-self/schedstat`.
#[derive(Debug)]
pub(super) struct RunDelay {
    file: Option<File>,
}

impl RunDelay {
    pub(super) fn open() -> Self {
        Self {
            file: File::open("/proc/thread-self/schedstat").ok(),
        }
    }

    /// The time since the thread began. `None` where the system does not say.
    pub(super) fn total(&mut self) -> Option<Duration> {
        let file = self.file.as_mut()?;
        let mut line = [0; 96];
        file.rewind().ok()?;
        let length = file.read(&mut line).ok()?;
        run_delay(core::str::from_utf8(&line[..length]).ok()?)
    }
}

/// The second of three numbers, in nanoseconds.
fn run_delay(line: &str) -> Option<Duration> {
    let nanos = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Option<Duration> = Some(Duration::from_millis(2));

    fn frame(whole: u64, stream: u64, preempted: Option<u64>) -> FrameCost {
        FrameCost {
            frame: 7,
            whole: Duration::from_micros(whole),
            stream: Duration::from_micros(stream),
            preempted: preempted.map(Duration::from_micros),
            ..FrameCost::default()
        }
    }

    #[test]
    fn the_cause_is_the_stream_other_threads_or_the_rest() {
        for (cost, budget, cause) in [
            (frame(20_000, 9_000, Some(0)), BUDGET, Cause::Stream),
            (frame(20_000, 9_000, Some(100)), BUDGET, Cause::Stream),
            (frame(20_000, 9_000, Some(0)), None, Cause::Stream),
            (frame(20_000, 9_000, None), BUDGET, Cause::Stream),
            (frame(20_000, 9_000, Some(8_000)), BUDGET, Cause::Preempted),
            (frame(30_000, 1_900, Some(500)), BUDGET, Cause::Rest),
            (frame(3_000, 1_900, Some(0)), BUDGET, Cause::Rest),
        ] {
            assert_eq!(cost.cause(budget), cause, "{cost:?}");
        }
        let preempted = frame(20_000, 9_000, Some(8_000));
        assert_eq!(preempted.stream_alone(), Duration::from_millis(1));
        assert!(frame(30_000, 0, None).is_late() && !frame(16_000, 0, None).is_late());
    }

    #[test]
    fn the_run_delay_is_the_second_number() {
        let delay = Duration::from_nanos(26_838);
        assert_eq!(run_delay("72898608 26838 40\n"), Some(delay));
        assert_eq!(run_delay(""), None);
        assert_eq!(run_delay("1 many 2"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_says_how_long_a_thread_waited() {
        let mut delay = RunDelay::open();
        let first = delay.total().expect("the kernel counts");
        assert!(delay.total().expect("the kernel goes on counting") >= first);
    }
}
