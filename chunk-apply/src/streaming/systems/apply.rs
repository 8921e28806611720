//! The system that works on the `World`.

use crate::{
    applier::HalfFrame,
    budget::{ApplyBudget, ApplyReport},
    streaming::{
        index::ChunkIndex,
        messages::ChunkUnloaded,
        stream::{ChunkStream, StreamHost, StreamState},
    },
    sync::Arc,
};
use bevy_ecs::{
    change_detection::{DetectChangesMut, Mut},
    message::{Message, Messages},
    world::World,
};
use core::time::Duration;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use tracing::debug_span;

/// Spawns and despawns within the budget, and tells what happened.
pub(in crate::streaming) fn apply<T: Send + Sync + 'static>(world: &mut World) {
    if !world.contains_resource::<ChunkIndex<T>>() {
        return;
    }
    let Some(mut stream) = world.get_resource_mut::<ChunkStream<T>>() else {
        return;
    };
    let state = &mut stream.bypass_change_detection().state;
    state.frames.resume();
    if state.must_move_roots {
        with_stream::<T, _>(world, |world, stream| move_roots(&mut stream.state, world));
    }
    if has_work::<T>(world.resource(), world.resource()) {
        work::<T>(world);
    }
    // An observer may have removed the stream.
    if let Some(mut stream) = world.get_resource_mut::<ChunkStream<T>>() {
        stream.bypass_change_detection().state.frames.applied();
    }
}

/// Takes the stream out of the `World` while it works on that. `None` when one of its resources was removed.
fn with_stream<T: Send + Sync + 'static, R>(
    world: &mut World,
    work: impl FnOnce(&mut World, &mut ChunkStream<T>) -> R,
) -> Option<R> {
    if !world.contains_resource::<ChunkIndex<T>>() {
        return None;
    }
    world.try_resource_scope(|world, mut stream: Mut<ChunkStream<T>>| {
        work(world, stream.bypass_change_detection())
    })
}

fn has_work<T: Send + Sync + 'static>(stream: &ChunkStream<T>, index: &ChunkIndex<T>) -> bool {
    let state = &stream.state;
    !state.is_paused
        && (state.scheduler.depths().live() > 0
            || stream.unloading() > 0
            || stream.partial().is_some()
            || !state.waiting_for_save.is_empty()
            || index.has_orphaned()
            || !state.root_events.is_empty()
            || !(state.unloaded.is_empty() && state.failed.is_empty()))
}

/// Observers of roots run while the stream is in the `World`: for chunks that were given up, before any of their entities
/// is despawned; for those that were loaded or replaced, between the two halves of the applier's frame.
fn work<T: Send + Sync + 'static>(world: &mut World) {
    let _span = debug_span!("chunk_apply").entered();
    let clock = Arc::clone(&world.resource::<ChunkStream<T>>().state.clock);
    let start = clock.now();
    ChunkStream::<T>::trigger_root_events(world);
    let half = with_stream::<T, _>(world, |world, stream| {
        move_roots(&mut stream.state, world);
        apply_first_half(world, stream, start)
    });
    // The second half runs although an observer panics, so that no count and no time of the first is lost.
    let trigger = AssertUnwindSafe(|| ChunkStream::<T>::trigger_root_events(world));
    let observed = catch_unwind(trigger);
    if let Some((budget, half)) = half {
        with_stream::<T, _>(world, |world, stream| {
            let mut report = apply_second_half(world, stream, &budget, half);
            move_roots(&mut stream.state, world);
            report.spent = clock.now().saturating_sub(start);
            stream.state.frames.worked(report, &stream.budget);
        });
    }
    if let Err(panic) = observed {
        resume_unwind(panic);
    }
}

/// Takes over results and loads, and writes the messages. Returns the budget of the applier's frame.
fn apply_first_half<T: Send + Sync + 'static>(
    world: &mut World,
    stream: &mut ChunkStream<T>,
    start: Duration,
) -> (ApplyBudget, Option<HalfFrame>) {
    if world.resource::<ChunkIndex<T>>().has_orphaned() {
        for (coord, chunk) in world.resource_mut::<ChunkIndex<T>>().take_orphaned() {
            stream.applier.forget(chunk);
            stream.state.unloaded.push(ChunkUnloaded::new(coord));
        }
    }
    stream.hand_to_applier(world);
    let state = &mut stream.state;
    let mut budget = state.frames.now.left_of(&stream.budget);
    debug_span!("chunk_drain").in_scope(|| collect(state, start, budget.time));
    let elapsed = state.clock.now().saturating_sub(start);
    budget.time = budget.time.map(|time| time.saturating_sub(elapsed));
    let mut host = StreamHost::new(state);
    let half = stream.applier.apply_first_half(world, &mut host, &budget);
    host.end();
    write(world, &mut state.unloaded);
    write(world, &mut state.loaded);
    write(world, &mut state.failed);
    (budget, half)
}

/// Unloads for the rest of the time, and requests what waited for a save.
fn apply_second_half<T: Send + Sync + 'static>(
    world: &mut World,
    stream: &mut ChunkStream<T>,
    budget: &ApplyBudget,
    half: Option<HalfFrame>,
) -> ApplyReport {
    let mut report = ApplyReport::default();
    if let Some(half) = half {
        let mut host = StreamHost::new(&mut stream.state);
        report = (stream.applier).apply_second_half(world, &mut host, budget, half);
        host.end();
    }
    let state = &mut stream.state;
    let (unsaved, scheduler) = (&state.unsaved, &mut state.scheduler);
    state.waiting_for_save.retain(|coord| {
        let must_wait = unsaved.contains(coord);
        if !must_wait {
            scheduler.request(*coord);
        }
        must_wait
    });
    state.totals.unloaded += report.unloaded as u64;
    state.totals.spawned += report.spawned as u64;
    state.totals.despawned += report.despawned as u64;
    report
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
    let (backlog, rank) = (&mut state.backlog, &state.rank);
    while (state.scheduler).drain(batch, |chunk| backlog.push(chunk, rank)) > 0
        && end.is_none_or(|end| state.clock.now() < end)
    {}
    // Results that were superseded while they waited must not accumulate. The scheduler counts current ones as backlog
    // until they are whole, also the one that is partly spawned and so no longer in ours.
    let current = state.scheduler.depths().backlog;
    let slack = state.scheduler.config().backlog_capacity / 8;
    if state.backlog.len().saturating_sub(current) > slack {
        state.rerank_backlog();
    }
}

/// Moves the roots to a new origin, if there is one.
fn move_roots<T: Send + Sync + 'static>(state: &mut StreamState<T>, world: &mut World) {
    if core::mem::take(&mut state.must_move_roots) {
        let start = state.clock.now();
        state.world_origin.move_roots::<T>(world);
        state.frames.now.apply.spent += state.clock.now().saturating_sub(start);
    }
}

fn write<M: Message>(world: &mut World, messages: &mut Vec<M>) {
    if !messages.is_empty() {
        world
            .resource_mut::<Messages<M>>()
            .write_batch(messages.drain(..));
    }
}
