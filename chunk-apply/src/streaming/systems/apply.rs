//! The system that works on the `World`.

use crate::{
    applier::Applier,
    host::LoadedChunk,
    spawn::visibility,
    streaming::{
        config::DespawnedRoots,
        index::ChunkIndex,
        messages::{ChunkLoaded, ChunkUnloaded},
        stream::{ChunkStream, ParkedApplier, RootEvent, StreamHost, StreamState},
    },
    sync::Arc,
};
use bevy_ecs::{
    change_detection::DetectChangesMut,
    message::{Message, Messages},
    world::World,
};
use chunk_coord::ChunkCoord;
use core::time::Duration;
use tracing::{debug_span, error};

/// Spawns and despawns within the budget, and tells what happened.
///
/// The stream stays in the `World` meanwhile, so that all user code that runs finds it, and may remove it as well: it is
/// looked up after every such code.
pub(in crate::streaming) fn apply<T: Send + Sync + 'static>(world: &mut World) {
    let Some(mut stream) = world.get_resource_mut::<ChunkStream<T>>() else {
        ChunkStream::<T>::clear_up(world);
        return;
    };
    let state = &mut stream.bypass_change_detection().state;
    state.frames.resume();
    if !world.contains_resource::<ChunkIndex<T>>() {
        return refuse_former::<T>(world);
    }
    if has_work::<T>(world.resource(), world.resource()) {
        work::<T>(world);
    }
    let applied = ChunkStream::<T>::with_state(world, |state| {
        state.scheduler.hold_workers(false);
        state.frames.applied();
    });
    if applied.is_none() {
        ChunkStream::<T>::clear_up(world);
    }
}

/// Removes a stream that was removed before and put back after all that it had in the `World` was cleared up.
#[cold]
fn refuse_former<T: Send + Sync + 'static>(world: &mut World) {
    if !world.contains_resource::<ParkedApplier<T>>() {
        error!(
            "a `ChunkStream` that was removed was put back, and its chunks are gone: it is removed again. To go on,              `pause` it instead; to begin anew, `ChunkStreamingPlugin::start` another one"
        );
        world.remove_resource::<ChunkStream<T>>();
    }
}

fn has_work<T: Send + Sync + 'static>(stream: &ChunkStream<T>, index: &ChunkIndex<T>) -> bool {
    let state = &stream.state;
    !state.is_paused
        && (state.scheduler.depths().live() > 0
            || stream.unloading() > 0
            || stream.partial().is_some()
            || stream.gated() > 0
            || !state.to_hide.is_empty()
            || !state.swaps.is_empty()
            || !state.returned.is_empty()
            || !state.saves.is_empty()
            || stream.saving_all() > 0
            || state.saves.marks.has_due(|| state.clock.now())
            || index.has_orphaned()
            || !state.root_events.is_empty()
            || !(state.unloaded.is_empty() && state.failed.is_empty()))
}

fn work<T: Send + Sync + 'static>(world: &mut World) {
    // User code that applies from within applying finds none.
    let Some(mut applier) = ParkedApplier::<T>::take(world) else {
        return;
    };
    let _span = debug_span!("chunk_apply").entered();
    let clock = Arc::clone(&world.resource::<ChunkStream<T>>().state.clock);
    let start = clock.now();
    ChunkStream::<T>::with_state(world, |state| state.has_told_save_failure = false);
    hide_and_show::<T>(world);
    ChunkStream::<T>::trigger_root_events(world);
    forget_orphaned(world, &mut applier);
    let budget = ChunkStream::<T>::with_stream(world, |stream| {
        let state = &mut stream.state;
        state.swaps.part_late(start, stream.gate_patience);
        state.totals.late_gates += state.gates.tell_late(start, stream.gate_patience);
        state.wake_saves(start);
        let inline = state.scheduler.inline_budget();
        let mut budget = state.frames.left_of(&stream.budget, inline);
        applier.downstream = state.frames.downstream();
        debug_span!("chunk_drain").in_scope(|| collect(state, start, budget.time));
        let elapsed = clock.now().saturating_sub(start);
        budget.time = budget.time.map(|time| time.saturating_sub(elapsed));
        let uploaded = state.frames.now.apply.bytes;
        (budget, uploaded, state.frames.owes_a_slice())
    });
    if let Some((budget, uploaded, owes_a_slice)) = budget {
        let host = &mut StreamHost::<T>::default();
        let (mut report, has_advanced) =
            applier.apply_part(world, host, &budget, uploaded, owes_a_slice);
        ChunkStream::<T>::with_stream(world, |stream| {
            let state = &mut stream.state;
            // Also what users despawned.
            state.held = applier.held();
            state.totals.unloaded += report.unloaded as u64;
            state.totals.spawned += report.spawned as u64;
            state.totals.despawned += report.despawned as u64;
            report.spent = clock.now().saturating_sub(start);
            let inline = state.scheduler.inline_budget();
            (state.frames).worked(report, has_advanced, &stream.budget, inline);
        });
    }
    ParkedApplier::put_back(world, applier);
    let messages = ChunkStream::<T>::with_state(world, |state| {
        let unloaded = core::mem::take(&mut state.unloaded);
        (unloaded, core::mem::take(&mut state.failed))
    });
    if let Some((unloaded, failed)) = messages {
        write(world, unloaded);
        write(world, failed);
    }
}

/// Notes which roots users despawned.
fn forget_orphaned<T: Send + Sync + 'static>(
    world: &mut World,
    applier: &mut Applier<ChunkCoord, T>,
) {
    let index = world.get_resource::<ChunkIndex<T>>();
    if !index.is_some_and(ChunkIndex::has_orphaned) {
        return;
    }
    let orphaned = world.resource_mut::<ChunkIndex<T>>().take_orphaned();
    for (_, chunk) in &orphaned {
        applier.forget(*chunk);
    }
    // A newer version may have replaced it in the frame in which it was despawned.
    let index = world.resource::<ChunkIndex<T>>();
    let orphaned: Vec<_> = (orphaned.into_iter())
        .map(|(coord, _)| (coord, index.contains(coord)))
        .collect();
    ChunkStream::<T>::with_stream(world, |stream| {
        let state = &mut stream.state;
        state.ceiling.note_change();
        for (coord, is_there) in orphaned {
            if !is_there {
                state.made_from.remove(&coord);
                state.forget_mark(coord);
                state.unloaded.push(ChunkUnloaded::new(coord));
            }
            // A chunk of another grid is not wanted either, and a newer version may be under way.
            let must_decide = !is_there
                && state.wanted.contains(coord)
                && !state.is_of_another_grid()
                && state.scheduler.live_version(coord).is_none();
            match stream.despawned_roots {
                _ if !must_decide => {}
                DespawnedRoots::StayGone => {
                    state.quarantine.note_despawned(coord);
                    state.ceiling.forget(coord);
                }
                DespawnedRoots::MakeAgain => state.quarantine.ask(coord),
            }
        }
    });
}

/// Hiding takes so much of a frame's time, one part of so many.
const HIDING: u32 = 4;

/// Hides roots of chunks that left, and shows those that were taken back.
fn hide_and_show<T: Send + Sync + 'static>(world: &mut World) {
    let next = ChunkStream::<T>::with_stream(world, |stream| {
        let state = &mut stream.state;
        let budget = (state.frames).left_of(&stream.budget, state.scheduler.inline_budget());
        // Once in a frame, however often its schedule runs.
        let may_hide = budget.time.is_none() || state.frames.owes_a_slice();
        let time = budget.time.map(|time| time / HIDING);
        let each = state.frames.cost_of_hiding();
        let next = may_hide.then(|| state.to_hide.next(time, each));
        let (to_hide, entities) = next.unwrap_or_default();
        state.frames.hid(entities);
        (to_hide, core::mem::take(&mut state.returned))
    });
    let (to_hide, returned) = next.unwrap_or_default();
    for root in to_hide {
        let hidden = visibility::hide(world, root);
        ChunkStream::<T>::with_state(world, |state| state.hidden.insert(root, hidden));
    }
    for (coord, chunk) in returned {
        let hidden = ChunkStream::<T>::with_state(world, |state| state.hidden.remove(&chunk.root));
        if let Some(Some(hidden)) = hidden {
            hidden.show(world, chunk.root);
        }
        // Its root may have been despawned since.
        let index = world.get_resource::<ChunkIndex<T>>();
        if index.and_then(|index| index.root(coord)) != Some(chunk.root) {
            continue;
        }
        let loaded = ChunkStream::<T>::with_state(world, |state| {
            let (distance_sq, now) = (state.rank.distance_sq(coord), state.clock.now());
            let latency = state.latencies.returned(coord, distance_sq, now);
            let level = (state.lod.as_ref()).map_or(0, |lod| lod.made(coord, chunk.version));
            let LoadedChunk {
                root,
                entities,
                version,
                ..
            } = chunk;
            let loaded =
                ChunkLoaded::<T>::new(coord, root, entities, level, version, latency, None);
            (state.root_events).push_back(RootEvent::Loaded(loaded.clone()));
            loaded
        });
        if let Some(loaded) = loaded {
            write(world, vec![loaded]);
        }
    }
}

/// Results taken over between two readings of the clock, if there is time for them. Each batch gives permits back and so
/// may wake workers, which on a machine with few cores take this one; so a batch is not small.
const BATCH: usize = 256;
/// The same if there is not.
const SMALL_BATCH: usize = 64;
/// The least time for a whole batch.
const TIME_FOR_A_BATCH: Duration = Duration::from_micros(200);

/// Takes over results, for a quarter of the time that the frame has.
fn collect<T: Send + Sync + 'static>(
    state: &mut StreamState<T>,
    start: Duration,
    limit: Option<Duration>,
) {
    let has_time = limit.is_none_or(|limit| limit / 4 >= TIME_FOR_A_BATCH);
    let batch = if has_time { BATCH } else { SMALL_BATCH };
    let end = limit.map(|limit| start.saturating_add(limit / 4));
    if !state.swaps.is_empty() {
        state.renew_next_together();
    }
    let most = state.most_together();
    let (backlog, swaps, mut outdated) = (&mut state.backlog, &mut state.swaps, Vec::new());
    let mut put_away = |chunk| {
        if let Some(chunk) = swaps.offer(chunk, most, &mut outdated) {
            backlog.push(chunk);
        }
    };
    while (state.scheduler).drain(batch, &mut put_away) > 0
        && end.is_none_or(|end| state.clock.now() < end)
    {}
    state.scheduler.discard(outdated);
    // Results that were superseded while they waited must not accumulate. The scheduler counts current ones as backlog
    // until they are whole, also the one that is partly spawned and so no longer in ours.
    let current = state.scheduler.depths().backlog;
    let slack = state.scheduler.config().backlog_capacity / 8;
    if state.backlog.len().saturating_sub(current) > slack {
        state.rerank_backlog();
    }
}

fn write<M: Message>(world: &mut World, messages: Vec<M>) {
    if !messages.is_empty()
        && let Some(mut queue) = world.get_resource_mut::<Messages<M>>()
    {
        queue.write_batch(messages);
    }
}
