//! Which job is next: the state that runners share and the main thread never touches.

use crate::{
    inbox::{Arrival, Arrivals, Inbox, Merge},
    key::{Key, Lane},
    panics,
    queue::{Entry, LaneQueue},
    rank::Rank,
    slot::Slot,
    sync::Arc,
};

/// A job that was just started.
#[derive(Debug)]
pub(crate) struct Picked<K> {
    pub(crate) slot: Arc<Slot<K>>,
    pub(crate) attempt: u32,
    /// Counts the picks of this scheduler: results are handed over in the order of their starts.
    pub(crate) order: u64,
    /// The lane it was picked from.
    pub(crate) lane: Lane,
    /// The turn it was handed over in.
    pub(crate) turn: u32,
}

/// A new job whose rank panicked.
#[derive(Debug)]
pub(crate) struct Unrankable<K> {
    pub(crate) slot: Arc<Slot<K>>,
    pub(crate) message: String,
}

/// Which jobs there is a place for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    Everything,
    UrgentOnly,
}

/// After so many urgent jobs in a row a normal one is started, if one waits: edits that never end
/// cost loading almost all of its speed, but do not stop it.
const MOST_URGENT_IN_A_ROW: u32 = 64;
/// The queue is ranked anew after so many turns although nobody published anything, so that ranks
/// that age do so while the viewers rest as well.
const TURNS_BETWEEN_RANKINGS: u32 = 64;

#[derive(Debug)]
pub(crate) struct Picker<K, R: Rank<K>> {
    pub(crate) lanes: [LaneQueue<K, R::Priority>; 3],
    pub(crate) rank: Arc<R>,
    pub(crate) turn: u32,
    /// The turn in which everything was ranked last.
    ranked: u32,
    urgent_in_a_row: u32,
    picks: u64,
    /// The epoch of the inbox that was merged last.
    pub(crate) merged: u64,
    /// Keys on workers now, the cancelled ones included. As many as there are runners.
    pub(crate) running: Vec<K>,
    /// Entries whose key is running: a key is never generated twice at the same time.
    pub(crate) held_back: Vec<(Lane, Entry<K, R::Priority>)>,
    /// Empty vectors that keep their memory, swapped with the inbox's full ones.
    spare: Arrivals<K>,
}

/// An emptied vector with more room than this is given back to the allocator.
const SPARE_ROOM: usize = 1024;

impl<K: Key, R: Rank<K>> Picker<K, R> {
    pub(crate) fn new(rank: Arc<R>) -> Self {
        Self {
            lanes: Lane::ALL.map(|_| LaneQueue::new()),
            rank,
            turn: 0,
            ranked: 0,
            urgent_in_a_row: 0,
            picks: 0,
            merged: 0,
            running: Vec::new(),
            held_back: Vec::new(),
            spare: Lane::ALL.map(|_| Vec::new()),
        }
    }

    /// Entries, the dead ones included.
    pub(crate) fn len(&self) -> usize {
        self.lanes.iter().map(LaneQueue::len).sum::<usize>() + self.held_back.len()
    }

    /// Takes over what the inbox holds: pointers only, so that the main thread may want the same
    /// lock. Returns what [`Self::merge`] then sorts in.
    pub(crate) fn collect(&mut self, inbox: &mut Inbox<K, R>) -> Merge<K, R> {
        let mut arrivals = std::mem::take(&mut self.spare);
        std::mem::swap(&mut arrivals, &mut inbox.arrivals);
        Merge {
            arrivals,
            rank: (!Arc::ptr_eq(&self.rank, &inbox.rank)).then(|| Arc::clone(&inbox.rank)),
            turn: inbox.turn,
        }
    }

    /// Re-ranks if there is a new snapshot, then queues the arrivals. Jobs whose rank panicked are
    /// pushed to `unrankable`.
    pub(crate) fn merge(&mut self, merge: Merge<K, R>, unrankable: &mut Vec<Unrankable<K>>) {
        self.turn = merge.turn;
        let is_due = self.turn.wrapping_sub(self.ranked) >= TURNS_BETWEEN_RANKINGS;
        let is_new = merge.rank.is_some();
        if let Some(rank) = merge.rank {
            self.rank = rank;
        }
        if is_new || is_due {
            self.ranked = self.turn;
            tracing::debug_span!("chunk_rerank").in_scope(|| self.rerank());
        }
        for (lane, mut arrivals) in Lane::ALL.into_iter().zip(merge.arrivals) {
            for arrival in arrivals.drain(..) {
                self.arrive(lane, arrival, unrankable);
            }
            if arrivals.capacity() <= SPARE_ROOM {
                self.spare[lane.index()] = arrivals;
            }
        }
    }

    /// Starts the best job whose key is not running. Returns it with the number of dead entries
    /// that were cleared away.
    pub(crate) fn pick(&mut self, reach: Reach) -> (Option<Picked<K>>, usize) {
        let lanes: &[Lane] = match reach {
            Reach::UrgentOnly => &[Lane::Urgent],
            Reach::Everything if self.urgent_in_a_row >= MOST_URGENT_IN_A_ROW => {
                &[Lane::Normal, Lane::Urgent, Lane::Prefetch]
            }
            Reach::Everything => &Lane::ALL,
        };
        let mut dead = 0;
        for lane in lanes {
            let picked = self.pick_from(*lane, &mut dead);
            if picked.is_some() {
                self.urgent_in_a_row = match lane {
                    Lane::Urgent => self.urgent_in_a_row.saturating_add(1),
                    _ => 0,
                };
                return (picked, dead);
            }
        }
        (None, dead)
    }

    fn pick_from(&mut self, lane: Lane, dead: &mut usize) -> Option<Picked<K>> {
        while let Some(entry) = self.lanes[lane.index()].pop() {
            if self.running.contains(&entry.key) && entry.slot.is_startable(lane) {
                self.held_back.push((lane, entry));
            } else if let Some(attempt) = entry.slot.start(lane) {
                self.running.push(entry.key);
                self.picks += 1;
                return Some(Picked {
                    slot: entry.slot,
                    attempt,
                    order: self.picks,
                    lane,
                    turn: entry.turn,
                });
            } else {
                *dead += 1;
            }
        }
        None
    }

    /// The generator of `key` has returned: whatever waited for it may start. Returns how many did.
    pub(crate) fn finish(&mut self, key: &K) -> usize {
        if let Some(at) = self.running.iter().position(|running| running == key) {
            self.running.swap_remove(at);
        }
        let mut freed = 0;
        while let Some(at) = self
            .held_back
            .iter()
            .position(|(_, entry)| entry.key == *key)
        {
            let (lane, entry) = self.held_back.swap_remove(at);
            self.lanes[lane.index()].push(entry);
            freed += 1;
        }
        freed
    }

    /// Clears away every dead entry; returns how many there were.
    pub(crate) fn compact(&mut self) -> usize {
        let before = self.len();
        for lane in Lane::ALL {
            self.lanes[lane.index()].retain(|entry| entry.slot.is_startable(lane));
        }
        self.held_back
            .retain(|(lane, entry)| entry.slot.is_startable(*lane));
        before - self.len()
    }

    fn arrive(&mut self, lane: Lane, arrival: Arrival<K>, unrankable: &mut Vec<Unrankable<K>>) {
        let Arrival { slot, turn } = arrival;
        let key = slot.key;
        match panics::guard(|| self.rank.rank(&key)) {
            Ok(priority) => self.lanes[lane.index()].push(Entry {
                priority,
                turn,
                key,
                slot,
            }),
            Err(message) => unrankable.push(Unrankable { slot, message }),
        }
    }

    fn rerank(&mut self) {
        let (rank, now) = (Arc::clone(&self.rank), self.turn);
        let aged = |entry: &Entry<K, R::Priority>| {
            rank.rank_aged(&entry.key, now.wrapping_sub(entry.turn))
        };
        if panics::guard(|| self.rerank_by(aged)).is_err() {
            // Slower, entry by entry: a rank that panics for one key must not cost the others
            // theirs.
            self.rerank_by(|entry| panics::guard(|| aged(entry)).unwrap_or(entry.priority));
        }
    }

    fn rerank_by(&mut self, priority: impl Fn(&Entry<K, R::Priority>) -> R::Priority) {
        for lane in &mut self.lanes {
            lane.rerank(&priority);
        }
        for (_, entry) in &mut self.held_back {
            entry.priority = priority(entry);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::{key::Version, rank::FnRank, slot::JobState};

    type Slots = Vec<Arc<Slot<u32>>>;

    fn arrival(slot: &Arc<Slot<u32>>) -> Arrival<u32> {
        Arrival {
            slot: Arc::clone(slot),
            turn: 1,
        }
    }

    fn picker_with<R: Rank<u32>>(rank: R, keys: &[u32]) -> (Picker<u32, R>, Slots, usize) {
        let rank = Arc::new(rank);
        let mut picker = Picker::new(Arc::clone(&rank));
        let slots: Slots = (1..)
            .zip(keys)
            .map(|(version, key)| Arc::new(Slot::new(*key, Version(version), Lane::Normal)))
            .collect();
        let mut inbox = Inbox {
            arrivals: [Vec::new(), slots.iter().map(arrival).collect(), Vec::new()],
            rank,
            turn: 1,
        };
        let merge = picker.collect(&mut inbox);
        let mut unrankable = Vec::new();
        picker.merge(merge, &mut unrankable);
        (picker, slots, unrankable.len())
    }

    fn picked<R: Rank<u32>>(picker: &mut Picker<u32, R>) -> Option<u32> {
        picker
            .pick(Reach::Everything)
            .0
            .map(|picked| picked.slot.key)
    }

    #[test]
    fn a_key_that_runs_holds_back_its_successor_but_nobody_else() {
        let (mut picker, slots, _) = picker_with(FnRank(|k: &u32| *k), &[1]);
        assert_eq!(picked(&mut picker), Some(1));
        assert!(slots[0].end(JobState::Stale).is_some());
        let again = Arc::new(Slot::new(1, Version(2), Lane::Normal));
        let other = Arc::new(Slot::new(5, Version(3), Lane::Normal));
        picker.arrive(Lane::Normal, arrival(&again), &mut Vec::new());
        picker.arrive(Lane::Normal, arrival(&other), &mut Vec::new());
        assert_eq!(picked(&mut picker), Some(5));
        assert_eq!(picked(&mut picker), None);
        picker.finish(&1);
        assert_eq!(picked(&mut picker), Some(1));
    }

    #[test]
    fn cancelled_entries_cost_their_pop_or_are_compacted() {
        let (mut picker, slots, _) = picker_with(FnRank(|k: &u32| *k), &[1, 2, 3, 4]);
        assert!(slots[0].end(JobState::Cancelled).is_some());
        assert!(slots[3].end(JobState::Cancelled).is_some());
        let (first, dead) = picker.pick(Reach::Everything);
        assert_eq!((first.map(|p| p.slot.key), dead), (Some(2), 1));
        assert_eq!(picker.compact(), 1);
        assert_eq!(picker.len(), 1);
    }

    /// The order of what is left does not matter; that it is left does.
    #[test]
    fn keys_that_cannot_be_compared_are_not_lost() {
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        struct Incomparable(u32);
        impl PartialOrd for Incomparable {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for Incomparable {
            fn cmp(&self, _: &Self) -> std::cmp::Ordering {
                std::panic::resume_unwind(Box::new("no order"))
            }
        }
        let rank = FnRank(|key: &u32| Incomparable(*key));
        let (mut picker, _, unrankable) = picker_with(rank, &[1, 2, 3]);
        assert_eq!(unrankable, 0);
        let mut keys: Vec<_> = std::iter::from_fn(|| picked(&mut picker)).collect();
        keys.sort_unstable();
        assert_eq!(keys, [1, 2, 3]);
    }

    #[test]
    fn a_rank_that_panics_costs_only_its_own_key() {
        let rank = FnRank(|key: &u32| {
            assert_ne!(*key, 2, "unlucky");
            *key
        });
        let (mut picker, _, unrankable) = picker_with(rank, &[1, 2, 3]);
        assert_eq!(unrankable, 1);
        picker.rerank();
        assert_eq!(picked(&mut picker), Some(1));
        assert_eq!(picked(&mut picker), Some(3));
    }
}
