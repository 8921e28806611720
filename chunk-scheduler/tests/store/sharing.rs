//! Several processes that make what they need in one store.

use crate::scripted::{ScriptedStore, now, poll_once};
use chunk_scheduler::store::{ArchiveConfig, Found, StoreErrorKind};
use chunk_scheduler::{FnRank, GenerateError, Job, Scheduler, SchedulerConfig};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

fn make(text: &str) -> Result<String, GenerateError> {
    Ok(text.to_owned())
}

#[test]
fn the_first_that_needs_a_value_makes_it_and_the_others_read_it() {
    let store = ScriptedStore::new(1);
    let (here, there) = (
        store.archive(ArchiveConfig::default()),
        store.archive(ArchiveConfig::default()),
    );
    let made = now(here.load_or_create(1, || make("here")));
    assert_eq!(made, Ok(Found::Made(Arc::new("here".to_owned()))));
    let found = now(there.load_or_create(1, || make("there")));
    assert_eq!(found, Ok(Found::Loaded(Arc::new("here".to_owned()))));
    assert_eq!(store.durable(1).as_deref(), Some("here"));
}

#[test]
fn two_that_make_a_value_at_once_end_with_one() {
    let store = ScriptedStore::new(2);
    let (here, there) = (
        store.archive(ArchiveConfig::default()),
        store.archive(ArchiveConfig::default()),
    );
    // The other one makes it between this one's look and its own.
    let raced = now(here.load_or_create(1, || {
        now(there.load_or_create(1, || make("there")))?;
        make("here")
    }));
    assert_eq!(
        raced,
        Ok(Found::MadeElsewhere(Arc::new("there".to_owned())))
    );
}

#[test]
fn what_was_removed_a_moment_ago_is_made_anew() {
    let store = ScriptedStore::new(4);
    let archive = store.archive(ArchiveConfig::default());
    archive.save(1, "old".to_owned());
    store.simulation.run();
    store.change(|script| script.delay = Duration::from_secs(1));
    archive.remove(1);
    let mut made = Box::pin(archive.load_or_create(1, || make("new")));
    assert!(poll_once(&mut made).is_pending());
    store.simulation.advance(Duration::from_secs(2));
    let new = Found::Made(Arc::new("new".to_owned()));
    assert_eq!(poll_once(&mut made), Poll::Ready(Ok(new)));
    assert_eq!(store.durable(1).as_deref(), Some("new"));
}

#[test]
fn what_cannot_be_kept_or_made_is_an_error_and_nothing_is_kept() {
    let store = ScriptedStore::new(3);
    let archive = store.archive(ArchiveConfig::default());
    let refused = now(archive.load_or_create(1, || Err::<String, _>("no stone")));
    assert_eq!(
        refused,
        Err(GenerateError::Transient("no stone".to_owned()))
    );
    store.change(|script| script.write_error = Some(StoreErrorKind::ReadOnly));
    let refused = now(archive.load_or_create(1, || make("here")));
    assert!(matches!(refused, Err(GenerateError::Permanent(_))));
    assert_eq!(store.durable(1), None);
}

#[test]
fn schedulers_that_share_a_store_deliver_the_same_value() {
    for seed in 0..20 {
        let store = ScriptedStore::new(seed);
        store.change(|script| script.delay = Duration::from_millis(1));
        let schedulers = ["here", "there"].map(|place| {
            let archive = store.archive(ArchiveConfig::default());
            let generator = archive.shared_generator(move |job: &Job<u32>| {
                make(&format!("{} made {place}", job.key()))
            });
            let rank = FnRank(|key: &u32| *key);
            let config = SchedulerConfig::default();
            Scheduler::new(config, generator, store.simulation.runtime(), rank)
                .expect("the defaults are valid")
        });
        let delivered = schedulers.map(|mut scheduler| {
            let mut delivered = Vec::new();
            for key in 0..10 {
                scheduler.request(key);
            }
            for frame in 0..100 {
                scheduler.tick(Duration::from_millis(frame));
                store.simulation.advance(Duration::from_millis(1));
                scheduler.drain(99, |chunk| delivered.push((chunk.key, chunk.content)));
            }
            delivered.sort();
            delivered
        });
        assert_eq!(delivered[0].len(), 10);
        assert_eq!(delivered[0], delivered[1]);
    }
}
