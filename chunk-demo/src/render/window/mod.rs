//! A window onto the city: fly through it, watch the stream, and disturb it.
//!
//! [`open`] does not return before the window is closed. The keys are listed in the window.

mod controls;
mod fly;
mod hud;
mod shot;
mod sketch;

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bevy_a11y::AccessibilityPlugin;
use bevy_app::{App, AppExit, Update};
use bevy_diagnostic::{DiagnosticsPlugin, FrameTimeDiagnosticsPlugin};
use bevy_ecs::prelude::*;
use bevy_input::InputPlugin;
use bevy_math::Vec3;
use bevy_transform::components::Transform;
use bevy_window::Window;
use bevy_winit::{WinitPlugin, WinitSettings};
use chunk_apply::{ChunkViewer, MonotonicClock, StreamingSystems};
use chunk_scheduler::{Job, Runtime};

use super::plugins::{add_basics, add_renderer};
use super::scene::{ScenePlugin, camera, haze};
use super::sky::Sky;
use super::{RenderError, adapter};
use crate::harness::Faults;
use crate::harness::Settings;
use crate::harness::SettingsError;
use crate::harness::Workload;
use crate::harness::add_stream;
use crate::scenario::Scenario;

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
    let mut app = App::new();
    let window = Window {
        title: "chunk-demo".to_owned(),
        resolution: [1280, 720].into(),
        ..Window::default()
    };
    add_basics(&mut app, Some(window));
    app.add_plugins((InputPlugin, AccessibilityPlugin));
    add_window_system(&mut app)?;
    add_renderer(&mut app, picture.is_some());
    app.add_plugins((DiagnosticsPlugin, FrameTimeDiagnosticsPlugin::default()));
    add_city_with_panics(&mut app, settings)?;

    let sky = Sky::clear_day();
    app.add_plugins(ScenePlugin { sky });
    let eye = scenario.place(0, 0.0, settings);
    let course = (scenario.place(0, 0.5, settings) - eye).with_y(0.0);
    let course = course.try_normalize().unwrap_or(Vec3::X);
    let eye = Transform::from_translation(eye).looking_to(course, Vec3::Y);
    app.world_mut().spawn((
        camera(&sky, haze(settings.chunk_size, settings.radius)),
        ChunkViewer::default(),
        fly::Pilot::new(&eye),
        eye,
    ));
    app.insert_resource(controls::Asked::new(settings));
    hud::spawn(app.world_mut());
    app.add_systems(
        Update,
        (controls::act, controls::look_as_far, fly::fly)
            .chain()
            .before(StreamingSystems::Scan),
    )
    .add_systems(
        Update,
        (hud::note, hud::draw)
            .chain()
            .after(StreamingSystems::Apply),
    );
    let failure = shot::Failure::default();
    if let Some(path) = picture {
        app.add_plugins(shot::ShotPlugin {
            path: path.to_owned(),
            failure: failure.clone(),
        });
    }
    match app.run() {
        AppExit::Success => Ok(()),
        AppExit::Error(_) => Err(failure.take().unwrap_or(RenderError::NoPicture(0))),
    }
}

/// Connects to the display. Bevy panics where there is none, where nobody answers, or where a library is not
/// installed, and winit allows no second attempt in a process: so there is no asking first, and the panic is caught.
fn add_window_system(app: &mut App) -> Result<(), RenderError> {
    let hook = take_hook();
    set_hook(Box::new(|_panic| {}));
    let added = catch_unwind(AssertUnwindSafe(|| {
        app.add_plugins(WinitPlugin::default());
    }));
    set_hook(hook);
    added.map_err(|panic| {
        let reason = (panic.downcast_ref::<String>().cloned())
            .or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
        RenderError::NoDisplay(heart_of(&reason.unwrap_or_default()))
    })?;
    app.insert_resource(WinitSettings::continuous());
    Ok(())
}

/// What was wrong, out of a message that says where in which library's source it was found.
fn heart_of(message: &str) -> String {
    let heart = message.rsplit("error: ").next().unwrap_or(message);
    let heart = heart.trim_end_matches([' ', ')', '}', '.', '"']);
    let words: Vec<&str> = heart.split_whitespace().collect();
    words.join(" ").replace("Misc(\"", "")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_quoted_without_its_source() {
        let message = "Failed to build event loop: Os(OsError { line: 765, file: \"/src/mod.rs\", error: \
                       Misc(\"neither A nor\n DISPLAY is set.\") })";
        assert_eq!(heart_of(message), "neither A nor DISPLAY is set");
        assert_eq!(heart_of("no library"), "no library");
    }
}
