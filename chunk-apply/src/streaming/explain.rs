//! Where a chunk is.

use super::saving::PendingSave;
use chunk_coord::ChunkCoord;
use chunk_scheduler::Explanation;
use core::{fmt, time::Duration};

/// Where a chunk is, and what it waits for: the answer of [`ChunkStream::explain`](crate::ChunkStream::explain). `Display`
/// makes a sentence of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChunkStatus {
    /// No viewer wants it, as of the last scan.
    NotWanted,
    /// It is wanted and not yet requested: it waits for the scan budget.
    NotRequested,
    /// What stands or stood there is to be saved first: before it is despawned, or before the chunk is made anew.
    Unsaved(PendingSave),
    /// The scheduler knows it: it waits, is being generated, waits to be spawned, or was given up. An older version may be
    /// loaded.
    Job(Explanation<ChunkCoord>),
    /// Its last permitted attempt failed too long ago for the message to be kept.
    GivenUp,
    /// So many of its entities are spawned.
    Spawning {
        /// How many.
        entities: usize,
    },
    /// All of its entities are spawned, and it waits for its [gates](crate::ChunkWriter::show_when) or for those of the chunks
    /// that it was refreshed together with. An older version may be loaded.
    Gated {
        /// How long it has waited.
        waited: Duration,
        /// Whether that was told as longer than [`gate_patience`](crate::StreamingConfig::gate_patience).
        is_late: bool,
    },
    /// [`max_loaded_bytes`](crate::StreamingConfig::max_loaded_bytes) has no room for it.
    HeldBack {
        /// What it weighed when it was last loaded. `None` if it never was, or was to be made anew since.
        bytes: Option<usize>,
        /// The limit.
        limit: usize,
    },
    /// It is loaded.
    Loaded,
    /// A user despawned its root, and it [stays gone](crate::DespawnedRoots::StayGone).
    Despawned,
}

impl fmt::Display for ChunkStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWanted => f.write_str("no viewer wants it"),
            Self::NotRequested => {
                f.write_str("it waits for the scan budget before it is requested")
            }
            Self::Unsaved(pending) => pending.fmt(f),
            Self::Job(explanation) => explanation.fmt(f),
            Self::GivenUp => f.write_str("it failed and was given up"),
            Self::Spawning { entities } => {
                write!(f, "{entities} of its entities are spawned, and others are not")
            }
            Self::Gated { waited, is_late } => {
                let late = if *is_late { ", which is too long" } else { "" };
                write!(f, "it is spawned, and has waited for its gates for {waited:?}{late}")
            }
            Self::HeldBack {
                bytes: Some(bytes),
                limit,
            } => write!(
                f,
                "its {bytes} bytes and those of what is nearer are more than the {limit} of `max_loaded_bytes`"
            ),
            Self::HeldBack { bytes: None, limit } => write!(
                f,
                "it is expected to have no room beside what is nearer, within the {limit} bytes of `max_loaded_bytes`"
            ),
            Self::Loaded => f.write_str("it is loaded"),
            Self::Despawned => f.write_str(
                "its root was despawned by a user: it stays gone until it is refreshed or no longer wanted",
            ),
        }
    }
}
