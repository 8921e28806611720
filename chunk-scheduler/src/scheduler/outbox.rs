//! New jobs that the next tick submits to the workers.

use crate::{
    job::{JobCell, Key, Lane},
    queue::{Rank, Submission, Submissions, no_submissions},
    sync::Arc,
    worker::Shared,
};

/// Dead entries are removed from the inbox when it holds more than twice the live jobs and this.
const INBOX_SLACK: usize = 1024;

#[derive(Debug)]
pub(super) struct Outbox<K> {
    submissions: Submissions<K>,
    /// How often jobs were submitted.
    turn: u32,
}

impl<K: Key> Outbox<K> {
    pub(super) fn new() -> Self {
        Self {
            submissions: no_submissions(),
            turn: 0,
        }
    }

    pub(super) fn push(&mut self, lane: Lane, cell: Arc<JobCell<K>>) {
        let turn = self.turn;
        self.submissions[lane.index()].push(Submission { cell, turn });
    }

    pub(super) fn contains(&self, cell: &Arc<JobCell<K>>) -> bool {
        let mut submissions = self.submissions[cell.lane().index()].iter();
        submissions.any(|submission| Arc::ptr_eq(&submission.cell, cell))
    }

    pub(super) fn submissions(&self) -> &Submissions<K> {
        &self.submissions
    }

    pub(super) fn clear(&mut self) {
        self.submissions = no_submissions();
    }

    /// Submits the jobs to the workers. `live` is the number of live jobs.
    pub(super) fn submit<T, R: Rank<K>>(&mut self, shared: &Shared<K, T, R>, live: usize) {
        if self.submissions.iter().all(Vec::is_empty) {
            return;
        }
        let _span = tracing::debug_span!("chunk_submit").entered();
        let waiting = shared.submit(&mut self.submissions, self.turn);
        self.turn = self.turn.wrapping_add(1);
        if waiting > 2 * live + INBOX_SLACK {
            // No worker has emptied the inbox, while jobs were requested and withdrawn.
            let mut recalled = shared.recall();
            for (lane, submissions) in Lane::ALL.into_iter().zip(&mut recalled) {
                submissions.retain(|submission| submission.cell.is_startable(lane));
            }
            shared.submit(&mut recalled, self.turn);
        }
        shared.worker_count.notify();
    }
}
