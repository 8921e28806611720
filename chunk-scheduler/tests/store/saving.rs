//! What is saved is loaded, from memory until it is durable.

use crate::scripted::{ScriptedStore, now, poll_once};
use chunk_scheduler::store::{
    Archive, ArchiveConfig, Codec, CodecError, MemoryStore, Postcard, StoreErrorKind,
};
use chunk_scheduler::{FnRank, Job, Runtime, Scheduler, SchedulerConfig, Simulation};
use std::task::Poll;
use std::time::Duration;

fn loaded(archive: &Archive<u32, String>, key: u32) -> Option<String> {
    let value = now(archive.load(key)).expect("the store works");
    value.map(|value| value.to_string())
}

#[test]
fn what_was_saved_last_is_loaded_before_while_and_after_it_is_written() {
    let store = ScriptedStore::new(1);
    store.change(|script| script.delay = Duration::from_secs(1));
    let archive = store.archive(ArchiveConfig::default());
    archive.save(1, "old".to_owned());
    assert_eq!(loaded(&archive, 1).as_deref(), Some("old"));
    store.simulation.run();
    // The writer has the old one in hand.
    archive.save(1, "new".to_owned());
    assert_eq!(loaded(&archive, 1).as_deref(), Some("new"));
    store.simulation.advance(Duration::from_secs(1));
    assert_eq!(store.durable(1).as_deref(), Some("old"));
    assert_eq!(loaded(&archive, 1).as_deref(), Some("new"));
    store.simulation.advance(Duration::from_secs(1));
    assert_eq!(store.durable(1).as_deref(), Some("new"));
    let report = archive.report();
    assert_eq!(
        (report.waiting, report.waiting_bytes, report.written),
        (0, 0, 2)
    );
}

#[test]
fn a_value_that_was_replaced_before_a_writer_came_to_it_is_not_written() {
    let store = ScriptedStore::new(2);
    let archive = store.archive(ArchiveConfig::default());
    for number in 0..10 {
        archive.save(1, number.to_string());
    }
    store.simulation.run();
    assert_eq!(archive.report().written, 1);
    assert_eq!(store.durable(1).as_deref(), Some("9"));
}

#[test]
fn what_was_removed_is_absent_at_once_and_for_good() {
    let store = ScriptedStore::new(3);
    let archive = store.archive(ArchiveConfig::default());
    archive.save(1, "one".to_owned());
    archive.save(2, "two".to_owned());
    store.simulation.run();
    archive.remove(1);
    assert_eq!(loaded(&archive, 1), None);
    assert_eq!(now(archive.keys()), Ok(vec![2]));
    store.simulation.run();
    assert_eq!(
        (store.durable(1), store.durable(2).as_deref()),
        (None, Some("two"))
    );
}

#[test]
fn two_writers_never_have_the_same_key_in_hand() {
    let store = ScriptedStore::new(4);
    store.change(|script| {
        script.delay = Duration::from_secs(1);
        script.max_writes = 2;
    });
    let archive = store.archive(ArchiveConfig::default());
    archive.save(1, "old".to_owned());
    store.simulation.run();
    archive.save(1, "new".to_owned());
    archive.save(2, "other".to_owned());
    store.simulation.advance(Duration::from_secs(5));
    let batches = store.batches.lock().expect("no test panicked");
    let names: Vec<Vec<&str>> = (batches.iter())
        .map(|(names, _)| names.iter().map(String::as_str).collect())
        .collect();
    assert_eq!(
        names,
        [vec!["chunks/1"], vec!["chunks/2"], vec!["chunks/1"]]
    );
    assert_eq!(store.durable(1).as_deref(), Some("new"));
}

#[test]
fn a_flush_ends_when_what_was_saved_before_is_durable_and_waits_for_nothing_later() {
    let store = ScriptedStore::new(5);
    store.change(|script| script.delay = Duration::from_secs(1));
    let archive = store.archive(ArchiveConfig::default());
    archive.save(1, "one".to_owned());
    let mut flush = archive.flush();
    assert_eq!((flush.total(), flush.remaining()), (1, 1));
    store.simulation.run();
    archive.save(2, "two".to_owned());
    assert!(poll_once(&mut flush).is_pending());
    store.simulation.advance(Duration::from_secs(1));
    assert_eq!(flush.remaining(), 0);
    assert_eq!(poll_once(&mut flush), Poll::Ready(Ok(())));
    assert_eq!(archive.report().waiting, 1);
}

#[test]
fn a_flush_of_a_key_that_is_saved_all_the_time_ends() {
    let store = ScriptedStore::new(6);
    store.change(|script| script.delay = Duration::from_secs(1));
    let archive = store.archive(ArchiveConfig::default());
    archive.save(1, "first".to_owned());
    store.simulation.run();
    archive.save(1, "second".to_owned());
    let mut flush = archive.flush();
    archive.save(1, "third".to_owned());
    store.simulation.advance(Duration::from_secs(1));
    // The first one is durable, and neither the second nor what is in its place.
    assert!(poll_once(&mut flush).is_pending());
    archive.save(1, "fourth".to_owned());
    store.simulation.advance(Duration::from_secs(1));
    assert_eq!(store.durable(1).as_deref(), Some("third"));
    assert_eq!(poll_once(&mut flush), Poll::Ready(Ok(())));
}

#[test]
fn there_is_room_until_the_bytes_that_wait_reach_their_limit() {
    let store = ScriptedStore::new(7);
    store.change(|script| script.delay = Duration::from_secs(1));
    let archive = store.archive(ArchiveConfig {
        max_waiting_bytes: 10 * size_of::<String>(),
        ..ArchiveConfig::default()
    });
    let mut saved = 0;
    while archive.has_room() {
        archive.save(saved, String::new());
        saved += 1;
    }
    assert_eq!(saved, 10);
    store.simulation.advance(Duration::from_secs(2));
    assert!(archive.has_room());
    // The next ones count as much as the largest that was encoded.
    archive.save(0, "x".repeat(1_000));
    store.simulation.advance(Duration::from_secs(2));
    archive.save(1, String::new());
    assert!(archive.report().waiting_bytes > size_of::<String>());
    // What is replaced while a writer has it counts until the writer is done.
    store.simulation.run();
    let before = archive.report().waiting_bytes;
    archive.save(1, String::new());
    archive.save(1, String::new());
    assert_eq!(archive.report().waiting_bytes, 2 * before);
    store.simulation.advance(Duration::from_secs(4));
    assert_eq!(archive.report().waiting_bytes, 0);
}

#[test]
fn a_batch_has_no_more_bytes_than_allowed_unless_a_value_is_larger() {
    let store = ScriptedStore::new(8);
    let archive = store.archive(ArchiveConfig {
        max_batch_bytes: 2 * size_of::<String>(),
        ..ArchiveConfig::default()
    });
    for key in 0..5 {
        archive.save(key, String::new());
    }
    store.simulation.run();
    let batches = store.batches.lock().expect("no test panicked");
    let sizes: Vec<usize> = batches.iter().map(|(names, _)| names.len()).collect();
    assert_eq!(sizes, [2, 2, 1]);
}

#[test]
fn a_flush_with_a_limit_waits_for_the_writers_of_every_runtime_and_says_what_is_not_durable() {
    for runtime in [
        Runtime::default(),
        Runtime::Inline {
            budget: Duration::ZERO,
        },
        Simulation::new(1).runtime(),
    ] {
        let memory = MemoryStore::default();
        let open = |runtime| {
            let config = ArchiveConfig::default();
            Archive::<u32, String>::new(memory.clone(), Postcard::new(), config, runtime)
        };
        let archive = open(runtime);
        for key in 0..100 {
            archive.save(key, "value".to_owned());
        }
        assert_eq!(archive.flush_within(Duration::from_secs(60)), Ok(()));
        drop(archive);
        assert_eq!(
            now(open(Runtime::default()).keys()).map(|keys| keys.len()),
            Ok(100)
        );
    }
    let store = ScriptedStore::new(9);
    store.change(|script| script.write_error = Some(StoreErrorKind::Full));
    let archive = store.archive(ArchiveConfig::default());
    archive.save(3, "value".to_owned());
    let unsaved = archive
        .flush_within(Duration::from_secs(1))
        .expect_err("the store is full");
    assert_eq!((unsaved.values, unsaved.key.as_str()), (1, "3"));
    assert_eq!(
        unsaved.error.as_ref().map(|error| error.kind),
        Some(StoreErrorKind::Full)
    );
    assert!(
        unsaved.to_string().contains("chunks/3 has no room"),
        "{unsaved}"
    );
}

#[test]
fn a_generator_gets_what_was_saved_and_a_failed_load_is_no_absent_value() {
    let store = ScriptedStore::new(10);
    let archive = store.archive(ArchiveConfig::default());
    archive.save(1, "saved".to_owned());
    let generator = archive.generator(|job: &Job<u32>, saved| match saved {
        Some(saved) => Ok::<_, String>(saved.to_string()),
        None => Ok(format!("made {}", job.key())),
    });
    let rank = FnRank(|key: &u32| *key);
    let config = SchedulerConfig::default();
    let mut scheduler = Scheduler::new(config, generator, store.simulation.runtime(), rank)
        .expect("the defaults are valid");
    let mut request = |key, seconds| {
        scheduler.request(key);
        scheduler.tick(Duration::from_secs(seconds));
        store.simulation.run();
        let mut made = Vec::new();
        scheduler.drain(9, |delivered| made.push(delivered.content));
        scheduler.tick(Duration::from_secs(seconds));
        (made, scheduler.counters().failed)
    };
    assert_eq!(request(1, 0), (vec!["saved".to_owned()], 0));
    assert_eq!(request(2, 1), (vec!["made 2".to_owned()], 0));
    store.change(|script| script.load_error = Some(StoreErrorKind::Unavailable));
    assert_eq!(request(3, 2), (vec![], 0));
    store.change(|script| script.load_error = None);
    assert_eq!(request(3, 10), (vec!["made 3".to_owned()], 0));
    // What cannot work is not tried again, and nothing is made in its place.
    store.change(|script| script.load_error = Some(StoreErrorKind::Foreign));
    assert_eq!(request(4, 20), (vec![], 1));
}

struct Numbers(u32);

impl Codec<u32> for Numbers {
    fn format(&self) -> u32 {
        self.0
    }

    fn encode(&self, value: &u32) -> Result<Vec<u8>, CodecError> {
        Ok(value.to_le_bytes().to_vec())
    }

    fn decode(&self, format: u32, bytes: &[u8]) -> Result<u32, CodecError> {
        let number = u32::from_le_bytes(bytes.try_into()?);
        Ok(if format < self.0 {
            number + 100
        } else {
            number
        })
    }
}

#[test]
fn an_older_format_is_migrated_and_a_newer_one_is_refused_and_kept() {
    let memory = MemoryStore::default();
    let open = |codec: Numbers| {
        let runtime = Runtime::Inline {
            budget: Duration::ZERO,
        };
        Archive::<u32, u32>::new(memory.clone(), codec, ArchiveConfig::default(), runtime)
    };
    let old = open(Numbers(1));
    old.save(1, 7);
    assert_eq!(old.flush_within(Duration::from_secs(60)), Ok(()));
    let new = open(Numbers(2));
    assert_eq!(
        now(new.load(1)).map(|value| value.map(|value| *value)),
        Ok(Some(107))
    );
    new.save(2, 8);
    assert_eq!(new.flush_within(Duration::from_secs(60)), Ok(()));
    let error = now(old.load(2)).expect_err("it is newer");
    assert_eq!(error.kind, StoreErrorKind::Newer { found: 2, known: 1 });
    assert_eq!(error.name.as_deref(), Some("chunks/2"));
    assert_eq!(now(old.keys()), Ok(vec![1, 2]));
    assert_eq!(old.report().set_aside, 0);
}

#[test]
fn postcard_reads_what_it_wrote_and_migrates_what_it_wrote_before() {
    let old: Postcard<Vec<u8>> = Postcard::new();
    let bytes = old.encode(&vec![1, 2]).expect("it can be encoded");
    let new = Postcard::with_migration(2, |format, bytes| {
        let old: Vec<u8> = chunk_scheduler::store::from_postcard(bytes)?;
        Ok(format!("{format}: {old:?}"))
    });
    assert_eq!(new.decode(1, &bytes).expect("it is migrated"), "1: [1, 2]");
    let text = new.encode(&"text".to_owned()).expect("it can be encoded");
    assert_eq!(new.decode(2, &text).expect("it is read"), "text");
    let longer = [&text[..], &[0]].concat();
    for bytes in [&text[..2], &longer, &[]] {
        assert!(new.decode(2, bytes).is_err());
    }
}
