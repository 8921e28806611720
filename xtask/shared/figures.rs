//! Prints figures so that `cargo xtask bench` can read them: one line for each, such as
//!
//! ```text
//! figure {"bench":"crossing/disc 64","value":3.2,"unit":"us","yardstick":120.5,"ratio":37.6,"target":30}
//! ```
//!
//! The benches of all crates share this file by `#[path]`, and are therefore in no package. `xtask/src/bench/figure.rs`
//! reads the lines. Tables and headings of the third level in Markdown, in lines of their own, go into
//! docs/measurements.md. A bench that cannot measure on this machine prints a line `skipped: …` with the reason, and no
//! figure.

#![allow(dead_code, reason = "each bench uses a part of it")]

use core::fmt;

/// A number that a bench found.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) bench: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    /// The value of the plain way, measured in the same run and unit.
    pub(crate) yardstick: Option<f64>,
    /// How many times better than the yardstick the value is: more is better, whatever the unit.
    pub(crate) ratio: Option<f64>,
    /// The least ratio, or the most that the value may be where there is no ratio.
    pub(crate) target: Option<f64>,
    /// Whether the target is met, where that rule does not fit.
    pub(crate) ok: Option<bool>,
}

impl Figure {
    /// A figure that is not judged.
    pub(crate) fn new(bench: impl Into<String>, unit: &'static str, value: f64) -> Self {
        Self {
            bench: bench.into(),
            value,
            unit,
            yardstick: None,
            ratio: None,
            target: None,
            ok: None,
        }
    }

    /// Compares with the plain way, of which less is better.
    pub(crate) fn against(self, yardstick: f64) -> Self {
        let ratio = Some(yardstick / self.value);
        Self {
            yardstick: Some(yardstick),
            ratio,
            ..self
        }
    }

    pub(crate) fn at_most(self, target: f64) -> Self {
        Self {
            target: Some(target),
            ..self
        }
    }

    /// Asks for a ratio, or for a value where there is no ratio.
    pub(crate) fn at_least(self, target: f64) -> Self {
        let ok = self.ratio.is_none().then_some(self.value >= target);
        Self {
            target: Some(target),
            ok,
            ..self
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |it: Option<f64>| it.map_or("null".to_owned(), |it| it.to_string());
        let (yardstick, ratio, target) = (
            number(self.yardstick),
            number(self.ratio),
            number(self.target),
        );
        let Self {
            bench, value, unit, ..
        } = self;
        write!(
            f,
            r#"figure {{"bench":{bench:?},"value":{value},"unit":{unit:?},"yardstick":{yardstick},"#
        )?;
        write!(f, r#""ratio":{ratio},"target":{target}"#)?;
        if let Some(ok) = self.ok {
            write!(f, r#","ok":{ok}"#)?;
        }
        f.write_str("}")
    }
}

/// Takes figures several times and keeps the median of each.
#[derive(Debug)]
pub(crate) struct Figures {
    filter: String,
    medians: Vec<Figure>,
}

impl Figures {
    /// The same filter that criterion takes: the first argument that is no option.
    pub(crate) fn from_args() -> Self {
        let filter = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
        Self {
            filter: filter.unwrap_or_default(),
            medians: Vec::new(),
        }
    }

    /// Takes the figures of one measurement so many times, if the filter is part of the name of any of them, and keeps
    /// those that it is part of.
    pub(crate) fn add(
        &mut self,
        samples: usize,
        names: &[&str],
        mut sample: impl FnMut() -> Vec<Figure>,
    ) {
        if !names.iter().any(|name| name.contains(&self.filter)) {
            return;
        }
        let samples: Vec<_> = (0..samples).map(|_| sample()).collect();
        for (nth, name) in names.iter().enumerate() {
            let mut figures: Vec<_> = samples.iter().map(|figures| figures[nth].clone()).collect();
            figures.sort_by(|a, b| {
                // By ratio where there is one: both of its numbers are of the same sample.
                let rank = |it: &Figure| it.ratio.unwrap_or(it.value);
                rank(a).total_cmp(&rank(b))
            });
            let median = figures.swap_remove(figures.len() / 2);
            assert_eq!(median.bench, *name);
            if name.contains(&self.filter) {
                self.medians.push(median);
            }
        }
    }

    pub(crate) fn print(&self) {
        for figure in &self.medians {
            println!("{figure}");
        }
    }
}
