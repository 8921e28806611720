//! A stream's metrics through the [`metrics`](https://docs.rs/metrics) facade, for Prometheus and others.

use super::metric_table::{METRICS, MetricKind};
use crate::streaming::{
    index::ChunkIndex, messages::ChunkLoaded, stream::ChunkStream, systems_plugin::StreamingSystems,
};
use ::metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use bevy_app::{App, Last, Plugin};
use bevy_ecs::{
    message::MessageReader,
    schedule::{IntoScheduleConfigs, common_conditions::resource_exists},
    system::{Local, Res},
};
use core::marker::PhantomData;

/// Reports the stream of the content `T` to the [`metrics`](https://docs.rs/metrics) facade once a frame, under names
/// that begin with `chunk_`. The recorder that the program installs receives them; without one, they cost a few
/// microseconds and are dropped.
///
/// The metrics are those of the [diagnostics](crate::StreamingDiagnosticsPlugin): `chunk/loaded` there is
/// `chunk_loaded` here, `chunk/applied` is the counter `chunk_applied_total`, and times are in seconds, as in
/// `chunk_latency_p99_seconds`. Two histograms have every value: [`LATENCY`](Self::LATENCY) and [`FRAME`](Self::FRAME).
///
/// With several streams in one app, add it for the one you want to watch: they share the names.
#[derive(Debug)]
pub struct StreamingMetricsPlugin<T> {
    stream: PhantomData<fn() -> T>,
}

impl<T> StreamingMetricsPlugin<T> {
    /// The histogram of the time from wanted to visible, or from requested anew to replaced, in seconds.
    pub const LATENCY: &'static str = "chunk_latency_seconds";
    /// The histogram of the stream's main-thread time in each frame, in seconds.
    pub const FRAME: &'static str = "chunk_frame_seconds";
}

impl<T> Default for StreamingMetricsPlugin<T> {
    fn default() -> Self {
        Self {
            stream: PhantomData,
        }
    }
}

impl<T: Send + Sync + 'static> Plugin for StreamingMetricsPlugin<T> {
    fn build(&self, app: &mut App) {
        app.add_systems(
            Last,
            report::<T>
                .after(StreamingSystems::Apply)
                .run_if(resource_exists::<ChunkStream<T>>),
        );
    }
}

fn report<T: Send + Sync + 'static>(
    stream: Res<ChunkStream<T>>,
    index: Res<ChunkIndex<T>>,
    mut loaded: MessageReader<ChunkLoaded<T>>,
    mut is_described: Local<bool>,
) {
    // Not when the plugin is added, because the program may install its recorder between then and the first frame.
    if !core::mem::replace(&mut *is_described, true) {
        describe::<T>();
    }
    let snapshot = stream.snapshot(&index);
    for metric in METRICS {
        let value = (metric.read)(&snapshot);
        match metric.kind {
            MetricKind::Count => counter!(metric.name).absolute(value as u64),
            MetricKind::Level | MetricKind::Time => gauge!(metric.name).set(value),
        }
    }
    let latency = histogram!(StreamingMetricsPlugin::<T>::LATENCY);
    for chunk in loaded.read() {
        latency.record(chunk.latency);
    }
    histogram!(StreamingMetricsPlugin::<T>::FRAME).record(snapshot.frame.main_thread());
}

fn describe<T>() {
    for metric in METRICS {
        match metric.kind {
            MetricKind::Count => describe_counter!(metric.name, Unit::Count, metric.about),
            MetricKind::Level => describe_gauge!(metric.name, Unit::Count, metric.about),
            MetricKind::Time => describe_gauge!(metric.name, Unit::Seconds, metric.about),
        }
    }
    let (latency, frame) = (
        StreamingMetricsPlugin::<T>::LATENCY,
        StreamingMetricsPlugin::<T>::FRAME,
    );
    describe_histogram!(latency, Unit::Seconds, "From wanted to visible");
    describe_histogram!(frame, Unit::Seconds, "Main-thread time of a frame");
}
