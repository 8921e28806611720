//! What the overlay shows, drawn on a canvas.

use chunk_apply::StreamingSnapshot;

use super::controls::HELP;
use crate::chart::{Canvas, ChunkState, Rgba, Still, map};

/// Everything that the overlay shows.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    pub(super) snapshot: StreamingSnapshot,
    /// Main-thread times of the last frames in milliseconds, the latest last.
    pub(super) times: &'a [f32],
    /// What a frame may spend, in milliseconds.
    pub(super) budget: Option<f32>,
    pub(super) frames_per_second: f32,
    pub(super) is_paused: bool,
    pub(super) panics: bool,
    pub(super) help: bool,
    pub(super) still: &'a Still,
    pub(super) reach: u32,
}

const SHADE: Rgba = [12, 16, 24, 170];
const INK: Rgba = [235, 240, 246, 255];
const FAINT: Rgba = [160, 170, 184, 255];
const GOOD: Rgba = [110, 200, 140, 255];
const BAD: Rgba = [240, 90, 80, 255];
const CLEAR: Rgba = [0, 0, 0, 0];
const LINE: i32 = 20;

/// Draws the overlay: figures at the top left, the frame-time graph below them, the minimap at the top right, the keys
/// at the bottom.
pub(super) fn sketch(canvas: &mut Canvas, shown: &Shown<'_>) {
    canvas.clear(CLEAR);
    figures(canvas, shown);
    graph(canvas, shown);
    minimap(canvas, shown);
    if shown.help {
        help(canvas);
    }
}

fn figures(canvas: &mut Canvas, shown: &Shown<'_>) {
    let StreamingSnapshot {
        depths,
        counters,
        frame,
        ..
    } = shown.snapshot;
    let mut lines = vec![
        format!(
            "{} of {} chunks, {} entities",
            shown.snapshot.loaded_chunks,
            shown.snapshot.wanted_chunks,
            shown.snapshot.loaded_entities
        ),
        format!("queued {}  in flight {}", depths.queued, depths.in_flight),
        format!(
            "backlog {}  unloading {}",
            depths.completed + depths.backlog,
            shown.snapshot.unloading_chunks
        ),
        format!("failed {}  panics {}", depths.quarantined, counters.panics),
        format!(
            "stream {:.2} ms, {:.0} frames/s",
            frame.main_thread().as_secs_f64() * 1e3,
            shown.frames_per_second
        ),
    ];
    if shown.is_paused {
        lines.push("PAUSED".to_owned());
    }
    if shown.panics {
        lines.push("PANICS ON".to_owned());
    }
    canvas.fill(12, 12, 400, 12 + LINE * lines.len() as i32, SHADE);
    for (number, line) in (0..).zip(&lines) {
        let is_loud = line.chars().all(|letter| !letter.is_lowercase());
        let ink = if is_loud { BAD } else { INK };
        canvas.text(20, 20 + LINE * number, 2, ink, line);
    }
}

/// One bar for each frame; the budget is the line.
fn graph(canvas: &mut Canvas, shown: &Shown<'_>) {
    let (left, top, width, height) = (12, 184, 400, 90);
    canvas.fill(left, top, width, height, SHADE);
    let budget = shown.budget.unwrap_or(16.7);
    let highest = 2.0 * budget;
    let dots = |ms: f32| ((ms / highest).min(1.0) * (height - 4) as f32) as i32;
    let first = shown.times.len().saturating_sub(width as usize / 2);
    for (number, ms) in (0..).zip(&shown.times[first..]) {
        let ink = if *ms > budget { BAD } else { GOOD };
        let bar = dots(*ms).max(1);
        canvas.fill(left + 2 * number, top + height - bar, 2, bar, ink);
    }
    let line = top + height - dots(budget);
    canvas.fill(left, line, width, 1, INK);
    let label = format!("budget {budget:.2} ms");
    canvas.text(left + 6, line - 10, 1, FAINT, &label);
}

fn minimap(canvas: &mut Canvas, shown: &Shown<'_>) {
    let cell = (230 / (2 * shown.reach + 1)).max(2);
    let map = map(shown.still, &[], shown.reach, cell);
    let side = i32::try_from(map.width()).unwrap_or(0);
    let left = i32::try_from(canvas.width()).unwrap_or(0) - side - 16;
    canvas.fill(left - 6, 10, side + 12, side + 66, SHADE);
    canvas.lay(left, 16, &map);
    for (number, state) in (0..).zip(ChunkState::ALL) {
        let [x, y] = [left + number % 3 * (side / 3), side + 26 + number / 3 * 22];
        canvas.fill(x, y, 10, 10, state.colour());
        canvas.text(x + 14, y + 1, 1, INK, state.name());
    }
}

fn help(canvas: &mut Canvas) {
    let height = 8 + LINE * (HELP.len() as i32 - 1);
    let top = i32::try_from(canvas.height()).unwrap_or(0) - height - 12;
    canvas.fill(12, top, 830, height, SHADE);
    for (number, line) in (0..).zip(HELP) {
        canvas.text(20, top + 6 + LINE * number, 2, INK, line);
    }
}
