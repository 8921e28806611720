//! The systems that measure how long the app's frames take, for a limit on jobs in flight that adapts.

use crate::streaming::stream::ChunkStream;
use bevy_ecs::{
    change_detection::DetectChangesMut,
    system::{Res, ResMut},
};
use chunk_scheduler::Concurrency;

/// Whether there is a stream with such a limit.
pub(in crate::streaming) fn adapts<T: Send + Sync + 'static>(
    stream: Option<Res<ChunkStream<T>>>,
) -> bool {
    let scheduler = stream.as_ref().map(|stream| stream.scheduler());
    scheduler
        .is_some_and(|scheduler| matches!(scheduler.config().concurrency, Concurrency::Adaptive(_)))
}

/// The first of a frame.
pub(in crate::streaming) fn frame_begins<T: Send + Sync + 'static>(
    mut stream: ResMut<ChunkStream<T>>,
) {
    let state = &mut stream.bypass_change_detection().state;
    state.frame_began = Some(state.clock.now());
}

/// The last of a frame. The time until the next one is not the frame's.
pub(in crate::streaming) fn frame_ends<T: Send + Sync + 'static>(
    mut stream: ResMut<ChunkStream<T>>,
) {
    let state = &mut stream.bypass_change_detection().state;
    if let Some(began) = state.frame_began.take() {
        let took = state.clock.now().saturating_sub(began);
        state.scheduler.frame_took(took);
    }
}
