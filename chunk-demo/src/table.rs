//! A report for people.

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, Table};

use crate::harness::Outcome;

/// The figures of one run, a line each.
#[must_use]
pub fn table(outcome: &Outcome) -> String {
    let report = &outcome.report;
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY);
    table.set_header([report.scenario.as_str(), ""]);
    let mut row = |name: &str, value: String| {
        table.add_row([name, &value]);
    };
    let viewers = match report.viewers {
        1 => "1 viewer".to_owned(),
        viewers => format!("{viewers} viewers"),
    };
    row(
        "run",
        format!(
            "{:.1} s, {} frames, {viewers}, seed {}",
            report.seconds, report.frames, report.seed
        ),
    );
    row(
        "chunks",
        format!(
            "{} requested, {} generated, {} applied, {} unloaded",
            report.requested, report.generated, report.applied, report.unloaded
        ),
    );
    row(
        "given up",
        format!(
            "{} cancelled, {} stale, {} failed",
            report.cancelled, report.stale, report.failed
        ),
    );
    row(
        "panics",
        format!(
            "{}, {} retried, {} quarantined",
            report.panics, report.retried, report.quarantined
        ),
    );
    row(
        "under way at the end",
        format!(
            "{} queued, {} in flight, {} completed, {} in the backlog",
            report.queued, report.in_flight, report.completed, report.backlog
        ),
    );
    row(
        "loaded at the end",
        format!(
            "{} chunks, {} entities, {} expected",
            report.loaded_chunks, report.loaded_entities, report.expected_entities
        ),
    );
    row(
        "assets",
        format!(
            "{}; one for each entity would be {}",
            report.assets, report.assets_without_sharing
        ),
    );
    row(
        "workers",
        format!(
            "{} in flight at most; threads in the pool: {}",
            outcome.max_in_flight, outcome.pool_threads
        ),
    );
    row(
        "generation",
        format!(
            "mean {} µs, p50 {} µs, p99 {} µs, max {} µs",
            report.generation_us_mean,
            report.generation_us_p50,
            report.generation_us_p99,
            report.generation_us_max
        ),
    );
    row(
        "main thread a frame",
        format!(
            "p50 {} µs, p99 {} µs, max {} µs",
            report.main_thread_us_p50, report.main_thread_us_p99, report.main_thread_us_max
        ),
    );
    let budget = if report.budget_us > 0.0 {
        format!(
            "{} µs; {} frames over it",
            report.budget_us, report.frames_over_budget
        )
    } else {
        "no limit by time".to_owned()
    };
    row("budget a frame", budget);
    row(
        "frames over 16.7 ms",
        format!(
            "{}, whole frames; {} because of the stream",
            report.frames_over_16ms, outcome.late_by_stream
        ),
    );
    row(
        "wanted chunks present",
        format!("{:.2} %, over all frames", report.coverage * 100.0),
    );
    let seen = &outcome.observed;
    let since = match seen.warm_in_frame {
        Some(frame) => format!(
            "missing in {} frames from frame {frame} on",
            seen.frames_near_missing
        ),
        None => "the world did not warm up".to_owned(),
    };
    row("chunks near a viewer", since);
    row(
        "wanted to visible",
        format!(
            "p50 {} ms, p99 {} ms, max {} ms",
            report.latency_ms_p50, report.latency_ms_p99, report.latency_ms_max
        ),
    );
    row("peak memory", memory(report.peak_rss_bytes));
    let verdict = if !report.is_good() {
        report.violations.join("\n")
    } else if outcome.was_interrupted {
        "interrupted; every request is accounted for, and the loaded chunks are what they should be"
            .to_owned()
    } else {
        "everything held".to_owned()
    };
    row("audit", verdict);
    if let Some(names) = table.column_mut(0) {
        names.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

fn memory(bytes: u64) -> String {
    if bytes == 0 {
        "this system does not say".to_owned()
    } else {
        format!("{:.1} MiB", bytes as f64 / (1024.0 * 1024.0))
    }
}
