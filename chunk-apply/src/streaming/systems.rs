//! What a stream does in a frame: scan, generate, apply.

use super::{
    host::StreamHost,
    index::{ChunkIndex, ChunkRoot, RootOf},
    messages::{ChunkFailed, ChunkUnloaded},
    rank::ViewerRank,
    stream::Streaming,
    viewer::ChunkViewer,
};
use crate::budget::ApplyBudget;
use bevy_ecs::{
    change_detection::{DetectChangesMut, Mut},
    entity::Entity,
    hierarchy::ChildOf,
    message::{Message, Messages},
    query::With,
    system::{Query, ResMut},
    world::World,
};
use bevy_transform::{components::Transform, helper::TransformHelper};
use chunk_coord::{ScanBudget, WantedSet};
use chunk_scheduler::Rank;
use std::time::Duration;
use tracing::{debug_span, trace};

/// Finds out which chunks became wanted and which no longer are; asks for those and gives up these.
pub(super) fn scan<T: Send + Sync + 'static>(
    mut stream: ResMut<Streaming<T>>,
    mut index: ResMut<ChunkIndex<T>>,
    viewers: Query<(Entity, &ChunkViewer, &Transform, Option<&ChildOf>)>,
    transforms: TransformHelper,
) {
    // Going through `ResMut` for each field would borrow all of them.
    let stream = stream.bypass_change_detection();
    stream.frame = Default::default();
    if stream.is_paused {
        return;
    }
    let _span = debug_span!("chunk_scan").entered();
    let start = stream.clock.now();
    let must_restart = core::mem::take(&mut stream.must_restart);
    if must_restart {
        restart(stream, &mut index);
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
    }
    stream.changes.clear();
    if have_moved || must_restart || !stream.wanted.is_settled() {
        let mut budget = ScanBudget::time(stream.scan_budget);
        (stream.wanted).update(stream.viewers.as_slice(), &mut budget, &mut stream.changes);
        follow_changes(stream, &mut index);
    }
    if stream.leveller.is_some() {
        level(stream, have_moved, start);
    }
    if have_moved || must_restart || !stream.changes.left.is_empty() {
        let scheduler = &stream.scheduler;
        let outdated = (stream.backlog).rerank(&stream.rank, |chunk| {
            scheduler.is_current(chunk.key, chunk.version)
        });
        stream.scheduler.discard(outdated);
    }
    stream.frame.scan = stream.clock.now().saturating_sub(start);
}

/// Gives up everything, so that the next update asks for it again.
fn restart<T: Send + Sync + 'static>(stream: &mut Streaming<T>, index: &mut ResMut<ChunkIndex<T>>) {
    stream.changes.clear();
    stream.latencies.restart();
    let wanted = core::mem::replace(&mut stream.wanted, WantedSet::new());
    stream.changes.left.extend(wanted.iter());
    follow_changes(stream, index);
}

/// Asks for what entered and gives up what left.
fn follow_changes<T: Send + Sync + 'static>(
    stream: &mut Streaming<T>,
    index: &mut ResMut<ChunkIndex<T>>,
) {
    let now = stream.clock.now();
    for coord in &stream.changes.left {
        stream.latencies.left(*coord);
        stream.scheduler.cancel(*coord);
        // Looked at before it is changed, so that `Changed` means what it says.
        if index.contains(*coord)
            && let Some(chunk) = index.remove(*coord)
        {
            trace!(?coord, "no longer wanted");
            stream.to_unload.push((*coord, chunk));
            stream.unloaded.push(ChunkUnloaded::new(*coord));
        }
    }
    if let Some(leveller) = &stream.leveller {
        leveller.levels.leave(&stream.changes.left);
        (leveller.levels).enter(&stream.changes.entered, &stream.rank);
    }
    for coord in &stream.changes.entered {
        trace!(?coord, "wanted");
        stream.scheduler.request(*coord);
        stream.latencies.wanted(*coord, now);
    }
}

/// Asks anew for chunks whose level of detail has changed, within what is left of the scan budget.
fn level<T: Send + Sync + 'static>(stream: &mut Streaming<T>, have_moved: bool, start: Duration) {
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
    let (clock, end) = (&stream.clock, start.saturating_add(stream.scan_budget));
    let now = clock.now();
    leveller.advance(
        stream.wanted.iter(),
        &stream.rank,
        || end.saturating_sub(clock.now()),
        |coord| {
            trace!(?coord, "another level of detail");
            stream.scheduler.refresh(coord);
            stream.latencies.asked_anew(coord, now);
        },
    );
}

/// Hands over requests, and notes what failed.
pub(super) fn generate<T: Send + Sync + 'static>(mut stream: ResMut<Streaming<T>>) {
    let stream = stream.bypass_change_detection();
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
    stream.frame.generate = stream.clock.now().saturating_sub(start);
}

/// Spawns and despawns within the budget, and tells what happened.
pub(super) fn apply<T: Send + Sync + 'static>(world: &mut World) {
    if has_work::<T>(world) {
        world.resource_scope(|world, mut stream: Mut<Streaming<T>>| {
            work(stream.bypass_change_detection(), world);
        });
    }
}

fn has_work<T: Send + Sync + 'static>(world: &World) -> bool {
    let (Some(stream), Some(index)) = (
        world.get_resource::<Streaming<T>>(),
        world.get_resource::<ChunkIndex<T>>(),
    ) else {
        return false;
    };
    let depths = stream.scheduler.depths();
    !stream.is_paused
        && (depths.live() > 0
            || stream.unloading() > 0
            || stream.applier.partial().is_some()
            || stream.must_move_roots
            || index.has_orphaned()
            || !(stream.unloaded.is_empty() && stream.failed.is_empty()))
}

fn work<T: Send + Sync + 'static>(stream: &mut Streaming<T>, world: &mut World) {
    let _span = debug_span!("chunk_apply").entered();
    let start = stream.clock.now();
    if core::mem::take(&mut stream.must_move_roots) {
        move_roots(stream, world);
    }
    if world.resource::<ChunkIndex<T>>().has_orphaned() {
        let orphaned = world.resource_mut::<ChunkIndex<T>>().take_orphaned();
        (stream.unloaded).extend(orphaned.into_iter().map(ChunkUnloaded::new));
    }
    for (coord, chunk) in stream.to_unload.drain(..) {
        let distance = stream.rank.rank(&coord);
        stream.applier.unload(world, coord, chunk, distance);
    }
    let (backlog, rank) = (&mut stream.backlog, &stream.rank);
    debug_span!("chunk_drain").in_scope(|| {
        (stream.scheduler).drain(usize::MAX, |chunk| backlog.push(chunk, rank));
    });
    let prelude = stream.clock.now().saturating_sub(start);
    let budget = ApplyBudget {
        time: (stream.budget.time).map(|time| time.saturating_sub(prelude)),
        ..stream.budget
    };
    let mut host = StreamHost {
        scheduler: &mut stream.scheduler,
        backlog: &mut stream.backlog,
        place: &stream.place,
        rank: &stream.rank,
        latencies: &mut stream.latencies,
        clock: &*stream.clock,
        before_unload: stream.before_unload.as_ref(),
        loaded: &mut stream.loaded,
        failed: &mut stream.failed,
    };
    let mut report = stream.applier.apply(world, &mut host, &budget);
    tell(world, &mut stream.unloaded);
    tell(world, &mut stream.loaded);
    tell(world, &mut stream.failed);
    stream.totals.unloaded += report.unloaded as u64;
    stream.totals.spawned += report.spawned as u64;
    stream.totals.despawned += report.despawned as u64;
    report.spent = stream.clock.now().saturating_sub(start);
    report.overshoot =
        (stream.budget.time).map_or(report.overshoot, |time| report.spent.saturating_sub(time));
    stream.work.frame(&report);
    stream.frame.apply = report;
}

/// Puts every root where the new origin wants it.
fn move_roots<T: Send + Sync + 'static>(stream: &Streaming<T>, world: &mut World) {
    let mut roots = world.query_filtered::<(&ChunkRoot, &mut Transform), With<RootOf<T>>>();
    for (root, mut transform) in roots.iter_mut(world) {
        *transform = stream.place.transform(root.coord);
    }
}

fn tell<M: Message>(world: &mut World, messages: &mut Vec<M>) {
    if !messages.is_empty() {
        world
            .resource_mut::<Messages<M>>()
            .write_batch(messages.drain(..));
    }
}
