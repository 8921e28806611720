//! Room in a table for entities that are still to come, so that it need not move its rows while it is large.
//!
//! Bevy makes room only in `World::spawn_batch`, for as many entities as the iterator promises. So an iterator promises
//! and has none: no entity exists at any time, and no hook, no observer, no query and no `RemovedComponents` finds
//! anything. What Bevy would do with the indices that it took for the promise is not sound in 0.19, because it gives
//! them back while it still reads the list of free ones. So it takes them from an allocator of their own, which is
//! thrown away with them; the world's own is put aside meanwhile and is not changed.

use bevy_ecs::{
    bundle::{Bundle, NoBundleEffect},
    world::World,
};
use core::{iter, marker::PhantomData, mem};

/// Makes room for so many more entities in the table that entities of this bundle are spawned into. The memory is
/// reserved and not written: an operating system that commits pages when they are first written commits none of it.
pub(super) fn make_room<B: Bundle<Effect: NoBundleEffect>>(world: &mut World, entities: u32) {
    // If the archetype is new, its observers run now, while entities that they spawn get indices of the world.
    drop(world.spawn_batch(iter::empty::<B>()));
    let own = mem::take(world.entity_allocator_mut());
    // Dropping it would only give back indices, one by one.
    mem::forget(world.spawn_batch(Promise::<B> {
        entities,
        bundles: PhantomData,
    }));
    *world.entity_allocator_mut() = own;
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
    use bevy_ecs::{archetype::ArchetypeCreated, component::Component, prelude::*};

    #[derive(Component, Clone, Copy, Debug, PartialEq)]
    struct Tree(u32);

    #[derive(Component)]
    struct Rock;

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
    fn an_observer_of_a_new_archetype_may_spawn_and_every_entity_has_an_index_of_its_own() {
        let mut world = World::new();
        let early: Vec<_> = (0..300).map(|_| world.spawn_empty().id()).collect();
        for entity in early.iter().step_by(3) {
            world.despawn(*entity);
        }
        world.add_observer(|_: On<ArchetypeCreated>, mut commands: Commands| {
            commands.spawn(Rock);
        });
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
