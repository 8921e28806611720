//! Work on one chunk that can stop anywhere and go on in a later frame.

use crate::costs::Kind;
use bevy_ecs::{
    bundle::{Bundle, NoBundleEffect},
    entity::Entity,
    hierarchy::{ChildOf, Children},
    relationship::RelationshipTarget,
    world::World,
};
use core::{any::TypeId, marker::PhantomData};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// A piece of a chunk that is spawned slice by slice.
pub(crate) trait Batch: Send + Sync {
    /// What its entities cost is remembered under this kind.
    fn kind(&self) -> Kind;

    /// Whether it is one step of the user's that cannot be divided.
    fn is_step(&self) -> bool {
        false
    }

    /// Spawns at most `limit` entities under `root`, counts them in `spawned`, and returns whether
    /// the batch is finished.
    ///
    /// # Panics
    ///
    /// Passes on a panic of the user's iterator, after the entities before it were spawned and
    /// counted.
    fn advance(
        &mut self,
        world: &mut World,
        root: Entity,
        limit: usize,
        spawned: &mut usize,
    ) -> bool;
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

    fn advance(
        &mut self,
        world: &mut World,
        root: Entity,
        limit: usize,
        spawned: &mut usize,
    ) -> bool {
        let mut slice = Slice {
            bundles: &mut self.bundles,
            left: limit,
            spawned,
            is_calling: false,
            is_finished: false,
        };
        make_room(world, root, slice.size_hint().0);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            world.spawn_batch((&mut slice).map(|bundle| (bundle, ChildOf(root))));
        }));
        if let Err(panic) = outcome {
            // Nothing tells the root of its children while a panic unwinds.
            world.flush();
            resume_unwind(panic);
        }
        slice.is_finished
    }
}

/// Gives a root that has no children yet room for so many, so that its list grows once and not
/// each time it is full. `children` is how many are certain to come.
fn make_room(world: &mut World, root: Entity, children: usize) {
    if children > 0
        && let Ok(mut root) = world.get_entity_mut(root)
        && !root.contains::<Children>()
    {
        root.insert(<Children as RelationshipTarget>::with_capacity(children));
    }
}

/// The next so many bundles of a user's iterator.
///
/// `spawn_batch` spawns the rest of its iterator while it is dropped, also in the middle of a
/// panic. An iterator that panicked must not be called again then: a second panic would abort the
/// process. So this one ends instead.
struct Slice<'a, I> {
    bundles: &'a mut I,
    left: usize,
    spawned: &'a mut usize,
    /// Whether the user's code was entered and has not returned.
    is_calling: bool,
    is_finished: bool,
}

impl<I: Iterator> Iterator for Slice<'_, I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        if self.left == 0 || self.is_finished || self.is_calling {
            return None;
        }
        self.is_calling = true;
        let bundle = self.bundles.next();
        self.is_calling = false;
        match bundle {
            Some(_) => {
                self.left -= 1;
                *self.spawned += 1;
            }
            None => self.is_finished = true,
        }
        bundle
    }

    /// `spawn_batch` reserves the upper bound, so it must not be more than this slice.
    #[inline]
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

    fn is_step(&self) -> bool {
        true
    }

    fn advance(&mut self, world: &mut World, root: Entity, _: usize, _: &mut usize) -> bool {
        if let Some(step) = self.0.take() {
            step(world, root);
        }
        true
    }
}
