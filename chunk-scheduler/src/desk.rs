//! One runner's place of work: the job before it and the tray where it leaves results.
//!
//! Each runner has a tray of its own, so handing over a result contends with nobody but the main
//! thread, which empties a tray by swapping it: however cheap the jobs are, the hand-over is not
//! what limits them.

use std::{collections::VecDeque, task::Waker, time::Duration};

use crate::{
    key::Lane,
    slot::Slot,
    sync::{Arc, AtomicBool, AtomicU64, Mutex, Ordering},
};

#[derive(Debug)]
pub(crate) struct Desk<K, T> {
    top: Mutex<Top<K, T>>,
    /// Nanoseconds + 1 on the scheduler's clock when the current job began; 0 when there is none.
    /// Lets the overrun watch look without locking.
    began: AtomicU64,
    is_taken: AtomicBool,
}

/// Results in the order of their starts, by lane: an edit must not wait behind what is loading.
pub(crate) type Tray<K, T> = [VecDeque<Finished<K, T>>; 3];

pub(crate) fn empty_tray<K, T>() -> Tray<K, T> {
    [VecDeque::new(), VecDeque::new(), VecDeque::new()]
}

#[derive(Debug)]
struct Top<K, T> {
    current: Option<Current<K>>,
    finished: Tray<K, T>,
    faults: Vec<Fault<K>>,
}

/// The job a runner works on.
#[derive(Debug)]
pub(crate) struct Current<K> {
    pub(crate) slot: Arc<Slot<K>>,
    pub(crate) began: Duration,
    pub(crate) cancelled: Option<Duration>,
    /// Set while the generator waits, so that a cancellation reaches it at once.
    waker: Option<Waker>,
}

/// A result nobody has drained yet. It holds a place in the completed queue.
#[derive(Debug)]
pub(crate) struct Finished<K, T> {
    pub(crate) slot: Arc<Slot<K>>,
    /// When its job was picked, counted in picks; 0 when there was no job.
    pub(crate) order: u64,
    pub(crate) content: T,
}

/// A failed attempt the main thread has not judged yet.
#[derive(Debug)]
pub(crate) struct Fault<K> {
    pub(crate) slot: Arc<Slot<K>>,
    pub(crate) message: String,
    pub(crate) panicked: bool,
    /// Whether it holds a place in the completed queue, which bounds how many faults can pile up.
    pub(crate) holds_place: bool,
}

impl<K, T> Desk<K, T> {
    pub(crate) fn new() -> Self {
        Self {
            top: Mutex::new(Top {
                current: None,
                finished: empty_tray(),
                faults: Vec::new(),
            }),
            began: AtomicU64::new(0),
            is_taken: AtomicBool::new(false),
        }
    }

    /// Main thread: claims a free desk for a new runner.
    pub(crate) fn claim(&self) -> bool {
        !self.is_taken.swap(true, Ordering::AcqRel)
    }

    pub(crate) fn leave(&self) {
        self.is_taken.store(false, Ordering::Release);
    }

    pub(crate) fn begin(&self, slot: Arc<Slot<K>>, now: Duration) {
        self.top.lock().current = Some(Current {
            slot,
            began: now,
            cancelled: None,
            waker: None,
        });
        let nanos = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX - 1);
        self.began.store(nanos + 1, Ordering::Release);
    }

    /// Clears the desk; returns what was on it.
    pub(crate) fn end(&self) -> Option<Current<K>> {
        self.began.store(0, Ordering::Release);
        self.top.lock().current.take()
    }

    /// Notes whom to wake when the current job is cancelled while its generator waits.
    pub(crate) fn wait(&self, waker: &Waker) {
        if let Some(current) = &mut self.top.lock().current {
            match &mut current.waker {
                Some(known) => known.clone_from(waker),
                none => *none = Some(waker.clone()),
            }
        }
    }

    pub(crate) fn put_result(&self, finished: Finished<K, T>) {
        let mut top = self.top.lock();
        // Looked up under the lock: whoever promotes it afterwards finds it here.
        let lane = finished.slot.lane();
        top.finished[lane.index()].push_back(finished);
    }

    pub(crate) fn put_fault(&self, fault: Fault<K>) {
        self.top.lock().faults.push(fault);
    }

    /// Main thread: swaps the results of each lane of which `tray` has none.
    pub(crate) fn swap_results(&self, tray: &mut Tray<K, T>) {
        let mut top = self.top.lock();
        for (finished, waiting) in top.finished.iter_mut().zip(tray) {
            if waiting.is_empty() {
                std::mem::swap(finished, waiting);
            }
        }
    }

    /// Main thread: swaps the results of `lane` with an empty queue.
    pub(crate) fn swap_lane(&self, lane: Lane, empty: &mut VecDeque<Finished<K, T>>) {
        debug_assert!(empty.is_empty(), "results would be handed back");
        std::mem::swap(&mut self.top.lock().finished[lane.index()], empty);
    }

    /// Main thread: takes all results.
    pub(crate) fn take_results(&self, tray: &mut Tray<K, T>) {
        let mut top = self.top.lock();
        for (finished, waiting) in top.finished.iter_mut().zip(tray) {
            waiting.append(finished);
        }
    }

    /// How many of the faults on it hold a place.
    pub(crate) fn places_of_faults(&self) -> usize {
        let top = self.top.lock();
        top.faults.iter().filter(|fault| fault.holds_place).count()
    }

    /// Main thread: takes the faults.
    pub(crate) fn take_faults(&self) -> Vec<Fault<K>> {
        std::mem::take(&mut self.top.lock().faults)
    }

    /// Main thread: tells the runner that `slot` was cancelled, if it is what lies here. True when
    /// it is.
    pub(crate) fn cancel(&self, slot: &Arc<Slot<K>>, now: Duration) -> bool {
        let waker = match &mut self.top.lock().current {
            Some(current) if Arc::ptr_eq(&current.slot, slot) => {
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

    /// When the current job began.
    pub(crate) fn began(&self) -> Option<Duration> {
        let nanos = self.began.load(Ordering::Acquire).checked_sub(1)?;
        Some(Duration::from_nanos(nanos))
    }

    /// The current job and when it began.
    pub(crate) fn current(&self) -> Option<(Arc<Slot<K>>, Duration)> {
        let top = self.top.lock();
        let current = top.current.as_ref()?;
        Some((Arc::clone(&current.slot), current.began))
    }
}
