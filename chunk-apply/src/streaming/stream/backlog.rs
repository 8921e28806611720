//! Chunks that are generated and wait to be spawned: by lane, then nearest first.

use crate::streaming::rank::ViewerRank;
use chunk_coord::ChunkCoord;
use chunk_scheduler::{Delivered, Lane, Rank, Version};
use std::collections::BTreeMap;

/// The order of a chunk: its lane, its distance from the nearest viewer, and what tells equal ones apart.
type Position = (Lane, u64, ChunkCoord, Version);

/// The contents of the waiting chunks, in the order in which they are spawned.
pub(in crate::streaming) struct Backlog<T> {
    chunks: BTreeMap<Position, T>,
}

impl<T> Backlog<T> {
    pub(super) fn new() -> Self {
        Self {
            chunks: BTreeMap::new(),
        }
    }

    pub(in crate::streaming) fn push(
        &mut self,
        chunk: Delivered<ChunkCoord, T>,
        rank: &ViewerRank,
    ) {
        let distance_sq = rank.rank(&chunk.key);
        let position = (chunk.lane, distance_sq, chunk.key, chunk.version);
        self.chunks.insert(position, chunk.content);
    }

    /// The next chunk, its version and its content.
    pub(super) fn pop(&mut self) -> Option<(ChunkCoord, Version, T)> {
        let ((_, _, coord, version), content) = self.chunks.pop_first()?;
        Some((coord, version, content))
    }

    /// How many chunks wait, those that are out of date included.
    pub(in crate::streaming) fn len(&self) -> usize {
        self.chunks.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Orders by the viewers' new positions and removes what is out of date, so that withdrawn chunks cannot accumulate.
    /// Returns their content, which a worker will drop.
    pub(super) fn rerank(
        &mut self,
        rank: &ViewerRank,
        is_live: impl Fn(ChunkCoord, Version) -> bool,
    ) -> Vec<T> {
        let mut outdated = Vec::new();
        for ((lane, _, coord, version), content) in core::mem::take(&mut self.chunks) {
            if is_live(coord, version) {
                let position = (lane, rank.rank(&coord), coord, version);
                self.chunks.insert(position, content);
            } else {
                outdated.push(content);
            }
        }
        outdated
    }
}
