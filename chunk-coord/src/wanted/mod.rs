//! The set of wanted chunks over any number of viewers, and its changes from update to update.

mod changes;
mod entering;
mod leaving;
mod sorted_changes;
mod viewer_states;
mod viewer_tree;
mod wanted_set;

pub use changes::Changes;
pub use wanted_set::WantedSet;
