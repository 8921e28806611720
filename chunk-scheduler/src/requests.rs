//! How a request becomes a job, and how a job is withdrawn.

use crate::{
    desk::Finished,
    key::{Key, Lane, Version},
    panics,
    picker::Arrival,
    rank::Rank,
    scheduler::Scheduler,
    slot::{JobState, Slot},
    sync::Arc,
};

impl<K: Key, T: Send + 'static, R: Rank<K>> Scheduler<K, T, R> {
    pub(crate) fn enqueue(&mut self, key: K, lane: Lane) -> Version {
        self.last_version += 1;
        let version = Version(self.last_version);
        self.tally.requested += 1;
        self.quarantine.remove(&key);
        self.chronicle.note(version, self.now);
        if self.is_shut_down {
            self.tally.cancelled += 1;
            return version;
        }
        let slot = match self.ask_whether_empty(&key) {
            Some(content) => {
                self.tally.known_empty += 1;
                self.live_empties += 1;
                let slot = Arc::new(Slot::known_empty(key, version, lane));
                self.empties.owned().push_back(Finished {
                    slot: Arc::clone(&slot),
                    order: 0,
                    content,
                });
                slot
            }
            None => {
                let slot = Arc::new(Slot::new(key, version, lane));
                self.send(lane, Arc::clone(&slot));
                slot
            }
        };
        tracing::trace!(?key, version = version.get(), ?lane, "requested");
        self.live.insert(key, slot);
        version
    }

    fn ask_whether_empty(&mut self, key: &K) -> Option<T> {
        let known_empty = self.known_empty.as_ref()?;
        panics::guard(|| known_empty(key)).unwrap_or_else(|message| {
            self.tally.panics += 1;
            tracing::warn!(?key, "the known-empty hook panicked: {message}");
            None
        })
    }

    pub(crate) fn promote(&mut self, slot: &Arc<Slot<K>>, lane: Lane) {
        if slot.promote(lane) == Some(JobState::Queued) && !slot.is_known_empty() {
            // Its entry in the former lane is dead from here on.
            self.shared.count_dead_entry();
            self.send(lane, Arc::clone(slot));
        }
    }

    /// Queues a job; the runners see it from the next hand-over on.
    pub(crate) fn send(&mut self, lane: Lane, slot: Arc<Slot<K>>) {
        let turn = self.turn;
        self.outgoing[lane.index()].push(Arrival { slot, turn });
    }

    /// Ends the live job of `key`. Returns the lane it was in.
    pub(crate) fn end(&mut self, key: &K, end: JobState) -> Option<Lane> {
        let slot = self.live.remove(key)?;
        match end {
            JobState::Stale => self.tally.stale += 1,
            _ => self.tally.cancelled += 1,
        }
        let former = slot.end(end)?;
        self.shared.left(former);
        match former {
            JobState::Queued if slot.is_known_empty() => self.live_empties -= 1,
            JobState::Queued => self.shared.count_dead_entry(),
            JobState::InFlight => {
                let now = self.shared.now();
                let _ = self.desks.iter().any(|desk| desk.cancel(&slot, now));
            }
            JobState::Retrying => self.delayed.remove(key),
            JobState::Delivered => self.delivered -= 1,
            _ => {}
        }
        let was_made = matches!(former, JobState::Completed | JobState::Delivered);
        self.tally.discarded += u64::from(was_made && !slot.is_known_empty());
        tracing::trace!(?key, version = slot.version.get(), ?end, "ended");
        Some(slot.lane())
    }
}
