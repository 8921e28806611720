//! The table at the end of the run: the median of each figure next to its bound.

/// How often each figure is taken; the median of an odd number is one of them.
const SAMPLES: usize = 5;

#[derive(Debug)]
pub(crate) struct Figures {
    /// Only figures whose printed name contains this are taken.
    filter: String,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    name: &'static str,
    value: f64,
    unit: String,
    bound: f64,
    /// Whether the value is how many times better than a yardstick it is.
    is_ratio: bool,
}

impl Figures {
    /// The same filter that criterion takes: the first argument that is no option.
    pub(crate) fn from_args() -> Self {
        let filter = std::env::args().skip(1).find(|arg| !arg.starts_with('-'));
        Self {
            filter: filter.unwrap_or_default(),
            rows: Vec::new(),
        }
    }

    fn is_wanted(&self, name: &str) -> bool {
        printed(name).contains(&self.filter)
    }

    /// A quotient of two things measured one after the other, which must be at least `floor`.
    pub(crate) fn ratio(
        &mut self,
        name: &'static str,
        floor: f64,
        mut sample: impl FnMut() -> (f64, f64),
    ) {
        if !self.is_wanted(name) {
            return;
        }
        let mut pairs: Vec<_> = (0..SAMPLES).map(|_| sample()).collect();
        pairs.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
        let (over, under) = pairs[SAMPLES / 2];
        self.push(Row {
            name,
            value: over / under,
            unit: "x".to_owned(),
            bound: floor,
            is_ratio: true,
        });
    }

    /// A quantity that must be at most `ceiling`.
    pub(crate) fn at_most(
        &mut self,
        name: &'static str,
        ceiling: f64,
        unit: &str,
        mut sample: impl FnMut() -> f64,
    ) {
        if !self.is_wanted(name) {
            return;
        }
        let mut values: Vec<_> = (0..SAMPLES).map(|_| sample()).collect();
        values.sort_by(f64::total_cmp);
        self.push(Row {
            name,
            value: values[SAMPLES / 2],
            unit: unit.to_owned(),
            bound: ceiling,
            is_ratio: false,
        });
    }

    fn push(&mut self, row: Row) {
        println!("{}: {:.3} {}", row.name, row.value, row.unit);
        self.rows.push(row);
    }

    /// One line of JSON for each figure, for `cargo xtask bench`.
    pub(crate) fn print(&self) {
        for row in &self.rows {
            let (yardstick, ratio) = if row.is_ratio {
                ("1".to_owned(), row.value.to_string())
            } else {
                ("null".to_owned(), "null".to_owned())
            };
            println!(
                "figure {{\"bench\":{:?},\"value\":{},\"unit\":{:?},\"yardstick\":{yardstick},\"ratio\":{ratio},\"target\":{}}}",
                printed(row.name),
                row.value,
                row.unit,
                row.bound
            );
        }
    }
}

/// Its name among the figures of all crates.
fn printed(name: &str) -> String {
    format!("scheduler/{name}")
}
