//! The overlay: a canvas on a sheet in front of the camera.

use std::sync::atomic::Ordering;

use bevy_asset::{Assets, Handle, RenderAssetUsages};
use bevy_camera::visibility::NoFrustumCulling;
use bevy_camera::{Camera3d, Projection};
use bevy_ecs::prelude::*;
use bevy_image::Image;
use bevy_light::{NotShadowCaster, NotShadowReceiver};
use bevy_material::AlphaMode;
use bevy_math::{Vec3, primitives::Rectangle};
use bevy_mesh::{Mesh, Mesh3d};
use bevy_pbr::{MeshMaterial3d, StandardMaterial};
use bevy_render::render_resource::{Extent3d, TextureDimension, TextureFormat};
use bevy_time::{Real, Time};
use bevy_transform::components::Transform;
use bevy_window::{PrimaryWindow, Window};
use chunk_apply::{ChunkIndex, Streaming};

use super::controls::Asked;
use super::sketch::{Shown, sketch};
use super::{Panics, fly::Pilot};
use crate::chart::{Canvas, Still, states};
use crate::city::CityChunk;

/// The sheet, and what is drawn on it.
#[derive(Component, Debug)]
pub(super) struct Sheet {
    image: Handle<Image>,
    material: Handle<StandardMaterial>,
    canvas: Canvas,
}

/// Main-thread times of the last frames.
#[derive(Resource, Debug, Default)]
pub(super) struct FrameTimes {
    ms: Vec<f32>,
    frames_per_second: f32,
    since_drawn: f32,
}

/// How many frames the graph remembers.
const FRAMES: usize = 240;
/// Seconds between two drawings; the sheet is sent to the adapter each time.
const EVERY: f32 = 0.2;
/// Just behind the nearest that the camera sees, in metres.
const DISTANCE: f32 = 0.6;

/// Makes the sheet, of the size of a window that nobody has changed yet.
pub(super) fn spawn(world: &mut World) {
    let canvas = Canvas::new(1280, 720, [0; 4]);
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
        Sheet {
            image,
            material,
            canvas,
        },
        (NotShadowCaster, NotShadowReceiver, NoFrustumCulling),
    ));
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
    stream: Res<Streaming<CityChunk>>,
    mut times: ResMut<FrameTimes>,
) {
    let ms = stream.last_frame().main_thread().as_secs_f32() * 1e3;
    if times.ms.len() == FRAMES {
        times.ms.remove(0);
    }
    times.ms.push(ms);
    let seconds = time.delta_secs().max(1e-4);
    times.frames_per_second += 0.1 * (1.0 / seconds - times.frames_per_second);
    times.since_drawn += seconds;
}

/// Draws the overlay anew, five times a second.
pub(super) fn draw(world: &mut World) {
    if world.resource::<FrameTimes>().since_drawn < EVERY {
        return;
    }
    let mut windows = world.query_filtered::<&Window, With<PrimaryWindow>>();
    let Ok(window) = windows.single(world) else {
        return;
    };
    let size = [window.physical_width(), window.physical_height()].map(|side| side as usize);
    let still = Still {
        viewers: {
            let stream = world.resource::<Streaming<CityChunk>>();
            stream.viewers().iter().map(|viewer| viewer.coord).collect()
        },
        chunks: states::<CityChunk>(world),
        ..Still::default()
    };
    let mut sheets = world.query::<&mut Sheet>();
    let Some(mut sheet) = sheets.iter_mut(world).next() else {
        return;
    };
    let mut canvas = core::mem::replace(&mut sheet.canvas, Canvas::new(0, 0, [0; 4]));
    let (image, material) = (sheet.image.clone(), sheet.material.clone());
    if [canvas.width(), canvas.height()] != size {
        canvas = Canvas::new(size[0].max(1), size[1].max(1), [0; 4]);
    }
    show(world, &mut canvas, &still);
    let drawn = picture(&canvas);
    // Both handles are this module's own, and neither asset is ever removed.
    let _ = world.resource_mut::<Assets<Image>>().insert(&image, drawn);
    // A material keeps the texture that it was made with until it changes.
    let _ = world
        .resource_mut::<Assets<StandardMaterial>>()
        .get_mut(&material);
    if let Some(mut sheet) = sheets.iter_mut(world).next() {
        sheet.canvas = canvas;
    }
    world.resource_mut::<FrameTimes>().since_drawn = 0.0;
}

fn show(world: &World, canvas: &mut Canvas, still: &Still) {
    let stream = world.resource::<Streaming<CityChunk>>();
    let times = world.resource::<FrameTimes>();
    let asked = world.resource::<Asked>();
    let farthest = still.viewers.first().map_or(0, |centre| {
        let away = |coord: chunk_coord::ChunkCoord| coord.x.abs_diff(centre.x);
        let applied = stream.wanted().iter().map(away);
        applied.max().unwrap_or(0)
    });
    let shown = Shown {
        snapshot: stream.snapshot(world.resource::<ChunkIndex<CityChunk>>()),
        times: &times.ms,
        budget: stream.budget.time.map(|time| time.as_secs_f32() * 1e3),
        frames_per_second: times.frames_per_second,
        is_paused: stream.is_paused(),
        panics: world.resource::<Panics>().0.load(Ordering::Relaxed),
        help: asked.help,
        still,
        reach: (farthest + 2).min(50),
    };
    sketch(canvas, &shown);
}

/// Keeps the sheet right in front of the camera, and as large as what it sees.
pub(super) fn place(
    cameras: Query<(&Transform, &Projection), (With<Camera3d>, With<Pilot>, Without<Sheet>)>,
    mut sheets: Query<&mut Transform, With<Sheet>>,
) {
    let Some((eye, Projection::Perspective(lens))) = cameras.iter().next() else {
        return;
    };
    let height = 2.0 * DISTANCE * (lens.fov / 2.0).tan();
    for mut sheet in &mut sheets {
        *sheet = Transform {
            translation: eye.translation + eye.forward() * DISTANCE,
            rotation: eye.rotation,
            scale: Vec3::new(height * lens.aspect_ratio, height, 1.0),
        };
    }
}
