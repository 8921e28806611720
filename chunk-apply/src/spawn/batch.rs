//! Work on one chunk that can stop after any entity and continue in a later frame.

use super::room;
use crate::budget::CostKey;
use bevy_ecs::{
    bundle::{Bundle, NoBundleEffect},
    entity::Entity,
    hierarchy::{ChildOf, Children},
    relationship::{RelationshipHookMode, RelationshipTarget},
    world::World,
};

/// A piece of a chunk that is spawned slice by slice.
pub(super) trait Batch: Send + Sync {
    /// What its entities cost is remembered under this key.
    fn key(&self) -> CostKey;

    /// Whether it is one step of user code that cannot be divided.
    fn is_step(&self) -> bool {
        false
    }

    /// How many bytes the step uploads.
    fn bytes(&self) -> usize {
        0
    }

    /// Makes room for so many more entities where those of the batch are spawned.
    fn make_room(&self, _world: &mut World, _entities: u32) {}

    /// Spawns at most `limit` entities under `root` and counts them in `spawned`.
    ///
    /// # Panics
    ///
    /// Passes on a panic of user code, after the entities before it were spawned and counted.
    fn advance(
        &mut self,
        world: &mut World,
        root: Entity,
        limit: usize,
        spawned: &mut usize,
    ) -> Progress;
}

/// How far a slice came.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    /// Whether nothing is left.
    pub(super) is_finished: bool,
    /// The entity that was spawned last.
    pub(super) last: Option<Entity>,
}

/// A user's iterator of homogeneous bundles, spawned as children of the chunk's root.
pub(super) struct Bundles<I> {
    bundles: I,
    /// Unknown before the first slice.
    has_insert_hooks: Option<bool>,
}

impl<I: Iterator> Bundles<I> {
    pub(super) fn new(bundles: I) -> Self {
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
    fn key(&self) -> CostKey {
        CostKey::of::<I::Item>()
    }

    fn make_room(&self, world: &mut World, entities: u32) {
        room::make_room::<(I::Item, ChildOf)>(world, entities);
    }

    fn advance(
        &mut self,
        world: &mut World,
        root: Entity,
        limit: usize,
        spawned: &mut usize,
    ) -> Progress {
        let has_insert_hooks =
            *(self.has_insert_hooks).get_or_insert_with(|| has_insert_hooks::<I::Item>(world));
        reserve_children(world, root, self.bundles.size_hint().0.min(limit));
        let mut progress = Progress::default();
        for _ in 0..limit {
            let Some(bundle) = self.bundles.next() else {
                progress.is_finished = true;
                break;
            };
            let child = spawn_child(world, root, bundle, has_insert_hooks, spawned);
            if child.is_none() {
                // The caller finds out that there is no root.
                progress.is_finished = true;
                break;
            }
            progress.last = child;
        }
        progress
    }
}

/// Gives a root room for so many more children, so that its list grows once and not each time it is full.
fn reserve_children(world: &mut World, root: Entity, children: usize) {
    if children == 0 {
        return;
    }
    if let Some(mut list) = world.get_mut::<Children>(root) {
        list.collection_mut_risky().reserve(children);
    } else if let Ok(mut root) = world.get_entity_mut(root) {
        root.insert(<Children as RelationshipTarget>::with_capacity(children));
    }
}

/// Spawns a bundle as a child of `root`, counts it in `spawned`, and returns it; `None` when there is no root.
///
/// A [`ChildOf`] that is inserted the usual way queues a command that looks the root up and lists the child there, which
/// is about a third of the cost of an entity of a few components. Listing the child first, and telling the insertion to
/// skip that, has the same result: hooks and observers see a child that is listed, also when one of them despawns the
/// child or its root.
#[inline]
fn spawn_child(
    world: &mut World,
    root: Entity,
    bundle: impl Bundle,
    has_insert_hooks: bool,
    spawned: &mut usize,
) -> Option<Entity> {
    let child = world.spawn_empty().id();
    if has_insert_hooks || !push(world, root, child) {
        return insert_carefully(world, root, child, bundle, spawned);
    }
    *spawned += 1;
    let bundle = (bundle, ChildOf(root));
    (world.entity_mut(child))
        .insert_with_relationship_hook_mode(bundle, RelationshipHookMode::Skip);
    Some(child)
}

/// The same for a root that has no list of children or does not exist, and for a bundle with insertion hooks: those must
/// not be told to skip, so the bundle is inserted after the parent.
#[cold]
fn insert_carefully(
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

/// Lists a child at its root, if the root has or can have a list. No user code runs between this and the insertion of
/// the parent, so no user code sees a listed child without a parent.
fn list(world: &mut World, root: Entity, child: Entity) -> bool {
    if push(world, root, child) {
        return true;
    }
    let Ok(mut entity) = world.get_entity_mut(root) else {
        return false;
    };
    // An observer of this insertion may remove the list again.
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

/// Whether a component of the bundle has a hook on insertion, as a relationship has that updates its other side. Such a
/// hook may depend on how its component is inserted.
fn has_insert_hooks<B: Bundle>(world: &mut World) -> bool {
    let bundle = world.register_bundle::<B>().id();
    let Some(bundle) = world.bundles().get(bundle) else {
        return true;
    };
    let mut infos = (bundle.iter_contributed_components())
        .filter_map(|component| world.components().get_info(component));
    infos.any(|info| {
        // Bevy tells whether there is a hook only to a caller who tries to set one.
        let mut hooks = info.hooks().clone();
        hooks.try_on_insert(|_, _| {}).is_none()
    })
}

/// One indivisible step of user code.
pub(super) struct Step<F> {
    step: Option<F>,
    bytes: usize,
}

impl<F> Step<F> {
    pub(super) fn new(bytes: usize, step: F) -> Self {
        let step = Some(step);
        Self { step, bytes }
    }
}

impl<F> Batch for Step<F>
where
    F: FnOnce(&mut World, Entity) + Send + Sync + 'static,
{
    fn key(&self) -> CostKey {
        CostKey::of::<F>()
    }

    fn is_step(&self) -> bool {
        true
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn advance(&mut self, world: &mut World, root: Entity, _: usize, _: &mut usize) -> Progress {
        if let Some(step) = self.step.take() {
            step(world, root);
        }
        Progress {
            is_finished: true,
            last: None,
        }
    }
}
