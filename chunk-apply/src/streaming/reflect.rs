//! Makes the stream's plain types known to inspectors and scenes.
//!
//! `ChunkStream` and `ChunkIndex` are of the user's content type, which need not reflect.

use super::{
    index::ChunkRoot,
    stats::{StreamingFrame, StreamingTotals},
    viewer::{ChunkViewer, ChunkViewerAt},
};
use crate::budget::{ApplyBudget, ApplyReport, FrameTarget};
use bevy_app::App;

pub(super) fn register(app: &mut App) {
    app.register_type::<ChunkViewer>()
        .register_type::<ChunkViewerAt>()
        .register_type::<ChunkRoot>()
        .register_type::<ApplyBudget>()
        .register_type::<ApplyReport>()
        .register_type::<FrameTarget>()
        .register_type::<StreamingFrame>()
        .register_type::<StreamingTotals>();
}
