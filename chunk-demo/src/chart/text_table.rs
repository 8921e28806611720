//! The figures of a run as text.

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, Table};

use crate::harness::Outcome;

/// The figures of one run, a line each.
#[must_use]
pub fn text_table(outcome: &Outcome) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY);
    table.set_header([outcome.report.scenario.as_str(), ""]);
    table.add_rows(rows(outcome).map(|(name, value)| [name.to_owned(), value]));
    if let Some(names) = table.column_mut(0) {
        names.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

/// The name and the value of each figure.
pub(super) fn rows(outcome: &Outcome) -> impl Iterator<Item = (&'static str, String)> {
    let seen = &outcome.observed;
    let report = &outcome.report;
    let run = format!(
        "{:.1} s, {} frames, viewers: {}, seed {}",
        report.seconds, report.frames, report.viewers, report.seed
    );
    let chunks = format!(
        "{} requested, {} generated, {} applied, {} unloaded",
        report.requested, report.generated, report.applied, report.unloaded
    );
    let given_up = format!(
        "{} cancelled, {} stale, {} failed",
        report.cancelled, report.stale, report.failed
    );
    let panics = format!(
        "{}, {} retried, {} quarantined",
        report.panics, report.retried, report.quarantined
    );
    let under_way = format!(
        "{} queued, {} in flight, {} completed, {} in the backlog",
        report.queued, report.in_flight, report.completed, report.backlog
    );
    let loaded = format!(
        "{} chunks, {} entities, {} expected",
        report.loaded_chunks, report.loaded_entities, report.expected_entities
    );
    let assets = match report.assets_without_sharing {
        0 => report.assets.to_string(),
        unshared => format!("{}; one for each entity would be {unshared}", report.assets),
    };
    let workers = format!(
        "{} in flight at most; threads in the pool: {}",
        outcome.max_in_flight, outcome.pool_threads
    );
    let generation = format!(
        "mean {} µs, p50 {} µs, p99 {} µs, max {} µs",
        report.generation_us_mean,
        report.generation_us_p50,
        report.generation_us_p99,
        report.generation_us_max
    );
    let main_thread = format!(
        "p50 {} µs, p99 {} µs, max {} µs",
        report.main_thread_us_p50, report.main_thread_us_p99, report.main_thread_us_max
    );
    let budget = match report.budget_us {
        0.0 => "no limit by time".to_owned(),
        budget => format!("{budget} µs; {} frames over it", report.frames_over_budget),
    };
    let whole = format!(
        "p50 {} µs, p99 {} µs, max {} µs; the stream caused p99 {} µs",
        report.whole_frame_us_p50,
        report.whole_frame_us_p99,
        report.whole_frame_us_max,
        report.caused_us_p99
    );
    let late = format!(
        "{}, whole frames; {} because of the stream",
        report.frames_over_16ms, outcome.late_by_stream
    );
    let present = format!("{:.2} %, over all frames", report.coverage * 100.0);
    let near = seen.warm_in_frame.map_or_else(
        || "the world did not warm up".to_owned(),
        |frame| {
            format!(
                "missing in {} frames from frame {frame} on",
                seen.frames_near_missing
            )
        },
    );
    let latency = format!(
        "p50 {} ms, p99 {} ms, max {} ms",
        report.latency_ms_p50, report.latency_ms_p99, report.latency_ms_max
    );
    let memory = match report.peak_rss_bytes {
        0 => "this system does not say".to_owned(),
        bytes => format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)),
    };
    let audit = if !report.is_good() {
        report.violations.join("\n")
    } else if outcome.was_interrupted {
        "interrupted; every request is accounted for, and the loaded chunks are what they should be"
            .to_owned()
    } else {
        "everything held".to_owned()
    };
    [
        ("run", run),
        ("chunks", chunks),
        ("given up", given_up),
        ("panics", panics),
        ("under way at the end", under_way),
        ("loaded at the end", loaded),
        ("assets", assets),
        ("workers", workers),
        ("generation", generation),
        ("main thread a frame", main_thread),
        ("budget a frame", budget),
        ("whole frame", whole),
        ("frames over 16.7 ms", late),
        ("wanted chunks present", present),
        ("chunks near a viewer", near),
        ("wanted to visible", latency),
        ("peak memory", memory),
        ("audit", audit),
    ]
    .into_iter()
}
