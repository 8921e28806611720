//! A hang at shutdown (Pumpkin 1958, godot_voxel 403): here shutting down waits for no thread.

mod common;

use std::sync::{
    Arc, Mutex,
    mpsc::{Receiver, Sender, channel},
};

use chunk_scheduler::{Generator, Job, Runtime, SchedulerConfig};
use common::{FRAME, Near, World, double, pool, scheduler};

/// A generator that reports its start, then blocks its thread until the sender is dropped.
fn blocking() -> (Generator<i32, i32>, Receiver<i32>, Sender<()>) {
    let (began, begins) = channel();
    let (unblock, wait) = channel::<()>();
    let wait = Mutex::new(wait);
    let generator = Generator::new(move |job: &Job<i32>| {
        let _ = began.send(job.key());
        // An error means that the sender was dropped.
        let _ = wait.lock().map(|wait| wait.recv());
        job.key()
    });
    (generator, begins, unblock)
}

#[test]
fn shutting_down_does_not_wait_for_a_generator_that_blocks() {
    let (generator, begins, unblock) = blocking();
    let pool = pool(1);
    let runtime = Runtime::pool(Arc::clone(&pool));
    let mut scheduler = scheduler(SchedulerConfig::default(), generator, runtime, Near(0));
    for key in 0..100 {
        scheduler.request(key);
    }
    scheduler.tick(FRAME);
    assert_eq!(begins.recv(), Ok(0));
    // The generator is unblocked afterwards, so if this waited for it, the test would never end.
    scheduler.shutdown();
    scheduler.shutdown();
    assert!(scheduler.is_shut_down());
    assert_eq!(scheduler.counters().cancelled, 100);
    assert_eq!(scheduler.depths().live(), 0);
    assert_eq!(scheduler.audit(), Ok(()));
    drop(unblock);
    drop(scheduler);
    drop(pool);
    assert_eq!(begins.iter().count(), 0, "no other job started");
}

#[test]
fn dropping_the_last_handle_of_a_pool_does_not_join_its_threads() {
    let (generator, begins, unblock) = blocking();
    let runtime = Runtime::pool(pool(2));
    let mut scheduler = scheduler(SchedulerConfig::default(), generator, runtime, Near(0));
    scheduler.request(1);
    scheduler.tick(FRAME);
    assert_eq!(begins.recv(), Ok(1));
    drop(scheduler);
    drop(unblock);
    let more = begins.recv();
    assert!(more.is_err(), "another thread dropped pool and generator");
}

#[test]
fn shutting_down_in_every_state_ends_every_request() {
    for steps in 0..60 {
        let mut world = World::seeded(steps as u64, SchedulerConfig::default(), |_| {
            Generator::fallible(|job: &Job<i32>| match job.key() % 5 {
                0 => Err("refused"),
                1 => panic!("panicked"),
                _ => Ok(job.key()),
            })
            .with_known_empty(|key| (*key == 9).then_some(0))
        });
        world.request(0..10);
        world.tick();
        world.steps(steps);
        if steps % 2 == 0 {
            world.tick();
            world.scheduler.drain(3, drop);
        }
        world.scheduler.shutdown();
        world.check();
        assert_eq!(world.scheduler.depths().live(), 0);
        world.simulation.run();
        world.check();
        assert!(world.drain().is_empty());
        assert!(!world.simulation.step(), "every worker has exited");
    }
}

#[test]
fn a_request_after_shutdown_ends_at_once() {
    let mut world = World::new(SchedulerConfig::default(), double);
    world.scheduler.shutdown();
    assert!(world.scheduler.request(1).is_new());
    world.scheduler.refresh(1);
    world.frame();
    assert!(world.drain().is_empty());
    let counters = world.scheduler.counters();
    assert_eq!((counters.requested, counters.cancelled), (2, 2));
}

#[test]
fn a_generator_can_see_the_shutdown() {
    let (seen, sees) = channel();
    let (began, begins) = channel();
    let generator = Generator::new(move |job: &Job<i32>| {
        let _ = began.send(());
        while !job.is_cancelled() {
            std::thread::yield_now();
        }
        let _ = seen.send(job.key());
    });
    let runtime = Runtime::pool(pool(1));
    let mut scheduler = scheduler(SchedulerConfig::default(), generator, runtime, Near(0));
    scheduler.request(4);
    scheduler.tick(FRAME);
    assert_eq!(begins.recv(), Ok(()));
    drop(scheduler);
    assert_eq!(sees.recv(), Ok(4));
}
