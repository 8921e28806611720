//! Chunks that are generated and wait to be spawned: by lane, then in the order in which they were picked.

use crate::streaming::order::ViewerRank;
use chunk_coord::ChunkCoord;
use chunk_scheduler::{Delivered, Lane, Rank, Version};
use std::collections::BTreeMap;

/// The order of a chunk: its lane, its rank, and what tells equal ones apart.
type Position = (Lane, u64, ChunkCoord, Version);

/// The contents of the waiting chunks, in the order in which they are spawned.
pub(in crate::streaming) struct Backlog<T> {
    /// In boxes, because moving large contents between the nodes of the tree takes long.
    chunks: BTreeMap<Position, Box<T>>,
    /// What the chunks are ordered by.
    rank: ViewerRank,
}

impl<T> Backlog<T> {
    pub(super) fn new() -> Self {
        Self {
            chunks: BTreeMap::new(),
            rank: ViewerRank::default(),
        }
    }

    pub(in crate::streaming) fn push(&mut self, chunk: Delivered<ChunkCoord, T>) {
        let rank = self.rank.rank(&chunk.key);
        let position = (chunk.lane, rank, chunk.key, chunk.version);
        self.chunks.insert(position, Box::new(chunk.content));
    }

    /// The next chunk that need not wait, its version and its content.
    pub(super) fn pop(
        &mut self,
        must_wait: impl Fn(ChunkCoord) -> bool,
    ) -> Option<(ChunkCoord, Version, T)> {
        let mut positions = self.chunks.keys();
        let position = *positions.find(|(_, _, coord, _)| !must_wait(*coord))?;
        let content = self.chunks.remove(&position)?;
        let (_, _, coord, version) = position;
        Some((coord, version, *content))
    }

    /// How many chunks wait, those that are out of date included.
    pub(in crate::streaming) fn len(&self) -> usize {
        self.chunks.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Orders by the viewers' new positions.
    pub(super) fn rerank(&mut self, rank: &ViewerRank) {
        let former = core::mem::replace(&mut self.rank, rank.clone());
        if self.chunks.is_empty() {
            return;
        }
        let may_change = rank.may_change(&former);
        let is_to_move = |(_, former, coord, _): &&Position| {
            (may_change.as_ref()).is_none_or(|may_change| may_change(coord, former, 0))
        };
        let outdated: Vec<Position> = self.chunks.keys().filter(is_to_move).copied().collect();
        for (position, content) in self.take(outdated) {
            let (lane, _, coord, version) = position;
            let position = (lane, rank.rank(&coord), coord, version);
            self.chunks.insert(position, content);
        }
    }

    /// Moves these chunks, in their order, from the lowest lane to the normal one.
    pub(super) fn promote(&mut self, chunks: &[ChunkCoord]) {
        if chunks.is_empty() {
            return;
        }
        let is_to_move = |(lane, _, coord, _): &&Position| {
            *lane == Lane::Prefetch && chunks.binary_search(coord).is_ok()
        };
        let positions: Vec<Position> = self.chunks.keys().filter(is_to_move).copied().collect();
        for ((_, rank, coord, version), content) in self.take(positions) {
            let position = (Lane::Normal, rank, coord, version);
            self.chunks.insert(position, content);
        }
    }

    /// Removes what is out of date, so that withdrawn chunks cannot accumulate. Returns their content, which a worker will
    /// drop.
    pub(super) fn take_outdated(
        &mut self,
        is_live: impl Fn(ChunkCoord, Version) -> bool,
    ) -> Vec<Box<T>> {
        let is_outdated = |(_, _, coord, version): &&Position| !is_live(*coord, *version);
        let outdated: Vec<Position> = self.chunks.keys().filter(is_outdated).copied().collect();
        let outdated = self.take(outdated);
        outdated.into_iter().map(|(_, content)| content).collect()
    }

    fn take(&mut self, positions: Vec<Position>) -> Vec<(Position, Box<T>)> {
        let take = |position| Some((position, self.chunks.remove(&position)?));
        positions.into_iter().filter_map(take).collect()
    }
}
