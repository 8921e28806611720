//! A stream's figures through the [`metrics`](https://docs.rs/metrics) facade, for Prometheus and others.

use super::{
    figures::{FIGURES, Kind},
    index::ChunkIndex,
    messages::ChunkLoaded,
    plugin::StreamingSystems,
    stream::ChunkStream,
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
use core::{fmt, marker::PhantomData};

/// Tells the stream of the content `T` to the [`metrics`](https://docs.rs/metrics) facade once a frame, under names that begin with
/// `chunk_`. What becomes of it depends on the recorder that the program installs; without one it costs a few
/// microseconds and leads nowhere.
///
/// The figures are those of the [diagnostics](crate::StreamingDiagnosticsPlugin): `chunk/loaded` there is
/// `chunk_loaded` here, `chunk/applied` is the counter `chunk_applied_total`, and times are in seconds, as in
/// `chunk_latency_p99_seconds`. Two histograms have every value: [`LATENCY`](Self::LATENCY) and [`FRAME`](Self::FRAME).
///
/// With several streams in one app, add it for the one you want to watch: they share the names.
pub struct StreamingMetricsPlugin<T> {
    stream: PhantomData<fn() -> T>,
}

impl<T> StreamingMetricsPlugin<T> {
    /// The histogram of the time from wanted to visible, or from asked for anew to replaced, in seconds.
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
            tell::<T>
                .after(StreamingSystems::Apply)
                .run_if(resource_exists::<ChunkStream<T>>),
        );
    }
}

fn tell<T: Send + Sync + 'static>(
    stream: Res<ChunkStream<T>>,
    index: Res<ChunkIndex<T>>,
    mut loaded: MessageReader<ChunkLoaded<T>>,
    mut is_described: Local<bool>,
) {
    // In the first frame and not when the plugin is added, because the program may install its recorder in between.
    if !core::mem::replace(&mut *is_described, true) {
        describe::<T>();
    }
    let snapshot = stream.snapshot(&index);
    for figure in FIGURES {
        let value = (figure.read)(&snapshot);
        match figure.kind {
            Kind::Count => counter!(figure.metric).absolute(value as u64),
            Kind::Level | Kind::Time => gauge!(figure.metric).set(value),
        }
    }
    let latency = histogram!(StreamingMetricsPlugin::<T>::LATENCY);
    for chunk in loaded.read() {
        latency.record(chunk.latency);
    }
    histogram!(StreamingMetricsPlugin::<T>::FRAME).record(snapshot.frame.main_thread());
}

fn describe<T>() {
    for figure in FIGURES {
        match figure.kind {
            Kind::Count => describe_counter!(figure.metric, Unit::Count, figure.about),
            Kind::Level => describe_gauge!(figure.metric, Unit::Count, figure.about),
            Kind::Time => describe_gauge!(figure.metric, Unit::Seconds, figure.about),
        }
    }
    let (latency, frame) = (
        StreamingMetricsPlugin::<T>::LATENCY,
        StreamingMetricsPlugin::<T>::FRAME,
    );
    describe_histogram!(latency, Unit::Seconds, "From wanted to visible");
    describe_histogram!(frame, Unit::Seconds, "Main-thread time of a frame");
}

impl<T> fmt::Debug for StreamingMetricsPlugin<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamingMetricsPlugin")
            .finish_non_exhaustive()
    }
}
