//! The scheduler's turn in each frame: judge failures, hand over work, see that somebody does it.

use std::time::Duration;

use crate::{
    desk::{Desk, Fault, empty_tray},
    key::{Key, Lane},
    picker::Reach,
    rank::Rank,
    retry::{Failure, Quarantined, backoff},
    runner,
    scheduler::Scheduler,
    slot::{JobState, Slot},
    sync::{Arc, Ordering},
};

/// Failures that are kept for [`Scheduler::failures`]; the log has them all.
const FAILURES_KEPT: usize = 256;
/// The inbox is searched for dead entries when it holds more than twice the live jobs and this.
const INBOX_SLACK: usize = 1024;

impl<K: Key, T: Send + 'static, R: Rank<K>> Scheduler<K, T, R> {
    /// Does what is due: judges failed attempts, brings back those whose wait is over, hands new
    /// requests to the runners and starts runners where some are missing. With
    /// [`Runtime::Inline`](crate::Runtime::Inline) it also does the work.
    ///
    /// `now` is any time that does not run backwards, such as the time since start-up. When nothing
    /// changed this costs well under a microsecond and allocates nothing.
    pub fn tick(&mut self, now: Duration) {
        if self.is_shut_down {
            return;
        }
        let _span = tracing::debug_span!("chunk_tick").entered();
        if !std::mem::replace(&mut self.has_ticked, true) {
            // The caller's clock may have run for hours: what was asked for before was asked now.
            self.chronicle.begin(now);
            self.now = now;
        }
        let frame = now.saturating_sub(self.now);
        self.now = self.now.max(now);
        self.collect_faults();
        if self.clear_dead_results() {
            self.shared.gate.poke();
        }
        self.bring_back();
        let compensated = self.watch_overruns();
        self.adapt(frame);
        self.say_when_the_pool_is_the_limit();
        let limit = self.controller.limit() + compensated;
        self.shared.limit.store(limit, Ordering::Release);
        self.hand_over();
        self.staff();
        self.executor.work(&self.shared.clock);
    }

    /// The failed attempts since the last call, oldest first. Keeps the newest 256 of them until
    /// asked; [`Counters::failures_unread`](crate::Counters::failures_unread) counts the others.
    pub fn failures(&mut self) -> impl Iterator<Item = Failure<K>> + '_ {
        self.failures.drain(..)
    }

    /// The keys that were given up, in their order.
    pub fn quarantined(&self) -> impl Iterator<Item = &Quarantined<K>> {
        self.quarantine.iter()
    }

    /// Asks again for every quarantined key, in the lane it was in. Returns how many there were.
    pub fn retry_quarantined(&mut self) -> usize {
        self.retry_quarantined_where(|_| true)
    }

    /// Asks again for the quarantined keys that `is_wanted` accepts, each in the lane it was in, and
    /// leaves the others where they are. Returns how many were asked for.
    pub fn retry_quarantined_where(&mut self, mut is_wanted: impl FnMut(&K) -> bool) -> usize {
        let entries = self.quarantine.iter().map(|entry| (entry.key, entry.lane));
        let wanted: Vec<_> = entries.filter(|(key, _)| is_wanted(key)).collect();
        for (key, lane) in &wanted {
            // A request takes the key off the list.
            self.request_in(*key, *lane);
        }
        wanted.len()
    }

    /// Forgets the quarantined keys. Returns how many there were.
    pub fn clear_quarantine(&mut self) -> usize {
        self.quarantine.clear().len()
    }

    pub(crate) fn collect_faults(&mut self) {
        if self.shared.counts.faults.load(Ordering::Acquire) == 0 {
            return;
        }
        let mut faults: Vec<Fault<K>> = Vec::new();
        for desk in &self.desks {
            faults.append(&mut desk.take_faults());
        }
        self.shared
            .counts
            .faults
            .fetch_sub(faults.len(), Ordering::AcqRel);
        // Which runner met which job is chance; what follows from it must not be.
        faults.sort_by_key(|fault| fault.slot.version);
        for fault in faults {
            if fault.holds_place {
                self.shared.places.release();
            }
            self.judge(&fault.slot, fault.message, fault.panicked);
        }
        self.shared.gate.poke();
    }

    /// Decides what becomes of a job that just failed. True when it will be tried again.
    pub(crate) fn judge(&mut self, slot: &Arc<Slot<K>>, message: String, panicked: bool) -> bool {
        let (key, version, attempts) = (slot.key, slot.version, slot.attempt());
        self.tally.panics += u64::from(panicked);
        let is_wanted = slot.state() == JobState::Retrying;
        let will_retry = is_wanted && attempts < self.config.retry.max_attempts;
        tracing::warn!(?key, attempts, will_retry, panicked, "failed: {message}");
        if will_retry {
            let wait = backoff(&self.config.retry, version, attempts.max(1));
            self.delayed
                .insert(self.now.saturating_add(wait), Arc::clone(slot));
        } else if is_wanted && slot.end(JobState::Failed).is_some() {
            self.live.remove(&key);
            self.tally.failed += 1;
            self.quarantine.insert(Quarantined {
                key,
                version,
                lane: slot.lane(),
                attempts,
                message: message.clone(),
                since: self.now,
            });
        }
        if self.failures.len() == FAILURES_KEPT {
            self.failures.pop_front();
            self.tally.failures_unread += 1;
        }
        self.failures.push_back(Failure {
            key,
            version,
            attempts,
            message,
            panicked,
            will_retry,
        });
        will_retry
    }

    fn bring_back(&mut self) {
        while let Some(slot) = self.delayed.pop_due(self.now) {
            if let Some(lane) = slot.retry() {
                self.tally.retried += 1;
                self.send(lane, slot);
            }
        }
    }

    /// Makes new work visible to the runners.
    fn hand_over(&mut self) {
        if self.outgoing.iter().all(Vec::is_empty) {
            return;
        }
        let _span = tracing::debug_span!("chunk_hand_over").entered();
        let waiting = self.shared.deliver(&mut self.outgoing, self.turn);
        self.turn = self.turn.wrapping_add(1);
        if waiting > 2 * self.live.len() + INBOX_SLACK {
            // Nobody takes anything, and meanwhile things were asked for and withdrawn.
            let mut recalled = self.shared.recall();
            for (lane, arrivals) in Lane::ALL.into_iter().zip(&mut recalled) {
                arrivals.retain(|arrival| arrival.slot.is_startable(lane));
            }
            self.shared.deliver(&mut recalled, self.turn);
        }
        self.shared.gate.poke();
    }

    /// Starts as many runners as there are jobs and places for, up to the limit. None where the
    /// last one found nothing that may start and nothing has changed since.
    pub(crate) fn staff(&mut self) {
        let depths = self.depths();
        let startable = depths
            .queued
            .saturating_sub(self.delayed.len() + self.live_empties);
        let limit = self.shared.limit.load(Ordering::Acquire);
        let vacancies = limit
            .saturating_sub(self.shared.gate.runners())
            .min(startable);
        if vacancies == 0 || self.shared.is_dry(Reach::Everything) {
            return;
        }
        let (mut free, mut reach) = (self.shared.places.free(), Reach::Everything);
        if free == 0 {
            self.tally.starts_refused += 1;
            if self.shared.is_dry(Reach::UrgentOnly) {
                return;
            }
            (free, reach) = (self.shared.places.free_urgent(), Reach::UrgentOnly);
        }
        for nth in 0..vacancies.min(free) {
            // A pool that shares this thread's core may have had it for all of the work meanwhile.
            if nth > 0 && self.shared.is_dry(reach) {
                return;
            }
            let desk = self.free_desk();
            self.shared.gate.enter();
            let runner = runner::run(Arc::clone(&self.shared), desk);
            self.executor.spawn(Box::pin(runner));
        }
    }

    fn free_desk(&mut self) -> Arc<Desk<K, T>> {
        let free = self.desks.iter().find(|desk| desk.claim());
        free.cloned().unwrap_or_else(|| {
            let desk = Arc::new(Desk::new());
            desk.claim();
            self.desks.push(Arc::clone(&desk));
            self.reported.push(None);
            self.trays.owned().push(empty_tray());
            desk
        })
    }
}
