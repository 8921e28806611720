//! The overlay's place on screen: a plane that only a camera of its own sees, drawn after the world.
//!
//! The overlay is not made of `bevy_ui`, because that needs some fifty more crates, and because the map of chunks
//! would still have to be drawn pixel by pixel. The plane has its own camera so that walls do not cut into it.

use std::collections::VecDeque;

use bevy_asset::{Assets, Handle, RenderAssetUsages};
use bevy_camera::visibility::{NoFrustumCulling, RenderLayers};
use bevy_camera::{
    Camera, Camera3d, ClearColorConfig, OrthographicProjection, Projection, ScalingMode,
};
use bevy_core_pipeline::tonemapping::Tonemapping;
use bevy_diagnostic::{DiagnosticsStore, FrameTimeDiagnosticsPlugin};
use bevy_ecs::prelude::*;
use bevy_image::Image;
use bevy_light::{NotShadowCaster, NotShadowReceiver};
use bevy_material::AlphaMode;
use bevy_math::primitives::Rectangle;
use bevy_mesh::{Mesh, Mesh3d};
use bevy_pbr::{MeshMaterial3d, StandardMaterial};
use bevy_time::{Real, Time};
use bevy_transform::components::Transform;
use bevy_window::{PrimaryWindow, Window};
use chunk_apply::{ChunkIndex, ChunkStream, FrameMeter};
use image::RgbaImage;

use super::controls::Asked;
use super::overlay::{Shown, draw_overlay};
use super::panics::Panics;
use crate::chart::{MapSnapshot, states};
use crate::render::batches::BatchCount;

/// The plane, and what it shows over time.
#[derive(Resource, Debug)]
pub(super) struct OverlayPlane {
    material: Handle<StandardMaterial>,
    /// The size of the last drawing, in pixels.
    size: [u32; 2],
    /// Seconds since the last drawing.
    since_drawn: f32,
    /// Main-thread times of the stream in the last frames, in milliseconds, the latest last.
    times: VecDeque<f32>,
}

/// How many frames the graph shows at most.
const FRAMES: usize = 240;
/// Seconds between two drawings, each of which is sent to the adapter.
const EVERY: f32 = 0.2;
/// What only the overlay's camera sees.
const LAYER: RenderLayers = RenderLayers::layer(1);

/// Makes the plane and its camera. The first drawing comes with the first frame.
pub(super) fn spawn(world: &mut World) {
    let mut materials = world.resource_mut::<Assets<StandardMaterial>>();
    let material = materials.add(StandardMaterial {
        alpha_mode: AlphaMode::Blend,
        unlit: true,
        fog_enabled: false,
        ..StandardMaterial::default()
    });
    let mut meshes = world.resource_mut::<Assets<Mesh>>();
    let mesh = meshes.add(Rectangle::new(1.0, 1.0));
    world.spawn((
        Mesh3d(mesh),
        MeshMaterial3d(material.clone()),
        LAYER,
        (NotShadowCaster, NotShadowReceiver, NoFrustumCulling),
    ));
    world.spawn((
        Camera3d::default(),
        Camera {
            order: 1,
            clear_color: ClearColorConfig::None,
            ..Camera::default()
        },
        Projection::Orthographic(OrthographicProjection {
            scaling_mode: ScalingMode::Fixed {
                width: 1.0,
                height: 1.0,
            },
            ..OrthographicProjection::default_3d()
        }),
        Tonemapping::None,
        LAYER,
        Transform::from_xyz(0.0, 0.0, 1.0),
    ));
    world.insert_resource(OverlayPlane {
        material,
        size: [0; 2],
        since_drawn: 0.0,
        times: VecDeque::new(),
    });
}

/// Records the frame, and draws the overlay anew five times a second and whenever the window has another size.
pub(super) fn draw<T: Send + Sync + 'static>(world: &mut World) {
    let mut windows = world.query_filtered::<&Window, With<PrimaryWindow>>();
    let Ok(size) = windows.single(world).map(overlay_size) else {
        return;
    };
    world.resource_scope(|world, mut plane: Mut<OverlayPlane>| {
        let frame = world.resource::<ChunkStream<T>>().last_frame();
        plane
            .times
            .push_back(frame.main_thread().as_secs_f32() * 1e3);
        if plane.times.len() > FRAMES {
            plane.times.pop_front();
        }
        plane.since_drawn += world.resource::<Time<Real>>().delta_secs();
        if plane.size == size && plane.since_drawn < EVERY {
            return;
        }
        (plane.size, plane.since_drawn) = (size, 0.0);
        let overlay = overlay::<T>(world, &plane).into();
        let overlay = Image::from_dynamic(overlay, true, RenderAssetUsages::RENDER_WORLD);
        let overlay = world.resource_mut::<Assets<Image>>().add(overlay);
        let mut materials = world.resource_mut::<Assets<StandardMaterial>>();
        if let Some(mut material) = materials.get_mut(&plane.material) {
            material.base_color_texture = Some(overlay);
        }
    });
}

/// The window's size in pixels. Where pixels are so small that two or three make one of usual size, the overlay has
/// fewer and larger ones, which keeps its text readable.
fn overlay_size(window: &Window) -> [u32; 2] {
    let scale = window.scale_factor().round().max(1.0);
    [window.physical_width(), window.physical_height()]
        .map(|side| ((side as f32 / scale) as u32).max(1))
}

fn overlay<T: Send + Sync + 'static>(world: &World, plane: &OverlayPlane) -> RgbaImage {
    let stream = world.resource::<ChunkStream<T>>();
    let diagnostics = world.get_resource::<DiagnosticsStore>();
    let batches = world.get_resource::<BatchCount>();
    let whole = world
        .get_resource::<FrameMeter>()
        .and_then(FrameMeter::latest);
    let shown = Shown {
        stream: stream.snapshot(world.resource::<ChunkIndex<T>>()),
        times: &plane.times,
        budget: stream.budget.time.map(|time| time.as_secs_f32() * 1e3),
        frames_per_second: diagnostics
            .and_then(|all| all.get(&FrameTimeDiagnosticsPlugin::FPS)?.smoothed())
            .unwrap_or(0.0),
        whole: whole.unwrap_or_default().busy().as_secs_f64() * 1e3,
        batches: batches.map(BatchCount::last_frame).unwrap_or_default(),
        is_paused: stream.is_paused(),
        panics: world.resource::<Panics>().are_on(),
        asked: *world.resource::<Asked>(),
        chunks: &MapSnapshot {
            viewers: stream.viewers().iter().map(|viewer| viewer.coord).collect(),
            chunks: states::<T>(world),
            ..MapSnapshot::default()
        },
    };
    draw_overlay(plane.size, &shown)
}

#[cfg(test)]
mod tests {
    use bevy_app::{App, Update};
    use bevy_asset::{AssetApp, AssetEvent};
    use bevy_ecs::message::Messages;

    use super::super::panics::add_city_with_panics;
    use super::*;
    use crate::Settings;

    fn app(window: Window) -> (App, Entity) {
        let settings = Settings::default();
        let mut app = crate::harness::headless();
        app.init_asset::<Image>()
            .init_asset::<StandardMaterial>()
            .init_resource::<Time<Real>>();
        add_city_with_panics(&mut app, &settings).expect("the defaults make sense");
        app.insert_resource(Asked::new(&settings))
            .add_systems(Update, draw::<crate::city::CityChunk>);
        spawn(app.world_mut());
        let window = app.world_mut().spawn((window, PrimaryWindow)).id();
        crate::harness::ready(&mut app);
        (app, window)
    }

    /// The size of the texture on the plane.
    fn shown(app: &App) -> [u32; 2] {
        let plane = app.world().resource::<OverlayPlane>();
        let materials = app.world().resource::<Assets<StandardMaterial>>();
        let material = materials.get(&plane.material).expect("it is never removed");
        let texture = material.base_color_texture.as_ref().expect("it was drawn");
        let images = app.world().resource::<Assets<Image>>();
        images.get(texture).expect("it is in use").size().to_array()
    }

    fn rebinds(app: &mut App) -> usize {
        let mut messages = app
            .world_mut()
            .resource_mut::<Messages<AssetEvent<StandardMaterial>>>();
        let events = messages.drain();
        events
            .filter(|event| matches!(event, AssetEvent::Modified { .. }))
            .count()
    }

    #[test]
    fn a_window_of_another_size_gets_another_picture_and_the_material_is_bound_to_it() {
        let (mut app, window) = app(Window {
            resolution: [640, 480].into(),
            ..Window::default()
        });
        app.update();
        assert_eq!(shown(&app), [640, 480]);
        app.update();
        rebinds(&mut app);

        let mut resized = app.world_mut().entity_mut(window);
        let mut resized = resized.get_mut::<Window>().expect("it is a window");
        resized.resolution.set_physical_resolution(900, 500);
        app.update();
        assert_eq!(shown(&app), [900, 500]);
        assert_eq!(rebinds(&mut app), 1);
        app.update();
        let images = app.world().resource::<Assets<Image>>();
        assert_eq!(images.len(), 1, "the old picture is freed");
    }

    #[test]
    fn small_pixels_are_put_together() {
        let mut window = Window {
            resolution: [1280, 720].into(),
            ..Window::default()
        };
        window.resolution.set_scale_factor(2.0);
        let [width, height] = [window.physical_width(), window.physical_height()];
        let (mut app, _) = app(window);
        app.update();
        assert_eq!(shown(&app), [width / 2, height / 2]);
    }
}
