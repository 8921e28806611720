//! Saved values: encoded and written on background threads, and read back from memory until they are durable.

mod error;
mod store_trait;

pub use error::{StoreError, StoreErrorKind};
pub use store_trait::{Store, StoreFuture};
