//! What a spawner writes a chunk with.

use crate::{
    batch::{Advance, Batch, Bundles, Step},
    pace::Pace,
};
use bevy_ecs::{
    bundle::{Bundle, NoBundleEffect},
    entity::Entity,
    world::World,
};
use core::fmt;
use std::collections::VecDeque;

/// Writes one chunk's entities under its root, within the frame's budget.
///
/// What does not fit in this frame is kept and goes on in the next, exactly where it stopped;
/// the spawner is not called again. The chunk is shown when all of it is there.
///
/// ```
/// use bevy_ecs::{name::Name, prelude::*};
/// use chunk_apply::{ChunkWriter, Spawner};
///
/// #[derive(Component)]
/// struct Rock(u8);
///
/// fn write(key: u32, rocks: Vec<u8>, writer: &mut ChunkWriter<'_, '_>) {
///     writer.insert_on_root(Name::new(format!("chunk {key}")));
///     writer.spawn_batch(rocks.into_iter().map(Rock));
///     writer.run(|world, root| {
///         let rocks = world.get::<Children>(root).map_or(0, |rocks| rocks.len());
///         println!("{rocks} rocks lie under {root}");
///     });
/// }
/// let spawner = Spawner::new(write);
/// # let _ = spawner;
/// ```
pub struct ChunkWriter<'w, 'p> {
    world: &'w mut World,
    root: Entity,
    pace: &'w mut Pace<'p>,
    rest: &'w mut VecDeque<Box<dyn Batch>>,
    spawned: &'w mut usize,
}

impl<'w, 'p> ChunkWriter<'w, 'p> {
    pub(crate) fn new(
        world: &'w mut World,
        root: Entity,
        pace: &'w mut Pace<'p>,
        rest: &'w mut VecDeque<Box<dyn Batch>>,
        spawned: &'w mut usize,
    ) -> Self {
        Self {
            world,
            root,
            pace,
            rest,
            spawned,
        }
    }

    /// The chunk's root. Everything written becomes its child, so despawning it removes the chunk.
    #[must_use]
    pub fn root(&self) -> Entity {
        self.root
    }

    /// Spawns one entity for each bundle, as children of the root, in order.
    ///
    /// All bundles of a call have one type, so that they are spawned at the speed of
    /// [`World::spawn_batch`]. The iterator owns what it needs (`vec.into_iter().map(…)`), because
    /// it may go on in a later frame.
    pub fn spawn_batch<I>(&mut self, bundles: I)
    where
        I: IntoIterator<IntoIter: Send + Sync + 'static>,
        I::Item: Bundle<Effect: NoBundleEffect>,
    {
        self.write(Bundles::new(bundles.into_iter()));
    }

    /// Inserts components on the chunk's root, at once: before the entities of a batch that is still
    /// to be spawned.
    pub fn insert_on_root(&mut self, bundle: impl Bundle) {
        if let Ok(mut root) = self.world.get_entity_mut(self.root) {
            root.insert(bundle);
        }
    }

    /// Runs a step of your own with the world and the root, after all that was written before it.
    ///
    /// The step cannot be divided: a frame that is almost over waits with it, and may be too long by
    /// what the step takes. Entities it spawns outside the root are not removed with the chunk.
    pub fn run(&mut self, step: impl FnOnce(&mut World, Entity) + Send + Sync + 'static) {
        self.write(Step(Some(step)));
    }

    fn write(&mut self, mut batch: impl Batch + 'static) {
        // What the spawner did until now is not part of what this batch costs.
        self.pace.end_step_early();
        if !self.rest.is_empty()
            || !advance(&mut batch, self.world, self.root, self.pace, self.spawned)
        {
            self.rest.push_back(Box::new(batch));
        }
    }
}

impl fmt::Debug for ChunkWriter<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkWriter")
            .field("root", &self.root)
            .field("spawned", &self.spawned)
            .field("waiting", &self.rest.len())
            .finish_non_exhaustive()
    }
}

/// The longest slice, in entities, also where time is no limit: an iterator that promises more than
/// it has must not reserve the earth.
const LONGEST_SLICE: usize = 4096;

/// Spawns as much of the batch as the pace allows. Returns whether it is finished.
pub(crate) fn advance(
    batch: &mut (impl Batch + ?Sized),
    world: &mut World,
    root: Entity,
    pace: &mut Pace<'_>,
    spawned: &mut usize,
) -> bool {
    let kind = batch.kind();
    loop {
        if world.get_entity(root).is_err() {
            // Without a parent the rest would belong to nobody. Who asked for it finds out, too.
            return true;
        }
        let allowance = if batch.is_step() || batch.is_over() {
            pace.allowance(kind).min(1)
        } else {
            pace.spawn_allowance(kind, world).min(LONGEST_SLICE)
        };
        if allowance == 0 {
            return false;
        }
        let before = *spawned;
        if batch.is_step() {
            pace.begin_step(kind);
        }
        let Advance { is_finished, last } = batch.advance(world, root, allowance, spawned);
        if batch.is_step() {
            pace.end_step();
        } else {
            // Even a batch that turned out empty has a price.
            pace.spawned(kind, (*spawned - before).max(1), last, world);
        }
        if is_finished {
            return true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::ManualClock, costs::Costs};
    use bevy_ecs::component::Component;
    use core::time::Duration;

    #[derive(Component)]
    struct Tree(#[expect(dead_code, reason = "it only takes room")] u32);

    #[test]
    fn a_batch_that_is_over_waits_for_no_room_in_a_full_table() {
        let (mut world, clock, mut costs) =
            (World::new(), ManualClock::default(), Costs::default());
        let root = world.spawn_empty().id();
        let mut spawn = |trees: u32, limit: Option<Duration>| {
            let mut pace = Pace::start(&clock, &mut costs);
            pace.stretch(limit, false);
            let (mut batch, mut spawned) = (Bundles::new((0..trees).map(Tree)), 0);
            let is_finished = advance(&mut batch, &mut world, root, &mut pace, &mut spawned);
            (is_finished, spawned)
        };
        assert_eq!(spawn(512, None), (true, 512));
        let too_short = Some(Duration::from_micros(25));
        assert_eq!(spawn(1, too_short), (false, 0));
        assert_eq!(spawn(0, too_short), (true, 0));
        assert_eq!(spawn(1, Some(Duration::from_millis(1))), (true, 1));
    }
}
