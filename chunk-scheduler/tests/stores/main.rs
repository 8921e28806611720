//! What every store does, whatever it keeps its values in; and what each says when it cannot be used.

#[cfg(feature = "object-store")]
mod bucket;
#[cfg(any(feature = "redb", feature = "object-store"))]
mod folder;
mod memory;
#[cfg(feature = "redb")]
mod redb_file;
#[cfg(feature = "s3")]
mod s3;
#[cfg(feature = "s3")]
mod s3_server;
mod suite;
