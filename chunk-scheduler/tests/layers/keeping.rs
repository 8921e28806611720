//! Which values stay.

use crate::common::{Near, World, apply, in_flight, inline, one_at_a_time, scheduler};
use chunk_scheduler::{Generator, Job, Layer, Layers, Scheduler};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// A layer of `max` values, and a scheduler whose chunks are its values.
fn rig(max: usize) -> (Layer<i32, i32>, Scheduler<i32, Arc<i32>, Near>) {
    let layers = Layers::new();
    let layer = layers.add("values", max, |_: &i32| 1, |_, key: i32| Ok(key));
    let reader = layer.clone();
    let generator = Generator::fallible(move |job: &Job<i32>| reader.read(job, job.key()));
    let scheduler = scheduler(one_at_a_time(), generator, inline(), Near(0));
    (layer, scheduler)
}

/// Makes these chunks, one after the other, and returns what they contain.
fn make(scheduler: &mut Scheduler<i32, Arc<i32>, Near>, keys: &[i32]) -> Vec<Arc<i32>> {
    let make = |key: &i32| {
        scheduler.request(*key);
        scheduler.tick(Duration::ZERO);
        let mut made = None;
        scheduler.drain(1, |result| made = Some(result));
        let made = made.expect("it is made within a tick");
        assert!(scheduler.applied(made.key, made.version));
        made.content
    };
    keys.iter().map(make).collect()
}

#[test]
fn the_least_recently_used_go_first() {
    let (layer, mut scheduler) = rig(8);
    let first: Vec<i32> = (0..8).collect();
    make(&mut scheduler, &first);
    make(&mut scheduler, &[0, 8]);
    assert_eq!((layer.report().values, layer.report().bytes), (8, 8));
    // 1 had to go.
    make(&mut scheduler, &[0, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!((layer.report().made, layer.report().repeats), (9, 0));
    make(&mut scheduler, &[1]);
    let report = layer.report();
    assert_eq!((report.made, report.repeats, report.hits), (10, 1, 9));
}

#[test]
fn what_somebody_holds_is_found_again_and_not_made_twice() {
    let (layer, mut scheduler) = rig(1);
    let held = make(&mut scheduler, &[1, 2]);
    assert_eq!((layer.report().values, layer.report().made), (1, 2));
    let found = make(&mut scheduler, &[1, 2, 1]);
    assert_eq!((layer.report().made, layer.report().hits), (2, 3));
    assert!(Arc::ptr_eq(&held[0], &found[0]) && Arc::ptr_eq(&held[1], &found[1]));
    drop((held, found));
    make(&mut scheduler, &[2]);
    assert_eq!((layer.report().made, layer.report().repeats), (3, 1));
}

#[test]
fn an_invalidated_value_is_not_found_again_though_somebody_holds_it() {
    let (layer, mut scheduler) = rig(1);
    let held = make(&mut scheduler, &[1, 2]);
    let _ = layer.invalidate_all([1, 2]);
    assert_eq!((layer.report().values, layer.report().bytes), (0, 0));
    let anew = make(&mut scheduler, &[1, 2]);
    assert!(!Arc::ptr_eq(&held[0], &anew[0]) && !Arc::ptr_eq(&held[1], &anew[1]));
    // That is no repeat.
    assert_eq!((layer.report().made, layer.report().repeats), (4, 0));
}

#[test]
fn a_layer_is_kept_by_who_reads_it_and_reported_as_long() {
    let layers = Layers::new();
    let lower = layers.add("lower", 9, |_: &i32| 1, |_, key: i32| Ok(key));
    let upper = layers.add(
        "upper",
        9,
        |_: &i32| 1,
        move |job, key: i32| Ok(*lower.read(job, key)?),
    );
    let names = |layers: &Layers| -> Vec<String> {
        layers
            .report()
            .into_iter()
            .map(|layer| layer.name)
            .collect()
    };
    assert_eq!(names(&layers), ["lower", "upper"]);
    drop(upper);
    assert_eq!(names(&layers), [""; 0]);
}

#[test]
fn a_result_that_is_no_longer_wanted_leaves_nothing_of_what_it_was_made_from() {
    let layers = Layers::new();
    let layer = layers.add("values", 99, |_: &i32| 1, |_, key: i32| Ok(key));
    let reader = layer.clone();
    let reads = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&reads);
    let mut world = World::new(in_flight(2), |_| {
        Generator::fallible(move |job: &Job<i32>| {
            counter.fetch_add(1, Ordering::Relaxed);
            let value = reader.read(job, 0)?;
            if job.key() == 3 {
                return Err("it fails after it has read".into());
            }
            Ok::<_, chunk_scheduler::GenerateError>(*value)
        })
    });
    world.request([1, 2, 3]);
    world.frames(2);
    assert!(reads.load(Ordering::Relaxed) >= 3);
    assert_eq!(world.scheduler.made_from(&layer.invalidate(0)), [1, 2]);
    world.cancel([1]);
    let delivered = world.drain();
    assert_eq!(delivered.len(), 1);
    let version = delivered[0].version;
    assert!(world.scheduler.sources(version).is_some());
    assert!(world.scheduler.apply_failed(2, version, "no room"));
    assert_eq!(world.scheduler.made_from(&layer.invalidate(0)), [0; 0]);
    world.cancel([2, 3]);
    assert_eq!(apply(&mut world.scheduler), [0; 0]);
}
