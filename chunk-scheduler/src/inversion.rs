//! I5, watched at work: was a job started although a better one was queued?
//!
//! A pick merges everything that was published before it, so the best job is started by
//! construction. What comes in while the pick is under way is what can make it the wrong one, and
//! then the epoch has moved: one look at it is all that a pick costs when nothing did.

use crate::{
    key::{Key, Lane},
    panics,
    picker::{Picked, Picker, Unrankable},
    queue::Entry,
    rank::Rank,
    shared::Shared,
    sync::Ordering,
};

impl<K: Key, T, R: Rank<K>> Shared<K, T, R> {
    /// Counts an inversion if what came in during the pick made another job the better one. What
    /// is merged for that, the next pick need not. Returns how many dead entries were cleared away.
    pub(crate) fn watch_for_inversion(
        &self,
        picker: &mut Picker<K, R>,
        picked: &Picked<K>,
        unrankable: &mut Vec<Unrankable<K>>,
    ) -> usize {
        // This look doubles what the models have to try, and the merge is what the next pick would do
        // first, under the same lock: they go without.
        if cfg!(loom) || picker.merged == self.epoch.load(Ordering::Acquire) {
            return 0;
        }
        self.merge_news(picker, unrankable);
        let (is_overtaken, dead) = picker.is_overtaken(picked);
        if is_overtaken {
            self.counts.inversions.fetch_add(1, Ordering::Relaxed);
        }
        dead
    }
}

impl<K: Key, R: Rank<K>> Picker<K, R> {
    /// Whether a startable job of the same lane is sooner than `picked`, by the latest snapshot.
    fn is_overtaken(&mut self, picked: &Picked<K>) -> (bool, usize) {
        let (next, dead) = self.take_startable(picked.lane);
        let Some(next) = next else {
            return (false, dead);
        };
        let age = self.turn.wrapping_sub(picked.turn);
        let is_overtaken = panics::guard(|| {
            let started = self.rank.rank_aged(&picked.slot.key, age);
            self.rank.is_inversion(started, next.priority)
        });
        self.lanes[picked.lane.index()].push(next);
        (is_overtaken.unwrap_or(false), dead)
    }

    /// The best entry of the lane that stands for a job that could be started now.
    fn take_startable(&mut self, lane: Lane) -> (Option<Entry<K, R::Priority>>, usize) {
        let mut dead = 0;
        while let Some(entry) = self.lanes[lane.index()].pop() {
            if !entry.slot.is_startable(lane) {
                dead += 1;
            } else if self.running.contains(&entry.key) {
                self.held_back.push((lane, entry));
            } else {
                return (Some(entry), dead);
            }
        }
        (None, dead)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::{Generator, Job, Scheduler, SchedulerConfig, Simulation, sync::Arc};
    use std::{cell::RefCell, cmp::Ordering};

    type Hook = Box<dyn FnOnce()>;

    thread_local! {
        /// Called when priorities are compared, which is in the middle of a pick.
        static DURING_PICK: RefCell<Option<Hook>> = const { RefCell::new(None) };
    }

    #[derive(Clone, Copy, PartialEq, Eq)]
    struct Distance(u32);

    impl Ord for Distance {
        fn cmp(&self, other: &Self) -> Ordering {
            if let Some(hook) = DURING_PICK.take() {
                hook();
            }
            self.0.cmp(&other.0)
        }
    }

    impl PartialOrd for Distance {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }

    /// Nearest to a viewer on a line; rings are ten wide.
    struct Near(u32);

    impl Rank<u32> for Near {
        type Priority = Distance;

        fn rank(&self, key: &u32) -> Distance {
            Distance(key.abs_diff(self.0))
        }

        fn is_inversion(&self, started: Distance, queued: Distance) -> bool {
            queued.0 / 10 < started.0 / 10
        }
    }

    /// Three jobs; while the first is picked the viewer, who was at 0, goes to `there`. Returns the
    /// inversions, and the keys in the order in which they were made.
    fn inversions(there: Option<u32>, withdrawn: Option<u32>) -> (u64, Vec<u32>) {
        let simulation = Simulation::new(1);
        let config = SchedulerConfig {
            max_in_flight: 1,
            ..SchedulerConfig::default()
        };
        let generator = Generator::new(|job: &Job<u32>| job.key());
        let mut scheduler = Scheduler::new(config, generator, simulation.runtime(), Near(0))
            .expect("the configuration is valid");
        for key in [0, 5, 50] {
            scheduler.request(key);
        }
        scheduler.tick(simulation.now());
        if let Some(key) = withdrawn {
            scheduler.cancel(key);
        }
        let shared = Arc::clone(&scheduler.shared);
        if let Some(there) = there {
            let go: Hook = Box::new(move || shared.publish(Arc::new(Near(there))));
            DURING_PICK.set(Some(go));
        }
        simulation.run();
        assert!(DURING_PICK.take().is_none(), "it was in the middle");
        let mut made = Vec::new();
        scheduler.drain(usize::MAX, |result| made.push(result.key));
        scheduler.audit().expect("the ledger adds up");
        (scheduler.counters().inversions, made)
    }

    #[test]
    fn a_job_that_is_overtaken_while_it_is_picked_is_counted() {
        assert_eq!(inversions(Some(55), None), (1, vec![0, 50, 5]));
    }

    #[test]
    fn less_than_a_ring_is_no_inversion() {
        assert_eq!(inversions(Some(5), None), (0, vec![0, 5, 50]));
    }

    #[test]
    fn a_withdrawn_job_overtakes_nobody() {
        assert_eq!(inversions(Some(55), Some(50)), (0, vec![0, 5]));
    }

    #[test]
    fn without_news_nothing_is_overtaken() {
        assert_eq!(inversions(None, None), (0, vec![0, 5, 50]));
    }
}
