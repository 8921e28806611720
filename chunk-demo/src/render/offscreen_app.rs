//! An app that renders to a picture instead of a window.

use bevy_app::App;
use bevy_asset::{Assets, Handle};
use bevy_camera::{Camera, Camera3d, ClearColor, RenderTarget};
use bevy_color::Color;
use bevy_core_pipeline::tonemapping::Tonemapping;
use bevy_ecs::prelude::*;
use bevy_image::Image;
use bevy_light::GlobalAmbientLight;
use bevy_render::render_resource::TextureFormat;
use bevy_render::view::screenshot::{Screenshot, ScreenshotCaptured};
use bevy_transform::components::Transform;
use chunk_assets::ChunkAssetsPlugin;
use image::RgbaImage;

use super::batches::{BatchCount, Batches};
use super::error::RenderError;
use super::plugins::{add_basics, add_renderer, renderer};
use super::scene::{ScenePlugin, camera, haze};
use super::screenshot::{LONGEST_WAIT, pixels};
use super::sky::Sky;
use crate::harness::{Settings, SettingsError, Workload, add_world, ready};

/// An app with a world and a camera that draws only when a picture is taken.
///
/// ```no_run
/// use bevy_math::Vec3;
/// use bevy_transform::components::Transform;
/// use chunk_apply::ChunkViewer;
/// use chunk_demo::{Settings, render::OffscreenApp};
///
/// let mut offscreen = OffscreenApp::new([1280, 720], &Settings::default())?;
/// let eye = Transform::from_xyz(0.0, 150.0, 0.0).looking_at(Vec3::new(500.0, 0.0, 0.0), Vec3::Y);
/// offscreen.app_mut().world_mut().spawn((ChunkViewer::default(), eye));
/// for _ in 0..120 {
///     offscreen.app_mut().update();
/// }
/// let picture = offscreen.take(eye)?;
/// picture.save("city.png").expect("the folder is there");
/// # Ok::<(), chunk_demo::render::RenderError>(())
/// ```
#[derive(Debug)]
pub struct OffscreenApp {
    app: App,
    camera: Entity,
    target: Handle<Image>,
    batches: Batches,
}

/// The last screenshot, until it is taken.
#[derive(Resource, Default)]
struct Captured(Option<Image>);

/// Frames before a picture, in which what is to be drawn reaches the renderer.
const WARM_UP: u32 = 2;

impl OffscreenApp {
    /// An app that takes pictures of this width and height, in pixels. Without an [`adapter`](super::adapter::find) this
    /// ends the process, so look for one first.
    ///
    /// # Errors
    ///
    /// If a setting makes no sense.
    pub fn new(size: [u32; 2], settings: &Settings) -> Result<Self, RenderError> {
        let city = Workload::city_of(settings).map_err(SettingsError::from)?;
        Self::of(size, settings, &city)
    }

    /// The same with another world than the city.
    ///
    /// # Errors
    ///
    /// If a setting makes no sense.
    pub fn of<T: Send + Sync + 'static>(
        size: [u32; 2],
        settings: &Settings,
        workload: &Workload<T>,
    ) -> Result<Self, RenderError> {
        let mut app = rendering_app();
        add_world(&mut app, settings, workload)?;
        let sky = Sky::clear_day();
        app.add_plugins(ScenePlugin::of(sky, settings));
        let eye = camera(&sky, haze(settings.chunk_size, settings.radius));
        Ok(Self::with(app, size, eye))
    }

    /// An app with the shared assets and the given plugins, without the city and without a light: all that is not
    /// `unlit` stays as black as the background.
    ///
    /// # Panics
    ///
    /// If there is no [`adapter`](super::adapter::find).
    #[must_use]
    pub fn empty(size: [u32; 2], add: impl FnOnce(&mut App)) -> Self {
        let mut app = rendering_app();
        app.add_plugins(ChunkAssetsPlugin)
            .insert_resource(ClearColor(Color::BLACK))
            .insert_resource(GlobalAmbientLight::NONE);
        add(&mut app);
        Self::with(app, size, (Camera3d::default(), Tonemapping::None))
    }

    fn with(mut app: App, [width, height]: [u32; 2], eye: impl Bundle) -> Self {
        ready(&mut app);
        let target = Image::new_target_texture(width, height, TextureFormat::Rgba8UnormSrgb, None);
        let target = app.world_mut().resource_mut::<Assets<Image>>().add(target);
        app.init_resource::<Captured>();
        let camera = Camera {
            is_active: false,
            ..Camera::default()
        };
        let camera = (eye, RenderTarget::Image(target.clone().into()), camera);
        let camera = app.world_mut().spawn(camera).id();
        Self {
            app,
            camera,
            target,
            batches: Batches::default(),
        }
    }

    /// The app: spawn viewers in it and call its `update`.
    pub fn app_mut(&mut self) -> &mut App {
        &mut self.app
    }

    /// Takes a picture from a place. Some frames are run meanwhile.
    ///
    /// # Errors
    ///
    /// If the renderer gives none.
    pub fn take(&mut self, from: Transform) -> Result<RgbaImage, RenderError> {
        self.aim(from, true);
        for _ in 0..WARM_UP {
            self.app.update();
        }
        let screenshot = Screenshot::image(self.target.clone());
        self.app.world_mut().spawn(screenshot).observe(
            |shot: On<ScreenshotCaptured>, mut captured: ResMut<Captured>| {
                captured.0 = Some(shot.image.clone());
            },
        );
        self.app.update();
        self.batches = self.app.world().resource::<BatchCount>().last_frame();
        // The picture is drawn. The frames that follow only wait until it is copied back.
        self.aim(from, false);
        for _ in 0..LONGEST_WAIT {
            let mut captured = self.app.world_mut().resource_mut::<Captured>();
            if let Some(screenshot) = captured.0.take() {
                return pixels(&screenshot);
            }
            self.app.update();
        }
        Err(RenderError::NoPicture(LONGEST_WAIT))
    }

    /// The batches that the last picture was drawn in.
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

fn rendering_app() -> App {
    let mut app = App::new();
    add_basics(&mut app, None);
    add_renderer(&mut app, renderer(true));
    app
}
