//! An archive that is saved to, loaded from and written at the same time.

use crate::harness::{Threads, block_on, check};
use chunk_scheduler::store::{Archive, ArchiveConfig, Codec, CodecError, MemoryStore};
use loom::thread;

struct Bytes;

impl Codec<u8> for Bytes {
    fn format(&self) -> u32 {
        1
    }

    fn encode(&self, value: &u8) -> Result<Vec<u8>, CodecError> {
        Ok(vec![*value])
    }

    fn decode(&self, _: u32, bytes: &[u8]) -> Result<u8, CodecError> {
        bytes.first().copied().ok_or_else(|| "it is empty".into())
    }
}

type Values = Archive<u8, u8>;

fn open(store: &MemoryStore, threads: &Threads) -> Values {
    let (store, runtime) = (store.clone(), threads.runtime());
    Archive::new(store, Bytes, ArchiveConfig::default(), runtime)
}

fn load(archive: &Values, key: u8) -> Option<u8> {
    let value = block_on(archive.load(key)).expect("memory does not fail");
    value.map(|value| *value)
}

/// What an archive finds that is opened later.
fn durable(store: &MemoryStore, key: u8) -> Option<u8> {
    load(&open(store, &Threads::default()), key)
}

#[test]
fn who_saved_loads_that_or_newer_while_writers_write() {
    check(2, || {
        let (store, threads) = (MemoryStore::default(), Threads::default());
        let archive = open(&store, &threads);
        archive.save(1, 1);
        assert_eq!(load(&archive, 1), Some(1));
        archive.save(1, 2);
        assert_eq!(load(&archive, 1), Some(2));
        threads.join();
        assert_eq!((load(&archive, 1), durable(&store, 1)), (Some(2), Some(2)));
        assert_eq!(archive.report().waiting, 0);
    });
}

#[test]
fn another_thread_never_finds_an_older_value_after_a_newer_one_or_nothing_after_a_value() {
    check(2, || {
        let (store, threads) = (MemoryStore::default(), Threads::default());
        let archive = open(&store, &threads);
        let reader = thread::spawn({
            let archive = archive.clone();
            move || [load(&archive, 1), load(&archive, 1)]
        });
        archive.save(1, 1);
        let seen = reader.join().expect("it does not panic");
        assert!(seen[0] <= seen[1], "{seen:?}");
        threads.join();
        assert_eq!(durable(&store, 1), Some(1));
    });
}

#[test]
fn no_save_is_left_behind_when_a_writer_ends_meanwhile() {
    check(2, || {
        let (store, threads) = (MemoryStore::default(), Threads::default());
        let archive = open(&store, &threads);
        archive.save(1, 1);
        let other = thread::spawn({
            let archive = archive.clone();
            move || archive.save(2, 2)
        });
        other.join().expect("it does not panic");
        // Nobody ticks: the writers that were started come to everything.
        threads.join();
        assert_eq!((durable(&store, 1), durable(&store, 2)), (Some(1), Some(2)));
        assert_eq!(archive.report().waiting, 0);
    });
}

#[test]
fn a_flush_is_woken_when_what_it_waits_for_is_durable() {
    check(2, || {
        let (store, threads) = (MemoryStore::default(), Threads::default());
        let archive = open(&store, &threads);
        archive.save(1, 1);
        assert_eq!(block_on(archive.flush()), Ok(()));
        assert_eq!(durable(&store, 1), Some(1));
        threads.join();
    });
}

#[test]
fn two_that_make_a_value_at_once_have_the_same() {
    check(2, || {
        let store = MemoryStore::default();
        let make = |store: &MemoryStore, value: u8| {
            let archive = open(store, &Threads::default());
            let found = block_on(archive.load_or_create(1, || Ok::<_, &str>(value)));
            *found.expect("memory does not fail").into_value()
        };
        let there = thread::spawn({
            let store = store.clone();
            move || make(&store, 1)
        });
        let here = make(&store, 2);
        assert_eq!(there.join().expect("it does not panic"), here);
        assert_eq!(durable(&store, 1), Some(here));
    });
}
