//! What goes wrong in a layer is an error of the job that reads it, with the names of the layer and the key.

use crate::common::{Near, attempts, inline, scheduler};
use chunk_scheduler::{Failure, GenerateError, Generator, Job, Layer, LayerJob, Layers, Verdict};
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Makes one chunk in at most two attempts.
fn make<T: Send + 'static>(
    generate: impl Fn(&Job<i32>) -> Result<T, GenerateError> + Send + Sync + 'static,
) -> (Option<T>, Vec<Failure<i32>>) {
    let generator = Generator::fallible(generate);
    let mut scheduler = scheduler(attempts(2), generator, inline(), Near(0));
    scheduler.request(7);
    let (mut made, mut failures) = (None, Vec::new());
    for _ in 0..4 {
        scheduler.tick(Duration::ZERO);
        failures.extend(scheduler.failures());
        scheduler.drain(1, |result| made = Some(result.content));
    }
    scheduler.audit().expect("the counters add up");
    (made, failures)
}

/// The message of a job that fails for good at once.
fn permanent(failures: &[Failure<i32>]) -> &str {
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert_eq!(failures[0].verdict, Verdict::GaveUp);
    assert_eq!((failures[0].key, failures[0].attempts), (7, 1));
    &failures[0].message
}

fn one_byte(_: &i32) -> usize {
    1
}

#[test]
fn an_error_names_each_layer_on_its_way_and_is_tried_again_as_that_of_a_generator() {
    let layers = Layers::new();
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let file = layers.add("file", 9, one_byte, move |_, key: i32| {
        match counter.fetch_add(1, Ordering::Relaxed) {
            0 => Err("disk is asleep".into()),
            _ => Ok(key),
        }
    });
    let heights = layers.add("heights", 9, one_byte, move |job, key: i32| {
        Ok(*file.read(job, key + 1)? * 10)
    });
    let (made, failures) = make(move |job| heights.read(job, job.key()));
    assert_eq!(made.as_deref(), Some(&80));
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].verdict, Verdict::Retry);
    let message = "layer heights at 7: layer file at 8: disk is asleep";
    assert_eq!(failures[0].message, message);
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[test]
fn a_permanent_error_stays_permanent_and_what_cannot_be_made_yet_is_no_failure() {
    let layers = Layers::new();
    let broken = layers.add("broken", 9, one_byte, |_, _: i32| {
        Err(GenerateError::permanent("damaged"))
    });
    let (_, failures) = make(move |job| broken.read(job, 1));
    assert_eq!(permanent(&failures), "layer broken at 1: damaged");

    let calls = AtomicUsize::new(0);
    let late = layers.add("late", 9, one_byte, move |_, key: i32| {
        match calls.fetch_add(1, Ordering::Relaxed) {
            0 => Err(GenerateError::NotYet(Duration::ZERO)),
            _ => Ok(key),
        }
    });
    let (made, failures) = make(move |job| late.read(job, 1));
    assert_eq!((made.as_deref(), failures), (Some(&1), Vec::new()));
}

#[test]
fn a_panic_is_an_error_with_its_place_and_the_layer_goes_on() {
    let layers = Layers::new();
    let calls = AtomicUsize::new(0);
    let fragile = layers.add("fragile", 9, one_byte, move |_, key: i32| {
        assert!(
            calls.fetch_add(1, Ordering::Relaxed) > 0,
            "nobody knows why"
        );
        Ok(key)
    });
    let (made, failures) = make(move |job| fragile.read(job, 3));
    assert_eq!(made.as_deref(), Some(&3));
    assert_eq!(failures.len(), 1);
    let message = &failures[0].message;
    assert!(
        message.starts_with("layer fragile at 3: nobody knows why ("),
        "{message}"
    );
    assert!(message.contains("errors.rs:"), "{message}");
}

#[test]
fn a_value_that_panics_when_it_is_measured_or_dropped_hurts_nothing_else() {
    struct Explosive(i32);
    impl Drop for Explosive {
        fn drop(&mut self) {
            assert!(self.0 != 1, "boom");
        }
    }
    let layers = Layers::new();
    let measure = |value: &Explosive| {
        assert!(value.0 != 2, "unmeasurable");
        1
    };
    let explosive = layers.add("explosive", 1, measure, |_, key: i32| Ok(Explosive(key)));
    let lengths = explosive.clone();
    // The first is dropped when the second takes its place.
    let (made, failures) = make(move |job| match job.attempt() {
        1 => Ok((explosive.read(job, 1)?.0, explosive.read(job, 2).is_err())),
        _ => Err("one attempt is enough".into()),
    });
    assert_eq!((made, failures.len()), (Some((1, true)), 0));
    let after = lengths.clone();
    let (made, _) = make(move |job| Ok(after.read(job, 3)?.0));
    assert_eq!(made, Some(3));
    assert_eq!(lengths.report().values, 1);
}

#[test]
fn a_layer_that_reads_itself_or_a_later_one_is_refused() {
    static LATER: OnceLock<Layer<i32, i32>> = OnceLock::new();
    let layers = Layers::new();
    let earlier = layers.add("earlier", 9, one_byte, |job: &LayerJob<'_>, key: i32| {
        let later = LATER.get().expect("it is made before it is read");
        Ok(*later.read(job, key)?)
    });
    let below = earlier.clone();
    let later = layers.add(
        "later",
        9,
        one_byte,
        move |job: &LayerJob<'_>, key: i32| match key {
            0 => Ok(*LATER
                .get()
                .expect("it is made before it is read")
                .read(job, 1)?),
            _ => Ok(*below.read(job, key)?),
        },
    );
    let later = LATER.get_or_init(|| later);
    let (_, failures) = make(move |job| later.read(job, 5));
    let message = "layer later at 5: layer earlier at 5: \
        layer earlier cannot read layer later, which was not made before it";
    assert_eq!(permanent(&failures), message);
    let (_, failures) = make(move |job| later.read(job, 0));
    let message =
        "layer later at 0: layer later cannot read layer later, which was not made before it";
    assert_eq!(permanent(&failures), message);
}

#[test]
fn a_job_may_read_layers_of_two_worlds_and_a_layer_may_not() {
    let (here, there) = (Layers::new(), Layers::new());
    let near = here.add("near", 9, one_byte, |_, key: i32| Ok(key));
    let far = there.add("far", 9, one_byte, |_, key: i32| Ok(key * 2));
    let foreign = far.clone();
    let mixed = here.add("mixed", 9, one_byte, move |job, key: i32| {
        Ok(*foreign.read(job, key)?)
    });
    let (made, _) = make(move |job| Ok(*near.read(job, 1)? + *far.read(job, 1)?));
    assert_eq!(made, Some(3));
    let (_, failures) = make(move |job| mixed.read(job, 4));
    let message = "layer mixed at 4: layer mixed cannot read layer far, which is of another world";
    assert_eq!(permanent(&failures), message);
}

#[test]
fn a_value_that_is_larger_than_the_layer_may_keep_is_refused() {
    let layers = Layers::new();
    let tight = layers.add(
        "tight",
        100,
        |value: &Vec<u8>| value.len(),
        |_, size: i32| Ok(vec![0; size.unsigned_abs() as usize]),
    );
    let (reader, report) = (tight.clone(), tight.clone());
    let (_, failures) = make(move |job| reader.read(job, 101));
    let message = "layer tight at 101: it takes 101 bytes, and 100 may be kept";
    assert_eq!(permanent(&failures), message);
    let (made, _) = make(move |job| Ok(tight.read(job, 100)?.len()));
    assert_eq!((made, report.report().bytes), (Some(100), 100));
}

#[test]
fn a_reader_that_asks_for_the_whole_world_is_refused_whether_it_is_a_job_or_a_layer() {
    let layers = Layers::new();
    // Even values that take nothing are bounded.
    let cells = layers.add("cells", 1_000, |_: &i32| 0, |_, key: i32| Ok(key));
    let sea = cells.clone();
    let everything = layers.add("everything", 9, one_byte, move |job, _: i32| {
        (0..).try_fold(0, |sum, key| Ok(sum + *sea.read(job, key)?))
    });
    let again = cells.clone();
    let (made, _) = make(move |job| {
        // The same few may be read as often as one likes, and all that fits.
        (0..100_000).try_fold(0_u64, |count, key| {
            again.read(job, key % 1_000).map(|_| count + 1)
        })
    });
    assert_eq!(made, Some(100_000));
    let report = cells.clone();
    let (_, failures) = make::<i32>(move |job| {
        (0..).try_fold(0_i32, |sum, key| {
            Ok(sum.wrapping_add(*cells.read(job, key)?))
        })
    });
    let message = "layer cells at 1000: a job reads 1001 bytes of it, and 1000 may be kept";
    assert_eq!(permanent(&failures), message);
    let (_, failures) = make(move |job| everything.read(job, 0));
    let message = "layer everything at 0: layer cells at 1000: \
        everything reads 1001 bytes of it, and 1000 may be kept";
    assert_eq!(permanent(&failures), message);
    assert!(report.report().bytes <= 1_000);
}

#[test]
fn a_maker_that_reads_what_its_own_thread_is_making_with_another_job_is_refused() {
    let layers = Layers::new();
    let (job_of_generator, own) = (Arc::new(OnceLock::new()), Arc::new(OnceLock::new()));
    let (smuggled, itself) = (Arc::clone(&job_of_generator), Arc::clone(&own));
    let layer = layers.add("loop", 9, one_byte, move |_, key: i32| {
        let (job, layer): (&Job<i32>, &Layer<i32, i32>) = (
            smuggled.get().expect("it runs"),
            itself.get().expect("it is made"),
        );
        Ok(*layer.read(job, key)? + 1)
    });
    assert!(own.set(layer.clone()).is_ok());
    let (_, failures) = make(move |job| {
        let _ = job_of_generator.set(job.clone());
        layer.read(job, 3)
    });
    let message = permanent(&failures);
    assert!(
        message.contains("layer loop at 3: it is being made on this thread"),
        "{message}"
    );
}
