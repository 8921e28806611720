//! A stream's state among Bevy's diagnostics, where overlays and logs look for it.

use super::{
    index::ChunkIndex, plugin::StreamingSystems, snapshot::StreamingSnapshot, stream::Streaming,
};
use bevy_app::{App, Last, Plugin};
use bevy_diagnostic::{Diagnostic, DiagnosticPath, Diagnostics, RegisterDiagnostic};
use bevy_ecs::{
    schedule::{IntoScheduleConfigs, common_conditions::resource_exists},
    system::Res,
};
use core::{fmt, marker::PhantomData};

/// Measures the stream of the content `T` once a frame, under [paths](Self::paths) that begin with `chunk/`.
///
/// With several streams in one app, add it for the one you want to watch: they share the paths.
pub struct StreamingDiagnosticsPlugin<T> {
    stream: PhantomData<fn() -> T>,
}

/// A path, the unit it is shown with, and how it is read off.
type Entry = (DiagnosticPath, &'static str, fn(&StreamingSnapshot) -> f64);

const ENTRIES: [Entry; 14] = [
    (path("chunk/queued"), "", |s| s.depths.queued as f64),
    (path("chunk/in_flight"), "", |s| s.depths.in_flight as f64),
    (path("chunk/completed"), "", |s| s.depths.completed as f64),
    (path("chunk/backlog"), "", |s| s.depths.backlog as f64),
    (path("chunk/quarantined"), "", |s| {
        s.depths.quarantined as f64
    }),
    (path("chunk/wanted"), "", |s| s.wanted_chunks as f64),
    (path("chunk/loaded"), "", |s| s.loaded_chunks as f64),
    (path("chunk/unloading"), "", |s| s.unloading_chunks as f64),
    (path("chunk/entities"), "", |s| s.loaded_entities as f64),
    (path("chunk/panics"), "", |s| s.counters.panics as f64),
    (path("chunk/retried"), "", |s| s.counters.retried as f64),
    (path("chunk/max_in_flight"), "", |s| {
        s.concurrency.limit as f64
    }),
    (path("chunk/main_thread"), "ms", |s| {
        s.frame.main_thread().as_secs_f64() * 1e3
    }),
    (path("chunk/overshoot"), "ms", |s| {
        s.frame.apply.overshoot.as_secs_f64() * 1e3
    }),
];

const fn path(name: &'static str) -> DiagnosticPath {
    DiagnosticPath::const_new(name)
}

impl<T> StreamingDiagnosticsPlugin<T> {
    /// Every path that is measured.
    pub fn paths() -> impl Iterator<Item = DiagnosticPath> {
        ENTRIES.into_iter().map(|(path, ..)| path)
    }
}

impl<T> Default for StreamingDiagnosticsPlugin<T> {
    fn default() -> Self {
        Self {
            stream: PhantomData,
        }
    }
}

impl<T: Send + Sync + 'static> Plugin for StreamingDiagnosticsPlugin<T> {
    fn build(&self, app: &mut App) {
        for (path, suffix, _) in ENTRIES {
            app.register_diagnostic(Diagnostic::new(path).with_suffix(suffix));
        }
        app.add_systems(
            Last,
            measure::<T>
                .after(StreamingSystems::Apply)
                .run_if(resource_exists::<Streaming<T>>),
        );
    }
}

fn measure<T: Send + Sync + 'static>(
    stream: Res<Streaming<T>>,
    index: Res<ChunkIndex<T>>,
    mut diagnostics: Diagnostics,
) {
    let snapshot = stream.snapshot(&index);
    for (path, _, read) in &ENTRIES {
        diagnostics.add_measurement(path, || read(&snapshot));
    }
}

impl<T> fmt::Debug for StreamingDiagnosticsPlugin<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamingDiagnosticsPlugin")
            .finish_non_exhaustive()
    }
}
