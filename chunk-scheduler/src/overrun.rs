//! The watch over generators that do not return.

use std::time::Duration;

use crate::{
    key::{Key, Version},
    rank::Rank,
    scheduler::Scheduler,
};

/// Overruns that are kept for [`Scheduler::overruns`]; the log has them all.
const OVERRUNS_KEPT: usize = 64;

/// An attempt that has been running longer than
/// [`OverrunPolicy::allowance`](crate::OverrunPolicy::allowance).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overrun<K> {
    /// What is being generated.
    pub key: K,
    /// Which request of it.
    pub version: Version,
    /// How long the attempt had been running when it was noticed.
    pub age: Duration,
}

impl<K: Key, T: Send + 'static, R: Rank<K>> Scheduler<K, T, R> {
    /// The overruns since the last call, oldest first. Keeps the newest 64 of them.
    pub fn overruns(&mut self) -> impl Iterator<Item = Overrun<K>> + '_ {
        self.overruns.drain(..)
    }

    /// Reports each overrunning attempt once. Returns how many runners may stand in for those that
    /// overrun now.
    pub(crate) fn watch_overruns(&mut self) -> usize {
        let Some(allowance) = self.config.overrun.allowance else {
            return 0;
        };
        let mut now = None;
        let mut overrunning = 0;
        for (desk, reported) in self.desks.iter().zip(&mut self.reported) {
            let Some(began) = desk.began() else { continue };
            // The clock is only read when somebody is at work.
            let now = *now.get_or_insert_with(|| self.shared.now());
            if now.saturating_sub(began) <= allowance {
                continue;
            }
            let Some((slot, began)) = desk.current() else {
                continue;
            };
            let age = now.saturating_sub(began);
            if age <= allowance {
                continue;
            }
            overrunning += 1;
            if reported.replace((slot.version, began)) == Some((slot.version, began)) {
                continue;
            }
            self.tally.overruns += 1;
            let (key, version) = (slot.key, slot.version);
            tracing::warn!(?key, ?age, "still generating");
            if self.overruns.len() == OVERRUNS_KEPT {
                self.overruns.pop_front();
            }
            self.overruns.push_back(Overrun { key, version, age });
        }
        overrunning.min(self.config.overrun.max_compensated)
    }
}
