//! The metrics of a stream: one table, so that diagnostics and the `metrics` facade cannot differ.

use super::snapshot::StreamingSnapshot;
use core::time::Duration;

/// One metric, and how it is read from a snapshot.
#[derive(Debug)]
pub(super) struct Metric {
    /// Its path among Bevy's diagnostics.
    pub(super) path: &'static str,
    /// Its name in the `metrics` facade.
    #[cfg(feature = "metrics")]
    pub(super) name: &'static str,
    pub(super) kind: MetricKind,
    /// Its description on a dashboard.
    #[cfg(feature = "metrics")]
    pub(super) about: &'static str,
    /// Times in seconds, shares from 0 to 1.
    pub(super) read: fn(&StreamingSnapshot) -> f64,
}

/// What sort of number a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MetricKind {
    /// A sum, which only grows.
    Count,
    /// A number at this moment, or a share.
    Level,
    /// A time.
    Time,
}

macro_rules! metric_table {
    ($($kind:ident $name:literal $unit:literal $about:literal $read:expr;)*) => {
        /// Every metric.
        pub(super) const METRICS: &[Metric] = &[$(Metric {
            path: concat!("chunk/", $name),
            #[cfg(feature = "metrics")]
            name: concat!("chunk_", $name, $unit),
            kind: MetricKind::$kind,
            #[cfg(feature = "metrics")]
            about: $about,
            read: $read,
        }),*];
    };
}

metric_table! {
    Level "queued" "" "Jobs that are not started" |s| s.depths.queued as f64;
    Level "in_flight" "" "Jobs on workers" |s| s.depths.in_flight as f64;
    Level "completed" "" "Results not yet taken over by the main thread" |s| s.depths.completed as f64;
    Level "backlog" "" "Results taken over and not yet visible" |s| s.depths.backlog as f64;
    Level "quarantined" "" "Chunks that failed and were not asked for again" |s| s.quarantined_chunks as f64;
    Level "wanted" "" "Chunks that are wanted" |s| s.wanted_chunks as f64;
    Level "loaded" "" "Chunks that are there" |s| s.loaded_chunks as f64;
    Level "unloading" "" "Chunks that are hidden and not yet despawned" |s| s.unloading_chunks as f64;
    Level "unsaved" "" "Chunks that are kept because saving them failed or has no room" |s| s.unsaved_chunks as f64;
    Level "dirty" "" "Chunks that were changed since they were saved" |s| s.dirty_chunks as f64;
    Level "undurable" "" "Chunks that were handed to an archive and are not durable" |s| s.undurable_chunks as f64;
    Level "gated" "" "Chunks that are spawned and wait for their gates" |s| s.gated_chunks as f64;
    Level "held_back" "" "Chunks that there is no room for" |s| s.held_back_chunks as f64;
    Level "entities" "" "Entities of the chunks that are there" |s| s.loaded_entities as f64;
    Level "bytes" "" "Bytes uploaded for chunks that are not despawned" |s| s.loaded_bytes as f64;
    Level "max_in_flight" "" "Jobs that may be on workers" |s| s.concurrency.limit as f64;
    Level "cancelled_share" "" "Share of the requests that was withdrawn" StreamingSnapshot::cancelled_share;
    Level "stale_share" "" "Share of the requests that was superseded" StreamingSnapshot::stale_share;
    Level "wasted_share" "" "Share of what was generated that was never applied" StreamingSnapshot::wasted_share;
    Count "requested" "_total" "Requests that made a job" |s| s.counters.requested as f64;
    Count "applied" "_total" "Jobs whose chunk became visible" |s| s.counters.applied as f64;
    Count "cancelled" "_total" "Jobs that were withdrawn" |s| s.counters.cancelled as f64;
    Count "stale" "_total" "Jobs that were superseded" |s| s.counters.stale as f64;
    Count "failed" "_total" "Jobs that gave up" |s| s.counters.failed as f64;
    Count "retried" "_total" "Attempts after a job's first" |s| s.counters.retried as f64;
    Count "failures" "_total" "Attempts that failed" |s| s.counters.failures as f64;
    Count "not_yet" "_total" "Attempts that came too early" |s| s.counters.not_yet as f64;
    Count "panics" "_total" "Panics that were caught" |s| s.counters.panics as f64;
    Count "generated" "_total" "Attempts that made a result" |s| s.counters.generated as f64;
    Count "wasted" "_total" "Chunks that were generated and never applied" |s| s.wasted.chunks as f64;
    Count "missed" "_total" "Chunks that left before they were shown" |s| s.totals.missed as f64;
    Count "unloaded" "_total" "Chunks whose last entity is gone" |s| s.totals.unloaded as f64;
    Count "saved" "_total" "Calls of the save hook that succeeded" |s| s.totals.saved as f64;
    Count "observer_panics" "_total" "Panics of observers and hooks that were caught" |s| s.totals.panics as f64;
    Count "late_gates" "_total" "Chunks whose gates were closed for too long" |s| s.totals.late_gates as f64;
    Count "save_failures" "_total" "Calls of the save hook that failed" |s| s.totals.save_failures as f64;
    Time "wasted_time" "_seconds" "Time of generators whose result was never applied" |s| seconds(s.wasted.time);
    Time "main_thread" "_seconds" "Main-thread time of the last frame" |s| seconds(s.frame.main_thread());
    Time "overshoot" "_seconds" "Time over the budget in the last frame" |s| seconds(s.frame.apply.overshoot);
    Time "overshoot_p99" "_seconds" "Time over the budget, 99th percentile of frames" |s| seconds(s.overshoots.p99);
    Time "overshoot_max" "_seconds" "Time over the budget, worst frame" |s| seconds(s.overshoots.max);
    Time "apply_p50" "_seconds" "Time of a frame's work on the world, median" |s| seconds(s.apply_times.p50);
    Time "apply_p99" "_seconds" "Time of a frame's work on the world, 99th percentile" |s| seconds(s.apply_times.p99);
    Time "apply_max" "_seconds" "Time of a frame's work on the world, longest" |s| seconds(s.apply_times.max);
    Time "generation_p50" "_seconds" "Time of a generator, median" |s| seconds(s.generation_times.p50);
    Time "generation_p99" "_seconds" "Time of a generator, 99th percentile" |s| seconds(s.generation_times.p99);
    Time "generation_max" "_seconds" "Time of a generator, longest" |s| seconds(s.generation_times.max);
    Time "latency_p50" "_seconds" "From wanted to visible, median" |s| seconds(s.latencies.shown.p50);
    Time "latency_p99" "_seconds" "From wanted to visible, 99th percentile" |s| seconds(s.latencies.shown.p99);
    Time "latency_max" "_seconds" "From wanted to visible, longest" |s| seconds(s.latencies.shown.max);
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_metrics_share_a_path() {
        let mut paths: Vec<_> = METRICS.iter().map(|metric| metric.path).collect();
        paths.sort_unstable();
        let all = paths.len();
        paths.dedup();
        assert_eq!(paths.len(), all);
    }

    #[cfg(feature = "metrics")]
    #[test]
    fn a_metric_says_its_unit() {
        for metric in METRICS {
            let is_count = metric.name.ends_with("_total");
            let is_time = metric.name.ends_with("_seconds");
            assert_eq!(
                is_count,
                metric.kind == MetricKind::Count,
                "{}",
                metric.name
            );
            assert_eq!(is_time, metric.kind == MetricKind::Time, "{}", metric.name);
        }
    }
}
