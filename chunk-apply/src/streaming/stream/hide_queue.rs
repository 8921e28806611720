//! Roots that are to be hidden because their chunks left.

use crate::host::LoadedChunk;
use bevy_ecs::entity::Entity;
use chunk_coord::ChunkCoord;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

/// The roots, the farthest first.
///
/// Hiding is spread over frames, because Bevy visits everything under each hidden root in that frame. Most roots of a
/// teleport are despawned before it is their turn.
#[derive(Default)]
pub(in crate::streaming) struct HideQueue {
    roots: BTreeMap<ChunkCoord, (u64, LoadedChunk)>,
    order: BTreeSet<(u64, ChunkCoord)>,
    /// Whether some of them are of a former grid or of a world that was given up.
    has_former: bool,
}

impl HideQueue {
    pub(super) fn push(
        &mut self,
        coord: ChunkCoord,
        chunk: LoadedChunk,
        distance_sq: u64,
        is_former: bool,
    ) {
        self.has_former |= is_former;
        self.roots.insert(coord, (distance_sq, chunk));
        self.order.insert((distance_sq, coord));
    }

    /// The chunk with this root is despawned or taken back.
    pub(super) fn take(&mut self, coord: ChunkCoord, root: Entity) {
        if (self.roots.get(&coord)).is_some_and(|(_, chunk)| chunk.root == root) {
            self.remove(coord);
        }
    }

    fn remove(&mut self, coord: ChunkCoord) -> Option<LoadedChunk> {
        let (distance_sq, chunk) = self.roots.remove(&coord)?;
        self.order.remove(&(distance_sq, coord));
        Some(chunk)
    }

    pub(in crate::streaming) fn is_empty(&self) -> bool {
        self.roots.is_empty()
    }

    /// All of them are of a former grid or of a world that was given up.
    pub(in crate::streaming) fn mark_former(&mut self) {
        self.has_former = !self.roots.is_empty();
    }

    /// Whether nothing of the present grid may be seen yet.
    pub(super) fn has_former(&self) -> bool {
        self.has_former && !self.roots.is_empty()
    }

    /// The roots to hide in a frame that has so much time for it, of which each entity takes so many nanoseconds; one root at
    /// least, and without a limit all. Also returns how many entities they are.
    pub(in crate::streaming) fn next(
        &mut self,
        time: Option<Duration>,
        nanos_each: f64,
    ) -> (Vec<Entity>, usize) {
        let (mut hidden, mut entities) = (Vec::new(), 0_usize);
        self.has_former &= !self.roots.is_empty();
        let has_time = |entities| {
            time.is_none_or(|time| entities as f64 * nanos_each < time.as_nanos() as f64)
        };
        while (hidden.is_empty() || has_time(entities))
            && let Some((_, coord)) = self.order.last().copied()
        {
            let chunk = self.remove(coord);
            hidden.extend(chunk.map(|chunk| chunk.root));
            let more = chunk.map_or(0, |chunk| chunk.entities.saturating_add(1));
            entities = entities.saturating_add(more);
        }
        (hidden, entities)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevy_ecs::world::World;

    #[test]
    fn the_farthest_are_hidden_first_as_many_as_there_is_time_for() {
        let mut world = World::new();
        let mut queue = HideQueue::default();
        let chunks: Vec<LoadedChunk> = (0..10)
            .map(|version| LoadedChunk {
                root: world.spawn_empty().id(),
                entities: 999,
                version,
                bytes: 0,
            })
            .collect();
        let coord = |x: usize| ChunkCoord::planar(x as i32, 0);
        for (x, chunk) in chunks.iter().enumerate() {
            queue.push(coord(x), *chunk, x as u64, x == 5);
        }
        let root = |x: usize| chunks[x].root;
        // 25 µs each.
        let two = Some(Duration::from_micros(50));
        assert_eq!(queue.next(two, 25.0), (vec![root(9), root(8)], 2_000));
        assert_eq!(
            queue.next(Some(Duration::ZERO), 25.0).0,
            [root(7)],
            "one at least"
        );
        queue.take(coord(6), root(6));
        queue.take(coord(5), root(6));
        assert!(queue.has_former());
        assert_eq!(queue.next(None, 25.0).0, [5, 4, 3, 2, 1, 0].map(root));
        assert!(!queue.has_former());
        assert_eq!(queue.next(None, 25.0), (Vec::new(), 0));
    }
}
