//! When workers are started.

use super::{Scheduler, workers::Started};
use crate::{job::Key, queue::Rank};

impl<K: Key, T: Send + 'static, R: Rank<K>> Scheduler<K, T, R> {
    /// With `true`, no worker is started until `false`: those that run go on, and the others wait. A caller says so before it
    /// ticks and drains, and takes it back when it has applied what it drained. An operating system may run the thread of
    /// a worker that starts on the core of the thread that starts it, which then waits for milliseconds, also where other cores
    /// are idle.
    ///
    /// No effect with [`Runtime::Inline`](crate::Runtime::Inline), where a tick runs the jobs, nor after [`Self::shutdown`].
    pub fn hold_workers(&mut self, are_held: bool) {
        let are_held = are_held && self.inline_budget().is_none();
        let were_held = std::mem::replace(&mut self.workers.are_held, are_held);
        if were_held && !are_held && !self.is_shut_down {
            self.spawn_workers();
        }
    }

    pub(super) fn spawn_workers(&mut self) {
        let startable = self.startable();
        let started = self.workers.spawn_workers(&self.shared, startable);
        self.tally.starts_refused += u64::from(started == Started::NoPermit);
        self.results.make_room(self.workers.slots().len());
    }
}
