//! A window onto the city: fly through it, watch the stream, and disturb it.
//!
//! [`open`] does not return before the window is closed. The keys are listed in the window.

mod controls;
mod fly;
mod hud;
mod sketch;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bevy_a11y::AccessibilityPlugin;
use bevy_app::{App, AppExit, PostUpdate, Update};
use bevy_ecs::prelude::*;
use bevy_input::InputPlugin;
use bevy_render::view::screenshot::{Screenshot, ScreenshotCaptured};
use bevy_transform::TransformSystems;
use bevy_transform::components::Transform;
use bevy_window::Window;
use bevy_winit::{WinitPlugin, WinitSettings};
use chunk_apply::{ChunkViewer, MonotonicClock, Streaming, StreamingSystems};
use chunk_scheduler::{Job, Runtime};

use super::plugins::{add_basics, add_renderer};
use super::scene::{ScenePlugin, camera};
use super::sky::Sky;
use super::{RenderError, adapter};
use crate::app::add_stream;
use crate::chart::Canvas;
use crate::city::CityChunk;
use crate::faults::Faults;
use crate::scenario::Scenario;
use crate::settings::Settings;
use crate::settings_error::SettingsError;
use crate::workload::Workload;

/// Whether every second chunk that is generated from now on panics. Shared with the workers.
#[derive(Resource, Clone, Debug, Default)]
struct Panics(Arc<AtomicBool>);

/// Opens a window where the scenario begins, and returns when it is closed. With a path, the window is drawn to that
/// PNG file once the world is there, and closes by itself.
///
/// # Errors
///
/// If no adapter can draw, there is no display, or a setting makes no sense.
pub fn open(
    settings: &Settings,
    scenario: &dyn Scenario,
    picture: Option<&Path>,
) -> Result<(), RenderError> {
    adapter::find()?;
    if cfg!(target_os = "linux") && std::env::var_os("DISPLAY").is_none() {
        return Err(RenderError::NoDisplay);
    }
    let mut app = App::new();
    let window = Window {
        title: "chunk-demo".to_owned(),
        resolution: [1280, 720].into(),
        ..Window::default()
    };
    add_basics(&mut app, Some(window));
    app.add_plugins((InputPlugin, AccessibilityPlugin, WinitPlugin::default()));
    app.insert_resource(WinitSettings::continuous());
    add_renderer(&mut app, picture.is_some());
    add_city_with_panics(&mut app, settings)?;

    let sky = Sky::clear_day();
    app.add_plugins(ScenePlugin { sky });
    let eye = scenario.place(0, 0.0, settings);
    let course = (scenario.place(0, 0.5, settings) - eye).with_y(0.0);
    let course = course.try_normalize().unwrap_or(bevy_math::Vec3::X);
    let sight = 1.15 * settings.chunk_size * settings.radius as f32;
    let eye = Transform::from_translation(eye).looking_to(course, bevy_math::Vec3::Y);
    app.world_mut().spawn((
        camera(&sky, sight),
        ChunkViewer::default(),
        fly::Pilot::new(&eye),
        eye,
    ));
    app.init_resource::<controls::Asked>();
    app.init_resource::<hud::FrameTimes>();
    hud::spawn(app.world_mut());
    app.add_systems(
        Update,
        (controls::act, fly::fly)
            .chain()
            .before(StreamingSystems::Scan),
    )
    .add_systems(
        Update,
        (hud::note, hud::draw)
            .chain()
            .after(StreamingSystems::Apply),
    )
    .add_systems(PostUpdate, hud::place.before(TransformSystems::Propagate));
    if let Some(path) = picture {
        app.insert_resource(PictureDue(path.to_owned()))
            .add_systems(Update, take_when_settled);
    }
    match app.run() {
        AppExit::Success => Ok(()),
        AppExit::Error(_) => Err(RenderError::NoPicture(0)),
    }
}

/// The city, with a generator that panics when it is told to.
fn add_city_with_panics(app: &mut App, settings: &Settings) -> Result<(), SettingsError> {
    settings.validate()?;
    let panics = Panics::default();
    let mut city = Workload::city(settings.city())?;
    let (make, is_on) = (city.make.clone(), Arc::clone(&panics.0));
    city.make = Arc::new(move |job: &Job<_>| {
        let coord: chunk_coord::ChunkCoord = job.key();
        if is_on.load(Ordering::Relaxed) && (coord.x ^ coord.z) & 1 == 1 {
            // Past the panic hook, which would print a backtrace for each.
            std::panic::resume_unwind(Box::new("injected panic"));
        }
        make(job)
    });
    let clock = Arc::new(MonotonicClock::default());
    app.insert_resource(panics);
    add_stream(
        app,
        settings,
        &city,
        Faults::NONE,
        Runtime::default(),
        clock,
    )
}

/// Where the picture of the window is to go.
#[derive(Resource, Debug)]
struct PictureDue(std::path::PathBuf);

/// Frames after the world is there, in which the overlay shows that it is.
const FRAMES_BEFORE_PICTURE: u32 = 4;

fn take_when_settled(
    mut commands: Commands,
    due: Res<PictureDue>,
    stream: Res<Streaming<CityChunk>>,
    mut frames: Local<u32>,
) {
    if *frames > FRAMES_BEFORE_PICTURE || !stream.is_settled() || stream.wanted().is_empty() {
        return;
    }
    *frames += 1;
    if *frames <= FRAMES_BEFORE_PICTURE {
        return;
    }
    let path = due.0.clone();
    commands.spawn(Screenshot::primary_window()).observe(
        move |shot: On<ScreenshotCaptured>, mut exit: MessageWriter<AppExit>| {
            let [width, height] = [shot.image.width(), shot.image.height()];
            let mut dots = shot.image.data.clone().unwrap_or_default();
            // What a window shows is blue first, on most systems.
            if format!("{:?}", shot.image.texture_descriptor.format).starts_with("Bgra") {
                dots.chunks_exact_mut(4).for_each(|dot| dot.swap(0, 2));
            }
            let canvas = Canvas::from_dots(width as usize, height as usize, dots);
            let is_saved = canvas.is_some_and(|canvas| canvas.save(&path).is_ok());
            exit.write(if is_saved {
                AppExit::Success
            } else {
                AppExit::error()
            });
        },
    );
}
