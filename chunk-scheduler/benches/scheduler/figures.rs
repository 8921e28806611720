//! The figures of this crate: the median of five, each with its bound.

#[path = "../../../xtask/shared/figures.rs"]
mod print;

use print::Figure;

/// How often each figure is taken; the median of an odd number is one of them.
const SAMPLES: usize = 5;

#[derive(Debug)]
pub(crate) struct Figures {
    /// What the names of the following rows begin with.
    pub(crate) group: &'static str,
    rows: print::Figures,
}

impl Figures {
    pub(crate) fn from_args() -> Self {
        Self {
            group: "scheduler",
            rows: print::Figures::from_args(),
        }
    }

    /// A quotient of two things measured one after the other, which must be at least `floor`.
    pub(crate) fn ratio(&mut self, name: &str, floor: f64, mut sample: impl FnMut() -> (f64, f64)) {
        self.add(name, || {
            let (over, under) = sample();
            let ratio = over / under;
            Figure {
                yardstick: Some(1.0),
                ratio: Some(ratio),
                target: Some(floor),
                ..Figure::new("", "x", ratio)
            }
        });
    }

    /// A quantity that must be at most `ceiling`.
    pub(crate) fn at_most(
        &mut self,
        name: &str,
        ceiling: f64,
        unit: &'static str,
        mut sample: impl FnMut() -> f64,
    ) {
        self.add(name, || Figure::new("", unit, sample()).at_most(ceiling));
    }

    fn add(&mut self, name: &str, mut sample: impl FnMut() -> Figure) {
        let bench = format!("{}/{name}", self.group);
        self.rows.add(SAMPLES, &[&bench], || {
            let bench = bench.clone();
            vec![Figure { bench, ..sample() }]
        });
    }

    pub(crate) fn print(&self) {
        self.rows.print();
    }
}
