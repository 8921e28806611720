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
    /// Those that are what would be made if they were wanted again. Of two versions of one chunk the newer may be.
    returnable: BTreeMap<ChunkCoord, Position>,
    entities: usize,
}

impl Departures {
    pub(super) fn push(
        &mut self,
        coord: ChunkCoord,
        chunk: LoadedChunk,
        distance_sq: u64,
        can_return: bool,
    ) {
        let position = (distance_sq, coord, Reverse(chunk.version));
        if can_return {
            self.returnable.insert(coord, position);
        } else {
            self.returnable.remove(&coord);
        }
        self.chunks.insert(position, chunk);
        self.entities += chunk.entities + 1;
    }

    pub(super) fn pop(&mut self) -> Option<Departure<ChunkCoord>> {
        let (position, chunk) = self.chunks.pop_last()?;
        let (distance, key, _) = position;
        if self.returnable.get(&key) == Some(&position) {
            self.returnable.remove(&key);
        }
        self.entities -= chunk.entities + 1;
        Some(Departure {
            key,
            chunk,
            distance,
        })
    }

    /// The chunk that stood there, if it is what would be made.
    pub(super) fn returnable(&self, coord: ChunkCoord) -> Option<LoadedChunk> {
        let position = self.returnable.get(&coord)?;
        self.chunks.get(position).copied()
    }

    /// Takes that chunk back.
    pub(super) fn take_back(&mut self, coord: ChunkCoord) {
        if let Some(position) = self.returnable.remove(&coord)
            && let Some(chunk) = self.chunks.remove(&position)
        {
            self.entities -= chunk.entities + 1;
        }
    }

    /// What it would be made from has changed, so that it cannot return.
    pub(super) fn outdate(&mut self, coord: ChunkCoord) {
        self.returnable.remove(&coord);
    }

    /// The same for all of them.
    pub(in crate::streaming) fn outdate_all(&mut self) {
        self.returnable.clear();
    }

    pub(super) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Entities that were spawned as these roots and under them.
    pub(super) fn entities(&self) -> usize {
        self.entities
    }
}
