//! The system that hands over requests.

use super::{messages::ChunkFailed, stream::ChunkStream};
use bevy_ecs::{change_detection::DetectChangesMut, system::ResMut};
use tracing::debug_span;

/// Hands over requests, and notes what failed.
pub(super) fn generate<T: Send + Sync + 'static>(mut stream: ResMut<ChunkStream<T>>) {
    let parts = &mut stream.bypass_change_detection().parts;
    parts.frames.go_on();
    if parts.is_paused {
        return;
    }
    let _span = debug_span!("chunk_generate").entered();
    let start = parts.clock.now();
    parts.scheduler.tick(start);
    for failure in parts.scheduler.failures() {
        parts.failed.push(ChunkFailed::new(
            failure.key,
            failure.message,
            failure.attempts,
            failure.will_retry,
        ));
    }
    parts.frames.now.generate += parts.clock.now().saturating_sub(start);
}
