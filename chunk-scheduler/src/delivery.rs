//! The way of a result: drained, then applied, or not.

use crate::{
    desk::Finished,
    key::{Key, Lane, Version},
    rank::Rank,
    rubbish::sweep,
    scheduler::Scheduler,
    slot::JobState,
    sync::Arc,
};

/// A result, handed over once.
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
    /// Hands up to `max` results to `sink`, in the order in which their jobs were started, and never more than the backlog has room for. Results
    /// of jobs that were cancelled or superseded are discarded on the way, and count towards `max`
    /// because dropping them costs time too. Returns how many were handed over.
    ///
    /// Each one handed over stays live until [`Self::applied`], [`Self::apply_failed`],
    /// [`Self::cancel`] or [`Self::refresh`] settles it.
    pub fn drain(&mut self, max: usize, mut sink: impl FnMut(Delivered<K, T>)) -> usize {
        let room = self.config.backlog_capacity - self.delivered;
        let before = self.delivered;
        let mut has_freed = false;
        let mut unwanted = Vec::new();
        // Turn and turn about, so that neither real results nor known-empty ones wait for all of
        // the others.
        let mut prefer_empty = false;
        self.empty_desks();
        for _ in 0..max.min(room) {
            let next = if prefer_empty {
                self.next_empty().or_else(|| self.next_result())
            } else {
                self.next_result().or_else(|| self.next_empty())
            };
            let Some(Finished { slot, content, .. }) = next else {
                break;
            };
            prefer_empty = !prefer_empty;
            let ready = if slot.is_known_empty() {
                JobState::Queued
            } else {
                has_freed = true;
                self.shared.places.release();
                JobState::Completed
            };
            if !slot.advance(ready, JobState::Delivered) {
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
        self.live.get(&key).map(|slot| slot.version)
    }

    /// Says that a delivered result has reached its destination. False when it is out of date by
    /// now (and already counted as cancelled or stale): what was made of it should go.
    #[must_use = "an outdated result must not stay"]
    pub fn applied(&mut self, key: K, version: Version) -> bool {
        let Some(slot) = self.live.get(&key) else {
            return false;
        };
        if slot.version != version || !slot.advance(JobState::Delivered, JobState::Applied) {
            return false;
        }
        self.live.remove(&key);
        self.delivered -= 1;
        self.tally.applied += 1;
        true
    }

    /// Says that a delivered result could not be applied. It is treated like a failed attempt: the
    /// key is generated again after a wait, or quarantined. True when it will be tried again.
    pub fn apply_failed(&mut self, key: K, version: Version, message: impl Into<String>) -> bool {
        let Some(slot) = self.live.get(&key).map(Arc::clone) else {
            return false;
        };
        if slot.version != version || !slot.advance(JobState::Delivered, JobState::Retrying) {
            return false;
        }
        self.delivered -= 1;
        self.tally.discarded += u64::from(!slot.is_known_empty());
        self.judge(&slot, message.into(), false)
    }

    /// Drops every result that was not handed over.
    pub(crate) fn discard_results(&mut self) {
        self.empty_desks();
        while let Some(Finished { content, .. }) = self.next_result() {
            self.shared.places.release();
            sweep(&self.shared, [content]);
        }
        while let Some(Finished { content, .. }) = self.next_empty() {
            sweep(&self.shared, [content]);
        }
    }

    /// The result whose job was started first of those at hand.
    fn next_result(&mut self) -> Option<Finished<K, T>> {
        let mut trays = self.trays.owned();
        let heads = trays.iter().enumerate().filter_map(|(desk, tray)| {
            let head = tray.front()?;
            Some((head.order, desk))
        });
        let (_, desk) = heads.min()?;
        let result = trays[desk].pop_front();
        if trays[desk].is_empty() {
            // What lies on that desk by now may be next.
            self.desks[desk].swap_results(&mut trays[desk]);
        }
        result
    }

    /// Swaps the tray on each desk with its empty one, if that is empty.
    fn empty_desks(&mut self) {
        if self.shared.places.taken() == 0 {
            return;
        }
        for (desk, tray) in self.desks.iter().zip(self.trays.owned().iter_mut()) {
            if tray.is_empty() {
                desk.swap_results(tray);
            }
        }
    }

    fn next_empty(&mut self) -> Option<Finished<K, T>> {
        self.empties.owned().pop_front()
    }
}
