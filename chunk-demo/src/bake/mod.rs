//! The city made ahead of time, into a store that many processes share.
//!
//! | part | what it is |
//! |---|---|
//! | [`Region`] | which chunks are made |
//! | [`Shard`] | which of them by this process, if several share the work |
//! | [`CityStore`] | where they are kept; refuses a store of something else |
//! | [`Bake`], [`Baked`] | makes what is not there yet, and what came of it |

mod city_store;
mod region;
mod run;
mod shard;

pub use city_store::{CityStore, OpenError};
pub use region::{Region, RegionError};
pub use run::{Bake, Baked};
pub use shard::{Shard, ShardError};
