//! A scheduler whose workers are threads of the model checker.

use chunk_scheduler::{FnRank, Generator, Runtime, Scheduler, SchedulerConfig};
use loom::{
    sync::{Arc, Mutex, Notify},
    thread::{self, JoinHandle},
};
use std::{
    task::{Context, Wake, Waker},
    time::Duration,
};

/// Runs `model` under every schedule with at most `preemptions` preemptions.
pub(crate) fn check(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_threads = 4;
    builder.max_branches = 20_000;
    builder.check(model);
}

type Rank = FnRank<fn(&u8) -> u8>;

/// A scheduler whose workers are threads of the model.
pub(crate) struct Model {
    pub(crate) scheduler: Scheduler<u8, u8, Rank>,
    workers: Arc<Mutex<Vec<JoinHandle<()>>>>,
}

/// Wakes the thread that waits for it.
struct Alarm(Notify);

impl Wake for Alarm {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.notify();
    }
}

impl Model {
    pub(crate) fn new(config: SchedulerConfig, generator: Generator<u8, u8>) -> Self {
        let workers = Arc::new(Mutex::new(Vec::new()));
        let spawned = Arc::clone(&workers);
        let runtime = Runtime::custom(2, move |mut work| {
            let worker = thread::spawn(move || {
                let alarm = std::sync::Arc::new(Alarm(Notify::new()));
                let waker = Waker::from(std::sync::Arc::clone(&alarm));
                let mut context = Context::from_waker(&waker);
                // A worker that is not woken is a deadlock, which the model checker reports.
                while work.as_mut().poll(&mut context).is_pending() {
                    alarm.0.wait();
                }
            });
            spawned.lock().expect("no thread panicked").push(worker);
        });
        let rank: Rank = FnRank(|key| *key);
        let scheduler = Scheduler::new(config, generator, runtime, rank).expect("it is valid");
        Self { scheduler, workers }
    }

    pub(crate) fn tick(&mut self) {
        self.scheduler.tick(Duration::ZERO);
    }

    /// Drains and applies what is ready. A result is not applied where a newer one of its key was finished during the
    /// drain and delivered too.
    pub(crate) fn drain(&mut self) -> Vec<u8> {
        let (mut ready, mut applied) = (Vec::new(), Vec::new());
        self.scheduler.drain(8, |delivered| ready.push(delivered));
        for (at, delivered) in ready.iter().enumerate() {
            let later = &ready[at + 1..];
            let is_overtaken = later.iter().any(|other| other.key == delivered.key);
            let is_applied = self.scheduler.applied(delivered.key, delivered.version);
            assert_ne!(is_applied, is_overtaken);
            if is_applied {
                applied.push(delivered.content);
            }
        }
        applied
    }

    /// Waits until every worker has exited. False where there was none.
    pub(crate) fn join(&self) -> bool {
        let mut have_run = false;
        loop {
            let workers = std::mem::take(&mut *self.workers.lock().expect("no thread panicked"));
            if workers.is_empty() {
                return have_run;
            }
            have_run = true;
            for worker in workers {
                worker.join().expect("a worker does not panic");
            }
        }
    }

    /// Drains until that starts no worker. Returns what was delivered, in order.
    pub(crate) fn settle(&mut self) -> Vec<u8> {
        let mut arrived = Vec::new();
        loop {
            self.join();
            arrived.extend(self.drain());
            if !self.join() {
                break;
            }
        }
        arrived.extend(self.drain());
        assert_eq!(self.scheduler.depths().live(), 0, "a job was lost");
        assert_eq!(self.scheduler.audit(), Ok(()));
        arrived
    }
}

pub(crate) fn config(max_in_flight: usize) -> SchedulerConfig {
    SchedulerConfig {
        max_in_flight,
        completed_capacity: 2,
        urgent_reserve: 1,
        ..SchedulerConfig::default()
    }
}

pub(crate) fn one_permit() -> SchedulerConfig {
    SchedulerConfig {
        completed_capacity: 1,
        ..config(1)
    }
}
