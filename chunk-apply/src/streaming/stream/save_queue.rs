//! Chunks that must be saved before anything else is done with them or with their place.

use super::marks::{Mark, Marks};
use crate::{
    host::{Departing, LoadedChunk},
    streaming::saving::{PendingSave, RoomForSaves, SavePolicy, SaveReason, SavedChunks},
};
use bevy_ecs::entity::Entity;
use chunk_coord::ChunkCoord;
use chunk_scheduler::Lane;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

/// What is requested when a chunk is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::streaming) enum Request {
    /// The chunk became wanted.
    Load,
    /// The chunk is to be made anew.
    Renew(Lane),
}

impl Request {
    /// One that serves both.
    fn or(self, other: Option<Self>) -> Self {
        match (self, other) {
            (Self::Renew(lane), Some(Self::Renew(other))) => Self::Renew(lane.min(other)),
            (Self::Load, Some(Self::Renew(lane))) => Self::Renew(lane),
            (request, _) => request,
        }
    }
}

/// When a chunk is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// As soon as there is time.
    Due,
    /// Not before then, because it failed.
    Retry(Duration),
    /// When the version that is under way has replaced it, or cannot: what is saved before that is not in that version.
    Blocked,
    /// The hook is running.
    InHand,
}

/// One chunk that must be saved. Of each coordinate there is one at most, because what would be the next waits for it.
#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The chunk, if it left the index; `None` if it stands.
    left: Option<LoadedChunk>,
    /// Whether that chunk is what would be made if it were wanted again.
    can_return: bool,
    /// Whether its coordinate is one of a former grid.
    is_former: bool,
    /// What is requested when it is saved. Always something for a chunk that stands.
    then: Option<Request>,
    distance_sq: u64,
    failures: u32,
    turn: Turn,
    /// Whether the chunk that left was changed since it was saved. The marks of those that stand are elsewhere.
    mark: Option<Mark>,
}

impl Entry {
    fn reason(&self) -> SaveReason {
        match self.left {
            Some(_) => SaveReason::Unloaded,
            None => SaveReason::Replaced,
        }
    }
}

/// A chunk whose turn it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct SaveTask {
    pub(super) coord: ChunkCoord,
    /// The chunk, if it left the index; `None` if it stands.
    pub(super) left: Option<LoadedChunk>,
    pub(super) reason: SaveReason,
    pub(super) failures: u32,
    /// What is requested when it is saved.
    pub(super) then: Option<Request>,
}

/// A chunk that needs no saving any more, and what follows from that.
#[derive(Clone, Copy, Debug)]
pub(super) struct Released {
    pub(super) coord: ChunkCoord,
    /// The chunk, if it left the index, and how far away it is.
    pub(super) left: Option<(LoadedChunk, u64)>,
    pub(super) then: Option<Request>,
    /// Whether the chunk that left is what would be made if it were wanted again.
    pub(super) can_return: bool,
}

/// The chunks that must be saved, in the order of their turns. Empty in a stream without a save hook.
#[derive(Default)]
pub(in crate::streaming) struct SaveQueue {
    /// Which chunks are saved; `None` without a save hook.
    chunks: Option<SavedChunks>,
    /// Which of those that stand were changed since they were saved.
    pub(in crate::streaming) marks: Marks,
    has_room: Option<RoomForSaves>,
    /// Whether there was no room when it was last asked for.
    lacks_room: bool,
    /// Whether there was none at the end of the frame before this one.
    lacked_room: bool,
    entries: BTreeMap<ChunkCoord, Entry>,
    /// Those that are due and that something waits for. The first, the nearest, is saved first.
    urgent: BTreeSet<(u64, ChunkCoord)>,
    /// The others that are due. The last, the farthest, is saved first.
    leaving: BTreeSet<(u64, ChunkCoord)>,
    /// Those that failed, by when they are due again.
    retries: BTreeSet<(Duration, ChunkCoord)>,
    /// Those that wait for a version that is under way.
    blocked: BTreeSet<ChunkCoord>,
    /// Those that left and are due.
    departing: Departing,
    /// Those that left.
    left: usize,
    /// Those that left and are marked.
    marked: usize,
    /// Those that left and failed.
    kept: usize,
    /// The bytes of those.
    kept_bytes: u128,
    /// Those of a former grid.
    former: usize,
}

impl SaveQueue {
    /// One for a stream with a save hook.
    pub(super) fn new(policy: &SavePolicy, has_room: Option<RoomForSaves>) -> Self {
        Self {
            chunks: policy.chunks,
            marks: Marks::new(policy.autosave),
            has_room,
            ..Self::default()
        }
    }

    /// Whether a chunk that stands is to be saved before anything takes its place.
    pub(super) fn must_save(&self, coord: ChunkCoord) -> bool {
        match self.chunks {
            None => false,
            Some(SavedChunks::All) => true,
            Some(SavedChunks::Dirty) => self.is_dirty(coord),
        }
    }

    /// Whether a chunk that is to be made anew waits for a save: its own, or that of what stood there.
    pub(super) fn must_wait(&self, coord: ChunkCoord) -> bool {
        self.must_save(coord) || self.waits(coord)
    }

    /// Whether a chunk waits for its save.
    pub(super) fn waits(&self, coord: ChunkCoord) -> bool {
        self.entries.contains_key(&coord)
    }

    /// Whether the save hook is called with dirty chunks alone.
    pub(super) fn takes_only_dirty(&self) -> bool {
        self.chunks == Some(SavedChunks::Dirty)
    }

    /// Whether the chunk was changed since it was saved.
    pub(super) fn is_dirty(&self, coord: ChunkCoord) -> bool {
        self.marks.contains(coord)
            || (self.entries.get(&coord)).is_some_and(|entry| entry.mark.is_some())
    }

    /// How many chunks were changed since they were saved.
    pub(super) fn dirty(&self) -> usize {
        self.marks.len() + self.marked
    }

    /// Marks the chunk that left and is not saved. Of a former grid it is only known by its root. Returns whether there is one.
    pub(super) fn mark_left(
        &mut self,
        coord: ChunkCoord,
        root: Option<Entity>,
        mark: Mark,
    ) -> bool {
        let is_it = |entry: &Entry| match (entry.left, root) {
            (Some(chunk), Some(root)) => chunk.root == root,
            (Some(_), None) => !entry.is_former,
            (None, _) => false,
        };
        self.entries.get(&coord).is_some_and(is_it)
            && self.change(coord, |entry| {
                if let Some(entry) = entry {
                    entry.mark.get_or_insert(mark);
                }
                true
            })
    }

    /// Takes the mark of a chunk that is about to be saved, so that one that is made meanwhile is another.
    pub(super) fn take_mark(&mut self, coord: ChunkCoord, has_left: bool) -> Option<Mark> {
        if !has_left {
            return self.marks.take(coord);
        }
        self.change(coord, |entry| entry.as_mut()?.mark.take())
    }

    /// Asks whether there is room for what is saved, if anything is to be. `is_new_frame` says when that was last asked for.
    pub(super) fn ask_for_room(&mut self, is_new_frame: bool, must_ask: bool) {
        if is_new_frame {
            self.lacked_room = self.lacks_room;
        }
        let must_ask = must_ask || !self.entries.is_empty();
        self.lacks_room = must_ask && (self.has_room.as_ref()).is_some_and(|has_room| !has_room());
    }

    /// Whether nothing may be saved now.
    pub(super) fn lacks_room(&self) -> bool {
        self.lacks_room
    }

    /// The chunk left the index.
    pub(super) fn leave(
        &mut self,
        coord: ChunkCoord,
        chunk: LoadedChunk,
        distance_sq: u64,
        is_former: bool,
        can_return: bool,
        mark: Option<Mark>,
    ) {
        self.change(coord, |entry| {
            // What stood and was to be made anew is out of date.
            let can_return = can_return && entry.is_none_or(|old| old.then.is_none());
            let (failures, turn) = match entry {
                // It may have failed while it stood.
                Some(old) if matches!(old.turn, Turn::Retry(_)) => (old.failures, old.turn),
                _ => (0, Turn::Due),
            };
            *entry = Some(Entry {
                left: Some(chunk),
                can_return,
                is_former,
                then: None,
                distance_sq,
                failures,
                turn,
                mark,
            });
        });
    }

    /// The chunk that left and is not saved, if it is what would be made.
    pub(super) fn returnable(&self, coord: ChunkCoord) -> Option<LoadedChunk> {
        let entry = self.entries.get(&coord)?;
        let can_return = entry.can_return
            && !entry.is_former
            && entry.then.is_none()
            && entry.turn != Turn::InHand;
        entry.left.filter(|_| can_return)
    }

    /// Takes that chunk back, which need not be saved now.
    pub(super) fn take_back(&mut self, coord: ChunkCoord) {
        let mark = self.change(coord, |entry| entry.take()?.mark);
        self.marks.restore(coord, mark);
    }

    /// What it would be made from has changed, so that it cannot return.
    pub(super) fn outdate(&mut self, coord: ChunkCoord) {
        if let Some(entry) = self.entries.get_mut(&coord) {
            entry.can_return = false;
        }
    }

    /// The chunk became wanted. Returns whether that waits for a save.
    pub(in crate::streaming) fn want(&mut self, coord: ChunkCoord) -> bool {
        !self.entries.is_empty()
            && self.change(coord, |entry| match entry {
                Some(entry) => {
                    entry.then = Some(Request::Load.or(entry.then));
                    true
                }
                None => false,
            })
    }

    /// The chunk is no longer wanted, and did not stand.
    pub(super) fn unwant(&mut self, coord: ChunkCoord) {
        if self.entries.contains_key(&coord) {
            self.change(coord, |entry| {
                *entry = entry.filter(|entry| entry.left.is_some());
                if let Some(entry) = entry {
                    entry.then = None;
                }
            });
        }
    }

    /// The chunk is to be made anew.
    pub(super) fn renew(&mut self, coord: ChunkCoord, lane: Lane, distance_sq: u64) {
        self.change(coord, |entry| {
            let entry = entry.get_or_insert(Entry {
                left: None,
                can_return: false,
                is_former: false,
                then: None,
                distance_sq,
                failures: 0,
                turn: Turn::Due,
                mark: None,
            });
            entry.then = Some(Request::Renew(lane).or(entry.then));
            if entry.turn == Turn::Blocked {
                // What it waits for may have to be made sooner now.
                entry.turn = Turn::Due;
            }
        });
    }

    /// Everything that left is of a former grid from now on, so that no coordinate of it is one that is wanted.
    pub(in crate::streaming) fn change_grid(&mut self) {
        let coords: Vec<ChunkCoord> = self.entries.keys().copied().collect();
        for coord in coords {
            self.change(coord, |entry| {
                if let Some(entry) = entry
                    && entry.left.is_some()
                {
                    entry.is_former = true;
                    entry.then = None;
                }
            });
        }
    }

    /// Orders what something waits for by new distances.
    pub(in crate::streaming) fn rerank(&mut self, rank: impl Fn(ChunkCoord) -> u64) {
        for (_, coord) in core::mem::take(&mut self.urgent) {
            if let Some(entry) = self.entries.get_mut(&coord) {
                entry.distance_sq = rank(coord);
                self.urgent.insert((entry.distance_sq, coord));
            }
        }
    }

    /// Makes due what failed long enough ago, and what waits for a version that cannot replace it any more.
    pub(in crate::streaming) fn wake(
        &mut self,
        now: Duration,
        can_be_replaced: impl Fn(ChunkCoord) -> bool,
    ) {
        self.marks.wake(now);
        let blocked = self.blocked.iter().copied();
        let free: Vec<ChunkCoord> = blocked.filter(|coord| !can_be_replaced(*coord)).collect();
        for coord in free {
            self.unblock(coord);
        }
        while let Some((at, coord)) = self.retries.first().copied()
            && at <= now
        {
            self.set_turn(coord, Turn::Due);
        }
    }

    /// The version that was under way has replaced the chunk, or cannot any more.
    pub(in crate::streaming) fn unblock(&mut self, coord: ChunkCoord) {
        if (self.entries.get(&coord)).is_some_and(|entry| entry.turn == Turn::Blocked) {
            self.set_turn(coord, Turn::Due);
        }
    }

    /// The chunk whose turn it is, which is in hand from then on.
    pub(super) fn next(&mut self) -> Option<SaveTask> {
        let (_, coord) = (self.urgent.first().or_else(|| self.leaving.last())).copied()?;
        self.set_turn(coord, Turn::InHand);
        self.task(coord)
    }

    /// Every chunk that left and whose hook is not running, in the order of their turns. Those that failed come last.
    pub(super) fn all_that_left(&self) -> Vec<SaveTask> {
        let urgent = self.urgent.iter().map(|(_, coord)| *coord);
        let leaving = self.leaving.iter().rev().map(|(_, coord)| *coord);
        let retries = self.retries.iter().map(|(_, coord)| *coord);
        let all = urgent.chain(leaving).chain(retries);
        all.filter_map(|coord| self.task(coord))
            .filter(|task| task.left.is_some())
            .collect()
    }

    /// Takes a chunk in hand out of its turn. False if it does not wait, or is in hand already.
    pub(super) fn take(&mut self, coord: ChunkCoord) -> bool {
        let is_free = (self.entries.get(&coord)).is_some_and(|entry| entry.turn != Turn::InHand);
        if is_free {
            self.set_turn(coord, Turn::InHand);
        }
        is_free
    }

    fn task(&self, coord: ChunkCoord) -> Option<SaveTask> {
        let entry = self.entries.get(&coord)?;
        Some(SaveTask {
            coord,
            left: entry.left,
            reason: entry.reason(),
            failures: entry.failures,
            then: entry.then,
        })
    }

    /// The chunk is saved, or need not be.
    pub(super) fn release(&mut self, coord: ChunkCoord) -> Option<Released> {
        let entry = self.change(coord, Option::take)?;
        Some(Released {
            coord,
            left: entry.left.map(|chunk| (chunk, entry.distance_sq)),
            then: entry.then,
            can_return: entry.can_return && !entry.is_former && entry.then.is_none(),
        })
    }

    /// The chunk is not to be saved, as if it had been.
    pub(super) fn release_unsaved(&mut self, coord: ChunkCoord) -> Option<Released> {
        let released = self.release(coord)?;
        if released.left.is_none() {
            self.marks.take(coord);
        }
        Some(released)
    }

    /// Nothing of what is queued is to be saved.
    pub(super) fn release_all(&mut self) -> Vec<Released> {
        let coords: Vec<ChunkCoord> = self.entries.keys().copied().collect();
        let released = coords
            .into_iter()
            .filter_map(|coord| self.release_unsaved(coord));
        released.collect()
    }

    /// Saving the chunk has failed, which had this mark if it left. Returns how often.
    pub(super) fn fail(&mut self, coord: ChunkCoord, mark: Option<Mark>) -> u32 {
        self.change(coord, |entry| {
            let Some(entry) = entry else {
                return 1;
            };
            entry.mark = mark.filter(|_| entry.left.is_some()).or(entry.mark);
            entry.failures = entry.failures.saturating_add(1);
            entry.failures
        })
    }

    /// The chunk in hand is tried again then.
    pub(super) fn retry_at(&mut self, coord: ChunkCoord, at: Duration) {
        self.set_turn(coord, Turn::Retry(at));
    }

    /// The chunk in hand waits for the version that is under way.
    pub(super) fn block(&mut self, coord: ChunkCoord) {
        self.set_turn(coord, Turn::Blocked);
    }

    pub(in crate::streaming) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many chunks are due that something waits for.
    pub(super) fn urgent(&self) -> usize {
        self.urgent.len()
    }

    /// How many chunks are due that nothing waits for.
    pub(super) fn leaving(&self) -> usize {
        self.leaving.len()
    }

    /// Chunks that left and are due.
    pub(super) fn departing(&self) -> Departing {
        self.departing
    }

    /// How many chunks left.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// How many chunks left and are kept because their save failed or there is no room for it. Those count also in the frame
    /// after that, or a frame that begins with room for a few would spawn before it saves.
    pub(super) fn kept(&self) -> usize {
        if self.lacks_room || self.lacked_room {
            self.left
        } else {
            self.kept
        }
    }

    /// The bytes of those whose save failed.
    pub(super) fn kept_bytes(&self) -> usize {
        usize::try_from(self.kept_bytes).unwrap_or(usize::MAX)
    }

    /// Whether the hook is running for this chunk.
    pub(super) fn is_in_hand(&self, coord: ChunkCoord) -> bool {
        (self.entries.get(&coord)).is_some_and(|entry| entry.turn == Turn::InHand)
    }

    /// Whether a chunk of a former grid is to be saved.
    pub(in crate::streaming) fn has_former(&self) -> bool {
        self.former > 0
    }

    pub(super) fn pending(&self, coord: ChunkCoord) -> Option<PendingSave> {
        let entry = self.entries.get(&coord)?;
        Some(PendingSave {
            reason: entry.reason(),
            failures: entry.failures,
            retry_at: match entry.turn {
                Turn::Retry(at) => Some(at),
                Turn::Due | Turn::Blocked | Turn::InHand => None,
            },
            waits_for_room: entry.turn == Turn::Due && self.lacks_room,
        })
    }

    fn set_turn(&mut self, coord: ChunkCoord, turn: Turn) {
        self.change(coord, |entry| {
            if let Some(entry) = entry {
                entry.turn = turn;
            }
        });
    }

    /// Changes the entry of a coordinate, and with it whatever depends on it.
    fn change<R>(&mut self, coord: ChunkCoord, change: impl FnOnce(&mut Option<Entry>) -> R) -> R {
        let mut entry = self.entries.remove(&coord);
        if let Some(entry) = entry {
            self.count(coord, entry, false);
        }
        let result = change(&mut entry);
        if let Some(entry) = entry {
            self.count(coord, entry, true);
            self.entries.insert(coord, entry);
        }
        result
    }

    /// Adds an entry to the orders and counts, or takes it out.
    fn count(&mut self, coord: ChunkCoord, entry: Entry, is_there: bool) {
        let position = (entry.distance_sq, coord);
        let waits = match entry.then {
            Some(_) => &mut self.urgent,
            None => &mut self.leaving,
        };
        match (entry.turn, is_there) {
            (Turn::Due, true) => _ = waits.insert(position),
            (Turn::Due, false) => _ = waits.remove(&position),
            (Turn::Retry(at), true) => _ = self.retries.insert((at, coord)),
            (Turn::Retry(at), false) => _ = self.retries.remove(&(at, coord)),
            (Turn::Blocked, true) => _ = self.blocked.insert(coord),
            (Turn::Blocked, false) => _ = self.blocked.remove(&coord),
            (Turn::InHand, _) => {}
        }
        let add = |count: &mut usize, by: usize| {
            *count = if is_there { *count + by } else { *count - by };
        };
        add(&mut self.former, usize::from(entry.is_former));
        if let Some(chunk) = entry.left {
            add(&mut self.left, 1);
            add(&mut self.marked, usize::from(entry.mark.is_some()));
            if entry.failures > 0 {
                add(&mut self.kept, 1);
                let bytes = chunk.bytes as u128;
                self.kept_bytes = if is_there {
                    self.kept_bytes + bytes
                } else {
                    self.kept_bytes - bytes
                };
            }
            if matches!(entry.turn, Turn::Due | Turn::InHand) {
                add(&mut self.departing.chunks, 1);
                add(&mut self.departing.entities, chunk.entities + 1);
            }
        }
    }
}
