//! The system that notes that the app begins a frame.

use crate::streaming::{frame_meter::FrameMeter, stream::ChunkStream};
use bevy_ecs::{
    change_detection::DetectChangesMut,
    system::{Res, ResMut},
};

/// Begins a new frame of the stream's figures, and decides how much of it the stream may take.
pub(in crate::streaming) fn begin_frame<T: Send + Sync + 'static>(
    mut stream: ResMut<ChunkStream<T>>,
    meter: Option<Res<FrameMeter>>,
) {
    let stream = stream.bypass_change_detection();
    let latest = meter.and_then(|meter| meter.latest());
    stream.state.frames.begin(latest, &stream.budget);
}
