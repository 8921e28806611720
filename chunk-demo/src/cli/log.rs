//! The log: warnings of the libraries, on standard error.

use bevy_app::App;
use bevy_log::{Level, LogPlugin};

/// The least severe level that is shown.
pub(crate) fn level(faults_are_meant: bool) -> Level {
    if faults_are_meant {
        Level::ERROR
    } else {
        Level::WARN
    }
}

/// Shows warnings from now on; with `faults_are_meant`, only errors, because every injected panic is a warning.
///
/// `RUST_LOG` overrides both. Where a recording is the process's log already, it shows them too. The log is the
/// process's and no single app's, so an app made for it alone sets it up.
pub(crate) fn start(faults_are_meant: bool) {
    if tracing::dispatcher::has_been_set() {
        return;
    }
    App::new().add_plugins(LogPlugin {
        level: level(faults_are_meant),
        ..LogPlugin::default()
    });
}
