//! Jobs that the main thread submitted and no worker has sorted in yet.

use crate::{
    job::{JobCell, Lane},
    sync::Arc,
};

/// Jobs on their way into the queue, by lane. The lane is not read from the job, because a job can be promoted while it
/// waits.
pub(crate) type Submissions<K> = [Vec<Submission<K>>; 3];

pub(crate) fn no_submissions<K>() -> Submissions<K> {
    Lane::ALL.map(|_| Vec::new())
}

/// A job on its way into the queue.
#[derive(Debug)]
pub(crate) struct Submission<K> {
    pub(crate) cell: Arc<JobCell<K>>,
    /// The turn in which it was submitted.
    pub(crate) turn: u32,
}

/// Written by the main thread, emptied by workers.
#[derive(Debug)]
pub(crate) struct Inbox<K, R> {
    pub(crate) submissions: Submissions<K>,
    /// The latest published snapshot.
    pub(crate) rank: Arc<R>,
    /// The number of times that the main thread submitted jobs.
    pub(crate) turn: u32,
}
