//! Work on one chunk that can stop anywhere and go on in a later frame.

use crate::costs::Kind;
use bevy_ecs::{
    bundle::{Bundle, NoBundleEffect},
    entity::Entity,
    hierarchy::{ChildOf, Children},
    relationship::{RelationshipHookMode, RelationshipTarget},
    world::World,
};
use core::{any::TypeId, marker::PhantomData};

/// A piece of a chunk that is spawned slice by slice.
pub(crate) trait Batch: Send + Sync {
    /// What its entities cost is remembered under this kind.
    fn kind(&self) -> Kind;

    /// Whether it is one step of the user's that cannot be divided.
    fn is_step(&self) -> bool {
        false
    }

    /// Whether nothing is left, as far as anybody knows without trying.
    fn is_over(&self) -> bool {
        false
    }

    /// Spawns at most `limit` entities under `root` and counts them in `spawned`.
    ///
    /// # Panics
    ///
    /// Passes on a panic of the user's code, after the entities before it were spawned and counted.
    fn advance(
        &mut self,
        world: &mut World,
        root: Entity,
        limit: usize,
        spawned: &mut usize,
    ) -> Advance;
}

/// How far a slice came.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Advance {
    /// Whether nothing is left.
    pub(crate) is_finished: bool,
    /// The entity that it spawned last.
    pub(crate) last: Option<Entity>,
}

/// A user's iterator of homogeneous bundles, spawned as children of the chunk's root.
pub(crate) struct Bundles<I> {
    bundles: I,
    /// Unknown before the first.
    has_insert_hooks: Option<bool>,
}

impl<I: Iterator> Bundles<I> {
    pub(crate) fn new(bundles: I) -> Self {
        Self {
            bundles,
            has_insert_hooks: None,
        }
    }
}

impl<I> Batch for Bundles<I>
where
    I: Iterator<Item: Bundle<Effect: NoBundleEffect>> + Send + Sync,
{
    fn kind(&self) -> Kind {
        TypeId::of::<PhantomData<I::Item>>()
    }

    fn is_over(&self) -> bool {
        self.bundles.size_hint().1 == Some(0)
    }

    fn advance(
        &mut self,
        world: &mut World,
        root: Entity,
        limit: usize,
        spawned: &mut usize,
    ) -> Advance {
        let has_insert_hooks =
            *(self.has_insert_hooks).get_or_insert_with(|| has_insert_hooks::<I::Item>(world));
        make_room(world, root, self.bundles.size_hint().0.min(limit));
        let mut advance = Advance::default();
        for _ in 0..limit {
            let Some(bundle) = self.bundles.next() else {
                advance.is_finished = true;
                break;
            };
            let child = adopt(world, root, bundle, has_insert_hooks, spawned);
            if child.is_none() {
                // Who asked for it finds out that there is no root.
                advance.is_finished = true;
                break;
            }
            advance.last = child;
        }
        advance
    }
}

/// Gives a root room for so many more children, so that its list grows once and not each time it is full.
fn make_room(world: &mut World, root: Entity, children: usize) {
    if children == 0 {
        return;
    }
    if let Some(mut list) = world.get_mut::<Children>(root) {
        list.collection_mut_risky().reserve(children);
    } else if let Ok(mut root) = world.get_entity_mut(root) {
        root.insert(<Children as RelationshipTarget>::with_capacity(children));
    }
}

/// Spawns a bundle as a child of `root`, counts it in `spawned`, and returns it, if there is a root.
///
/// A [`ChildOf`] that is inserted the usual way queues a command that looks the root up and lists the child there,
/// for each child; that is about a third of what spawning an entity of a few components costs. Listing it first
/// and telling the insertion so comes to the same: whoever looks, hooks and observers included, sees a child
/// that is listed, also when one of them despawns it or its root.
#[inline]
fn adopt(
    world: &mut World,
    root: Entity,
    bundle: impl Bundle,
    has_insert_hooks: bool,
    spawned: &mut usize,
) -> Option<Entity> {
    let child = world.spawn_empty().id();
    if has_insert_hooks || !push(world, root, child) {
        return adopt_carefully(world, root, child, bundle, spawned);
    }
    *spawned += 1;
    let bundle = (bundle, ChildOf(root));
    (world.entity_mut(child))
        .insert_with_relationship_hook_mode(bundle, RelationshipHookMode::Skip);
    Some(child)
}

/// The same for a root without a list of children, or without existence, and for a bundle whose own hooks must not be told
/// to skip, so that it comes after the parent.
#[cold]
fn adopt_carefully(
    world: &mut World,
    root: Entity,
    child: Entity,
    bundle: impl Bundle,
    spawned: &mut usize,
) -> Option<Entity> {
    let is_listed = list(world, root, child);
    if !is_listed && world.get_entity(root).is_err() {
        let _ = world.try_despawn(child);
        return None;
    }
    *spawned += 1;
    let Ok(mut entity) = world.get_entity_mut(child) else {
        return Some(child);
    };
    if !is_listed {
        entity.insert((bundle, ChildOf(root)));
        return Some(child);
    }
    entity.insert_with_relationship_hook_mode(ChildOf(root), RelationshipHookMode::Skip);
    if let Ok(mut entity) = world.get_entity_mut(child) {
        entity.insert(bundle);
    }
    Some(child)
}

/// Lists a child at its root, if there is a list or can be. Nobody can look before it is a child, because nothing else
/// happens here once it is listed.
fn list(world: &mut World, root: Entity, child: Entity) -> bool {
    if push(world, root, child) {
        return true;
    }
    let Ok(mut entity) = world.get_entity_mut(root) else {
        return false;
    };
    // Whoever observes this may take it away again.
    entity.insert(<Children as RelationshipTarget>::with_capacity(1));
    push(world, root, child)
}

#[inline]
fn push(world: &mut World, root: Entity, child: Entity) -> bool {
    let children = world.get_mut::<Children>(root);
    children
        .map(|mut children| children.collection_mut_risky().push(child))
        .is_some()
}

/// Whether a component of the bundle has a hook on insertion, as every relationship has that updates its other side.
/// Such a hook may mind how it is inserted; so that goes the usual way.
fn has_insert_hooks<B: Bundle>(world: &mut World) -> bool {
    let bundle = world.register_bundle::<B>().id();
    let Some(bundle) = world.bundles().get(bundle) else {
        return true;
    };
    let mut infos = (bundle.iter_contributed_components())
        .filter_map(|component| world.components().get_info(component));
    infos.any(|info| {
        // They tell only those who would set one.
        let mut hooks = info.hooks().clone();
        hooks.try_on_insert(|_, _| {}).is_none()
    })
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

    fn advance(&mut self, world: &mut World, root: Entity, _: usize, _: &mut usize) -> Advance {
        if let Some(step) = self.0.take() {
            step(world, root);
        }
        Advance {
            is_finished: true,
            last: None,
        }
    }
}
