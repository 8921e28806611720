//! A folder with a page that shows a run.

use core::error::Error;
use core::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::map::map_strip;
use super::plot::{depths, frame_times};
use super::text_table::rows;
use super::timeline::Timeline;
use crate::harness::Outcome;

/// Writes `index.html`, `chunks.png`, `frames.svg`, `depths.svg` and `report.json` to a folder and returns the page's
/// path. A missing folder is created. The page needs no other file and no network.
///
/// # Errors
///
/// If something cannot be drawn or written.
pub fn write_page(
    folder: &Path,
    outcome: &Outcome,
    timeline: &Timeline,
    budget: Option<Duration>,
) -> io::Result<PathBuf> {
    let write = |name: &str, plot: Result<String, Box<dyn Error>>| {
        let plot = plot.map_err(|error| io::Error::other(error.to_string()))?;
        std::fs::write(folder.join(name), plot)
    };
    std::fs::create_dir_all(folder)?;
    let maps = map_strip(timeline).save(folder.join("chunks.png"));
    maps.map_err(io::Error::other)?;
    write("frames.svg", frame_times(timeline, budget))?;
    write("depths.svg", depths(timeline))?;
    let json = serde_json::to_string_pretty(&outcome.report)?;
    std::fs::write(folder.join("report.json"), &json)?;
    let page = folder.join("index.html");
    std::fs::write(&page, html(outcome, timeline, &json))?;
    Ok(page)
}

fn html(outcome: &Outcome, timeline: &Timeline, json: &str) -> String {
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
    let samples = &timeline.samples;
    let motion: Duration = samples.iter().map(|sample| sample.motion).sum();
    let motion = motion.as_secs_f64() * 1e6 / samples.len().max(1) as f64;
    let motion = format!("mean {motion:.1} µs");
    let mut table = String::new();
    for (name, value) in rows(outcome).chain([("motion a frame", motion)]) {
        // Writing to a string cannot fail.
        let _ = write!(
            table,
            "<tr><th>{name}</th><td>{}</td></tr>",
            escaped(&value)
        );
    }
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{name}</title><style>{STYLE}</style>\
         <h1>{name}</h1>{verdict}\
         <h2>Where the chunks were</h2><img src=chunks.png alt=\"Maps of chunk states along the way\">\
         <p>The white square in the middle is the first viewer, and the white line its path.</p>\
         <h2>Time</h2><img src=frames.svg alt=\"Main-thread time of each frame\">\
         <h2>Queues</h2><img src=depths.svg alt=\"Chunks queued, in flight, in the backlog and applied\">\
         <h2>Figures</h2><table>{table}</table>\
         <details><summary>All figures (<a href=report.json>report.json</a>)</summary><pre>{json}</pre></details>\
         </html>\n",
        name = escaped(&report.scenario),
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
