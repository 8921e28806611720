//! Chunk states as a picture.

use chunk_coord::ChunkCoord;
use image::imageops::overlay;
use image::{Rgba, RgbaImage};

use super::draw::{Color, LARGE, fill, line, text};
use super::state::ChunkState;
use super::timeline::{MapSnapshot, Timeline};

const BACKGROUND: Color = Rgba([24, 27, 33, 255]);
const BETWEEN_MAPS: Color = Rgba([38, 42, 50, 255]);
const TEXT: Color = Rgba([226, 230, 236, 255]);
const PATH: Color = Rgba([255, 255, 255, 150]);
const VIEWER: Color = Rgba([255, 255, 255, 255]);

/// The map around the first viewer of a snapshot: `reach` chunks in each direction, `cell` pixels a chunk. +x is to the
/// right and +z down. The path and all viewers are marked.
#[must_use]
pub fn map(snapshot: &MapSnapshot, path: &[ChunkCoord], reach: u32, cell: u32) -> RgbaImage {
    let side = (2 * reach + 1) * cell;
    let mut image = RgbaImage::from_pixel(side, side, BACKGROUND);
    let (reach, cell) = (reach.cast_signed(), cell.cast_signed());
    let centre = snapshot
        .viewers
        .first()
        .copied()
        .unwrap_or(ChunkCoord::ORIGIN);
    // The limit keeps far chunks from overflowing; they lie outside the picture.
    let corner = |coord: ChunkCoord| {
        [(coord.x, centre.x), (coord.z, centre.z)].map(|(here, middle)| {
            let chunks = here.saturating_sub(middle).clamp(-10_000, 10_000);
            (chunks + reach) * cell
        })
    };
    let gap = i32::from(cell > 3);
    for (coord, state) in &snapshot.chunks {
        fill(&mut image, corner(*coord), [cell - gap; 2], state.color());
    }
    let middle = |coord: ChunkCoord| corner(coord).map(|edge| edge + cell / 2);
    for step in path.windows(2) {
        // A teleport is no path.
        if step[0].distance_sq(step[1]) <= 8 {
            line(&mut image, middle(step[0]), middle(step[1]), PATH);
        }
    }
    for viewer in &snapshot.viewers {
        let size = cell.max(5);
        let corner = corner(*viewer).map(|edge| edge + (cell - size) / 2);
        fill(
            &mut image,
            corner.map(|edge| edge - 1),
            [size + 2; 2],
            BACKGROUND,
        );
        fill(&mut image, corner, [size; 2], VIEWER);
    }
    image
}

/// The snapshots of a timeline in two rows, with their times and a legend.
#[must_use]
pub fn map_strip(timeline: &Timeline) -> RgbaImage {
    // Each map is about 300 pixels wide.
    let reach = timeline.unload_radius.min(149) + 1;
    let cell = (300 / (2 * reach + 1)).max(1);
    let side = (2 * reach + 1) * cell;
    let rows = timeline.snapshots.len().div_ceil(COLUMNS).max(1) as u32;
    let mut strip = RgbaImage::from_pixel(
        MARGIN + (side + MARGIN) * COLUMNS as u32,
        LEGEND + (side + TITLE + MARGIN) * rows,
        BETWEEN_MAPS,
    );
    let (mut left, top) = (MARGIN as i32, MARGIN as i32);
    for state in ChunkState::ALL {
        fill(&mut strip, [left, top], [14; 2], state.color());
        text(&mut strip, [left + 20, top - 2], LARGE, TEXT, state.name());
        left += 20 + (LARGE.character_size.width as usize * state.name().len()) as i32 + 22;
    }
    for (number, snapshot) in timeline.snapshots.iter().enumerate() {
        let x = MARGIN + (side + MARGIN) * (number % COLUMNS) as u32;
        let y = LEGEND + (side + TITLE + MARGIN) * (number / COLUMNS) as u32;
        let states = snapshot.chunks.iter().map(|(_, state)| *state);
        let applied = states.filter(|state| *state == ChunkState::Applied).count();
        let title = format!("{:.1} s: {applied} applied", snapshot.seconds);
        text(&mut strip, [x as i32, y as i32], LARGE, TEXT, &title);
        let map = map(snapshot, &timeline.path, reach, cell);
        overlay(&mut strip, &map, x.into(), (y + TITLE).into());
    }
    strip
}

const COLUMNS: usize = 3;
const MARGIN: u32 = 14;
const TITLE: u32 = 22;
const LEGEND: u32 = 46;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::Settings;

    fn snapshot() -> MapSnapshot {
        MapSnapshot {
            seconds: 1.5,
            viewers: vec![ChunkCoord::planar(100, -7)],
            chunks: vec![
                (ChunkCoord::planar(99, -7), ChunkState::Applied),
                (ChunkCoord::planar(101, -6), ChunkState::Failed),
                (ChunkCoord::planar(i32::MAX, i32::MIN), ChunkState::Queued),
            ],
        }
    }

    #[test]
    fn each_chunk_has_its_place_and_colour() {
        let map = map(&snapshot(), &[], 2, 10);
        assert_eq!(map.dimensions(), (50, 50));
        assert_eq!(*map.get_pixel(14, 24), ChunkState::Applied.color());
        assert_eq!(*map.get_pixel(34, 34), ChunkState::Failed.color());
        assert_eq!(*map.get_pixel(24, 24), VIEWER);
        assert_eq!(*map.get_pixel(4, 4), BACKGROUND);
    }

    #[test]
    fn a_path_is_drawn_and_a_teleport_is_not() {
        let along = [ChunkCoord::planar(99, -9), ChunkCoord::planar(99, -8)];
        let teleport = [ChunkCoord::planar(98, -9), ChunkCoord::planar(98, 90)];
        let empty = MapSnapshot {
            chunks: Vec::new(),
            ..snapshot()
        };
        assert_ne!(*map(&empty, &along, 2, 10).get_pixel(15, 10), BACKGROUND);
        assert_eq!(*map(&empty, &teleport, 2, 10).get_pixel(5, 20), BACKGROUND);
    }

    #[test]
    fn a_strip_has_a_map_for_each_snapshot() {
        let mut timeline = Timeline::new(&Settings {
            unload_radius: 5,
            ..Settings::default()
        });
        timeline.snapshots = vec![snapshot(); 4];
        let color = ChunkState::Failed.color();
        let strip = map_strip(&timeline);
        let count = strip.pixels().filter(|pixel| **pixel == color).count();
        let cell = (300 / 13) as usize - 1;
        // One chunk in each map, less the pixel under the viewer's frame, and the legend.
        assert_eq!(count, 4 * (cell * cell - 1) + 14 * 14);
    }
}
