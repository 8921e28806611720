//! Maps, plots and tables of a run, made without a renderer, and the page that shows them.
//!
//! | part | what it is |
//! |---|---|
//! | [`Timeline`] | what a run was like: a sample for each frame, and maps at six moments |
//! | [`ChunkState`], [`states`] | where each chunk of a stream is now |
//! | [`map()`], [`map_strip`] | those states as a picture |
//! | [`frame_times`], [`depths`] | plots over the frames |
//! | [`text_table()`] | the figures of a run as text |
//! | [`write_page`] | all of it as a folder with an `index.html` that needs no network |

mod draw;
mod map;
mod page;
mod plot;
mod state;
mod text_table;
mod timeline;

pub use draw::Color;
#[cfg(feature = "render")]
pub(crate) use draw::{LARGE, SMALL, fill, text};
pub use map::{map, map_strip};
pub use page::write_page;
pub use plot::{depths, frame_times};
pub use state::{ChunkState, states};
pub use text_table::text_table;
pub use timeline::{MapSnapshot, Sample, Timeline};
