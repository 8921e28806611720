//! A stream's state among Bevy's diagnostics, where overlays and logs look for it.

use super::{
    figures::{FIGURES, Figure, Kind},
    index::ChunkIndex,
    plugin::StreamingSystems,
    stream::ChunkStream,
};
use bevy_app::{App, Last, Plugin};
use bevy_diagnostic::{Diagnostic, DiagnosticPath, Diagnostics, RegisterDiagnostic};
use bevy_ecs::{
    schedule::{IntoScheduleConfigs, common_conditions::resource_exists},
    system::Res,
};
use core::{fmt, marker::PhantomData};

/// Measures the stream of the content `T` once a frame, under [paths](Self::paths) that begin with `chunk/`.
/// Times are in milliseconds.
///
/// With several streams in one app, add it for the one you want to watch: they share the paths.
pub struct StreamingDiagnosticsPlugin<T> {
    stream: PhantomData<fn() -> T>,
}

impl<T> StreamingDiagnosticsPlugin<T> {
    /// Every path that is measured.
    pub fn paths() -> impl Iterator<Item = DiagnosticPath> {
        FIGURES.iter().map(path)
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
        for figure in FIGURES {
            let suffix = if figure.kind == Kind::Time { "ms" } else { "" };
            app.register_diagnostic(Diagnostic::new(path(figure)).with_suffix(suffix));
        }
        app.add_systems(
            Last,
            measure::<T>
                .after(StreamingSystems::Apply)
                .run_if(resource_exists::<ChunkStream<T>>),
        );
    }
}

fn measure<T: Send + Sync + 'static>(
    stream: Res<ChunkStream<T>>,
    index: Res<ChunkIndex<T>>,
    mut diagnostics: Diagnostics,
) {
    let snapshot = stream.snapshot(&index);
    for figure in FIGURES {
        let scale = if figure.kind == Kind::Time { 1e3 } else { 1.0 };
        let value = (figure.read)(&snapshot) * scale;
        diagnostics.add_measurement(&path(figure), || value);
    }
}

const fn path(figure: &Figure) -> DiagnosticPath {
    DiagnosticPath::const_new(figure.path)
}

impl<T> fmt::Debug for StreamingDiagnosticsPlugin<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamingDiagnosticsPlugin")
            .finish_non_exhaustive()
    }
}
