//! The line in which a bench says a figure; `xtask/src/bench/figure.rs` reads it and says what the fields mean.

/// One figure.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) bench: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    pub(crate) yardstick: Option<f64>,
    pub(crate) ratio: Option<f64>,
    pub(crate) target: Option<f64>,
}

impl Figure {
    pub(crate) fn print(&self) {
        let number = |number: Option<f64>| number.map_or("null".to_owned(), |it| it.to_string());
        println!(
            "figure {{\"bench\":{:?},\"value\":{},\"unit\":{:?},\"yardstick\":{},\"ratio\":{},\"target\":{}}}",
            self.bench,
            self.value,
            self.unit,
            number(self.yardstick),
            number(self.ratio),
            number(self.target),
        );
    }
}
