//! The layers of one world, in the order in which they were made.

use super::{core::Layer, hasher, reader::LayerJob, sources::Invalidated};
use crate::{
    job::{GenerateError, Key},
    sync::{Arc, Mutex, Weak},
};
use std::{fmt, hash::Hash};

/// The layers of one world: intermediate results that generators share, of any coordinate, made when they are read.
///
/// What a chunk contains often depends on more than its own place: heights, voxels or light beyond its border, a tree that
/// overhangs. A generator reads these for any key, and does not care whether its neighbours are loaded. A value is made
/// once while it fits into its layer's bytes, by whoever reads it first. Neighbours are read, never written, so what a
/// chunk contains does not depend on order or threads.
///
/// A maker owns the layers that it reads, which were made before it: so a thread waits only for layers before its own, and no
/// two wait for each other.
///
/// ```
/// use chunk_scheduler::prelude::*;
/// use std::time::Duration;
///
/// let layers = Layers::new();
/// // As many bytes as may be kept, and how many a value takes.
/// let heights = layers.add("heights", 1 << 20, |_: &i32| 4, |_, at: [i32; 2]| Ok(at[0] * at[1] % 7));
/// let slopes = layers.add("slopes", 1 << 20, |_: &i32| 4, {
///     let heights = heights.clone();
///     move |job, [x, y]: [i32; 2]| Ok(*heights.read(job, [x + 1, y])? - *heights.read(job, [x, y])?)
/// });
/// let generator = Generator::fallible({
///     let slopes = slopes.clone();
///     move |job: &Job<[i32; 2]>| {
///         let [x, y] = job.key();
///         Ok::<_, GenerateError>(*slopes.read(job, [x, y])? + *slopes.read(job, [x, y - 1])?)
///     }
/// });
/// let runtime = Runtime::Inline { budget: Duration::from_secs(1) };
/// let mut scheduler = Scheduler::new(SchedulerConfig::default(), generator, runtime, FnRank(|_: &[i32; 2]| 0))?;
/// scheduler.request([3, 3]);
/// scheduler.tick(Duration::ZERO);
/// assert_eq!(heights.report().made, 4);
///
/// // The height at a place was edited. What was made from it?
/// let invalidated = heights.invalidate([3, 3]);
/// assert_eq!(scheduler.made_from(&invalidated), [[3, 3]]);
/// assert_eq!(slopes.report().values, 1);
/// # Ok::<(), chunk_scheduler::ConfigError>(())
/// ```
///
/// An edit: change what the makers read, [`invalidate`](Layer::invalidate), and refresh what was made from it. Clones are the
/// same layers. A maker is called without any lock, may be called for several keys at the same time, and must return the same
/// for a key until that is invalidated.
#[derive(Clone, Default)]
pub struct Layers {
    registry: Arc<Registry>,
}

impl Layers {
    /// No layers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a layer that may read those that were added before it. It keeps values of up to `max_bytes` together; `bytes_of`
    /// says how many one takes, of which each counts at least one. Those that were not used for the longest time go first.
    /// What somebody still holds is found again, so it is not made twice while a job uses it, and comes on top of `max_bytes`.
    ///
    /// `max_bytes` must have room for all that one job, or one call of the maker of a later layer, reads of this layer, or
    /// reading fails; to make nothing twice, for what all jobs around the viewers read.
    ///
    /// `make` must not change what is outside of it, and must return an error and not a makeshift where it cannot read what
    /// it needs, because its value is kept for everyone.
    pub fn add<K: Key, V: Send + Sync + 'static>(
        &self,
        name: impl Into<String>,
        max_bytes: usize,
        bytes_of: impl Fn(&V) -> usize + Send + Sync + 'static,
        make: impl Fn(&LayerJob<'_>, K) -> Result<V, GenerateError> + Send + Sync + 'static,
    ) -> Layer<K, V> {
        let mut layers = self.registry.layers.lock();
        let layer = Layer::new(
            Arc::clone(&self.registry),
            name.into(),
            layers.len(),
            max_bytes,
            Box::new(bytes_of),
            Box::new(make),
        );
        let core = Arc::downgrade(layer.core());
        layers.push(core);
        layer
    }

    /// What happened in each layer that is still used, in the order in which they were added.
    #[must_use]
    pub fn report(&self) -> Vec<LayerReport> {
        let layers = self.registry.from(0);
        layers.iter().map(|layer| layer.report()).collect()
    }
}

impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Layers").field(&self.report()).finish()
    }
}

/// What a layer holds, and what happened since it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayerReport {
    /// Its name.
    pub name: String,
    /// How many values it keeps.
    pub values: usize,
    /// Their bytes together. What was let go and is still held by somebody is not among them.
    pub bytes: usize,
    /// The most bytes that it may keep.
    pub max_bytes: usize,
    /// How often a value was there.
    pub hits: u64,
    /// How many values were made.
    pub made: u64,
    /// How many of these had been made before and had to go for want of room. With more than 65,536 of those it may be too
    /// low.
    pub repeats: u64,
    /// How often a thread waited for a value that another one was making.
    pub waits: u64,
}

/// A layer of any type.
pub(super) trait AnyLayer: Send + Sync {
    fn report(&self) -> LayerReport;

    fn invalidate_made_from(&self, invalidated: &mut Invalidated);
}

/// What the layers of a world share. They keep it, and it does not keep them.
pub(super) struct Registry {
    layers: Mutex<Vec<Weak<dyn AnyLayer>>>,
    hasher: ahash::RandomState,
}

impl Default for Registry {
    fn default() -> Self {
        Self {
            layers: Mutex::new(Vec::new()),
            hasher: hasher(),
        }
    }
}

impl Registry {
    /// Tells this world from any other that is there.
    pub(super) fn world(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// The number of a value in all worlds.
    pub(super) fn id(&self, layer: usize, key: &impl Hash) -> u64 {
        self.hasher.hash_one((self.world(), layer, key))
    }

    /// The layers after one, in their order.
    pub(super) fn after(&self, layer: usize) -> Vec<Arc<dyn AnyLayer>> {
        self.from(layer + 1)
    }

    fn from(&self, first: usize) -> Vec<Arc<dyn AnyLayer>> {
        let layers = self.layers.lock();
        let layers = layers.iter().skip(first);
        layers.filter_map(Weak::upgrade).collect()
    }
}
