//! The workers as the main thread sees them: where they run, and the slot of each.

use crate::{
    job::{JobCell, Key},
    queue::{Rank, Reach},
    runtime::{ClockTime, Executor, Runtime, WorkClock, WorkerFuture},
    sync::{Arc, Ordering},
    worker::{self, Fault, Shared, WorkerSlot},
};

pub(super) struct Workers<K, T> {
    executor: Executor,
    /// As many as there ever were workers at the same time.
    slots: Vec<Arc<WorkerSlot<K, T>>>,
}

/// What came of an attempt to start workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Started {
    AsManyAsNeeded,
    /// Jobs wait, but every permit is taken.
    NoPermit,
}

impl<K: Key, T: Send + 'static> Workers<K, T> {
    pub(super) fn new(runtime: Runtime) -> Self {
        Self {
            executor: Executor::new(runtime),
            slots: Vec::new(),
        }
    }

    pub(super) fn executor(&self) -> &Executor {
        &self.executor
    }

    pub(super) fn slots(&self) -> &[Arc<WorkerSlot<K, T>>] {
        &self.slots
    }

    /// Starts as many workers as there are jobs and permits for, up to the limit. None where the last one found no job that
    /// may start and nothing has changed since.
    pub(super) fn spawn_workers<R: Rank<K>>(
        &mut self,
        shared: &Arc<Shared<K, T, R>>,
        startable: usize,
    ) -> Started {
        let limit = shared.limit.load(Ordering::Acquire);
        let missing = limit
            .saturating_sub(shared.worker_count.get())
            .min(startable);
        if missing == 0 || shared.is_exhausted(Reach::Everything) {
            return Started::AsManyAsNeeded;
        }
        let (mut free, mut reach) = (shared.permits.free(), Reach::Everything);
        let started = match free {
            0 => Started::NoPermit,
            _ => Started::AsManyAsNeeded,
        };
        if started == Started::NoPermit {
            (free, reach) = (shared.permits.free_urgent(), Reach::UrgentOnly);
        }
        for _ in 0..missing.min(free) {
            // Asked each time: a pool that shares the core of this thread may have done all of the work meanwhile.
            if shared.is_exhausted(reach) {
                break;
            }
            let slot = self.free_slot();
            shared.worker_count.add();
            self.spawn(Box::pin(worker::run(Arc::clone(shared), slot)));
        }
        started
    }

    fn free_slot(&mut self) -> Arc<WorkerSlot<K, T>> {
        let free = self.slots.iter().find(|slot| slot.claim());
        free.cloned().unwrap_or_else(|| {
            let slot = Arc::new(WorkerSlot::new());
            slot.claim();
            self.slots.push(Arc::clone(&slot));
            slot
        })
    }

    pub(super) fn spawn(&mut self, future: WorkerFuture) {
        self.executor.spawn(future);
    }

    /// Does the work that no thread does, within the runtime's budget.
    pub(super) fn work(&mut self, clock: &WorkClock) {
        self.executor.work(clock);
    }

    pub(super) fn shut_down(&mut self) {
        self.executor.shut_down();
    }

    /// Tells the worker whose current job this is that it was cancelled.
    pub(super) fn cancel(&self, cell: &Arc<JobCell<K>>, now: ClockTime) {
        let _ = self.slots.iter().any(|slot| slot.cancel(cell, now));
    }

    /// The jobs on workers, and when each began.
    pub(super) fn current(&self) -> impl Iterator<Item = (Arc<JobCell<K>>, ClockTime)> {
        self.slots.iter().filter_map(|slot| slot.current())
    }

    /// Takes the failed attempts, oldest version first, and releases their permits.
    pub(super) fn take_faults<R: Rank<K>>(&self, shared: &Shared<K, T, R>) -> Vec<Fault<K>> {
        if shared.counts.faults.load(Ordering::Acquire) == 0 {
            return Vec::new();
        }
        let mut faults = Vec::new();
        for slot in &self.slots {
            faults.append(&mut slot.take_faults());
        }
        (shared.counts.faults).fetch_sub(faults.len(), Ordering::AcqRel);
        // Which worker had which job is chance. The order in which failures are handled must not be.
        faults.sort_by_key(|fault: &Fault<K>| fault.cell.version);
        for _ in faults.iter().filter(|fault| fault.holds_permit) {
            shared.permits.release();
        }
        faults
    }

    /// How many faults hold a permit.
    pub(super) fn permits_of_faults(&self) -> usize {
        let permits = self.slots.iter().map(|slot| slot.permits_of_faults());
        permits.sum()
    }
}
