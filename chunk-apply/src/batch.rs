//! Work on one chunk that can stop anywhere and go on in a later frame.

use crate::pace::Kind;
use bevy_ecs::{
    bundle::{Bundle, NoBundleEffect},
    entity::Entity,
    hierarchy::ChildOf,
    world::World,
};
use core::{any::TypeId, marker::PhantomData};
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

/// A piece of a chunk that is spawned slice by slice.
pub(crate) trait Batch: Send + Sync {
    /// What its entities cost is remembered under this kind.
    fn kind(&self) -> Kind;

    /// Spawns at most `limit` entities under `root`.
    ///
    /// # Panics
    ///
    /// Passes on a panic of the user's iterator, after the entities before it were spawned.
    fn advance(&mut self, world: &mut World, root: Entity, limit: usize) -> Advanced;
}

/// What one call of [`Batch::advance`] did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Advanced {
    /// Entities spawned under the root.
    pub(crate) entities: usize,
    pub(crate) is_finished: bool,
}

/// A user's iterator of homogeneous bundles, spawned as children of the chunk's root.
pub(crate) struct Bundles<I> {
    bundles: I,
}

impl<I: Iterator> Bundles<I> {
    pub(crate) fn new(bundles: I) -> Self {
        Self { bundles }
    }
}

impl<I> Batch for Bundles<I>
where
    I: Iterator<Item: Bundle<Effect: NoBundleEffect>> + Send + Sync,
{
    fn kind(&self) -> Kind {
        TypeId::of::<PhantomData<I::Item>>()
    }

    fn advance(&mut self, world: &mut World, root: Entity, limit: usize) -> Advanced {
        let mut guarded = Guarded {
            bundles: &mut self.bundles,
            left: limit,
            taken: 0,
            is_finished: false,
            panic: None,
        };
        world.spawn_batch((&mut guarded).map(|bundle| (bundle, ChildOf(root))));
        if let Some(panic) = guarded.panic {
            resume_unwind(panic);
        }
        Advanced {
            entities: guarded.taken,
            is_finished: guarded.is_finished,
        }
    }
}

/// Stops at the limit, and at a panic. `spawn_batch` spawns the rest of its iterator while it is
/// dropped, so an iterator that unwinds through it would be called again in mid-panic and abort
/// the process; this one ends instead, and the panic goes on once the batch is whole.
struct Guarded<'a, I> {
    bundles: &'a mut I,
    left: usize,
    taken: usize,
    is_finished: bool,
    panic: Option<Box<dyn Any + Send>>,
}

impl<I: Iterator> Iterator for Guarded<'_, I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        if self.left == 0 || self.is_finished {
            return None;
        }
        match catch_unwind(AssertUnwindSafe(|| self.bundles.next())) {
            Ok(Some(bundle)) => {
                self.left -= 1;
                self.taken += 1;
                Some(bundle)
            }
            Ok(None) => {
                self.is_finished = true;
                None
            }
            Err(panic) => {
                self.is_finished = true;
                self.panic = Some(panic);
                None
            }
        }
    }

    /// `spawn_batch` reserves the upper bound; a wrong one must not reserve the earth.
    fn size_hint(&self) -> (usize, Option<usize>) {
        let (lower, upper) = self.bundles.size_hint();
        let bound = upper.unwrap_or(lower).min(self.left);
        (lower.min(bound), Some(bound))
    }
}

/// One indivisible step of the user's own.
pub(crate) struct Step<F>(pub(crate) Option<F>);

impl<F> Batch for Step<F>
where
    F: FnOnce(&mut World, Entity) + Send + Sync + 'static,
{
    fn kind(&self) -> Kind {
        TypeId::of::<F>()
    }

    fn advance(&mut self, world: &mut World, root: Entity, _limit: usize) -> Advanced {
        if let Some(step) = self.0.take() {
            step(world, root);
        }
        Advanced {
            entities: 0,
            is_finished: true,
        }
    }
}
