//! The slot of one worker: its current job, and the queue of its results.
//!
//! Each worker has a queue of its own, so that it contends for the lock with the main thread alone, which holds it
//! only for a swap.

use std::{collections::VecDeque, task::Waker};

use crate::{
    job::{GenerateError, JobCell, Lane},
    layer::{Invalidated, Reads},
    runtime::ClockTime,
    sync::{Arc, AtomicBool, AtomicU64, Mutex, Ordering},
};

#[derive(Debug)]
pub(crate) struct WorkerSlot<K, T> {
    state: Mutex<SlotState<K, T>>,
    /// When the current job began, in nanoseconds + 1 of the work clock, or 0 without one. The overrun watch reads
    /// this without locking.
    began: AtomicU64,
    is_taken: AtomicBool,
}

/// Results by lane, each in the order in which their jobs were picked.
pub(crate) type ResultQueue<K, T> = [VecDeque<Finished<K, T>>; 3];

pub(crate) fn empty_queue<K, T>() -> ResultQueue<K, T> {
    [VecDeque::new(), VecDeque::new(), VecDeque::new()]
}

#[derive(Debug)]
struct SlotState<K, T> {
    current: Option<Current<K>>,
    finished: ResultQueue<K, T>,
    faults: Vec<Fault<K>>,
}

/// The job a worker works on.
#[derive(Debug)]
pub(crate) struct Current<K> {
    pub(crate) cell: Arc<JobCell<K>>,
    pub(crate) began: ClockTime,
    pub(crate) cancelled: Option<ClockTime>,
    /// What its generator has read of layers so far.
    reads: Arc<Reads>,
    /// Set while the generator waits, so that cancelling the job wakes the worker.
    waker: Option<Waker>,
}

/// A result that was not drained yet. It holds a permit.
#[derive(Debug)]
pub(crate) struct Finished<K, T> {
    pub(crate) cell: Arc<JobCell<K>>,
    /// The number of the pick that started the job.
    pub(crate) order: u64,
    pub(crate) content: T,
}

/// An attempt that made nothing, and that the main thread has not handled yet.
#[derive(Debug)]
pub(crate) struct Fault<K> {
    pub(crate) cell: Arc<JobCell<K>>,
    pub(crate) error: GenerateError,
    pub(crate) panicked: bool,
    /// Whether the attempt had a permit, which it still holds.
    pub(crate) holds_permit: bool,
}

impl<K, T> WorkerSlot<K, T> {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(SlotState {
                current: None,
                finished: empty_queue(),
                faults: Vec::new(),
            }),
            began: AtomicU64::new(0),
            is_taken: AtomicBool::new(false),
        }
    }

    /// Main thread: claims the slot for a new worker. False where it is taken.
    pub(crate) fn claim(&self) -> bool {
        !self.is_taken.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn leave(&self) {
        self.is_taken.store(false, Ordering::Release);
    }

    pub(crate) fn begin(&self, cell: Arc<JobCell<K>>, reads: Arc<Reads>, now: ClockTime) {
        self.state.lock().current = Some(Current {
            cell,
            began: now,
            cancelled: None,
            reads,
            waker: None,
        });
        let nanos = now.as_nanos().saturating_add(1);
        self.began.store(nanos, Ordering::Release);
    }

    /// Takes out the current job.
    pub(crate) fn end(&self) -> Option<Current<K>> {
        self.began.store(0, Ordering::Release);
        self.state.lock().current.take()
    }

    /// Stores what to wake when the current job is cancelled while its generator waits.
    pub(crate) fn wait(&self, waker: &Waker) {
        if let Some(current) = &mut self.state.lock().current {
            match &mut current.waker {
                Some(known) => known.clone_from(waker),
                none => *none = Some(waker.clone()),
            }
        }
    }

    pub(crate) fn put_result(&self, finished: Finished<K, T>) {
        let mut state = self.state.lock();
        // Read under the lock, so that the main thread finds the result here after a later promotion.
        let lane = finished.cell.lane();
        state.finished[lane.index()].push_back(finished);
    }

    pub(crate) fn put_fault(&self, fault: Fault<K>) {
        self.state.lock().faults.push(fault);
    }

    /// Main thread: takes the results of each lane in which `queue` is empty, by swapping.
    pub(crate) fn swap_results(&self, queue: &mut ResultQueue<K, T>) {
        let mut state = self.state.lock();
        for (finished, waiting) in state.finished.iter_mut().zip(queue) {
            if waiting.is_empty() {
                std::mem::swap(finished, waiting);
            }
        }
    }

    /// Main thread: takes the results of `lane`, by swapping.
    pub(crate) fn swap_lane(&self, lane: Lane, empty: &mut VecDeque<Finished<K, T>>) {
        debug_assert!(empty.is_empty(), "results would be handed back");
        std::mem::swap(&mut self.state.lock().finished[lane.index()], empty);
    }

    /// Main thread: takes all results.
    pub(crate) fn take_results(&self, queue: &mut ResultQueue<K, T>) {
        let mut state = self.state.lock();
        for (finished, waiting) in state.finished.iter_mut().zip(queue) {
            waiting.append(finished);
        }
    }

    /// The number of faults here that hold a permit.
    pub(crate) fn permits_of_faults(&self) -> usize {
        let state = self.state.lock();
        state
            .faults
            .iter()
            .filter(|fault| fault.holds_permit)
            .count()
    }

    /// Main thread: takes all faults.
    pub(crate) fn take_faults(&self) -> Vec<Fault<K>> {
        std::mem::take(&mut self.state.lock().faults)
    }

    /// Main thread: tells the worker that `cell` was cancelled. False where that is not its current job.
    pub(crate) fn cancel(&self, cell: &Arc<JobCell<K>>, now: ClockTime) -> bool {
        let waker = match &mut self.state.lock().current {
            Some(current) if Arc::ptr_eq(&current.cell, cell) => {
                current.cancelled.get_or_insert(now);
                current.waker.take()
            }
            _ => return false,
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// The current job, if it has read a value that was invalidated.
    pub(crate) fn reached(&self, invalidated: &Invalidated) -> Option<Arc<JobCell<K>>> {
        let state = self.state.lock();
        let current = state.current.as_ref()?;
        let is_reached = invalidated.reaches_unfinished(&current.reads);
        is_reached.then(|| Arc::clone(&current.cell))
    }

    /// When the current job began.
    pub(crate) fn began(&self) -> Option<ClockTime> {
        let nanos = self.began.load(Ordering::Acquire).checked_sub(1)?;
        Some(ClockTime::from_nanos(nanos))
    }

    /// The current job and when it began.
    pub(crate) fn current(&self) -> Option<(Arc<JobCell<K>>, ClockTime)> {
        let state = self.state.lock();
        let current = state.current.as_ref()?;
        Some((Arc::clone(&current.cell), current.began))
    }
}
