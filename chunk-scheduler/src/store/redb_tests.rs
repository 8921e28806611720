//! What becomes of a store in a file whose disk fails.

use super::*;
use bevy_tasks::block_on;
use redb::StorageBackend;
use std::{io, process, sync::Mutex};

/// A disk in memory with limited room and faults. Clones are the same disk, as it is after the file is closed.
#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    /// What the file may be as long as, if that is limited.
    room: Option<usize>,
    faults: Faults,
}

/// What fails from now on.
#[derive(Clone, Copy, Debug, Default)]
struct Faults {
    read: Option<ErrorKind>,
    write: Option<ErrorKind>,
    sync: Option<ErrorKind>,
}

impl Disk {
    fn with<T>(
        &self,
        fault: fn(&Faults) -> Option<ErrorKind>,
        work: impl FnOnce(&mut State) -> T,
    ) -> io::Result<T> {
        let mut state = self.0.lock().unwrap();
        match fault(&state.faults) {
            Some(kind) => Err(io::Error::new(kind, "as the test says")),
            None => Ok(work(&mut state)),
        }
    }

    fn fail(&self, faults: Faults) {
        self.0.lock().unwrap().faults = faults;
    }

    /// Leaves no more room than is used, or any.
    fn fill(&self, is_full: bool) {
        let mut state = self.0.lock().unwrap();
        state.room = is_full.then_some(state.bytes.len());
    }

    fn open(&self) -> Result<RedbStore, StoreError> {
        let disk = self.clone();
        RedbStore::new(PathBuf::from("a.redb"), move |_| {
            // Without a cache, so that every value is read from the disk.
            let mut builder = Builder::new();
            let database = builder
                .set_cache_size(0)
                .create_with_backend(disk.clone())?;
            Ok(Opened::Writable(database))
        })
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.with(|faults| faults.read, |state| state.bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.with(
            |faults| faults.read,
            |state| out.copy_from_slice(&state.bytes[offset as usize..][..out.len()]),
        )
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.with(
            |faults| faults.write,
            |state| {
                let len = len as usize;
                if state.room.is_some_and(|room| len > room) {
                    return Err(io::Error::from(ErrorKind::StorageFull));
                }
                state.bytes.resize(len, 0);
                Ok(())
            },
        )?
    }

    fn sync_data(&self) -> io::Result<()> {
        self.with(|faults| faults.sync, |_| ())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.with(
            |faults| faults.write,
            |state| state.bytes[offset as usize..][..data.len()].copy_from_slice(data),
        )
    }
}

fn save(store: &RedbStore, name: &str, bytes: Vec<u8>) -> Result<(), StoreErrorKind> {
    block_on(store.save(&[(name.to_owned(), bytes)])).map_err(|error| error.kind)
}

fn load(store: &RedbStore, name: &str) -> Result<Option<Vec<u8>>, StoreErrorKind> {
    block_on(store.load(name)).map_err(|error| error.kind)
}

const LARGE: usize = 4 << 20;

#[test]
fn when_a_full_disk_has_room_again_it_goes_on() {
    let disk = Disk::default();
    let store = disk.open().unwrap();
    save(&store, "a", vec![1]).unwrap();
    disk.fill(true);
    for _ in 0..3 {
        let full = Err(StoreErrorKind::Full);
        assert_eq!(save(&store, "b", vec![2; LARGE]), full);
        assert_eq!(
            block_on(store.create("b", &vec![2; LARGE])).map_err(|it| it.kind),
            full.map(|()| None)
        );
        // What was saved before is there all the time.
        assert_eq!(load(&store, "a"), Ok(Some(vec![1])));
        assert_eq!(load(&store, "b"), Ok(None));
    }
    disk.fill(false);
    save(&store, "b", vec![2; LARGE]).unwrap();
    drop(store);
    let store = disk.open().unwrap();
    assert_eq!(load(&store, "a"), Ok(Some(vec![1])));
    assert!(load(&store, "b") == Ok(Some(vec![2; LARGE])));
}

#[test]
fn after_any_error_of_the_disk_it_goes_on_with_the_former_values() {
    for fault in 0..3 {
        let disk = Disk::default();
        let store = disk.open().unwrap();
        save(&store, "a", vec![1]).unwrap();
        let other = Some(ErrorKind::Other);
        let faults = [
            Faults {
                write: other,
                ..Faults::default()
            },
            Faults {
                sync: other,
                ..Faults::default()
            },
            Faults {
                read: other,
                write: other,
                sync: other,
            },
        ];
        disk.fail(faults[fault]);
        for _ in 0..2 {
            let saved = save(&store, "a", vec![2; LARGE]);
            assert_eq!(saved, Err(StoreErrorKind::Unavailable), "{fault}");
        }
        disk.fail(Faults::default());
        assert_eq!(load(&store, "a"), Ok(Some(vec![1])), "{fault}");
        save(&store, "a", vec![3]).unwrap();
        drop(store);
        assert_eq!(
            load(&disk.open().unwrap(), "a"),
            Ok(Some(vec![3])),
            "{fault}"
        );
    }
}

#[test]
fn what_cannot_be_read_is_an_error_and_not_absent() {
    let disk = Disk::default();
    let store = disk.open().unwrap();
    let batch: Vec<_> = (0..50).map(|i| (i.to_string(), vec![i; 8_000])).collect();
    block_on(store.save(&batch)).unwrap();
    disk.fail(Faults {
        read: Some(ErrorKind::Other),
        ..Faults::default()
    });
    let error = Err(StoreErrorKind::Unavailable);
    let results: Vec<_> = batch.iter().map(|(name, _)| load(&store, name)).collect();
    for (result, (_, bytes)) in results.iter().zip(&batch) {
        assert!(*result == error || *result == Ok(Some(bytes.clone())));
    }
    assert!(results.contains(&error));
    disk.fail(Faults::default());
    for (name, bytes) in &batch {
        assert!(load(&store, name) == Ok(Some(bytes.clone())));
    }
    assert_eq!(load(&store, "absent"), Ok(None));
}

#[test]
fn a_disk_that_may_not_be_written_says_so() {
    let disk = Disk::default();
    let store = disk.open().unwrap();
    disk.fail(Faults {
        write: Some(ErrorKind::ReadOnlyFilesystem),
        ..Faults::default()
    });
    assert_eq!(save(&store, "a", vec![1]), Err(StoreErrorKind::ReadOnly));
}

#[test]
fn a_file_that_is_gone_when_it_is_opened_anew_is_an_error_and_no_empty_store() {
    let name = format!("chunk-scheduler-redb-gone-{}", process::id());
    let folder = std::env::temp_dir().join(name);
    let path = folder.join("world.redb");
    let store = RedbStore::open(&path).unwrap();
    save(&store, "a", vec![1]).unwrap();
    // What an error of the disk leads to.
    store.0.current.write().opened = None;
    let elsewhere = folder.join("elsewhere.redb");
    fs::rename(&path, &elsewhere).unwrap();
    let gone = StoreErrorKind::Unavailable;
    for _ in 0..2 {
        assert_eq!(load(&store, "a"), Err(gone));
        assert_eq!(save(&store, "a", vec![2]), Err(gone));
        assert!(!path.exists());
    }
    fs::rename(&elsewhere, &path).unwrap();
    assert_eq!(load(&store, "a"), Ok(Some(vec![1])));
    drop(store);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_call_that_begins_after_the_store_is_dropped_does_not_open_its_file_again() {
    let disk = Disk::default();
    let store = disk.open().unwrap();
    save(&store, "a", vec![1]).unwrap();
    let shared = Arc::clone(&store.0);
    drop(store);
    let result = shared.run(|opened| opened.load("a"));
    assert_eq!(result.unwrap_err().kind, StoreErrorKind::Unavailable);
    assert!(shared.current.read().opened.is_none());
}
