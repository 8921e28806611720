//! Jobs that the main thread submitted and no worker has queued yet.

use crate::{
    job::{JobCell, Lane},
    sync::Arc,
};

/// Submitted jobs, by the lane they were submitted in. A job's own lane may differ, because it can be promoted
/// meanwhile.
pub(crate) type Submissions<K> = [Vec<Submission<K>>; 3];

pub(crate) fn no_submissions<K>() -> Submissions<K> {
    Lane::ALL.map(|_| Vec::new())
}

/// A submitted job.
#[derive(Debug)]
pub(crate) struct Submission<K> {
    pub(crate) cell: Arc<JobCell<K>>,
    /// The turn in which it was submitted.
    pub(crate) turn: u32,
}

/// Filled by the main thread, emptied by workers.
#[derive(Debug)]
pub(crate) struct Inbox<K, R> {
    pub(crate) submissions: Submissions<K>,
    /// The latest published snapshot.
    pub(crate) rank: Arc<R>,
    /// How often the main thread has submitted jobs.
    pub(crate) turn: u32,
}
