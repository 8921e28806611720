//! Shows on standard error how far a run is: a bar on a terminal, and a line now and then in a log.

use core::ops::ControlFlow;
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use chunk_demo::{Phase, Progress, Watcher};
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

use crate::interrupt::Interrupt;

/// How often the bar is drawn.
const BAR_EVERY: Duration = Duration::from_millis(100);
/// How often a line is printed where there is no terminal. indicatif prints nothing there, and a log should show that
/// the run goes on.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Shows on standard error how much of something is done.
#[derive(Debug)]
pub(crate) struct Meter {
    name: String,
    bar: ProgressBar,
    is_terminal: bool,
    started: Instant,
    /// When it was last shown.
    last: Option<Duration>,
}

impl Meter {
    pub(crate) fn new(name: &str) -> Self {
        let style = ProgressStyle::with_template("{prefix} [{bar:30}] {percent:>3} %, {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        Self {
            name: name.to_owned(),
            bar: (ProgressBar::new(1).with_style(style)).with_prefix(name.to_owned()),
            is_terminal: stderr().is_terminal(),
            started: Instant::now(),
            last: None,
        }
    }

    /// How long ago it was made.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Shows so much of all, and the state, if it is time to.
    pub(crate) fn show(&mut self, done: u64, all: u64, state: impl FnOnce() -> String) {
        let every = if self.is_terminal {
            BAR_EVERY
        } else {
            LINE_EVERY
        };
        let elapsed = self.elapsed();
        if self
            .last
            .is_some_and(|last| elapsed.saturating_sub(last) < every)
        {
            return;
        }
        self.last = Some(elapsed);
        let state = state();
        if self.is_terminal {
            self.bar.set_length(all);
            self.bar.set_position(done);
            self.bar.set_message(state);
        } else {
            let percent = done * 100 / all.max(1);
            eprintln!("{}: {percent} %, {state}", self.name);
        }
    }

    /// Shows the next state whenever it comes.
    fn hurry(&mut self) {
        self.last = None;
    }

    /// Removes the bar, so that the next output takes its place.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// Shows the progress of a run, and ends the run when the user presses Ctrl-C.
#[derive(Debug)]
pub(crate) struct Display {
    meter: Meter,
    interrupt: Interrupt,
    /// The phase that was last shown.
    phase: Phase,
    /// How long the runs after this one will take.
    later: Duration,
}

impl Display {
    pub(crate) fn new(name: &str, interrupt: Interrupt) -> Self {
        Self {
            meter: Meter::new(name),
            interrupt,
            phase: Phase::Running,
            later: Duration::ZERO,
        }
    }

    /// The display of the first of several runs. The others will take about the given time.
    pub(crate) fn followed_by(self, later: Duration) -> Self {
        Self { later, ..self }
    }

    /// Removes the bar, so that the next output takes its place.
    pub(crate) fn finish(&self) {
        self.meter.finish();
    }
}

impl Watcher for Display {
    fn frame(&mut self, progress: &Progress) -> ControlFlow<()> {
        if core::mem::replace(&mut self.phase, progress.phase) != progress.phase {
            self.meter.hurry();
        }
        let elapsed = self.meter.elapsed();
        (self.meter).show(progress.frame, progress.frames, || {
            state(progress, elapsed, self.later)
        });
        if self.interrupt.is_new() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// What a run is doing, and how long it and those after it will take.
fn state(progress: &Progress, elapsed: Duration, later: Duration) -> String {
    let Progress { loaded, wanted, .. } = progress;
    let doing = match progress.phase {
        Phase::Running => format!("{loaded} of {wanted} chunks"),
        Phase::Settling => format!("coming to rest, {loaded} of {wanted} chunks"),
        Phase::Unloading => "unloading everything".to_owned(),
    };
    // The frames to come are expected to take as long as those before.
    let frames = progress.frames.saturating_sub(progress.frame);
    let left = elapsed.mul_f64(frames as f64 / progress.frame.max(1) as f64);
    let all = if later.is_zero() {
        String::new()
    } else {
        format!(", {} in all", HumanDuration(left + later))
    };
    format!("{doing}, {} left{all}", HumanDuration(left))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chunk_demo::FrameCost;

    fn at(frame: u64, phase: Phase) -> Progress {
        Progress {
            phase,
            frame,
            frames: 900,
            loaded: 30,
            wanted: 441,
            cost: FrameCost::default(),
        }
    }

    #[test]
    fn a_line_says_how_many_chunks_are_loaded_and_how_long_the_run_will_take() {
        let second = Duration::from_secs(1);
        let running = at(60, Phase::Running);
        assert_eq!(
            state(&running, second, Duration::ZERO),
            "30 of 441 chunks, 14 seconds left"
        );
        assert_eq!(
            state(&running, second, Duration::from_secs(106)),
            "30 of 441 chunks, 14 seconds left, 2 minutes in all"
        );
        assert_eq!(
            state(&at(900, Phase::Settling), second, Duration::ZERO),
            "coming to rest, 30 of 441 chunks, 0 seconds left"
        );
        assert_eq!(
            state(&at(900, Phase::Unloading), second, Duration::ZERO),
            "unloading everything, 0 seconds left"
        );
    }
}
