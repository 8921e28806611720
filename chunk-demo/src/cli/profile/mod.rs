//! Records the spans of the workspace's crates: every call as a trace, and the sums by their place in the call tree.

mod flame_graph;
mod recording;
mod span_costs;

pub(crate) use flame_graph::{IS_AVAILABLE as DRAWS_FLAME_GRAPHS, draw as draw_flame_graph};
pub(crate) use recording::Recording;
