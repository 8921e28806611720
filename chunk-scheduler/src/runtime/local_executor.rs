//! An executor without threads, for the main thread and for simulations.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Wake, Waker},
};

use crate::{
    job::panics,
    sync::{Arc, AtomicBool, Ordering},
};

/// One worker, which a runtime polls until it ends.
pub type WorkerFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The tasks that have not ended, in the order in which they were spawned.
#[derive(Default)]
pub(crate) struct LocalExecutor {
    tasks: Vec<Task>,
    spawned: u64,
    /// The task that [`Self::take_next`] took last.
    last: u64,
}

pub(crate) struct Task {
    pub(crate) number: u64,
    /// The scheduler that spawned it, where several share an executor.
    owner: u64,
    future: WorkerFuture,
    wakeful: Arc<Wakeful>,
}

struct Wakeful(AtomicBool);

impl Wake for Wakeful {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

impl LocalExecutor {
    pub(crate) fn spawn(&mut self, owner: u64, future: WorkerFuture) {
        self.spawned += 1;
        self.tasks.push(Task {
            number: self.spawned,
            owner,
            future,
            wakeful: Arc::new(Wakeful(AtomicBool::new(true))),
        });
    }

    /// How many tasks could make progress.
    pub(crate) fn ready(&self) -> usize {
        self.tasks.iter().filter(|task| task.is_ready()).count()
    }

    /// Takes out the `nth` task that could make progress.
    pub(crate) fn take(&mut self, nth: usize) -> Option<Task> {
        let mut ready = (0..self.tasks.len()).filter(|at| self.tasks[*at].is_ready());
        let at = ready.nth(nth)?;
        Some(self.tasks.remove(at))
    }

    /// Takes out the next task that could make progress, in turn.
    pub(crate) fn take_next(&mut self) -> Option<Task> {
        let later = self.tasks.partition_point(|task| task.number <= self.last);
        let len = self.tasks.len();
        let at = (later..len)
            .chain(0..later)
            .find(|at| self.tasks[*at].is_ready())?;
        self.last = self.tasks[at].number;
        Some(self.tasks.remove(at))
    }

    /// Puts back a task that has not ended.
    pub(crate) fn put_back(&mut self, task: Task) {
        let at = self.tasks.partition_point(|t| t.number < task.number);
        self.tasks.insert(at, task);
    }

    /// Takes out every task of `owner`.
    pub(crate) fn take_all(&mut self, owner: u64) -> Vec<Task> {
        let (taken, kept) = std::mem::take(&mut self.tasks)
            .into_iter()
            .partition(|task| task.owner == owner);
        self.tasks = kept;
        taken
    }
}

impl Task {
    fn is_ready(&self) -> bool {
        self.wakeful.0.load(Ordering::Acquire)
    }

    /// Polls once. `None` when the task has ended.
    pub(crate) fn step(mut self) -> Option<Self> {
        self.wakeful.0.store(false, Ordering::Release);
        let waker = Waker::from(Arc::clone(&self.wakeful));
        let mut cx = Context::from_waker(&waker);
        match panics::guard(|| self.future.as_mut().poll(&mut cx)) {
            Ok(Poll::Pending) => Some(self),
            Ok(Poll::Ready(())) => None,
            Err(message) => {
                tracing::error!("a worker panicked outside of user code: {message}");
                None
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::{job::yield_now, sync::Mutex};

    #[test]
    fn tasks_take_turns_until_they_end() {
        let log = Arc::new(Mutex::new(Vec::new()));
        let mut executor = LocalExecutor::default();
        for name in ["a", "b"] {
            let log = Arc::clone(&log);
            executor.spawn(
                0,
                Box::pin(async move {
                    for step in 0..2 {
                        log.lock().push((name, step));
                        yield_now().await;
                    }
                }),
            );
        }
        while let Some(task) = executor.take_next() {
            if let Some(task) = task.step() {
                executor.put_back(task);
            }
        }
        assert_eq!(*log.lock(), [("a", 0), ("b", 0), ("a", 1), ("b", 1)]);
        assert_eq!(executor.ready(), 0);
    }

    #[test]
    fn a_task_that_was_not_woken_is_not_polled() {
        let mut executor = LocalExecutor::default();
        executor.spawn(0, Box::pin(std::future::pending()));
        let task = executor.take(0).and_then(Task::step);
        executor.put_back(task.expect("it is pending"));
        assert_eq!(executor.ready(), 0);
        assert!(executor.take_next().is_none());
    }
}
