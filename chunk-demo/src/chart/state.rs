//! Where each chunk is, as a colour.

use bevy_ecs::world::World;
use chunk_apply::{ChunkIndex, ChunkRoot, ChunkStream};
use chunk_coord::ChunkCoord;
use chunk_scheduler::JobState;
use image::Rgba;

use super::draw::Color;

/// Where a chunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChunkState {
    /// Requested and not started, or waiting for its next attempt.
    Queued,
    /// On a worker.
    InFlight,
    /// Generated, and waiting for the main thread.
    Backlog,
    /// Complete and visible.
    Applied,
    /// Hidden; its entities are being despawned.
    Unloading,
    /// Quarantined after its last attempt.
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

    /// The state's name in a legend.
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

    /// The state's colour on maps.
    #[must_use]
    pub const fn color(self) -> Color {
        match self {
            Self::Queued => Rgba([92, 99, 112, 255]),
            Self::InFlight => Rgba([240, 180, 41, 255]),
            Self::Backlog => Rgba([92, 158, 236, 255]),
            Self::Applied => Rgba([76, 161, 104, 255]),
            Self::Unloading => Rgba([150, 110, 190, 255]),
            Self::Failed => Rgba([214, 69, 65, 255]),
        }
    }
}

/// The state of every chunk that the stream of the content `T` knows about, in the order of their coordinates. Empty
/// without such a stream. It visits all chunks, so call it a few times a second and not in every frame.
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
    // A root that is neither loaded nor wanted is being unloaded.
    if let Some(mut roots) = world.try_query::<&ChunkRoot>() {
        let unloading = roots
            .iter(world)
            .map(|root| root.coord)
            .filter(|coord| !index.contains(*coord) && !wanted.contains(*coord));
        states.extend(unloading.map(|coord| (coord, ChunkState::Unloading)));
    }
    states.sort_unstable();
    states.dedup_by_key(|(coord, _)| *coord);
    states
}

/// The state of a chunk that is wanted and not loaded.
fn missing(job: Option<JobState>) -> ChunkState {
    match job {
        Some(JobState::Failed) => ChunkState::Failed,
        Some(JobState::InFlight) => ChunkState::InFlight,
        Some(JobState::Completed | JobState::Delivered | JobState::Applying) => ChunkState::Backlog,
        _ => ChunkState::Queued,
    }
}
