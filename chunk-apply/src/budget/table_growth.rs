//! When a table is full, Bevy gives it twice the room and moves everything in it while it spawns one entity. That takes
//! milliseconds for some hundred thousand rows, and cannot be divided.
//!
//! So a table is given room for all chunks that are expected when it is full for the first time and still small, from what
//! the chunks before turned out to hold. Where nobody knows what to expect, or they hold more than that, the entity that
//! makes the table grow is a slice of its own: the clock is read after it, and nothing else of the frame is started that
//! no longer fits.

use super::cost_key::CostKey;
use bevy_ecs::{
    archetype::Archetype,
    entity::Entity,
    storage::{Table, TableId},
    world::World,
};
use smallvec::SmallVec;

/// Tables with less room than this, in rows, grow in less time than one reading of the clock covers.
const FEWEST_ROWS: usize = 512;
/// Room is made for a quarter more than is expected, because the chunks that come first need not be like the others, and
/// a table that is full again when it is large takes longest to grow.
const MARGIN: usize = 4;
/// The most bytes that room is made of at once. A range so wide that nobody will fill it must not take the memory that the
/// rest of the game needs.
const MOST_BYTES: usize = 512 << 20;
/// What Bevy keeps of each component besides itself, and of each row, in bytes: when it was added and changed, and which entity it is.
const TICKS: usize = 8;
const ENTITY: usize = 8;

/// The tables that entities of each key go to.
#[derive(Debug, Default)]
pub(crate) struct TableGrowth {
    known: SmallVec<[Destination; 8]>,
    /// Chunks that were begun.
    pub(super) begun: usize,
    /// Chunks that are still to come.
    pub(super) expected: usize,
}

#[derive(Debug)]
struct Destination {
    key: CostKey,
    table: TableId,
    /// Rows that the table had room for when an entity was last noted.
    capacity: usize,
    /// Entities that were spawned.
    spawned: usize,
    /// What a row of the table takes.
    row_bytes: usize,
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

    /// How many entities room is to be made for, if the table is full and that is more than it gets by itself.
    pub(super) fn missing_room(&self, key: CostKey, world: &World) -> Option<u32> {
        if self.room(key, world) > 0 {
            return None;
        }
        let known = self.known.iter().find(|known| known.key == key)?;
        let to_come = known.spawned.saturating_mul(self.expected) / self.begun.max(1);
        let missing = to_come
            .saturating_add(to_come / MARGIN)
            .min(MOST_BYTES / known.row_bytes);
        (missing > known.capacity).then_some(missing as u32)
    }

    /// Notes where the last of so many entities of this key went. Returns whether its table was large and has grown since the last note.
    pub(crate) fn note(
        &mut self,
        key: CostKey,
        entities: usize,
        entity: Entity,
        world: &World,
    ) -> bool {
        let Ok(entity) = world.get_entity(entity) else {
            return false;
        };
        let table = entity.location().table_id;
        let capacity = (world.storages().tables.get(table)).map_or(0, Table::entity_capacity);
        match self.known.iter_mut().find(|known| known.key == key) {
            Some(known) => {
                let has_grown =
                    known.table == table && (FEWEST_ROWS..capacity).contains(&known.capacity);
                if known.table != table {
                    known.row_bytes = row_bytes(entity.archetype(), world);
                }
                (known.table, known.capacity) = (table, capacity);
                known.spawned += entities;
                has_grown
            }
            None => {
                self.known.push(Destination {
                    key,
                    table,
                    capacity,
                    spawned: entities,
                    row_bytes: row_bytes(entity.archetype(), world),
                });
                false
            }
        }
    }
}

fn row_bytes(archetype: &Archetype, world: &World) -> usize {
    let components = archetype.table_components();
    let infos = components.filter_map(|id| world.components().get_info(id));
    ENTITY
        + infos
            .map(|info| info.layout().size() + TICKS)
            .sum::<usize>()
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
            let has_grown = tables.note(key, 1, entity, &world);
            assert_eq!(is_full, has_grown, "{tree}");
            if has_grown {
                grown.push(tree);
            }
        }
        assert_eq!(grown, [512, 1_024, 2_048]);
    }

    #[test]
    fn room_is_made_for_what_is_expected_and_never_for_more_than_half_a_gibibyte() {
        let (mut world, mut tables) = (World::new(), TableGrowth::default());
        let key = CostKey::of::<Tree>();
        for tree in 0..512 {
            let entity = world.spawn(Tree(tree)).id();
            tables.note(key, 1, entity, &world);
        }
        assert_eq!(tables.room(key, &world), 0);
        tables.begun = 64;
        for (expected, room) in [
            // It doubles by itself.
            (0, None),
            (51, None),
            (52, Some(520)),
            (1_000, Some(10_000)),
            // A row is four bytes, the ticks of one component and the entity.
            (usize::MAX, Some((512 << 20) / 20)),
        ] {
            tables.expected = expected;
            assert_eq!(tables.missing_room(key, &world), room, "{expected}");
        }
        world.spawn(Tree(512));
        assert_eq!(tables.missing_room(key, &world), None, "it has room");
    }

    #[test]
    fn a_key_that_was_never_noted_has_endless_room() {
        let (mut world, mut tables) = (World::new(), TableGrowth::default());
        let key = CostKey::of::<Tree>();
        assert_eq!(tables.room(key, &world), usize::MAX);
        let gone = world.spawn_empty().id();
        world.despawn(gone);
        assert!(!tables.note(key, 1, gone, &world));
        assert_eq!(tables.room(key, &world), usize::MAX);
    }
}
