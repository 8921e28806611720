//! What the crate promises, each against the plain way in the same run.
//!
//! `cargo bench -p chunk-coord --bench coord`, or `cargo xtask bench --package chunk-coord` for a table. A
//! part of the name of a figure, as it is printed, chooses the figures to measure.

mod asked;
mod case;
mod crossing;
mod crowd;
mod order;
mod plain;
#[path = "../../../xtask/shared/figures.rs"]
mod print;
mod rest;
mod stretch;
mod teleport;

use asked::Asked;
use criterion::Criterion;

fn main() {
    let asked = Asked::from_args();
    // Whole figures are chosen, by `asked`; half of one, which criterion's own filter could choose, says
    // nothing.
    let mut criterion = Criterion::default().configure_from_args().with_filter("");
    crossing::crossing(&mut criterion, &asked);
    crowd::crossing(&mut criterion, &asked);
    crowd::appearing(&asked);
    rest::at_rest(&mut criterion, &asked);
    order::nearest_few(&mut criterion, &asked);
    order::first_of_many(&mut criterion, &asked);
    teleport::teleport(&asked);
    criterion.final_summary();
}
