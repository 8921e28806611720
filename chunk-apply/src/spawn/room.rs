//! Room in a table for entities that are still to come, so that it need not move its rows while it is large.
//!
//! Bevy makes room only in `World::spawn_batch`, for as many entities as the iterator promises. So an iterator promises
//! and has none: no entity exists at any time, and no hook, no observer, no query and no `RemovedComponents` finds
//! anything. What Bevy would do with the indices that it took for the promise is not sound in 0.19, because it gives
//! them back while it still reads the list of free ones. So it takes them from an allocator of their own, which is
//! thrown away with them; the world's own is put aside meanwhile and is not changed.
//!
//! The list of all entities is another matter: Bevy makes room in it only for an entity that is spawned, and writes all of
//! that room at once.

use bevy_ecs::{
    bundle::{Bundle, NoBundleEffect},
    entity::Entity,
    world::World,
};
use core::{iter, marker::PhantomData, mem};

/// Makes room for so many more entities in the table that entities of this bundle are spawned into. The memory is
/// reserved and not written: an operating system that commits pages when they are first written commits none of it.
pub(super) fn make_room<B: Bundle<Effect: NoBundleEffect>>(world: &mut World, entities: u32) {
    // If the archetype is new, Bevy tells its own observers now, while the allocator is the world's.
    drop(world.spawn_batch(iter::empty::<B>()));
    let own = mem::take(world.entity_allocator_mut());
    // Dropping it would only give back indices, one by one.
    mem::forget(world.spawn_batch(Promise::<B> {
        entities,
        bundles: PhantomData,
    }));
    *world.entity_allocator_mut() = own;
}

/// Makes room in the world's list of all entities for so many more. Call it at start or on a loading screen.
///
/// Bevy doubles that list when it is full, in one piece that no budget can divide: with half a million entities it takes
/// 6 ms on the machine of the measurements. Room for a million takes about twice that, at once, and 40 bytes of memory an
/// entity, which are not given back. Tables need no such call: a stream gives them room while they are small, for the
/// chunks that it wants and by what the first of them held.
///
/// One entity without components is spawned and despawned, the last of the list. No hook and no observer of a component
/// sees it.
///
/// ```
/// use bevy_ecs::world::World;
///
/// let mut world = World::new();
/// let spawned = world.entities().count_spawned();
/// chunk_apply::reserve_entities(&mut world, 100_000);
/// assert!(world.entities().len() >= 100_000);
/// assert_eq!(world.entities().count_spawned(), spawned);
/// ```
///
/// # Panics
///
/// If there would be more than `u32::MAX - 1` entities, as Bevy does when so many are spawned.
pub fn reserve_entities(world: &mut World, entities: u32) {
    let indices = world.entity_allocator().alloc_many(entities);
    let mut free: Vec<Entity> = indices.collect();
    // What is freed last is taken first, and the list is best filled from its beginning.
    free.sort_unstable_by_key(|entity| core::cmp::Reverse(entity.index_u32()));
    if let Some(last) = free.first_mut()
        && world.spawn_empty_at(*last).is_ok()
        && let Some(freed) = world.despawn_no_free(*last)
    {
        *last = freed;
    }
    world.entity_allocator_mut().free_many(&free);
}

/// An iterator that promises entities and has none.
struct Promise<B> {
    entities: u32,
    bundles: PhantomData<fn() -> B>,
}

impl<B> Iterator for Promise<B> {
    type Item = B;

    fn next(&mut self) -> Option<B> {
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.entities as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevy_ecs::{component::Component, prelude::*};

    #[derive(Component, Clone, Copy, Debug, PartialEq)]
    struct Tree(u32);

    #[derive(Resource, Default)]
    struct Seen(usize);

    fn capacity(world: &World, entity: Entity) -> usize {
        let table = world.entity(entity).location().table_id;
        world.storages().tables[table].entity_capacity()
    }

    #[test]
    fn a_table_has_room_for_all_that_is_expected_and_never_moves() {
        let mut world = World::new();
        let first = world.spawn(Tree(0)).id();
        make_room::<Tree>(&mut world, 10_000);
        let room = capacity(&world, first);
        assert!(room > 10_000);
        for tree in 1..=10_000 {
            world.spawn(Tree(tree));
        }
        assert_eq!(capacity(&world, first), room);
    }

    #[test]
    fn hooks_and_observers_see_nothing_and_nothing_is_removed() {
        let mut world = World::new();
        world.init_resource::<Seen>();
        world.add_observer(|_: On<Add, Tree>, mut seen: ResMut<Seen>| seen.0 += 1);
        world.add_observer(|_: On<Remove, Tree>, mut seen: ResMut<Seen>| seen.0 += 1);
        make_room::<Tree>(&mut world, 1_000);
        world.flush();
        assert_eq!(world.resource::<Seen>().0, 0);
        assert_eq!(world.query::<&Tree>().iter(&world).count(), 0);
        assert_eq!(world.removed::<Tree>().count(), 0);
    }

    #[test]
    fn the_list_of_entities_has_room_for_all_that_are_announced_and_every_index_is_used_once() {
        let mut world = World::new();
        let present = world.entities().count_spawned();
        let before: Vec<_> = (0..100).map(|_| world.spawn_empty().id()).collect();
        world.despawn(before[7]);
        reserve_entities(&mut world, 3_000);
        let room = world.entities().len();
        let mut spawned: Vec<_> = (0..3_000).map(|n| world.spawn(Tree(n)).id()).collect();
        assert_eq!(world.entities().len(), room);
        spawned.sort_unstable();
        spawned.dedup();
        assert_eq!(spawned.len(), 3_000);
        assert_eq!(world.entities().count_spawned(), present + 3_099);
        reserve_entities(&mut world, 0);
    }

    #[test]
    fn every_entity_has_an_index_of_its_own_and_the_present_ones_keep_theirs() {
        let mut world = World::new();
        let early: Vec<_> = (0..300).map(|_| world.spawn_empty().id()).collect();
        for entity in early.iter().step_by(3) {
            world.despawn(*entity);
        }
        make_room::<Tree>(&mut world, 5_000);
        for tree in 0..5_000 {
            world.spawn(Tree(tree));
        }
        let trees: Vec<_> = (world.query::<&Tree>().iter(&world))
            .map(|it| it.0)
            .collect();
        assert_eq!(trees, (0..5_000).collect::<Vec<_>>());
        let kept = (early.iter().enumerate()).filter(|(nth, _)| nth % 3 != 0);
        for (_, entity) in kept {
            assert!(world.get_entity(*entity).is_ok());
        }
    }
}
