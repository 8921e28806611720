//! The overlay: a canvas on a sheet that only a camera of its own sees, after the world's.
//!
//! It is not made of `bevy_ui`, because that and what it stands on are 53 more crates to compile for a build with
//! `render`, a text shaper with its Unicode tables among them, and a map of chunks would still have to be drawn dot by
//! dot as a picture. The camera's own view is what keeps walls from cutting into the sheet.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

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
use bevy_render::render_resource::{Extent3d, TextureDimension, TextureFormat};
use bevy_time::{Real, Time};
use bevy_transform::components::Transform;
use bevy_window::{PrimaryWindow, Window};
use chunk_apply::{ChunkIndex, ChunkStream};

use super::Panics;
use super::controls::Asked;
use super::sketch::{Shown, sketch};
use crate::chart::{Canvas, Still, states};
use crate::city::CityChunk;
use crate::render::batches::BatchCount;

/// The sheet, and what is drawn on it.
#[derive(Resource, Debug)]
pub(super) struct Sheet {
    image: Handle<Image>,
    material: Handle<StandardMaterial>,
    canvas: Canvas,
}

/// Main-thread times of the last frames.
#[derive(Resource, Debug, Default)]
pub(super) struct FrameTimes {
    ms: VecDeque<f32>,
    since_drawn: f32,
}

/// How many frames the graph remembers.
const FRAMES: usize = 240;
/// Seconds between two drawings; the sheet is sent to the adapter each time.
const EVERY: f32 = 0.2;
/// What only the overlay's camera sees.
const LAYER: RenderLayers = RenderLayers::layer(1);

/// Makes the sheet and its camera. The first drawing gives it the size of the window.
pub(super) fn spawn(world: &mut World) {
    let canvas = Canvas::new(1, 1, [0; 4]);
    let image = world.resource_mut::<Assets<Image>>().add(picture(&canvas));
    let material = world
        .resource_mut::<Assets<StandardMaterial>>()
        .add(StandardMaterial {
            base_color_texture: Some(image.clone()),
            alpha_mode: AlphaMode::Blend,
            unlit: true,
            fog_enabled: false,
            ..StandardMaterial::default()
        });
    let mesh = world
        .resource_mut::<Assets<Mesh>>()
        .add(Rectangle::new(1.0, 1.0));
    world.spawn((
        Mesh3d(mesh),
        MeshMaterial3d(material.clone()),
        LAYER,
        (NotShadowCaster, NotShadowReceiver, NoFrustumCulling),
    ));
    let scaling_mode = ScalingMode::Fixed {
        width: 1.0,
        height: 1.0,
    };
    world.spawn((
        Camera3d::default(),
        Camera {
            order: 1,
            clear_color: ClearColorConfig::None,
            ..Camera::default()
        },
        Projection::Orthographic(OrthographicProjection {
            scaling_mode,
            ..OrthographicProjection::default_3d()
        }),
        Tonemapping::None,
        LAYER,
        Transform::from_xyz(0.0, 0.0, 1.0),
    ));
    world.init_resource::<FrameTimes>();
    world.insert_resource(Sheet {
        image,
        material,
        canvas,
    });
}

fn picture(canvas: &Canvas) -> Image {
    let side = |side: usize| u32::try_from(side).unwrap_or(1);
    Image::new(
        Extent3d {
            width: side(canvas.width()),
            height: side(canvas.height()),
            depth_or_array_layers: 1,
        },
        TextureDimension::D2,
        canvas.dots().to_vec(),
        TextureFormat::Rgba8UnormSrgb,
        RenderAssetUsages::default(),
    )
}

/// Notes what the last frame cost.
pub(super) fn note(
    time: Res<Time<Real>>,
    stream: Res<ChunkStream<CityChunk>>,
    mut times: ResMut<FrameTimes>,
) {
    if times.ms.len() == FRAMES {
        times.ms.pop_front();
    }
    let ms = stream.last_frame().main_thread().as_secs_f32() * 1e3;
    times.ms.push_back(ms);
    times.since_drawn += time.delta_secs();
}

/// Draws the overlay anew, five times a second and whenever the window has another size.
pub(super) fn draw(world: &mut World) {
    let mut windows = world.query_filtered::<&Window, With<PrimaryWindow>>();
    let Ok(window) = windows.single(world) else {
        return;
    };
    let size = sheet_size(window);
    world.resource_scope(|world, mut sheet: Mut<Sheet>| {
        let is_new = [sheet.canvas.width(), sheet.canvas.height()] != size;
        if !is_new && world.resource::<FrameTimes>().since_drawn < EVERY {
            return;
        }
        if is_new {
            sheet.canvas = Canvas::new(size[0], size[1], [0; 4]);
        }
        show(world, &mut sheet.canvas);
        let drawn = picture(&sheet.canvas);
        // Both handles are this module's own, and neither asset is ever removed.
        let _ = world
            .resource_mut::<Assets<Image>>()
            .insert(&sheet.image, drawn);
        // A material is bound to the texture that it was made with until it is written to; asking for it is not enough.
        let mut materials = world.resource_mut::<Assets<StandardMaterial>>();
        if let Some(mut material) = materials.get_mut(&sheet.material) {
            material.base_color_texture = Some(sheet.image.clone());
        }
        world.resource_mut::<FrameTimes>().since_drawn = 0.0;
    });
}

/// The window in dots, or in twice or three times as large ones where dots are small: letters stay readable.
fn sheet_size(window: &Window) -> [usize; 2] {
    let scale = window.scale_factor().round().max(1.0);
    [window.physical_width(), window.physical_height()]
        .map(|side| ((side as f32 / scale) as usize).max(1))
}

fn show(world: &World, canvas: &mut Canvas) {
    let stream = world.resource::<ChunkStream<CityChunk>>();
    let asked = world.resource::<Asked>();
    let still = Still {
        viewers: stream.viewers().iter().map(|viewer| viewer.coord).collect(),
        chunks: states::<CityChunk>(world),
        ..Still::default()
    };
    let diagnostics = world.get_resource::<DiagnosticsStore>();
    let frames_per_second = diagnostics
        .and_then(|all| all.get(&FrameTimeDiagnosticsPlugin::FPS)?.smoothed())
        .unwrap_or(0.0);
    let batches = world.get_resource::<BatchCount>();
    let shown = Shown {
        snapshot: stream.snapshot(world.resource::<ChunkIndex<CityChunk>>()),
        times: &world.resource::<FrameTimes>().ms,
        budget: stream.budget.time.map(|time| time.as_secs_f32() * 1e3),
        frames_per_second,
        batches: batches.map(BatchCount::last_frame).unwrap_or_default(),
        radius: asked.radius,
        is_paused: stream.is_paused(),
        panics: world.resource::<Panics>().0.load(Ordering::Relaxed),
        help: asked.help,
        still: &still,
        reach: (asked.reach() + 1).min(50),
    };
    sketch(canvas, &shown);
}

#[cfg(test)]
mod tests {
    use bevy_app::{App, Update};
    use bevy_asset::{AssetApp, AssetEvent};
    use bevy_ecs::message::Messages;

    use super::*;
    use crate::Settings;

    fn app(window: Window) -> (App, Entity) {
        let settings = Settings::default();
        let mut app = crate::harness::headless();
        app.init_asset::<Image>()
            .init_asset::<StandardMaterial>()
            .init_resource::<Time<Real>>();
        super::super::add_city_with_panics(&mut app, &settings).expect("the defaults make sense");
        app.insert_resource(Asked::new(&settings))
            .add_systems(Update, (note, draw).chain());
        spawn(app.world_mut());
        let window = app.world_mut().spawn((window, PrimaryWindow)).id();
        crate::harness::ready(&mut app);
        (app, window)
    }

    fn shown(app: &App) -> [u32; 2] {
        let image = &app.world().resource::<Sheet>().image;
        let images = app.world().resource::<Assets<Image>>();
        images
            .get(image)
            .map_or([0; 2], |image| image.size().to_array())
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
    }

    #[test]
    fn small_dots_are_put_together() {
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
