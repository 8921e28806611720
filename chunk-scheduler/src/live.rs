//! The jobs that have not ended, by key.

use crate::{key::Key, slot::Slot, sync::Arc};
use hashbrown::HashTable;

/// A hash map whose keys lie in its values: nine bytes for a job, where a map of keys and pointers
/// takes twenty-five, and up to twice that just after it has grown.
#[derive(Debug)]
pub(crate) struct Live<K> {
    table: HashTable<Arc<Slot<K>>>,
    hasher: ahash::RandomState,
}

impl<K: Key> Live<K> {
    pub(crate) fn new() -> Self {
        Self {
            table: HashTable::new(),
            // Fixed seeds: the order of the table decides nothing, so nothing is gained by others.
            hasher: ahash::RandomState::with_seeds(1, 2, 3, 4),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Slot<K>>> {
        self.table.iter()
    }

    pub(crate) fn find(&self, key: &K) -> Option<&Arc<Slot<K>>> {
        let hash = self.hasher.hash_one(key);
        self.table.find(hash, |slot| slot.key == *key)
    }

    /// The key must not be there yet.
    pub(crate) fn insert(&mut self, slot: Arc<Slot<K>>) {
        debug_assert!(self.find(&slot.key).is_none(), "two jobs for one key");
        let Self { table, hasher } = self;
        let hash = hasher.hash_one(slot.key);
        table.insert_unique(hash, slot, |slot| hasher.hash_one(slot.key));
    }

    pub(crate) fn remove(&mut self, key: &K) -> Option<Arc<Slot<K>>> {
        let hash = self.hasher.hash_one(key);
        let entry = self.table.find_entry(hash, |slot| slot.key == *key);
        Some(entry.ok()?.remove().0)
    }
}
