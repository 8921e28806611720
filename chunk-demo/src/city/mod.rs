//! The city that the demo streams: pure data from a seed and a coordinate, with no entity in sight.
//!
//! | part | what it decides |
//! |---|---|
//! | [`CityPlan`] | the settings, checked once; makes any chunk on any thread |
//! | [`Roads`] | main streets on a lattice, side streets between them; neighbours agree on every crossing |
//! | lots | the land between the roads, cut up; the greenest are parks |
//! | buildings, trees, traffic | what stands and moves there |
//! | [`CityChunk`] | the result: five lists of [`Item`]s |
//!
//! Everything is drawn from `(seed, coordinate)` alone, so neither the order of the chunks nor the number of threads
//! can change a city.

mod buildings;
mod chunk;
mod lots;
mod plan;
mod roads;
mod seed;
#[cfg(test)]
mod tests;
mod traffic;
mod trees;

pub use chunk::{CityChunk, Item, Kind};
pub use plan::{CityConfig, CityError, CityPlan};
pub use roads::{Axis, Class, Road, Roads};
