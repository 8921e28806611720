//! When a table is full, Bevy gives it twice the room and moves everything in it while it spawns one entity. That takes
//! a millisecond or more for some ten thousand rows, and cannot be divided. So that entity is a slice of its own: the
//! clock is read after it, and nothing else of the frame is started that no longer fits.
//!
//! Room is not made in advance. `World::spawn_batch` makes room for as many entities as an iterator promises; but where
//! fewer come it gives back indices while it still reads the list of free ones, and two entities may get the same index.

use super::cost_key::CostKey;
use bevy_ecs::{
    entity::Entity,
    storage::{Table, TableId},
    world::World,
};
use smallvec::SmallVec;

/// Tables with less room than this, in rows, grow in less time than one reading of the clock covers.
const FEWEST_ROWS: usize = 512;

/// The tables that entities of each key go to.
#[derive(Debug, Default)]
pub(crate) struct TableGrowth {
    known: SmallVec<[Destination; 8]>,
}

#[derive(Debug)]
struct Destination {
    key: CostKey,
    table: TableId,
    /// Rows that the table had room for when an entity was last noted.
    capacity: usize,
}

impl TableGrowth {
    /// How many entities of this key can be spawned before their table grows. Small tables count as endless, and so does
    /// one of a key that was never noted.
    pub(crate) fn room(&self, key: CostKey, world: &World) -> usize {
        let known = self.known.iter().find(|known| known.key == key);
        known
            .and_then(|known| world.storages().tables.get(known.table))
            .filter(|table| table.entity_capacity() >= FEWEST_ROWS)
            .map_or(usize::MAX, |table| {
                table.entity_capacity() - table.entity_count() as usize
            })
    }

    /// Notes where an entity of this key went. Returns whether its table was large and has grown since the last note.
    pub(crate) fn note(&mut self, key: CostKey, entity: Entity, world: &World) -> bool {
        let Ok(entity) = world.get_entity(entity) else {
            return false;
        };
        let table = entity.location().table_id;
        let capacity = (world.storages().tables.get(table)).map_or(0, Table::entity_capacity);
        match self.known.iter_mut().find(|known| known.key == key) {
            Some(known) => {
                let has_grown =
                    known.table == table && (FEWEST_ROWS..capacity).contains(&known.capacity);
                (known.table, known.capacity) = (table, capacity);
                has_grown
            }
            None => {
                self.known.push(Destination {
                    key,
                    table,
                    capacity,
                });
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevy_ecs::component::Component;

    #[derive(Component)]
    struct Tree(#[expect(dead_code, reason = "it only takes room")] u32);

    #[test]
    fn there_is_no_room_exactly_when_the_next_entity_makes_a_large_table_grow() {
        let (mut world, mut tables) = (World::new(), TableGrowth::default());
        let key = CostKey::of::<Tree>();
        let mut grown = Vec::new();
        for tree in 0..4_000 {
            let is_full = tables.room(key, &world) == 0;
            let entity = world.spawn(Tree(tree)).id();
            let has_grown = tables.note(key, entity, &world);
            assert_eq!(is_full, has_grown, "{tree}");
            if has_grown {
                grown.push(tree);
            }
        }
        assert_eq!(grown, [512, 1_024, 2_048]);
    }

    #[test]
    fn a_key_that_was_never_noted_has_endless_room() {
        let (mut world, mut tables) = (World::new(), TableGrowth::default());
        let key = CostKey::of::<Tree>();
        assert_eq!(tables.room(key, &world), usize::MAX);
        let gone = world.spawn_empty().id();
        world.despawn(gone);
        assert!(!tables.note(key, gone, &world));
        assert_eq!(tables.room(key, &world), usize::MAX);
    }
}
