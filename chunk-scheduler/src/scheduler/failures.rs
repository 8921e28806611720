//! Failed jobs: those that wait for a retry, and the keys in quarantine.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use super::tick_time::TickTime;
use crate::{
    config::RetryPolicy,
    job::{JobCell, JobState, Key, Lane, Version},
    runtime::scramble,
    sync::Arc,
};

/// The most failures kept for [`Scheduler::failures`](crate::Scheduler::failures). The log has all of them.
const FAILURES_KEPT: usize = 256;

/// A failed attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure<K> {
    /// The key that could not be generated or applied.
    pub key: K,
    /// Which request of the key.
    pub version: Version,
    /// How many attempts have failed, including this one.
    pub attempts: u32,
    /// The message of the error or the panic.
    pub message: String,
    /// Whether it was a panic.
    pub panicked: bool,
    /// Whether the job will be retried. If not, its key is quarantined, or the job was cancelled or superseded.
    pub will_retry: bool,
}

/// A key whose last permitted attempt failed, and which is not generated until it is requested again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined<K> {
    /// The key.
    pub key: K,
    /// The request that failed last.
    pub version: Version,
    /// The lane of its job.
    pub lane: Lane,
    /// How many attempts it had.
    pub attempts: u32,
    /// The message of the last error or panic.
    pub message: String,
    /// The time of the tick that quarantined it.
    pub since: Duration,
}

/// The outcome for a job whose attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The job is retried after a wait.
    Retry,
    /// The job has ended as failed, and its key is quarantined.
    GaveUp,
    /// The job had ended already.
    Unwanted,
}

/// The failed jobs of a scheduler.
#[derive(Debug)]
pub(super) struct Failures<K> {
    pub(super) delayed: Delayed<K>,
    pub(super) quarantine: Quarantine<K>,
    unread: VecDeque<Failure<K>>,
    /// How many failures newer ones replaced before they were read.
    pub(super) overwritten: u64,
}

impl<K: Key> Failures<K> {
    pub(super) fn new(quarantine_capacity: usize) -> Self {
        Self {
            delayed: Delayed::new(),
            quarantine: Quarantine::new(quarantine_capacity),
            unread: VecDeque::new(),
            overwritten: 0,
        }
    }

    /// Decides whether a job whose attempt failed is retried, and logs that.
    pub(super) fn handle_failure(
        &mut self,
        policy: &RetryPolicy,
        now: TickTime,
        cell: &Arc<JobCell<K>>,
        message: String,
        panicked: bool,
    ) -> Verdict {
        let (key, version, attempts) = (cell.key, cell.version, cell.attempt());
        let is_wanted = cell.state() == JobState::Retrying;
        let will_retry = is_wanted && attempts < policy.max_attempts;
        tracing::warn!(
            ?key,
            attempts,
            will_retry,
            panicked,
            "an attempt failed: {message}"
        );
        let verdict = if will_retry {
            // Derived from the version, so that a replay has the same waits.
            let random = scramble(version.get() ^ (u64::from(attempts) << 48));
            let wait = policy.wait_after(attempts, random);
            self.delayed.insert(now.after(wait), Arc::clone(cell));
            Verdict::Retry
        } else if is_wanted && cell.end(JobState::Failed).is_some() {
            self.quarantine.insert(Quarantined {
                key,
                version,
                lane: cell.lane(),
                attempts,
                message: message.clone(),
                since: now.get(),
            });
            Verdict::GaveUp
        } else {
            Verdict::Unwanted
        };
        if self.unread.len() == FAILURES_KEPT {
            self.unread.pop_front();
            self.overwritten += 1;
        }
        self.unread.push_back(Failure {
            key,
            version,
            attempts,
            message,
            panicked,
            will_retry,
        });
        verdict
    }

    /// The failures since the last call, oldest first.
    pub(super) fn read(&mut self) -> impl Iterator<Item = Failure<K>> + '_ {
        self.unread.drain(..)
    }
}

/// Jobs that wait for a retry, ordered by time and then by key.
#[derive(Debug)]
pub(super) struct Delayed<K> {
    by_time: BTreeMap<(TickTime, K), Arc<JobCell<K>>>,
    due: BTreeMap<K, TickTime>,
}

impl<K: Key> Delayed<K> {
    pub(super) fn new() -> Self {
        Self {
            by_time: BTreeMap::new(),
            due: BTreeMap::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.due.len()
    }

    pub(super) fn insert(&mut self, due: TickTime, cell: Arc<JobCell<K>>) {
        self.remove(&cell.key);
        self.due.insert(cell.key, due);
        self.by_time.insert((due, cell.key), cell);
    }

    pub(super) fn remove(&mut self, key: &K) {
        if let Some(due) = self.due.remove(key) {
            self.by_time.remove(&(due, *key));
        }
    }

    pub(super) fn due(&self, key: &K) -> Option<TickTime> {
        self.due.get(key).copied()
    }

    /// Takes the next job that is due.
    pub(super) fn pop_due(&mut self, now: TickTime) -> Option<Arc<JobCell<K>>> {
        let entry = self.by_time.first_entry()?;
        if entry.key().0 > now {
            return None;
        }
        let cell = entry.remove();
        self.due.remove(&cell.key);
        Some(cell)
    }

    pub(super) fn clear(&mut self) {
        self.by_time.clear();
        self.due.clear();
    }
}

/// The keys in quarantine, in their order. Beyond the capacity the oldest are removed.
#[derive(Debug)]
pub(super) struct Quarantine<K> {
    by_key: BTreeMap<K, Quarantined<K>>,
    by_age: VecDeque<(K, Version)>,
    capacity: usize,
}

impl<K: Key> Quarantine<K> {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            by_key: BTreeMap::new(),
            by_age: VecDeque::new(),
            capacity,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Quarantined<K>> {
        self.by_key.values()
    }

    pub(super) fn find(&self, key: &K) -> Option<&Quarantined<K>> {
        self.by_key.get(key)
    }

    fn contains(&self, key: &K, version: Version) -> bool {
        self.find(key).is_some_and(|entry| entry.version == version)
    }

    pub(super) fn insert(&mut self, entry: Quarantined<K>) {
        self.by_age.push_back((entry.key, entry.version));
        self.by_key.insert(entry.key, entry);
        while self.by_key.len() > self.capacity {
            let Some((key, version)) = self.by_age.pop_front() else {
                return;
            };
            if self.contains(&key, version) {
                self.by_key.remove(&key);
            }
        }
        // Removes keys that were requested again.
        if self.by_age.len() > 2 * self.capacity {
            let mut by_age = std::mem::take(&mut self.by_age);
            by_age.retain(|(key, version)| self.contains(key, *version));
            self.by_age = by_age;
        }
    }

    pub(super) fn remove(&mut self, key: &K) {
        self.by_key.remove(key);
    }

    /// Removes all keys. Returns their number.
    pub(super) fn clear(&mut self) -> usize {
        self.by_age.clear();
        std::mem::take(&mut self.by_key).len()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_full_quarantine_removes_the_oldest_key() {
        let mut quarantine = Quarantine::new(2);
        for (key, version) in [(3, 1), (1, 2), (2, 3)] {
            quarantine.insert(Quarantined {
                key,
                version: Version(version),
                lane: Lane::Normal,
                attempts: 1,
                message: String::new(),
                since: Duration::ZERO,
            });
        }
        let keys: Vec<i32> = quarantine.iter().map(|entry| entry.key).collect();
        assert_eq!(keys, [1, 2]);
    }

    #[test]
    fn retries_are_due_by_time_and_then_by_key() {
        let at = |millis| TickTime::new(Duration::from_millis(millis));
        let mut delayed = Delayed::new();
        for (key, due) in [(5, 20), (9, 10), (4, 10), (6, 30)] {
            let cell = JobCell::new(key, Version(1), Lane::Normal);
            delayed.insert(at(due), Arc::new(cell));
        }
        delayed.remove(&5);
        let mut keys = Vec::new();
        while let Some(cell) = delayed.pop_due(at(20)) {
            keys.push(cell.key);
        }
        assert_eq!(keys, [4, 9]);
        assert_eq!(delayed.len(), 1);
    }
}
