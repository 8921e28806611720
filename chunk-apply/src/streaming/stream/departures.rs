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
    /// The newest version of each, and whether it is what would be made if the chunk was wanted again.
    newest: BTreeMap<ChunkCoord, (Position, bool)>,
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
        self.newest.insert(coord, (position, can_return));
        self.chunks.insert(position, chunk);
        self.entities += chunk.entities + 1;
    }

    pub(super) fn pop(&mut self) -> Option<Departure<ChunkCoord>> {
        let (position, chunk) = self.chunks.pop_last()?;
        let (distance, key, _) = position;
        if self
            .newest
            .get(&key)
            .is_some_and(|(newest, _)| *newest == position)
        {
            self.newest.remove(&key);
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
        let (position, can_return) = self.newest.get(&coord)?;
        self.chunks.get(position).filter(|_| *can_return).copied()
    }

    /// Takes the newest version of a chunk out.
    pub(super) fn take(&mut self, coord: ChunkCoord) -> Option<LoadedChunk> {
        let (position, _) = self.newest.remove(&coord)?;
        let chunk = self.chunks.remove(&position)?;
        self.entities -= chunk.entities + 1;
        Some(chunk)
    }

    /// What it would be made from has changed, so that it cannot return.
    pub(super) fn outdate(&mut self, coord: ChunkCoord) {
        if let Some((_, can_return)) = self.newest.get_mut(&coord) {
            *can_return = false;
        }
    }

    /// The same for all of them.
    pub(in crate::streaming) fn outdate_all(&mut self) {
        for (_, can_return) in self.newest.values_mut() {
            *can_return = false;
        }
    }

    pub(super) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Entities that were spawned as these roots and under them.
    pub(super) fn entities(&self) -> usize {
        self.entities
    }
}
