//! What identifies and classifies a job: its key, its version and its lane.

use std::{fmt::Debug, hash::Hash};

/// Identifies one thing to generate, usually a chunk coordinate.
///
/// Implemented for every type that has the listed traits. `Ord` breaks ties between jobs of equal priority, so that
/// the order never depends on a hash map.
pub trait Key: Copy + Eq + Ord + Hash + Debug + Send + Sync + 'static {}

impl<K: Copy + Eq + Ord + Hash + Debug + Send + Sync + 'static> Key for K {}

/// Which request of a key a result belongs to.
///
/// Versions come from one counter per scheduler that is never reset. So a key that is withdrawn and requested again
/// cannot accept the result of the former request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub(crate) u64);

impl Version {
    /// The number, counted from 1.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

/// The class of a job. Jobs of a lane start before those of the next one, with one exception: after 64 urgent jobs in
/// a row a normal job starts, so that edits without end do not stop loading.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// What the user just edited. Overtakes all other jobs.
    Urgent,
    /// What the viewers want now.
    #[default]
    Normal,
    /// What the viewers may want soon.
    Prefetch,
}

impl Lane {
    /// Every lane, in the order in which they are served.
    pub const ALL: [Self; 3] = [Self::Urgent, Self::Normal, Self::Prefetch];

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

/// The outcome of a request or a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requested {
    /// A job was queued under this version.
    New(Version),
    /// The job of this version was live already, and serves this request too.
    Coalesced(Version),
}

impl Requested {
    /// The version whose result will answer the request. A newer one answers it too.
    #[must_use]
    pub fn version(self) -> Version {
        match self {
            Self::New(version) | Self::Coalesced(version) => version,
        }
    }

    /// Whether the request queued a job of its own.
    #[must_use]
    pub fn is_new(self) -> bool {
        matches!(self, Self::New(_))
    }
}
