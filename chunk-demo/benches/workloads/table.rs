//! All contestants on one workload, side by side, as a Markdown table.

use core::fmt::Write;

use crate::driver::{Measured, Movement, Workload};
use crate::lineup::Outcome;

type Column = (&'static str, fn(&Measured) -> String);

pub(crate) fn render(workload: &Workload, outcomes: &[Outcome]) -> String {
    let columns = columns(workload.movement);
    let mut text = format!("### {}\n\n| | runs |", workload.name);
    for (head, _) in columns {
        // Writing to a string cannot fail.
        let _ = write!(text, " {head} |");
    }
    text += &format!("\n|---|---:|{}\n", "---:|".repeat(columns.len()));
    for outcome in outcomes {
        let _ = write!(text, "| {} | {} |", outcome.name, outcome.runs);
        for (_, cell) in columns {
            let _ = write!(text, " {} |", cell(&outcome.measured));
        }
        text.push('\n');
    }
    text
}

fn columns(movement: Movement) -> &'static [Column] {
    const MAIN: Column = ("main thread ms, p50 / p99 / max", |it| {
        format!(
            "{:.2} / {:.2} / {:.2}",
            it.main_ms_p50, it.main_ms_p99, it.main_ms_max
        )
    });
    const WHOLE: Column = ("whole frame ms, p99 / max", |it| {
        format!("{:.2} / {:.2}", it.frame_ms_p99, it.frame_ms_max)
    });
    const FRAMES: Column = ("frames, interrupted", |it| {
        format!("{}, {}", it.frames, it.interrupted)
    });
    const LATE: Column = ("late frames, of them interrupted", |it| {
        format!("{}, {}", it.late_all, it.late_all - it.late)
    });
    const LATENCY: Column = ("wanted to shown ms, p50 / p99", |it| {
        format!("{:.0} / {:.0}", it.latency_ms_p50, it.latency_ms_p99)
    });
    const LATENCY_FRAMES: Column = ("in frames, p99", |it| it.latency_frames_p99.to_string());
    const PRESENT: Column = ("present", |it| format!("{:.2} %", it.coverage * 100.0));
    const WASTED: Column = ("made in vain", |it| it.wasted.to_string());
    const LEAKED: Column = ("entities leaked", |it| it.leaked.to_string());
    const MEMORY: Column = ("memory MB", |it| format!("{:.1}", it.memory_mb));
    const RATE: Column = ("chunks/s", |it| {
        format!("{:.0}", it.shown / it.fill_ms.max(1e-3) * 1e3)
    });
    const FILL: Column = ("full after", |it| {
        format!("{:.0} ms, {} frames", it.fill_ms, it.fill_frames)
    });
    const MISSED: Column = ("never shown", |it| it.missed.to_string());
    const JUMPS: Column = ("places filled", |it| {
        format!("{} of {}", it.jumps_filled, it.jumps)
    });
    match movement {
        Movement::Fill => &[
            FILL, RATE, LATENCY, MAIN, WHOLE, LATE, FRAMES, WASTED, LEAKED, MEMORY,
        ],
        Movement::Flight => &[
            PRESENT,
            MISSED,
            LATENCY,
            LATENCY_FRAMES,
            MAIN,
            WHOLE,
            LATE,
            FRAMES,
            WASTED,
            LEAKED,
            MEMORY,
        ],
        Movement::Teleport => &[
            JUMPS, PRESENT, LATENCY, MAIN, WHOLE, LATE, FRAMES, WASTED, LEAKED, MEMORY,
        ],
    }
}
