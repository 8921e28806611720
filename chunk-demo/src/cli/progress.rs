//! How far a run is: a bar on a terminal, a line now and then elsewhere.

use core::ops::ControlFlow;
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use chunk_demo::{Phase, Progress, Watcher};
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};

use crate::interrupt::Interrupt;

/// How often a line is printed where there is no terminal: at the first frame, every tenth of the run, and more rarely
/// than this.
const LINE_EVERY: Duration = Duration::from_secs(2);

/// Shows progress on standard error, and passes on that the user has had enough.
#[derive(Debug)]
pub(crate) struct Display {
    name: String,
    view: View,
    interrupt: Interrupt,
    started: Instant,
    /// How long the runs after this one will take.
    later: Duration,
}

#[derive(Debug)]
enum View {
    Bar(ProgressBar),
    Lines(Lines),
}

impl Display {
    pub(crate) fn new(name: &str, interrupt: Interrupt) -> Self {
        let view = if stderr().is_terminal() {
            View::Bar(bar(name))
        } else {
            View::Lines(Lines::default())
        };
        Self {
            name: name.to_owned(),
            view,
            interrupt,
            started: Instant::now(),
            later: Duration::ZERO,
        }
    }

    /// The same, of the first of several runs; the others will take about so long.
    pub(crate) fn followed_by(self, later: Duration) -> Self {
        Self { later, ..self }
    }

    /// Takes the bar away, so that what follows stands in its place.
    pub(crate) fn finish(&self) {
        if let View::Bar(bar) = &self.view {
            bar.finish_and_clear();
        }
    }
}

impl Watcher for Display {
    fn frame(&mut self, progress: &Progress) -> ControlFlow<()> {
        let elapsed = self.started.elapsed();
        match &mut self.view {
            View::Bar(bar) => {
                bar.set_length(progress.frames);
                bar.set_position(progress.frame);
                if progress.phase != Phase::Running || progress.frame.is_multiple_of(6) {
                    bar.set_message(state(progress, elapsed, self.later));
                }
            }
            View::Lines(lines) => {
                if lines.is_due(progress, elapsed) {
                    let percent = progress.frame * 100 / progress.frames.max(1);
                    let state = state(progress, elapsed, self.later);
                    eprintln!("{}: {percent} %, {state}", self.name);
                }
            }
        }
        if self.interrupt.is_new() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

/// When the next line is due.
#[derive(Debug, Default)]
struct Lines {
    last: Option<(Phase, Duration)>,
    tenth: u64,
}

impl Lines {
    fn is_due(&mut self, progress: &Progress, elapsed: Duration) -> bool {
        let tenth = progress.frame * 10 / progress.frames.max(1);
        let is_due = match self.last {
            None => true,
            Some((phase, _)) if phase != progress.phase => true,
            Some((_, at)) => tenth > self.tenth && elapsed.saturating_sub(at) >= LINE_EVERY,
        };
        if is_due {
            (self.last, self.tenth) = (Some((progress.phase, elapsed)), tenth);
        }
        is_due
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
    let left = left(progress, elapsed);
    if later.is_zero() {
        format!("{doing}, {} left", HumanDuration(left))
    } else {
        let all = HumanDuration(left + later);
        format!("{doing}, {} left, {all} in all", HumanDuration(left))
    }
}

/// The frames to come will take as long as those before did.
fn left(progress: &Progress, elapsed: Duration) -> Duration {
    let frames = progress.frames.saturating_sub(progress.frame);
    elapsed.mul_f64(frames as f64 / progress.frame.max(1) as f64)
}

fn bar(name: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} [{bar:30}] {percent:>3} %, {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    ProgressBar::new(1)
        .with_style(style)
        .with_prefix(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(frame: u64, phase: Phase) -> Progress {
        Progress {
            phase,
            frame,
            frames: 900,
            loaded: 30,
            wanted: 441,
        }
    }

    #[test]
    fn a_line_says_what_is_there_and_how_long_it_will_take() {
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
        let settling = at(900, Phase::Settling);
        assert_eq!(
            state(&settling, second, Duration::ZERO),
            "coming to rest, 30 of 441 chunks, 0 seconds left"
        );
        let unloading = at(900, Phase::Unloading);
        assert_eq!(
            state(&unloading, second, Duration::ZERO),
            "unloading everything, 0 seconds left"
        );
    }

    #[test]
    fn lines_come_at_the_start_with_each_tenth_and_with_each_phase() {
        let mut lines = Lines::default();
        let mut due =
            |frame, phase, seconds| lines.is_due(&at(frame, phase), Duration::from_secs(seconds));
        assert!(due(1, Phase::Running, 0), "the first");
        assert!(!due(89, Phase::Running, 9), "no tenth yet");
        assert!(due(90, Phase::Running, 9));
        assert!(!due(180, Phase::Running, 10), "too soon");
        assert!(due(181, Phase::Running, 11));
        assert!(due(900, Phase::Settling, 11), "another phase");
        assert!(!due(900, Phase::Settling, 90));
        assert!(due(900, Phase::Unloading, 90));
    }
}
