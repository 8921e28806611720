//! The main thread's view of the workers: where they run, and the slot of each.

use std::collections::VecDeque;

use crate::{
    job::{JobCell, Key, Lane},
    queue::{Rank, Reach},
    runtime::{ClockTime, Executor, Runtime},
    sync::{Arc, Ordering},
    worker::{self, Fault, Shared, WorkerSlot},
};

pub(super) struct Workers<K, T> {
    pub(super) executor: Executor,
    /// One for each worker that there ever was at the same time.
    slots: Vec<Arc<WorkerSlot<K, T>>>,
    /// Whether the caller holds those that are not running.
    pub(super) are_held: bool,
}

/// The outcome of starting workers.
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
            are_held: false,
        }
    }

    pub(super) fn slots(&self) -> &[Arc<WorkerSlot<K, T>>] {
        &self.slots
    }

    /// Starts workers for `startable` jobs, as far as permits and the limit allow. Starts none where the last worker
    /// found no job that may start and nothing has changed since.
    pub(super) fn spawn_workers<R: Rank<K>>(
        &mut self,
        shared: &Arc<Shared<K, T, R>>,
        startable: usize,
    ) -> Started {
        let limit = shared.limit.load(Ordering::Acquire);
        let missing = limit.saturating_sub(shared.worker_count.get());
        let missing = missing.min(startable);
        if self.are_held || missing == 0 || shared.is_exhausted(Reach::Everything) {
            return Started::AsManyAsNeeded;
        }
        let (free, reach, started) = match shared.permits.free(Lane::Normal) {
            0 => {
                let free = shared.permits.free(Lane::Urgent);
                (free, Reach::UrgentOnly, Started::NoPermit)
            }
            free => (free, Reach::Everything, Started::AsManyAsNeeded),
        };
        for _ in 0..missing.min(free) {
            // Read each time, because workers on the core of this thread may have done all jobs meanwhile.
            if shared.is_exhausted(reach) {
                break;
            }
            let slot = self.free_slot();
            shared.worker_count.add();
            let worker = worker::run(Arc::clone(shared), slot);
            self.executor.spawn(Box::pin(worker));
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

    /// Tells the worker of the job that it was cancelled.
    pub(super) fn cancel(&self, cell: &Arc<JobCell<K>>, now: ClockTime) {
        let _ = self.slots.iter().any(|slot| slot.cancel(cell, now));
    }

    /// The jobs on workers, and when their attempts began.
    pub(super) fn current(&self) -> impl Iterator<Item = (Arc<JobCell<K>>, ClockTime)> {
        self.slots.iter().filter_map(|slot| slot.current())
    }

    /// Moves the faults to `faults`, oldest version first. They keep their permits.
    pub(super) fn take_faults<R: Rank<K>>(
        &self,
        shared: &Shared<K, T, R>,
        faults: &mut VecDeque<Fault<K>>,
    ) {
        let mut taken = Vec::new();
        for slot in &self.slots {
            taken.append(&mut slot.take_faults());
        }
        (shared.counts.faults).fetch_sub(taken.len(), Ordering::AcqRel);
        // So that the order of failures does not depend on which worker had which job.
        taken.sort_by_key(|fault: &Fault<K>| fault.cell.version);
        faults.extend(taken);
    }

    /// The number of faults in the slots that hold a permit.
    pub(super) fn permits_of_faults(&self) -> usize {
        let permits = self.slots.iter().map(|slot| slot.permits_of_faults());
        permits.sum()
    }
}
