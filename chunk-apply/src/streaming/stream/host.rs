//! Connects the applier to the scheduler, the backlog and the index.

use super::{chunk_stream::ChunkStream, gates::Gates, root_event::RootEvent, state::StreamState};
use crate::{
    contain::contain,
    host::{
        Arrival, ChunkHost, Departing, Departure, Held, LoadedChunk, SpawnedChunk, Stale, Unsaved,
    },
    spawn::{Leftovers, SpawnError},
    streaming::{
        index::{ChunkIndex, ChunkRoot, RootOf},
        messages::{ChunkFailed, ChunkLoaded, ChunkUnloading},
        order::ViewerRank,
    },
};
use bevy_ecs::{
    entity::Entity, hierarchy::Children, relationship::RelationshipTarget, world::World,
};
use chunk_coord::ChunkCoord;
use chunk_scheduler::{Rank, Scheduler, Verdict, Version};
use core::marker::PhantomData;

/// The stream in the `World`, as an [`Applier`](crate::Applier) works for it. It holds nothing: user code that runs between
/// two calls may change or remove the stream.
pub(in crate::streaming) struct StreamHost<T> {
    stream: PhantomData<fn() -> T>,
}

impl<T> Default for StreamHost<T> {
    fn default() -> Self {
        Self {
            stream: PhantomData,
        }
    }
}

/// The version of the chunk with this number, if it is live and the chunk is one of the present grid.
fn live<T: Send + Sync + 'static>(
    state: &StreamState<T>,
    coord: ChunkCoord,
    version: u64,
) -> Option<Version> {
    let mut live = state.scheduler.live_versions(coord);
    live.find(|live| live.get() == version && !state.is_of_another_grid())
}

/// How many of the next chunks are swapped together.
fn ready<T: Send + Sync + 'static>(state: &StreamState<T>) -> usize {
    (state.swaps).ready(is_next(&state.scheduler, &state.gates))
}

/// Whether this version of a chunk may be spawned, as the newest of those that are finished and after any that waits for its
/// gate.
fn is_next<'a, T: Send + Sync + 'static>(
    scheduler: &'a Scheduler<ChunkCoord, T, ViewerRank>,
    gates: &'a Gates,
) -> impl Fn(ChunkCoord, Version) -> bool + 'a {
    |coord, version| scheduler.is_live(coord, version) && !gates.keeps(coord)
}

impl<T: Send + Sync + 'static> ChunkHost<ChunkCoord, T> for StreamHost<T> {
    fn next_arrival(&mut self, world: &mut World) -> Option<Arrival<ChunkCoord, T>> {
        ChunkStream::<T>::with_state(world, |state| {
            if state.is_of_another_grid() || state.is_full() {
                return None;
            }
            let mut outdated = Vec::new();
            let next = loop {
                let (scheduler, gates) = (&state.scheduler, &state.gates);
                let has_rest = state.swaps.has_rest();
                let next = (state.swaps)
                    .pop(is_next(scheduler, gates))
                    .or_else(|| state.backlog.pop(|coord| gates.keeps(coord)));
                let Some((key, version, content)) = next else {
                    break None;
                };
                // Nothing but the rest of a group is spawned without regard to the budget.
                let was_last = has_rest && !state.swaps.has_rest();
                // A newer one then waits for this one, or else a chunk that takes many frames would never be whole.
                if state.scheduler.applying(key, version) {
                    let version = version.get();
                    break Some(Arrival {
                        key,
                        version,
                        content,
                    });
                }
                outdated.push(content);
                if was_last {
                    break None;
                }
            };
            // A worker drops them.
            state.scheduler.discard(outdated);
            next
        })?
    }

    fn has_arrivals(&self, world: &World) -> bool {
        let stream = world.get_resource::<ChunkStream<T>>();
        stream.is_some_and(|stream| {
            let state = &stream.state;
            !(state.is_of_another_grid() || state.is_full())
                && (ready(state) > 0 || !state.backlog.is_empty())
        })
    }

    fn next_together(&self, world: &World) -> usize {
        let stream = world.get_resource::<ChunkStream<T>>();
        stream.map_or(0, |stream| ready(&stream.state))
    }

    fn expected(&self, world: &World) -> usize {
        let stream = world.get_resource::<ChunkStream<T>>();
        let expected = stream.map_or(0, |stream| stream.state.expected());
        let loaded = world.get_resource::<ChunkIndex<T>>();
        expected.saturating_sub(loaded.map_or(0, ChunkIndex::len))
    }

    fn is_current(&self, world: &World, coord: &ChunkCoord, version: u64) -> bool {
        let stream = world.get_resource::<ChunkStream<T>>();
        stream.is_some_and(|stream| live(&stream.state, *coord, version).is_some())
    }

    fn spawn_root(&mut self, world: &mut World, coord: &ChunkCoord) -> Entity {
        let Some(stream) = world.get_resource::<ChunkStream<T>>() else {
            return world.spawn_empty().id();
        };
        let origin = &stream.state.world_origin;
        let root = (
            ChunkRoot { coord: *coord },
            RootOf::<T>::new(*coord, origin.grid),
            origin.transform(*coord),
            // Otherwise the root would move to another table with its first child.
            <Children as RelationshipTarget>::with_capacity(0),
        );
        #[cfg(feature = "visibility")]
        let root = (root, bevy_camera::visibility::Visibility::Inherited);
        let entity = world.entity_allocator().alloc();
        let spawned = contain(world, |world| world.spawn_at(entity, root).is_ok());
        if let Err(panic) = spawned {
            ChunkStream::<T>::note_panic(world, *coord, &panic);
        }
        entity
    }

    fn applied(
        &mut self,
        world: &mut World,
        chunk: SpawnedChunk<ChunkCoord>,
    ) -> Result<Option<LoadedChunk>, Stale> {
        let coord = chunk.key;
        let Some(index) = world.get_resource::<ChunkIndex<T>>() else {
            return Err(Stale);
        };
        let stands = index.contains(coord);
        let shown = ChunkStream::<T>::with_state(world, |state| {
            let version = live(state, coord, chunk.version)?;
            if state.ceiling.is_exceeded(chunk.bytes) {
                let is_newest = state.scheduler.live_version(coord) == Some(version);
                (state.ceiling).refuse(coord, chunk.bytes, is_newest && !stands);
                if is_newest {
                    state.scheduler.cancel(coord);
                } else {
                    // A newer one is under way and takes its place, so that it is not tried again.
                    let message = "it alone has more bytes than `max_loaded_bytes`";
                    state.scheduler.apply_failed(coord, version, message);
                }
                return None;
            }
            state.ceiling.loaded(coord, chunk.bytes);
            let sources = state.scheduler.sources(version);
            if !state.scheduler.applied(coord, version) {
                return None;
            }
            state.note_made_from(coord, chunk.version, sources);
            state.quarantine.loaded(coord, version);
            state.saves.unblock(coord);
            if !stands {
                // It was of a chunk whose root a user despawned.
                state.saves.marks.take(coord);
            }
            let distance_sq = state.rank.distance_sq(coord);
            let now = state.clock.now();
            let latency = (state.latencies).shown(coord, version, distance_sq, now);
            let level = (state.lod.as_ref()).map_or(0, |lod| lod.made(coord, chunk.version));
            Some((latency, level))
        });
        let (latency, level) = shown.flatten().ok_or(Stale)?;
        let loaded = LoadedChunk::from(chunk);
        let mut index = world.resource_mut::<ChunkIndex<T>>();
        let replaced = index.insert(coord, loaded);
        if let Some(replaced) = replaced {
            let unloading = ChunkUnloading::<T>::new(coord, replaced.root);
            ChunkStream::<T>::trigger(world, RootEvent::Unloading(unloading));
        }
        let (root, entities, version) = (chunk.root, chunk.entities, chunk.version);
        let old = replaced.map(|replaced| replaced.root);
        let loaded = ChunkLoaded::<T>::new(coord, root, entities, level, version, latency, old);
        world.write_message(loaded.clone());
        ChunkStream::<T>::trigger(world, RootEvent::Loaded(loaded));
        // An earlier version that left may be there yet.
        let departed = ChunkStream::<T>::with_state(world, |state| state.take_departed(coord));
        Ok(replaced.or(departed.flatten()))
    }

    fn waits_at_gate(&mut self, world: &mut World, coord: &ChunkCoord, version: u64, waits: bool) {
        ChunkStream::<T>::with_state(world, |state| {
            if waits {
                state.gates.enter(*coord, version, state.clock.now());
            } else {
                state.gates.leave(*coord, version);
            }
        });
    }

    fn gate_rank(&self, world: &World, coord: &ChunkCoord) -> u64 {
        let stream = world.get_resource::<ChunkStream<T>>();
        stream.map_or(0, |stream| stream.state.rank.rank(coord))
    }

    fn next_departure(&mut self, world: &mut World) -> Option<Departure<ChunkCoord>> {
        ChunkStream::<T>::with_state(world, |state| {
            let departure = state.departures.pop()?;
            let LoadedChunk { root, version, .. } = departure.chunk;
            state.hidden.remove(&root);
            state.forget_made_from(departure.key, version);
            if let Some(lod) = &mut state.lod {
                lod.forget(departure.key, version);
            }
            // The applier hides what it does not despawn at once.
            state.to_hide.take(departure.key, root);
            Some(departure)
        })?
    }

    fn departing(&self, world: &World) -> Departing {
        let stream = world.get_resource::<ChunkStream<T>>();
        stream.map_or_else(Departing::default, |stream| stream.state.departing())
    }

    fn unsaved(&self, world: &World) -> Unsaved {
        let stream = world.get_resource::<ChunkStream<T>>();
        stream.map_or_else(Unsaved::default, |stream| stream.state.unsaved())
    }

    fn save_next(&mut self, world: &mut World) {
        ChunkStream::<T>::save_next(world);
    }

    fn holds(&mut self, world: &mut World, held: Held<ChunkCoord>) {
        ChunkStream::<T>::with_state(world, |state| state.held = held);
    }

    fn panicked(&mut self, world: &mut World, coord: &ChunkCoord, error: SpawnError) {
        ChunkStream::<T>::note_panic(world, *coord, &error);
    }

    fn discard(&mut self, world: &mut World, rest: Leftovers) {
        ChunkStream::<T>::with_state(world, |state| state.scheduler.discard(vec![rest]));
    }

    fn failed(&mut self, world: &mut World, coord: &ChunkCoord, version: u64, error: SpawnError) {
        ChunkStream::<T>::with_state(world, |state| {
            // The scheduler reports it among its failures, with the attempts and whether it is retried.
            if let Some(version) = live(state, *coord, version) {
                let message = error.message();
                let will_retry = (state.scheduler).apply_failed(*coord, version, message);
                let newest = state.scheduler.live_version(*coord);
                if !will_retry && newest.is_none_or(|newest| newest < version) {
                    state.quarantine.insert(*coord, version);
                    state.ceiling.forget(*coord);
                }
            } else {
                // Withdrawn in the same frame, so that it is not retried; the failure is reported all the same.
                let message = error.message().to_owned();
                let failed = ChunkFailed::new(*coord, None, message, 1, Verdict::Unwanted);
                state.failed.push(failed);
            }
        });
    }
}
