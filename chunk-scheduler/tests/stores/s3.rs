//! The store in a bucket of a server.

use crate::{
    folder::Folder,
    s3_server::{self, S3Server},
    suite::{Place, suite},
};
use chunk_scheduler::store::BucketStore;

struct OnServer {
    server: S3Server,
    _folder: Folder,
}

impl Place for OnServer {
    type Store = BucketStore;

    fn new(test: &'static str) -> Self {
        let folder = Folder::new(&format!("s3-{test}"));
        Self {
            server: s3_server::start(&folder.join("")),
            _folder: folder,
        }
    }

    fn open(&self) -> BucketStore {
        let address = format!("{}/worlds/7", self.server.address());
        BucketStore::open_with(&address, self.server.variables()).unwrap()
    }
}

suite!(OnServer);
