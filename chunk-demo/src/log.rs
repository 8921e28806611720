//! Warnings of the libraries, on standard error.

use bevy_app::App;
use bevy_log::{Level, LogPlugin};

/// The least severe of what is shown.
pub(crate) fn level(faults_are_meant: bool) -> Level {
    if faults_are_meant {
        Level::ERROR
    } else {
        Level::WARN
    }
}

/// Shows warnings from now on; with `faults_are_meant`, only errors, because every injected panic is a warning.
///
/// `RUST_LOG` overrides both. Where something records the process already, that shows them too. The log belongs to the
/// process and not to one of the apps in it, so an app of its own sets it up.
pub(crate) fn start(faults_are_meant: bool) {
    if tracing::dispatcher::has_been_set() {
        return;
    }
    App::new().add_plugins(LogPlugin {
        level: level(faults_are_meant),
        ..LogPlugin::default()
    });
}
