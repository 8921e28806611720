//! The system that finds out what became wanted.

use super::{
    index::ChunkIndex, messages::ChunkUnloaded, parts::Parts, rank::ViewerRank,
    stream::ChunkStream, viewer::ChunkViewer,
};
use bevy_ecs::{
    change_detection::DetectChangesMut,
    entity::Entity,
    hierarchy::ChildOf,
    system::{Query, ResMut},
};
use bevy_transform::{components::Transform, helper::TransformHelper};
use chunk_coord::{ScanBudget, WantedSet};
use core::time::Duration;
use tracing::{debug_span, trace};

/// Finds out which chunks became wanted and which no longer are; asks for those and gives up these.
pub(super) fn scan<T: Send + Sync + 'static>(
    mut stream: ResMut<ChunkStream<T>>,
    mut index: ResMut<ChunkIndex<T>>,
    viewers: Query<(Entity, &ChunkViewer, &Transform, Option<&ChildOf>)>,
    transforms: TransformHelper,
) {
    // Going through `ResMut` for each field would borrow all of them.
    let stream = stream.bypass_change_detection();
    let parts = &mut stream.parts;
    parts.frames.go_on();
    if parts.is_paused {
        return;
    }
    let _span = debug_span!("chunk_scan").entered();
    let start = parts.clock.now();
    let limit = (stream.scan_budget).saturating_sub(parts.frames.now.scan);
    // Where nothing waits to be applied, the sooner everything is asked for the better.
    let spare = if has_spare_time(parts) {
        (stream.budget.time).map_or(Duration::MAX, |time| time / 2)
    } else {
        Duration::ZERO
    };
    let end = start.saturating_add(limit.max(spare.saturating_sub(parts.frames.now.scan)));
    if core::mem::take(&mut parts.must_restart) {
        parts.is_restarting = true;
        parts.must_update = true;
        parts.latencies.restart();
        let wanted = core::mem::replace(&mut parts.wanted, WantedSet::new());
        parts.pending.withdraw(wanted.iter());
    }
    parts.viewers.begin();
    for (entity, viewer, transform, parent) in &viewers {
        let position = match parent {
            None => transform.translation,
            Some(_) => transforms
                .compute_global_transform(entity)
                .map_or(transform.translation, |global| global.translation()),
        };
        let range = viewer.range.unwrap_or(stream.range);
        (parts.viewers).see(entity, position, range, &parts.place);
    }
    parts.totals.invalid_positions = parts.viewers.invalid_positions();
    let have_moved = parts.viewers.have_changed();
    if have_moved {
        parts.rank = ViewerRank::new(parts.viewers.coords());
        parts.scheduler.publish(parts.rank.clone());
        parts.must_update = true;
    }
    let had_pending = !parts.pending.is_empty();
    let mut have_left = follow_changes(parts, &mut index, end);
    let is_outdated = parts.must_update || !parts.wanted.is_settled();
    let has_time = !had_pending || parts.clock.now() < end;
    if is_outdated && has_time && parts.pending.is_empty() {
        parts.must_update = false;
        // Asking for a chunk costs more than finding it.
        let mut now = || parts.clock.now();
        let mut budget = ScanBudget::with_clock(limit / 3, &mut now);
        let changes = parts.pending.refill(start);
        (parts.wanted).update(parts.viewers.as_slice(), &mut budget, changes);
        have_left |= follow_changes(parts, &mut index, end);
    }
    if parts.leveller.is_some() {
        level(parts, have_moved, end);
    }
    if have_moved || have_left {
        parts.order_backlog();
    }
    parts.frames.now.scan += parts.clock.now().saturating_sub(start);
}

/// Whether there is nothing to apply in this frame yet.
fn has_spare_time<T: Send + Sync + 'static>(parts: &Parts<T>) -> bool {
    let depths = parts.scheduler.depths();
    depths.completed + depths.backlog == 0 && parts.unloading() == 0
}

/// Asks for what entered and gives up what left, until `end`. Returns whether anything left.
fn follow_changes<T: Send + Sync + 'static>(
    parts: &mut Parts<T>,
    index: &mut ResMut<ChunkIndex<T>>,
    end: Duration,
) -> bool {
    let mut have_left = false;
    while !parts.pending.is_empty() {
        have_left |= give_up(parts, index);
        ask(parts);
        if parts.clock.now() >= end {
            break;
        }
    }
    have_left
}

/// Gives up the next few chunks that left the wanted set.
fn give_up<T: Send + Sync + 'static>(
    parts: &mut Parts<T>,
    index: &mut ResMut<ChunkIndex<T>>,
) -> bool {
    let left = parts.pending.next_left();
    for coord in left {
        parts.latencies.left(*coord);
        parts.scheduler.cancel(*coord);
        parts.held.remove(coord);
        // Looked at before it is changed, so that `Changed` means what it says.
        if index.contains(*coord)
            && let Some(chunk) = index.remove(*coord)
        {
            trace!(?coord, "no longer wanted");
            parts.to_unload.push((*coord, chunk));
            parts.unloaded.push(ChunkUnloaded::new(*coord));
            if parts.before_unload.is_some() {
                parts.unsaved.insert(*coord);
            }
        }
    }
    if let Some(leveller) = &parts.leveller {
        leveller.levels.leave(left);
    }
    !left.is_empty()
}

/// Asks for the next few chunks that entered the wanted set, once all that left were given up.
fn ask<T: Send + Sync + 'static>(parts: &mut Parts<T>) {
    let since = parts.pending.since;
    let entered = parts.pending.next_entered();
    if entered.is_empty() {
        return;
    }
    parts.is_restarting = false;
    if let Some(leveller) = &parts.leveller {
        leveller.levels.enter(entered, &parts.rank);
    }
    for coord in entered {
        trace!(?coord, "wanted");
        if parts.unsaved.contains(coord) {
            // What it is generated from may be what is yet to be saved.
            parts.held.insert(*coord);
        } else {
            parts.scheduler.request(*coord);
        }
        parts.latencies.wanted(*coord, since);
    }
}

/// Asks anew for chunks whose level of detail has changed, until `end`.
fn level<T: Send + Sync + 'static>(parts: &mut Parts<T>, have_moved: bool, end: Duration) {
    let Some(leveller) = &mut parts.leveller else {
        return;
    };
    if have_moved {
        leveller.viewers_moved();
    }
    if leveller.is_settled() {
        return;
    }
    let _span = debug_span!("chunk_level").entered();
    let clock = &parts.clock;
    let now = clock.now();
    leveller.advance(
        parts.wanted.iter(),
        &parts.rank,
        || end.saturating_sub(clock.now()),
        |coord| {
            trace!(?coord, "another level of detail");
            if !parts.held.contains(&coord) {
                parts.scheduler.refresh(coord);
                parts.latencies.asked_anew(coord, now);
            }
        },
    );
}
