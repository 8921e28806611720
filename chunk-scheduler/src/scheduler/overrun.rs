//! The watch over generators that do not return.

use std::{collections::VecDeque, time::Duration};

use super::workers::Workers;
use crate::{
    config::OverrunPolicy,
    job::{Key, Version},
    runtime::{ClockTime, WorkClock},
};

/// The most overruns kept for [`Scheduler::overruns`](crate::Scheduler::overruns), unless there are more workers. The log
/// has all of them.
const OVERRUNS_KEPT: usize = 64;

/// An attempt that has been running longer than [`OverrunPolicy::allowance`](crate::OverrunPolicy::allowance).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overrun<K> {
    /// The key that is being generated.
    pub key: K,
    /// Which request of it.
    pub version: Version,
    /// How long the attempt had been running when it was reported.
    pub age: Duration,
}

#[derive(Debug)]
pub(super) struct OverrunWatch<K> {
    /// For each worker slot the attempt that was last reported, identified by its version and its beginning.
    reported: Vec<Option<(Version, ClockTime)>>,
    unread: VecDeque<Overrun<K>>,
    /// How many were reported.
    pub(super) count: u64,
}

impl<K: Key> OverrunWatch<K> {
    pub(super) fn new() -> Self {
        Self {
            reported: Vec::new(),
            unread: VecDeque::new(),
            count: 0,
        }
    }

    /// The overruns since the last call, oldest first.
    pub(super) fn read(&mut self) -> impl Iterator<Item = Overrun<K>> + '_ {
        self.unread.drain(..)
    }

    /// Reports each overrunning attempt once. Returns by how much the limit is raised for those that overrun now.
    pub(super) fn watch<T: Send + 'static>(
        &mut self,
        policy: &OverrunPolicy,
        workers: &Workers<K, T>,
        clock: &WorkClock,
    ) -> usize {
        let Some(allowance) = policy.allowance else {
            return 0;
        };
        let mut now = None;
        let mut overrunning = 0;
        for (number, slot) in workers.slots().iter().enumerate() {
            let Some(began) = slot.began() else { continue };
            // Not read before, because a tick without jobs on workers should not read the clock.
            let now = *now.get_or_insert_with(|| clock.now());
            if now.since(began) <= allowance {
                continue;
            }
            // The slot may have another job by now.
            let overruns = |(_, began): &(_, ClockTime)| now.since(*began) > allowance;
            let Some((cell, began)) = slot.current().filter(overruns) else {
                continue;
            };
            let age = now.since(began);
            overrunning += 1;
            if self.reported.len() <= number {
                self.reported.resize(number + 1, None);
            }
            let attempt = Some((cell.version, began));
            if std::mem::replace(&mut self.reported[number], attempt) == attempt {
                continue;
            }
            self.count += 1;
            let (key, version) = (cell.key, cell.version);
            tracing::warn!(?key, ?age, "still generating");
            if self.unread.len() >= workers.slots().len().max(OVERRUNS_KEPT) {
                self.unread.pop_front();
            }
            self.unread.push_back(Overrun { key, version, age });
        }
        overrunning.min(policy.max_compensated)
    }
}
