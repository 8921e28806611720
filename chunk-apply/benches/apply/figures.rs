//! Figures for `cargo xtask bench`: one line of JSON each.

const SAMPLES: usize = 7;

/// One number with its target.
#[derive(Debug)]
pub(crate) struct Figure {
    name: &'static str,
    unit: &'static str,
    value: f64,
    yardstick: Option<f64>,
    target: Option<f64>,
}

impl Figure {
    /// A value that must not exceed its target.
    pub(crate) fn at_most(name: &'static str, unit: &'static str, target: f64, value: f64) -> Self {
        Self {
            name,
            unit,
            value,
            yardstick: None,
            target: Some(target),
        }
    }

    /// A value without a target.
    pub(crate) fn informative(name: &'static str, unit: &'static str, value: f64) -> Self {
        Self {
            name,
            unit,
            value,
            yardstick: None,
            target: None,
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
        println!(
            "figure {{\"bench\":{:?},\"value\":{},\"unit\":{:?},\"yardstick\":{},\"ratio\":{},\"target\":{}}}",
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

    /// Takes the figures of one measurement, unless the filter excludes it.
    pub(crate) fn add(&mut self, name: &str, mut sample: impl FnMut() -> Vec<Figure>) {
        if !name.contains(&self.filter) {
            return;
        }
        let mut columns: Vec<Vec<Figure>> = Vec::new();
        for _ in 0..SAMPLES {
            for (column, figure) in sample().into_iter().enumerate() {
                if columns.len() == column {
                    columns.push(Vec::new());
                }
                columns[column].push(figure);
            }
        }
        for mut column in columns {
            column.sort_by(|a, b| a.rank().total_cmp(&b.rank()));
            self.medians.push(column.swap_remove(SAMPLES / 2));
        }
    }

    pub(crate) fn print(&self) {
        for figure in &self.medians {
            figure.print();
        }
    }
}
