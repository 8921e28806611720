//! Random saves, removals, loads, faults and restarts, against a plain map.

use crate::scripted::{ScriptedStore, now};
use chunk_scheduler::store::{Archive, ArchiveConfig, StoreErrorKind};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

#[derive(Clone, Debug)]
enum Step {
    Save(u32, usize),
    Remove(u32),
    Load(u32),
    /// Polls this many writers.
    Work(u8),
    Wait(u8),
    Break(bool),
    Slow(bool),
    Poison(Option<u32>),
    Flush,
    /// What is not durable is lost.
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0..6_u32;
    prop_oneof![
        8 => (key.clone(), 0..40_usize).prop_map(|(key, len)| Step::Save(key, len)),
        2 => key.clone().prop_map(Step::Remove),
        4 => key.clone().prop_map(Step::Load),
        8 => (0..20_u8).prop_map(Step::Work),
        3 => (0..50_u8).prop_map(Step::Wait),
        1 => any::<bool>().prop_map(Step::Break),
        1 => any::<bool>().prop_map(Step::Slow),
        1 => proptest::option::of(key).prop_map(Step::Poison),
        1 => Just(Step::Flush),
        1 => Just(Step::Crash),
    ]
}

type Values = BTreeMap<u32, String>;

fn check(archive: &Archive<u32, String>, expected: &Values, key: u32) {
    let loaded = now(archive.load(key)).expect("loading works");
    assert_eq!(loaded.as_deref(), expected.get(&key), "{key}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_loaded_is_what_was_saved_last_and_a_flush_makes_it_survive(
        seed in any::<u64>(),
        writers in 1..4_usize,
        steps in proptest::collection::vec(step(), 1..120),
    ) {
        let store = ScriptedStore::new(seed);
        store.change(|script| script.max_writes = writers);
        let config = ArchiveConfig { max_batch_bytes: 100, ..ArchiveConfig::default() };
        let mut archive = store.archive(config.clone());
        let mut expected = Values::new();
        // What each key had since it was certainly durable: after a crash it is one of these.
        let mut possible: BTreeMap<u32, Vec<Option<String>>> = BTreeMap::new();
        let mut saves = 0;
        for step in steps {
            match step {
                Step::Save(key, len) => {
                    saves += 1;
                    let value = format!("{saves}{}", "x".repeat(len));
                    archive.save(key, value.clone());
                    possible.entry(key).or_insert_with(|| vec![None]).push(Some(value.clone()));
                    expected.insert(key, value);
                }
                Step::Remove(key) => {
                    archive.remove(key);
                    possible.entry(key).or_insert_with(|| vec![None]).push(None);
                    expected.remove(&key);
                }
                Step::Load(key) => {
                    store.change(|script| script.delay = Duration::ZERO);
                    check(&archive, &expected, key);
                }
                Step::Work(count) => {
                    for _ in 0..count {
                        store.simulation.step();
                    }
                }
                Step::Wait(tenths) => {
                    store.simulation.advance(Duration::from_millis(100) * u32::from(tenths));
                    archive.tick(store.simulation.now());
                }
                Step::Break(is_broken) => store.change(|script| {
                    script.write_error = is_broken.then_some(StoreErrorKind::Unavailable);
                }),
                Step::Slow(is_slow) => store.change(|script| {
                    script.delay = Duration::from_millis(if is_slow { 300 } else { 0 });
                }),
                Step::Poison(key) => store.change(|script| {
                    script.poison = key.map(|key| format!("chunks/{key}"));
                }),
                Step::Flush => {
                    store.change(|script| {
                        (script.write_error, script.poison) = (None, None);
                    });
                    prop_assert_eq!(archive.flush_within(Duration::from_secs(60)), Ok(()));
                    let report = archive.report();
                    prop_assert_eq!((report.waiting, report.waiting_bytes), (0, 0));
                    for key in 0..6 {
                        prop_assert_eq!(store.durable(key), expected.get(&key).cloned());
                        possible.insert(key, vec![expected.get(&key).cloned()]);
                    }
                }
                Step::Crash => {
                    // The writers of the archive that is dropped are dropped with it.
                    archive = store.archive(config.clone());
                    for key in 0..6 {
                        let durable = store.durable(key);
                        let known = possible.entry(key).or_insert_with(|| vec![None]);
                        prop_assert!(known.contains(&durable), "{durable:?} of {known:?}");
                        *known = vec![durable.clone()];
                        match durable {
                            Some(value) => expected.insert(key, value),
                            None => expected.remove(&key),
                        };
                    }
                }
            }
        }
    }
}
