//! Bevy keeps a list of all entities by their index. When an index passes its end, the list gets twice the length,
//! moves, and all that is new is written: half a millisecond for some ten thousand entities, in the middle of
//! spawning one. So that is seen coming, like the growth of a table, as long as the indices are new ones. Which index
//! is next, Bevy does not tell: where some were given back in between, the list may grow unseen.

use bevy_ecs::{entity::Entity, world::World};

/// Shorter lists grow in less time than it is worth to plan.
const FEWEST: usize = 4_096;

/// What is known of that list.
#[derive(Debug)]
pub(crate) struct Indices {
    /// One more than the highest index that was seen.
    end: usize,
    /// Whether the last entity had that one, so that the next has the next. Else indices are being used again.
    is_fresh: bool,
    /// What growing takes for each entity in the list.
    pub(crate) nanos: f64,
}

impl Indices {
    /// Nanoseconds that growing is expected to take at least for each entity in the list: some thirty bytes move, and as
    /// many are written, half of them to memory that was never touched.
    pub(crate) const LEAST: f64 = 25.0;

    /// Notes an entity that was spawned. They must be noted in the order in which they were.
    pub(crate) fn saw(&mut self, entity: Entity) {
        let end = entity.index_u32() as usize + 1;
        self.is_fresh = end > self.end;
        self.end = self.end.max(end);
    }

    /// How many entities can be spawned before the list grows.
    pub(crate) fn room(&self, world: &World) -> usize {
        let length = length(world);
        if self.is_fresh && length >= FEWEST {
            length.saturating_sub(self.end)
        } else {
            usize::MAX
        }
    }
}

/// For how many entities the list has room.
pub(crate) fn length(world: &World) -> usize {
    world.entities().len() as usize
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_full_exactly_when_the_next_new_index_makes_it_grow() {
        let (mut world, mut indices, mut grown) = (World::new(), Indices::default(), 0);
        for _ in 0..20_000 {
            let (is_full, before) = (indices.room(&world) == 0, length(&world));
            indices.saw(world.spawn_empty().id());
            let has_grown = length(&world) > before;
            assert_eq!(is_full, has_grown && before >= FEWEST);
            grown += u32::from(is_full);
        }
        assert_eq!(grown, 3, "at 4,096, 8,192 and 16,384");
    }

    #[test]
    fn the_list_is_as_long_as_others_have_made_it() {
        let (mut world, mut indices) = (World::new(), Indices::default());
        let far = Entity::from_raw_u32(9_999).expect("it is not the last");
        indices.saw(world.spawn_empty().id());
        world.spawn_empty_at(far).expect("nobody has it");
        let end = indices.end;
        assert_eq!(indices.room(&world), length(&world) - end);
        assert!(length(&world) >= 10_000);
    }

    #[test]
    fn indices_that_are_used_again_make_no_list_grow() {
        let (mut world, mut indices) = (World::new(), Indices::default());
        while indices.room(&world) > 0 {
            indices.saw(world.spawn_empty().id());
        }
        indices.saw(Entity::from_raw_u32(0).expect("it is not the last"));
        assert_eq!(indices.room(&world), usize::MAX);
        indices.saw(world.spawn_empty().id());
        assert!((1..usize::MAX).contains(&indices.room(&world)));
    }
}
