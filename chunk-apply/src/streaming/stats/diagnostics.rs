//! A stream's metrics among Bevy's diagnostics, for overlays and logs.

use super::metric_table::{METRICS, Metric, MetricKind};
use crate::streaming::{index::ChunkIndex, stream::ChunkStream, systems_plugin::StreamingSystems};
use bevy_app::{App, Last, Plugin};
use bevy_diagnostic::{Diagnostic, DiagnosticPath, Diagnostics, RegisterDiagnostic};
use bevy_ecs::{
    schedule::{IntoScheduleConfigs, common_conditions::resource_exists},
    system::Res,
};
use core::marker::PhantomData;

/// Measures the stream of the content `T` once a frame, under [paths](Self::paths) that begin with `chunk/`.
/// Times are in milliseconds.
///
/// With several streams in one app, add it for the one you want to watch: they share the paths.
#[derive(Debug)]
pub struct StreamingDiagnosticsPlugin<T> {
    stream: PhantomData<fn() -> T>,
}

impl<T> StreamingDiagnosticsPlugin<T> {
    /// Every path that is measured.
    pub fn paths() -> impl Iterator<Item = DiagnosticPath> {
        METRICS.iter().map(path)
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
        for metric in METRICS {
            let suffix = if metric.kind == MetricKind::Time {
                "ms"
            } else {
                ""
            };
            app.register_diagnostic(Diagnostic::new(path(metric)).with_suffix(suffix));
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
    for metric in METRICS {
        let scale = if metric.kind == MetricKind::Time {
            1e3
        } else {
            1.0
        };
        let value = (metric.read)(&snapshot) * scale;
        diagnostics.add_measurement(&path(metric), || value);
    }
}

const fn path(metric: &Metric) -> DiagnosticPath {
    DiagnosticPath::const_new(metric.path)
}
