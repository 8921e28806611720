//! What the main thread and the runners share.

use std::time::Duration;

use crate::{
    clock::Clock,
    desk::Fault,
    durations::DurationRecorder,
    gate::Gate,
    generator::Make,
    inbox::{Arrivals, Inbox},
    key::Key,
    panics,
    picker::{Picked, Picker, Reach, Unrankable},
    places::Places,
    rank::Rank,
    simulation::Simulation,
    slot::{JobState, Slot},
    sync::{Apart, Arc, AtomicBool, AtomicIsize, AtomicU64, AtomicUsize, Mutex, Ordering},
};

/// Fewer dead entries than this are not worth a search.
const FEW_DEAD: usize = 256;

pub(crate) struct Shared<K: Key, T, R: Rank<K>> {
    pub(crate) make: Make<K, T>,
    pub(crate) clock: Clock,
    pub(crate) gate: Gate,
    pub(crate) places: Places,
    /// The most runners there should be.
    pub(crate) limit: AtomicUsize,
    pub(crate) is_stopped: AtomicBool,
    /// Written by the main thread, emptied by runners; never held for longer than a swap.
    inbox: Mutex<Inbox<K, R>>,
    /// Moves whenever the inbox changes.
    pub(crate) epoch: Apart<AtomicU64>,
    /// Runners only; [`Scheduler::explain`](crate::Scheduler::explain) looks in when nobody is
    /// there.
    picker: Apart<Mutex<Picker<K, R>>>,
    /// The epoch + 1 in which a runner found nothing that can start. While the epoch is the same
    /// and nothing was freed since, no other runner would find anything either.
    dry: AtomicU64,
    /// The same for the urgent lane alone.
    urgent_dry: AtomicU64,
    pub(crate) counts: Counts,
    pub(crate) generation_times: DurationRecorder,
    pub(crate) cancel_latencies: DurationRecorder,
    pub(crate) simulation: Option<Simulation>,
    /// Whether runners give way after every step: on executors that share the main thread.
    pub(crate) is_stepwise: bool,
}

/// What runners count. Each is exact when nothing runs and at most one off per runner otherwise.
#[derive(Debug)]
pub(crate) struct Counts {
    /// Live jobs on workers. Signed, because the two sides of a race count in either order.
    pub(crate) in_flight: Apart<AtomicIsize>,
    /// Live results that nobody drained.
    pub(crate) completed: Apart<AtomicIsize>,
    /// Entries in inbox and queue that no longer stand for a job.
    pub(crate) dead: Apart<AtomicUsize>,
    /// Faults that lie on desks.
    pub(crate) faults: AtomicUsize,
    /// Attempts that produced a result, the unwanted ones included.
    pub(crate) generated: Apart<AtomicU64>,
    /// Results that nobody wanted any more when they were ready.
    pub(crate) wasted: AtomicU64,
    /// How long making those took.
    pub(crate) wasted_nanos: AtomicU64,
    /// Jobs that were started while a queued one should have been.
    pub(crate) inversions: AtomicU64,
    /// Destructors of unwanted outputs that panicked.
    pub(crate) discard_panics: AtomicU64,
}

impl<K: Key, T, R: Rank<K>> Shared<K, T, R> {
    pub(crate) fn new(
        make: Make<K, T>,
        rank: R,
        clock: Clock,
        places: Places,
        limit: usize,
        simulation: Option<Simulation>,
        is_stepwise: bool,
    ) -> Self {
        let rank = Arc::new(rank);
        Self {
            make,
            clock,
            gate: Gate::new(),
            places,
            limit: AtomicUsize::new(limit),
            is_stopped: AtomicBool::new(false),
            inbox: Mutex::new(Inbox {
                arrivals: [Vec::new(), Vec::new(), Vec::new()],
                rank: Arc::clone(&rank),
                turn: 0,
            }),
            epoch: Apart(AtomicU64::new(0)),
            picker: Apart(Mutex::new(Picker::new(rank))),
            dry: AtomicU64::new(0),
            urgent_dry: AtomicU64::new(0),
            counts: Counts {
                in_flight: Apart(AtomicIsize::new(0)),
                completed: Apart(AtomicIsize::new(0)),
                dead: Apart(AtomicUsize::new(0)),
                faults: AtomicUsize::new(0),
                generated: Apart(AtomicU64::new(0)),
                wasted: AtomicU64::new(0),
                wasted_nanos: AtomicU64::new(0),
                inversions: AtomicU64::new(0),
                discard_panics: AtomicU64::new(0),
            },
            generation_times: DurationRecorder::new(),
            cancel_latencies: DurationRecorder::new(),
            simulation,
            is_stepwise,
        }
    }

    pub(crate) fn now(&self) -> Duration {
        self.clock.now()
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Acquire)
    }

    /// Main thread: a new snapshot for the runners.
    pub(crate) fn publish(&self, rank: Arc<R>) {
        let former = {
            let mut inbox = self.inbox.lock();
            self.epoch.fetch_add(1, Ordering::Release);
            std::mem::replace(&mut inbox.rank, rank)
        };
        // Outside of the lock, since this may be the last reference to what the user published.
        drop(former);
    }

    /// Main thread: hands over all new work at once. Returns how many entries wait in the inbox.
    pub(crate) fn deliver(&self, work: &mut Arrivals<K>, turn: u32) -> usize {
        let mut inbox = self.inbox.lock();
        for (waiting, new) in inbox.arrivals.iter_mut().zip(work) {
            if waiting.is_empty() {
                std::mem::swap(waiting, new);
            } else {
                waiting.append(new);
            }
        }
        inbox.turn = turn;
        self.epoch.fetch_add(1, Ordering::Release);
        inbox.arrivals.iter().map(Vec::len).sum()
    }

    /// Main thread: takes the arrivals back, to clear the dead ones away and deliver the others.
    pub(crate) fn recall(&self) -> Arrivals<K> {
        std::mem::take(&mut self.inbox.lock().arrivals)
    }

    /// Runner: the best job by the latest snapshot, started. First says that the generator of
    /// `finished` has returned.
    pub(crate) fn pick(
        &self,
        finished: Option<K>,
        reach: Reach,
        unrankable: &mut Vec<Unrankable<K>>,
    ) -> Option<Picked<K>> {
        let mut picker = self.picker.lock();
        if let Some(key) = finished {
            self.finish_in(&mut picker, &key);
        }
        self.merge_news(&mut picker, unrankable);
        let dead = self.counts.dead.load(Ordering::Relaxed);
        if dead > FEW_DEAD && dead > picker.len() / 2 {
            picker.compact();
            self.counts.dead.store(0, Ordering::Relaxed);
        }
        let (picked, mut dead) = picker.pick(reach);
        if picked.is_none() {
            // Under the lock, so that whoever frees something afterwards takes this back.
            self.urgent_dry.store(picker.merged + 1, Ordering::Release);
            if reach == Reach::Everything {
                self.dry.store(picker.merged + 1, Ordering::Release);
            }
        }
        if let Some(picked) = &picked {
            dead += self.watch_for_inversion(&mut picker, picked, unrankable);
        }
        drop(picker);
        if dead > 0 {
            self.forget_dead(dead);
        }
        if picked.is_some() {
            self.counts.in_flight.fetch_add(1, Ordering::AcqRel);
        }
        picked
    }

    /// Runner: sorts in whatever came since the last time.
    pub(crate) fn merge_news(
        &self,
        picker: &mut Picker<K, R>,
        unrankable: &mut Vec<Unrankable<K>>,
    ) {
        while picker.merged != self.epoch.load(Ordering::Acquire) {
            let merge = {
                let mut inbox = self.inbox.lock();
                picker.merged = self.epoch.load(Ordering::Acquire);
                picker.collect(&mut inbox)
            };
            picker.merge(merge, unrankable);
        }
    }

    /// Runner, when it goes: the generator of `key` has returned.
    pub(crate) fn finish(&self, key: &K) {
        self.finish_in(&mut self.picker.lock(), key);
    }

    fn finish_in(&self, picker: &mut Picker<K, R>, key: &K) {
        if picker.finish(key) > 0 {
            self.dry.store(0, Ordering::Release);
            self.urgent_dry.store(0, Ordering::Release);
        }
    }

    /// Main thread: whether a runner would find nothing to start, even if it had a place.
    pub(crate) fn is_dry(&self, reach: Reach) -> bool {
        let dry = match reach {
            Reach::Everything => &self.dry,
            Reach::UrgentOnly => &self.urgent_dry,
        };
        dry.load(Ordering::Acquire) == self.epoch.load(Ordering::Acquire) + 1
    }

    /// Main thread: how many queued jobs would start before that of `slot`. `None` while a runner
    /// is at the queue, because this thread does not wait for it.
    pub(crate) fn position(&self, slot: &Arc<Slot<K>>, outgoing: &Arrivals<K>) -> Option<usize> {
        let picker = self.picker.try_lock()?;
        let inbox = self.inbox.lock();
        panics::guard(|| picker.position(slot, &inbox, outgoing)).ok()?
    }

    /// Counts a live job that left `state`.
    pub(crate) fn left(&self, state: JobState) {
        match state {
            JobState::InFlight => self.counts.in_flight.fetch_sub(1, Ordering::AcqRel),
            JobState::Completed => self.counts.completed.fetch_sub(1, Ordering::AcqRel),
            _ => return,
        };
    }

    pub(crate) fn count_dead_entry(&self) {
        self.counts.dead.fetch_add(1, Ordering::Relaxed);
    }

    /// The counter is an estimate that must not wrap: an entry can die after it was counted out.
    pub(crate) fn forget_dead(&self, cleared: usize) {
        let forget = |dead: usize| Some(dead.saturating_sub(cleared));
        let _ = self
            .counts
            .dead
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, forget);
    }

    /// Turns a new job whose rank panicked into a failed attempt.
    pub(crate) fn fault_of(unrankable: Unrankable<K>) -> Option<Fault<K>> {
        let Unrankable { slot, message } = unrankable;
        slot.advance(JobState::Queued, JobState::Retrying)
            .then(|| Fault {
                slot,
                message: format!("its rank panicked: {message}"),
                panicked: true,
                holds_place: false,
            })
    }
}

impl<K: Key, T, R: Rank<K>> std::fmt::Debug for Shared<K, T, R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("runners", &self.gate.runners())
            .field("places", &self.places)
            .field("limit", &self.limit)
            .field("is_stopped", &self.is_stopped())
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}
