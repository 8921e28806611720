//! A folder with a page that shows a run.

use core::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::film::Film;
use super::map::filmstrip;
use super::plot::{depths, frame_times};
use crate::harness::Outcome;

/// Writes `index.html`, `chunks.png`, `frames.svg`, `depths.svg` and `report.json` to a folder, which is made if need
/// be. The page needs nothing else, and no network. Returns the page's path.
///
/// # Errors
///
/// If something cannot be drawn or written.
pub fn write_page(
    folder: &Path,
    outcome: &Outcome,
    film: &Film,
    budget: Option<Duration>,
) -> io::Result<PathBuf> {
    let plotted = |plot: Result<String, Box<dyn core::error::Error>>| {
        plot.map_err(|error| io::Error::other(error.to_string()))
    };
    std::fs::create_dir_all(folder)?;
    filmstrip(film).save(&folder.join("chunks.png"))?;
    std::fs::write(
        folder.join("frames.svg"),
        plotted(frame_times(film, budget))?,
    )?;
    std::fs::write(folder.join("depths.svg"), plotted(depths(film))?)?;
    let json = serde_json::to_string_pretty(&outcome.report)?;
    std::fs::write(folder.join("report.json"), &json)?;
    let page = folder.join("index.html");
    std::fs::write(&page, html(outcome, film, &json))?;
    Ok(page)
}

fn html(outcome: &Outcome, film: &Film, json: &str) -> String {
    let report = &outcome.report;
    let verdict = if report.violations.is_empty() {
        "<p class=good>Everything held.</p>".to_owned()
    } else {
        let mut list = String::from("<ul class=bad>");
        for violation in &report.violations {
            list += &format!("<li>{}</li>", escaped(violation));
        }
        list + "</ul>"
    };
    let moments = film.moments.len().max(1) as f64;
    let motion: f64 = film
        .moments
        .iter()
        .map(|moment| moment.motion.as_secs_f64())
        .sum();
    let rows = [
        ("chunks requested", report.requested.to_string()),
        ("applied", report.applied.to_string()),
        ("unloaded", report.unloaded.to_string()),
        (
            "entities loaded at the end",
            report.loaded_entities.to_string(),
        ),
        ("meshes and materials", report.assets.to_string()),
        (
            "wanted chunks there, average",
            format!("{:.1} %", report.coverage * 100.0),
        ),
        (
            "main thread, median",
            format!("{} us", report.main_thread_us_p50),
        ),
        (
            "main thread, 99th percentile",
            format!("{} us", report.main_thread_us_p99),
        ),
        (
            "main thread, longest",
            format!("{} us", report.main_thread_us_max),
        ),
        (
            "from wanted to visible, median",
            format!("{} ms", report.latency_ms_p50),
        ),
        (
            "moving vehicles and people, mean",
            format!("{:.1} us", motion / moments * 1e6),
        ),
    ];
    let mut table = String::new();
    for (name, value) in rows {
        // Writing to a string cannot fail.
        let _ = write!(
            table,
            "<tr><th>{name}</th><td>{}</td></tr>",
            escaped(&value)
        );
    }
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{name}</title><style>{STYLE}</style>\
         <h1>{name}</h1><p>{seconds:.1} s, {frames} frames, {viewers} viewer(s), seed {seed}</p>{verdict}\
         <h2>Where the chunks were</h2><img src=chunks.png alt=\"Maps of chunk states along the way\">\
         <p>Around the first viewer, white; its way is the white line.</p>\
         <h2>Time</h2><img src=frames.svg alt=\"Main-thread time of each frame\">\
         <h2>Queues</h2><img src=depths.svg alt=\"Chunks queued, in flight, in the backlog and there\">\
         <h2>Figures</h2><table>{table}</table>\
         <details><summary>All figures (<a href=report.json>report.json</a>)</summary><pre>{json}</pre></details>\
         </html>\n",
        name = escaped(&report.scenario),
        seconds = report.seconds,
        frames = report.frames,
        viewers = report.viewers,
        seed = report.seed,
        json = escaped(json),
    )
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:1020px;margin:2em auto;padding:0 1em;\
    color:#222}img{max-width:100%}th{text-align:left;font-weight:normal;padding-right:2em}td{text-align:right;\
    font-variant-numeric:tabular-nums}.good{color:#2a7a46}.bad{color:#b3261e}pre{background:#f4f4f4;padding:1em}";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
