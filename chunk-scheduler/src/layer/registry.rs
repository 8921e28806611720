//! What the layers of a world know of each other.

use super::sources::{Invalidated, hasher};
use crate::sync::{Arc, Mutex, Weak};
use std::hash::Hash;

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
    pub(super) layers: Mutex<Vec<Weak<dyn AnyLayer>>>,
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

    pub(super) fn from(&self, first: usize) -> Vec<Arc<dyn AnyLayer>> {
        let layers = self.layers.lock();
        let layers = layers.iter().skip(first);
        layers.filter_map(Weak::upgrade).collect()
    }
}
