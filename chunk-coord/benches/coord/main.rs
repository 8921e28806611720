//! The crate's figures, each against a plain implementation in the same run.
//!
//! `cargo bench -p chunk-coord --bench coord`, or `cargo xtask bench --package chunk-coord` for a table. A
//! part of the name of a figure, as it is printed, selects the figures to measure.

mod case;
mod crossing;
mod filter;
mod many_viewers;
mod nearest;
#[path = "../../../xtask/shared/figures.rs"]
mod print;
mod rescan;
mod rest;
mod teleport;
mod timing;

use criterion::Criterion;
use filter::Filter;

fn main() {
    let filter = Filter::from_args();
    // `filter` selects whole figures. Criterion's own filter could select one way of a comparison without the other.
    let mut criterion = Criterion::default().configure_from_args().with_filter("");
    crossing::crossing(&mut criterion, &filter);
    many_viewers::crossing(&mut criterion, &filter);
    many_viewers::appearing(&filter);
    rest::at_rest(&mut criterion, &filter);
    nearest::nearest_few(&mut criterion, &filter);
    nearest::first_of_many(&mut criterion, &filter);
    teleport::teleport(&filter);
    criterion.final_summary();
}
