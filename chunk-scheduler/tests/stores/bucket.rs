//! The store in a folder.

use crate::{
    folder::Folder,
    suite::{Place, suite},
};
use chunk_scheduler::store::BucketStore;

struct InFolder(Folder);

impl Place for InFolder {
    type Store = BucketStore;

    fn new(test: &'static str) -> Self {
        Self(Folder::new(&format!("bucket-{test}")))
    }

    fn open(&self) -> BucketStore {
        let folder = self.0.join("worlds/7");
        BucketStore::open(folder.to_str().unwrap()).unwrap()
    }
}

suite!(InFolder);
