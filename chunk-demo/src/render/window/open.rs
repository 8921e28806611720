//! Opens the window.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::Path;

use bevy_a11y::AccessibilityPlugin;
use bevy_app::{App, AppExit, Update};
use bevy_camera_controller::free_camera::{FreeCamera, FreeCameraPlugin};
use bevy_diagnostic::{DiagnosticsPlugin, FrameTimeDiagnosticsPlugin};
use bevy_ecs::prelude::*;
use bevy_input::InputPlugin;
use bevy_render::view::window::prepare_windows;
use bevy_render::{Render, RenderApp, RenderSystems};
use bevy_window::Window;
use bevy_winit::{WinitPlugin, WinitSettings};
use chunk_apply::{ChunkViewer, FrameMeter, StreamingSystems};

use super::panics::add_with_panics;
use super::picture::save_when_settled;
use super::{controls, overlay_plane};
use crate::city::spawn::WholeWithin;
use crate::harness::{Settings, Workload};
use crate::render::adapter;
use crate::render::error::RenderError;
use crate::render::plugins::{add_basics, add_renderer, renderer};
use crate::render::scene::{ScenePlugin, camera, haze, view_ahead};
use crate::render::sky::Sky;
use crate::scenario::Scenario;

/// Opens a window where the scenario begins, and returns when it is closed. With a path, the window is saved to that PNG
/// file once the world is complete, and closes by itself.
///
/// # Errors
///
/// If no adapter can draw, there is no display, or a setting makes no sense.
pub fn open<T: Send + Sync + 'static>(
    settings: &Settings,
    scenario: &dyn Scenario,
    workload: Workload<T>,
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
    add_renderer(&mut app, renderer(picture.is_some()));
    if let Some(render_app) = app.get_sub_app_mut(RenderApp) {
        // It waits for the display.
        FrameMeter::leave_out(
            render_app,
            Render,
            RenderSystems::Specialize,
            prepare_windows,
        );
    }
    app.add_plugins((DiagnosticsPlugin, FrameTimeDiagnosticsPlugin::default()));
    app.add_plugins(FreeCameraPlugin);
    add_with_panics(&mut app, settings, workload)?;

    let sky = Sky::clear_day();
    app.add_plugins(ScenePlugin::of(sky, settings));
    app.world_mut().spawn((
        camera(&sky, haze(settings.chunk_size, settings.radius)),
        ChunkViewer::default(),
        FreeCamera {
            sensitivity: 0.54,
            walk_speed: 0.4 * settings.chunk_size,
            run_speed: 2.5 * settings.chunk_size,
            ..FreeCamera::default()
        },
        view_ahead(scenario, 0.0, settings),
    ));
    app.insert_resource(controls::Asked::new(settings));
    #[cfg(feature = "voxels")]
    super::digging::add(&mut app);
    #[cfg(all(feature = "saves", feature = "voxels"))]
    super::saving::add(&mut app);
    overlay_plane::spawn(app.world_mut());
    app.add_systems(
        Update,
        (
            controls::act::<T>,
            controls::look_as_far,
            // Elsewhere there may be caves below.
            controls::stay_above_ground.run_if(resource_exists::<WholeWithin>),
        )
            .chain()
            .before(StreamingSystems::Scan),
    )
    .add_systems(
        Update,
        overlay_plane::draw::<T>.after(StreamingSystems::Apply),
    );
    let failure = picture.map(|path| save_when_settled::<T>(&mut app, path));
    match app.run() {
        AppExit::Success => Ok(()),
        AppExit::Error(_) => {
            let failure = failure.and_then(|failure| failure.try_recv().ok());
            Err(failure.unwrap_or(RenderError::NoPicture(0)))
        }
    }
}

/// Connects to the display. Bevy panics if there is no display, if it does not answer, or if a library is missing. The
/// panic is caught, because winit allows one attempt in a process and so nobody can ask beforehand.
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
        RenderError::NoDisplay(reason_in(&reason.unwrap_or_default()))
    })?;
    app.insert_resource(WinitSettings::continuous());
    Ok(())
}

/// The reason in a message that also names the place in the library's source.
fn reason_in(message: &str) -> String {
    let reason = message.rsplit("error: ").next().unwrap_or(message);
    let reason = reason.trim_end_matches([' ', ')', '}', '.', '"']);
    let words: Vec<&str> = reason.split_whitespace().collect();
    words.join(" ").replace("Misc(\"", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_quoted_without_its_source() {
        let message = "Failed to build event loop: Os(OsError { line: 765, file: \"/src/mod.rs\", error: \
                       Misc(\"neither A nor\n DISPLAY is set.\") })";
        assert_eq!(reason_in(message), "neither A nor DISPLAY is set");
        assert_eq!(reason_in("no library"), "no library");
    }
}
