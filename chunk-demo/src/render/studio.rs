//! An app that renders to a picture instead of a window.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use bevy_app::App;
use bevy_asset::{Assets, Handle};
use bevy_camera::{Camera, Camera3d, ClearColor, RenderTarget};
use bevy_color::Color;
use bevy_core_pipeline::tonemapping::Tonemapping;
use bevy_ecs::bundle::Bundle;
use bevy_ecs::entity::Entity;
use bevy_ecs::observer::On;
use bevy_image::Image;
use bevy_light::GlobalAmbientLight;
use bevy_render::render_resource::TextureFormat;
use bevy_render::view::screenshot::{Screenshot, ScreenshotCaptured};
use bevy_transform::components::Transform;
use chunk_assets::ChunkAssetsPlugin;

use super::batches::BatchCount;
use super::plugins::{add_basics, add_renderer};
use super::scene::{ScenePlugin, camera, haze};
use super::sky::Sky;
use super::{Batches, RenderError};
use crate::chart::Canvas;
use crate::harness::Settings;
use crate::harness::{add_city, ready};

/// An app with the city and a camera that only draws when a picture is taken.
///
/// ```no_run
/// use bevy_math::Vec3;
/// use bevy_transform::components::Transform;
/// use chunk_apply::ChunkViewer;
/// use chunk_demo::{Settings, render::Studio};
///
/// let mut studio = Studio::new([1280, 720], &Settings::default())?;
/// let eye = Transform::from_xyz(0.0, 150.0, 0.0).looking_at(Vec3::new(500.0, 0.0, 0.0), Vec3::Y);
/// studio.app_mut().world_mut().spawn((ChunkViewer::default(), eye));
/// for _ in 0..120 {
///     studio.app_mut().update();
/// }
/// let picture = studio.take(eye)?;
/// picture.save("city.png".as_ref()).expect("the folder is there");
/// # Ok::<(), chunk_demo::render::RenderError>(())
/// ```
#[derive(Debug)]
pub struct Studio {
    app: App,
    camera: Entity,
    film: Handle<Image>,
    shots: Receiver<Image>,
    shutter: Sender<Image>,
    batches: Batches,
}

/// A picture comes some frames after it was asked for, when it is back from the adapter.
const LONGEST_WAIT: u32 = 200;
/// Frames before a picture, in which what is to be drawn reaches the renderer.
const WARM_UP: u32 = 2;

impl Studio {
    /// A studio that takes pictures of this width and height, in dots. See that there is an
    /// [`adapter`](super::adapter::find) first; without one this ends the process.
    ///
    /// # Errors
    ///
    /// If a setting makes no sense.
    pub fn new(size: [u32; 2], settings: &Settings) -> Result<Self, RenderError> {
        let mut app = App::new();
        add_basics(&mut app, None);
        add_renderer(&mut app, true);
        add_city(&mut app, settings)?;
        let sky = Sky::clear_day();
        app.add_plugins(ScenePlugin { sky });
        let eye = camera(&sky, haze(settings.chunk_size, settings.radius));
        Ok(Self::with(app, size, eye))
    }

    /// A studio without the city, without a light, and with a black background: what is not `unlit` stays dark. The
    /// shared assets are there.
    ///
    /// # Panics
    ///
    /// If there is no [`adapter`](super::adapter::find).
    #[must_use]
    pub fn empty(size: [u32; 2]) -> Self {
        Self::empty_with(size, |_app| {})
    }

    /// The same with more plugins.
    ///
    /// # Panics
    ///
    /// As [`empty`](Self::empty).
    #[must_use]
    pub fn empty_with(size: [u32; 2], add: impl FnOnce(&mut App)) -> Self {
        let mut app = App::new();
        add_basics(&mut app, None);
        add_renderer(&mut app, true);
        app.add_plugins(ChunkAssetsPlugin)
            .insert_resource(ClearColor(Color::BLACK))
            .insert_resource(GlobalAmbientLight::NONE);
        add(&mut app);
        Self::with(app, size, (Camera3d::default(), Tonemapping::None))
    }

    fn with(mut app: App, [width, height]: [u32; 2], eye: impl Bundle) -> Self {
        ready(&mut app);
        let film = Image::new_target_texture(width, height, TextureFormat::Rgba8UnormSrgb, None);
        let film = app.world_mut().resource_mut::<Assets<Image>>().add(film);
        let camera = app.world_mut().spawn((
            eye,
            RenderTarget::Image(film.clone().into()),
            Camera {
                is_active: false,
                ..Camera::default()
            },
        ));
        let camera = camera.id();
        let (shutter, shots) = channel();
        Self {
            app,
            camera,
            film,
            shots,
            shutter,
            batches: Batches::default(),
        }
    }

    /// The app: spawn viewers in it and call its `update`.
    pub fn app_mut(&mut self) -> &mut App {
        &mut self.app
    }

    /// Takes a picture from a place. The world goes on for some frames meanwhile.
    ///
    /// # Errors
    ///
    /// If the renderer gives none.
    pub fn take(&mut self, from: Transform) -> Result<Canvas, RenderError> {
        self.aim(from, true);
        for _ in 0..WARM_UP {
            self.app.update();
        }
        let shutter = Mutex::new(self.shutter.clone());
        self.app
            .world_mut()
            .spawn(Screenshot::image(self.film.clone()))
            .observe(move |shot: On<ScreenshotCaptured>| {
                if let Ok(shutter) = shutter.lock() {
                    // Nobody waits any more if the studio is gone.
                    let _ = shutter.send(shot.image.clone());
                }
            });
        self.app.update();
        self.batches = self.app.world().resource::<BatchCount>().last_frame();
        // It is drawn; what follows only waits for it to come back.
        self.aim(from, false);
        let shot = (0..LONGEST_WAIT).find_map(|_| {
            let shot = self.shots.try_recv();
            shot.or_else(|_| {
                self.app.update();
                self.shots.try_recv()
            })
            .ok()
        });
        let no_picture = || RenderError::NoPicture(LONGEST_WAIT);
        let shot = shot.ok_or_else(no_picture)?;
        let [width, height] = [shot.width(), shot.height()].map(|side| side as usize);
        let dots = shot.data.ok_or_else(no_picture)?;
        Canvas::from_dots(width, height, dots).ok_or_else(no_picture)
    }

    /// What the last picture took.
    #[must_use]
    pub fn batches(&self) -> Batches {
        self.batches
    }

    fn aim(&mut self, from: Transform, is_active: bool) {
        let mut camera = self.app.world_mut().entity_mut(self.camera);
        camera.insert(from);
        if let Some(mut camera) = camera.get_mut::<Camera>() {
            camera.is_active = is_active;
        }
    }
}
