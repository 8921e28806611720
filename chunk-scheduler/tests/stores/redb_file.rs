//! The store in a file of redb.

use crate::{
    folder::{Folder, forbid_writing},
    suite::{Place, suite},
};
use bevy_tasks::block_on;
use chunk_scheduler::store::{RedbStore, Store, StoreError, StoreErrorKind};
use std::{
    fs,
    path::Path,
    task::{Context, Waker},
};

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

fn refused(path: impl AsRef<Path>) -> StoreError {
    let error = RedbStore::open(&path).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(path.as_ref().to_str().unwrap()), "{text}");
    error
}

/// Makes a redb database with one table.
fn write_redb<V: redb::Value + 'static>(path: &Path, table: &str, value: V::SelfType<'_>) {
    let database = redb::Database::create(path).unwrap();
    let transaction = database.begin_write().unwrap();
    let definition = redb::TableDefinition::<&str, V>::new(table);
    let mut table = transaction.open_table(definition).unwrap();
    table.insert("version", value).unwrap();
    drop(table);
    transaction.commit().unwrap();
}

#[test]
fn a_path_that_is_no_file_is_refused() {
    let folder = Folder::new("redb-no-file");
    let error = refused(folder.join(""));
    assert_eq!(error.kind, StoreErrorKind::Setting);
    fs::write(folder.join("file"), "text").unwrap();
    let error = refused(folder.join("file/world.redb"));
    assert_eq!(error.kind, StoreErrorKind::Setting, "{error}");
    // An empty path has no folder above it.
    for error in [
        RedbStore::open("").unwrap_err(),
        RedbStore::open_read_only("").unwrap_err(),
    ] {
        assert_eq!(error.kind, StoreErrorKind::Setting, "{error}");
    }
    let error = RedbStore::open_read_only(folder.join("absent.redb")).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Setting, "{error}");
    assert!(!folder.join("absent.redb").exists());
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let folder = Folder::new("redb-no-database");
    let path = folder.join("notes.txt");
    for text in ["x".to_owned(), "notes ".repeat(10_000)] {
        fs::write(&path, &text).unwrap();
        assert_eq!(refused(&path).kind, StoreErrorKind::Foreign);
        let error = RedbStore::open_read_only(&path).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Foreign, "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    // So is the beginning of one, which is what a copy that was interrupted leaves.
    let whole = folder.join("whole.redb");
    drop(RedbStore::open(&whole).unwrap());
    let bytes = fs::read(&whole).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let kind = refused(&path).kind;
    assert!(
        matches!(kind, StoreErrorKind::Damaged | StoreErrorKind::Foreign),
        "{kind:?}"
    );
}

#[test]
fn a_damaged_database_is_an_error_and_no_panic() {
    let folder = Folder::new("redb-damaged");
    let path = folder.join("world.redb");
    let store = RedbStore::open(&path).unwrap();
    let batch = (0..100).map(|i| (format!("{i}"), vec![i; 1000]));
    block_on(store.save(&batch.collect::<Vec<_>>())).unwrap();
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.len();
    bytes[4096..end].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    assert_eq!(refused(&path).kind, StoreErrorKind::Damaged);
}

#[test]
fn a_database_of_another_program_is_refused() {
    let folder = Folder::new("redb-other-program");
    let path = folder.join("other.redb");
    write_redb::<&str>(&path, "recipes", "cake");
    assert_eq!(refused(&path).kind, StoreErrorKind::Foreign);
    let path = folder.join("like-ours.redb");
    write_redb::<&str>(&path, "chunk-scheduler", "one");
    assert_eq!(refused(&path).kind, StoreErrorKind::Foreign);
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    let folder = Folder::new("redb-newer");
    let path = folder.join("newer.redb");
    write_redb::<u32>(&path, "chunk-scheduler", 2);
    let error = refused(&path);
    assert_eq!(error.kind, StoreErrorKind::Foreign);
    assert!(
        error
            .message
            .ends_with("has version 2, and 1 is the newest known")
    );
}

#[test]
fn a_file_that_is_open_is_refused_until_it_is_closed() {
    let folder = Folder::new("redb-open");
    let path = folder.join("world.redb");
    let store = RedbStore::open(&path).unwrap();
    assert_eq!(refused(&path).kind, StoreErrorKind::Unavailable);
    let error = RedbStore::open_read_only(&path).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}");
    drop(store);
    // What has only begun when its future is dropped does not keep the file.
    let store = RedbStore::open(&path).unwrap();
    let batch = [("a".to_owned(), vec![1; 1 << 20])];
    let mut future = store.save(&batch);
    let _ = future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    drop(future);
    drop(store);
    RedbStore::open(&path).unwrap();
}

#[test]
fn what_is_opened_to_be_read_is_not_changed() {
    let folder = Folder::new("redb-read-only");
    let path = folder.join("world.redb");
    let store = RedbStore::open(&path).unwrap();
    block_on(store.save(&[("a".to_owned(), vec![1])])).unwrap();
    drop(store);
    let before = fs::read(&path).unwrap();
    let store = RedbStore::open_read_only(&path).unwrap();
    let other = RedbStore::open_read_only(&path).unwrap();
    assert_eq!(block_on(other.load("a")).unwrap(), Some(vec![1]));
    assert_eq!(block_on(store.list("")).unwrap(), ["a"]);
    for result in [
        block_on(store.save(&[("a".to_owned(), vec![2])])),
        block_on(store.remove("a")),
        block_on(store.create("b", b"x")).map(drop),
    ] {
        assert_eq!(result.unwrap_err().kind, StoreErrorKind::ReadOnly);
    }
    drop((store, other));
    assert!(fs::read(&path).unwrap() == before);
}

#[test]
fn a_file_that_may_not_be_written_is_refused_and_can_be_read() {
    let folder = Folder::new("redb-permission");
    let path = folder.join("world.redb");
    drop(RedbStore::open(&path).unwrap());
    if forbid_writing(&path) {
        assert_eq!(refused(&path).kind, StoreErrorKind::ReadOnly);
        RedbStore::open_read_only(&path).unwrap();
    }
}
