//! The jobs that have not ended, by key.

use crate::{
    job::{JobCell, Key},
    sync::Arc,
};
use hashbrown::HashTable;

/// A hash table that reads the keys from the jobs. It takes nine bytes for each job, where a map from keys to
/// pointers takes twenty-five, and both take up to twice that just after growing.
#[derive(Debug)]
pub(super) struct LiveJobs<K> {
    table: HashTable<Arc<JobCell<K>>>,
    hasher: ahash::RandomState,
}

impl<K: Key> LiveJobs<K> {
    pub(super) fn new() -> Self {
        Self {
            table: HashTable::new(),
            // Fixed seeds, so that a replay visits the jobs in the same order.
            hasher: ahash::RandomState::with_seeds(1, 2, 3, 4),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<JobCell<K>>> {
        self.table.iter()
    }

    pub(super) fn find(&self, key: &K) -> Option<&Arc<JobCell<K>>> {
        let hash = self.hasher.hash_one(key);
        self.table.find(hash, |cell| cell.key == *key)
    }

    /// The key must not be there yet.
    pub(super) fn insert(&mut self, cell: Arc<JobCell<K>>) {
        debug_assert!(self.find(&cell.key).is_none(), "two jobs for one key");
        let Self { table, hasher } = self;
        let hash = hasher.hash_one(cell.key);
        table.insert_unique(hash, cell, |cell| hasher.hash_one(cell.key));
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<Arc<JobCell<K>>> {
        let hash = self.hasher.hash_one(key);
        let entry = self.table.find_entry(hash, |cell| cell.key == *key);
        Some(entry.ok()?.remove().0)
    }
}
