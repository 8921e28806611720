//! What `--metrics-addr` switches on.

use chunk_demo::Workload;

/// Serves the stream's figures to Prometheus until the program ends.
#[cfg(feature = "metrics")]
pub(crate) fn serve<T: Send + Sync + 'static>(
    address: &str,
    workload: Workload<T>,
) -> Result<Workload<T>, String> {
    use std::net::{SocketAddr, TcpListener};

    use chunk_apply::StreamingMetricsPlugin;
    use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};

    // From a quarter of a frame at 60 Hz to five seconds. The figures of several runs can be added up because the
    // buckets are fixed.
    const SECONDS: [f64; 11] = [
        0.004, 0.008, 0.017, 0.034, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
    ];
    let parsed: SocketAddr = address.parse().map_err(|_| {
        format!(
            "--metrics-addr cannot be `{address}`: it must be an address and a port, such as 127.0.0.1:9100"
        )
    })?;
    // The exporter does not say which port it got for port 0, so a free one is looked up here.
    let free = TcpListener::bind(parsed).and_then(|listener| listener.local_addr());
    let free =
        free.map_err(|error| format!("--metrics-addr {address} cannot be listened on: {error}"))?;
    PrometheusBuilder::new()
        .with_http_listener(free)
        .set_buckets_for_metric(
            Matcher::Full(StreamingMetricsPlugin::<T>::LATENCY.to_owned()),
            &SECONDS,
        )
        .and_then(PrometheusBuilder::install)
        .map_err(|error| format!("no metrics: {error}"))?;
    eprintln!("metrics are at http://{free}/metrics");
    Ok(workload.prepared_by(|app| {
        app.add_plugins(StreamingMetricsPlugin::<T>::default());
    }))
}

/// Says which feature is missing.
#[cfg(not(feature = "metrics"))]
pub(crate) fn serve<T>(_address: &str, _workload: Workload<T>) -> Result<Workload<T>, String> {
    Err(
        "--metrics-addr: this chunk-demo was built without the feature `metrics`, which `cargo xtask demo \
         --metrics-addr ADDRESS:PORT` switches on"
            .to_owned(),
    )
}
