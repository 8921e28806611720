//! Order by priority: distances to viewers, what else counts beside them, and selection of the nearest chunks.

mod nearest;
mod nearest_viewers;
mod priority;

pub use nearest::{NearestFirst, nearest_distance_sq};
pub use nearest_viewers::NearestViewers;
pub use priority::{look_ahead_sq, view_weighted_sq};
