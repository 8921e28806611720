//! What a stream does in a frame: scan, generate, apply.

use super::{
    host::StreamHost,
    index::{ChunkIndex, RootOf},
    messages::{ChunkFailed, ChunkUnloaded},
    place::corner,
    rank::ViewerRank,
    stream::Streaming,
    viewer::ChunkViewer,
};
use bevy_ecs::{
    change_detection::{DetectChangesMut, Mut},
    entity::Entity,
    hierarchy::ChildOf,
    message::{Message, Messages},
    system::{Query, ResMut},
    world::World,
};
use bevy_transform::{components::Transform, helper::TransformHelper};
use chunk_coord::{ScanBudget, WantedSet};
use core::time::Duration;
use tracing::{debug_span, trace};

/// The app begins a frame.
pub(super) fn begin_frame<T: Send + Sync + 'static>(stream: Option<ResMut<Streaming<T>>>) {
    if let Some(mut stream) = stream {
        stream.bypass_change_detection().frames.begin();
    }
}

/// Finds out which chunks became wanted and which no longer are; asks for those and gives up these.
pub(super) fn scan<T: Send + Sync + 'static>(
    mut stream: ResMut<Streaming<T>>,
    mut index: ResMut<ChunkIndex<T>>,
    viewers: Query<(Entity, &ChunkViewer, &Transform, Option<&ChildOf>)>,
    transforms: TransformHelper,
) {
    // Going through `ResMut` for each field would borrow all of them.
    let stream = stream.bypass_change_detection();
    stream.frames.go_on();
    if stream.is_paused {
        return;
    }
    let _span = debug_span!("chunk_scan").entered();
    let start = stream.clock.now();
    let limit = (stream.scan_budget).saturating_sub(stream.frames.now.scan);
    // Where nothing waits to be applied, the sooner everything is asked for the better.
    let spare = if has_spare_time(stream) {
        (stream.budget.time).map_or(Duration::MAX, |time| time / 2)
    } else {
        Duration::ZERO
    };
    let end = start.saturating_add(limit.max(spare.saturating_sub(stream.frames.now.scan)));
    if core::mem::take(&mut stream.must_restart) {
        stream.is_restarting = true;
        stream.must_update = true;
        stream.latencies.restart();
        let wanted = core::mem::replace(&mut stream.wanted, WantedSet::new());
        stream.pending.withdraw(wanted.iter());
    }
    stream.viewers.begin();
    for (entity, viewer, transform, parent) in &viewers {
        let position = match parent {
            None => transform.translation,
            Some(_) => transforms
                .compute_global_transform(entity)
                .map_or(transform.translation, |global| global.translation()),
        };
        let range = viewer.range.unwrap_or(stream.range);
        (stream.viewers).see(entity, position, range, &stream.place);
    }
    stream.totals.invalid_positions = stream.viewers.invalid_positions();
    let have_moved = stream.viewers.have_changed();
    if have_moved {
        stream.rank = ViewerRank::new(stream.viewers.coords());
        stream.scheduler.publish(stream.rank.clone());
        stream.must_update = true;
    }
    let had_pending = !stream.pending.is_empty();
    let mut have_left = follow_changes(stream, &mut index, end);
    let is_outdated = stream.must_update || !stream.wanted.is_settled();
    let has_time = !had_pending || stream.clock.now() < end;
    if is_outdated && has_time && stream.pending.is_empty() {
        stream.must_update = false;
        // Asking for a chunk costs more than finding it.
        let mut now = || stream.clock.now();
        let mut budget = ScanBudget::with_clock(limit / 3, &mut now);
        let changes = stream.pending.refill(start);
        (stream.wanted).update(stream.viewers.as_slice(), &mut budget, changes);
        have_left |= follow_changes(stream, &mut index, end);
    }
    if stream.leveller.is_some() {
        level(stream, have_moved, end);
    }
    if have_moved || have_left {
        order_backlog(stream);
    }
    stream.frames.now.scan += stream.clock.now().saturating_sub(start);
}

/// Whether there is nothing to apply in this frame yet.
fn has_spare_time<T: Send + Sync + 'static>(stream: &Streaming<T>) -> bool {
    let depths = stream.scheduler.depths();
    depths.completed + depths.backlog == 0 && stream.unloading() == 0
}

/// Asks for what entered and gives up what left, until `end`. Returns whether anything left.
fn follow_changes<T: Send + Sync + 'static>(
    stream: &mut Streaming<T>,
    index: &mut ResMut<ChunkIndex<T>>,
    end: Duration,
) -> bool {
    let mut have_left = false;
    while !stream.pending.is_empty() {
        have_left |= give_up(stream, index);
        ask(stream);
        if stream.clock.now() >= end {
            break;
        }
    }
    have_left
}

/// Gives up the next few chunks that left the wanted set.
fn give_up<T: Send + Sync + 'static>(
    stream: &mut Streaming<T>,
    index: &mut ResMut<ChunkIndex<T>>,
) -> bool {
    let left = stream.pending.next_left();
    for coord in left {
        stream.latencies.left(*coord);
        stream.scheduler.cancel(*coord);
        stream.held.remove(coord);
        // Looked at before it is changed, so that `Changed` means what it says.
        if index.contains(*coord)
            && let Some(chunk) = index.remove(*coord)
        {
            trace!(?coord, "no longer wanted");
            stream.to_unload.push((*coord, chunk));
            stream.unloaded.push(ChunkUnloaded::new(*coord));
            if stream.before_unload.is_some() {
                stream.unsaved.insert(*coord);
            }
        }
    }
    if let Some(leveller) = &stream.leveller {
        leveller.levels.leave(left);
    }
    !left.is_empty()
}

/// Asks for the next few chunks that entered the wanted set, once all that left were given up.
fn ask<T: Send + Sync + 'static>(stream: &mut Streaming<T>) {
    let since = stream.pending.since;
    let entered = stream.pending.next_entered();
    if entered.is_empty() {
        return;
    }
    stream.is_restarting = false;
    if let Some(leveller) = &stream.leveller {
        leveller.levels.enter(entered, &stream.rank);
    }
    for coord in entered {
        trace!(?coord, "wanted");
        if stream.unsaved.contains(coord) {
            // What it is generated from may be what is yet to be saved.
            stream.held.insert(*coord);
        } else {
            stream.scheduler.request(*coord);
        }
        stream.latencies.wanted(*coord, since);
    }
}

/// Asks anew for chunks whose level of detail has changed, until `end`.
fn level<T: Send + Sync + 'static>(stream: &mut Streaming<T>, have_moved: bool, end: Duration) {
    let Some(leveller) = &mut stream.leveller else {
        return;
    };
    if have_moved {
        leveller.viewers_moved();
    }
    if leveller.is_settled() {
        return;
    }
    let _span = debug_span!("chunk_level").entered();
    let clock = &stream.clock;
    let now = clock.now();
    leveller.advance(
        stream.wanted.iter(),
        &stream.rank,
        || end.saturating_sub(clock.now()),
        |coord| {
            trace!(?coord, "another level of detail");
            if !stream.held.contains(&coord) {
                stream.scheduler.refresh(coord);
                stream.latencies.asked_anew(coord, now);
            }
        },
    );
}

/// Puts what waits to be applied in the viewers' order, and lets go of what is out of date.
fn order_backlog<T: Send + Sync + 'static>(stream: &mut Streaming<T>) {
    let scheduler = &stream.scheduler;
    let outdated = (stream.backlog).rerank(&stream.rank, |chunk| {
        scheduler.is_current(chunk.key, chunk.version)
    });
    stream.scheduler.discard(outdated);
}

/// Hands over requests, and notes what failed.
pub(super) fn generate<T: Send + Sync + 'static>(mut stream: ResMut<Streaming<T>>) {
    let stream = stream.bypass_change_detection();
    stream.frames.go_on();
    if stream.is_paused {
        return;
    }
    let _span = debug_span!("chunk_generate").entered();
    let start = stream.clock.now();
    stream.scheduler.tick(start);
    for failure in stream.scheduler.failures() {
        stream.failed.push(ChunkFailed::new(
            failure.key,
            failure.message,
            failure.attempts,
            failure.will_retry,
        ));
    }
    stream.frames.now.generate += stream.clock.now().saturating_sub(start);
}

/// Spawns and despawns within the budget, and tells what happened.
pub(super) fn apply<T: Send + Sync + 'static>(world: &mut World) {
    if world.contains_resource::<ChunkIndex<T>>() && world.contains_resource::<Streaming<T>>() {
        world.resource_scope(|world, mut stream: Mut<Streaming<T>>| {
            let stream = stream.bypass_change_detection();
            stream.frames.go_on();
            if core::mem::take(&mut stream.must_move_roots) {
                move_roots(stream, world);
            }
            if has_work(stream, world) {
                work(stream, world);
            }
            stream.frames.applied();
        });
    }
}

fn has_work<T: Send + Sync + 'static>(stream: &Streaming<T>, world: &World) -> bool {
    !stream.is_paused
        && (stream.scheduler.depths().live() > 0
            || stream.unloading() > 0
            || stream.partial().is_some()
            || !stream.held.is_empty()
            || world.resource::<ChunkIndex<T>>().has_orphaned()
            || !(stream.unloaded.is_empty() && stream.failed.is_empty()))
}

fn work<T: Send + Sync + 'static>(stream: &mut Streaming<T>, world: &mut World) {
    let _span = debug_span!("chunk_apply").entered();
    let start = stream.clock.now();
    if world.resource::<ChunkIndex<T>>().has_orphaned() {
        for (coord, chunk) in world.resource_mut::<ChunkIndex<T>>().take_orphaned() {
            stream.applier.forget(chunk);
            stream.unloaded.push(ChunkUnloaded::new(coord));
        }
    }
    stream.hand_to_applier(world);
    let mut budget = stream.frames.now.left_of(&stream.budget);
    debug_span!("chunk_drain").in_scope(|| collect(stream, start, budget.time));
    let prelude = stream.clock.now().saturating_sub(start);
    budget.time = budget.time.map(|time| time.saturating_sub(prelude));
    let (applier, mut host) = StreamHost::of(stream);
    let mut report = applier.apply(world, &mut host, &budget);
    host.end();
    ask_for_saved(stream);
    tell(world, &mut stream.unloaded);
    tell(world, &mut stream.loaded);
    tell(world, &mut stream.failed);
    stream.totals.unloaded += report.unloaded as u64;
    stream.totals.spawned += report.spawned as u64;
    stream.totals.despawned += report.despawned as u64;
    report.spent = stream.clock.now().saturating_sub(start);
    stream.frames.worked(report, &stream.budget);
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
    stream: &mut Streaming<T>,
    start: Duration,
    limit: Option<Duration>,
) {
    let has_time = limit.is_none_or(|limit| limit / 4 >= TIME_FOR_A_BATCH);
    let batch = if has_time { BATCH } else { SMALL_BATCH };
    let end = limit.map(|limit| start.saturating_add(limit / 4));
    let (backlog, rank) = (&mut stream.backlog, &stream.rank);
    while (stream.scheduler).drain(batch, |chunk| backlog.push(chunk, rank)) > 0
        && end.is_none_or(|end| stream.clock.now() < end)
    {}
    // What was asked for anew while it waited is of no use, and must not pile up. What is current may
    // be half spawned already, and so no longer in the backlog.
    let current = stream.scheduler.depths().backlog;
    let slack = stream.scheduler.config().backlog_capacity / 8;
    if stream.backlog.len().saturating_sub(current) > slack {
        order_backlog(stream);
    }
}

/// Asks for chunks that are wanted again, now that what was there before is saved.
fn ask_for_saved<T: Send + Sync + 'static>(stream: &mut Streaming<T>) {
    let (unsaved, scheduler) = (&stream.unsaved, &mut stream.scheduler);
    stream.held.retain(|coord| {
        let must_wait = unsaved.contains(coord);
        if !must_wait {
            scheduler.request(*coord);
        }
        must_wait
    });
}

/// Puts every root where the new origin wants it.
fn move_roots<T: Send + Sync + 'static>(stream: &mut Streaming<T>, world: &mut World) {
    let start = stream.clock.now();
    let mut roots = world.query::<(&RootOf<T>, &mut Transform)>();
    for (root, mut transform) in roots.iter_mut(world) {
        transform.translation = corner(&root.grid, stream.place.origin, root.coord);
    }
    stream.frames.now.apply.spent += stream.clock.now().saturating_sub(start);
}

fn tell<M: Message>(world: &mut World, messages: &mut Vec<M>) {
    if !messages.is_empty() {
        world
            .resource_mut::<Messages<M>>()
            .write_batch(messages.drain(..));
    }
}
