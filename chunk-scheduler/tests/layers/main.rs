//! Layers: shared intermediate results of generators, on every runtime.

#[path = "../common/mod.rs"]
mod common;
mod edits;
mod errors;
mod graph;
mod keeping;
mod same_results;
mod waiting;
