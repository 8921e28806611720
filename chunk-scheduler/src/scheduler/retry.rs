//! Jobs that failed: when they come back, and the list of those that do not.

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

/// Failures that are kept for [`Scheduler::failures`](crate::Scheduler::failures); the log has all of them.
const FAILURES_KEPT: usize = 256;

/// One failed attempt, as [`Scheduler::failures`](crate::Scheduler::failures) reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure<K> {
    /// What could not be generated, or spawned.
    pub key: K,
    /// Which request of it.
    pub version: Version,
    /// How many attempts have failed, this one included.
    pub attempts: u32,
    /// What the error or the panic said.
    pub message: String,
    /// Whether it was a panic.
    pub panicked: bool,
    /// Whether it will be tried again. If not, the key is quarantined, or the job was cancelled or
    /// superseded in the meantime.
    pub will_retry: bool,
}

/// A key that failed as often as it may, and is not generated until it is requested again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined<K> {
    /// What could not be generated.
    pub key: K,
    /// The request that failed last.
    pub version: Version,
    /// The lane it was in.
    pub lane: Lane,
    /// How many attempts it had.
    pub attempts: u32,
    /// What the last error or panic said.
    pub message: String,
    /// The time of the tick at which it was given up.
    pub since: Duration,
}

/// What becomes of a job that just failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is tried again after a wait.
    Retry,
    /// It has ended as failed, and its key is quarantined.
    GaveUp,
    /// It had ended already.
    Unwanted,
}

/// The failed jobs of a scheduler.
#[derive(Debug)]
pub(super) struct Failures<K> {
    pub(super) delayed: Delayed<K>,
    pub(super) quarantine: Quarantine<K>,
    unread: VecDeque<Failure<K>>,
    /// How many failures were never read.
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

    /// Decides what becomes of a job that just failed, and tells it in the log.
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
        tracing::warn!(?key, attempts, will_retry, panicked, "failed: {message}");
        let verdict = if will_retry {
            let wait = backoff(policy, version, attempts.max(1));
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

/// How long to wait after the given attempt (counted from 1) of the given version failed.
fn backoff(policy: &RetryPolicy, version: Version, attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(31);
    let full = policy
        .base_delay
        .saturating_mul(1 << doublings)
        .min(policy.max_delay);
    let bits = scramble(version.get() ^ (u64::from(attempt) << 48));
    #[expect(
        clippy::cast_precision_loss,
        reason = "24 bits fit into the mantissa of an f32"
    )]
    let fraction = (bits >> 40) as f32 / (1_u32 << 24) as f32;
    full.saturating_sub(full.mul_f32(policy.jitter * fraction))
}

/// Jobs that wait for their next attempt, soonest first, ties by key.
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

    /// Takes the next job whose wait is over.
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

/// Keys that were given up, in the order of their keys. Beyond the capacity the oldest are forgotten.
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

    pub(super) fn insert(&mut self, entry: Quarantined<K>) {
        self.by_age.push_back((entry.key, entry.version));
        self.by_key.insert(entry.key, entry);
        while self.by_key.len() > self.capacity {
            let Some((key, version)) = self.by_age.pop_front() else {
                return;
            };
            if self
                .by_key
                .get(&key)
                .is_some_and(|entry| entry.version == version)
            {
                self.by_key.remove(&key);
            }
        }
        // Keys that were requested again are still in `by_age`.
        if self.by_age.len() > 2 * self.capacity {
            let by_key = &self.by_key;
            self.by_age
                .retain(|(key, version)| by_key.get(key).is_some_and(|e| e.version == *version));
        }
    }

    pub(super) fn remove(&mut self, key: &K) {
        self.by_key.remove(key);
    }

    /// Forgets all keys. Returns how many there were.
    pub(super) fn clear(&mut self) -> usize {
        self.by_age.clear();
        std::mem::take(&mut self.by_key).len()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_its_cap() {
        let policy = RetryPolicy {
            jitter: 0.0,
            ..RetryPolicy::default()
        };
        let waits = [1, 2, 3, 6, 7, 60].map(|attempt| backoff(&policy, Version(1), attempt));
        let millis = waits.map(|wait| wait.as_millis());
        assert_eq!(millis, [250, 500, 1_000, 8_000, 8_000, 8_000]);
    }

    #[test]
    fn jitter_only_shortens_and_differs_by_version() {
        let policy = RetryPolicy::default();
        let waits: Vec<_> = (0..100)
            .map(|version| backoff(&policy, Version(version), 1).as_micros())
            .collect();
        assert!(waits.iter().all(|wait| (187_500..=250_000).contains(wait)));
        assert!(waits.iter().any(|wait| *wait != waits[0]));
    }

    #[test]
    fn quarantine_forgets_the_oldest_first() {
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
    fn delayed_jobs_come_back_by_time_and_then_by_key() {
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
