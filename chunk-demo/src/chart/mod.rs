//! Maps and plots of a run, drawn without a renderer, and the page that shows them.
//!
//! | part | what it is |
//! |---|---|
//! | [`Film`] | what a run was like, frame by frame |
//! | [`ChunkState`], [`states`] | where each chunk of a stream is now |
//! | [`map()`], [`filmstrip`] | those states as a picture |
//! | [`frame_times`], [`depths`] | plots over the frames |
//! | [`write_page`] | all of it as a folder with an `index.html` that needs no network |
//! | [`Canvas`] | a picture in memory, with two sizes of [`Letters`] |

mod brush;
mod canvas;
mod film;
mod map;
mod page;
mod plot;
mod state;

pub use brush::Letters;
pub use canvas::{Canvas, Rgba};
pub use film::{Film, Moment, Still};
pub use map::{filmstrip, map};
pub use page::write_page;
pub use plot::{depths, frame_times};
pub use state::{ChunkState, states};
