//! Which of the wanted chunks are loaded where there is no room for the bytes of all.

use ahash::{AHashMap, AHashSet};
use chunk_coord::ChunkCoord;
use std::collections::VecDeque;
use tracing::warn;

/// A wanted chunk that is loaded, or is to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) coord: ChunkCoord,
    pub(super) distance_sq: u64,
    /// Its bytes, if it is loaded.
    pub(super) loaded: Option<usize>,
}

/// What is to become of a chunk.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    HoldBack(ChunkCoord),
    Release(ChunkCoord),
}

/// Loaded chunks count as nearer by so many chunks, so that a viewer who sways over a border swaps none.
const NEARER_IF_LOADED: u64 = 2;

/// So many wanted chunks are looked at in a scan on average: with more of them the choice is made in every second one, or every
/// third.
const PER_SCAN: usize = 1024;

/// A limit on the bytes of all chunks, and which of them are held back because of it.
///
/// The rule: of the wanted chunks, nearest first, those are loaded whose sum fits, up to the first that does not. A chunk that
/// was never loaded is expected to weigh what the others weigh on average. Each is loaded in vain once at most, because what it
/// weighs is remembered as long as it is wanted; so everything comes to rest.
pub(in crate::streaming) struct Ceiling {
    limit: Option<usize>,
    /// What chunks weighed that were loaded and are held back.
    weights: AHashMap<ChunkCoord, usize>,
    held_back: AHashSet<ChunkCoord>,
    /// The most bytes that a chunk had.
    heaviest: usize,
    /// Whether another choice may be due.
    is_outdated: bool,
    /// Scans since the last one.
    scans: usize,
    /// What is to be done for it: which are held back, the farthest first, and then which are no longer, the nearest first.
    plan: VecDeque<Change>,
}

impl Ceiling {
    pub(super) fn new() -> Self {
        Self {
            limit: None,
            weights: AHashMap::new(),
            held_back: AHashSet::new(),
            heaviest: 0,
            is_outdated: false,
            scans: 0,
            plan: VecDeque::new(),
        }
    }

    pub(in crate::streaming) fn set_limit(&mut self, limit: Option<usize>) {
        if self.limit != limit {
            self.is_outdated = true;
            self.scans = usize::MAX;
            self.limit = limit;
        }
    }

    /// Something has changed that the choice depends on.
    pub(in crate::streaming) fn note_change(&mut self) {
        self.is_outdated |= self.limit.is_some();
    }

    /// Whether the choice is the right one for this limit.
    pub(super) fn is_settled(&self, limit: Option<usize>) -> bool {
        self.limit == limit && !self.is_outdated && self.plan.is_empty()
    }

    /// Whether there is a limit.
    pub(super) fn has_limit(&self) -> bool {
        self.limit.is_some()
    }

    pub(super) fn is_exceeded(&self, bytes: usize) -> bool {
        self.limit.is_some_and(|limit| bytes > limit)
    }

    pub(in crate::streaming) fn holds_back(&self, coord: ChunkCoord) -> bool {
        self.held_back.contains(&coord)
    }

    pub(super) fn held_back(&self) -> impl ExactSizeIterator<Item = ChunkCoord> + '_ {
        let mut held_back: Vec<_> = self.held_back.iter().copied().collect();
        held_back.sort_unstable();
        held_back.into_iter()
    }

    pub(super) fn held_back_chunks(&self) -> usize {
        self.held_back.len()
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

    /// Whether a choice among so many chunks is due, which is then made. Called once in a scan.
    pub(super) fn must_choose(&mut self, wanted: usize) -> bool {
        self.scans = self.scans.saturating_add(1);
        let is_free = self.held_back.is_empty();
        if self.limit.is_none() && is_free {
            self.weights.clear();
        }
        let is_ample = self
            .limit
            .is_none_or(|limit| self.heaviest.saturating_mul(wanted) <= limit);
        if is_ample && is_free {
            self.is_outdated = false;
            self.plan.clear();
        }
        let is_due = self.is_outdated && self.scans.saturating_mul(PER_SCAN) >= wanted;
        if is_due {
            self.is_outdated = false;
            self.scans = 0;
        }
        is_due
    }

    /// Chooses among all candidates.
    pub(super) fn choose(&mut self, candidates: impl Iterator<Item = Candidate>) {
        let limit = self.limit.unwrap_or(usize::MAX);
        let (mut sum, mut count) = (0_usize, 0);
        let in_order = candidates.map(|it| {
            let is_loaded = it.loaded.is_some();
            let weight = it.loaded.or_else(|| self.weights.get(&it.coord).copied());
            if let Some(bytes) = weight.filter(|bytes| *bytes <= limit) {
                sum = sum.saturating_add(bytes);
                count += 1;
            }
            let nearer = if is_loaded { NEARER_IF_LOADED } else { 0 };
            let distance = it.distance_sq.isqrt().saturating_sub(nearer);
            (distance, !is_loaded, it.distance_sq, it.coord, weight)
        });
        let mut in_order: Vec<_> = in_order.collect();
        in_order.sort_unstable();
        let average = sum / count.max(1);
        let (mut total, mut is_full) = (0_usize, false);
        let mut released = Vec::new();
        self.plan.clear();
        for (.., coord, weight) in in_order {
            let bytes = weight.unwrap_or(average);
            // One that is too heavy by itself does not keep those behind it away.
            let may_be_loaded = bytes <= limit;
            if may_be_loaded {
                total = total.saturating_add(bytes);
                is_full |= total > limit;
            }
            match (may_be_loaded && !is_full, self.holds_back(coord)) {
                (true, true) => released.push(Change::Release(coord)),
                (false, false) => self.plan.push_front(Change::HoldBack(coord)),
                _ => {}
            }
        }
        self.plan.extend(released);
    }

    /// The next change that is to be made for the choice, and counts as made. Only what `may_be_held_back` now is.
    pub(super) fn next_change(
        &mut self,
        may_be_held_back: impl Fn(ChunkCoord) -> bool,
    ) -> Option<Change> {
        while let Some(change) = self.plan.pop_front() {
            let is_new = match change {
                Change::HoldBack(coord) => may_be_held_back(coord) && self.held_back.insert(coord),
                Change::Release(coord) => self.held_back.remove(&coord),
            };
            if is_new {
                return Some(change);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_among_many_is_made_in_every_few_scans_and_at_once_for_another_limit() {
        let mut ceiling = Ceiling::new();
        for limit in [Some(1), Some(2)] {
            ceiling.set_limit(limit);
            let choices = (0..31).filter(|_| {
                ceiling.loaded(ChunkCoord::ORIGIN, 1);
                ceiling.must_choose(10 * PER_SCAN)
            });
            assert_eq!(choices.collect::<Vec<_>>(), [0, 10, 20, 30]);
        }
    }
}
