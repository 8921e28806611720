//! The city that the demo streams: generated from a seed and a coordinate, and spawned as entities.
//!
//! | part | what it decides |
//! |---|---|
//! | [`CityPlan`] | the settings, checked once; generates any chunk on any thread |
//! | [`Roads`] | main streets on a lattice, side streets between them; neighbours agree on every crossing |
//! | `site` | what the land of one chunk is like: how green, how central |
//! | `lots` | the land between the streets, cut into lots; the greenest are parks |
//! | `buildings`, `trees`, `traffic` | what stands and moves there |
//! | `outline` | the few items that stand for a chunk from afar |
//! | [`CityChunk`] | the generated chunk: five lists of [`Item`]s, and its [`Outline`] |
//! | [`spawn`] | turns a generated chunk into entities |
//!
//! A chunk depends on the seed and its coordinate alone, so neither the order of the chunks nor the number of threads
//! changes a city.

mod buildings;
mod chunk;
mod lots;
mod outline;
mod plan;
mod roads;
mod seed;
mod site;
pub mod spawn;
mod traffic;
mod trees;

pub use chunk::{CityChunk, Item, ItemKind, Outline};
pub use plan::{CityConfig, CityError, CityPlan};
pub use roads::{Class, Road, Roads};
