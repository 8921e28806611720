//! One lane of the priority queue: sorted where it is about to be popped, and nowhere else.
//!
//! `front` holds the best few, sorted; `rest` everything else in no order. Only when the front
//! runs out are the best of the rest selected (linear, `select_nth_unstable`), so a queue of
//! 100,000 jobs that is re-ranked every frame never pays for a full sort.

use std::cmp::Ordering;

use crate::{key::Key, panics, slot::Slot, sync::Arc};

/// The front never shrinks below this by selection, so small queues are simply sorted.
const SMALLEST_FRONT: usize = 64;
/// The front never grows beyond this by a first selection: re-ranking throws it away.
const LARGEST_FRONT: usize = 1024;
/// Selecting looks at the whole queue. One that is popped empty again and again without being ranked anew selects twice
/// as many each time, up to this many times.
const MOST_DOUBLINGS: u32 = 2;

/// After so many insertions into the front it is cheaper to select it anew.
const MOST_INSERTIONS: usize = 128;

/// A queued job. 32 bytes for a 12-byte key and an 8-byte priority.
#[derive(Debug)]
pub(crate) struct Entry<K, P> {
    pub(crate) priority: P,
    /// When it arrived, counted in arrivals of work. Among equals the oldest goes first, so no
    /// requester starves another by having the smaller keys.
    pub(crate) turn: u32,
    pub(crate) key: K,
    pub(crate) slot: Arc<Slot<K>>,
}

impl<K: Key, P: Ord> Entry<K, P> {
    fn soonest_first(&self, other: &Self) -> Ordering {
        self.priority
            .cmp(&other.priority)
            .then_with(|| self.turn.cmp(&other.turn))
            .then_with(|| self.key.cmp(&other.key))
    }

    fn soonest_last(&self, other: &Self) -> Ordering {
        other.soonest_first(self)
    }
}

#[derive(Debug)]
pub(crate) struct LaneQueue<K, P> {
    /// Soonest last, so that a pop is a pop.
    front: Vec<Entry<K, P>>,
    /// Nothing in here is sooner than the first of `front`.
    rest: Vec<Entry<K, P>>,
    /// Insertions into the front since it was selected.
    insertions: usize,
    /// Fronts that were used up since the order was last forgotten.
    used_up: u32,
}

impl<K: Key, P: Ord + Copy> LaneQueue<K, P> {
    pub(crate) fn new() -> Self {
        Self {
            front: Vec::new(),
            rest: Vec::new(),
            insertions: 0,
            used_up: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.front.len() + self.rest.len()
    }

    /// The user's `Ord` is asked before the entry is moved: when it panics, nothing is lost.
    pub(crate) fn push(&mut self, entry: Entry<K, P>) {
        let place = panics::guard(|| self.place_in_front(&entry)).unwrap_or_else(|message| {
            complain(&message);
            None
        });
        match place {
            Some(at) if self.insertions < MOST_INSERTIONS => {
                self.insertions += 1;
                self.front.insert(at, entry);
            }
            Some(_) => {
                self.forget_order();
                self.push_to_rest(entry);
            }
            None => self.push_to_rest(entry),
        }
    }

    /// Where it belongs in the front, if it does.
    fn place_in_front(&self, entry: &Entry<K, P>) -> Option<usize> {
        let worst = self.front.first()?;
        entry.soonest_first(worst).is_lt().then(|| {
            self.front
                .partition_point(|other| other.soonest_last(entry).is_lt())
        })
    }

    /// Grows by an eighth and not to the double, because half of a long queue is a lot of memory.
    fn push_to_rest(&mut self, entry: Entry<K, P>) {
        if self.rest.len() == self.rest.capacity() {
            self.rest
                .reserve_exact(self.rest.len() / 8 + SMALLEST_FRONT);
        }
        self.rest.push(entry);
    }

    /// Where keys cannot be compared without a panic they come out in any order, but they do.
    pub(crate) fn pop(&mut self) -> Option<Entry<K, P>> {
        if self.front.is_empty()
            && let Err(message) = panics::guard(|| self.select_front())
        {
            complain(&message);
            self.forget_order();
            return self.rest.pop();
        }
        self.front.pop()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry<K, P>> {
        self.front.iter().chain(&self.rest)
    }

    /// Gives every entry a new priority. The order is found again at the next pop.
    pub(crate) fn rerank(&mut self, mut priority: impl FnMut(&Entry<K, P>) -> P) {
        self.forget_order();
        for entry in &mut self.rest {
            entry.priority = priority(entry);
        }
    }

    /// Throws out what `keep` refuses; returns how many went.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Entry<K, P>) -> bool) -> usize {
        let before = self.len();
        self.front.retain(&mut keep);
        self.rest.retain(&mut keep);
        before - self.len()
    }

    fn forget_order(&mut self) {
        self.used_up = 0;
        self.rest.reserve_exact(self.front.len());
        self.rest.append(&mut self.front);
    }

    fn select_front(&mut self) {
        self.insertions = 0;
        let len = self.rest.len();
        let wanted = (len / 64).clamp(SMALLEST_FRONT, LARGEST_FRONT) << self.used_up;
        let is_all = len <= wanted;
        self.used_up = if is_all {
            0
        } else {
            (self.used_up + 1).min(MOST_DOUBLINGS)
        };
        // The best are moved to the end, where taking them moves nothing else.
        let cut = len.saturating_sub(wanted);
        if cut > 0 {
            self.rest.select_nth_unstable_by(cut, Entry::soonest_last);
        }
        self.front.extend(self.rest.drain(cut..));
        self.front.sort_unstable_by(Entry::soonest_last);
        // A queue that was once long must not hold its memory for ever.
        if self.rest.capacity() > 4096 && self.rest.capacity() / 4 > self.rest.len() {
            self.rest.shrink_to(self.rest.len() + self.rest.len() / 8);
        }
    }
}

#[cold]
fn complain(message: &str) {
    tracing::error!("comparing priorities or keys panicked, so their order is lost: {message}");
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::key::{Lane, Version};

    fn entry(priority: u64, turn: u32, key: u32) -> Entry<u32, u64> {
        let slot = Arc::new(Slot::new(key, Version(1), Lane::Normal));
        Entry {
            priority,
            turn,
            key,
            slot,
        }
    }

    /// Scrambles 0..len without a random number generator.
    fn scrambled(len: u64) -> impl Iterator<Item = u64> {
        (0..len).map(move |i| (i * 7919 + 13) % len)
    }

    fn popped(queue: &mut LaneQueue<u32, u64>) -> Vec<u64> {
        std::iter::from_fn(|| queue.pop().map(|entry| entry.priority)).collect()
    }

    #[test]
    fn entries_come_out_in_order_however_many_there_are() {
        let many = if cfg!(miri) { 500 } else { 5_000 };
        for len in [0, 1, 63, 64, 65, many] {
            let mut queue = LaneQueue::new();
            for priority in scrambled(len) {
                queue.push(entry(priority, 0, 0));
            }
            assert_eq!(popped(&mut queue), (0..len).collect::<Vec<_>>());
        }
    }

    #[test]
    fn arrivals_between_pops_keep_the_order() {
        let mut queue = LaneQueue::new();
        for priority in scrambled(4_001) {
            queue.push(entry(priority + 10_000, 0, 0));
        }
        assert_eq!(queue.pop().map(|e| e.priority), Some(10_000));
        for priority in scrambled(3_001) {
            queue.push(entry(priority, 0, 0));
        }
        let order = popped(&mut queue);
        assert_eq!(order.len(), 7_001);
        assert!(order.is_sorted());
    }

    #[test]
    fn among_equals_the_oldest_goes_first_and_then_the_smallest_key() {
        let mut queue = LaneQueue::new();
        for (turn, key) in [(2, 1), (1, 9), (1, 4)] {
            queue.push(entry(5, turn, key));
        }
        let keys: Vec<_> = std::iter::from_fn(|| queue.pop().map(|e| e.key)).collect();
        assert_eq!(keys, [4, 9, 1]);
    }

    #[test]
    fn a_new_rank_reorders_the_front_too() {
        let mut queue = LaneQueue::new();
        for priority in 0..200 {
            queue.push(entry(priority, 0, u32::try_from(priority).unwrap_or(0)));
        }
        assert_eq!(queue.pop().map(|e| e.key), Some(0));
        queue.rerank(|entry| u64::from(1_000 - entry.key));
        assert_eq!(queue.pop().map(|e| e.key), Some(199));
        assert_eq!(queue.len(), 198);
    }

    #[test]
    fn a_queue_that_is_popped_without_being_ranked_anew_is_selected_from_less_often() {
        let mut queue = LaneQueue::new();
        for priority in scrambled(6_400) {
            queue.push(entry(priority, 0, 0));
        }
        let mut fronts = Vec::new();
        let mut use_up = |queue: &mut LaneQueue<u32, u64>| {
            queue.pop();
            fronts.push(queue.front.len() + 1);
            while !queue.front.is_empty() {
                queue.pop();
            }
        };
        for _ in 0..4 {
            use_up(&mut queue);
        }
        queue.rerank(|entry| entry.priority);
        use_up(&mut queue);
        assert_eq!(fronts, [100, 196, 380, 356, 83]);
    }

    #[test]
    fn an_entry_stays_within_its_share_of_the_memory_bound() {
        assert!(size_of::<Entry<[i32; 3], u64>>() <= 32);
    }
}
