//! What the crate promises, each against the plain way in the same run.
//!
//! `cargo bench -p chunk-coord --bench coord`, or `cargo xtask bench --package chunk-coord` for a table.

mod case;
mod crossing;
mod order;
mod plain;
mod rest;
mod teleport;

use criterion::{criterion_group, criterion_main};

criterion_group!(
    benches,
    crossing::crossing,
    rest::at_rest,
    order::nearest_few,
    order::first_of_many,
    teleport::teleport,
);
criterion_main!(benches);
