//! The store in memory.

use crate::suite::{Place, suite};
use chunk_scheduler::store::MemoryStore;

/// Opened again, it is a handle of the same store.
struct Memory(MemoryStore);

impl Place for Memory {
    type Store = MemoryStore;

    fn new(_: &'static str) -> Self {
        Self(MemoryStore::default())
    }

    fn open(&self) -> MemoryStore {
        self.0.clone()
    }
}

suite!(Memory);
