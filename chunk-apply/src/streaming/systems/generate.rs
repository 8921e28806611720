//! The system that hands requests to the workers.

use crate::streaming::{
    index::ChunkIndex,
    messages::ChunkFailed,
    stream::{ChunkStream, RootEvent, StreamState},
};
use bevy_ecs::{
    change_detection::DetectChangesMut,
    system::{Res, ResMut},
};
use chunk_scheduler::Verdict;
use core::time::Duration;
use tracing::debug_span;

/// Hands over requests, and notes what failed.
pub(in crate::streaming) fn generate<T: Send + Sync + 'static>(
    mut stream: ResMut<ChunkStream<T>>,
    index: Res<ChunkIndex<T>>,
) {
    let stream = stream.bypass_change_detection();
    let is_limited = stream.budget.time.is_some();
    let state = &mut stream.state;
    state.frames.resume();
    if state.is_paused {
        return;
    }
    let _span = debug_span!("chunk_generate").entered();
    let start = state.clock.now();
    // What the frame does with results is done before workers that it wakes may take its core. A frame without a limit lasts
    // too long for them to wait.
    state.scheduler.hold_workers(false);
    state.scheduler.hold_workers(is_limited);
    tick(state, start);
    let failures: Vec<_> = state.scheduler.failures().collect();
    for failure in failures {
        // A newer version may be on its way by now.
        let newest = state.scheduler.live_version(failure.key);
        let is_newest = newest.is_none_or(|newest| newest < failure.version);
        let has_given_up = failure.verdict == Verdict::GaveUp && is_newest;
        if has_given_up {
            state.swaps.fail(failure.key, failure.version);
        }
        if has_given_up && state.wanted.contains(failure.key) {
            state.quarantine.insert(failure.key, failure.version);
            state.ceiling.forget(failure.key);
        }
        let verdict = match failure.verdict {
            Verdict::GaveUp if !is_newest => Verdict::Unwanted,
            verdict => verdict,
        };
        let failed = ChunkFailed::new(
            failure.key,
            index.root(failure.key),
            failure.message,
            failure.attempts,
            verdict,
        );
        if has_given_up && failed.root.is_some() {
            let event = RootEvent::Failed(failed.clone());
            state.root_events.push_back(event);
        }
        state.failed.push(failed);
    }
    state.frames.now.generate += state.clock.now().saturating_sub(start);
}

/// What generating inline may take of its budget in a frame in which chunks wait to be applied, one part of so many: the
/// rest is for applying. The chunk that is nearest now is still generated soon.
const SHARE_OF_A_BUSY_FRAME: u32 = 4;

/// Where no other thread runs jobs, this runs them: one step in each frame at least, however often its schedule runs.
fn tick<T: Send + Sync + 'static>(state: &mut StreamState<T>, start: Duration) {
    let Some(budget) = state.scheduler.inline_budget() else {
        return state.scheduler.tick(start);
    };
    let share = if state.is_busy() {
        budget / SHARE_OF_A_BUSY_FRAME
    } else {
        budget
    };
    let before = state.frames.now.generate;
    let end = start.saturating_add(share.saturating_sub(before));
    let mut owes_a_step = before.is_zero();
    let clock = &state.clock;
    let may_step = || core::mem::take(&mut owes_a_step) || clock.now() < end;
    state.scheduler.tick_while(start, may_step);
}
