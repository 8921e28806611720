//! When a table is full, Bevy gives it twice the room and moves everything in it, in the middle of spawning one
//! entity. That takes a millisecond or more for some ten thousand rows, so it is seen coming and planned for like any
//! other piece that cannot be divided. So is the growth of Bevy's list of all entities.
//!
//! Room is not made in advance. `World::spawn_batch` would make it for whoever promises more than comes; but then it gives
//! back the indices that it took while it still reads them from the list of free ones, and two entities may get the same.

use crate::{
    costs::Kind,
    indices::{self, Indices},
};
use bevy_ecs::{
    entity::Entity,
    storage::{Table, TableId},
    world::World,
};
use smallvec::SmallVec;

/// Tables with fewer rows grow in less time than it is worth to plan.
const FEWEST_ROWS: usize = 512;
/// Nanoseconds that moving a row is expected to take at least: a few hundred bytes, half of them to memory that was never
/// touched. A small table moves in a fifth of it, to memory that is there already, and a large one may take twice
/// as long; but to wait for the worst each time loses more frames than it saves.
const LEAST: f64 = 60.0;
/// An estimate moves by no more than this factor at once: one that is far off was interrupted.
const MOST_CORRECTION: f64 = 4.0;

/// The tables that entities of each kind go to, and what it costs when those grow.
#[derive(Debug, Default)]
pub(crate) struct Growth {
    known: SmallVec<[Destination; 8]>,
    indices: Indices,
}

#[derive(Debug)]
struct Destination {
    kind: Kind,
    table: TableId,
    /// A row that has to move.
    nanos: f64,
    /// The capacity of the table and of the list of all entities when it last waited for more time.
    waited_at: Option<(usize, usize)>,
}

/// What grows with the next entity.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Plan {
    /// Of a table that is full.
    rows: usize,
    /// In the list of all entities, if that is full.
    listed: usize,
    /// How long it will take.
    pub(crate) nanos: f64,
}

impl Growth {
    /// How many entities of this kind can be spawned before something grows.
    pub(crate) fn room(&self, kind: Kind, world: &World) -> usize {
        (self.rows(kind, world))
            .map_or(usize::MAX, |(rows, capacity)| capacity - rows)
            .min(self.indices.room(world))
    }

    /// What grows with the next entity of this kind.
    pub(crate) fn plan(&self, kind: Kind, world: &World) -> Plan {
        let full = (self.rows(kind, world)).filter(|(rows, capacity)| rows == capacity);
        let rows = full.map_or(0, |(rows, _)| rows);
        let listed = if self.indices.room(world) == 0 {
            indices::length(world)
        } else {
            0
        };
        let a_row = self.find(kind).map_or(0.0, |known| known.nanos);
        Plan {
            rows,
            listed,
            nanos: a_row * rows as f64 + self.indices.nanos * listed as f64,
        }
    }

    /// Lets entities of this kind wait for the next frame, unless they have waited already: then there is no more time in
    /// the next, and while chunks are unloaded there may be none for long.
    pub(crate) fn wait(&mut self, kind: Kind, world: &World) -> bool {
        let (_, capacity) = self.rows(kind, world).unwrap_or_default();
        let at = Some((capacity, indices::length(world)));
        self.find_mut(kind)
            .is_some_and(|known| core::mem::replace(&mut known.waited_at, at) != at)
    }

    /// Notes where an entity of this kind went.
    pub(crate) fn went_to(&mut self, kind: Kind, entity: Entity, world: &World) {
        self.indices.saw(entity);
        let Ok(entity) = world.get_entity(entity) else {
            return;
        };
        let table = entity.location().table_id;
        match self.find_mut(kind) {
            Some(known) => known.table = table,
            None => self.known.push(Destination {
                kind,
                table,
                nanos: LEAST,
                waited_at: None,
            }),
        }
    }

    /// Learns how long it took.
    pub(crate) fn learn(&mut self, kind: Kind, plan: Plan, nanos: f64, world: &World) {
        let ratio = (nanos / plan.nanos).min(MOST_CORRECTION);
        let corrected = |known: f64| f64::midpoint(known, known * ratio);
        if plan.rows > 0
            && let Some(known) = self.find_mut(kind)
        {
            known.nanos = corrected(known.nanos).max(LEAST);
        }
        if plan.listed > 0 && indices::length(world) > plan.listed {
            self.indices.nanos = corrected(self.indices.nanos).max(Indices::LEAST);
        }
    }

    /// The rows of the table that this kind goes to, and how many it has room for, if it is large.
    fn rows(&self, kind: Kind, world: &World) -> Option<(usize, usize)> {
        let table = table(self.find(kind)?, world)?;
        let (rows, capacity) = (table.entity_count() as usize, table.entity_capacity());
        (capacity >= FEWEST_ROWS).then_some((rows, capacity))
    }

    fn find(&self, kind: Kind) -> Option<&Destination> {
        self.known.iter().find(|known| known.kind == kind)
    }

    fn find_mut(&mut self, kind: Kind) -> Option<&mut Destination> {
        self.known.iter_mut().find(|known| known.kind == kind)
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
        for tree in 0..4_000 {
            let is_full = growth.room(kind(), &world) == 0;
            let before = growth.plan(kind(), &world);
            let entity = world.spawn(Tree(tree));
            let (table, entity) = (entity.location().table_id, entity.id());
            let capacity = || world.storages().tables[table].entity_capacity();
            let has_grown = before.rows == tree as usize && capacity() > before.rows;
            growth.went_to(kind(), entity, &world);
            assert_eq!(is_full, has_grown && before.rows >= FEWEST_ROWS);
            if is_full {
                assert!(growth.room(kind(), &world) > 0);
                assert!((before.nanos - before.rows as f64 * LEAST).abs() < 1.0);
                grown += 1;
            }
        }
        assert_eq!(grown, 3, "at 512, 1,024 and 2,048");
    }

    #[test]
    fn what_was_never_spawned_or_is_small_is_not_planned_for() {
        let mut world = World::new();
        let mut growth = Growth::default();
        assert_eq!(growth.room(kind(), &world), usize::MAX);
        assert_eq!(growth.plan(kind(), &world), Plan::default());
        for tree in 0..4 {
            let entity = world.spawn(Tree(tree)).id();
            growth.went_to(kind(), entity, &world);
        }
        assert_eq!(growth.room(kind(), &world), usize::MAX);
        let gone = world.spawn_empty().id();
        world.despawn(gone);
        growth.went_to(kind(), gone, &world);
        assert_eq!(growth.plan(kind(), &world), Plan::default());
    }

    #[test]
    fn one_interruption_moves_the_estimate_a_little() {
        let mut world = World::new();
        let mut growth = Growth::default();
        for tree in 0..512 {
            let tree = world.spawn(Tree(tree)).id();
            growth.went_to(kind(), tree, &world);
        }
        let moving = |growth: &Growth| growth.plan(kind(), &world).nanos / 512.0;
        assert_eq!(moving(&growth), LEAST);
        growth.learn(kind(), growth.plan(kind(), &world), 1e12, &world);
        assert_eq!(moving(&growth), LEAST * 2.5);
        for _ in 0..30 {
            growth.learn(kind(), growth.plan(kind(), &world), 0.0, &world);
        }
        assert_eq!(moving(&growth), LEAST, "and nothing below the least");
    }

    /// Another kind, of which there are too few for their table to matter.
    #[derive(Component)]
    struct Rock;

    #[test]
    fn the_list_of_all_entities_is_planned_for_and_learned_by_itself() {
        let (mut world, mut growth) = (World::new(), Growth::default());
        let rock = TypeId::of::<Rock>();
        let fill = |growth: &mut Growth, world: &mut World| {
            while growth.room(rock, world) > 0 {
                growth.went_to(kind(), world.spawn(Tree(0)).id(), world);
            }
            let plan = growth.plan(rock, world);
            assert_eq!((plan.rows, plan.listed), (0, indices::length(world)));
            plan
        };
        let plan = fill(&mut growth, &mut world);
        assert_eq!(plan.nanos, 4_096.0 * Indices::LEAST);
        growth.learn(rock, plan, 4.0 * plan.nanos, &world);
        assert_eq!(growth.plan(rock, &world), plan, "it has not grown");
        growth.went_to(rock, world.spawn(Rock).id(), &world);
        growth.learn(rock, plan, 2.0 * plan.nanos, &world);
        let next = fill(&mut growth, &mut world);
        assert_eq!(next.nanos, 2.0 * 1.5 * plan.nanos);
    }

    #[test]
    fn a_table_that_gets_a_little_room_in_between_waits_no_longer_for_that() {
        let (mut world, mut growth) = (World::new(), Growth::default());
        let mut trees = Vec::new();
        while growth.room(kind(), &world) > 0 {
            let tree = world.spawn(Tree(0)).id();
            growth.went_to(kind(), tree, &world);
            trees.push(tree);
        }
        let mut waits = Vec::new();
        for tree in trees.into_iter().take(3) {
            waits.push(growth.wait(kind(), &world));
            world.despawn(tree);
            let tree = world.spawn(Tree(1)).id();
            growth.went_to(kind(), tree, &world);
            assert_eq!(growth.room(kind(), &world), 0);
        }
        assert_eq!(waits, [true, false, false]);
        world.spawn(Tree(2));
        assert!(growth.wait(kind(), &world), "the larger one waits anew");
    }
}
