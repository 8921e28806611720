//! Which of the wanted chunks are loaded where there is no room for the bytes of all.

use chunk_coord::ChunkCoord;
use std::collections::{BTreeMap, BTreeSet};
use tracing::warn;

/// A wanted chunk that is loaded, or is to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) coord: ChunkCoord,
    pub(super) distance_sq: u64,
    /// Its bytes, if it is loaded.
    pub(super) loaded: Option<usize>,
}

/// Loaded chunks count as nearer by so many chunks, so that a viewer who sways over a border swaps none.
const NEARER_IF_LOADED: u64 = 2;

/// A limit on the bytes of all chunks, and which of them are held back because of it.
///
/// The rule: of the wanted chunks, nearest first, those are loaded whose sum fits, up to the first that does not. A chunk that
/// was never loaded is expected to weigh what the others weigh on average. Each is loaded in vain once at most, because what it
/// weighs is remembered as long as it is wanted; so everything comes to rest.
#[derive(Default)]
pub(in crate::streaming) struct Ceiling {
    limit: Option<usize>,
    /// What chunks weighed that were loaded and are held back.
    weights: BTreeMap<ChunkCoord, usize>,
    held_back: BTreeSet<ChunkCoord>,
    /// The most bytes that a chunk had.
    heaviest: usize,
    /// Whether another choice may be due.
    is_outdated: bool,
}

impl Ceiling {
    pub(in crate::streaming) fn set_limit(&mut self, limit: Option<usize>) {
        self.is_outdated |= self.limit != limit;
        self.limit = limit;
    }

    /// Something has changed that the choice depends on.
    pub(in crate::streaming) fn note_change(&mut self) {
        self.is_outdated |= self.limit.is_some();
    }

    /// Whether the choice is the right one for this limit.
    pub(super) fn is_settled(&self, limit: Option<usize>) -> bool {
        self.limit == limit && !self.is_outdated
    }

    pub(super) fn is_exceeded(&self, bytes: usize) -> bool {
        self.limit.is_some_and(|limit| bytes > limit)
    }

    pub(in crate::streaming) fn holds_back(&self, coord: ChunkCoord) -> bool {
        self.held_back.contains(&coord)
    }

    pub(super) fn held_back(&self) -> impl ExactSizeIterator<Item = ChunkCoord> + '_ {
        self.held_back.iter().copied()
    }

    /// What a chunk weighed when it was last loaded, if it is known, and the limit.
    pub(super) fn explain(&self, coord: ChunkCoord) -> Option<(Option<usize>, usize)> {
        let limit = self.limit.filter(|_| self.holds_back(coord))?;
        Some((self.weights.get(&coord).copied(), limit))
    }

    /// The chunk was given up, and weighed so much.
    pub(super) fn remember(&mut self, coord: ChunkCoord, bytes: usize) {
        self.weights.insert(coord, bytes);
    }

    /// The chunk alone is more than the limit. If no other version stands or is under way, it is held back until it is made anew
    /// or the limit is raised.
    pub(super) fn refuse(&mut self, coord: ChunkCoord, bytes: usize, is_only: bool) {
        let limit = self.limit.unwrap_or(usize::MAX);
        warn!(
            ?coord,
            bytes,
            limit,
            "a chunk is not loaded because it alone has more bytes than `max_loaded_bytes`"
        );
        if is_only {
            self.remember(coord, bytes);
            self.held_back.insert(coord);
        }
        self.note_weight(bytes);
    }

    /// Nobody makes the chunk before it is asked for again.
    pub(in crate::streaming) fn forget(&mut self, coord: ChunkCoord) {
        self.held_back.remove(&coord);
        self.note_change();
    }

    /// The chunk is no longer wanted.
    pub(super) fn leave(&mut self, coord: ChunkCoord) {
        self.weights.remove(&coord);
        self.held_back.remove(&coord);
        self.note_change();
    }

    /// A chunk is to be made anew. If it is held back, what it will weigh is not known, and this returns true: it is requested
    /// when there is room.
    pub(in crate::streaming) fn renew(&mut self, coord: ChunkCoord) -> bool {
        let is_held_back = self.holds_back(coord);
        if is_held_back {
            self.weights.remove(&coord);
            self.note_change();
        }
        is_held_back
    }

    /// A chunk of so many bytes is loaded.
    pub(super) fn loaded(&mut self, coord: ChunkCoord, bytes: usize) {
        self.held_back.remove(&coord);
        self.note_weight(bytes);
    }

    fn note_weight(&mut self, bytes: usize) {
        self.heaviest = self.heaviest.max(bytes);
        self.note_change();
    }

    /// Whether a choice among so many chunks is due, which is then made.
    pub(super) fn must_choose(&mut self, wanted: usize) -> bool {
        let has_changed = core::mem::take(&mut self.is_outdated);
        let is_ample = self
            .limit
            .is_none_or(|limit| self.heaviest.saturating_mul(wanted) <= limit);
        has_changed && !(is_ample && self.held_back.is_empty())
    }

    /// Chooses among all candidates. Returns those that are held back from now on, the farthest first, and those that are no
    /// longer, the nearest first. Of each there are so many at most; then another choice is due.
    pub(super) fn choose(
        &mut self,
        candidates: Vec<Candidate>,
        most: usize,
    ) -> (Vec<ChunkCoord>, Vec<ChunkCoord>) {
        let limit = self.limit.unwrap_or(usize::MAX);
        let chosen = divide(candidates, &self.weights, limit);
        let differing = |has_room: bool| -> Vec<ChunkCoord> {
            let chosen = chosen.iter().filter(|(_, it)| *it == has_room);
            let coords = chosen.map(|(coord, _)| *coord);
            let differ = coords.filter(|coord| self.holds_back(*coord) == has_room);
            differ.collect()
        };
        let (mut held_back, mut released) = (differing(false), differing(true));
        held_back.reverse();
        self.is_outdated = held_back.len().max(released.len()) > most;
        held_back.truncate(most);
        released.truncate(most);
        self.held_back.extend(&held_back);
        for coord in &released {
            self.held_back.remove(coord);
        }
        if self.limit.is_none() && self.held_back.is_empty() {
            self.weights.clear();
        }
        (held_back, released)
    }
}

/// Says of each of the candidates, the nearest first, whether there is room for it.
fn divide(
    mut candidates: Vec<Candidate>,
    weights: &BTreeMap<ChunkCoord, usize>,
    limit: usize,
) -> Vec<(ChunkCoord, bool)> {
    let weight = |it: &Candidate| it.loaded.or_else(|| weights.get(&it.coord).copied());
    let known = candidates.iter().filter_map(weight);
    let (sum, count) = (known.filter(|bytes| *bytes <= limit))
        .fold((0_usize, 0), |(sum, count), bytes| {
            (sum.saturating_add(bytes), count + 1)
        });
    let average = sum / count.max(1);
    candidates.sort_unstable_by_key(|it| {
        let is_loaded = it.loaded.is_some();
        let nearer = if is_loaded { NEARER_IF_LOADED } else { 0 };
        let distance = it.distance_sq.isqrt().saturating_sub(nearer);
        (distance, !is_loaded, it.distance_sq, it.coord)
    });
    let (mut total, mut is_full) = (0_usize, false);
    let has_room = |it: Candidate| {
        let bytes = weight(&it).unwrap_or(average);
        // One that is too heavy by itself does not keep those behind it away.
        let may_be_loaded = bytes <= limit;
        if may_be_loaded {
            total = total.saturating_add(bytes);
            is_full |= total > limit;
        }
        (it.coord, may_be_loaded && !is_full)
    };
    candidates.into_iter().map(has_room).collect()
}
