//! What a stream is made from, and what was saved of it: the game's own data, shared with the workers.

use crate::parts::Made;
use chunk_apply::ChunkLevels;
use chunk_coord::ChunkCoord;
use chunk_scheduler::{GenerateError, Job};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A chunk of one of the grids that the game has had.
pub(crate) type Place = (u32, ChunkCoord);

/// Things that players built, by their numbers.
pub(crate) type Things = BTreeSet<u32>;

#[derive(Clone, Default)]
pub(crate) struct Land(Arc<Mutex<State>>);

#[derive(Default)]
pub(crate) struct State {
    /// Which grid coordinates are of now.
    pub(crate) grid: u32,
    /// Which world is made.
    pub(crate) seed: u32,
    /// How often the ground of each chunk was edited.
    pub(crate) edits: BTreeMap<Place, u32>,
    /// What the hook saved.
    pub(crate) saved: BTreeMap<Place, Things>,
    pub(crate) do_saves_fail: bool,
    pub(crate) do_generators_fail: bool,
    pub(crate) are_gates_closed: bool,
    /// Whether there is no room for what is saved.
    pub(crate) is_full: bool,
    /// How often the hook was called because of the time alone.
    pub(crate) autosaves: u64,
    attempts: u32,
    /// What the hook was called with and must not have been.
    pub(crate) violations: Vec<String>,
}

impl Land {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the generator makes, from the ground as it is now and from what was saved.
    pub(crate) fn make<const STREAM: usize>(
        &self,
        job: &Job<ChunkCoord>,
        levels: &ChunkLevels,
    ) -> Result<Made<STREAM>, GenerateError> {
        let mut state = self.lock();
        if state.do_generators_fail {
            state.attempts += 1;
            match state.attempts % 4 {
                0 => return Err("no luck".into()),
                1 => return Err(GenerateError::permanent("never")),
                2 => return Err(GenerateError::NotYet(Duration::from_millis(20))),
                _ => {}
            }
        }
        let place = (state.grid, job.key());
        Ok(Made {
            place,
            seed: state.seed,
            edit: state.edit(place),
            level: levels.of_job(job),
            things: state.saved(place),
        })
    }
}

impl State {
    pub(crate) fn edit(&self, place: Place) -> u32 {
        self.edits.get(&place).copied().unwrap_or(0)
    }

    pub(crate) fn saved(&self, place: Place) -> Things {
        self.saved.get(&place).cloned().unwrap_or_default()
    }

    /// Whether a chunk may be seen.
    pub(crate) fn is_gate_open(&self, (_, coord): Place) -> bool {
        !self.are_gates_closed || (coord.x + coord.z) % 3 != 0
    }

    /// What the hook does.
    pub(crate) fn save(
        &mut self,
        seed: u32,
        place: Place,
        things: Things,
    ) -> Result<(), &'static str> {
        if seed != self.seed {
            self.violations
                .push(format!("{place:?} of a former world was saved"));
        }
        if self.do_saves_fail {
            self.attempts += 1;
            if self.attempts.is_multiple_of(3) {
                return Err("the disk is full");
            }
        }
        self.saved.insert(place, things);
        Ok(())
    }

    /// Forgets all that was edited and saved.
    pub(crate) fn begin_another_world(&mut self) {
        self.seed += 1;
        self.edits.clear();
        self.saved.clear();
    }
}
