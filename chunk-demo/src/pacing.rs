//! How long a frame takes: as long as on a screen, or no longer than its work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chunk_apply::{Clock, ManualClock, MonotonicClock};

use crate::settings::Settings;

/// How frames follow each other.
#[derive(Clone, Debug, Default)]
pub enum Pacing {
    /// At 60 Hz by the clock on the wall, as in a game.
    #[default]
    RealTime,
    /// At once, while workers take the time they take.
    Unpaced,
    /// At once, on a clock that moves by a sixtieth of a second each frame: budgets by time never run out and
    /// everything that depends on time is the same in each run.
    Stepped(ManualClock),
}

impl Pacing {
    /// The time between two frames.
    pub const FRAME: Duration =
        Duration::from_nanos(1_000_000_000 / Settings::FRAMES_PER_SECOND as u64);

    /// The clock that the stream measures with.
    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        match self {
            Self::RealTime | Self::Unpaced => Arc::new(MonotonicClock::default()),
            Self::Stepped(clock) => Arc::new(clock.clone()),
        }
    }
}

/// Keeps the pace.
#[derive(Debug)]
pub(crate) struct Metronome {
    pacing: Pacing,
    next: Instant,
}

impl Metronome {
    pub(crate) fn new(pacing: Pacing) -> Self {
        Self {
            pacing,
            next: Instant::now() + Pacing::FRAME,
        }
    }

    /// Returns when it is time for the next frame.
    pub(crate) fn wait(&mut self) {
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
            self.hurry();
        }
    }

    /// Lets a frame pass without waiting, even at a real pace.
    pub(crate) fn hurry(&mut self) {
        if let Pacing::Stepped(clock) = &self.pacing {
            clock.advance(Pacing::FRAME);
        } else {
            std::thread::yield_now();
        }
    }
}
