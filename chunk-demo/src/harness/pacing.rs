//! How frames follow each other: at 60 Hz as on a screen, or at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chunk_apply::{Clock, ManualClock, MonotonicClock};

use super::settings::Settings;

/// How frames follow each other.
#[derive(Clone, Debug, Default)]
pub enum Pacing {
    /// At 60 Hz, as in a game.
    #[default]
    RealTime,
    /// At once, while workers take the time they take.
    Unpaced,
    /// At once, on a clock that moves by a sixtieth of a second each frame: budgets by time never run out, and
    /// everything that depends on time is the same in each run.
    Stepped(ManualClock),
}

impl Pacing {
    /// The time between two frames.
    pub const FRAME: Duration =
        Duration::from_nanos(1_000_000_000 / Settings::FRAMES_PER_SECOND as u64);

    /// The clock that the stream measures with.
    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        match self {
            Self::RealTime | Self::Unpaced => Arc::new(MonotonicClock::default()),
            Self::Stepped(clock) => Arc::new(clock.clone()),
        }
    }
}

/// Waits between frames.
#[derive(Debug)]
pub(super) struct FrameLimiter {
    pacing: Pacing,
    next: Instant,
}

impl FrameLimiter {
    pub(super) fn new(pacing: Pacing) -> Self {
        Self {
            pacing,
            next: Instant::now() + Pacing::FRAME,
        }
    }

    /// Returns when the next frame is due.
    pub(super) fn wait(&mut self) {
        if let Pacing::RealTime = self.pacing {
            let now = Instant::now();
            if self.next > now {
                std::thread::sleep(self.next - now);
                self.next += Pacing::FRAME;
            } else {
                // A late frame does not make the following ones early.
                self.next = now + Pacing::FRAME;
            }
        } else {
            self.skip();
        }
    }

    /// Lets a frame pass without waiting, at 60 Hz as well.
    pub(super) fn skip(&mut self) {
        if let Pacing::Stepped(clock) = &self.pacing {
            clock.advance(Pacing::FRAME);
        } else {
            std::thread::yield_now();
        }
    }
}
