//! Why a frame took long: our systems, the rest of the frame, or another program that ran meanwhile.

use std::fs::File;
use std::io::{Read, Seek};
use std::time::Duration;

use crate::pacing::Pacing;

/// What a frame cost, and who is to blame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameCost {
    /// Which frame.
    pub frame: u64,
    /// Everything in the frame, Bevy's own systems included.
    pub whole: Duration,
    /// The stream's systems.
    pub stream: Duration,
    /// For how long the main thread could have run and another thread ran instead: other programs, and our own workers
    /// where there are fewer cores than threads. `None` where the system does not say.
    pub pushed_aside: Option<Duration>,
}

/// What made a frame as long as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The main thread was not running for so long that without that the frame had been in time.
    PushedAside,
    /// The stream took more than its budget allows.
    Stream,
    /// Everything else in the frame.
    Rest,
}

impl FrameCost {
    /// What the stream took, at least: all of the time in which the thread was pushed aside may have been the stream's.
    #[must_use]
    pub fn stream_alone(&self) -> Duration {
        self.stream
            .saturating_sub(self.pushed_aside.unwrap_or_default())
    }

    /// Whether the frame was too long for 60 a second.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.whole > Pacing::FRAME
    }

    /// Who is to blame, where the stream's systems may take `budget`.
    #[must_use]
    pub fn cause(&self, budget: Option<Duration>) -> Cause {
        // Without a limit by time, half a frame is what nobody should have to give.
        let allowed = budget.map_or(Pacing::FRAME / 2, |budget| budget + budget / 20);
        let pushed_aside = self.pushed_aside.unwrap_or_default();
        if self.stream_alone() > allowed {
            Cause::Stream
        } else if pushed_aside > self.whole / 2
            || (self.is_late() && self.whole.saturating_sub(pushed_aside) <= Pacing::FRAME)
        {
            Cause::PushedAside
        } else {
            Cause::Rest
        }
    }
}

/// For how long the thread that opened it has waited for a core: Linux's `/proc/thread-self/schedstat`.
#[derive(Debug)]
pub(crate) struct RunQueue {
    file: Option<File>,
}

impl RunQueue {
    pub(crate) fn open() -> Self {
        Self {
            file: File::open("/proc/thread-self/schedstat").ok(),
        }
    }

    /// Since the thread began. `None` where the system does not say.
    pub(crate) fn waited(&mut self) -> Option<Duration> {
        let file = self.file.as_mut()?;
        let mut line = [0; 96];
        file.rewind().ok()?;
        let length = file.read(&mut line).ok()?;
        waited(core::str::from_utf8(&line[..length]).ok()?)
    }
}

/// The second of three numbers, in nanoseconds.
fn waited(line: &str) -> Option<Duration> {
    let nanos = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Option<Duration> = Some(Duration::from_millis(2));

    fn frame(whole: u64, stream: u64, pushed_aside: u64) -> FrameCost {
        FrameCost {
            frame: 7,
            whole: Duration::from_micros(whole),
            stream: Duration::from_micros(stream),
            pushed_aside: Some(Duration::from_micros(pushed_aside)),
        }
    }

    #[test]
    fn a_stream_beyond_its_budget_is_to_blame() {
        assert_eq!(frame(20_000, 9_000, 0).cause(BUDGET), Cause::Stream);
        assert_eq!(frame(20_000, 9_000, 100).cause(BUDGET), Cause::Stream);
        assert_eq!(frame(20_000, 9_000, 0).cause(None), Cause::Stream);
    }

    #[test]
    fn a_thread_that_did_not_run_is_not() {
        let frame = frame(20_000, 9_000, 8_000);
        assert_eq!(frame.cause(BUDGET), Cause::PushedAside);
        assert_eq!(frame.stream_alone(), Duration::from_millis(1));
    }

    #[test]
    fn what_neither_explains_is_the_rest() {
        assert_eq!(frame(30_000, 1_900, 500).cause(BUDGET), Cause::Rest);
        assert_eq!(frame(3_000, 1_900, 0).cause(BUDGET), Cause::Rest);
        assert!(frame(30_000, 0, 0).is_late() && !frame(16_000, 0, 0).is_late());
    }

    #[test]
    fn where_the_system_does_not_say_all_of_it_counts() {
        let silent = FrameCost {
            pushed_aside: None,
            ..frame(20_000, 9_000, 0)
        };
        assert_eq!(silent.cause(BUDGET), Cause::Stream);
    }

    #[test]
    fn waiting_is_the_second_number() {
        assert_eq!(
            waited("72898608 26838 40\n"),
            Some(Duration::from_nanos(26_838))
        );
        assert_eq!(waited(""), None);
        assert_eq!(waited("1 many 2"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_says_how_long_a_thread_waited() {
        let mut queue = RunQueue::open();
        let first = queue.waited().expect("the kernel counts");
        assert!(queue.waited().expect("it goes on counting") >= first);
    }
}
