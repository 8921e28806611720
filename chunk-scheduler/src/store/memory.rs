//! A store that lasts as long as the process.

use super::store_trait::{Store, StoreFuture};
use crate::sync::{Arc, Mutex};
use std::{collections::BTreeMap, fmt, future::ready};

/// A store in memory, for tests and for worlds that need not last. Clones share what is in it.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl Store for MemoryStore {
    fn load<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<Vec<u8>>> {
        Box::pin(ready(Ok(self.0.lock().get(name).cloned())))
    }

    fn save<'a>(&'a self, batch: &'a [(String, Vec<u8>)]) -> StoreFuture<'a, ()> {
        self.0.lock().extend(batch.iter().cloned());
        Box::pin(ready(Ok(())))
    }

    fn create<'a>(&'a self, name: &'a str, bytes: &'a [u8]) -> StoreFuture<'a, Option<Vec<u8>>> {
        let mut values = self.0.lock();
        let former = values.get(name).cloned();
        if former.is_none() {
            values.insert(name.to_owned(), bytes.to_vec());
        }
        Box::pin(ready(Ok(former)))
    }

    fn remove<'a>(&'a self, name: &'a str) -> StoreFuture<'a, ()> {
        self.0.lock().remove(name);
        Box::pin(ready(Ok(())))
    }

    fn list<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<String>> {
        let values = self.0.lock();
        let names = values.keys().filter(|name| name.starts_with(prefix));
        Box::pin(ready(Ok(names.cloned().collect())))
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore")
            .field("values", &self.0.lock().len())
            .finish()
    }
}
