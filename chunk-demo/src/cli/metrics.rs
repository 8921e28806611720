//! What `--metrics-addr` switches on.

use chunk_demo::Workload;
use chunk_demo::city::CityChunk;

use crate::metrics_server::MetricsServer;

/// The city, telling what its stream does.
#[cfg(feature = "metrics")]
pub(crate) fn tell(city: Workload<CityChunk>) -> Workload<CityChunk> {
    city.prepared_by(|app| {
        app.add_plugins(chunk_apply::StreamingMetricsPlugin::<CityChunk>::default());
    })
}

/// Serves what is told from now on until the server is dropped.
#[cfg(feature = "metrics")]
pub(crate) fn serve(address: &str) -> Result<MetricsServer, String> {
    use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};

    // From a quarter of a frame at 60 Hz to five seconds. With fixed buckets several runs can be added up.
    const SECONDS: [f64; 11] = [
        0.004, 0.008, 0.017, 0.034, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
    ];
    let latency = chunk_apply::StreamingMetricsPlugin::<CityChunk>::LATENCY;
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(latency.to_owned()), &SECONDS)
        .map_err(|error| format!("no metrics: {error}"))?;
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    let server = MetricsServer::start(address, move |is_asked| {
        // Values pile up until somebody sorts them in.
        handle.run_upkeep();
        if is_asked {
            handle.render()
        } else {
            String::new()
        }
    })?;
    ::metrics::set_global_recorder(recorder).map_err(|error| format!("no metrics: {error}"))?;
    eprintln!("metrics are at http://{}/metrics", server.address());
    Ok(server)
}

/// Tells nobody, because nobody listens.
#[cfg(not(feature = "metrics"))]
pub(crate) fn tell(city: Workload<CityChunk>) -> Workload<CityChunk> {
    city
}

/// Says what is missing.
#[cfg(not(feature = "metrics"))]
pub(crate) fn serve(_address: &str) -> Result<MetricsServer, String> {
    Err(
        "--metrics-addr: this chunk-demo was built without the feature `metrics`, which `cargo xtask demo \
         --metrics-addr ADDRESS:PORT` switches on"
            .to_owned(),
    )
}
