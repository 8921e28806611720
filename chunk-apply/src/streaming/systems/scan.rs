//! The system that finds out what became wanted.

use crate::streaming::{
    index::{ChunkIndex, RootOf},
    order::OrderTracker,
    stream::{ChunkStream, StreamState, renew},
    viewer::{ChunkViewer, LiveViewers},
    world_origin::WorldOrigin,
};
use bevy_ecs::{
    change_detection::DetectChangesMut,
    query::QueryFilter,
    system::{Query, ResMut},
};
use bevy_math::Vec3;
use chunk_coord::{ChunkCoord, ScanBudget, WantedSet};
use chunk_scheduler::Lane;
use core::time::Duration;
use smallvec::SmallVec;
use tracing::{debug_span, trace};

/// Chunks requested again between two readings of the clock.
const BATCH: usize = 8;

/// Finds out which chunks became wanted and requests them; gives up those that are no longer wanted.
pub(in crate::streaming) fn scan<T: Send + Sync + 'static, F: QueryFilter + 'static>(
    mut stream: ResMut<ChunkStream<T>>,
    mut index: ResMut<ChunkIndex<T>>,
    viewers: LiveViewers<F>,
    roots: Query<&RootOf<T>>,
) {
    // Each access through `ResMut` would borrow all fields.
    let stream = stream.bypass_change_detection();
    let stream_range = stream.range_of(&ChunkViewer::default());
    let state = &mut stream.state;
    state.frames.resume();
    if state.is_paused {
        return;
    }
    let _span = debug_span!("chunk_scan").entered();
    let start = state.clock.now();
    let limit = (stream.scan_budget).saturating_sub(state.frames.now.scan);
    let is_unloading = state.held.unloading + state.departing().chunks > 0;
    // In a frame in which nothing waits to be applied, requests may take more of the time.
    let spare = if !state.is_busy() && !is_unloading {
        let budget = state.frames.budget(&stream.budget);
        budget.time.map_or(Duration::MAX, |time| time / 2)
    } else {
        Duration::ZERO
    };
    let end = start.saturating_add(limit.max(spare.saturating_sub(state.frames.now.scan)));
    let is_new_grid = core::mem::take(&mut state.must_restart);
    if is_new_grid {
        state.is_restarting = true;
        state.must_update = true;
        state.latencies.restart();
        state.saves.change_grid();
        state.departures.outdate_all();
        state.to_hide.mark_former();
        let wanted = core::mem::replace(&mut state.wanted, WantedSet::new());
        state.pending_changes.withdraw(wanted.iter());
    }
    state.ceiling.set_limit(stream.max_loaded_bytes);
    state.viewers.begin();
    if is_new_grid {
        state.viewers.forget_vanished();
    }
    state.viewer_filter.note::<F>();
    for viewer in viewers.iter() {
        let range = viewer.range.unwrap_or(stream_range);
        (state.viewers).see(viewer.entity, viewer.place, range, &state.world_origin);
    }
    state.viewers.end(start, stream.linger);
    let has_new_order = state.order.follows_viewers() && {
        if is_new_grid {
            state.order.restart();
        }
        follow_viewers(&mut state.order, &viewers, &state.world_origin, start);
        state.order.end(state.viewers.as_slice())
    };
    state.scanned_range = Some(stream_range);
    state.totals.invalid_positions = state.viewers.invalid_positions();
    state.totals.invalid_ranges = state.viewers.invalid_ranges();
    let have_moved = state.viewers.have_changed();
    if have_moved {
        state.rank = state.rank.following(state.viewers.coords());
    }
    if have_moved || has_new_order {
        state.rank = state.order.order(state.rank.clone());
        state.scheduler.publish(state.rank.clone());
        state.must_update |= have_moved || state.prefetch.is_on();
    }
    if have_moved && state.prefetch.is_on() {
        state.want_reached(|coord| index.contains(coord));
    }
    if let Some(lod) = &mut state.lod
        && (have_moved || is_new_grid)
    {
        lod.viewers_moved(&state.rank, state.world_origin.grid.plane());
    }
    let had_pending = !state.pending_changes.is_empty();
    let mut have_left = follow_changes(state, &mut index, &roots, end);
    let is_outdated = state.must_update || !state.wanted.is_settled();
    let has_time = !had_pending || state.clock.now() < end;
    if is_outdated && has_time && state.pending_changes.is_empty() {
        state.must_update = false;
        // Requesting a chunk costs more than finding it.
        let mut now = || state.clock.now();
        let mut budget = ScanBudget::with_clock(limit / 3, &mut now);
        state.outdated.clear();
        let changes = state.pending_changes.refill(start);
        let viewers = (state.prefetch).viewers(state.viewers.as_slice(), &state.order);
        (state.wanted).update(viewers, &mut budget, changes);
        have_left |= follow_changes(state, &mut index, &roots, end);
    }
    if state.pending_changes.is_empty() {
        retry(state, end);
    }
    if state.lod.is_some() {
        level(state, &index, end);
    }
    if have_moved {
        state.ceiling.note_change();
    }
    state.make_room(&mut index, |root| roots.contains(root), end);
    if have_moved {
        let rank = &state.rank;
        state.saves.rerank(|coord| rank.distance_sq(coord));
    }
    if have_moved || has_new_order || have_left {
        state.rerank_backlog();
    }
    state.frames.now.scan += state.clock.now().saturating_sub(start);
}

/// Notes of the viewers what the order needs to know.
fn follow_viewers<F: QueryFilter + 'static>(
    order: &mut OrderTracker,
    viewers: &LiveViewers<F>,
    origin: &WorldOrigin,
    now: Duration,
) {
    for viewer in viewers.iter() {
        let Some(at) = viewer.place.in_chunks(origin) else {
            continue;
        };
        let forward = if order.needs_forward() {
            origin.direction(viewers.forward(viewer.entity))
        } else {
            Vec3::ZERO
        };
        order.see(viewer.entity.to_bits(), at, forward, now);
    }
}

/// Gives up chunks that left and requests chunks that entered, until `end`. Returns whether any left.
fn follow_changes<T: Send + Sync + 'static>(
    state: &mut StreamState<T>,
    index: &mut ResMut<ChunkIndex<T>>,
    roots: &Query<&RootOf<T>>,
    end: Duration,
) -> bool {
    let mut have_left = false;
    while !state.pending_changes.is_empty() {
        let has_left = state.give_up_next(index, true);
        have_left |= has_left;
        let has_entered = request(state, index, roots);
        if !(has_left || has_entered) || state.clock.now() >= end {
            break;
        }
    }
    have_left
}

/// Requests the next few chunks that entered the wanted set, once all that left were given up, and those of a former grid
/// are saved, and takes those back that are still whole. Returns whether there were any.
fn request<T: Send + Sync + 'static>(
    state: &mut StreamState<T>,
    index: &mut ResMut<ChunkIndex<T>>,
    roots: &Query<&RootOf<T>>,
) -> bool {
    if state.saves.has_former() {
        return false;
    }
    let since = state.pending_changes.since;
    let entered: SmallVec<[ChunkCoord; BATCH]> = state.pending_changes.next_entered().into();
    if entered.is_empty() {
        return false;
    }
    state.is_restarting = false;
    if let Some(lod) = &mut state.lod {
        lod.enter(&entered);
    }
    for coord in entered {
        trace!(?coord, "wanted");
        state.prefetch.enter(coord, state.viewers.as_slice());
        // One that was held back and then was not may be loaded by now.
        if !state.ceiling.holds_back(coord) && !index.contains(coord) {
            state.load(coord, index, |root| roots.contains(root), since);
        }
    }
    state.ceiling.note_change();
    true
}

/// Requests chunks again that were given up and asked for again, until `end`.
fn retry<T: Send + Sync + 'static>(state: &mut StreamState<T>, end: Duration) {
    while !state.quarantine.is_settled() {
        for _ in 0..BATCH {
            let Some((coord, given_up)) = state.quarantine.next_retry() else {
                break;
            };
            trace!(?coord, "asked for again");
            // A version older than the one that was given up may be on its way, which does not serve this request.
            let newest = state.scheduler.live_version(coord);
            if newest.is_none_or(|newest| given_up.is_some_and(|given_up| newest <= given_up)) {
                state.renew(coord, Lane::Normal);
            }
        }
        if state.clock.now() >= end {
            break;
        }
    }
}

/// Requests chunks anew whose level of detail has changed, or that of a neighbour which they depend on, until `end`.
fn level<T: Send + Sync + 'static>(
    state: &mut StreamState<T>,
    index: &ChunkIndex<T>,
    end: Duration,
) {
    let Some(lod) = &mut state.lod else {
        return;
    };
    if lod.is_settled() {
        return;
    }
    let _span = debug_span!("chunk_level").entered();
    let clock = &state.clock;
    let now = clock.now();
    lod.advance(
        state.wanted.iter(),
        || end.saturating_sub(clock.now()),
        |coord| {
            trace!(?coord, "another level of detail");
            if state.ceiling.renew(coord) {
                return;
            }
            // A chunk whose root a user despawned stays gone, or is made again by the policy for that, unless a version
            // of it is on its way.
            let is_despawned = state.quarantine.is_despawned(coord) || index.is_orphaned(coord);
            if is_despawned && state.scheduler.live_version(coord).is_none() {
                return;
            }
            renew(
                &mut state.saves,
                &mut state.scheduler,
                &mut state.latencies,
                &state.rank,
                coord,
                Lane::Normal,
                now,
            );
        },
    );
}
