//! Chunks that left, are saved where they must be, and wait to be despawned.

use crate::host::{Departure, LoadedChunk};
use chunk_coord::ChunkCoord;
use core::cmp::Reverse;
use std::collections::BTreeMap;

/// The last goes first: the farthest chunk, and of two versions of one chunk the older.
type Position = (u64, ChunkCoord, Reverse<u64>);

/// The chunks, in the order in which they are despawned.
#[derive(Default)]
pub(in crate::streaming) struct Departures {
    chunks: BTreeMap<Position, LoadedChunk>,
    entities: usize,
}

impl Departures {
    pub(in crate::streaming) fn push(
        &mut self,
        coord: ChunkCoord,
        chunk: LoadedChunk,
        distance_sq: u64,
    ) {
        let position = (distance_sq, coord, Reverse(chunk.version));
        self.chunks.insert(position, chunk);
        self.entities += chunk.entities + 1;
    }

    pub(super) fn pop(&mut self) -> Option<Departure<ChunkCoord>> {
        let ((distance, key, _), chunk) = self.chunks.pop_last()?;
        self.entities -= chunk.entities + 1;
        Some(Departure {
            key,
            chunk,
            distance,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Entities that were spawned as these roots and under them.
    pub(super) fn entities(&self) -> usize {
        self.entities
    }
}
