//! The save hook: what it is given, why it is called, and what happens when it fails.

#[cfg(feature = "store")]
use super::archive_trait::AnyArchive;
use crate::sync::Arc;
use bevy_ecs::{entity::Entity, world::World};
use chunk_coord::ChunkCoord;
use core::{error::Error, fmt, num::NonZeroU32, time::Duration};

/// Called with each chunk whose state would otherwise be lost, while all of its entities are there.
///
/// - A chunk that is no longer wanted is hidden and saved before its first entity is despawned. If it is wanted
///   again before that, it is taken back as it is, saved or not. If it cannot return, because
///   [`refresh`](crate::ChunkStream::refresh) was called meanwhile or a newer version was under way, it is saved first and
///   requested then, so that its generator can read what was saved.
/// - A chunk that stands and is to be made anew, by [`refresh`](crate::ChunkStream::refresh) or by another level of detail,
///   is saved before the new version is requested. A version that is under way is shown first. What changes in the chunk
///   between its save and the moment in which the new version replaces it is in neither; an observer of
///   [`ChunkLoaded`](crate::ChunkLoaded) finds the old root in `replaced`, and can carry it over.
/// - A chunk that was [marked as dirty](crate::ChunkStream::mark_dirty) is saved after [`SavePolicy::autosave`] as well, and
///   stays. With [`SavedChunks::Dirty`], the hook is called with dirty chunks alone.
/// - A chunk whose root a user despawned is not saved: its entities are gone.
/// - An app that exits unloads nothing; see [`ChunkStream::save_all`](crate::ChunkStream::save_all).
///
/// Saves are steps of the frame's budget: what something waits for goes first, the nearest first; then what goes for good,
/// the farthest first.
///
/// A hook that returns an error or panics keeps its chunk, and with it whatever waits for the save: see [`SavePolicy`].
///
/// ```
/// use bevy_ecs::prelude::*;
/// use chunk_apply::{ChunkToSave, SaveError};
/// use std::path::Path;
///
/// #[derive(Component)]
/// struct Built(u8);
///
/// /// For `ChunkStreamingPlugin::with_save_hook`.
/// fn save(world: &mut World, chunk: ChunkToSave) -> Result<(), SaveError> {
///     let pieces = world.get::<Children>(chunk.root);
///     let built: Vec<u8> = (pieces.into_iter().flatten())
///         .filter_map(|piece| world.get::<Built>(*piece).map(|built| built.0))
///         .collect();
///     std::fs::write(Path::new("saves").join(chunk.coord.to_string()), built)?;
///     Ok(())
/// }
/// # let _ = save;
/// ```
pub type SaveHook = Arc<dyn Fn(&mut World, ChunkToSave) -> Result<(), SaveError> + Send + Sync>;

/// Whether there is room for what a [`SaveHook`] saves.
pub type RoomForSaves = Arc<dyn Fn() -> bool + Send + Sync>;

/// How a stream saves.
pub(super) struct Saving {
    pub(super) hook: Option<SaveHook>,
    pub(super) policy: SavePolicy,
    pub(super) has_room: Option<RoomForSaves>,
    /// Where the hook puts what it takes.
    #[cfg(feature = "store")]
    pub(super) archive: Option<Arc<dyn AnyArchive>>,
}

/// Why a [`SaveHook`] could not save: any error type, or a text, by `?` and `into`.
pub type SaveError = Box<dyn Error + Send + Sync>;

/// A chunk that a [`SaveHook`] is called with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkToSave {
    /// Which chunk. After [`set_grid`](crate::ChunkStream::set_grid), chunks of the former grid come with their former
    /// coordinates.
    pub coord: ChunkCoord,
    /// The parent of its entities.
    pub root: Entity,
    /// Why it is saved.
    pub reason: SaveReason,
    /// How often saving it has failed so far.
    pub failures: u32,
}

/// Why a chunk is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SaveReason {
    /// It is no longer wanted, and is despawned when it is saved, unless it is wanted again before that.
    Unloaded,
    /// It is made anew from what is saved, and stands until the new version replaces it.
    Replaced,
    /// [`save_all`](crate::ChunkStream::save_all) or [`start_saving_all`](crate::ChunkStream::start_saving_all) was called.
    /// It stays.
    SaveAll,
    /// It was [marked as dirty](crate::ChunkStream::mark_dirty) about [`SavePolicy::autosave`] ago. It stays.
    Autosave,
}

/// Which chunks a [`SaveHook`] is called with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SavedChunks {
    /// Every chunk that leaves or is made anew, changed or not.
    All,
    /// Those alone that were changed since they were saved, which the game says by
    /// [`ChunkStream::mark_dirty`](crate::ChunkStream::mark_dirty) or [`mark_changed_chunks`](crate::mark_changed_chunks).
    /// All others leave and are made anew without a call and without a wait for one. What is changed and not marked is lost.
    Dirty,
}

/// Which chunks are saved and when, and what happens to one whose [`SaveHook`] fails: it is kept, hidden if it was unloaded,
/// and tried again, and what is to replace it, or the same place when it is wanted again, waits for that. Times are of the
/// stream's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavePolicy {
    /// Which chunks are saved. Default `None`: all of them, and with an archive (`with_archive`, behind the feature `store`)
    /// the dirty ones alone.
    pub chunks: Option<SavedChunks>,
    /// How long a chunk that stands may be [dirty](crate::ChunkStream::mark_dirty) before it is saved, with the reason
    /// [`Autosave`](SaveReason::Autosave); what a crash loses is about so much. Default `None`: it is saved when it leaves or
    /// is made anew. What is marked at once is spread over half of the time, within the frames' budgets; where those have no
    /// time for it, a chunk is saved later, one in a frame at least. With zero, a dirty chunk is saved in the next frame; a
    /// failed save is tried again after the waits of below, and never given up.
    pub autosave: Option<Duration>,
    /// The wait after the first failure; each further one doubles it. Default 1 s. With zero, every frame tries.
    pub first_delay: Duration,
    /// The longest wait. Default 60 s. If it is shorter than `first_delay`, it is the wait.
    pub max_delay: Duration,
    /// After so many failures the chunk is treated as if it had been saved, so that what was changed in it is lost.
    /// Default `None`: never.
    pub give_up_after: Option<NonZeroU32>,
    /// Unloaded chunks that are kept because saving them failed, or because there is
    /// [no room](crate::ChunkStreamingPlugin::with_room_for_saves) for what is saved. When there are so many, nothing is
    /// spawned until some are saved or given up, because a viewer that moves on would fill the memory: at most these are
    /// kept, and those that were loaded at that moment. Default 1024. With zero, nothing is
    /// spawned once any save has failed or waits for room; with `usize::MAX` the chunks that are kept have no bound.
    pub max_kept: usize,
    /// How long an app that exits, or that is dropped, waits until everything in its archive is durable, by the machine's
    /// clock. Default 10 s. With zero it does not wait; what is not durable then is lost, and an error in the log says so.
    #[cfg(feature = "store")]
    pub exit_patience: Duration,
}

impl SavePolicy {
    /// The wait after so many failures.
    pub(super) fn wait_after(&self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        (self.first_delay)
            .saturating_mul(1 << doublings)
            .min(self.max_delay)
    }

    /// Whether a chunk is given up after so many failures.
    pub(super) fn gives_up_after(&self, failures: u32) -> bool {
        self.give_up_after
            .is_some_and(|most| failures >= most.get())
    }
}

impl Default for SavePolicy {
    fn default() -> Self {
        Self {
            chunks: None,
            autosave: None,
            first_delay: Duration::from_secs(1),
            max_delay: Duration::from_secs(60),
            give_up_after: None,
            max_kept: 1024,
            #[cfg(feature = "store")]
            exit_patience: Duration::from_secs(10),
        }
    }
}

/// Why a chunk [waits for its save](crate::ChunkStream::pending_save).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingSave {
    /// Why it is to be saved.
    pub reason: SaveReason,
    /// How often saving it has failed so far.
    pub failures: u32,
    /// When it is tried again, by the stream's clock, if saving it has failed. Without a failure it waits for the frame's
    /// budget, for room, or for a version that is under way.
    pub retry_at: Option<Duration>,
    /// Whether there is [no room](crate::ChunkStreamingPlugin::with_room_for_saves) for what is saved. When there is, it is
    /// its turn.
    pub waits_for_room: bool,
}

impl fmt::Display for PendingSave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.reason {
            SaveReason::Unloaded => "it is no longer wanted as it was, and waits to be saved",
            _ => "it is loaded, and waits to be saved before it is made anew",
        })?;
        match (self.retry_at, self.waits_for_room) {
            (Some(at), _) => write!(
                f,
                ", which failed {} times and is tried again at {at:?}",
                self.failures
            ),
            (None, true) => f.write_str(", for which there is no room yet"),
            (None, false) => Ok(()),
        }
    }
}

/// What [`save_all`](crate::ChunkStream::save_all) did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "what could not be saved is lost when the app exits"]
pub struct SaveReport {
    /// How many chunks were saved.
    pub saved: usize,
    /// The chunks that could not be saved, in the order in which they were tried.
    pub failed: Vec<FailedSave>,
}

impl fmt::Display for SaveReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} chunks were saved, ", self.saved)?;
        match self.failed.first() {
            None => f.write_str("and none failed"),
            Some(FailedSave { chunk, message }) => write!(
                f,
                "and {} chunks could not be saved, such as {}: {message}",
                self.failed.len(),
                chunk.coord,
            ),
        }
    }
}

/// As the error of [`reset`](crate::ChunkStream::reset) and [`stop`](crate::ChunkStream::stop).
impl Error for SaveReport {}

/// A chunk that could not be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedSave {
    /// The chunk, as the hook was given it.
    pub chunk: ChunkToSave,
    /// The text of the error or the panic.
    pub message: String,
}

/// What [`reset`](crate::ChunkStream::reset) and [`stop`](crate::ChunkStream::stop) do with what was not saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// It is saved first. What a hook marks in other chunks meanwhile, after those were saved, is lost.
    Save,
    /// It is lost.
    Discard,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_the_longest_whatever_is_set() {
        let policy = SavePolicy::default();
        let waits = [1, 2, 3, 6, 7, u32::MAX].map(|failures| policy.wait_after(failures).as_secs());
        assert_eq!(waits, [1, 2, 4, 32, 60, 60]);
        let endless = SavePolicy {
            first_delay: Duration::MAX,
            max_delay: Duration::MAX,
            ..policy
        };
        assert_eq!(endless.wait_after(u32::MAX), Duration::MAX);
    }

    #[test]
    fn nothing_is_given_up_unless_the_policy_says_so() {
        assert!(!SavePolicy::default().gives_up_after(u32::MAX));
        let policy = SavePolicy {
            give_up_after: NonZeroU32::new(3),
            ..SavePolicy::default()
        };
        assert!(!policy.gives_up_after(2) && policy.gives_up_after(3));
    }
}
