//! The store in a folder.

use crate::{
    folder::{Folder, forbid_writing},
    suite::{Place, suite},
};
use bevy_tasks::block_on;
use chunk_scheduler::store::{BucketStore, Store, StoreError, StoreErrorKind};
use std::{fs, path::Path, sync::Barrier, thread};

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

fn refused(address: &str) -> StoreError {
    let error = BucketStore::open(address).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(address), "{text}");
    error
}

fn open(folder: &Path) -> Result<BucketStore, StoreError> {
    BucketStore::open(folder.to_str().unwrap())
}

fn save_one(store: &BucketStore) -> Result<(), StoreError> {
    block_on(store.save(&[("chunks/0,0,0".to_owned(), vec![1])]))
}

#[test]
fn an_address_that_is_none_is_refused() {
    let addresses = [
        "",
        "ftp://example.com/world",
        "http://example.com/world",
        "mailto:someone",
        "s3:/bucket/prefix",
        "s3://",
        "file:world",
        "file://example.com/world",
    ];
    for address in addresses {
        let error = refused(address);
        assert_eq!(error.kind, StoreErrorKind::Setting, "{error}");
    }
}

#[test]
fn a_url_is_the_folder_of_its_path() {
    let folder = Folder::new("bucket-url");
    let path = folder.join("my world");
    let store = open(&path).unwrap();
    save_one(&store).unwrap();
    let url = format!("file://{}", path.to_str().unwrap().replace(' ', "%20"));
    let store = BucketStore::open(&url).unwrap();
    assert_eq!(block_on(store.list("")).unwrap(), ["chunks/0,0,0"]);
}

#[test]
fn a_folder_that_is_a_file_is_refused() {
    let folder = Folder::new("bucket-no-folder");
    let file = folder.join("file");
    fs::write(&file, "text").unwrap();
    for path in [file.clone(), folder.join("file/world")] {
        let error = refused(path.to_str().unwrap());
        assert_eq!(error.kind, StoreErrorKind::Setting, "{error}");
    }
    assert_eq!(fs::read_to_string(file).unwrap(), "text");
}

#[test]
fn a_folder_of_something_else_is_refused_and_left_as_it_is() {
    let folder = Folder::new("bucket-other");
    fs::create_dir(folder.join("letters")).unwrap();
    fs::write(folder.join("letters/a.txt"), "Dear").unwrap();
    let error = refused(folder.join("").to_str().unwrap());
    assert_eq!(error.kind, StoreErrorKind::Foreign, "{error}");
    assert!(error.message.contains("letters/a.txt"), "{error}");
    assert_eq!(fs::read_dir(folder.join("")).unwrap().count(), 1);
}

#[test]
fn only_the_first_write_marks_a_folder() {
    let folder = Folder::new("bucket-mark");
    let path = folder.join("");
    let store = open(&path).unwrap();
    assert_eq!(block_on(store.load("a")).unwrap(), None);
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    // Two that have found it empty are of one mind.
    let other = open(&path).unwrap();
    save_one(&store).unwrap();
    save_one(&other).unwrap();
    let mark = fs::read_to_string(folder.join("chunk-scheduler-store")).unwrap();
    assert_eq!(mark, "chunk-scheduler store, version 1\n");
    // What is not a value is not listed.
    fs::write(folder.join("notes.txt"), "mine").unwrap();
    assert_eq!(
        block_on(open(&path).unwrap().list("")).unwrap(),
        ["chunks/0,0,0"]
    );
}

#[test]
fn the_mark_of_a_newer_version_or_of_none_is_refused() {
    let folder = Folder::new("bucket-newer");
    let path = folder.join("");
    let early = open(&path).unwrap();
    for (mark, end) in [
        (
            "chunk-scheduler store, version 2\n",
            "has version 2, and 1 is the newest known",
        ),
        (
            "",
            "has an object chunk-scheduler-store that is not a mark of this library",
        ),
    ] {
        fs::write(folder.join("chunk-scheduler-store"), mark).unwrap();
        let error = refused(path.to_str().unwrap());
        assert_eq!(error.kind, StoreErrorKind::Foreign, "{error}");
        assert!(error.message.ends_with(end), "{error}");
        // Nor is it written by who had found an empty folder before.
        assert_eq!(save_one(&early).unwrap_err().kind, StoreErrorKind::Foreign);
    }
}

#[test]
fn a_folder_that_vanishes_is_an_error_and_its_values_are_not_absent() {
    let folder = Folder::new("bucket-vanished");
    let path = folder.join("mounted");
    let store = open(&path).unwrap();
    save_one(&store).unwrap();
    fs::rename(&path, folder.join("elsewhere")).unwrap();
    for _ in 0..2 {
        for error in [
            block_on(store.load("chunks/0,0,0")).unwrap_err(),
            block_on(store.list("")).unwrap_err(),
            save_one(&store).unwrap_err(),
            block_on(store.create("chunks/0,0,0", &[2])).unwrap_err(),
            block_on(store.remove("chunks/0,0,0")).unwrap_err(),
        ] {
            assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}");
        }
        // As it is where a disk is no longer mounted.
        fs::create_dir_all(&path).unwrap();
    }
    fs::remove_dir(&path).unwrap();
    fs::rename(folder.join("elsewhere"), &path).unwrap();
    assert_eq!(block_on(store.load("chunks/0,0,0")).unwrap(), Some(vec![1]));
}

#[test]
fn a_name_that_is_too_long_for_the_disk_is_an_error_that_names_it() {
    let folder = Folder::new("bucket-long");
    let store = open(&folder.join("")).unwrap();
    let name = "x".repeat(300);
    let error = block_on(store.save(&[(name.clone(), vec![1])])).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Setting, "{error}");
    assert_eq!(error.name, Some(name));
}

#[test]
fn a_folder_that_may_not_be_written_can_be_read() {
    let folder = Folder::new("bucket-read-only");
    let path = folder.join("world");
    save_one(&open(&path).unwrap()).unwrap();
    if !forbid_writing(&path) || !forbid_writing(&path.join("chunks")) {
        return;
    }
    let store = open(&path).unwrap();
    assert_eq!(block_on(store.load("chunks/0,0,0")).unwrap(), Some(vec![1]));
    assert_eq!(save_one(&store).unwrap_err().kind, StoreErrorKind::ReadOnly);
}

#[test]
fn a_program_of_tokio_can_use_and_drop_it() {
    let folder = Folder::new("bucket-tokio");
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.build().unwrap().block_on(async {
        let store = open(&folder.join("")).unwrap();
        let batch = [("a".to_owned(), vec![1])];
        store.save(&batch).await.unwrap();
        assert_eq!(store.load("a").await.unwrap(), Some(vec![1]));
        drop(store.load("a"));
        drop(store);
        fs::write(folder.join("chunk-scheduler-store"), "").unwrap();
        open(&folder.join("")).unwrap_err();
    });
}

#[test]
fn what_is_in_no_folder_can_be_removed() {
    let folder = Folder::new("bucket-remove-absent");
    let store = open(&folder.join("")).unwrap();
    save_one(&store).unwrap();
    for name in ["absent/0,0,0", "absent", "chunks/1,0,0"] {
        block_on(store.remove(name)).unwrap();
    }
}

#[test]
fn of_many_that_open_a_fresh_folder_at_once_none_is_refused() {
    for round in 0..20 {
        let folder = Folder::new(&format!("bucket-fresh-{round}"));
        let path = folder.join("world");
        let barrier = Barrier::new(8);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    barrier.wait();
                    save_one(&open(&path).unwrap()).unwrap();
                });
            }
        });
    }
}

#[test]
fn a_file_in_place_of_the_folder_is_an_outage_of_an_open_store() {
    let folder = Folder::new("bucket-file-instead");
    let path = folder.join("world");
    let store = open(&path).unwrap();
    save_one(&store).unwrap();
    fs::remove_dir_all(&path).unwrap();
    fs::write(&path, "text").unwrap();
    for error in [
        block_on(store.load("chunks/0,0,0")).unwrap_err(),
        save_one(&store).unwrap_err(),
    ] {
        assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}");
    }
}
