//! How far a run is: a bar on a terminal, a line now and then elsewhere.

use core::ops::ControlFlow;
use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use chunk_demo::{Phase, Progress, Watcher};
use indicatif::{ProgressBar, ProgressStyle};

use crate::interrupt::Interrupt;

/// How often a line is printed where there is no terminal: every tenth of the run, and more rarely than this.
const LINE_EVERY: Duration = Duration::from_secs(2);

/// Shows progress on standard error, and passes on that the user has had enough.
#[derive(Debug)]
pub(crate) struct Display {
    name: String,
    view: View,
    interrupt: Interrupt,
    phase: Phase,
}

#[derive(Debug)]
enum View {
    Bar(ProgressBar),
    Lines { last: Instant, tenth: u64 },
}

impl Display {
    pub(crate) fn new(name: &str, interrupt: Interrupt) -> Self {
        let view = if stderr().is_terminal() {
            View::Bar(bar(name))
        } else {
            View::Lines {
                last: Instant::now(),
                tenth: 0,
            }
        };
        Self {
            name: name.to_owned(),
            view,
            interrupt,
            phase: Phase::Running,
        }
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
        let has_turned = progress.phase != self.phase;
        self.phase = progress.phase;
        match &mut self.view {
            View::Bar(bar) => {
                bar.set_length(progress.frames);
                bar.set_position(progress.frame);
                if has_turned || progress.frame.is_multiple_of(6) {
                    bar.set_message(state(progress));
                }
            }
            View::Lines { last, tenth } => {
                let now = progress.frame * 10 / progress.frames.max(1);
                let is_due = now > *tenth && last.elapsed() >= LINE_EVERY;
                if is_due || has_turned {
                    (*last, *tenth) = (Instant::now(), now);
                    let percent = progress.frame * 100 / progress.frames.max(1);
                    eprintln!("{}: {percent} %, {}", self.name, state(progress));
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

fn state(progress: &Progress) -> String {
    let Progress { loaded, wanted, .. } = progress;
    match progress.phase {
        Phase::Running => format!("{loaded} of {wanted} chunks"),
        Phase::Settling => format!("coming to rest, {loaded} of {wanted} chunks"),
        Phase::Unloading => "unloading everything".to_owned(),
    }
}

fn bar(name: &str) -> ProgressBar {
    let template = "{prefix} [{bar:30}] {percent:>3} %, {eta} left, {msg}";
    let style = ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ");
    ProgressBar::new(1)
        .with_style(style)
        .with_prefix(name.to_owned())
}
