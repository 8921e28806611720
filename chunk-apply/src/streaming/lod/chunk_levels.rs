//! The levels of a stream, shared with its generator.

use super::{known_levels::KnownLevels, neighbour_levels::NeighbourLevels};
use crate::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use chunk_coord::{ChunkCoord, LevelRings};
use chunk_scheduler::Job;
use core::fmt;

/// The level of detail of each chunk of a stream. The stream decides it; the generator reads it.
///
/// A chunk whose level changes is generated anew; the old version stays until the new one is whole. A chunk whose
/// generator reads the levels [`around`](Self::around) it is generated anew as well when one of those changes, so that
/// seams between levels can be stitched: when the viewers rest and the stream is settled, no chunk stands against another
/// level of a neighbour than it was made for.
///
/// ```
/// use chunk_apply::ChunkLevels;
/// use chunk_coord::{ChunkCoord, LevelRings};
/// use chunk_scheduler::{Generator, Job};
///
/// let levels = ChunkLevels::new(LevelRings::new([4, 8], 1)?);
/// let asked = levels.clone();
/// let generator = Generator::new(move |job: &Job<ChunkCoord>| {
///     vec![0_u8; 4096 >> (2 * asked.of_job(job))]
/// });
/// // ChunkStreamingPlugin::new(grid, generator, spawner).with_levels(levels)
/// # drop((generator, levels));
/// # Ok::<(), chunk_coord::LevelRingsError>(())
/// ```
///
/// Levels belong to one stream, because each stream wants other chunks: a second one that is built with a clone of them is
/// refused with [`StreamingConfigError::SharedLevels`](crate::StreamingConfigError::SharedLevels). When the stream is
/// dropped, another may have them.
#[derive(Clone)]
pub struct ChunkLevels {
    rings: LevelRings,
    shared: Arc<RwLock<Shared>>,
}

struct Shared {
    /// Locked by workers for a few look-ups, and by the main thread for one batch of changes.
    known: KnownLevels,
    /// The claim of the stream that has them, dropped with it.
    owner: Weak<()>,
}

impl ChunkLevels {
    /// Levels by these rings around each viewer.
    #[must_use]
    pub fn new(rings: LevelRings) -> Self {
        let known = KnownLevels::new(rings.clone());
        let owner = Weak::new();
        let shared = Arc::new(RwLock::new(Shared { known, owner }));
        Self { rings, shared }
    }

    /// The level to generate at. Always the same for one version of a chunk, and what
    /// [`ChunkLoaded::level`](crate::ChunkLoaded::level) says.
    #[must_use]
    pub fn of_job(&self, job: &Job<ChunkCoord>) -> u8 {
        (self.write().known)
            .read(job.key(), job.version().get(), false)
            .own()
    }

    /// The level to generate at, and those of the neighbours, all of one moment. The chunk is generated anew when one of
    /// them changes, once for all that change by one move of the viewers.
    ///
    /// A neighbour that is not wanted has the level that it would have if it were. In a planar grid only the eight
    /// neighbours of the same layer are asked for, and all others have the chunk's own level.
    #[must_use]
    pub fn around(&self, job: &Job<ChunkCoord>) -> NeighbourLevels {
        (self.write().known).read(job.key(), job.version().get(), true)
    }

    /// The level that a chunk is wanted at, as of the last scan; for a chunk that is not wanted, the level that it would
    /// have. What stands may be of another level until it is made anew, so a generator reads [`of_job`](Self::of_job).
    #[must_use]
    pub fn of(&self, coord: ChunkCoord) -> u8 {
        self.read().known.level(coord)
    }

    /// Whether a stream has them.
    pub(in crate::streaming) fn are_taken(&self) -> bool {
        self.read().owner.strong_count() > 0
    }

    /// Takes them for a stream, which has them as long as it keeps the claim. `None` if another stream has them.
    pub(super) fn claim(&self) -> Option<Arc<()>> {
        let mut shared = self.write();
        if shared.owner.strong_count() > 0 {
            return None;
        }
        let claim = Arc::new(());
        shared.owner = Arc::downgrade(&claim);
        shared.known.reset();
        Some(claim)
    }

    /// Works on the levels, under the lock.
    pub(super) fn with_known<R>(&self, work: impl FnOnce(&mut KnownLevels) -> R) -> R {
        work(&mut self.write().known)
    }

    fn read(&self) -> RwLockReadGuard<'_, Shared> {
        self.shared.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Shared> {
        self.shared.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ChunkLevels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkLevels")
            .field("rings", &self.rings)
            .finish_non_exhaustive()
    }
}
