//! Warnings of the libraries, on standard error.

use bevy_app::App;
use bevy_log::{Level, LogPlugin};

/// Shows warnings from now on; with `faults_are_meant`, only errors, because every injected panic is a warning.
///
/// `RUST_LOG` overrides both. The log belongs to the process and not to one of the apps in it, so an app of its own
/// sets it up.
pub(crate) fn start(faults_are_meant: bool) {
    let level = if faults_are_meant {
        Level::ERROR
    } else {
        Level::WARN
    };
    App::new().add_plugins(LogPlugin {
        level,
        // How many threads there are stands in the table.
        filter: "chunk_scheduler::scheduler=error".to_owned(),
        ..LogPlugin::default()
    });
}
