//! Counts the batches that the renderer gets.

use std::sync::{Arc, Mutex, PoisonError};

use bevy_app::{App, Plugin};
use bevy_core_pipeline::core_3d::Opaque3d;
use bevy_ecs::prelude::*;
use bevy_pbr::Shadow;
use bevy_render::render_phase::{BinnedPhaseItem, ViewBinnedRenderPhases};
use bevy_render::{Render, RenderApp, RenderSystems};

/// The batches of the last frame, over all cameras and lights.
///
/// A batch is a set of meshes that the adapter draws with one call: a multi-draw call with an instanced draw for each
/// mesh, or, where the adapter has no multi-draw calls, one instanced draw of a mesh with a material. A city is a few
/// batches, however many houses it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Batches {
    /// Batches of opaque meshes, for all cameras.
    pub opaque: usize,
    /// Batches of meshes that cast shadows, for each cascade of the shadow map.
    pub shadows: usize,
    /// Kinds of meshes that are drawn one by one, for cameras or for shadows. The city has none.
    pub single: usize,
}

/// Counts [`Batches`]. Without a renderer there are none.
#[derive(Clone, Copy, Debug)]
pub(super) struct BatchesPlugin;

/// The render world writes it and the main world reads it. The two may be a frame apart.
#[derive(Resource, Clone, Debug, Default)]
pub(super) struct BatchCount(Arc<Mutex<Batches>>);

impl BatchCount {
    pub(super) fn last_frame(&self) -> Batches {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plugin for BatchesPlugin {
    fn build(&self, app: &mut App) {
        let shared = BatchCount::default();
        app.insert_resource(shared.clone());
        if let Some(renderer) = app.get_sub_app_mut(RenderApp) {
            renderer
                .insert_resource(shared)
                .add_systems(Render, count.in_set(RenderSystems::Cleanup));
        }
    }
}

fn count(
    opaque: Option<Res<ViewBinnedRenderPhases<Opaque3d>>>,
    shadows: Option<Res<ViewBinnedRenderPhases<Shadow>>>,
    shared: Res<BatchCount>,
) {
    let opaque = opaque.map_or([0; 2], |phases| sums(&phases));
    let shadows = shadows.map_or([0; 2], |phases| sums(&phases));
    *shared.0.lock().unwrap_or_else(PoisonError::into_inner) = Batches {
        opaque: opaque[0],
        shadows: shadows[0],
        single: opaque[1] + shadows[1],
    };
}

/// The batches, and the kinds of meshes that are drawn one by one.
fn sums<P: BinnedPhaseItem>(phases: &ViewBinnedRenderPhases<P>) -> [usize; 2] {
    phases.values().fold([0; 2], |[batches, single], phase| {
        [
            batches + phase.multidrawable_meshes.len() + phase.batchable_meshes.len(),
            single + phase.unbatchable_meshes.len(),
        ]
    })
}
