//! What an archive tells about itself.

use super::error::StoreError;
use std::{error::Error, fmt};

/// What happened in an archive so far, and what waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchiveReport {
    /// Values that are not durable.
    pub waiting: usize,
    /// The bytes that they count.
    pub waiting_bytes: usize,
    /// Values that became durable, and removals. A value that was replaced before a writer came to it is none.
    pub written: u64,
    /// How often writing failed; a batch counts as one.
    pub failures: u64,
    /// Values that were loaded from the store.
    pub loaded: u64,
    /// Values that could not be used and of which a copy is kept.
    pub set_aside: u64,
    /// Why writing failed last.
    pub last_error: Option<StoreError>,
}

/// What was not durable when [`Archive::flush_within`](super::Archive::flush_within) stopped waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsaved {
    /// How many values.
    pub values: usize,
    /// One of them.
    pub key: String,
    /// Why writing failed last, if it did.
    pub error: Option<StoreError>,
}

impl fmt::Display for Unsaved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { values, key, .. } = self;
        write!(
            f,
            "{values} values were not saved in time, such as that of {key}: "
        )?;
        match &self.error {
            Some(error) => error.fmt(f),
            None => f.write_str("the store is slow"),
        }
    }
}

impl Error for Unsaved {}
