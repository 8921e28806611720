//! Stores that fail, values that are damaged.

use crate::scripted::{ScriptedStore, now, poll_once};
use chunk_scheduler::store::{
    Archive, ArchiveConfig, Codec, CodecError, MemoryStore, Postcard, Store, StoreErrorKind,
};
use chunk_scheduler::{Runtime, Simulation};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn what_cannot_be_written_stays_in_memory_and_is_tried_again_after_a_wait_that_doubles() {
    let store = ScriptedStore::new(1);
    store.change(|script| script.write_error = Some(StoreErrorKind::Full));
    let archive = store.archive(ArchiveConfig::default());
    archive.save(1, "value".to_owned());
    let mut failures = Vec::new();
    for second in 0..16 {
        archive.tick(second * SECOND);
        store.simulation.run();
        failures.push(archive.report().failures);
    }
    assert_eq!(failures, [1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 5]);
    let loaded = now(archive.load(1)).expect("it is in memory");
    assert_eq!(loaded.as_deref().map(String::as_str), Some("value"));
    store.change(|script| script.write_error = None);
    archive.tick(1_000 * SECOND);
    store.simulation.run();
    assert_eq!(store.durable(1).as_deref(), Some("value"));
}

#[test]
fn a_flush_tries_at_once_and_ends_with_the_cause_if_that_fails() {
    let store = ScriptedStore::new(2);
    store.change(|script| script.write_error = Some(StoreErrorKind::Unavailable));
    let archive = store.archive(ArchiveConfig::default());
    archive.save(1, "value".to_owned());
    store.simulation.run();
    let mut flush = archive.flush();
    store.simulation.run();
    let Poll::Ready(Err(error)) = poll_once(&mut flush) else {
        panic!("writing failed");
    };
    assert_eq!(error.kind, StoreErrorKind::Unavailable);
    assert_eq!(error.name.as_deref(), Some("chunks/1"));
    store.change(|script| script.write_error = None);
    let mut flush = archive.flush();
    store.simulation.run();
    assert_eq!(poll_once(&mut flush), Poll::Ready(Ok(())));
}

#[test]
fn one_value_that_cannot_be_written_does_not_keep_the_others_from_it() {
    let store = ScriptedStore::new(3);
    store.change(|script| script.poison = Some("chunks/50".to_owned()));
    let archive = store.archive(ArchiveConfig::default());
    for key in 0..100 {
        archive.save(key, key.to_string());
    }
    for second in 0..600 {
        archive.tick(second * SECOND);
        store.simulation.run();
    }
    let report = archive.report();
    assert_eq!((report.waiting, report.written), (1, 99));
    assert_eq!(
        report.last_error.and_then(|error| error.name).as_deref(),
        Some("chunks/50")
    );
    let mut flush = archive.flush();
    store.simulation.run();
    assert!(matches!(poll_once(&mut flush), Poll::Ready(Err(_))));
    // A newer value may be better.
    store.change(|script| script.poison = None);
    archive.save(50, "better".to_owned());
    store.simulation.run();
    assert_eq!(store.durable(50).as_deref(), Some("better"));
}

#[test]
fn a_value_that_is_saved_while_the_store_refuses_the_one_before_it_is_written() {
    let store = ScriptedStore::new(7);
    store.change(|script| script.poison = Some("chunks/1".to_owned()));
    let archive = store.archive(ArchiveConfig::default());
    archive.save(1, "bad".to_owned());
    store.simulation.run();
    assert_eq!(archive.report().failures, 1);
    store.change(|script| script.delay = SECOND);
    archive.tick(10 * SECOND);
    drop(archive.flush());
    store.simulation.run();
    // The store has read the script for the bad value already.
    store.change(|script| script.poison = None);
    archive.save(1, "good".to_owned());
    store.simulation.advance(2 * SECOND);
    assert_eq!(archive.report().failures, 2);
    assert_eq!(store.durable(1).as_deref(), Some("good"));
}

#[test]
fn what_the_store_refused_is_tried_again_while_the_game_goes_on() {
    let store = ScriptedStore::new(8);
    store.change(|script| script.write_error = Some(StoreErrorKind::ReadOnly));
    let archive = store.archive(ArchiveConfig::default());
    archive.save(1, "value".to_owned());
    store.simulation.run();
    assert_eq!(archive.report().failures, 1);
    store.change(|script| script.write_error = None);
    for second in 0..60 {
        archive.tick(second * SECOND);
        store.simulation.run();
    }
    assert_eq!(store.durable(1), None);
    archive.tick(60 * SECOND);
    store.simulation.run();
    assert_eq!(store.durable(1).as_deref(), Some("value"));
}

#[test]
fn a_flush_with_and_without_a_limit_goes_on_when_the_store_panicked() {
    let store = ScriptedStore::new(9);
    store.change(|script| script.panics = true);
    let archive = store.archive(ArchiveConfig::default());
    archive.save(1, "value".to_owned());
    let mut flush = archive.flush();
    store.simulation.run();
    assert!(matches!(poll_once(&mut flush), Poll::Ready(Err(_))));
    store.change(|script| script.panics = false);
    assert_eq!(archive.flush_within(SECOND), Ok(()));
    assert_eq!(store.durable(1).as_deref(), Some("value"));
}

#[test]
fn removals_do_not_wait_one_by_one_for_a_store_that_is_gone() {
    let store = ScriptedStore::new(10);
    store.change(|script| script.write_error = Some(StoreErrorKind::Unavailable));
    let archive = store.archive(ArchiveConfig::default());
    (0..100).for_each(|key| archive.remove(key));
    store.simulation.run();
    assert_eq!(*store.removals.lock().expect("no test panicked"), 1);
    store.change(|script| script.write_error = None);
    assert_eq!(archive.flush_within(SECOND), Ok(()));
}

#[test]
fn a_store_that_panics_loses_nothing() {
    let store = ScriptedStore::new(4);
    store.change(|script| script.panics = true);
    let archive = store.archive(ArchiveConfig::default());
    archive.save(1, "value".to_owned());
    let simulation = store.simulation.clone();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| simulation.run()));
    assert!(panicked.is_err() || archive.report().waiting == 1);
    store.change(|script| script.panics = false);
    archive.tick(100 * SECOND);
    store.simulation.run();
    assert_eq!(store.durable(1).as_deref(), Some("value"));
}

/// A codec of text that can refuse or panic.
#[derive(Clone, Default)]
struct Moody {
    refuses: Arc<AtomicBool>,
    panics: Arc<AtomicBool>,
}

impl Codec<String> for Moody {
    fn format(&self) -> u32 {
        1
    }

    fn encode(&self, value: &String) -> Result<Vec<u8>, CodecError> {
        assert!(!self.panics.load(Ordering::Relaxed), "the codec panics");
        if self.refuses.load(Ordering::Relaxed) && value == "bad" {
            return Err("bad values are refused".into());
        }
        Ok(value.clone().into_bytes())
    }

    fn decode(&self, _: u32, bytes: &[u8]) -> Result<String, CodecError> {
        assert!(!self.panics.load(Ordering::Relaxed), "the codec panics");
        Ok(String::from_utf8(bytes.to_vec())?)
    }
}

#[test]
fn a_value_that_cannot_be_encoded_delays_no_other_and_is_told_by_its_name() {
    let (store, codec) = (ScriptedStore::new(5), Moody::default());
    let config = ArchiveConfig::default();
    let runtime = store.simulation.runtime();
    let archive: Archive<u32, String> = Archive::new(store.clone(), codec.clone(), config, runtime);
    codec.refuses.store(true, Ordering::Relaxed);
    for (key, value) in [(1, "good"), (2, "bad"), (3, "good")] {
        archive.save(key, value.to_owned());
    }
    store.simulation.run();
    let report = archive.report();
    assert_eq!((report.waiting, report.written, report.failures), (1, 2, 1));
    let error = report.last_error.expect("one failed").to_string();
    assert!(
        error.contains("chunks/2") && error.contains("refused"),
        "{error}"
    );
    codec.refuses.store(false, Ordering::Relaxed);
    let mut flush = archive.flush();
    store.simulation.run();
    assert_eq!(poll_once(&mut flush), Poll::Ready(Ok(())));
    codec.panics.store(true, Ordering::Relaxed);
    archive.save(4, "good".to_owned());
    store.simulation.run();
    let error = archive
        .report()
        .last_error
        .expect("it panicked")
        .to_string();
    assert!(error.contains("the codec panics"), "{error}");
    let error = now(archive.load(1)).expect_err("it panics").to_string();
    assert!(
        error.contains("chunks/1") && error.contains("the codec panics"),
        "{error}"
    );
}

#[test]
fn a_damaged_value_is_an_error_and_a_copy_of_it_is_kept_once() {
    let memory = MemoryStore::default();
    let open = |world| {
        let runtime = Runtime::Inline {
            budget: Duration::ZERO,
        };
        let config = ArchiveConfig {
            world,
            ..ArchiveConfig::default()
        };
        Archive::<u32, String>::new(memory.clone(), Postcard::new(), config, runtime)
    };
    let archive = open(7);
    archive.save(1, "value".to_owned());
    assert_eq!(archive.flush_within(60 * SECOND), Ok(()));
    let whole = now(memory.load("chunks/1"))
        .expect("it works")
        .expect("it is there");
    let cut = whole[..whole.len() - 1].to_vec();
    now(memory.save(&[("chunks/1".to_owned(), cut.clone())])).expect("it works");
    for _ in 0..2 {
        let error = now(archive.load(1)).expect_err("it is cut short");
        assert_eq!(error.kind, StoreErrorKind::Damaged);
        assert!(
            error
                .to_string()
                .starts_with("the saved value chunks/1 is damaged: "),
            "{error}"
        );
    }
    assert_eq!(archive.report().set_aside, 1);
    let aside = now(memory.list("aside/chunks/1-")).expect("it works");
    assert_eq!(aside.len(), 1);
    assert_eq!(now(memory.load(&aside[0])), Ok(Some(cut.clone())));
    assert_eq!(now(memory.load("chunks/1")), Ok(Some(cut)));
    // What is saved in its place is loaded again, and the copy stays.
    archive.save(1, "again".to_owned());
    assert_eq!(archive.flush_within(60 * SECOND), Ok(()));
    assert!(now(archive.load(1)).is_ok_and(|value| value.is_some()));
    assert_eq!(now(memory.list("aside/")).map(|names| names.len()), Ok(1));
    // A value of another world is neither damaged nor absent.
    let error = now(open(8).load(1)).expect_err("it is another world");
    assert_eq!(
        error.kind,
        StoreErrorKind::OtherWorld {
            found: 7,
            expected: 8
        }
    );
}

#[test]
fn what_was_in_the_hands_of_a_writer_that_was_dropped_is_written_by_another() {
    let store = ScriptedStore::new(6);
    store.change(|script| script.delay = SECOND);
    let simulation = Simulation::new(6);
    let spawned: Arc<std::sync::Mutex<Vec<_>>> = Arc::default();
    let keep = Arc::clone(&spawned);
    let runtime = Runtime::custom(1, move |work| {
        keep.lock().expect("no test panicked").push(work)
    });
    let archive: Archive<u32, String> = Archive::new(
        store.clone(),
        Postcard::new(),
        ArchiveConfig::default(),
        runtime,
    );
    archive.save(1, "value".to_owned());
    let mut writer = spawned
        .lock()
        .expect("no test panicked")
        .pop()
        .expect("a writer began");
    assert!(poll_once(&mut writer).is_pending());
    drop(writer);
    store.change(|script| script.delay = Duration::ZERO);
    archive.tick(100 * SECOND);
    let mut writer = spawned
        .lock()
        .expect("no test panicked")
        .pop()
        .expect("another began");
    assert!(poll_once(&mut writer).is_ready());
    assert_eq!(store.durable(1).as_deref(), Some("value"));
    drop(simulation);
}
