//! The queue of all lanes, from which workers pick the next job. The main thread does not change it.

use super::{
    inbox::{Inbox, Submission, Submissions, no_submissions},
    lane_queue::{Entry, LaneQueue},
    rank::Rank,
};
use crate::{
    job::{JobCell, Key, Lane, panics},
    sync::Arc,
};

/// A job that was just started.
#[derive(Debug)]
pub(crate) struct Picked<K> {
    pub(crate) cell: Arc<JobCell<K>>,
    pub(crate) attempt: u32,
    /// The number of the pick. Results are delivered in the order in which their jobs were picked.
    pub(crate) order: u64,
}

/// A new job whose rank panicked.
#[derive(Debug)]
pub(crate) struct Unrankable<K> {
    pub(crate) cell: Arc<JobCell<K>>,
    pub(crate) message: String,
}

/// The jobs for which a permit is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    Everything,
    UrgentOnly,
}

/// After so many urgent jobs in a row a normal job is picked, so that edits without end do not stop loading.
const MOST_URGENT_IN_A_ROW: u32 = 64;
/// After so many turns the queue is ranked again without a new snapshot, so that the age of jobs counts while no
/// viewer moves.
const TURNS_BETWEEN_RANKINGS: u32 = 64;

#[derive(Debug)]
pub(crate) struct Picker<K, R: Rank<K>> {
    lanes: [LaneQueue<K, R::Priority>; 3],
    rank: Arc<R>,
    turn: u32,
    /// The turn in which the queue was last ranked.
    ranked: u32,
    urgent_in_a_row: u32,
    picks: u64,
    /// The epoch up to which the inbox was merged.
    pub(crate) merged: u64,
    /// Keys on workers, including those of cancelled jobs. At most one for each worker.
    running: Vec<K>,
    /// Entries that wait because their key is on a worker: attempts at one key never overlap.
    held_back: Vec<(Lane, Entry<K, R::Priority>)>,
    /// Empty vectors with capacity, to be swapped with the full ones of the inbox.
    spare: Submissions<K>,
}

/// An emptied vector with more capacity than this is freed.
const SPARE_ROOM: usize = 1024;

impl<K: Key, R: Rank<K>> Picker<K, R> {
    pub(crate) fn new(rank: Arc<R>) -> Self {
        Self {
            lanes: Lane::ALL.map(|_| LaneQueue::new()),
            rank,
            turn: 0,
            ranked: 0,
            urgent_in_a_row: 0,
            picks: 0,
            merged: 0,
            running: Vec::new(),
            held_back: Vec::new(),
            spare: no_submissions(),
        }
    }

    /// The number of entries, including dead ones.
    pub(crate) fn len(&self) -> usize {
        self.lanes.iter().map(LaneQueue::len).sum::<usize>() + self.held_back.len()
    }

    /// Takes the contents of the inbox, for [`Self::merge`]. Only swaps pointers, because the main thread takes the
    /// same lock.
    pub(crate) fn collect(&mut self, inbox: &mut Inbox<K, R>) -> Inbox<K, R> {
        Inbox {
            submissions: std::mem::replace(&mut inbox.submissions, std::mem::take(&mut self.spare)),
            rank: Arc::clone(&inbox.rank),
            turn: inbox.turn,
        }
    }

    /// Ranks the queue again if there is a new snapshot, then queues the submissions. Jobs whose rank panicked are
    /// pushed to `unrankable`.
    pub(crate) fn merge(&mut self, news: Inbox<K, R>, unrankable: &mut Vec<Unrankable<K>>) {
        self.turn = news.turn;
        let is_due = self.turn.wrapping_sub(self.ranked) >= TURNS_BETWEEN_RANKINGS;
        let is_new = !Arc::ptr_eq(&self.rank, &news.rank);
        let former = std::mem::replace(&mut self.rank, news.rank);
        if is_due {
            self.ranked = self.turn;
            tracing::debug_span!("chunk_rerank").in_scope(|| self.rerank());
        } else if is_new {
            tracing::debug_span!("chunk_rerank").in_scope(|| self.rerank_after(&former));
        }
        for (lane, mut submissions) in Lane::ALL.into_iter().zip(news.submissions) {
            for submission in submissions.drain(..) {
                self.enqueue(lane, submission, unrankable);
            }
            if submissions.capacity() <= SPARE_ROOM {
                self.spare[lane.index()] = submissions;
            }
        }
        // The destructor of a snapshot is user code. A panic in it must not cost the submissions.
        if let Err(message) = panics::discard(former) {
            tracing::warn!("dropping a former rank panicked: {message}");
        }
    }

    /// Starts the best job whose key is not on a worker. Also returns the number of dead entries that it removed.
    pub(crate) fn pick(&mut self, reach: Reach) -> (Option<Picked<K>>, usize) {
        let lanes: &[Lane] = match reach {
            Reach::UrgentOnly => &[Lane::Urgent],
            Reach::Everything if self.urgent_in_a_row >= MOST_URGENT_IN_A_ROW => {
                &[Lane::Normal, Lane::Urgent, Lane::Prefetch]
            }
            Reach::Everything => &Lane::ALL,
        };
        let mut dead = 0;
        for lane in lanes {
            let picked = self.pick_from(*lane, &mut dead);
            if picked.is_some() {
                self.urgent_in_a_row = match lane {
                    Lane::Urgent => self.urgent_in_a_row.saturating_add(1),
                    _ => 0,
                };
                return (picked, dead);
            }
        }
        (None, dead)
    }

    fn pick_from(&mut self, lane: Lane, dead: &mut usize) -> Option<Picked<K>> {
        while let Some(entry) = self.lanes[lane.index()].pop() {
            if self.running.contains(&entry.key) && entry.cell.is_startable(lane) {
                self.held_back.push((lane, entry));
            } else if let Some(attempt) = entry.cell.start(lane) {
                self.running.push(entry.key);
                self.picks += 1;
                return Some(Picked {
                    cell: entry.cell,
                    attempt,
                    order: self.picks,
                });
            } else {
                *dead += 1;
            }
        }
        None
    }

    /// Says that the generator of `key` has returned. Returns the number of jobs that may start because of that.
    pub(crate) fn finish(&mut self, key: &K) -> usize {
        if let Some(at) = self.running.iter().position(|running| running == key) {
            self.running.swap_remove(at);
        }
        let mut freed = 0;
        while let Some(at) = self
            .held_back
            .iter()
            .position(|(_, entry)| entry.key == *key)
        {
            let (lane, entry) = self.held_back.swap_remove(at);
            self.lanes[lane.index()].push(entry);
            freed += 1;
        }
        freed
    }

    /// Removes every dead entry. Returns their number.
    pub(crate) fn compact(&mut self) -> usize {
        let before = self.len();
        for lane in Lane::ALL {
            self.lanes[lane.index()].retain(|entry| entry.cell.is_startable(lane));
        }
        self.held_back
            .retain(|(lane, entry)| entry.cell.is_startable(*lane));
        before - self.len()
    }

    /// How many queued jobs would start before `cell`, by the latest snapshot. `None` where it is not queued, or
    /// where its rank panics.
    pub(crate) fn position(
        &self,
        cell: &Arc<JobCell<K>>,
        inbox: &Inbox<K, R>,
        outgoing: &Submissions<K>,
    ) -> Option<usize> {
        let is_outdated = !Arc::ptr_eq(&self.rank, &inbox.rank);
        let mut jobs = Vec::new();
        for lane in Lane::ALL {
            let held_back = self.held_back.iter().filter(|(of, _)| *of == lane);
            let queued = self.lanes[lane.index()].iter();
            for entry in queued.chain(held_back.map(|(_, entry)| entry)) {
                let age = inbox.turn.wrapping_sub(entry.turn);
                let latest = || panics::guard(|| inbox.rank.rank_aged(&entry.key, age)).ok();
                let priority = is_outdated.then(latest).flatten();
                let priority = priority.unwrap_or(entry.priority);
                jobs.push(((lane, priority, entry.turn, entry.key), &entry.cell));
            }
            let submitted = &inbox.submissions[lane.index()];
            for Submission { cell, turn } in submitted.iter().chain(&outgoing[lane.index()]) {
                if let Ok(priority) = panics::guard(|| inbox.rank.rank(&cell.key)) {
                    jobs.push(((lane, priority, *turn, cell.key), cell));
                }
            }
        }
        jobs.retain(|((lane, ..), cell)| cell.is_startable(*lane));
        let (own, _) = jobs.iter().find(|(_, other)| Arc::ptr_eq(other, cell))?;
        Some(jobs.iter().filter(|(other, _)| other < own).count())
    }

    fn enqueue(
        &mut self,
        lane: Lane,
        submission: Submission<K>,
        unrankable: &mut Vec<Unrankable<K>>,
    ) {
        let Submission { cell, turn } = submission;
        let key = cell.key;
        match panics::guard(|| self.rank.rank(&key)) {
            Ok(priority) => self.lanes[lane.index()].push(Entry {
                priority,
                turn,
                key,
                cell,
            }),
            Err(message) => unrankable.push(Unrankable { cell, message }),
        }
    }

    /// Ranks those again that the new snapshot affects.
    fn rerank_after(&mut self, former: &R) {
        let rank = Arc::clone(&self.rank);
        let Ok(Some(may_change)) = panics::guard(|| rank.may_change(former)) else {
            self.ranked = self.turn;
            return self.rerank();
        };
        let now = self.turn;
        let again = |entry: &Entry<K, R::Priority>| {
            let turns = now.wrapping_sub(entry.turn);
            if may_change(&entry.key, &entry.priority, turns) {
                rank.rank_aged(&entry.key, turns)
            } else {
                entry.priority
            }
        };
        if panics::guard(|| self.rerank_by(again)).is_err() {
            self.rerank();
        }
    }

    fn rerank(&mut self) {
        let (rank, now) = (Arc::clone(&self.rank), self.turn);
        let aged = |entry: &Entry<K, R::Priority>| {
            rank.rank_aged(&entry.key, now.wrapping_sub(entry.turn))
        };
        if panics::guard(|| self.rerank_by(aged)).is_err() {
            // One guard for each entry is slower, but then a panic for one key does not affect the others.
            self.rerank_by(|entry| panics::guard(|| aged(entry)).unwrap_or(entry.priority));
        }
    }

    fn rerank_by(&mut self, priority: impl Fn(&Entry<K, R::Priority>) -> R::Priority) {
        for lane in &mut self.lanes {
            lane.rerank(&priority);
        }
        for (_, entry) in &mut self.held_back {
            entry.priority = priority(entry);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::rank::{FnRank, MayChange};
    use super::*;
    use crate::job::{JobState, Version};
    use crate::sync::{AtomicUsize, Ordering};

    type Cells = Vec<Arc<JobCell<u32>>>;

    fn submission(cell: &Arc<JobCell<u32>>) -> Submission<u32> {
        Submission {
            cell: Arc::clone(cell),
            turn: 1,
        }
    }

    fn picker_with<R: Rank<u32>>(rank: R, keys: &[u32]) -> (Picker<u32, R>, Cells, usize) {
        let rank = Arc::new(rank);
        let mut picker = Picker::new(Arc::clone(&rank));
        let cells: Cells = (1..)
            .zip(keys)
            .map(|(version, key)| Arc::new(JobCell::new(*key, Version(version), Lane::Normal)))
            .collect();
        let mut inbox = Inbox {
            submissions: [
                Vec::new(),
                cells.iter().map(submission).collect(),
                Vec::new(),
            ],
            rank,
            turn: 1,
        };
        let news = picker.collect(&mut inbox);
        let mut unrankable = Vec::new();
        picker.merge(news, &mut unrankable);
        (picker, cells, unrankable.len())
    }

    fn picked<R: Rank<u32>>(picker: &mut Picker<u32, R>) -> Option<u32> {
        picker
            .pick(Reach::Everything)
            .0
            .map(|picked| picked.cell.key)
    }

    #[test]
    fn a_key_on_a_worker_holds_back_its_next_job_and_no_other() {
        let (mut picker, cells, _) = picker_with(FnRank(|k: &u32| *k), &[1]);
        assert_eq!(picked(&mut picker), Some(1));
        assert!(cells[0].end(JobState::Stale).is_some());
        let again = Arc::new(JobCell::new(1, Version(2), Lane::Normal));
        let other = Arc::new(JobCell::new(5, Version(3), Lane::Normal));
        picker.enqueue(Lane::Normal, submission(&again), &mut Vec::new());
        picker.enqueue(Lane::Normal, submission(&other), &mut Vec::new());
        assert_eq!(picked(&mut picker), Some(5));
        assert_eq!(picked(&mut picker), None);
        picker.finish(&1);
        assert_eq!(picked(&mut picker), Some(1));
    }

    #[test]
    fn dead_entries_are_removed_when_they_are_popped_or_compacted() {
        let (mut picker, cells, _) = picker_with(FnRank(|k: &u32| *k), &[1, 2, 3, 4]);
        assert!(cells[0].end(JobState::Cancelled).is_some());
        assert!(cells[3].end(JobState::Cancelled).is_some());
        let (first, dead) = picker.pick(Reach::Everything);
        assert_eq!((first.map(|p| p.cell.key), dead), (Some(2), 1));
        assert_eq!(picker.compact(), 1);
        assert_eq!(picker.len(), 1);
    }

    #[test]
    fn jobs_whose_comparison_panics_are_not_lost() {
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        struct Incomparable(u32);
        impl PartialOrd for Incomparable {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for Incomparable {
            fn cmp(&self, _: &Self) -> std::cmp::Ordering {
                std::panic::resume_unwind(Box::new("no order"))
            }
        }
        let rank = FnRank(|key: &u32| Incomparable(*key));
        let (mut picker, _, unrankable) = picker_with(rank, &[1, 2, 3]);
        assert_eq!(unrankable, 0);
        let mut keys: Vec<_> = std::iter::from_fn(|| picked(&mut picker)).collect();
        keys.sort_unstable();
        assert_eq!(keys, [1, 2, 3]);
    }

    #[test]
    fn a_rank_that_panics_affects_only_its_own_key() {
        let rank = FnRank(|key: &u32| {
            assert_ne!(*key, 2, "unlucky");
            *key
        });
        let (mut picker, _, unrankable) = picker_with(rank, &[1, 2, 3]);
        assert_eq!(unrankable, 1);
        picker.rerank();
        assert_eq!(picked(&mut picker), Some(1));
        assert_eq!(picked(&mut picker), Some(3));
    }

    /// The distance to a place, and which keys a new place may affect.
    struct Near {
        to: u32,
        ranked: AtomicUsize,
    }

    impl Near {
        fn new(to: u32) -> Self {
            let ranked = AtomicUsize::new(0);
            Self { to, ranked }
        }
    }

    impl Rank<u32> for Near {
        type Priority = u32;

        fn rank(&self, key: &u32) -> u32 {
            self.ranked.fetch_add(1, Ordering::Relaxed);
            // Beyond ten all are as far.
            key.abs_diff(self.to).min(10)
        }

        fn may_change(&self, former: &Self) -> Option<MayChange<u32, u32>> {
            let (now, then) = (self.to, former.to);
            (now != 999).then(|| -> MayChange<u32, u32> {
                Box::new(move |key, _, _| key.abs_diff(now).min(key.abs_diff(then)) < 10)
            })
        }
    }

    #[test]
    fn a_new_snapshot_ranks_the_jobs_that_it_may_affect_and_after_64_turns_all() {
        let keys: Vec<u32> = (0..1_000).collect();
        let (mut picker, _, _) = picker_with(Near::new(100), &keys);
        // The picked ones are no longer queued.
        for (turn, to, ranked) in [(2, 500, 38), (3, 999, 999), (66, 7, 17 + 9), (67, 8, 997)] {
            let rank = Arc::new(Near::new(to));
            let news = Inbox {
                submissions: no_submissions(),
                rank: Arc::clone(&rank),
                turn,
            };
            picker.merge(news, &mut Vec::new());
            assert_eq!(rank.ranked.load(Ordering::Relaxed), ranked, "{to}");
            assert_eq!(picked(&mut picker), Some(to));
        }
    }
}
