//! How many draw calls a picture takes.

use bevy_app::App;
use bevy_core_pipeline::core_3d::Opaque3d;
use bevy_render::RenderApp;
use bevy_render::render_phase::ViewBinnedRenderPhases;

/// What was handed to the renderer for everything opaque in the last frame, over all cameras.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DrawCalls {
    /// Draws that take any number of instances of one mesh and one material, or of several at once where the adapter
    /// can. A city is a few of them, however many houses it has.
    pub batched: usize,
    /// Kinds of things that are drawn one by one. None of the city's is.
    pub single: usize,
}

impl DrawCalls {
    /// Looks at what the last frame of an app drew. Nothing without a renderer.
    #[must_use]
    pub fn of(app: &App) -> Self {
        let Some(phases) = app.get_sub_app(RenderApp).and_then(|app| {
            app.world()
                .get_resource::<ViewBinnedRenderPhases<Opaque3d>>()
        }) else {
            return Self::default();
        };
        phases.values().fold(Self::default(), |sum, phase| Self {
            batched: sum.batched + phase.multidrawable_meshes.len() + phase.batchable_meshes.len(),
            single: sum.single + phase.unbatchable_meshes.len(),
        })
    }
}
