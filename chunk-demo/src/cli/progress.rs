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

/// Shows the progress of a run, and ends the run when the user presses Ctrl-C.
#[derive(Debug)]
pub(crate) struct Display {
    name: String,
    bar: ProgressBar,
    is_terminal: bool,
    interrupt: Interrupt,
    started: Instant,
    /// When progress was last shown, and in which phase.
    last: Option<(Phase, Duration)>,
    /// How long the runs after this one will take.
    later: Duration,
}

impl Display {
    pub(crate) fn new(name: &str, interrupt: Interrupt) -> Self {
        let style = ProgressStyle::with_template("{prefix} [{bar:30}] {percent:>3} %, {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        Self {
            name: name.to_owned(),
            bar: (ProgressBar::new(1).with_style(style)).with_prefix(name.to_owned()),
            is_terminal: stderr().is_terminal(),
            interrupt,
            started: Instant::now(),
            last: None,
            later: Duration::ZERO,
        }
    }

    /// The display of the first of several runs. The others will take about the given time.
    pub(crate) fn followed_by(self, later: Duration) -> Self {
        Self { later, ..self }
    }

    /// Removes the bar, so that the next output takes its place.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn is_due(&self, phase: Phase, elapsed: Duration) -> bool {
        let every = if self.is_terminal {
            BAR_EVERY
        } else {
            LINE_EVERY
        };
        self.last
            .is_none_or(|(last, at)| last != phase || elapsed.saturating_sub(at) >= every)
    }
}

impl Watcher for Display {
    fn frame(&mut self, progress: &Progress) -> ControlFlow<()> {
        let elapsed = self.started.elapsed();
        if self.is_due(progress.phase, elapsed) {
            self.last = Some((progress.phase, elapsed));
            let state = state(progress, elapsed, self.later);
            if self.is_terminal {
                self.bar.set_length(progress.frames);
                self.bar.set_position(progress.frame);
                self.bar.set_message(state);
            } else {
                let percent = progress.frame * 100 / progress.frames.max(1);
                eprintln!("{}: {percent} %, {state}", self.name);
            }
        }
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
