//! One lane of the queue: a binary heap that loses no job when a comparison of the user panics.

use std::cmp::Ordering;

use crate::{
    job::{JobCell, Key, panics},
    sync::Arc,
};

/// A queued job. 32 bytes for a 12-byte key and an 8-byte priority.
#[derive(Debug)]
pub(crate) struct Entry<K, P> {
    pub(crate) priority: P,
    /// The turn in which it was submitted. Among equal priorities the oldest job goes first, so that requests for
    /// small keys do not starve others.
    pub(crate) turn: u32,
    pub(crate) key: K,
    pub(crate) cell: Arc<JobCell<K>>,
}

impl<K: Key, P: Ord> Entry<K, P> {
    fn is_sooner(&self, other: &Self) -> bool {
        let by_age = || self.turn.cmp(&other.turn);
        let order = self.priority.cmp(&other.priority).then_with(by_age);
        order.then_with(|| self.key.cmp(&other.key)) == Ordering::Less
    }
}

/// A binary heap, soonest first.
///
/// The standard library's heap drops an entry when a comparison panics while it is popped. Priorities and keys are
/// the user's, so this heap compares before it moves, and moves by swapping.
#[derive(Debug)]
pub(crate) struct LaneQueue<K, P> {
    entries: Vec<Entry<K, P>>,
    /// Whether `entries` is a heap. Otherwise the next pop makes it one.
    is_heap: bool,
}

/// A queue grows by an eighth and this many entries, because doubling a long one would take too much memory.
const SMALLEST_GROWTH: usize = 64;
/// A queue with a smaller capacity than this is not shrunk.
const ROOM_KEPT: usize = 4096;

impl<K: Key, P: Ord + Copy> LaneQueue<K, P> {
    pub(crate) fn new() -> Self {
        Self {
            entries: Vec::new(),
            is_heap: true,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry<K, P>> {
        self.entries.iter()
    }

    pub(crate) fn push(&mut self, entry: Entry<K, P>) {
        let len = self.entries.len();
        if len == self.entries.capacity() {
            self.entries.reserve_exact(len / 8 + SMALLEST_GROWTH);
        }
        self.entries.push(entry);
        if self.is_heap {
            self.keep_order(|queue| queue.sift_up(len));
        }
    }

    /// Takes the soonest entry. Entries whose comparison panics are taken in any order.
    pub(crate) fn pop(&mut self) -> Option<Entry<K, P>> {
        if !self.is_heap {
            self.is_heap = true;
            self.keep_order(Self::build_heap);
        }
        let last = self.entries.pop()?;
        self.shrink();
        let Some(first) = self.entries.first_mut() else {
            return Some(last);
        };
        let soonest = std::mem::replace(first, last);
        if self.is_heap {
            self.keep_order(|queue| queue.sift_down(0));
        }
        Some(soonest)
    }

    /// Gives every entry a new priority.
    pub(crate) fn rerank(&mut self, mut priority: impl FnMut(&Entry<K, P>) -> P) {
        self.is_heap = false;
        for entry in &mut self.entries {
            entry.priority = priority(entry);
        }
    }

    /// Removes the entries that `keep` refuses.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&Entry<K, P>) -> bool) {
        self.is_heap = false;
        self.entries.retain(keep);
    }

    /// Runs code that compares entries. After a panic the next pop restores their order.
    fn keep_order(&mut self, compare: impl FnOnce(&mut Self)) {
        if let Err(message) = panics::guard(|| compare(self)) {
            self.is_heap = false;
            log_lost_order(&message);
        }
    }

    fn build_heap(&mut self) {
        for at in (0..self.entries.len() / 2).rev() {
            self.sift_down(at);
        }
    }

    /// Gives memory back, so that a queue which was long once does not keep it.
    fn shrink(&mut self) {
        let len = self.entries.len();
        if self.entries.capacity() > ROOM_KEPT && self.entries.capacity() / 4 > len {
            self.entries.shrink_to(len + len / 8);
        }
    }

    fn sift_up(&mut self, mut at: usize) {
        while at > 0 {
            let parent = (at - 1) / 2;
            if !self.entries[at].is_sooner(&self.entries[parent]) {
                return;
            }
            self.entries.swap(at, parent);
            at = parent;
        }
    }

    fn sift_down(&mut self, mut at: usize) {
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            let sooner = match self.entries.get(left..) {
                Some([left_entry, right_entry, ..]) if right_entry.is_sooner(left_entry) => right,
                Some([_, ..]) => left,
                _ => return,
            };
            if !self.entries[sooner].is_sooner(&self.entries[at]) {
                return;
            }
            self.entries.swap(sooner, at);
            at = sooner;
        }
    }
}

#[cold]
fn log_lost_order(message: &str) {
    tracing::error!(
        "comparing priorities or keys panicked, so jobs may start out of order: {message}"
    );
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::job::{Lane, Version};

    fn entry(priority: u64, turn: u32, key: u32) -> Entry<u32, u64> {
        let cell = Arc::new(JobCell::new(key, Version(1), Lane::Normal));
        Entry {
            priority,
            turn,
            key,
            cell,
        }
    }

    /// The numbers 0..len, mixed without a random number generator.
    fn mixed(len: u64) -> impl Iterator<Item = u64> {
        (0..len).map(move |i| (i * 7919 + 13) % len)
    }

    fn popped(queue: &mut LaneQueue<u32, u64>) -> Vec<u64> {
        std::iter::from_fn(|| queue.pop().map(|entry| entry.priority)).collect()
    }

    #[test]
    fn any_number_of_entries_is_popped_in_order() {
        let many = if cfg!(miri) { 500 } else { 5_000 };
        for len in [0, 1, 2, 3, 63, 64, 65, many] {
            let mut queue = LaneQueue::new();
            for priority in mixed(len) {
                queue.push(entry(priority, 0, 0));
            }
            assert_eq!(popped(&mut queue), (0..len).collect::<Vec<_>>());
        }
    }

    #[test]
    fn entries_pushed_between_pops_keep_the_order() {
        let mut queue = LaneQueue::new();
        for priority in mixed(4_001) {
            queue.push(entry(priority + 10_000, 0, 0));
        }
        assert_eq!(queue.pop().map(|e| e.priority), Some(10_000));
        for priority in mixed(3_001) {
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
    fn a_new_rank_reorders_the_queue() {
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
    fn a_queue_that_was_long_frees_memory_at_the_next_pop() {
        let mut queue = LaneQueue::new();
        for priority in mixed(10_000) {
            queue.push(entry(priority, 0, 0));
        }
        queue.retain(|entry| entry.priority < 100);
        assert_eq!(queue.pop().map(|e| e.priority), Some(0));
        assert!(queue.entries.capacity() < 1_000);
    }

    #[test]
    fn a_queue_that_is_popped_empty_frees_memory_without_being_ranked_anew() {
        let mut queue = LaneQueue::new();
        for priority in mixed(10_000) {
            queue.push(entry(priority, 0, 0));
        }
        assert_eq!(popped(&mut queue).len(), 10_000);
        assert!(queue.entries.capacity() <= ROOM_KEPT);
    }

    #[test]
    fn an_entry_stays_within_its_share_of_the_memory_bound() {
        assert!(size_of::<Entry<[i32; 3], u64>>() <= 32);
    }
}
