//! What the overlay shows, drawn as an image.

use std::collections::VecDeque;

use chunk_apply::StreamingSnapshot;
use image::imageops::overlay;
use image::{Rgba, RgbaImage};

use super::controls::{Asked, DIGGING, HELP, SAVING, Unsaved};
use crate::chart::{ChunkState, Color, LARGE, MapSnapshot, SMALL, fill, map, text};
use crate::render::batches::Batches;

/// Everything that the overlay shows.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    pub(super) stream: StreamingSnapshot,
    /// Main-thread times of the last frames in milliseconds, the latest last.
    pub(super) times: &'a VecDeque<f32>,
    /// What a frame may spend, in milliseconds.
    pub(super) budget: Option<f32>,
    pub(super) frames_per_second: f64,
    /// The work of a whole frame, in milliseconds.
    pub(super) whole: f64,
    pub(super) batches: Batches,
    pub(super) is_paused: bool,
    /// Whether new chunks panic.
    pub(super) panics: bool,
    pub(super) asked: Asked,
    pub(super) chunks: &'a MapSnapshot,
}

/// Behind the text. It is nearly opaque, because a bright sky shines through after mixing in linear light.
const SHADE: Color = Rgba([12, 16, 24, 215]);
const TEXT: Color = Rgba([235, 240, 246, 255]);
const FAINT_TEXT: Color = Rgba([164, 174, 190, 255]);
const GOOD: Color = Rgba([110, 200, 140, 255]);
const BAD: Color = Rgba([255, 112, 100, 255]);
const MARGIN: i32 = 12;
const PAD: i32 = 8;
const LINE: i32 = 20;
const WIDTH: i32 = 360;
/// Where a value begins, after its name.
const COLUMN: i32 = 100;

/// Draws the overlay: figures at the top left, the frame-time graph below them, the minimap at the top right, the keys
/// at the bottom. What it leaves out stays transparent.
pub(super) fn draw_overlay([width, height]: [u32; 2], shown: &Shown<'_>) -> RgbaImage {
    let mut image = RgbaImage::new(width, height);
    let bottom = figures(&mut image, shown);
    graph(&mut image, shown, bottom + MARGIN / 2);
    minimap(&mut image, shown);
    if shown.asked.digs {
        cross(&mut image);
    }
    if shown.asked.help {
        help(&mut image, shown.asked);
    }
    image
}

/// Returns where the panel ends.
fn figures(image: &mut RgbaImage, shown: &Shown<'_>) -> i32 {
    let StreamingSnapshot {
        depths,
        counters,
        frame,
        ..
    } = shown.stream;
    let chunks = format!(
        "{} of {}, radius {}",
        shown.stream.loaded_chunks, shown.stream.wanted_chunks, shown.asked.radius
    );
    let failed = format!(
        "{}, after {} panics",
        shown.stream.quarantined_chunks, counters.panics
    );
    let [main_thread_ms, caused_ms] =
        [frame.main_thread(), frame.caused()].map(|time| time.as_secs_f64() * 1e3);
    let batches = format!(
        "{} opaque, {} shadow",
        shown.batches.opaque, shown.batches.shadows
    );
    let mut lines = vec![
        ("chunks", chunks, TEXT),
        ("entities", shown.stream.loaded_entities.to_string(), TEXT),
        ("queued", depths.queued.to_string(), TEXT),
        ("in flight", depths.in_flight.to_string(), TEXT),
        (
            "backlog",
            (depths.completed + depths.backlog).to_string(),
            TEXT,
        ),
        ("unloading", shown.stream.unloading_chunks.to_string(), TEXT),
        ("failed", failed, TEXT),
        (
            "stream",
            format!("{main_thread_ms:.2} ms, causes {caused_ms:.1} ms"),
            TEXT,
        ),
        (
            "frames",
            format!(
                "{:.0} a second, {:.1} ms work",
                shown.frames_per_second, shown.whole
            ),
            TEXT,
        ),
        ("batches", batches, TEXT),
    ];
    if let Some(unsaved) = shown.asked.unsaved {
        let color = if unsaved.has_failed { BAD } else { TEXT };
        lines.push(("saved", saved(unsaved), color));
    }
    if shown.is_paused {
        lines.push(("", "PAUSED: P goes on".to_owned(), BAD));
    }
    if shown.panics {
        lines.push(("", "PANICS: F ends them".to_owned(), BAD));
    }
    let height = 2 * PAD + LINE * lines.len() as i32;
    fill(image, [MARGIN; 2], [WIDTH, height], SHADE);
    let left = MARGIN + PAD;
    for (row, (name, value, color)) in (0..).zip(&lines) {
        let top = MARGIN + PAD + LINE * row;
        text(image, [left, top], LARGE, FAINT_TEXT, name);
        text(image, [left + COLUMN, top], LARGE, *color, value);
    }
    MARGIN + height
}

/// How much of what one changed is saved.
fn saved(unsaved: Unsaved) -> String {
    let Unsaved {
        chunks,
        is_awaited,
        has_failed,
    } = unsaved;
    match chunks {
        0 => "all that was changed".to_owned(),
        _ if has_failed => format!("not {chunks} chunks, see the log"),
        _ if is_awaited => format!("saving, {chunks} chunks to go"),
        _ => format!("all but {chunks} chunks"),
    }
}

/// One bar for each frame. The line is the budget.
fn graph(image: &mut RgbaImage, shown: &Shown<'_>, top: i32) {
    let (left, height) = (MARGIN, 90);
    fill(image, [left, top], [WIDTH, height], SHADE);
    let budget = shown.budget.unwrap_or(1e3 / 60.0);
    let highest = 2.0 * budget;
    let pixels = |ms: f32| ((ms / highest).min(1.0) * (height - 4) as f32) as i32;
    // The latest frame is at the right.
    for (ms, number) in shown.times.iter().rev().zip((0..WIDTH / 2).rev()) {
        let color = if *ms > budget { BAD } else { GOOD };
        let bar = pixels(*ms).max(1);
        fill(
            image,
            [left + 2 * number, top + height - bar],
            [2, bar],
            color,
        );
    }
    let line = top + height - pixels(budget);
    fill(image, [left, line], [WIDTH, 1], TEXT);
    let label = match shown.budget {
        Some(budget) => format!("budget {budget:.2} ms"),
        None => "no budget; a sixtieth of a second".to_owned(),
    };
    text(image, [left + PAD, line - 12], SMALL, TEXT, &label);
}

fn minimap(image: &mut RgbaImage, shown: &Shown<'_>) {
    let reach = (shown.asked.unload_radius() + 1).min(50);
    let cell = (230 / (2 * reach + 1)).max(2);
    let map = map(shown.chunks, &[], reach, cell);
    let side = map.width() as i32;
    let (left, top) = (image.width() as i32 - side - MARGIN - PAD, MARGIN + PAD);
    let rows = ChunkState::ALL.len().div_ceil(LEGEND) as i32;
    let size = [side + 2 * PAD, side + 3 * PAD + 16 * rows];
    fill(image, [left - PAD, MARGIN], size, SHADE);
    overlay(image, &map, left.into(), top.into());
    for (number, state) in ChunkState::ALL.into_iter().enumerate() {
        let x = left + (number % LEGEND) as i32 * (side / LEGEND as i32);
        let y = top + side + PAD + (number / LEGEND) as i32 * 16;
        fill(image, [x, y], [10; 2], state.color());
        text(image, [x + 14, y], SMALL, TEXT, state.name());
    }
}

/// States in a row of the legend.
const LEGEND: usize = 3;

/// What one digs is in the middle.
fn cross(image: &mut RgbaImage) {
    let [x, y] = [image.width(), image.height()].map(|side| side as i32 / 2);
    fill(image, [x - 8, y - 1], [16, 2], TEXT);
    fill(image, [x - 1, y - 8], [2, 16], TEXT);
}

fn help(image: &mut RgbaImage, asked: Asked) {
    let digging = if asked.digs { &DIGGING[..] } else { &[] };
    let saving = if asked.unsaved.is_some() {
        &SAVING[..]
    } else {
        &[]
    };
    let keys_of = [&HELP[..], digging, saving].concat();
    let rows = keys_of.len().div_ceil(2);
    let height = 2 * PAD + LINE * rows as i32;
    let (keys, column) = (10 * LARGE.character_size.width as i32, 400);
    let top = image.height() as i32 - height - MARGIN;
    fill(
        image,
        [MARGIN, top],
        [2 * column + 2 * PAD + LINE, height],
        SHADE,
    );
    for (number, (key, purpose)) in keys_of.iter().enumerate() {
        let x = MARGIN + PAD + column * (number / rows) as i32;
        let y = top + PAD + LINE * (number % rows) as i32;
        text(image, [x, y], LARGE, TEXT, key);
        text(image, [x + keys, y], LARGE, FAINT_TEXT, purpose);
    }
}

#[cfg(test)]
mod tests {
    use chunk_apply::{ChunkIndex, ChunkStream};
    use chunk_coord::ChunkCoord;

    use super::*;
    use crate::city::CityChunk;
    use crate::{Settings, city_app};

    fn drawn(change: impl FnOnce(&mut Shown<'_>)) -> RgbaImage {
        let settings = Settings {
            radius: 2,
            unload_radius: 3,
            ..Settings::default()
        };
        let app = city_app(&settings).expect("the settings make sense");
        let index = app.world().resource::<ChunkIndex<CityChunk>>();
        let stream = app.world().resource::<ChunkStream<CityChunk>>();
        let chunks = MapSnapshot {
            viewers: vec![ChunkCoord::ORIGIN],
            chunks: (0..)
                .zip(ChunkState::ALL)
                .map(|(x, state)| (ChunkCoord::planar(x - 3, 1), state))
                .collect(),
            ..MapSnapshot::default()
        };
        let times = VecDeque::from([0.5, 1.0, 9.0]);
        let mut shown = Shown {
            stream: stream.snapshot(index),
            times: &times,
            budget: Some(2.0),
            whole: 7.0,
            frames_per_second: 60.0,
            batches: Batches::default(),
            is_paused: false,
            panics: false,
            asked: Asked::new(&settings),
            chunks: &chunks,
        };
        shown.asked.help = false;
        change(&mut shown);
        draw_overlay([1280, 720], &shown)
    }

    /// How many pixels of some columns have this colour.
    fn pixels(image: &RgbaImage, x: core::ops::Range<u32>, color: Color) -> usize {
        let pixels = image.enumerate_pixels();
        let pixels = pixels.filter(|(column, _, pixel)| x.contains(column) && **pixel == color);
        pixels.count()
    }

    #[test]
    fn every_state_is_on_the_minimap_and_in_its_legend() {
        let image = drawn(|_| {});
        for state in ChunkState::ALL {
            let pixels = pixels(&image, 1000..1280, state.color());
            assert!(pixels > 100 + 24 * 24 / 2, "{state:?}: {pixels}");
        }
    }

    #[test]
    fn frames_over_the_budget_stand_out() {
        let image = drawn(|_| {});
        // Two bars below the line and one above it, the latest at the right.
        assert_eq!(pixels(&image, 366..368, GOOD), 2 * 10);
        assert_eq!(pixels(&image, 368..370, GOOD), 2 * 21);
        assert_eq!(pixels(&image, 370..372, BAD), 2 * 86 - 2);
        assert_eq!(pixels(&image, 366..370, BAD), 0);
    }

    #[test]
    fn what_is_not_saved_is_counted() {
        let said = |chunks, is_awaited, has_failed| {
            saved(Unsaved {
                chunks,
                is_awaited,
                has_failed,
            })
        };
        assert_eq!(said(0, false, false), "all that was changed");
        assert_eq!(said(3, false, false), "all but 3 chunks");
        assert_eq!(said(3, true, false), "saving, 3 chunks to go");
        assert_eq!(said(3, true, true), "not 3 chunks, see the log");
    }

    #[test]
    fn a_pause_and_panics_are_shown_and_keys_are_listed_on_demand() {
        let quiet = drawn(|_| {});
        assert_eq!(pixels(&quiet, 0..300, BAD), 0);
        for disturb in [
            (|shown: &mut Shown<'_>| shown.is_paused = true) as fn(&mut Shown<'_>),
            |shown| shown.panics = true,
        ] {
            assert!(pixels(&drawn(disturb), 0..300, BAD) > 100);
        }
        let helped = drawn(|shown| shown.asked.help = true);
        let faint = |image| pixels(image, 400..800, FAINT_TEXT);
        assert!(faint(&helped) > faint(&quiet) + 500);
    }
}
