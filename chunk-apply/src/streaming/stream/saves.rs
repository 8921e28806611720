//! How a stream saves its chunks, and how it is reset.

use super::{
    chunk_stream::ChunkStream,
    marks::Mark,
    save_queue::{Request, SaveTask},
    state::StreamState,
};
use crate::{
    contain::contain,
    host::LoadedChunk,
    streaming::{
        index::ChunkIndex,
        messages::ChunkSaveFailed,
        region::ChunkRegion,
        saving::{ChunkToSave, FailedSave, PendingSave, Reset, SaveReason, SaveReport},
    },
};
use bevy_ecs::world::World;
use chunk_coord::ChunkCoord;
use tracing::error;

impl<T: Send + Sync + 'static> ChunkStream<T> {
    /// Why a chunk waits to be saved, if it does: because it left, or because it is to be made anew.
    #[must_use]
    pub fn pending_save(&self, coord: ChunkCoord) -> Option<PendingSave> {
        self.state.saves.pending(coord)
    }

    /// Marks a chunk as dirty: it was changed since it was saved, or since it was made. `index` is the index of this stream.
    /// Chunks that are never marked cost nothing.
    ///
    /// A dirty chunk is saved before it is unloaded or made anew, and about [`SavePolicy::autosave`] after the first mark. It
    /// is clean when the [save hook](crate::SaveHook) has succeeded; what is marked while the hook runs is dirty afterwards,
    /// and so is a chunk whose hook fails. With [`SavedChunks::Dirty`] chunks that are not dirty are not saved.
    ///
    /// Returns whether there is such a chunk: it is loaded, or it left and waits to be saved or would be taken back if it were
    /// wanted again. Where not, as when it is being made or already despawned, nothing is marked; what you changed elsewhere is
    /// yours to save, or to read when the chunk is made.
    ///
    /// What is changed while a newer version of the chunk is under way is not in that version. If it is saved before that
    /// version replaces the chunk, one more version is made from what was saved. If not, the new version inherits the mark; an
    /// observer of [`ChunkLoaded`](crate::ChunkLoaded) finds the old root in `replaced` and can carry it over. Without one the
    /// change is lost, and what is saved of the new version takes the place of what was saved since it was begun: a game that
    /// refreshes chunks while they are edited needs such an observer. A mark is lost
    /// where the chunk is given up unsaved: by [`skip_save`](Self::skip_save), by
    /// [`SavePolicy::give_up_after`](crate::SavePolicy::give_up_after), by [`Reset::Discard`], or because somebody despawned
    /// its root.
    ///
    /// ```
    /// use bevy_ecs::prelude::*;
    /// use chunk_apply::{ChunkIndex, ChunkStream};
    /// use chunk_coord::ChunkCoord;
    ///
    /// struct Rocks; // the stream's content type
    ///
    /// fn dig(mut stream: ResMut<ChunkStream<Rocks>>, index: Res<ChunkIndex<Rocks>>) {
    ///     let here = ChunkCoord::planar(3, -1);
    ///     // Despawn or change some of its entities, and then:
    ///     if !stream.mark_dirty(&index, here) {
    ///         println!("{here} is not there");
    ///     }
    /// }
    /// # let _ = IntoSystem::into_system(dig);
    /// ```
    ///
    /// [`SavePolicy::autosave`]: crate::SavePolicy::autosave
    /// [`SavedChunks::Dirty`]: crate::SavedChunks::Dirty
    pub fn mark_dirty(&mut self, index: &ChunkIndex<T>, coord: ChunkCoord) -> bool {
        self.state.mark_dirty(index, coord, None)
    }

    /// Whether the chunk was [marked](Self::mark_dirty) since it was saved, and is loaded or waits to be saved. False while
    /// the save hook runs for it.
    #[must_use]
    pub fn is_dirty(&self, coord: ChunkCoord) -> bool {
        self.state.saves.is_dirty(coord)
    }

    /// How many chunks these are.
    #[must_use]
    pub fn dirty(&self) -> usize {
        self.state.saves.dirty()
    }

    /// Lets a chunk that waits to be saved go on without: what was changed in it is lost when it is despawned or replaced.
    /// Returns whether it waited.
    pub fn skip_save(&mut self, coord: ChunkCoord) -> bool {
        let released = self.state.saves.release_unsaved(coord);
        released.map(|chunk| self.state.release(chunk)).is_some()
    }

    /// The same for every chunk that waits to be saved. Returns how many there were.
    pub fn skip_saves(&mut self) -> usize {
        let released = self.state.saves.release_all();
        let count = released.len();
        for chunk in released {
            self.state.release(chunk);
        }
        count
    }

    /// Calls the [save hook](crate::SaveHook) at once for every chunk that left and is not saved yet, and then for every
    /// loaded one in the order of their coordinates, or for the dirty ones alone with
    /// [`SavedChunks::Dirty`](crate::SavedChunks::Dirty): for the moment before the app exits. No budget limits this, and it
    /// does not wait for [room](crate::ChunkStreamingPlugin::with_room_for_saves); for a save while the game goes on, see
    /// [`start_saving_all`](Self::start_saving_all). Entity events that wait are triggered first.
    ///
    /// An app that exits unloads nothing, so without this call what is loaded is not saved, unless the stream has an archive
    /// (`with_archive`, behind the feature `store`). Nothing is unloaded by it; a
    /// loaded chunk that is unloaded later is saved again. What could not be saved is in the report. What was saved into an
    /// archive is durable when its `flush` has ended.
    ///
    /// Hooks, observers and spawners may call it as well. A chunk whose hook is running at that moment is left out, and a
    /// hook that was called by this function gets an empty report.
    ///
    /// ```
    /// use bevy_app::AppExit;
    /// use bevy_ecs::prelude::*;
    /// use chunk_apply::ChunkStream;
    ///
    /// struct Rocks; // the stream's content type
    ///
    /// /// In `Last`.
    /// fn save_before_exit(world: &mut World) {
    ///     if !world.resource::<Messages<AppExit>>().is_empty() {
    ///         for save in ChunkStream::<Rocks>::save_all(world).failed {
    ///             eprintln!("{} is lost: {}", save.chunk.coord, save.message);
    ///         }
    ///     }
    /// }
    /// # let mut world = World::new();
    /// # world.init_resource::<Messages<AppExit>>();
    /// # world.write_message(AppExit::Success);
    /// # save_before_exit(&mut world);
    /// ```
    pub fn save_all(world: &mut World) -> SaveReport {
        Self::trigger_root_events(world);
        let mut report = SaveReport::default();
        let begun = Self::with_state(world, |state| {
            let must_begin = state.save_hook.is_some() && !state.is_saving_all;
            must_begin.then(|| {
                state.is_saving_all = true;
                state.has_told_save_failure = false;
                state.saves.all_that_left()
            })
        });
        let Some(left) = begun.flatten() else {
            return report;
        };
        for task in left {
            // A hook may have let it go.
            let waits = Self::with_state(world, |state| state.saves.take(task.coord));
            if waits == Some(true) {
                Self::save(world, task, task.left, &mut report);
            }
        }
        let index = world.get_resource::<ChunkIndex<T>>();
        let mut loaded: Vec<_> = index.into_iter().flat_map(ChunkIndex::iter).collect();
        loaded.sort_unstable_by_key(|(coord, _)| *coord);
        for (coord, chunk) in loaded {
            let must_save = Self::with_state(world, |state| {
                state.saves.must_save(coord) && !state.saves.is_in_hand(coord)
            });
            if must_save != Some(true) {
                continue;
            }
            // A hook may have given it up.
            let index = world.get_resource::<ChunkIndex<T>>();
            if index.and_then(|index| index.root(coord)) != Some(chunk.root) {
                continue;
            }
            let chunk = ChunkToSave {
                coord,
                root: chunk.root,
                reason: SaveReason::SaveAll,
                failures: 0,
            };
            Self::save_standing(world, chunk, &mut report);
        }
        Self::with_state(world, |state| state.is_saving_all = false);
        report
    }

    /// Gives up the whole world at once, and has everything that is wanted made anew: for another seed or another saved
    /// game in the same app. Nothing that stood before the call is saved after it, and no chunk that is requested after it
    /// is made before it, so that the generator and the save hook may be switched right after the call.
    ///
    /// With [`Reset::Save`] everything is saved first, as by [`save_all`](Self::save_all), without a budget. All roots are
    /// hidden and despawned within the budgets of the coming frames, and nothing new is spawned before all are hidden; what
    /// is given up is told by the usual messages and events.
    ///
    /// # Errors
    ///
    /// When a chunk could not be saved, or a hook that [`save_all`](Self::save_all) calls asks for [`Reset::Save`]. Then
    /// nothing is given up; [`Reset::Discard`] does so all the same.
    ///
    /// ```
    /// use bevy_ecs::prelude::*;
    /// use chunk_apply::{ChunkStream, Reset};
    ///
    /// struct Rocks; // the stream's content type
    ///
    /// #[derive(Resource)]
    /// struct Seed(u64);
    ///
    /// fn enter_another_world(world: &mut World) {
    ///     match ChunkStream::<Rocks>::reset(world, Reset::Save) {
    ///         Ok(_) => world.resource_mut::<Seed>().0 += 1,
    ///         Err(report) => println!("{} chunks could not be saved", report.failed.len()),
    ///     }
    /// }
    /// # let mut world = World::new();
    /// # world.insert_resource(Seed(1));
    /// # enter_another_world(&mut world);
    /// ```
    pub fn reset(world: &mut World, how: Reset) -> Result<SaveReport, SaveReport> {
        let is_saving_all = Self::with_state(world, |state| state.is_saving_all) == Some(true);
        let report = match how {
            Reset::Save if is_saving_all => return Err(SaveReport::default()),
            Reset::Save => Self::save_all(world),
            Reset::Discard => SaveReport::default(),
        };
        if !report.failed.is_empty() {
            return Err(report);
        }
        let index = world.get_resource_mut::<ChunkIndex<T>>();
        let mut index = index.map(|mut index| core::mem::take(&mut *index));
        Self::with_stream(world, |stream| {
            stream.skip_saves();
            stream.state.give_up_all(&mut index.get_or_insert_default());
        });
        if let (Some(index), Some(mut place)) = (index, world.get_resource_mut()) {
            *place = index;
        }
        ChunkRegion::<T>::forget_all(world);
        Ok(report)
    }

    /// Has every loaded chunk saved within the budgets of the coming frames, or the dirty ones alone with
    /// [`SavedChunks::Dirty`](crate::SavedChunks::Dirty), with the reason
    /// [`SaveAll`](SaveReason::SaveAll): for a save while the game goes on. Returns how many they are; none without a save
    /// hook. [`Self::saving_all`] tells how many are left. `index` is the index of this stream.
    ///
    /// They are saved in the order of their coordinates, after what something waits for and what leaves. One that leaves
    /// or is made anew meanwhile is saved because of that; one that leaves and is taken back unsaved is left to the next
    /// call. One whose save fails is told by
    /// [`ChunkSaveFailed`](crate::ChunkSaveFailed) and not tried again before it leaves. Called again, it begins anew.
    ///
    /// ```
    /// use bevy_ecs::prelude::*;
    /// use chunk_apply::{ChunkIndex, ChunkStream};
    ///
    /// struct Rocks; // the stream's content type
    ///
    /// /// When the player asks for it, for example.
    /// fn save_now(mut stream: ResMut<ChunkStream<Rocks>>, index: Res<ChunkIndex<Rocks>>) {
    ///     stream.start_saving_all(&index);
    /// }
    /// # let _ = IntoSystem::into_system(save_now);
    /// ```
    pub fn start_saving_all(&mut self, index: &ChunkIndex<T>) -> usize {
        let state = &mut self.state;
        state.to_save_standing.clear();
        if state.saves.takes_only_dirty() {
            state.to_save_standing.extend(state.saves.marks.coords());
        } else if state.save_hook.is_some() {
            let mut coords: Vec<ChunkCoord> = index.iter().map(|(coord, _)| coord).collect();
            coords.sort_unstable();
            state.to_save_standing.extend(coords);
        }
        state.to_save_standing.len()
    }

    /// How many chunks [`Self::start_saving_all`] has yet to save.
    #[must_use]
    pub fn saving_all(&self) -> usize {
        self.state.to_save_standing.len()
    }

    /// Saves the chunk whose turn it is.
    pub(super) fn save_next(world: &mut World) {
        let next = Self::with_state(world, |state| {
            let is_late = state.saves.urgent() == 0 && state.saves.marks.late() > 0;
            if is_late { None } else { state.saves.next() }
        });
        match next.flatten() {
            Some(task) => Self::save_waiting(world, task),
            None => Self::save_next_standing(world),
        }
        Self::with_state(world, |state| state.ask_for_room(false));
    }

    /// Saves a chunk that something waits for, or that left.
    fn save_waiting(world: &mut World, task: SaveTask) {
        let stands = || world.get_resource::<ChunkIndex<T>>()?.chunk(task.coord);
        let chunk = task.left.or_else(stands);
        let must_wait = |state: &mut StreamState<T>| {
            // What is saved now would not be in the version that is under way, and that one would be saved next.
            let must_wait = task.left.is_none()
                && chunk.is_some()
                && state.saves.must_save(task.coord)
                && state.is_replacing(task.coord);
            if must_wait {
                if let Some(Request::Renew(lane)) = task.then {
                    // It joins the job that is live, which must not wait behind what is less urgent.
                    state.scheduler.request_in(task.coord, lane);
                }
                state.saves.block(task.coord);
            }
            must_wait
        };
        if Self::with_state(world, must_wait) == Some(false) {
            Self::save(world, task, chunk, &mut SaveReport::default());
        }
    }

    /// Saves the next chunk that stands and is not saved for another reason.
    fn save_next_standing(world: &mut World) {
        let next = Self::with_state(world, |state| {
            let is_late = state.saves.marks.late() > 0;
            let asked = (!is_late).then(|| state.to_save_standing.pop_front());
            let (coord, reason, failures) = match asked.flatten() {
                Some(coord) => (coord, SaveReason::SaveAll, 0),
                None => {
                    let (coord, mark) = state.saves.marks.next()?;
                    (coord, SaveReason::Autosave, mark.failures)
                }
            };
            let must_save = state.saves.must_save(coord) && !state.saves.waits(coord);
            must_save.then_some((coord, reason, failures))
        });
        let Some((coord, reason, failures)) = next.flatten() else {
            return;
        };
        let index = world.get_resource::<ChunkIndex<T>>();
        if let Some(chunk) = index.and_then(|index| index.chunk(coord)) {
            let chunk = ChunkToSave {
                coord,
                root: chunk.root,
                reason,
                failures,
            };
            Self::save_standing(world, chunk, &mut SaveReport::default());
        }
    }

    /// Saves a chunk that stays.
    fn save_standing(world: &mut World, chunk: ChunkToSave, report: &mut SaveReport) {
        let coord = chunk.coord;
        let mark = Self::with_state(world, |state| state.saves.take_mark(coord, false)).flatten();
        let message = match Self::call_hook(world, chunk) {
            Ok(is_saved) => {
                report.saved += usize::from(is_saved);
                // A version that is under way does not have what was saved now: one more is made from that.
                if mark.is_some() && Self::stands(world, chunk) {
                    Self::with_state(world, |state| {
                        if state.is_replacing(coord) || state.gates.is_late(coord) {
                            state.make_once_more(coord);
                        }
                    });
                }
                return;
            }
            Err(message) => message,
        };
        Self::restore_mark(world, chunk, mark);
        let is_autosave = chunk.reason == SaveReason::Autosave;
        if is_autosave {
            Self::with_state(world, |state| {
                let wait = state
                    .save_policy
                    .wait_after(chunk.failures.saturating_add(1));
                let at = state.clock.now().saturating_add(wait);
                state.saves.marks.retry_at(coord, at);
            });
        }
        Self::note_failure(world, chunk, message, is_autosave, report);
    }

    /// Whether the chunk still stands. The hook may have taken it away.
    fn stands(world: &World, chunk: ChunkToSave) -> bool {
        let index = world.get_resource::<ChunkIndex<T>>();
        index.and_then(|index| index.root(chunk.coord)) == Some(chunk.root)
    }

    /// A chunk that stands is still dirty.
    fn restore_mark(world: &mut World, chunk: ChunkToSave, mark: Option<Mark>) {
        if Self::stands(world, chunk) {
            Self::with_state(world, |state| state.saves.marks.restore(chunk.coord, mark));
        }
    }

    /// Saves a chunk whose turn it is, and lets go on what waits for that. Without a chunk there is nothing to save.
    fn save(
        world: &mut World,
        task: SaveTask,
        chunk: Option<LoadedChunk>,
        report: &mut SaveReport,
    ) {
        let mut saved = Ok(false);
        let has_left = task.left.is_some();
        // Another reason may have had it saved meanwhile.
        let must_save = |state: &mut StreamState<T>| has_left || state.saves.must_save(task.coord);
        let must_save = Self::with_state(world, must_save) == Some(true);
        if let Some(chunk) = chunk.filter(|_| must_save) {
            let mark = |state: &mut StreamState<T>| state.saves.take_mark(task.coord, has_left);
            let mark = Self::with_state(world, mark).flatten();
            let chunk = ChunkToSave {
                coord: task.coord,
                root: chunk.root,
                reason: task.reason,
                failures: task.failures,
            };
            saved = Self::call_hook(world, chunk);
            if let Err(message) = saved {
                let retries = |state: &mut StreamState<T>| state.has_save_failed(task.coord, mark);
                let retries = Self::with_state(world, retries);
                if retries == Some(true) && !has_left {
                    Self::restore_mark(world, chunk, mark);
                }
                return Self::note_failure(world, chunk, message, retries == Some(true), report);
            }
        }
        report.saved += usize::from(saved == Ok(true));
        Self::with_state(world, |state| {
            if has_left && state.saves.is_dirty(task.coord) {
                // It was changed while its hook ran, and is saved again. Not in this frame, or a hook that changes what it
                // saves would never end.
                let now = state.clock.now();
                state.saves.retry_at(task.coord, now);
            } else if let Some(released) = state.saves.release(task.coord) {
                state.release(released);
            }
        });
    }

    /// Calls the save hook. Returns whether there was anything to save.
    fn call_hook(world: &mut World, chunk: ChunkToSave) -> Result<bool, String> {
        let hook = Self::with_state(world, |state| state.save_hook.clone());
        let Some(hook) = hook.flatten() else {
            return Ok(false);
        };
        // If a user despawned the root meanwhile, there is nothing to save.
        if world.get_entity(chunk.root).is_err() {
            return Ok(false);
        }
        match contain(world, |world| hook(world, chunk)) {
            Ok(Ok(())) => {
                Self::with_state(world, |state| state.totals.saved += 1);
                Ok(true)
            }
            // The alternate form prints the causes of the error types that have one.
            Ok(Err(error)) => Err(format!("{error:#}")),
            Err(panic) => Err(panic.message().to_owned()),
        }
    }

    /// Tells that a chunk could not be saved.
    fn note_failure(
        world: &mut World,
        chunk: ChunkToSave,
        message: String,
        will_retry: bool,
        report: &mut SaveReport,
    ) {
        let is_first = Self::with_state(world, |state| {
            state.totals.save_failures += 1;
            !core::mem::replace(&mut state.has_told_save_failure, true)
        });
        let ChunkToSave {
            coord,
            root,
            reason,
            failures,
        } = chunk;
        // The others are told by their messages alone: when a disk is full, there is one for each chunk.
        if is_first == Some(true) {
            error!(
                ?coord,
                ?reason,
                will_retry,
                "saving a chunk failed: {message}"
            );
        }
        let failures = failures.saturating_add(1);
        world.write_message(ChunkSaveFailed::<T>::new(
            coord,
            root,
            reason,
            message.clone(),
            failures,
            will_retry,
        ));
        report.failed.push(FailedSave { chunk, message });
    }
}
