//! What every store does.

use bevy_tasks::block_on;
use chunk_scheduler::store::Store;
use std::{
    collections::BTreeSet,
    sync::Barrier,
    task::{Context, Waker},
    thread,
};

/// Where a store of one test is.
pub(crate) trait Place {
    type Store: Store;

    /// With nothing in it. `test` is another one in each test of this type.
    fn new(test: &'static str) -> Self;

    fn open(&self) -> Self::Store;
}

/// Tests that a store does what every one does.
macro_rules! suite {
    ($place:ty) => {
        $crate::suite::suite!($place:
            what_was_never_saved_is_absent
            what_is_saved_is_loaded_and_replaces_what_was_there
            a_removed_value_is_absent
            names_are_listed_by_prefix_and_in_order
            empty_and_large_values_are_kept
            a_batch_of_a_thousand_is_kept
            every_allowed_name_has_its_own_value
            who_creates_second_gets_what_the_first_created
            of_threads_that_create_at_once_one_does_and_all_get_its_value
            all_of_it_is_there_when_it_is_opened_again
            after_a_dropped_future_there_are_the_former_bytes_or_the_new_ones
        );
    };
    ($place:ty: $($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                $crate::suite::$name(&<$place as $crate::suite::Place>::new(stringify!($name)));
            }
        )*
    };
}
pub(crate) use suite;

fn load(store: &impl Store, name: &str) -> Option<Vec<u8>> {
    block_on(store.load(name)).unwrap()
}

fn save<B: AsRef<[u8]>>(store: &impl Store, values: &[(&str, B)]) {
    let values = values.iter();
    let values = values.map(|(name, bytes)| (String::from(*name), bytes.as_ref().to_vec()));
    block_on(store.save(&values.collect::<Vec<_>>())).unwrap();
}

fn list(store: &impl Store, prefix: &str) -> Vec<String> {
    block_on(store.list(prefix)).unwrap()
}

pub(crate) fn what_was_never_saved_is_absent(place: &impl Place) {
    let store = place.open();
    assert_eq!(load(&store, "a"), None);
    assert_eq!(list(&store, ""), [""; 0]);
    block_on(store.remove("a")).unwrap();
    save(&store, &[("a/b", "other")]);
    assert_eq!(load(&store, "a"), None);
    assert_eq!(load(&store, "a/b/c"), None);
}

pub(crate) fn what_is_saved_is_loaded_and_replaces_what_was_there(place: &impl Place) {
    let store = place.open();
    save(&store, &[("a", "one"), ("b", "two")]);
    save(&store, &[("a", "three")]);
    assert_eq!(load(&store, "a").unwrap(), b"three");
    assert_eq!(load(&store, "b").unwrap(), b"two");
    save::<&str>(&store, &[]);
}

pub(crate) fn a_removed_value_is_absent(place: &impl Place) {
    let store = place.open();
    save(&store, &[("a/b", "one"), ("a/c", "two")]);
    block_on(store.remove("a/b")).unwrap();
    block_on(store.remove("a/b")).unwrap();
    assert_eq!(load(&store, "a/b"), None);
    assert_eq!(list(&store, ""), ["a/c"]);
    assert_eq!(block_on(store.create("a/b", b"three")).unwrap(), None);
    assert_eq!(load(&store, "a/b").unwrap(), b"three");
}

pub(crate) fn names_are_listed_by_prefix_and_in_order(place: &impl Place) {
    let store = place.open();
    let names = ["b/2", "a", "b/10", "b/1/x", "b.", "c/1", "bb"];
    save(&store, &names.map(|name| (name, name)));
    let sorted = ["a", "b.", "b/1/x", "b/10", "b/2", "bb", "c/1"];
    assert_eq!(list(&store, ""), sorted);
    assert_eq!(list(&store, "b"), sorted[1..6]);
    assert_eq!(list(&store, "b/"), sorted[2..5]);
    assert_eq!(list(&store, "b/1"), sorted[2..4]);
    assert_eq!(list(&store, "d/"), [""; 0]);
}

pub(crate) fn empty_and_large_values_are_kept(place: &impl Place) {
    let store = place.open();
    let large: Vec<u8> = (0..1_u32 << 20)
        .map(|i| (i.wrapping_mul(i) >> 7) as u8)
        .collect();
    save(&store, &[("empty", &*Vec::new()), ("large", &*large)]);
    assert_eq!(load(&store, "empty").unwrap(), b"");
    assert!(load(&store, "large").unwrap() == large);
    assert_eq!(block_on(store.create("empty", b"x")).unwrap().unwrap(), b"");
}

pub(crate) fn a_batch_of_a_thousand_is_kept(place: &impl Place) {
    let store = place.open();
    let name = |i: u32| format!("chunks/{i},0,-{i}");
    let batch = (0..1000).map(|i| (name(i), i.to_be_bytes().to_vec()));
    block_on(store.save(&batch.collect::<Vec<_>>())).unwrap();
    for i in 0..1000 {
        assert_eq!(load(&store, &name(i)).unwrap(), i.to_be_bytes());
    }
    assert_eq!(list(&store, "chunks/").len(), 1000);
}

pub(crate) fn every_allowed_name_has_its_own_value(place: &impl Place) {
    let store = place.open();
    let letters: String = ('A'..='Z').chain('a'..='z').chain('0'..='9').collect();
    let long = "x".repeat(100);
    let names = [
        // A value can have the name of a folder.
        "a",
        "a/b",
        "a/b/c",
        ".",
        "..",
        "a/.",
        "a/..",
        "../a",
        "a/../b",
        "a/./b",
        "a.",
        "-",
        "--help",
        ",",
        "_",
        "0,-1,2.5",
        "aux",
        "values",
        "chunk-scheduler-store",
        &*letters,
        &*long,
    ];
    save(&store, &names.map(|name| (name, name)));
    for name in names {
        assert_eq!(load(&store, name).unwrap(), name.as_bytes());
    }
    let sorted: BTreeSet<&str> = names.into();
    assert_eq!(list(&store, ""), sorted.into_iter().collect::<Vec<_>>());
    block_on(store.remove("a")).unwrap();
    assert_eq!(load(&store, "a/b").unwrap(), b"a/b");
}

pub(crate) fn who_creates_second_gets_what_the_first_created(place: &impl Place) {
    let (store, other) = (place.open(), "a longer one than the first");
    assert_eq!(block_on(store.create("a/b", b"first")).unwrap(), None);
    let there = block_on(store.create("a/b", other.as_bytes())).unwrap();
    assert_eq!(there.unwrap(), b"first");
    assert_eq!(load(&store, "a/b").unwrap(), b"first");
    save(&store, &[("a/c", "saved")]);
    let there = block_on(store.create("a/c", b"created")).unwrap();
    assert_eq!(there.unwrap(), b"saved");
}

pub(crate) fn of_threads_that_create_at_once_one_does_and_all_get_its_value(place: &impl Place) {
    const THREADS: usize = 8;
    let (store, barrier) = (&place.open(), &Barrier::new(THREADS));
    for round in 0..5 {
        let name = &*format!("round/{round}");
        let results: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| {
                    scope.spawn(move || {
                        let own = format!("of thread {thread}").into_bytes();
                        barrier.wait();
                        let there = block_on(store.create(name, &own)).unwrap();
                        (there.is_none(), there.unwrap_or(own))
                    })
                })
                .collect();
            let results = threads.into_iter().map(|thread| thread.join().unwrap());
            results.collect()
        });
        let created: Vec<_> = results.iter().filter(|(created, _)| *created).collect();
        assert_eq!(created.len(), 1, "{results:?}");
        let value = load(store, name).unwrap();
        assert!(results.iter().all(|(_, it)| *it == value), "{results:?}");
    }
}

pub(crate) fn all_of_it_is_there_when_it_is_opened_again(place: &impl Place) {
    let store = place.open();
    save(&store, &[("a", "one"), ("b/c", "two"), ("d", "three")]);
    block_on(store.remove("d")).unwrap();
    drop(store);
    for _ in 0..2 {
        let store = place.open();
        assert_eq!(list(&store, ""), ["a", "b/c"]);
        assert_eq!(load(&store, "b/c").unwrap(), b"two");
        let there = block_on(store.create("a", b"other")).unwrap();
        assert_eq!(there.unwrap(), b"one");
    }
}

pub(crate) fn after_a_dropped_future_there_are_the_former_bytes_or_the_new_ones(
    place: &impl Place,
) {
    let mut store = place.open();
    let new = vec![7_u8; 100_000];
    for round in 0..20 {
        let names = [format!("{round}/a"), format!("{round}/b")];
        save(&store, &[(&*names[0], "former"), (&*names[1], "former")]);
        let batch = names.clone().map(|name| (name, new.clone()));
        let mut future = store.save(&batch);
        // At most so often as it waits for something.
        for _ in 0..=round % 5 {
            let mut context = Context::from_waker(Waker::noop());
            if future.as_mut().poll(&mut context).is_ready() {
                break;
            }
            thread::yield_now();
        }
        drop(future);
        if round % 2 == 1 {
            drop(store);
            store = place.open();
        }
        for name in &names {
            let bytes = load(&store, name).unwrap();
            assert!(bytes == b"former" || bytes == new, "{}", bytes.len());
        }
    }
}
