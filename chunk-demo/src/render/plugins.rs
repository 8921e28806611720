//! Bevy's plugins for an app that draws.

use bevy_app::App;
use bevy_asset::AssetPlugin;
use bevy_camera::CameraPlugin;
use bevy_core_pipeline::CorePipelinePlugin;
use bevy_diagnostic::FrameCountPlugin;
use bevy_image::ImagePlugin;
use bevy_light::LightPlugin;
use bevy_mesh::MeshPlugin;
use bevy_pbr::PbrPlugin;
use bevy_render::RenderPlugin;
use bevy_time::TimePlugin;
use bevy_transform::TransformPlugin;
use bevy_window::{ExitCondition, Window, WindowPlugin};

use super::batches::BatchesPlugin;
use crate::harness::task_pools;

/// Adds what comes before the renderer: time, transforms, assets, and the window if there is one.
pub(super) fn add_basics(app: &mut App, window: Option<Window>) {
    let exit_condition = match window {
        Some(_) => ExitCondition::OnPrimaryClosed,
        None => ExitCondition::DontExit,
    };
    app.add_plugins((
        task_pools(),
        FrameCountPlugin,
        TimePlugin,
        TransformPlugin,
        WindowPlugin {
            primary_window: window,
            exit_condition,
            ..WindowPlugin::default()
        },
        AssetPlugin::default(),
    ));
}

/// The renderer of this machine. With `waits_for_shaders` the first frames are late and complete, as pictures need it:
/// without, what has a shader that is still being compiled is left out.
pub(super) fn renderer(waits_for_shaders: bool) -> RenderPlugin {
    RenderPlugin {
        synchronous_pipeline_compilation: waits_for_shaders,
        ..RenderPlugin::default()
    }
}

/// Adds the renderer and what it draws with.
pub(super) fn add_renderer(app: &mut App, renderer: RenderPlugin) {
    app.add_plugins((
        renderer,
        ImagePlugin::default_nearest(),
        MeshPlugin,
        CameraPlugin,
        LightPlugin,
        CorePipelinePlugin,
        PbrPlugin::default(),
        BatchesPlugin,
    ));
}
