//! Where each chunk is, as a colour.

use bevy_ecs::world::World;
use chunk_apply::{ChunkIndex, ChunkRoot, ChunkStream};
use chunk_coord::ChunkCoord;
use chunk_scheduler::JobState;

use super::canvas::Rgba;

/// Where a chunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChunkState {
    /// Asked for, not started, or waiting for its next attempt.
    Queued,
    /// On a worker.
    InFlight,
    /// Made, and waiting for the main thread.
    Backlog,
    /// Whole, and seen.
    Applied,
    /// Hidden; its entities are going.
    Unloading,
    /// Given up after its last attempt.
    Failed,
}

impl ChunkState {
    /// All of them, in the order of a chunk's life.
    pub const ALL: [Self; 6] = [
        Self::Queued,
        Self::InFlight,
        Self::Backlog,
        Self::Applied,
        Self::Unloading,
        Self::Failed,
    ];

    /// What it is called in a legend.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::InFlight => "in flight",
            Self::Backlog => "backlog",
            Self::Applied => "applied",
            Self::Unloading => "unloading",
            Self::Failed => "failed",
        }
    }

    /// Its colour on maps.
    #[must_use]
    pub const fn colour(self) -> Rgba {
        match self {
            Self::Queued => [92, 99, 112, 255],
            Self::InFlight => [240, 180, 41, 255],
            Self::Backlog => [92, 158, 236, 255],
            Self::Applied => [76, 161, 104, 255],
            Self::Unloading => [150, 110, 190, 255],
            Self::Failed => [214, 69, 65, 255],
        }
    }
}

/// Where every chunk is that the stream of the content `T` knows about, in the order of their coordinates. Empty
/// without such a stream. It walks over all chunks: for a map a few times a second, not for every frame.
#[must_use]
pub fn states<T: Send + Sync + 'static>(world: &World) -> Vec<(ChunkCoord, ChunkState)> {
    let (Some(stream), Some(index)) = (
        world.get_resource::<ChunkStream<T>>(),
        world.get_resource::<ChunkIndex<T>>(),
    ) else {
        return Vec::new();
    };
    let wanted = stream.wanted();
    let mut states: Vec<_> = index
        .iter()
        .map(|(coord, _)| (coord, ChunkState::Applied))
        .collect();
    let absent = wanted.iter().filter(|coord| !index.contains(*coord));
    states.extend(absent.map(|coord| (coord, missing(stream.scheduler().state(coord)))));
    // Roots that are neither loaded nor wanted are on their way out.
    if let Some(mut roots) = world.try_query::<&ChunkRoot>() {
        let gone = roots
            .iter(world)
            .map(|root| root.coord)
            .filter(|coord| !index.contains(*coord) && !wanted.contains(*coord));
        states.extend(gone.map(|coord| (coord, ChunkState::Unloading)));
    }
    states.sort_unstable();
    states.dedup_by_key(|(coord, _)| *coord);
    states
}

/// Where a chunk is that is wanted and not there.
fn missing(job: Option<JobState>) -> ChunkState {
    match job {
        Some(JobState::Failed) => ChunkState::Failed,
        Some(JobState::InFlight) => ChunkState::InFlight,
        Some(JobState::Completed | JobState::Delivered) => ChunkState::Backlog,
        _ => ChunkState::Queued,
    }
}
