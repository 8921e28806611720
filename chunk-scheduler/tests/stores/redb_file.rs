//! The store in a file of redb.

use crate::{
    folder::Folder,
    suite::{Place, suite},
};
use chunk_scheduler::store::RedbStore;

struct File(Folder);

impl Place for File {
    type Store = RedbStore;

    fn new(test: &'static str) -> Self {
        Self(Folder::new(&format!("redb-{test}")))
    }

    fn open(&self) -> RedbStore {
        RedbStore::open(self.0.join("saves/world.redb")).unwrap()
    }
}

suite!(File);
