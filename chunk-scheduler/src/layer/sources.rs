//! What a value or a chunk was made from, and what an edit reaches.

use crate::{
    job::Version,
    sync::{Arc, Mutex, MutexGuard, OnceLock},
};
use ahash::AHashMap;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Hashes alike in each run, so that a replay is exact.
pub(super) fn hasher() -> ahash::RandomState {
    ahash::RandomState::with_seeds(1, 2, 3, 4)
}

/// What a chunk was made from: every value of a layer that its generator read, and what those were made from. It takes eight
/// bytes for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources(
    /// The numbers of the values, sorted. Two values have the same by a chance of one in 2⁶⁴.
    Arc<[u64]>,
);

impl Sources {
    fn contain(&self, id: u64) -> bool {
        self.0.binary_search(&id).is_ok()
    }
}

/// What [`Layer::invalidate`](super::Layer::invalidate) took away: values of layers, and whatever was made from them.
#[derive(Clone, Debug, Default)]
#[must_use = "what was made from these values is still as it was"]
pub struct Invalidated {
    /// The values that were named.
    edited: BTreeSet<u64>,
    /// These and all values that were made, or are being made, from them.
    all: BTreeSet<u64>,
}

impl Invalidated {
    pub(super) fn edit(&mut self, id: u64) {
        self.edited.insert(id);
        self.all.insert(id);
    }

    pub(super) fn reach(&mut self, id: u64) {
        self.all.insert(id);
    }

    /// Adds what another invalidation took away, so that both are answered together.
    pub fn merge(&mut self, other: Self) {
        self.edited.extend(other.edited);
        self.all.extend(other.all);
    }

    /// Whether something was made from any of these values.
    #[must_use]
    pub fn reaches(&self, sources: &Sources) -> bool {
        // By the shorter of both lists.
        if sources.0.len() < self.edited.len() {
            return sources.0.iter().any(|id| self.edited.contains(id));
        }
        self.edited.iter().any(|id| sources.contain(*id))
    }

    /// The same of something that is being made, which may wait for a value whose own sources are not known yet.
    pub(crate) fn reaches_unfinished(&self, reads: &Reads) -> bool {
        let Some(seen) = reads.seen() else {
            return false;
        };
        let is_reached = |(id, sources): (&u64, &Option<Sources>)| {
            self.all.contains(id) || sources.as_ref().is_some_and(|it| self.reaches(it))
        };
        seen.values.iter().any(is_reached) || seen.former.iter().any(|it| self.reaches(it))
    }
}

/// What a job or a maker has read so far. It allocates nothing before the first.
#[derive(Default)]
pub(crate) struct Reads(OnceLock<Mutex<Seen>>);

struct Seen {
    /// By their numbers; `None` while a value is being made.
    values: AHashMap<u64, Option<Sources>>,
    /// What else these values were made from, where one was read again that had been made anew meanwhile.
    former: Vec<Sources>,
    /// The bytes of the values of each layer.
    bytes: Vec<((usize, usize), usize)>,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            // As many as are around a chunk, and itself.
            values: AHashMap::with_capacity_and_hasher(27, hasher()),
            former: Vec::new(),
            bytes: Vec::new(),
        }
    }
}

impl Reads {
    fn seen(&self) -> Option<MutexGuard<'_, Seen>> {
        self.0.get().map(Mutex::lock)
    }

    fn seen_or_new(&self) -> MutexGuard<'_, Seen> {
        self.0.get_or_init(Mutex::default).lock()
    }

    /// Whether nothing was read.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.get().is_none()
    }

    /// Notes that a value is being read that is not made yet.
    pub(super) fn begin(&self, id: u64) {
        self.seen_or_new().values.entry(id).or_default();
    }

    /// Notes what a value was made from. Returns how many bytes of its layer were read by now.
    pub(super) fn end(
        &self,
        id: u64,
        sources: &Sources,
        layer: (usize, usize),
        bytes: usize,
    ) -> usize {
        let mut seen = self.seen_or_new();
        let known = seen.values.entry(id).or_default();
        match known {
            Some(known) if Arc::ptr_eq(&known.0, &sources.0) => return 0,
            Some(known) => {
                let former = std::mem::replace(known, sources.clone());
                seen.former.push(former);
                return 0;
            }
            None => *known = Some(sources.clone()),
        }
        if let Some((_, sum)) = seen.bytes.iter_mut().find(|(other, _)| *other == layer) {
            *sum = sum.saturating_add(bytes);
            return *sum;
        }
        seen.bytes.push((layer, bytes));
        bytes
    }

    /// All that something was made from, which is `own` itself.
    pub(crate) fn sources(&self, own: Option<u64>) -> Sources {
        let mut ids = Vec::from_iter(own);
        if let Some(seen) = self.seen() {
            let sources = seen.values.values().flatten().chain(&seen.former);
            ids.extend(sources.flat_map(|sources| sources.0.iter()));
            // The others are among their own sources.
            let is_unknown = |(_, sources): &(&u64, &Option<Sources>)| sources.is_none();
            ids.extend(seen.values.iter().filter(is_unknown).map(|(id, _)| *id));
        }
        ids.sort_unstable();
        ids.dedup();
        Sources(ids.into())
    }
}

impl fmt::Debug for Reads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Reads").finish_non_exhaustive()
    }
}

/// What the results are made from that were not applied yet. Nothing where no generator reads a layer.
pub(crate) struct MadeFrom<K>(OnceLock<Mutex<BTreeMap<Version, (K, Sources)>>>);

impl<K: Copy> MadeFrom<K> {
    pub(crate) fn new() -> Self {
        Self(OnceLock::new())
    }

    pub(crate) fn insert(&self, version: Version, key: K, sources: Sources) {
        let results = self.0.get_or_init(Mutex::default);
        results.lock().insert(version, (key, sources));
    }

    pub(crate) fn remove(&self, version: Version) {
        if let Some(results) = self.0.get() {
            results.lock().remove(&version);
        }
    }

    pub(crate) fn of(&self, version: Version) -> Option<Sources> {
        let results = self.0.get()?.lock();
        results.get(&version).map(|(_, sources)| sources.clone())
    }

    pub(crate) fn reached(&self, invalidated: &Invalidated, keys: &mut Vec<K>) {
        if let Some(results) = self.0.get() {
            let results = results.lock();
            let reached = results.values().filter(|(_, it)| invalidated.reaches(it));
            keys.extend(reached.map(|(key, _)| *key));
        }
    }
}
