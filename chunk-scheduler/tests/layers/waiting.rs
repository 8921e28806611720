//! Threads that want a value which another one is making.

use crate::common::{Near, finish, in_flight, pool, scheduler};
use chunk_scheduler::{GenerateError, Generator, Job, Layers, Runtime};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::channel,
    },
    thread::yield_now,
    time::Duration,
};

#[test]
fn who_waits_takes_over_when_the_maker_is_cancelled_and_its_half_value_is_seen_by_nobody() {
    let layers = Layers::new();
    let (go, gone) = channel();
    let (gone, calls) = (Mutex::new(gone), AtomicUsize::new(0));
    let layer = layers.add(
        "slow",
        9,
        |_: &&str| 1,
        move |job, _: i32| {
            if calls.fetch_add(1, Ordering::Relaxed) > 0 {
                return Ok("whole");
            }
            gone.lock()
                .expect("nothing panicked")
                .recv()
                .expect("it is told");
            Ok(if job.is_cancelled() { "half" } else { "whole" })
        },
    );
    let reader = layer.clone();
    let generator = Generator::fallible(move |job: &Job<i32>| reader.read(job, 0));
    let runtime = Runtime::pool(pool(2));
    let mut scheduler = scheduler(in_flight(2), generator, runtime, Near(0));
    scheduler.request(1);
    scheduler.tick(Duration::ZERO);
    while scheduler.depths().in_flight < 1 || scheduler.depths().queued > 0 {
        yield_now();
    }
    scheduler.request(2);
    while layer.report().waits == 0 {
        scheduler.tick(Duration::ZERO);
        yield_now();
    }
    // Either may be the one that waits.
    scheduler.cancel(1);
    go.send(()).expect("somebody waits");
    let mut made = Vec::new();
    while scheduler.depths().live() > 0 {
        scheduler.tick(Duration::ZERO);
        let mut ready = Vec::new();
        scheduler.drain(9, |result| ready.push(result));
        for result in ready {
            made.push((result.key, *result.content));
            assert!(scheduler.applied(result.key, result.version));
        }
    }
    assert_eq!(made, [(2, "whole")]);
    assert_eq!(layer.report().values, 1);
}

#[test]
fn who_waits_for_a_value_that_fails_fails_with_it_and_makes_it_not_again() {
    let layers = Layers::new();
    let (go, gone) = channel::<()>();
    let (gone, calls) = (Mutex::new(gone), Arc::new(AtomicUsize::new(0)));
    let counter = Arc::clone(&calls);
    let layer = layers.add(
        "dear",
        9,
        |_: &i32| 1,
        move |_, _: i32| {
            counter.fetch_add(1, Ordering::Relaxed);
            gone.lock().expect("nothing panicked").recv()?;
            Err(GenerateError::permanent("broken"))
        },
    );
    let reader = layer.clone();
    let generator = Generator::fallible(move |job: &Job<i32>| reader.read(job, 0));
    let runtime = Runtime::pool(pool(2));
    let mut scheduler = scheduler(in_flight(2), generator, runtime, Near(0));
    scheduler.request(1);
    scheduler.request(2);
    while layer.report().waits == 0 {
        scheduler.tick(Duration::ZERO);
        yield_now();
    }
    go.send(()).expect("somebody waits");
    let mut failures = Vec::new();
    while failures.len() < 2 {
        scheduler.tick(Duration::ZERO);
        failures.extend(scheduler.failures());
    }
    for failure in failures {
        assert_eq!(failure.message, "layer dear at 0: broken");
    }
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[test]
fn one_of_many_threads_makes_each_value_while_the_others_wait() {
    let layers = Layers::new();
    let made = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&made);
    let lower = layers.add(
        "lower",
        1 << 20,
        |_: &i32| 1,
        move |_, key: i32| {
            counter.fetch_add(1, Ordering::Relaxed);
            (0..50).for_each(|_| yield_now());
            Ok(key)
        },
    );
    let upper = layers.add(
        "upper",
        1 << 20,
        |_: &i32| 1,
        move |job, key: i32| {
            (key..key + 3).try_fold(0, |sum, key| {
                Ok::<_, GenerateError>(sum + *lower.read(job, key)?)
            })
        },
    );
    let generator = Generator::fallible(move |job: &Job<i32>| {
        let mut sum = 0;
        for key in 0..20 {
            sum += *upper.read(job, key)?;
        }
        Ok::<_, GenerateError>(sum)
    });
    let mut scheduler = scheduler(in_flight(8), generator, Runtime::pool(pool(8)), Near(0));
    for key in 0..64 {
        scheduler.request(key);
    }
    finish(&mut scheduler);
    assert_eq!(scheduler.counters().applied, 64);
    assert_eq!(made.load(Ordering::Relaxed), 22);
    let reports = layers.report();
    assert_eq!((reports[0].made, reports[1].made), (22, 20));
    assert_eq!(
        reports[1].hits + reports[1].waits + reports[1].made,
        64 * 20
    );
}

#[test]
fn an_edit_reaches_a_value_that_is_being_made_from_it_and_who_waits_for_that() {
    let layers = Layers::new();
    let edit = Arc::new(AtomicUsize::new(0));
    let (go, gone) = channel();
    let (gone, current) = (Mutex::new(gone), Arc::clone(&edit));
    let lower = layers.add(
        "lower",
        9,
        |_: &usize| 1,
        move |_, _: i32| Ok(current.load(Ordering::Relaxed)),
    );
    let below = lower.clone();
    let upper = layers.add(
        "upper",
        9,
        |_: &usize| 1,
        move |job, key: i32| {
            let value = *below.read(job, key)?;
            let gone = gone.lock().expect("nothing panicked");
            gone.recv().expect("it is told");
            Ok(value)
        },
    );
    let top = layers.add("top", 9, |_: &usize| 1, {
        let upper = upper.clone();
        move |job, key: i32| Ok(*upper.read(job, key)?)
    });
    // The first reads the layer on top, and the other one that in the middle.
    let (reader, middle) = (top.clone(), upper.clone());
    let generator = Generator::fallible(move |job: &Job<i32>| match job.key() {
        1 => reader.read(job, 0),
        _ => middle.read(job, 0),
    });
    let runtime = Runtime::pool(pool(2));
    let mut scheduler = scheduler(in_flight(2), generator, runtime, Near(0));
    scheduler.request(1);
    scheduler.request(2);
    while upper.report().waits == 0 {
        scheduler.tick(Duration::ZERO);
        yield_now();
    }
    edit.store(1, Ordering::Relaxed);
    let invalidated = lower.invalidate(0);
    assert_eq!(scheduler.made_from(&invalidated), [1, 2]);
    go.send(()).expect("somebody waits");
    while scheduler.depths().completed < 2 {
        yield_now();
    }
    // Those who waited have it, and nobody else.
    assert_eq!((upper.report().made, upper.report().values), (1, 0));
    assert_eq!((top.report().made, top.report().values), (1, 0));
    assert_eq!(scheduler.made_from(&invalidated), [1, 2]);
    go.send(()).expect("the layer is there");
    for key in [1, 2] {
        scheduler.refresh(key);
    }
    let mut last = [9; 3];
    while scheduler.depths().live() > 0 {
        scheduler.tick(Duration::ZERO);
        let mut ready = Vec::new();
        scheduler.drain(9, |result| ready.push(result));
        for result in ready {
            if scheduler.applied(result.key, result.version) {
                last[result.key as usize] = *result.content;
            }
        }
    }
    assert_eq!(last, [9, 1, 1]);
}
