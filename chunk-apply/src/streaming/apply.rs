//! The system that works on the `World`.

use super::{
    host::StreamHost,
    index::{ChunkIndex, RootOf},
    messages::ChunkUnloaded,
    parts::Parts,
    place::corner,
    stream::ChunkStream,
};
use crate::budget::ApplyBudget;
use bevy_ecs::{
    change_detection::{DetectChangesMut, Mut},
    message::{Message, Messages},
    world::World,
};
use bevy_transform::components::Transform;
use core::time::Duration;
use tracing::debug_span;

/// Spawns and despawns within the budget, and tells what happened.
pub(super) fn apply<T: Send + Sync + 'static>(world: &mut World) {
    if world.contains_resource::<ChunkIndex<T>>() && world.contains_resource::<ChunkStream<T>>() {
        world.resource_scope(|world, mut stream: Mut<ChunkStream<T>>| {
            let ChunkStream { budget, parts, .. } = stream.bypass_change_detection();
            parts.frames.go_on();
            if core::mem::take(&mut parts.must_move_roots) {
                move_roots(parts, world);
            }
            if has_work(parts, world) {
                work(parts, budget, world);
            }
            parts.frames.applied();
        });
    }
}

fn has_work<T: Send + Sync + 'static>(parts: &Parts<T>, world: &World) -> bool {
    !parts.is_paused
        && (parts.scheduler.depths().live() > 0
            || parts.unloading() > 0
            || parts.applier.partial().is_some()
            || !parts.held.is_empty()
            || world.resource::<ChunkIndex<T>>().has_orphaned()
            || !(parts.unloaded.is_empty() && parts.failed.is_empty()))
}

fn work<T: Send + Sync + 'static>(parts: &mut Parts<T>, limits: &ApplyBudget, world: &mut World) {
    let _span = debug_span!("chunk_apply").entered();
    let start = parts.clock.now();
    if world.resource::<ChunkIndex<T>>().has_orphaned() {
        for (coord, chunk) in world.resource_mut::<ChunkIndex<T>>().take_orphaned() {
            parts.applier.forget(chunk);
            parts.unloaded.push(ChunkUnloaded::new(coord));
        }
    }
    parts.hand_to_applier(world);
    let mut budget = parts.frames.now.left_of(limits);
    debug_span!("chunk_drain").in_scope(|| collect(parts, start, budget.time));
    let prelude = parts.clock.now().saturating_sub(start);
    budget.time = budget.time.map(|time| time.saturating_sub(prelude));
    let (applier, mut host) = StreamHost::of(parts);
    let mut report = applier.apply(world, &mut host, &budget);
    host.end();
    ask_for_saved(parts);
    tell(world, &mut parts.unloaded);
    tell(world, &mut parts.loaded);
    tell(world, &mut parts.failed);
    parts.totals.unloaded += report.unloaded as u64;
    parts.totals.spawned += report.spawned as u64;
    parts.totals.despawned += report.despawned as u64;
    report.spent = parts.clock.now().saturating_sub(start);
    parts.frames.worked(report, limits);
}

/// Results taken over between two looks at the clock, where there is time for them. Each batch gives places back and so
/// may wake workers, which on a machine with few cores take this one; so it is not small.
const BATCH: usize = 256;
/// The same where there is not.
const SMALL_BATCH: usize = 64;
/// The least time for a whole batch.
const TIME_FOR_A_BATCH: Duration = Duration::from_micros(200);

/// Takes over results, for a quarter of the time that the frame has.
fn collect<T: Send + Sync + 'static>(
    parts: &mut Parts<T>,
    start: Duration,
    limit: Option<Duration>,
) {
    let has_time = limit.is_none_or(|limit| limit / 4 >= TIME_FOR_A_BATCH);
    let batch = if has_time { BATCH } else { SMALL_BATCH };
    let end = limit.map(|limit| start.saturating_add(limit / 4));
    let (backlog, rank) = (&mut parts.backlog, &parts.rank);
    while (parts.scheduler).drain(batch, |chunk| backlog.push(chunk, rank)) > 0
        && end.is_none_or(|end| parts.clock.now() < end)
    {}
    // What was asked for anew while it waited is of no use, and must not pile up. What is current may
    // be half spawned already, and so no longer in the backlog.
    let current = parts.scheduler.depths().backlog;
    let slack = parts.scheduler.config().backlog_capacity / 8;
    if parts.backlog.len().saturating_sub(current) > slack {
        parts.order_backlog();
    }
}

/// Asks for chunks that are wanted again, now that what was there before is saved.
fn ask_for_saved<T: Send + Sync + 'static>(parts: &mut Parts<T>) {
    let (unsaved, scheduler) = (&parts.unsaved, &mut parts.scheduler);
    parts.held.retain(|coord| {
        let must_wait = unsaved.contains(coord);
        if !must_wait {
            scheduler.request(*coord);
        }
        must_wait
    });
}

/// Puts every root where the new origin wants it.
fn move_roots<T: Send + Sync + 'static>(parts: &mut Parts<T>, world: &mut World) {
    let start = parts.clock.now();
    let mut roots = world.query::<(&RootOf<T>, &mut Transform)>();
    for (root, mut transform) in roots.iter_mut(world) {
        transform.translation = corner(&root.grid, parts.place.origin, root.coord);
    }
    parts.frames.now.apply.spent += parts.clock.now().saturating_sub(start);
}

fn tell<M: Message>(world: &mut World, messages: &mut Vec<M>) {
    if !messages.is_empty() {
        world
            .resource_mut::<Messages<M>>()
            .write_batch(messages.drain(..));
    }
}
