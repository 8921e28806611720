//! Levels of detail: the level that each wanted chunk is generated at, and when it is generated anew.

use super::load_order::ViewerRank;
use crate::sync::{Arc, PoisonError, RwLock};
use ahash::AHashMap;
use chunk_coord::{ChunkCoord, LevelRings};
use chunk_scheduler::Rank;
use core::{fmt, time::Duration};

/// The level of detail of each chunk of a stream. The stream decides it; the generator reads it.
///
/// A chunk whose level changes is generated anew; the old version stays until the new one is whole.
///
/// ```
/// use chunk_apply::ChunkLevels;
/// use chunk_coord::{ChunkCoord, LevelRings};
/// use chunk_scheduler::{Generator, Job};
///
/// let levels = ChunkLevels::new(LevelRings::new([4, 8], 1)?);
/// let asked = levels.clone();
/// let generator = Generator::new(move |job: &Job<ChunkCoord>| {
///     vec![0_u8; 4096 >> (2 * asked.of(job.key()))]
/// });
/// // ChunkStreamingPlugin::new(grid, generator, spawner).with_levels(levels)
/// # drop((generator, levels));
/// # Ok::<(), chunk_coord::LevelRingsError>(())
/// ```
#[derive(Clone)]
pub struct ChunkLevels {
    rings: LevelRings,
    /// Locked by workers for one look-up, and by the main thread for one batch of changes.
    levels: Arc<RwLock<AHashMap<ChunkCoord, u8>>>,
}

impl ChunkLevels {
    /// Levels by these rings around each viewer.
    #[must_use]
    pub fn new(rings: LevelRings) -> Self {
        Self {
            rings,
            levels: Arc::new(RwLock::new(AHashMap::new())),
        }
    }

    /// The level that a chunk is to be generated at; the coarsest for a chunk that is not wanted.
    #[must_use]
    pub fn of(&self, coord: ChunkCoord) -> u8 {
        let levels = self.levels.read().unwrap_or_else(PoisonError::into_inner);
        let coarsest = self.rings.radii().len() as u8;
        levels.get(&coord).copied().unwrap_or(coarsest)
    }

    /// Sets the levels of chunks that became wanted.
    pub(super) fn enter(&self, coords: &[ChunkCoord], rank: &ViewerRank) {
        if coords.is_empty() {
            return;
        }
        let mut levels = self.levels.write().unwrap_or_else(PoisonError::into_inner);
        for coord in coords {
            levels.insert(*coord, self.rings.level(rank.rank(coord), None));
        }
    }

    /// Forgets chunks that are no longer wanted.
    pub(super) fn leave(&self, coords: &[ChunkCoord]) {
        if coords.is_empty() {
            return;
        }
        let mut levels = self.levels.write().unwrap_or_else(PoisonError::into_inner);
        for coord in coords {
            levels.remove(coord);
        }
    }

    /// Decides the levels of wanted chunks anew and calls `changed` for those that change.
    fn review(
        &self,
        coords: &[ChunkCoord],
        rank: &ViewerRank,
        mut changed: impl FnMut(ChunkCoord),
    ) {
        let mut levels = self.levels.write().unwrap_or_else(PoisonError::into_inner);
        for coord in coords {
            let Some(level) = levels.get_mut(coord) else {
                continue;
            };
            let now = self.rings.level(rank.rank(coord), Some(*level));
            if now != *level {
                *level = now;
                changed(*coord);
            }
        }
    }
}

impl fmt::Debug for ChunkLevels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkLevels")
            .field("rings", &self.rings)
            .finish_non_exhaustive()
    }
}

/// Reviews the levels of all wanted chunks after each move of the viewers, as far as the frame's time allows.
#[derive(Debug)]
pub(super) struct LodTracker {
    pub(super) levels: ChunkLevels,
    /// Chunks that are still to be reviewed.
    todo: Vec<ChunkCoord>,
    /// Whether the viewers moved since the chunks were listed.
    is_outdated: bool,
}

/// Chunks reviewed between two readings of the clock.
const BATCH: usize = 128;

impl LodTracker {
    pub(super) fn new(levels: ChunkLevels) -> Self {
        Self {
            levels,
            todo: Vec::new(),
            is_outdated: false,
        }
    }

    pub(super) fn is_settled(&self) -> bool {
        self.todo.is_empty() && !self.is_outdated
    }

    /// The viewers have moved: all wanted chunks are to be reviewed, after those that still wait for it.
    pub(super) fn viewers_moved(&mut self) {
        self.is_outdated = true;
    }

    /// Reviews some chunks, one batch at least. `changed` gets those to be generated anew.
    pub(super) fn advance(
        &mut self,
        wanted: impl Iterator<Item = ChunkCoord>,
        rank: &ViewerRank,
        mut time_left: impl FnMut() -> Duration,
        mut changed: impl FnMut(ChunkCoord),
    ) {
        if self.todo.is_empty() && core::mem::take(&mut self.is_outdated) {
            self.todo.extend(wanted);
        }
        loop {
            let rest = self.todo.len().saturating_sub(BATCH);
            self.levels.review(&self.todo[rest..], rank, &mut changed);
            self.todo.truncate(rest);
            if rest == 0 || time_left().is_zero() {
                return;
            }
        }
    }
}
