//! Threads that read the same value of a layer.

use crate::harness::{Model, check, config};
use chunk_scheduler::{GenerateError, Generator, Job, Layer, Layers};
use loom::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// A layer whose only value is that of the counter, which an edit changes, and how often it was made.
fn layer(edits: &Arc<AtomicUsize>, made: &Arc<AtomicUsize>) -> Layer<(), u8> {
    let (edits, made) = (Arc::clone(edits), Arc::clone(made));
    Layers::new().add(
        "values",
        9,
        |_: &u8| 1,
        move |job, ()| {
            made.fetch_add(1, Ordering::Relaxed);
            if job.is_cancelled() {
                return Err("nobody wants it".into());
            }
            Ok(edits.load(Ordering::Relaxed) as u8)
        },
    )
}

/// Makes ten times the key, and the value.
fn generator(layer: &Layer<(), u8>) -> Generator<u8, u8> {
    let layer = layer.clone();
    Generator::fallible(move |job: &Job<u8>| {
        Ok::<_, GenerateError>(job.key() * 10 + *layer.read(job, ())?)
    })
}

fn counters() -> (Arc<AtomicUsize>, Arc<AtomicUsize>) {
    (Arc::default(), Arc::default())
}

#[test]
fn two_threads_that_want_one_value_make_it_once() {
    check(1, || {
        let (edits, made) = counters();
        let layer = layer(&edits, &made);
        let mut model = Model::new(config(2), generator(&layer));
        model.scheduler.request(1);
        model.scheduler.request(2);
        model.tick();
        let mut arrived = model.settle();
        arrived.sort_unstable();
        assert_eq!(arrived, [10, 20]);
        assert_eq!(made.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn a_job_that_is_cancelled_while_it_makes_a_value_or_waits_for_it_takes_it_from_nobody() {
    check(2, || {
        let (edits, made) = counters();
        let layer = layer(&edits, &made);
        let mut model = Model::new(config(2), generator(&layer));
        model.scheduler.request(1);
        model.scheduler.request(2);
        model.tick();
        assert!(model.scheduler.cancel(1));
        assert_eq!(model.settle(), [20]);
        // The second one is needed where the cancelled job began the first.
        assert!((1..=2).contains(&made.load(Ordering::Relaxed)));
        assert_eq!(layer.report().values, 1);
    });
}

#[test]
fn nothing_stays_that_was_made_while_an_edit_came() {
    check(2, || {
        let (edits, made) = counters();
        let layer = layer(&edits, &made);
        let mut model = Model::new(config(1), generator(&layer));
        model.scheduler.request(1);
        model.tick();
        edits.store(1, Ordering::Relaxed);
        for key in model.scheduler.made_from(&layer.invalidate(())) {
            model.scheduler.refresh(key);
        }
        model.tick();
        let arrived = model.settle();
        assert_eq!(arrived.last(), Some(&11), "{arrived:?}");
    });
}

#[test]
fn an_edit_knows_all_who_read_what_was_there_before_and_those_who_waited_for_it() {
    check(1, || {
        let (edits, made) = counters();
        let layer = layer(&edits, &made);
        let mut model = Model::new(config(2), generator(&layer));
        model.scheduler.request(1);
        model.scheduler.request(2);
        model.tick();
        edits.store(1, Ordering::Relaxed);
        let reached = model.scheduler.made_from(&layer.invalidate(()));
        for content in model.settle() {
            let (key, edit) = (content / 10, content % 10);
            assert!(
                edit == 1 || reached.contains(&key),
                "{key} is not in {reached:?}"
            );
        }
    });
}
