//! Figures for `cargo xtask bench`: one line of JSON each.

/// One number with its target.
#[derive(Debug)]
pub(crate) struct Figure {
    name: &'static str,
    unit: &'static str,
    value: f64,
    yardstick: Option<f64>,
    target: Option<f64>,
    /// Whether more is better, although there is no yardstick.
    is_least: bool,
}

impl Figure {
    /// A value that must reach its target.
    pub(crate) fn at_least(
        name: &'static str,
        unit: &'static str,
        target: f64,
        value: f64,
    ) -> Self {
        Self {
            is_least: true,
            ..Self::at_most(name, unit, target, value)
        }
    }

    /// A value that must not exceed its target.
    pub(crate) fn at_most(name: &'static str, unit: &'static str, target: f64, value: f64) -> Self {
        Self {
            name,
            unit,
            value,
            yardstick: None,
            target: Some(target),
            is_least: false,
        }
    }

    /// A value to compare others with.
    pub(crate) fn plain(name: &'static str, unit: &'static str, value: f64) -> Self {
        Self {
            target: None,
            ..Self::at_most(name, unit, 0.0, value)
        }
    }

    /// A time against the plain way's time; `target` is how many times as fast ours must be.
    pub(crate) fn against(
        name: &'static str,
        unit: &'static str,
        target: f64,
        value: f64,
        yardstick: f64,
    ) -> Self {
        Self {
            name,
            unit,
            value,
            yardstick: Some(yardstick),
            target: Some(target),
            is_least: false,
        }
    }

    /// The same without a target: how much of the time the plain way would need, too.
    pub(crate) fn compared(
        name: &'static str,
        unit: &'static str,
        value: f64,
        yardstick: f64,
    ) -> Self {
        Self {
            target: None,
            ..Self::against(name, unit, 0.0, value, yardstick)
        }
    }

    fn ratio(&self) -> Option<f64> {
        self.yardstick.map(|yardstick| yardstick / self.value)
    }

    /// What the median is taken of.
    fn rank(&self) -> f64 {
        self.ratio().unwrap_or(self.value)
    }

    fn print(&self) {
        let number =
            |value: Option<f64>| value.map_or("null".to_owned(), |value| value.to_string());
        let ok = if self.is_least {
            let is_met = self.target.is_none_or(|target| self.value >= target);
            format!(",\"ok\":{is_met}")
        } else {
            String::new()
        };
        println!(
            "figure {{\"bench\":{:?},\"value\":{},\"unit\":{:?},\"yardstick\":{},\"ratio\":{},\"target\":{}{ok}}}",
            self.name,
            self.value,
            self.unit,
            number(self.yardstick),
            number(self.ratio()),
            number(self.target),
        );
    }
}

/// Takes every figure several times and keeps its median.
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

    /// Takes the figures of one measurement so many times, if the filter is part of the name of any of
    /// them, and keeps those that it is part of.
    pub(crate) fn add(
        &mut self,
        samples: usize,
        names: &[&'static str],
        mut sample: impl FnMut() -> Vec<Figure>,
    ) {
        if !names.iter().any(|name| name.contains(&self.filter)) {
            return;
        }
        let mut columns: Vec<Vec<Figure>> = names.iter().map(|_| Vec::new()).collect();
        for _ in 0..samples {
            let figures = sample();
            assert!(
                figures
                    .iter()
                    .map(|figure| figure.name)
                    .eq(names.iter().copied())
            );
            for (column, figure) in columns.iter_mut().zip(figures) {
                column.push(figure);
            }
        }
        for mut column in columns {
            column.sort_by(|a, b| a.rank().total_cmp(&b.rank()));
            let median = column.swap_remove(samples / 2);
            if median.name.contains(&self.filter) {
                self.medians.push(median);
            }
        }
    }

    pub(crate) fn print(&self) {
        for figure in &self.medians {
            figure.print();
        }
    }
}
