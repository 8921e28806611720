//! What a generator can say beside an error: that a key can never be made, or not yet.

mod common;

use std::{
    collections::BTreeMap,
    fmt, io,
    sync::{Arc, Mutex},
    time::Duration,
};

use chunk_scheduler::{
    GenerateError, Generator, Job, JobState, RetryPolicy, SchedulerConfig, Status, Verdict,
    WaitsFor,
};
use common::{FRAME, World, attempts, one_at_a_time};

/// How often each key was asked for.
#[derive(Clone, Default)]
struct Asks(Arc<Mutex<BTreeMap<i32, u32>>>);

impl Asks {
    /// Counts one more. Returns how many there were, this one included.
    fn count(&self, key: i32) -> u32 {
        let mut asks = self.0.lock().expect("no thread panicked");
        let asks = asks.entry(key).or_insert(0);
        *asks += 1;
        *asks
    }

    fn of(&self, key: i32) -> u32 {
        let asks = self.0.lock().expect("no thread panicked");
        asks.get(&key).copied().unwrap_or_default()
    }
}

/// Makes odd keys. Each even one is not yet there, for ever.
fn odd_keys(asks: &Asks, wait: Duration) -> Generator<i32, i32> {
    let asks = asks.clone();
    Generator::fallible(move |job: &Job<i32>| {
        asks.count(job.key());
        match job.key() % 2 {
            0 => Err(GenerateError::NotYet(wait)),
            _ => Ok(job.key()),
        }
    })
}

#[test]
fn a_permanent_failure_is_quarantined_at_once() {
    let mut world = World::new(attempts(5), |_| {
        Generator::fallible(|job: &Job<i32>| match job.key() {
            1 => Err(GenerateError::permanent("damaged")),
            key => Ok(key),
        })
    });
    world.request([1, 2]);
    assert_eq!(world.settle(), [2]);
    let told = &world.failures;
    assert_eq!(told.len(), 1);
    let found = (told[0].attempts, told[0].verdict, &*told[0].message);
    assert_eq!(found, (1, Verdict::GaveUp, "damaged"));
    let counters = world.scheduler.counters();
    assert_eq!((counters.failed, counters.retried), (1, 0));
    assert_eq!(world.quarantined(), [1]);
}

#[test]
fn what_cannot_be_made_yet_is_asked_for_again_when_it_said_and_is_no_failure() {
    let asks = Asks::default();
    let count = asks.clone();
    let config = SchedulerConfig {
        retry: RetryPolicy {
            max_attempts: 1,
            ..RetryPolicy::default()
        },
        ..one_at_a_time()
    };
    let mut world = World::new(config, |_| {
        Generator::fallible(move |job: &Job<i32>| match count.count(job.key()) {
            ..=10 => Err(GenerateError::NotYet(FRAME * 5)),
            _ => Ok(job.attempt()),
        })
    });
    world.request([1]);
    for ask in 1..=10 {
        world.frame();
        assert_eq!(asks.of(1), ask);
        assert_eq!(world.live(1).state, JobState::Retrying);
        world.tick();
        let live = world.live(1);
        let found = (live.waits_for, live.retry_in, live.attempt);
        assert_eq!(found, (Some(WaitsFor::NotYet), Some(FRAME * 5), 1));
        let text = world.scheduler.explain(1).to_string();
        assert!(text.contains("cannot be made yet"), "{text}");
        world.frames(5);
        assert_eq!(asks.of(1), ask);
    }
    world.frame();
    let ready = world.drain();
    assert_eq!(ready[0].content, 1, "it was the first attempt all along");
    world.applied(ready);
    assert!(world.failures.is_empty());
    let counters = world.scheduler.counters();
    let found = (counters.not_yet, counters.failures, counters.retried);
    assert_eq!(found, (10, 0, 0));
}

#[test]
fn neither_kind_costs_the_attempts_of_the_other() {
    let asks = Asks::default();
    let count = asks.clone();
    let mut world = World::new(attempts(3), |_| {
        Generator::from_async(move |job: Job<i32>| {
            let ask = count.count(job.key());
            async move {
                match ask % 2 {
                    1 => Err::<i32, _>(GenerateError::NotYet(Duration::ZERO)),
                    _ => Err(GenerateError::from("an error")),
                }
            }
        })
    });
    world.request([1]);
    world.settle();
    assert_eq!(asks.of(1), 6);
    let told: Vec<_> = world.failures.iter().map(|it| it.attempts).collect();
    assert_eq!(told, [1, 2, 3]);
    assert_eq!(world.scheduler.counters().not_yet, 3);
}

#[test]
fn ordinary_errors_are_transient_and_keep_their_causes() {
    #[derive(Debug)]
    struct WithCause;
    impl fmt::Display for WithCause {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(if f.alternate() {
                "outer: inner"
            } else {
                "outer"
            })
        }
    }
    fn fails() -> Result<i32, GenerateError> {
        Err(io::Error::other("the disk is full"))?;
        Ok(0)
    }
    let full = fails();
    let expected = GenerateError::Transient("the disk is full".to_owned());
    assert_eq!(full, Err(expected));
    let expected = GenerateError::Transient("outer: inner".to_owned());
    assert_eq!(GenerateError::from(WithCause), expected);
    let expected = GenerateError::Permanent("outer: inner".to_owned());
    assert_eq!(GenerateError::permanent(WithCause), expected);
}

/// However often it is asked for, it neither spins nor keeps the others from the only worker.
#[test]
fn what_can_never_be_made_yet_is_asked_for_at_most_once_a_tick() {
    let asks = Asks::default();
    let mut world = World::new(one_at_a_time(), |_| odd_keys(&asks, Duration::ZERO));
    world.request([2]);
    for frame in 1..=50 {
        world.frame();
        assert_eq!(asks.of(2), frame);
    }
    assert!(world.scheduler.cancel(2));
    world.frames(2);
    assert_eq!(asks.of(2), 50);
    assert_eq!(world.scheduler.depths().live(), 0);
}

/// Those that cannot be made yet rank first, and each takes as long as a frame to say so.
#[test]
fn what_cannot_be_made_yet_leaves_the_others_half_of_the_attempts() {
    let asks = Asks::default();
    let count = asks.clone();
    let mut world = World::new(one_at_a_time(), |simulation| {
        let simulation = simulation.clone();
        Generator::from_async(move |job: Job<i32>| {
            let key = job.key();
            count.count(key);
            let sleep = simulation.sleep(FRAME);
            async move {
                sleep.await;
                match key {
                    ..10 => Err(GenerateError::NotYet(Duration::ZERO)),
                    _ => Ok(key),
                }
            }
        })
    });
    world.request(0..40);
    let mut applied = Vec::new();
    // Ten first asks, then 30 of the others with as many of the first ones between them.
    for _ in 0..10 + 2 * 30 + 5 {
        world.frame();
        applied.extend(world.apply_keys());
    }
    assert_eq!(applied, Vec::from_iter(10..40));
    let asked: Vec<_> = (0..10).map(|key| asks.of(key)).collect();
    let all: u32 = asked.iter().sum();
    assert!(all >= 10 + 20, "{asked:?}");
    // Alone, they take all of the attempts.
    world.frames(20);
    let more: u32 = (0..10).map(|key| asks.of(key)).sum();
    assert!(more >= all + 19, "{more} after {all}");
}

#[test]
fn a_job_that_cannot_be_made_yet_can_be_cancelled_or_superseded() {
    let asks = Asks::default();
    let mut world = World::new(one_at_a_time(), |_| odd_keys(&asks, Duration::MAX));
    world.request([2, 4]);
    world.frame();
    world.frames(100);
    assert_eq!((asks.of(2), asks.of(4)), (1, 1));
    assert!(world.scheduler.cancel(2));
    assert_eq!(world.scheduler.explain(2).status, Status::Unknown);
    world.scheduler.refresh(4);
    world.frames(100);
    assert_eq!((asks.of(2), asks.of(4)), (1, 2));
    assert_eq!(world.scheduler.depths().queued, 1);
}
