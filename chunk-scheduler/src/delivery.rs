//! The way of a result: drained, then applied, or not.

use crate::{
    desk::{Desk, Finished, Tray},
    key::{Key, Lane, Version},
    rank::Rank,
    rubbish::sweep,
    scheduler::Scheduler,
    slot::JobState,
    sync::Arc,
};

/// A result, handed over once.
#[must_use = "it stays live until it is settled"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered<K, T> {
    /// What was generated.
    pub key: K,
    /// Which request of it; give it back with [`Scheduler::applied`].
    pub version: Version,
    /// The lane it came through, so that an urgent one overtakes in the caller's queue as well.
    pub lane: Lane,
    /// What the generator returned.
    pub content: T,
}

impl<K: Key, T: Send + 'static, R: Rank<K>> Scheduler<K, T, R> {
    /// Hands up to `max` results to `sink`: the urgent ones first, then the others in the order in
    /// which their jobs were started, and never more than the backlog has room for
    /// ([`urgent_reserve`](crate::SchedulerConfig::urgent_reserve) is for the urgent ones alone).
    /// Results of jobs that were cancelled or superseded are discarded on the way, and count
    /// towards neither. Returns how many were handed over.
    ///
    /// Each one handed over stays live until [`Self::applied`], [`Self::apply_failed`],
    /// [`Self::cancel`] or [`Self::refresh`] settles it.
    pub fn drain(&mut self, max: usize, mut sink: impl FnMut(Delivered<K, T>)) -> usize {
        let before = self.delivered;
        let most = before.saturating_add(max);
        let mut has_freed = self.clear_dead_results();
        self.forget_dead_empties(self.live_empties);
        self.move_promoted();
        self.empty_desks();
        let mut unwanted = Vec::new();
        let mut prefer_empty = false;
        while self.delivered < most {
            let Some(Finished { slot, content, .. }) = self.next(&mut prefer_empty) else {
                break;
            };
            let ready = if slot.is_known_empty() {
                JobState::Queued
            } else {
                has_freed = true;
                self.shared.places.release();
                JobState::Completed
            };
            if !slot.advance(ready, JobState::Delivered) {
                if ready == JobState::Completed {
                    self.dead_results -= 1;
                }
                unwanted.push(content);
                continue;
            }
            self.shared.left(ready);
            if ready == JobState::Queued {
                self.live_empties -= 1;
            }
            self.delivered += 1;
            sink(Delivered {
                key: slot.key,
                version: slot.version,
                lane: slot.lane(),
                content,
            });
        }
        if has_freed && !self.is_shut_down {
            self.shared.gate.poke();
            self.staff();
        }
        self.discard(unwanted);
        self.delivered - before
    }

    /// The version of the job that is live for `key`, if there is one.
    #[must_use]
    pub fn live_version(&self, key: K) -> Option<Version> {
        self.live.find(&key).map(|slot| slot.version)
    }

    /// Says that a delivered result has reached its destination. False when it is out of date by
    /// now (and already counted as cancelled or stale): what was made of it should go.
    #[must_use = "an outdated result must not stay"]
    pub fn applied(&mut self, key: K, version: Version) -> bool {
        let Some(slot) = self.live.find(&key).map(Arc::clone) else {
            return false;
        };
        if slot.version != version || !slot.advance(JobState::Delivered, JobState::Applied) {
            return false;
        }
        self.live.remove(&key);
        self.delivered -= 1;
        self.tally.applied += 1;
        self.applied_empties += u64::from(slot.is_known_empty());
        true
    }

    /// Says that a delivered result could not be applied. It is treated like a failed attempt: the
    /// key is generated again after a wait, or quarantined. True when it will be tried again.
    pub fn apply_failed(&mut self, key: K, version: Version, message: impl Into<String>) -> bool {
        let Some(slot) = self.live.find(&key).map(Arc::clone) else {
            return false;
        };
        if slot.version != version || !slot.advance(JobState::Delivered, JobState::Retrying) {
            return false;
        }
        self.delivered -= 1;
        self.count_wasted(&slot);
        self.judge(&slot, message.into(), false)
    }

    /// Drops every result that was not handed over.
    pub(crate) fn discard_results(&mut self) {
        let mut prefer_empty = false;
        self.empty_desks();
        // Nothing is live any more, so all of it is dead.
        while let Some(Finished { slot, content, .. }) = self.next_of_any(&mut prefer_empty) {
            if !slot.is_known_empty() {
                self.shared.places.release();
                self.dead_results -= 1;
            }
            sweep(&self.shared, [content]);
        }
    }

    /// Gives back the places of results that nobody waits for, wherever they lie and whether or not
    /// anything can be drained. True when there were any.
    pub(crate) fn clear_dead_results(&mut self) -> bool {
        if self.dead_results == 0 {
            return false;
        }
        self.gather();
        let mut unwanted = Vec::new();
        for tray in self.trays.owned().iter_mut().flatten() {
            // Kept in order; what goes is counted by the queue it goes to.
            for _ in 0..tray.len() {
                let Some(result) = tray.pop_front() else {
                    break;
                };
                match result.slot.state() {
                    JobState::Completed => tray.push_back(result),
                    _ => unwanted.push(result.content),
                }
            }
        }
        self.dead_results -= unwanted.len();
        for _ in &unwanted {
            self.shared.places.release();
        }
        let has_freed = !unwanted.is_empty();
        self.discard(unwanted);
        has_freed
    }

    /// Moves finished results whose jobs were promoted meanwhile to where they overtake.
    fn move_promoted(&mut self) {
        if !std::mem::take(&mut self.has_promoted_results) {
            return;
        }
        self.gather();
        for tray in self.trays.owned().iter_mut() {
            for lane in [Lane::Normal, Lane::Prefetch] {
                let rises = |result: &Finished<K, T>| result.slot.lane() < lane;
                while let Some(at) = tray[lane.index()].iter().position(rises) {
                    let Some(result) = tray[lane.index()].remove(at) else {
                        break;
                    };
                    let higher = &mut tray[result.slot.lane().index()];
                    let at = higher.partition_point(|other| other.order < result.order);
                    higher.insert(at, result);
                }
            }
        }
    }

    /// What is handed over next, if the backlog has room for it.
    fn next(&mut self, prefer_empty: &mut bool) -> Option<Finished<K, T>> {
        let capacity = self.config.backlog_capacity;
        if self.delivered < capacity {
            return self.next_of_any(prefer_empty);
        }
        let reserve = self.config.urgent_reserve;
        (self.delivered < capacity.saturating_add(reserve))
            .then(|| self.next_urgent())
            .flatten()
    }

    /// Among those that are not urgent real results and known-empty ones take turns, so that
    /// neither wait for all of the others.
    fn next_of_any(&mut self, prefer_empty: &mut bool) -> Option<Finished<K, T>> {
        let urgent = self.next_urgent();
        if urgent.is_some() {
            return urgent;
        }
        let is_empty_first = std::mem::replace(prefer_empty, !*prefer_empty);
        if is_empty_first {
            self.next_empty().or_else(|| self.next_result())
        } else {
            self.next_result().or_else(|| self.next_empty())
        }
    }

    fn next_urgent(&mut self) -> Option<Finished<K, T>> {
        self.next_in(Lane::Urgent).or_else(|| {
            // Urgent ones stand in front of the others.
            let mut empties = self.empties.owned();
            let is_urgent = empties.front()?.slot.lane() == Lane::Urgent;
            is_urgent.then(|| empties.pop_front()).flatten()
        })
    }

    fn next_result(&mut self) -> Option<Finished<K, T>> {
        Lane::ALL.into_iter().find_map(|lane| self.next_in(lane))
    }

    /// The result of this lane whose job was started first of those at hand.
    fn next_in(&mut self, lane: Lane) -> Option<Finished<K, T>> {
        let mut trays = self.trays.owned();
        let heads = trays.iter().enumerate().filter_map(|(desk, tray)| {
            let head = tray[lane.index()].front()?;
            Some((head.order, desk))
        });
        let (_, desk) = heads.min()?;
        let queue = &mut trays[desk][lane.index()];
        let result = queue.pop_front();
        if queue.is_empty() {
            // What lies on that desk by now may be next.
            self.desks[desk].swap_lane(lane, queue);
        }
        result
    }

    fn next_empty(&mut self) -> Option<Finished<K, T>> {
        self.empties.owned().pop_front()
    }

    /// Swaps the trays on each desk with the empty ones.
    fn empty_desks(&mut self) {
        if self.shared.places.taken() > 0 {
            self.each_desk(Desk::swap_results);
        }
    }

    /// Takes everything that lies on the desks.
    fn gather(&mut self) {
        self.each_desk(Desk::take_results);
    }

    fn each_desk(&mut self, visit: impl Fn(&Desk<K, T>, &mut Tray<K, T>)) {
        for (desk, tray) in self.desks.iter().zip(self.trays.owned().iter_mut()) {
            visit(desk, tray);
        }
    }
}
