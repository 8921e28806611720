//! Bevy keeps a list of all entities by their index. When an index passes its end, the list gets twice the length,
//! moves, and all that is new is written: half a millisecond for some ten thousand entities, in the middle of
//! spawning one. So that is seen coming, like the growth of a table.

use bevy_ecs::entity::Entity;

/// Shorter lists grow in less time than it is worth to plan.
const FEWEST: usize = 4_096;
/// What is known of that list. Bevy does not tell its length, which is a power of two as long as indices are given out
/// one by one.
#[derive(Debug)]
pub(crate) struct Indices {
    /// One more than the highest index that was seen.
    end: usize,
    /// Whether the last entity had that one, so that the next has the next. Else indices are being used again.
    is_fresh: bool,
    /// What growing takes for each entity in the list.
    pub(crate) nanos: f64,
}

impl Default for Indices {
    fn default() -> Self {
        Self {
            end: 0,
            is_fresh: false,
            nanos: Self::LEAST,
        }
    }
}

impl Indices {
    /// Nanoseconds that growing is expected to take at least for each entity in the list: some thirty bytes move, and as
    /// many are written, to memory that was never touched.
    pub(crate) const LEAST: f64 = 45.0;

    /// Notes an entity that was spawned. They must be noted in the order in which they were.
    pub(crate) fn saw(&mut self, entity: Entity) {
        let end = entity.index_u32() as usize + 1;
        self.is_fresh = end > self.end;
        self.end = self.end.max(end);
    }

    /// How many entities can be spawned before the list grows.
    pub(crate) fn room(&self) -> usize {
        let length = self.end.checked_next_power_of_two();
        match length.filter(|length| self.is_fresh && *length >= FEWEST) {
            Some(length) => length - self.end,
            None => usize::MAX,
        }
    }

    /// Whether the last entity had a new index.
    pub(crate) fn is_fresh(&self) -> bool {
        self.is_fresh
    }

    /// The entities in the list, if the next one makes it grow.
    pub(crate) fn growing(&self) -> usize {
        if self.room() == 0 { self.end } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevy_ecs::world::World;

    /// How many entities can be spawned until the list of so many grows.
    fn room_after(spawned: u32) -> usize {
        let mut indices = Indices::default();
        let mut world = World::new();
        while world.entities().count_spawned() < spawned {
            indices.saw(world.spawn_empty().id());
        }
        indices.room()
    }

    #[test]
    fn the_list_is_full_at_every_power_of_two_from_4096_on() {
        assert_eq!(room_after(1_024), usize::MAX);
        assert_eq!(room_after(4_000), 96);
        assert_eq!(room_after(4_096), 0);
        assert_eq!(room_after(4_097), 4_095);
        assert_eq!(room_after(8_192), 0);
    }

    #[test]
    fn indices_that_are_used_again_make_no_list_grow() {
        let (mut world, mut indices) = (World::new(), Indices::default());
        while world.entities().count_spawned() < 4_096 {
            indices.saw(world.spawn_empty().id());
        }
        assert_eq!(indices.growing(), 4_096);
        let first = Entity::from_raw_u32(0).expect("it is not the last");
        indices.saw(first);
        assert_eq!((indices.room(), indices.growing()), (usize::MAX, 0));
        indices.saw(Entity::from_raw_u32(4_096).expect("it is not the last"));
        assert_eq!(indices.room(), 4_095);
    }
}
