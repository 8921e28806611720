//! Which job is next: the state that runners share and the main thread never touches.

use crate::{
    key::{Key, Lane},
    panics,
    queue::{Entry, LaneQueue},
    rank::Rank,
    slot::Slot,
    sync::Arc,
};

/// Work for the runners, by lane. The lane is part of an arrival, because a job can be promoted
/// while it waits.
pub(crate) type Arrivals<K> = [Vec<Arrival<K>>; 3];

/// A job on its way into the queue.
#[derive(Debug)]
pub(crate) struct Arrival<K> {
    pub(crate) slot: Arc<Slot<K>>,
    /// The turn it was handed over in.
    pub(crate) turn: u32,
}

/// What the main thread left for the runners.
#[derive(Debug)]
pub(crate) struct Inbox<K, R> {
    pub(crate) arrivals: Arrivals<K>,
    /// The latest published snapshot.
    pub(crate) rank: Arc<R>,
    /// Counts the times that work was handed over.
    pub(crate) turn: u32,
}

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

#[derive(Debug)]
pub(crate) struct Picker<K, R: Rank<K>> {
    pub(crate) lanes: [LaneQueue<K, R::Priority>; 3],
    pub(crate) rank: Arc<R>,
    pub(crate) turn: u32,
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
        if let Some(rank) = merge.rank {
            self.rank = rank;
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
    pub(crate) fn pick(&mut self) -> (Option<Picked<K>>, usize) {
        let mut dead = 0;
        for lane in Lane::ALL {
            while let Some(entry) = self.lanes[lane.index()].pop() {
                if self.running.contains(&entry.key) && entry.slot.is_startable(lane) {
                    self.held_back.push((lane, entry));
                } else if let Some(attempt) = entry.slot.start(lane) {
                    self.running.push(entry.key);
                    self.picks += 1;
                    let picked = Picked {
                        slot: entry.slot,
                        attempt,
                        order: self.picks,
                        lane,
                        turn: entry.turn,
                    };
                    return (Some(picked), dead);
                } else {
                    dead += 1;
                }
            }
        }
        (None, dead)
    }

    /// The generator of `key` has returned: whatever waited for it may start.
    pub(crate) fn finish(&mut self, key: &K) {
        if let Some(at) = self.running.iter().position(|running| running == key) {
            self.running.swap_remove(at);
        }
        while let Some(at) = self
            .held_back
            .iter()
            .position(|(_, entry)| entry.key == *key)
        {
            let (lane, entry) = self.held_back.swap_remove(at);
            self.lanes[lane.index()].push(entry);
        }
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

/// What a picker took from the inbox and has not sorted in yet.
#[derive(Debug)]
pub(crate) struct Merge<K, R> {
    arrivals: Arrivals<K>,
    rank: Option<Arc<R>>,
    turn: u32,
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
        picker.pick().0.map(|picked| picked.slot.key)
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
        let (first, dead) = picker.pick();
        assert_eq!((first.map(|p| p.slot.key), dead), (Some(2), 1));
        assert_eq!(picker.compact(), 1);
        assert_eq!(picker.len(), 1);
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
