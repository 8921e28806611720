//! No single-threaded mode, so no web (godot_voxel 745): here there is one, and it never blocks.

mod common;

use std::{
    future::poll_fn,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    task::{Poll, Waker},
    time::Duration,
};

use chunk_scheduler::{Generator, Job, Runtime, Scheduler, SchedulerConfig};
use common::{FRAME, Near, plain};

fn scheduler(budget: Duration, generator: Generator<i32, i32>) -> Scheduler<i32, i32, Near> {
    let runtime = Runtime::Inline { budget };
    common::scheduler(SchedulerConfig::default(), generator, runtime, Near(0))
}

#[test]
fn without_a_budget_a_tick_still_takes_one_step() {
    let mut scheduler = scheduler(Duration::ZERO, plain());
    for key in 0..10 {
        scheduler.request(key);
    }
    let mut ticks = 0;
    while scheduler.counters().generated < 10 {
        ticks += 1;
        scheduler.tick(FRAME * ticks);
        assert!(scheduler.counters().generated <= u64::from(ticks));
        assert!(ticks < 100, "each tick makes progress");
    }
}

#[test]
fn a_tick_with_time_of_the_callers_steps_as_often_as_it_agrees() {
    let mut scheduler = scheduler(Duration::ZERO, plain());
    assert_eq!(scheduler.inline_budget(), Some(Duration::ZERO));
    scheduler.request(1);
    scheduler.tick_while(FRAME, || false);
    assert_eq!(scheduler.depths().in_flight, 0);
    let mut steps = 0;
    let mut asked = 0;
    while scheduler.counters().generated < 1 {
        scheduler.tick_while(FRAME * 2, || {
            asked += 1;
            std::mem::replace(&mut steps, 1) == 0
        });
        steps = 0;
        assert!(asked < 10, "each tick takes a step");
    }
    scheduler.tick_while(FRAME * 3, || true);
    let before = asked;
    scheduler.tick_while(FRAME * 4, || panic!("there is nothing to do"));
    assert_eq!(asked, before);
}

#[test]
fn a_generator_that_waits_delays_neither_the_tick_nor_other_jobs() {
    let is_open = Arc::new(AtomicBool::new(false));
    let waker: Arc<Mutex<Option<Waker>>> = Arc::default();
    let (open, stored) = (Arc::clone(&is_open), Arc::clone(&waker));
    let generator = Generator::from_async(move |job: Job<i32>| {
        let (is_open, waker) = (Arc::clone(&is_open), Arc::clone(&waker));
        async move {
            if job.key() == 0 {
                poll_fn(|cx| {
                    if is_open.load(Ordering::Relaxed) {
                        return Poll::Ready(());
                    }
                    *waker.lock().expect("no thread panics") = Some(cx.waker().clone());
                    Poll::Pending
                })
                .await;
            }
            Ok::<_, &str>(job.key())
        }
    });
    let mut scheduler = scheduler(Duration::MAX, generator);
    for key in 0..5 {
        scheduler.request(key);
    }
    scheduler.tick(FRAME);
    let mut order = Vec::new();
    scheduler.drain(usize::MAX, |result| order.push(result.key));
    assert_eq!(order, [1, 2, 3, 4]);
    assert_eq!(scheduler.depths().in_flight, 1);

    open.store(true, Ordering::Relaxed);
    scheduler.tick(FRAME * 2);
    assert_eq!(scheduler.depths().in_flight, 1, "it was not woken");
    let waker = stored.lock().expect("no thread panics").take();
    waker.expect("it waits").wake();
    scheduler.tick(FRAME * 3);
    scheduler.drain(usize::MAX, |result| order.push(result.key));
    assert_eq!(order, [1, 2, 3, 4, 0]);
}

#[test]
fn cancelling_reaches_a_generator_that_waits_for_ever() {
    let generator = Generator::from_async(|job: Job<i32>| async move {
        if job.key() == 0 {
            std::future::pending::<()>().await;
        }
        Ok::<_, &str>(job.key())
    });
    let mut scheduler = scheduler(Duration::MAX, generator);
    scheduler.request(0);
    scheduler.tick(FRAME);
    assert_eq!(scheduler.depths().in_flight, 1);
    assert!(scheduler.cancel(0));
    scheduler.tick(FRAME * 2);
    assert_eq!(scheduler.cancel_latencies().count, 1);
    scheduler.request(0);
    scheduler.tick(FRAME * 3);
    scheduler.shutdown();
    assert_eq!(scheduler.audit(), Ok(()));
    assert_eq!(scheduler.counters().cancelled, 2);
}
