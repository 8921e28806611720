//! When a table is full, Bevy gives it twice the room and moves everything in it, in the middle of spawning one
//! entity. That takes a millisecond or more for some ten thousand rows, so it is seen coming and planned for like any
//! other piece that cannot be divided.

use crate::costs::Kind;
use bevy_ecs::{
    entity::Entity,
    storage::{Table, TableId},
    world::World,
};
use smallvec::SmallVec;

/// Tables with fewer rows grow in less time than it is worth to plan.
const FEWEST_ROWS: usize = 512;
/// Nanoseconds that moving a row takes until it was measured: a few hundred bytes, to memory that was never touched.
const UNKNOWN: f64 = 100.0;
/// An estimate moves by no more than this factor at once: one that is far off was interrupted.
const MOST_CORRECTION: f64 = 4.0;
/// How often growing may wait for a frame with more time; there may be none.
const PATIENCE: u32 = 3;
/// Nothing costs less.
const LEAST: f64 = 1.0;

/// The tables that entities of each kind go to, and what it costs when those grow.
#[derive(Debug, Default)]
pub(crate) struct Growth {
    known: SmallVec<[Destination; 8]>,
}

#[derive(Debug)]
struct Destination {
    kind: Kind,
    table: TableId,
    /// A row that has to move.
    nanos: f64,
    /// How often it waited since it last had room.
    waited: u32,
}

impl Growth {
    /// How many entities of this kind can be spawned before their table grows.
    pub(crate) fn room(&self, kind: Kind, world: &World) -> usize {
        let table = self.find(kind).and_then(|known| table(known, world));
        match table {
            Some(table) if table.entity_capacity() >= FEWEST_ROWS => {
                table.entity_capacity() - table.entity_count() as usize
            }
            _ => usize::MAX,
        }
    }

    /// The rows that move when the table of this kind grows now, and how many nanoseconds that takes.
    pub(crate) fn cost(&self, kind: Kind, world: &World) -> (usize, f64) {
        let Some(known) = self.find(kind) else {
            return (0, 0.0);
        };
        let rows = table(known, world).map_or(0, |table| table.entity_count() as usize);
        (rows, rows as f64 * known.nanos)
    }

    /// Whether the table of this kind has waited for more time often enough; if not, it waits once more.
    pub(crate) fn is_impatient(&mut self, kind: Kind) -> bool {
        let known = self.known.iter_mut().find(|known| known.kind == kind);
        known.is_none_or(|known| {
            known.waited += 1;
            known.waited > PATIENCE
        })
    }

    /// Notes where an entity of this kind went.
    pub(crate) fn went_to(&mut self, kind: Kind, entity: Entity, world: &World) {
        let Ok(entity) = world.get_entity(entity) else {
            return;
        };
        let table = entity.location().table_id;
        match self.known.iter_mut().find(|known| known.kind == kind) {
            Some(known) => (known.table, known.waited) = (table, 0),
            None => self.known.push(Destination {
                kind,
                table,
                nanos: UNKNOWN,
                waited: 0,
            }),
        }
    }

    /// Learns how long it took to move so many rows.
    pub(crate) fn learn(&mut self, kind: Kind, rows: usize, nanos: f64) {
        if let Some(known) = self.known.iter_mut().find(|known| known.kind == kind) {
            let measured = (nanos / rows.max(1) as f64).min(known.nanos * MOST_CORRECTION);
            known.nanos = f64::midpoint(known.nanos, measured).max(LEAST);
        }
    }

    fn find(&self, kind: Kind) -> Option<&Destination> {
        self.known.iter().find(|known| known.kind == kind)
    }
}

fn table<'w>(known: &Destination, world: &'w World) -> Option<&'w Table> {
    world.storages().tables.get(known.table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevy_ecs::component::Component;
    use core::any::TypeId;

    #[derive(Component)]
    struct Tree(#[expect(dead_code, reason = "it only takes room")] u32);

    fn kind() -> Kind {
        TypeId::of::<Tree>()
    }

    #[test]
    fn a_table_is_full_exactly_when_the_next_entity_moves_it() {
        let mut world = World::new();
        let mut growth = Growth::default();
        let mut grown = 0;
        for tree in 0..5_000 {
            let is_full = growth.room(kind(), &world) == 0;
            let before = growth.cost(kind(), &world);
            let entity = world.spawn(Tree(tree));
            let (table, entity) = (entity.location().table_id, entity.id());
            let capacity = || world.storages().tables[table].entity_capacity();
            let has_grown = capacity() > before.0 && before.0 == tree as usize;
            growth.went_to(kind(), entity, &world);
            if is_full {
                assert!(has_grown && growth.room(kind(), &world) > 0);
                assert!((before.1 - before.0 as f64 * UNKNOWN).abs() < 1.0);
                grown += 1;
            }
        }
        assert_eq!(grown, 4, "at 512, 1,024, 2,048 and 4,096");
    }

    #[test]
    fn what_was_never_spawned_or_is_small_is_not_planned_for() {
        let mut world = World::new();
        let mut growth = Growth::default();
        assert_eq!(growth.room(kind(), &world), usize::MAX);
        assert_eq!(growth.cost(kind(), &world), (0, 0.0));
        for tree in 0..4 {
            let entity = world.spawn(Tree(tree)).id();
            growth.went_to(kind(), entity, &world);
        }
        assert_eq!(growth.room(kind(), &world), usize::MAX);
        let gone = world.spawn_empty().id();
        world.despawn(gone);
        growth.went_to(kind(), gone, &world);
        assert_eq!(growth.cost(kind(), &world).0, 4);
    }

    #[test]
    fn one_interruption_moves_the_estimate_a_little() {
        let mut world = World::new();
        let mut growth = Growth::default();
        let entity = world.spawn(Tree(1)).id();
        growth.went_to(kind(), entity, &world);
        growth.learn(kind(), 1_000, 1e12);
        let (rows, nanos) = growth.cost(kind(), &world);
        assert_eq!((rows, nanos), (1, UNKNOWN * 2.5));
        for _ in 0..30 {
            growth.learn(kind(), 1_000, 0.0);
        }
        assert_eq!(growth.cost(kind(), &world).1, LEAST);
    }
}
