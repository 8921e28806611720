//! Whether the world is what it should be.

use bevy_camera::visibility::Visibility;
use bevy_ecs::entity::Entity;
use bevy_ecs::hierarchy::Children;
use bevy_ecs::world::World;
use chunk_apply::{ChunkIndex, ChunkRoot, ChunkStream};
use chunk_assets::asset_count;

use crate::faults::{Fate, Faults};
use crate::workload::Workload;

/// What is there, counted one by one, and what should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Census {
    pub(crate) chunks: usize,
    /// Children of the chunks' roots.
    pub(crate) entities: usize,
    pub(crate) expected: usize,
    /// Chunks with more or fewer entities than they should have.
    pub(crate) wrong_chunks: usize,
}

impl Census {
    /// Counts the entities of every loaded chunk.
    pub(crate) fn take<T: Send + Sync + 'static>(world: &World, workload: &Workload<T>) -> Self {
        let mut census = Self::default();
        for (coord, chunk) in world.resource::<ChunkIndex<T>>().iter() {
            let entities = world
                .get::<Children>(chunk.root)
                .map_or(0, |children| children.len());
            let expected = (workload.entities_of)(coord);
            census.chunks += 1;
            census.entities += entities;
            census.expected += expected;
            census.wrong_chunks += usize::from(entities != expected);
        }
        census
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        if self.wrong_chunks == 0 {
            return Vec::new();
        }
        vec![format!(
            "leak: {} of {} chunks do not have the entities they should: {} are there, {} expected",
            self.wrong_chunks, self.chunks, self.entities, self.expected
        )]
    }
}

/// Whether every request is accounted for (I1).
pub(crate) fn ledger<T: Send + Sync + 'static>(world: &World) -> Option<String> {
    let ledger = world.resource::<ChunkStream<T>>().scheduler().audit();
    ledger
        .err()
        .map(|error| format!("I1 broken, requests are not accounted for: {error}"))
}

/// Whether of every loaded chunk one version is seen and of every other chunk none.
pub(crate) fn versions<T: Send + Sync + 'static>(world: &World) -> Option<String> {
    let index = world.resource::<ChunkIndex<T>>();
    let mut roots = world.try_query::<(Entity, &ChunkRoot, &Visibility)>()?;
    let is_wrong = |(entity, root, visibility): &(Entity, &ChunkRoot, &Visibility)| {
        *visibility != Visibility::Hidden && index.root(root.coord) != Some(*entity)
    };
    let wrong = roots.iter(world).filter(is_wrong).count();
    (wrong > 0).then(|| {
        format!("{wrong} chunks are seen that are not loaded, or twice in different versions")
    })
}

/// Whether there are as many assets as there should be.
pub(crate) fn assets<T>(world: &World, workload: &Workload<T>) -> Option<String> {
    let expected = workload.assets?;
    let found = asset_count(world);
    (found != expected).then(|| format!("{found} meshes and materials instead of {expected}"))
}

/// Whether a world at rest holds its chunks and nothing else. `others` are the entities that belong to no chunk.
pub(crate) fn at_rest(world: &World, census: &Census, others: usize) -> Option<String> {
    let found = world.entity_count() as usize;
    let expected = others + census.chunks + census.expected;
    (found != expected).then(|| {
        format!(
            "leak: {found} entities in a world at rest that should have {expected}: {others} of \
             others, {} roots, {} in chunks",
            census.chunks, census.expected
        )
    })
}

/// Whether everything went when the last viewer did. `before` is how many entities there were before the first.
pub(crate) fn emptied<T: Send + Sync + 'static>(world: &World, before: usize) -> Vec<String> {
    let mut violations = Vec::new();
    let chunks = world.resource::<ChunkIndex<T>>().len();
    if chunks != 0 {
        violations.push(format!(
            "{chunks} chunks are still loaded with no viewer left"
        ));
    }
    let found = world.entity_count() as usize;
    if found != before {
        violations.push(format!(
            "leak: {found} entities after everything was unloaded, {before} at the start"
        ));
    }
    violations
}

/// How many wanted chunks are not there, and how many of those were meant to fail for ever.
pub(crate) fn missing<T: Send + Sync + 'static>(
    world: &World,
    faults: Faults,
    seed: u64,
) -> (usize, usize) {
    let index = world.resource::<ChunkIndex<T>>();
    let wanted = world.resource::<ChunkStream<T>>().wanted();
    let missing = wanted.iter().filter(|coord| !index.contains(*coord));
    missing.fold((0, 0), |(missing, broken), coord| {
        let is_broken = faults.fate(seed, coord) == Fate::Broken;
        (missing + 1, broken + usize::from(is_broken))
    })
}
