//! The system that notes that the app begins a frame.

use crate::streaming::stream::ChunkStream;
use bevy_ecs::{change_detection::DetectChangesMut, system::ResMut};

/// Begins a new frame of the stream's figures.
pub(in crate::streaming) fn begin_frame<T: Send + Sync + 'static>(
    mut stream: ResMut<ChunkStream<T>>,
) {
    stream.bypass_change_detection().state.frames.begin();
}
