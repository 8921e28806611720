//! Saved values: encoded and written on background threads, and read back from memory until they are durable.
//!
//! | type | what it is |
//! |---|---|
//! | [`Archive`] | values by key: save, load, flush; a generator that loads first |
//! | [`Store`] | where they live: bytes under names |
//! | [`MemoryStore`], `RedbStore`, `BucketStore` | in memory; in one file; in a folder or a bucket that many processes share |
//! | [`Codec`] | how values become bytes |
//! | [`StoreError`] | why something was not saved or loaded, which never means that there is nothing |
//!
//! Around each value is an envelope with its format, its world and a checksum; it is compressed with LZ4.

mod archive;
#[cfg(feature = "object-store")]
mod bucket;
mod codec;
mod config;
#[cfg(any(feature = "redb", feature = "object-store"))]
mod disk;
mod envelope;
mod error;
mod flush;
#[cfg(feature = "object-store")]
mod location;
mod memory;
#[cfg(feature = "postcard")]
mod postcard;
#[cfg(feature = "redb")]
mod redb;
mod report;
#[cfg(feature = "s3")]
mod s3;
mod shared;
mod store_trait;
mod table;
mod writer;

#[cfg(feature = "postcard")]
pub use self::postcard::{Postcard, from_postcard};
#[cfg(feature = "redb")]
pub use self::redb::RedbStore;
pub use archive::Archive;
#[cfg(feature = "object-store")]
pub use bucket::BucketStore;
pub use codec::{Codec, CodecError};
pub use config::ArchiveConfig;
pub use error::{StoreError, StoreErrorKind};
pub use flush::Flush;
pub use memory::MemoryStore;
pub use report::{ArchiveReport, Unsaved};
pub use shared::{Found, StoreKey};
pub use store_trait::{Store, StoreFuture};
