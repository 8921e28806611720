//! Whether the world is what it should be.

use bevy_camera::visibility::Visibility;
use bevy_ecs::entity::Entity;
use bevy_ecs::hierarchy::Children;
use bevy_ecs::world::World;
use chunk_apply::{ChunkIndex, ChunkRoot, ChunkStream};
use chunk_assets::asset_count;
use chunk_coord::ChunkCoord;

use super::faults::{Fate, Faults};
use super::workload::Workload;

/// The loaded chunks and their entities, counted one by one, and how many entities there should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Census {
    pub(super) chunks: usize,
    /// Children of the chunks' roots.
    pub(super) entities: usize,
    pub(super) expected: usize,
    /// Chunks with more or fewer entities than they should have.
    wrong_chunks: usize,
}

impl Census {
    /// Counts the entities of every loaded chunk. `level_of` says at which level of detail it was made.
    pub(super) fn take<T: Send + Sync + 'static>(
        world: &World,
        workload: &Workload<T>,
        level_of: impl Fn(ChunkCoord) -> u8,
    ) -> Self {
        let mut census = Self::default();
        for (coord, chunk) in world.resource::<ChunkIndex<T>>().iter() {
            let entities = world
                .get::<Children>(chunk.root)
                .map_or(0, |children| children.len());
            let expected = (workload.entities_of)(coord, level_of(coord));
            census.chunks += 1;
            census.entities += entities;
            census.expected += expected;
            census.wrong_chunks += usize::from(entities != expected);
        }
        census
    }

    pub(super) fn violation(&self) -> Option<String> {
        (self.wrong_chunks > 0).then(|| {
            format!(
                "leak: {} of {} chunks do not have the entities they should: {} are there, {} expected",
                self.wrong_chunks, self.chunks, self.entities, self.expected
            )
        })
    }

    /// Whether a world at rest holds these chunks and nothing else. `others` are the entities that belong to no chunk.
    pub(super) fn violation_at_rest(&self, world: &World, others: usize) -> Option<String> {
        let found = world.entity_count() as usize;
        let expected = others + self.chunks + self.expected;
        (found != expected).then(|| {
            format!(
                "leak: {found} entities in a world at rest that should have {expected}: {others} of \
                 others, {} roots, {} in chunks",
                self.chunks, self.expected
            )
        })
    }
}

/// Whether every request is accounted for (I1), and one version of every loaded chunk is visible and none of any other, but for
/// chunks that left and that no frame had the time to hide yet.
pub(super) fn stream<T: Send + Sync + 'static>(world: &World) -> Vec<String> {
    let stream = world.resource::<ChunkStream<T>>();
    let requests = stream.scheduler().audit().err();
    let unaccounted =
        requests.map(|error| format!("I1 broken, requests are not accounted for: {error}"));
    let index = world.resource::<ChunkIndex<T>>();
    let (mut doubled, mut gone) = (0, 0);
    let mut roots = world.try_query::<(Entity, &ChunkRoot, &Visibility)>();
    for (entity, root, visibility) in roots.iter_mut().flat_map(|roots| roots.iter(world)) {
        let is_visible = *visibility != Visibility::Hidden;
        match index.root(root.coord) {
            Some(loaded) => doubled += usize::from(is_visible && loaded != entity),
            None => gone += usize::from(is_visible),
        }
    }
    let doubled =
        (doubled > 0).then(|| format!("{doubled} chunks are visible twice, in different versions"));
    let unloading = stream.unloading();
    let gone = (gone > unloading).then(|| {
        format!("{gone} chunks are visible that are not loaded, and {unloading} are being unloaded")
    });
    unaccounted.into_iter().chain(doubled).chain(gone).collect()
}

/// Whether there are as many assets as there should be, those of the scenery included. Where chunks bring their own, the
/// world must be at rest.
pub(super) fn assets<T: Send + Sync + 'static>(
    world: &World,
    workload: &Workload<T>,
    scenery: usize,
) -> Option<String> {
    let index = world.resource::<ChunkIndex<T>>();
    let of_chunks = workload.assets_of.as_ref().map_or(0, |assets_of| {
        index.iter().map(|(coord, _)| assets_of(coord)).sum()
    });
    let expected = workload.assets? + of_chunks + scenery;
    let found = asset_count(world);
    (found != expected).then(|| format!("{found} meshes and materials instead of {expected}"))
}

/// Whether everything was unloaded after the last viewer. `before` is how many entities there were before the first.
pub(super) fn emptied<T: Send + Sync + 'static>(world: &World, before: usize) -> Vec<String> {
    let loaded = world.resource::<ChunkIndex<T>>().len();
    let found = world.entity_count() as usize;
    let still_loaded =
        (loaded != 0).then(|| format!("{loaded} chunks are still loaded with no viewer left"));
    let leaked = (found != before).then(|| {
        format!("leak: {found} entities after everything was unloaded, {before} at the start")
    });
    still_loaded.into_iter().chain(leaked).collect()
}

/// How many wanted chunks are not loaded, and how many of those have a generator that never succeeds.
pub(super) fn missing<T: Send + Sync + 'static>(
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
