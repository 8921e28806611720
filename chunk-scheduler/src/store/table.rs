//! What was saved and is not durable yet. It answers loads, and hands batches to writers.

use super::{config::ArchiveConfig, error::StoreError, report::ArchiveReport};
use crate::{job::Key, sync::Arc};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    task::Waker,
    time::Duration,
};

/// The most values in one batch; a batch is one transaction of an embedded store.
const MOST_IN_A_BATCH: usize = 1024;

/// The value of a key, or `None` if it was removed.
pub(super) type Saved<V> = Option<Arc<V>>;

struct Entry<V> {
    value: Saved<V>,
    /// The number of the first save of this key that is not durable.
    since: u64,
    /// The bytes that the value counts.
    bytes: usize,
    state: State,
}

enum State {
    /// Waits for a writer, in the queue.
    Queued,
    /// A writer has the value, or one that was saved before it.
    Writing {
        /// The bytes of that value, if it is not the newest any more.
        replaced: usize,
        /// The first save since a writer has it.
        next: Option<u64>,
    },
    /// It cannot be written as it is, so it waits for a newer value, or to be tried again after the longest wait.
    Stuck,
}

/// A value in the hands of a writer.
pub(super) struct InHand<K, V> {
    pub(super) key: K,
    pub(super) value: Saved<V>,
}

/// What became of a value that a writer had.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Durable,
    /// It may be written later.
    Failed,
    /// Trying again does not help.
    Stuck,
}

pub(super) struct Table<K, V> {
    entries: BTreeMap<K, Entry<V>>,
    /// The keys that wait, in the order in which they were saved; what failed goes to the end.
    queue: VecDeque<K>,
    /// How many saves there were.
    saves: u64,
    bytes: usize,
    /// The largest value that was encoded so far.
    largest: usize,
    /// How many values a batch has at most. Halved by each failure, so that a value that cannot be written is soon alone,
    /// and doubled by each success.
    batch: usize,
    writers: usize,
    /// Until when, by the clock of the ticks, nothing is tried, because writing failed.
    pause: Option<Duration>,
    failures_in_a_row: u32,
    /// What cannot be written as it is, and until when that waits.
    stuck: BTreeSet<K>,
    stuck_until: Duration,
    first_delay: Duration,
    max_delay: Duration,
    now: Duration,
    /// How many values became durable.
    written: u64,
    failures: u64,
    last_error: Option<StoreError>,
    waiting: Vec<Waker>,
}

impl<K: Key, V> Table<K, V> {
    pub(super) fn new(config: &ArchiveConfig) -> Self {
        Self {
            entries: BTreeMap::new(),
            queue: VecDeque::new(),
            saves: 0,
            bytes: 0,
            largest: 0,
            batch: MOST_IN_A_BATCH,
            writers: 0,
            pause: None,
            failures_in_a_row: 0,
            stuck: BTreeSet::new(),
            stuck_until: Duration::ZERO,
            first_delay: config.first_delay,
            max_delay: config.max_delay,
            now: Duration::ZERO,
            written: 0,
            failures: 0,
            last_error: None,
            waiting: Vec::new(),
        }
    }

    /// What was saved under this key and is not durable.
    pub(super) fn pending(&self, key: &K) -> Option<Saved<V>> {
        self.entries.get(key).map(|entry| entry.value.clone())
    }

    /// The bytes that they count.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many saves there were.
    pub(super) fn saves(&self) -> u64 {
        self.saves
    }

    /// How many of the first `saves` saves are not durable.
    pub(super) fn remaining(&self, saves: u64) -> usize {
        self.left(saves).count()
    }

    /// Whether one of the first `saves` saves is not durable, which is known after a few looks as long as many are not.
    pub(super) fn is_any_left(&self, saves: u64) -> bool {
        self.left(saves).next().is_some()
    }

    fn left(&self, saves: u64) -> impl Iterator<Item = &Entry<V>> {
        let entries = self.entries.values();
        entries.filter(move |entry| entry.since <= saves)
    }

    /// The smallest key whose value is not durable.
    #[cfg(not(loom))]
    pub(super) fn first(&self) -> Option<K> {
        self.entries.keys().next().copied()
    }

    /// Takes a value over. Returns the one in whose place it is, to be dropped without the lock.
    pub(super) fn save(&mut self, key: K, value: Saved<V>, weight: usize) -> Saved<V> {
        self.saves += 1;
        let save = self.saves;
        let bytes = value.as_ref().map_or(0, |_| weight.max(self.largest));
        self.bytes += bytes;
        if let Some(entry) = self.entries.get_mut(&key) {
            match &mut entry.state {
                State::Writing { replaced, next, .. } if next.is_none() => {
                    (*replaced, *next) = (entry.bytes, Some(save));
                }
                State::Queued | State::Writing { .. } => self.bytes -= entry.bytes,
                State::Stuck => {
                    self.bytes -= entry.bytes;
                    entry.state = State::Queued;
                    self.stuck.remove(&key);
                    self.queue.push_back(key);
                }
            }
            entry.bytes = bytes;
            return std::mem::replace(&mut entry.value, value);
        }
        let entry = Entry {
            value,
            since: save,
            bytes,
            state: State::Queued,
        };
        self.entries.insert(key, entry);
        self.queue.push_back(key);
        None
    }

    /// Sets the clock, and ends the waits that are over.
    pub(super) fn tick(&mut self, now: Duration) {
        self.now = now;
        if self.pause.is_some_and(|until| until <= now) {
            self.pause = None;
        }
        if self.stuck_until <= now && !self.stuck.is_empty() {
            self.queue_stuck();
        }
    }

    /// Ends all waits.
    pub(super) fn resume(&mut self) {
        self.pause = None;
        self.queue_stuck();
    }

    fn queue_stuck(&mut self) {
        for key in std::mem::take(&mut self.stuck) {
            self.queue(key);
        }
    }

    fn queue(&mut self, key: K) {
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.state = State::Queued;
            self.queue.push_back(key);
        }
    }

    /// Whether another writer is to be started, which is counted then.
    pub(super) fn start_writer(&mut self, most: usize) -> bool {
        let starts = self.writers < most && self.pause.is_none() && !self.queue.is_empty();
        self.writers += usize::from(starts);
        starts
    }

    /// The next values to be written, with at most so many bytes or one value; without any, the writer ends.
    pub(super) fn take(&mut self, most_bytes: usize) -> Vec<InHand<K, V>> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while self.pause.is_none()
            && batch.len() < self.batch
            && let Some(key) = self.queue.front().copied()
            && let Some(entry) = self.entries.get_mut(&key)
        {
            bytes += entry.bytes;
            if bytes > most_bytes && !batch.is_empty() {
                break;
            }
            self.queue.pop_front();
            entry.state = State::Writing {
                replaced: 0,
                next: None,
            };
            let value = entry.value.clone();
            batch.push(InHand { key, value });
        }
        if batch.is_empty() {
            self.writers -= 1;
        }
        batch
    }

    /// Notes what became of a value that a writer had. Returns it if it is no longer needed, to be dropped without the lock.
    pub(super) fn put_back(&mut self, in_hand: &InHand<K, V>, written: Written) -> Saved<V> {
        let entry = self.entries.get_mut(&in_hand.key)?;
        let next = match entry.state {
            State::Writing { replaced, next, .. } => {
                self.bytes -= replaced;
                next
            }
            State::Queued | State::Stuck => None,
        };
        if written == Written::Durable {
            self.written += 1;
            let Some(next) = next else {
                self.bytes -= entry.bytes;
                return self.entries.remove(&in_hand.key)?.value;
            };
            entry.since = next;
        }
        if written == Written::Stuck && next.is_none() {
            entry.state = State::Stuck;
            self.stuck.insert(in_hand.key);
            self.stuck_until = self.now.saturating_add(self.max_delay);
        } else {
            self.queue(in_hand.key);
        }
        None
    }

    /// Notes the size of the largest value of a batch. What was larger is forgotten batch by batch.
    pub(super) fn learn(&mut self, encoded: usize) {
        self.largest = encoded.max(self.largest - self.largest / 8);
    }

    /// Everything of a batch is durable.
    pub(super) fn succeed(&mut self) {
        self.batch = self.batch.saturating_mul(2).min(MOST_IN_A_BATCH);
        self.failures_in_a_row = 0;
    }

    /// Something could not be written. Returns whether it is the first failure in a row.
    pub(super) fn fail(&mut self, error: StoreError) -> bool {
        self.failures += 1;
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        self.last_error = Some(error);
        self.failures_in_a_row == 1
    }

    /// Nothing is tried for a while, which doubles with each failure in a row.
    pub(super) fn pause(&mut self) {
        self.batch = (self.batch / 2).max(1);
        let doublings = self.failures_in_a_row.saturating_sub(1).min(31);
        let wait = self.first_delay.saturating_mul(1 << doublings);
        self.pause = Some(self.now.saturating_add(wait.min(self.max_delay)));
    }

    pub(super) fn report(&self) -> ArchiveReport {
        ArchiveReport {
            waiting: self.entries.len(),
            waiting_bytes: self.bytes,
            written: self.written,
            failures: self.failures,
            last_error: self.last_error.clone(),
            ..ArchiveReport::default()
        }
    }

    /// Adds the keys that were saved and takes out those that were removed.
    pub(super) fn update(&self, keys: &mut BTreeSet<K>) {
        for (key, entry) in &self.entries {
            match entry.value {
                Some(_) => keys.insert(*key),
                None => keys.remove(key),
            };
        }
    }

    /// A writer ends because it was dropped.
    pub(super) fn leave(&mut self) {
        self.writers -= 1;
    }

    /// Has `waker` woken when a batch was written or failed.
    pub(super) fn wait(&mut self, waker: &Waker) {
        if !self.waiting.iter().any(|other| other.will_wake(waker)) {
            self.waiting.push(waker.clone());
        }
    }

    /// Whom to wake, without the lock.
    pub(super) fn waiting(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.waiting)
    }
}
