//! The settings of an archive.

use std::time::Duration;

/// The settings of an [`Archive`](super::Archive).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveConfig {
    /// The number of the world, such as its seed. A value that was saved with another one is refused. Default 0.
    pub world: u64,
    /// What the names of all values begin with, so that several archives can share a store. Default `chunks/`. What
    /// cannot be used is set aside under `aside/` and the whole name.
    pub prefix: String,
    /// So many bytes may wait to be written before [`has_room`](super::Archive::has_room) says no. Default 64 MiB. With zero
    /// there is never room.
    pub max_waiting_bytes: usize,
    /// The most bytes of a batch, which a store writes at once; a larger value is a batch of its own. Default 4 MiB. A
    /// writer holds so many once more while it encodes them.
    pub max_batch_bytes: usize,
    /// The wait after writing failed; each further failure in a row doubles it. Default 1 s.
    pub first_delay: Duration,
    /// The longest wait. Default 60 s.
    pub max_delay: Duration,
}

impl Default for ArchiveConfig {
    fn default() -> Self {
        Self {
            world: 0,
            prefix: "chunks/".to_owned(),
            max_waiting_bytes: 64 << 20,
            max_batch_bytes: 4 << 20,
            first_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(60),
        }
    }
}
