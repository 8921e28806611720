//! What the process prints when a generator panics. Alone in its process, because it has one panic hook.

mod common;

use std::{
    panic,
    sync::atomic::{AtomicUsize, Ordering},
};

use chunk_scheduler::{Generator, Job};
use common::{Log, World, attempts};

static PRINTED: AtomicUsize = AtomicUsize::new(0);

/// A key that panics on each of three attempts.
fn fail() {
    let mut world = World::new(attempts(3), |_| {
        Generator::new(|job: &Job<i32>| -> i32 { panic!("unlucky {}", job.key()) })
    });
    world.request([7]);
    world.settle();
    assert_eq!(world.scheduler.counters().panics, 3);
}

#[test]
fn a_panicking_generator_takes_one_line_and_the_first_panic_is_whole_at_debug() {
    panic::set_hook(Box::new(|panic| {
        PRINTED.fetch_add(1, Ordering::Relaxed);
        eprintln!("{panic}");
    }));
    let log = Log::default();
    log.record_from(tracing::Level::DEBUG, || {
        fail();
        fail();
    });
    assert_eq!(PRINTED.load(Ordering::Relaxed), 0);
    let lines = log.lines();
    let of = |text: &str| lines.iter().filter(|line| line.contains(text)).count();
    assert_eq!(of("WARN"), 2, "{lines:?}");
    // With the place of the panic.
    assert_eq!(
        of("given up: unlucky 7 (chunk-scheduler/tests/quiet_panics.rs:"),
        2
    );
    assert_eq!(of("panicked at"), 1);
    assert!(of("panicking") > 0, "the backtrace: {lines:?}");

    // Nobody would see the line.
    fail();
    assert_eq!(PRINTED.load(Ordering::Relaxed), 3);

    // A panic of other code is printed.
    let log = Log::default();
    log.record(|| _ = panic::catch_unwind(|| panic!("another")));
    assert_eq!(PRINTED.load(Ordering::Relaxed), 4);
}
