//! The system that hands requests to the workers.

use crate::streaming::{
    index::ChunkIndex,
    messages::ChunkFailed,
    stream::{ChunkStream, RootEvent},
};
use bevy_ecs::{
    change_detection::DetectChangesMut,
    system::{Res, ResMut},
};
use chunk_scheduler::Verdict;
use tracing::debug_span;

/// Hands over requests, and notes what failed.
pub(in crate::streaming) fn generate<T: Send + Sync + 'static>(
    mut stream: ResMut<ChunkStream<T>>,
    index: Res<ChunkIndex<T>>,
) {
    let state = &mut stream.bypass_change_detection().state;
    state.frames.resume();
    if state.is_paused {
        return;
    }
    let _span = debug_span!("chunk_generate").entered();
    let start = state.clock.now();
    state.scheduler.tick(start);
    let failures: Vec<_> = state.scheduler.failures().collect();
    for failure in failures {
        // A newer version may be on its way by now.
        let newest = state.scheduler.live_version(failure.key);
        let is_newest = newest.is_none_or(|newest| newest < failure.version);
        let has_given_up = failure.verdict == Verdict::GaveUp && is_newest;
        if has_given_up && state.wanted.contains(failure.key) {
            state.quarantine.insert(failure.key, failure.version);
        }
        let failed = ChunkFailed::new(
            failure.key,
            index.root(failure.key),
            failure.message,
            failure.attempts,
            failure.verdict == Verdict::Retry,
        );
        if has_given_up {
            state.saves.unblock(failure.key);
        }
        if has_given_up && failed.root.is_some() {
            let event = RootEvent::Failed(failed.clone());
            state.root_events.push_back(event);
        }
        state.failed.push(failed);
    }
    state.frames.now.generate += state.clock.now().saturating_sub(start);
}
