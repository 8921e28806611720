//! The jobs that have not ended, by key.

use std::collections::BTreeMap;

use crate::{
    job::{JobCell, JobState, Key, Version},
    sync::Arc,
};
use hashbrown::{HashTable, hash_table::Entry};

/// The newest job of each key, and the earlier ones of keys that were refreshed.
#[derive(Debug)]
pub(super) struct LiveJobs<K> {
    /// A hash table that reads the keys from the jobs. It takes nine bytes for each job, where a map from keys to
    /// pointers takes twenty-five, and both take up to twice that just after growing.
    newest: HashTable<Arc<JobCell<K>>>,
    hasher: ahash::RandomState,
    /// The earlier jobs of a key, oldest first; no list is empty. Only keys that were refreshed after their generator
    /// was started have any.
    earlier: BTreeMap<K, Vec<Arc<JobCell<K>>>>,
    /// How many jobs are in `earlier`.
    earlier_len: usize,
}

impl<K: Key> LiveJobs<K> {
    pub(super) fn new() -> Self {
        Self {
            newest: HashTable::new(),
            // Fixed seeds, so that a replay visits the jobs in the same order.
            hasher: ahash::RandomState::with_seeds(1, 2, 3, 4),
            earlier: BTreeMap::new(),
            earlier_len: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.newest.len() + self.earlier_len
    }

    /// Whether some key has more than one job.
    pub(super) fn has_earlier(&self) -> bool {
        self.earlier_len > 0
    }

    /// How many queued jobs cannot start before an earlier attempt at their key has returned.
    pub(super) fn held_back(&self) -> usize {
        let is_held_back = |(key, earlier): &(&K, &Vec<Arc<JobCell<K>>>)| {
            let newest = self.newest(key).map(|cell| cell.state());
            let mut earlier = earlier.iter().map(|cell| cell.state());
            newest == Some(JobState::Queued) && earlier.any(|state| state == JobState::InFlight)
        };
        self.earlier.iter().filter(is_held_back).count()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<JobCell<K>>> {
        self.newest.iter().chain(self.earlier.values().flatten())
    }

    /// The newest job of `key`.
    pub(super) fn newest(&self, key: &K) -> Option<&Arc<JobCell<K>>> {
        let hash = self.hasher.hash_one(key);
        self.newest.find(hash, |cell| cell.key == *key)
    }

    /// The jobs of `key`, oldest first.
    pub(super) fn of(&self, key: K) -> impl Iterator<Item = &Arc<JobCell<K>>> {
        let earlier = self.earlier.get(&key).into_iter().flatten();
        earlier.chain(self.newest(&key))
    }

    pub(super) fn find(&self, key: &K, version: Version) -> Option<&Arc<JobCell<K>>> {
        let newest = self.newest(key)?;
        if newest.version == version {
            return Some(newest);
        }
        self.earlier
            .get(key)?
            .iter()
            .find(|cell| cell.version == version)
    }

    /// Adds a job that is newer than all others of its key.
    pub(super) fn insert(&mut self, cell: Arc<JobCell<K>>) {
        let Self { newest, hasher, .. } = self;
        let key = cell.key;
        let is_of_key = |other: &Arc<JobCell<K>>| other.key == key;
        let hash_of = |other: &Arc<JobCell<K>>| hasher.hash_one(other.key);
        match newest.entry(hasher.hash_one(key), is_of_key, hash_of) {
            Entry::Vacant(place) => _ = place.insert(cell),
            Entry::Occupied(mut place) => {
                debug_assert!(place.get().version < cell.version, "versions grow");
                let former = std::mem::replace(place.get_mut(), cell);
                self.earlier.entry(key).or_default().push(former);
                self.earlier_len += 1;
            }
        }
    }

    /// Removes the newest job of `key`.
    pub(super) fn pop(&mut self, key: &K) -> Option<Arc<JobCell<K>>> {
        self.pop_if(key, |_| true)
    }

    /// Removes a job. False where it is not there.
    pub(super) fn remove(&mut self, cell: &JobCell<K>) -> bool {
        let (key, version) = (&cell.key, cell.version);
        let is_it = |other: &JobCell<K>| other.version == version;
        self.pop_if(key, is_it).is_some() || !self.take_earlier(key, is_it).is_empty()
    }

    /// Removes the newest job of `key` if it is a certain one. The one before it is the newest then.
    fn pop_if(
        &mut self,
        key: &K,
        is_popped: impl Fn(&JobCell<K>) -> bool,
    ) -> Option<Arc<JobCell<K>>> {
        let hash = self.hasher.hash_one(key);
        let is_it = |cell: &Arc<JobCell<K>>| cell.key == *key && is_popped(cell);
        let mut place = self.newest.find_entry(hash, is_it).ok()?;
        let Some(earlier) = self.earlier.get_mut(key) else {
            return Some(place.remove().0);
        };
        let before = earlier.pop()?;
        if earlier.is_empty() {
            self.earlier.remove(key);
        }
        self.earlier_len -= 1;
        Some(std::mem::replace(place.get_mut(), before))
    }

    /// Removes a job and those of its key that are older, newest first, if `is_taken` says so of the job.
    pub(super) fn take_with_older(
        &mut self,
        key: &K,
        version: Version,
        is_taken: impl Fn(&JobCell<K>) -> bool,
    ) -> Option<(Arc<JobCell<K>>, Vec<Arc<JobCell<K>>>)> {
        if !self.has_earlier() {
            // One look instead of three.
            let cell = self.pop_if(key, |cell| cell.version == version && is_taken(cell))?;
            return Some((cell, Vec::new()));
        }
        let cell = self.find(key, version).cloned()?;
        if !is_taken(&cell) {
            return None;
        }
        let older = self.take_older(key, version);
        self.remove(&cell);
        Some((cell, older))
    }

    /// Removes the jobs of `key` that are older than `version`, newest first.
    pub(super) fn take_older(&mut self, key: &K, version: Version) -> Vec<Arc<JobCell<K>>> {
        self.take_earlier(key, |cell| cell.version < version)
    }

    /// Removes the jobs of `key` that are older than a finished one, newest first, but not one that is being applied.
    pub(super) fn take_outdated(&mut self, key: &K) -> Vec<Arc<JobCell<K>>> {
        let newest = self.newest(key);
        let mut is_outdated = newest.is_some_and(|newest| newest.state().is_finished());
        self.take_earlier(key, |cell| {
            let state = cell.state();
            let is_taken = is_outdated && state != JobState::Applying;
            is_outdated |= state.is_finished();
            is_taken
        })
    }

    /// Removes all jobs of `key` but the newest.
    pub(super) fn take_all_earlier(&mut self, key: &K) -> Vec<Arc<JobCell<K>>> {
        self.take_earlier(key, |_| true)
    }

    /// Removes earlier jobs of `key`. `is_taken` is asked for each, newest first.
    fn take_earlier(
        &mut self,
        key: &K,
        mut is_taken: impl FnMut(&JobCell<K>) -> bool,
    ) -> Vec<Arc<JobCell<K>>> {
        let mut taken = Vec::new();
        let Some(earlier) = self.earlier.get_mut(key) else {
            return taken;
        };
        for at in (0..earlier.len()).rev() {
            if is_taken(&earlier[at]) {
                taken.push(earlier.remove(at));
            }
        }
        if earlier.is_empty() {
            self.earlier.remove(key);
        }
        self.earlier_len -= taken.len();
        taken
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::job::Lane;
    use std::time::Duration;

    fn jobs(versions: std::ops::RangeInclusive<u64>) -> LiveJobs<u32> {
        let mut jobs = LiveJobs::new();
        for version in versions {
            jobs.insert(Arc::new(JobCell::new(7, Version(version), Lane::Normal)));
        }
        jobs
    }

    fn versions(jobs: &LiveJobs<u32>) -> Vec<u64> {
        jobs.of(7).map(|cell| cell.version.get()).collect()
    }

    fn finish(jobs: &LiveJobs<u32>, version: u64) {
        let cell = jobs.find(&7, Version(version)).expect("it is live");
        assert!(cell.start(Lane::Normal).is_some());
        assert!(cell.complete(Duration::ZERO));
    }

    #[test]
    fn the_job_before_a_removed_one_becomes_the_newest() {
        let mut jobs = jobs(1..=4);
        assert_eq!(versions(&jobs), [1, 2, 3, 4]);
        let cell = Arc::clone(jobs.find(&7, Version(2)).expect("it is live"));
        assert!(jobs.remove(&cell));
        assert!(!jobs.remove(&cell));
        assert_eq!(jobs.pop(&7).map(|cell| cell.version), Some(Version(4)));
        assert_eq!(versions(&jobs), [1, 3]);
        assert_eq!(jobs.newest(&7).map(|cell| cell.version), Some(Version(3)));
        assert_eq!((jobs.len(), jobs.has_earlier()), (2, true));
        while jobs.pop(&7).is_some() {}
        assert_eq!((jobs.len(), jobs.has_earlier()), (0, false));
    }

    #[test]
    fn what_is_older_than_a_finished_job_is_outdated_unless_it_is_being_applied() {
        let mut jobs = jobs(1..=6);
        for version in [1, 2, 4] {
            finish(&jobs, version);
        }
        let cell = jobs.find(&7, Version(1)).expect("it is live");
        assert!(cell.advance(JobState::Completed, JobState::Delivered));
        assert!(cell.advance(JobState::Delivered, JobState::Applying));
        let outdated = jobs.take_outdated(&7);
        let outdated: Vec<_> = outdated.iter().map(|cell| cell.version.get()).collect();
        assert_eq!(outdated, [3, 2]);
        assert_eq!(versions(&jobs), [1, 4, 5, 6]);
        assert_eq!(jobs.take_older(&7, Version(5)).len(), 2);
        assert_eq!(versions(&jobs), [5, 6]);
    }
}
