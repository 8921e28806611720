//! What the overlay shows, drawn on a canvas.

use std::collections::VecDeque;

use chunk_apply::StreamingSnapshot;

use super::controls::HELP;
use crate::chart::{Canvas, ChunkState, Letters, Rgba, Still, map};
use crate::render::Batches;

/// Everything that the overlay shows.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    pub(super) snapshot: StreamingSnapshot,
    /// Main-thread times of the last frames in milliseconds, the latest last.
    pub(super) times: &'a VecDeque<f32>,
    /// What a frame may spend, in milliseconds.
    pub(super) budget: Option<f32>,
    pub(super) frames_per_second: f64,
    pub(super) batches: Batches,
    pub(super) radius: u32,
    pub(super) is_paused: bool,
    pub(super) panics: bool,
    pub(super) help: bool,
    pub(super) still: &'a Still,
    pub(super) reach: u32,
}

/// The adapter mixes in linear light, where a little of a bright sky goes a long way.
const SHADE: Rgba = [12, 16, 24, 215];
const INK: Rgba = [235, 240, 246, 255];
const FAINT: Rgba = [164, 174, 190, 255];
const GOOD: Rgba = [110, 200, 140, 255];
const BAD: Rgba = [255, 112, 100, 255];
const CLEAR: Rgba = [0, 0, 0, 0];
const MARGIN: i32 = 12;
const PAD: i32 = 8;
const LINE: i32 = 20;
const WIDTH: i32 = 360;
/// Where a value begins, after its name.
const COLUMN: i32 = 100;

/// Draws the overlay: figures at the top left, the frame-time graph below them, the minimap at the top right, the keys
/// at the bottom.
pub(super) fn sketch(canvas: &mut Canvas, shown: &Shown<'_>) {
    canvas.clear(CLEAR);
    let bottom = figures(canvas, shown);
    graph(canvas, shown, bottom + MARGIN / 2);
    minimap(canvas, shown);
    if shown.help {
        help(canvas);
    }
}

/// Returns where the panel ends.
fn figures(canvas: &mut Canvas, shown: &Shown<'_>) -> i32 {
    let StreamingSnapshot {
        depths,
        counters,
        frame,
        ..
    } = shown.snapshot;
    let lines = [
        (
            "chunks",
            format!(
                "{} of {}, radius {}",
                shown.snapshot.loaded_chunks, shown.snapshot.wanted_chunks, shown.radius
            ),
        ),
        ("entities", shown.snapshot.loaded_entities.to_string()),
        ("queued", depths.queued.to_string()),
        ("in flight", depths.in_flight.to_string()),
        ("backlog", (depths.completed + depths.backlog).to_string()),
        ("unloading", shown.snapshot.unloading_chunks.to_string()),
        (
            "failed",
            format!("{}, after {} panics", depths.quarantined, counters.panics),
        ),
        (
            "stream",
            format!("{:.2} ms a frame", frame.main_thread().as_secs_f64() * 1e3),
        ),
        ("frames", format!("{:.0} a second", shown.frames_per_second)),
        (
            "batches",
            format!(
                "{} opaque, {} shadow",
                shown.batches.opaque, shown.batches.shadows
            ),
        ),
    ];
    let alarms = [
        (shown.is_paused, "PAUSED: P goes on"),
        (shown.panics, "PANICS: F ends them"),
    ];
    let alarms = alarms
        .into_iter()
        .filter_map(|(is_on, text)| is_on.then_some(text));
    let rows = lines.len() + alarms.clone().count();
    let height = 2 * PAD + LINE * i32::try_from(rows).unwrap_or(0);
    canvas.fill(MARGIN, MARGIN, WIDTH, height, SHADE);
    let left = MARGIN + PAD;
    let mut top = MARGIN + PAD;
    for (name, value) in &lines {
        canvas.text(left, top, Letters::Large, FAINT, name);
        canvas.text(left + COLUMN, top, Letters::Large, INK, value);
        top += LINE;
    }
    for alarm in alarms {
        canvas.text(left, top, Letters::Large, BAD, alarm);
        top += LINE;
    }
    MARGIN + height
}

/// One bar for each frame; the budget is the line.
fn graph(canvas: &mut Canvas, shown: &Shown<'_>, top: i32) {
    let (left, height) = (MARGIN, 90);
    canvas.fill(left, top, WIDTH, height, SHADE);
    let budget = shown.budget.unwrap_or(1e3 / 60.0);
    let highest = 2.0 * budget;
    let dots = |ms: f32| ((ms / highest).min(1.0) * (height - 4) as f32) as i32;
    let bars = WIDTH / 2;
    // The latest is always at the right.
    let shown_times = shown.times.iter().rev().zip((0..bars).rev());
    for (ms, number) in shown_times {
        let ink = if *ms > budget { BAD } else { GOOD };
        let bar = dots(*ms).max(1);
        canvas.fill(left + 2 * number, top + height - bar, 2, bar, ink);
    }
    let line = top + height - dots(budget);
    canvas.fill(left, line, WIDTH, 1, INK);
    let label = match shown.budget {
        Some(budget) => format!("budget {budget:.2} ms"),
        None => "no budget; a sixtieth of a second".to_owned(),
    };
    canvas.text(left + PAD, line - 12, Letters::Small, INK, &label);
}

fn minimap(canvas: &mut Canvas, shown: &Shown<'_>) {
    let cell = (230 / (2 * shown.reach + 1)).max(2);
    let map = map(shown.still, &[], shown.reach, cell);
    let side = i32::try_from(map.width()).unwrap_or(0);
    let left = i32::try_from(canvas.width()).unwrap_or(0) - side - MARGIN - PAD;
    let top = MARGIN + PAD;
    let rows = i32::try_from(ChunkState::ALL.len().div_ceil(LEGEND)).unwrap_or(0);
    let height = side + 3 * PAD + 16 * rows;
    canvas.fill(left - PAD, MARGIN, side + 2 * PAD, height, SHADE);
    canvas.lay(left, top, &map);
    let columns = i32::try_from(LEGEND).unwrap_or(1);
    for (number, state) in (0..).zip(ChunkState::ALL) {
        let x = left + number % columns * (side / columns);
        let y = top + side + PAD + number / columns * 16;
        canvas.fill(x, y, 10, 10, state.colour());
        canvas.text(x + 14, y, Letters::Small, INK, state.name());
    }
}

/// States in a row of the legend.
const LEGEND: usize = 3;

fn help(canvas: &mut Canvas) {
    let rows = HELP.len().div_ceil(2);
    let height = 2 * PAD + LINE * i32::try_from(rows).unwrap_or(0);
    let (keys, column) = (9 * Letters::Large.advance(), 400);
    let top = i32::try_from(canvas.height()).unwrap_or(0) - height - MARGIN;
    canvas.fill(MARGIN, top, 2 * column + 2 * PAD + LINE, height, SHADE);
    for (number, (key, purpose)) in HELP.iter().enumerate() {
        let [column, row] = [number / rows, number % rows].map(|at| i32::try_from(at).unwrap_or(0));
        let (x, y) = (MARGIN + PAD + 400 * column, top + PAD + LINE * row);
        canvas.text(x, y, Letters::Large, INK, key);
        canvas.text(x + keys, y, Letters::Large, FAINT, purpose);
    }
}

#[cfg(test)]
mod tests {
    use chunk_apply::{ChunkIndex, ChunkStream};
    use chunk_coord::ChunkCoord;

    use super::*;
    use crate::city::CityChunk;
    use crate::{Settings, city_app};

    fn drawn(change: impl FnOnce(&mut Shown<'_>)) -> Canvas {
        let app = city_app(&Settings::default()).expect("the defaults make sense");
        let index = app.world().resource::<ChunkIndex<CityChunk>>();
        let stream = app.world().resource::<ChunkStream<CityChunk>>();
        let still = Still {
            viewers: vec![ChunkCoord::ORIGIN],
            chunks: (0..)
                .zip(ChunkState::ALL)
                .map(|(x, state)| (ChunkCoord::planar(x - 3, 1), state))
                .collect(),
            ..Still::default()
        };
        let times = VecDeque::from([0.5, 1.0, 9.0]);
        let mut shown = Shown {
            snapshot: stream.snapshot(index),
            times: &times,
            budget: Some(2.0),
            frames_per_second: 60.0,
            batches: Batches::default(),
            radius: 12,
            is_paused: false,
            panics: false,
            help: false,
            still: &still,
            reach: 4,
        };
        change(&mut shown);
        let mut canvas = Canvas::new(1280, 720, CLEAR);
        sketch(&mut canvas, &shown);
        canvas
    }

    /// How many dots of a part of the picture have this colour.
    fn dots(canvas: &Canvas, x: core::ops::Range<usize>, colour: Rgba) -> usize {
        x.flat_map(|x| (0..canvas.height()).map(move |y| (x, y)))
            .filter(|(x, y)| canvas.dot(*x, *y) == Some(colour))
            .count()
    }

    #[test]
    fn every_state_is_on_the_minimap_and_in_its_legend() {
        let canvas = drawn(|_| {});
        for state in ChunkState::ALL {
            let dots = dots(&canvas, 1000..1280, state.colour());
            assert!(dots > 100 + 24 * 24 / 2, "{state:?}: {dots}");
        }
    }

    #[test]
    fn frames_over_the_budget_stand_out() {
        let canvas = drawn(|_| {});
        // Two bars below the line and one above it, the latest at the right.
        assert_eq!(dots(&canvas, 366..368, GOOD), 2 * 10);
        assert_eq!(dots(&canvas, 368..370, GOOD), 2 * 21);
        assert_eq!(dots(&canvas, 370..372, BAD), 2 * 86 - 2);
        assert_eq!(dots(&canvas, 366..370, BAD), 0);
    }

    #[test]
    fn what_is_disturbed_is_said_and_keys_are_listed_on_demand() {
        let quiet = drawn(|_| {});
        assert_eq!(dots(&quiet, 0..300, BAD), 0);
        let paused = drawn(|shown| shown.is_paused = true);
        assert!(dots(&paused, 0..300, BAD) > 100);
        let helped = drawn(|shown| shown.help = true);
        assert!(dots(&helped, 400..800, FAINT) > dots(&quiet, 400..800, FAINT) + 500);
    }
}
