//! What a job is called: its key, its version and its lane.

use std::{fmt::Debug, hash::Hash};

/// What names one thing to generate, usually a chunk coordinate.
///
/// Implemented for every type that has the listed traits. `Ord` breaks ties between jobs of equal
/// priority, so that the order never depends on a hash map.
pub trait Key: Copy + Eq + Ord + Hash + Debug + Send + Sync + 'static {}

impl<K: Copy + Eq + Ord + Hash + Debug + Send + Sync + 'static> Key for K {}

/// Which request of a key a result belongs to.
///
/// Drawn from one counter per scheduler that is never reset: a key that is forgotten and asked for
/// again cannot accept the result of its former life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub(crate) u64);

impl Version {
    /// The number itself, counted from 1.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

/// The class of a job. A lane is emptied before the next one is looked at, except that edits
/// without end do not stop loading: after 64 urgent jobs in a row a normal one is started. Nothing
/// is done for [`Lane::Prefetch`], which by its nature waits until all others are served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Overtakes everything: what the user just edited.
    Urgent,
    /// What the viewers want now.
    #[default]
    Normal,
    /// What they may want soon.
    Prefetch,
}

impl Lane {
    /// Every lane, first served first.
    pub const ALL: [Self; 3] = [Self::Urgent, Self::Normal, Self::Prefetch];

    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    pub(crate) const fn from_bits(bits: u8) -> Self {
        match bits {
            0 => Self::Urgent,
            1 => Self::Normal,
            _ => Self::Prefetch,
        }
    }
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requested {
    /// Nothing was live for this key; a job was queued under this version.
    New(Version),
    /// A job was live already and serves this request too.
    Coalesced(Version),
}

impl Requested {
    /// The version whose result will answer the request.
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
