//! A scheduler whose workers are threads of the model checker.

use chunk_scheduler::{FnRank, Generator, Runtime, Scheduler, SchedulerConfig};
use loom::{
    sync::{Arc, Mutex, Notify},
    thread::{self, JoinHandle},
};
use std::{
    task::{Context, Poll, Wake, Waker},
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
    threads: Threads,
}

/// The threads of a model that workers run on.
#[derive(Clone, Default)]
pub(crate) struct Threads(Arc<Mutex<Vec<JoinHandle<()>>>>);

/// Wakes the thread that waits for it.
struct Alarm(Notify);

impl Wake for Alarm {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.notify();
    }
}

impl Threads {
    /// A thread of its own for each worker.
    pub(crate) fn runtime(&self) -> Runtime {
        let spawned = self.clone();
        Runtime::custom(2, move |work| {
            let worker = thread::spawn(move || block_on(work));
            (spawned.0.lock().expect("no thread panicked")).push(worker);
        })
    }

    /// Waits until every worker has exited. False where there was none.
    pub(crate) fn join(&self) -> bool {
        let mut have_run = false;
        loop {
            let workers = std::mem::take(&mut *self.0.lock().expect("no thread panicked"));
            if workers.is_empty() {
                return have_run;
            }
            have_run = true;
            for worker in workers {
                worker.join().expect("a worker does not panic");
            }
        }
    }
}

/// Runs a future to its end. One that is not woken is a deadlock, which the model checker reports.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let alarm = std::sync::Arc::new(Alarm(Notify::new()));
    let waker = Waker::from(std::sync::Arc::clone(&alarm));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(result) => return result,
            Poll::Pending => alarm.0.wait(),
        }
    }
}

impl Model {
    pub(crate) fn new(config: SchedulerConfig, generator: Generator<u8, u8>) -> Self {
        let threads = Threads::default();
        let rank: Rank = FnRank(|key| *key);
        let scheduler =
            Scheduler::new(config, generator, threads.runtime(), rank).expect("it is valid");
        Self { scheduler, threads }
    }

    /// Waits until every worker has exited. False where there was none.
    pub(crate) fn join(&self) -> bool {
        self.threads.join()
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
