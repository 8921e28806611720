//! Results on their way from the workers to the caller.

use super::workers::Workers;
use crate::{
    job::{JobCell, JobState, Key, Lane, Version},
    queue::Rank,
    sync::{Arc, Mutex},
    worker::{Finished, ResultQueue, Shared, WorkerSlot, empty_queue},
};

/// A result, delivered exactly once.
#[must_use = "the job stays live until its result is applied"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered<K, T> {
    /// The key that was generated.
    pub key: K,
    /// Which request of the key, for [`Scheduler::applied`](crate::Scheduler::applied).
    pub version: Version,
    /// The lane of the job, by which the caller may order its own queue.
    pub lane: Lane,
    /// What the generator returned.
    pub content: T,
}

pub(super) struct Results<K, T> {
    /// The answers for keys that are known to be empty, then what was taken from the queue of each worker slot. The
    /// mutex makes the scheduler `Sync` where contents are not; it is never locked.
    queues: Mutex<Vec<ResultQueue<K, T>>>,
    /// How many results, here and in the slots, belong to jobs that have ended.
    dead: usize,
    /// Whether a job with a result was promoted since the last [`Self::settle_promotions`].
    has_promoted: bool,
    /// The highest number of a pick whose result was delivered.
    last_order: u64,
    /// The order of the latest answer for a key that is known to be empty.
    last_answer: u64,
}

impl<K: Key, T: Send + 'static> Results<K, T> {
    pub(super) fn new() -> Self {
        Self {
            queues: Mutex::new(vec![empty_queue()]),
            dead: 0,
            has_promoted: false,
            last_order: 0,
            last_answer: 0,
        }
    }

    /// Makes a queue for each of `slots` worker slots.
    pub(super) fn make_room(&mut self, slots: usize) {
        self.queues.owned().resize_with(1 + slots, empty_queue);
    }

    pub(super) fn dead(&self) -> usize {
        self.dead
    }

    /// Counts that a job with a result has ended.
    pub(super) fn count_dead(&mut self) {
        self.dead += 1;
    }

    /// Says that a job with a result was promoted.
    pub(super) fn note_promotion(&mut self) {
        self.has_promoted = true;
    }

    /// Adds the answer for a key that is known to be empty, whose permit is taken. Answers are ordered as if their jobs
    /// were picked one by one from now on, so that neither they nor the results of workers wait for all of the others.
    pub(super) fn push_known_empty(&mut self, cell: Arc<JobCell<K>>, content: T) {
        let lane = cell.lane();
        let order = self.last_answer.max(self.last_order) + 1;
        self.last_answer = order;
        self.queues.owned()[0][lane.index()].push_back(Finished {
            cell,
            order,
            content,
        });
    }

    /// Takes the results of each slot and lane of which no earlier results are left here.
    pub(super) fn collect<R: Rank<K>>(
        &mut self,
        workers: &Workers<K, T>,
        shared: &Shared<K, T, R>,
    ) {
        self.settle_promotions(workers);
        if shared.permits.taken() > 0 {
            self.each_slot(workers, WorkerSlot::swap_results);
        }
    }

    /// Moves the results whose jobs were promoted to their lanes.
    pub(super) fn settle_promotions(&mut self, workers: &Workers<K, T>) {
        if std::mem::take(&mut self.has_promoted) {
            self.each_slot(workers, WorkerSlot::take_results);
            self.move_promoted();
        }
    }

    /// Delivers the next result whose job is live. Pushes the contents of other jobs to `unwanted`, and sets
    /// `has_freed` where it released a permit.
    pub(super) fn next<R: Rank<K>>(
        &mut self,
        workers: &Workers<K, T>,
        shared: &Shared<K, T, R>,
        lanes: &[Lane],
        unwanted: &mut Vec<T>,
        has_freed: &mut bool,
    ) -> Option<Delivered<K, T>> {
        loop {
            let finished = lanes
                .iter()
                .find_map(|lane| self.pop(workers.slots(), *lane))?;
            let Finished {
                cell,
                order,
                content,
            } = finished;
            shared.permits.release();
            *has_freed = true;
            if cell.advance(JobState::Completed, JobState::Delivered) {
                if !cell.is_known_empty() {
                    self.last_order = self.last_order.max(order);
                }
                shared.left(JobState::Completed);
                return Some(Delivered {
                    key: cell.key,
                    version: cell.version,
                    lane: cell.lane(),
                    content,
                });
            }
            self.dead -= 1;
            unwanted.push(content);
        }
    }

    /// Takes the results of ended jobs, here and in the slots, and releases their permits.
    pub(super) fn take_dead<R: Rank<K>>(
        &mut self,
        workers: &Workers<K, T>,
        shared: &Shared<K, T, R>,
    ) -> Vec<T> {
        let mut unwanted = Vec::new();
        self.each_slot(workers, WorkerSlot::take_results);
        for queue in self.queues.owned().iter_mut().flatten() {
            for _ in 0..queue.len() {
                let Some(result) = queue.pop_front() else {
                    break;
                };
                match result.cell.state() {
                    JobState::Completed => queue.push_back(result),
                    _ => unwanted.push(result.content),
                }
            }
        }
        self.dead -= unwanted.len();
        for _ in &unwanted {
            shared.permits.release();
        }
        unwanted
    }

    /// Moves results whose jobs were promoted to the current lane of the job.
    fn move_promoted(&mut self) {
        for queue in self.queues.owned().iter_mut() {
            for lane in [Lane::Normal, Lane::Prefetch] {
                let rises = |result: &Finished<K, T>| result.cell.lane() < lane;
                while let Some(at) = queue[lane.index()].iter().position(rises) {
                    let Some(result) = queue[lane.index()].remove(at) else {
                        break;
                    };
                    let higher = &mut queue[result.cell.lane().index()];
                    let order = |it: &Finished<K, T>| (it.order, it.cell.version);
                    let at = higher.partition_point(|other| order(other) < order(&result));
                    higher.insert(at, result);
                }
            }
        }
    }

    /// The result of this lane whose job was picked first.
    fn pop(&mut self, slots: &[Arc<WorkerSlot<K, T>>], lane: Lane) -> Option<Finished<K, T>> {
        let mut queues = self.queues.owned();
        let heads = queues.iter().enumerate().filter_map(|(number, queue)| {
            let head = queue[lane.index()].front()?;
            Some((head.order, number))
        });
        let (_, number) = heads.min()?;
        let queue = &mut queues[number][lane.index()];
        let result = queue.pop_front();
        if queue.is_empty() && number > 0 {
            // The next result of this worker may be the next one of all.
            slots[number - 1].swap_lane(lane, queue);
        }
        result
    }

    fn each_slot(
        &mut self,
        workers: &Workers<K, T>,
        visit: impl Fn(&WorkerSlot<K, T>, &mut ResultQueue<K, T>),
    ) {
        let mut queues = self.queues.owned();
        for (slot, queue) in workers.slots().iter().zip(&mut queues[1..]) {
            visit(slot, queue);
        }
    }
}
