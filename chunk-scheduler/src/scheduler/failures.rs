//! Jobs whose attempts made nothing: those that wait for another attempt, and the keys in quarantine.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use super::{explain::WaitsFor, log_limit::LogLimit, tick_time::TickTime};
use crate::{
    config::RetryPolicy,
    job::{GenerateError, JobCell, JobState, Key, Lane, Version},
    runtime::scramble,
    sync::Arc,
    worker::Fault,
};

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
    /// What becomes of the job.
    pub verdict: Verdict,
}

/// What becomes of a job whose attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is retried after a wait.
    Retry,
    /// It has ended as failed, and its key is quarantined until it is requested again.
    GaveUp,
    /// It had been cancelled or superseded already, or a newer job of its key takes its place.
    Unwanted,
}

/// A key whose job was given up, and which is not generated until it is requested again.
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

/// The attempts that made nothing, and their jobs.
#[derive(Debug)]
pub(super) struct Failures<K> {
    /// Taken from the workers and not handled yet. Each holds its permit until then, so that their number is bounded.
    pub(super) faults: VecDeque<Fault<K>>,
    /// Jobs that failed and will be tried again.
    pub(super) retries: Delayed<K>,
    /// Jobs that could not be made yet, and will be asked for again.
    pub(super) postponed: Delayed<K>,
    pub(super) quarantine: Quarantine<K>,
    pub(super) log: LogLimit,
    unread: VecDeque<Failure<K>>,
    /// How many of the unread ones expire at the next tick.
    expiring: usize,
    /// How many attempts failed.
    pub(super) count: u64,
    /// How many attempts came too early.
    pub(super) not_yet: u64,
}

impl<K: Key> Failures<K> {
    pub(super) fn new(quarantine_capacity: usize) -> Self {
        Self {
            faults: VecDeque::new(),
            retries: Delayed::new(),
            postponed: Delayed::new(),
            quarantine: Quarantine::new(quarantine_capacity),
            log: LogLimit::default(),
            unread: VecDeque::new(),
            expiring: 0,
            count: 0,
            not_yet: 0,
        }
    }

    /// How many jobs wait for their time.
    pub(super) fn delayed(&self) -> usize {
        self.retries.len() + self.postponed.len()
    }

    /// When the job of `key` is queued again and why only then, where it waits for that.
    pub(super) fn due(&self, key: &K) -> Option<(TickTime, WaitsFor)> {
        let retry = self.retries.due(key).map(|due| (due, WaitsFor::Retry));
        retry.or_else(|| self.postponed.due(key).map(|due| (due, WaitsFor::NotYet)))
    }

    /// Withdraws a job that waits for its time.
    pub(super) fn withdraw(&mut self, cell: &JobCell<K>) {
        self.retries.remove(cell);
        self.postponed.remove(cell);
    }

    /// Drops the failures that the caller could read after the last tick.
    pub(super) fn begin_tick(&mut self, now: TickTime) {
        if self.expiring > 0 {
            self.unread.drain(..std::mem::take(&mut self.expiring));
        }
        self.log.tick(now);
    }

    pub(super) fn end_tick(&mut self) {
        self.expiring = self.unread.len();
    }

    /// Decides what becomes of a job whose attempt made nothing.
    pub(super) fn handle(
        &mut self,
        policy: &RetryPolicy,
        now: TickTime,
        cell: &Arc<JobCell<K>>,
        error: GenerateError,
        panicked: bool,
    ) -> Verdict {
        let is_wanted = cell.state() == JobState::Retrying;
        let (message, is_permanent) = match error {
            GenerateError::NotYet(wait) => {
                self.not_yet += 1;
                if !is_wanted {
                    return Verdict::Unwanted;
                }
                self.postponed.insert(now.after(wait), Arc::clone(cell));
                return Verdict::Retry;
            }
            GenerateError::Transient(message) => (message, false),
            GenerateError::Permanent(message) => (message, true),
        };
        let (key, version, attempts) = (cell.key, cell.version, cell.attempt());
        let verdict = if is_wanted && !is_permanent && attempts < policy.max_attempts {
            // Derived from the version, so that a replay has the same waits.
            let random = scramble(version.get() ^ (u64::from(attempts) << 48));
            let wait = policy.wait_after(attempts, random);
            self.retries.insert(now.after(wait), Arc::clone(cell));
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
        // One warning for each job that is given up, and not for each of its attempts.
        // A panic of a job that was superseded is the last that is heard of it.
        if verdict == Verdict::Retry || (verdict == Verdict::Unwanted && !panicked) {
            tracing::debug!(?key, attempts, ?verdict, "an attempt failed: {message}");
        } else if self.log.admits() {
            tracing::warn!(?key, attempts, panicked, "given up: {message}");
        }
        self.count += 1;
        self.unread.push_back(Failure {
            key,
            version,
            attempts,
            message,
            panicked,
            verdict,
        });
        verdict
    }

    /// The failures that were not read yet, oldest first.
    pub(super) fn read(&mut self) -> impl Iterator<Item = Failure<K>> + '_ {
        self.expiring = 0;
        self.unread.drain(..)
    }

    /// The number of faults here that hold a permit.
    pub(super) fn permits(&self) -> usize {
        let holders = self.faults.iter().filter(|fault| fault.holds_permit);
        holders.count()
    }
}

/// Jobs that wait for their time, ordered by it and then by key.
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
        debug_assert!(
            !self.due.contains_key(&cell.key),
            "only the newest job of a key is retried"
        );
        self.due.insert(cell.key, due);
        self.by_time.insert((due, cell.key), cell);
    }

    /// Removes a job. Another version of its key stays.
    pub(super) fn remove(&mut self, cell: &JobCell<K>) {
        let Some(due) = self.due(&cell.key) else {
            return;
        };
        let at = (due, cell.key);
        if self
            .by_time
            .get(&at)
            .is_some_and(|other| other.version == cell.version)
        {
            self.by_time.remove(&at);
            self.due.remove(&cell.key);
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
        if self.by_age.len() / 2 > self.by_key.len() + 64 {
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
        let cell = |key, version| JobCell::new(key, Version(version), Lane::Normal);
        for (key, due) in [(5, 20), (9, 10), (4, 10), (6, 30)] {
            delayed.insert(at(due), Arc::new(cell(key, 2)));
        }
        delayed.remove(&cell(5, 2));
        delayed.remove(&cell(9, 1));
        let mut keys = Vec::new();
        while let Some(cell) = delayed.pop_due(at(20)) {
            keys.push(cell.key);
        }
        assert_eq!(keys, [4, 9]);
        assert_eq!(delayed.len(), 1);
    }
}
