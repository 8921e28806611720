//! What the main thread leaves for the runners, until one of them takes it over.

use crate::{slot::Slot, sync::Arc};

/// Work for the runners, by lane. The lane is part of an arrival, because a job can be promoted
/// while it waits.
pub(crate) type Arrivals<K> = [Vec<Arrival<K>>; 3];

/// A job on its way into the queue.
#[derive(Debug)]
pub(crate) struct Arrival<K> {
    pub(crate) slot: Arc<Slot<K>>,
    /// The turn it was handed over in.
    pub(crate) turn: u32,
}

/// What the main thread left for the runners.
#[derive(Debug)]
pub(crate) struct Inbox<K, R> {
    pub(crate) arrivals: Arrivals<K>,
    /// The latest published snapshot.
    pub(crate) rank: Arc<R>,
    /// Counts the times that work was handed over.
    pub(crate) turn: u32,
}

/// What a picker took from the inbox and has not sorted in yet.
#[derive(Debug)]
pub(crate) struct Merge<K, R> {
    pub(crate) arrivals: Arrivals<K>,
    pub(crate) rank: Option<Arc<R>>,
    pub(crate) turn: u32,
}
