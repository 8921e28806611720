//! Chunk states as a picture.

use chunk_coord::ChunkCoord;

use super::brush::Letters;
use super::canvas::{Canvas, Rgba};
use super::film::{Film, Still};
use super::state::ChunkState;

const PAPER: Rgba = [24, 27, 33, 255];
const INK: Rgba = [226, 230, 236, 255];
const PATH: Rgba = [255, 255, 255, 150];
const VIEWER: Rgba = [255, 255, 255, 255];

/// The map around the first viewer of a still, `reach` chunks in each direction, `cell` dots a chunk. +x is to the
/// right and +z down. Every other viewer in it is marked as well, and so is the path.
#[must_use]
pub fn map(still: &Still, path: &[ChunkCoord], reach: u32, cell: u32) -> Canvas {
    let (reach, cell) = (reach.cast_signed(), cell.cast_signed());
    let side = (2 * reach + 1) * cell;
    let mut canvas = Canvas::new(
        side.unsigned_abs() as usize,
        side.unsigned_abs() as usize,
        PAPER,
    );
    let centre = still.viewers.first().copied().unwrap_or(ChunkCoord::ORIGIN);
    // The corner of a chunk; far away ones land outside the picture, and are cut off.
    let corner = |coord: ChunkCoord| {
        [(coord.x, centre.x), (coord.z, centre.z)].map(|(here, middle)| {
            let chunks = here.saturating_sub(middle).clamp(-10_000, 10_000);
            (chunks + reach) * cell
        })
    };
    let gap = i32::from(cell > 3);
    for (coord, state) in &still.chunks {
        let [x, y] = corner(*coord);
        canvas.fill(x, y, cell - gap, cell - gap, state.colour());
    }
    let middle = |coord: ChunkCoord| corner(coord).map(|edge| edge + cell / 2);
    for step in path.windows(2) {
        // A teleport is no path.
        if step[0].distance_sq(step[1]) <= 8 {
            canvas.line(middle(step[0]), middle(step[1]), PATH);
        }
    }
    for viewer in &still.viewers {
        let [x, y] = corner(*viewer);
        let size = cell.max(5);
        let inset = (cell - size) / 2;
        canvas.fill(x + inset - 1, y + inset - 1, size + 2, size + 2, PAPER);
        canvas.fill(x + inset, y + inset, size, size, VIEWER);
    }
    canvas
}

/// The stills of a film side by side in two rows, with their times and a legend.
#[must_use]
pub fn filmstrip(film: &Film) -> Canvas {
    // Panels of about 300 dots.
    let reach = film.reach.min(149) + 1;
    let cell = (300 / (2 * reach + 1)).max(1);
    let side = ((2 * reach + 1) * cell).cast_signed();
    let columns = 3;
    let rows = film.stills.len().div_ceil(columns).max(1);
    let [width, height] = [
        MARGIN + (side + MARGIN) * columns as i32,
        LEGEND + (side + TITLE + MARGIN) * rows as i32,
    ];
    let mut strip = Canvas::new(
        width.unsigned_abs() as usize,
        height.unsigned_abs() as usize,
        [38, 42, 50, 255],
    );
    let mut left = MARGIN;
    for state in ChunkState::ALL {
        strip.fill(left, MARGIN, 14, 14, state.colour());
        strip.text(left + 20, MARGIN - 2, Letters::Large, INK, state.name());
        left += 20 + Letters::Large.advance() * state.name().len() as i32 + 22;
    }
    for (number, still) in film.stills.iter().enumerate() {
        let x = MARGIN + (side + MARGIN) * (number % columns) as i32;
        let y = LEGEND + (side + TITLE + MARGIN) * (number / columns) as i32;
        let applied = still.chunks.iter();
        let applied = applied.filter(|(_, state)| *state == ChunkState::Applied);
        let title = format!("{:.1} s: {} applied", still.seconds, applied.count());
        strip.text(x, y, Letters::Large, INK, &title);
        strip.lay(x, y + TITLE, &map(still, &film.path, reach, cell));
    }
    strip
}

const MARGIN: i32 = 14;
const TITLE: i32 = 22;
const LEGEND: i32 = 46;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::Settings;

    fn still() -> Still {
        Still {
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
        let map = map(&still(), &[], 2, 10);
        assert_eq!((map.width(), map.height()), (50, 50));
        assert_eq!(map.dot(14, 24), Some(ChunkState::Applied.colour()));
        assert_eq!(map.dot(34, 34), Some(ChunkState::Failed.colour()));
        assert_eq!(map.dot(24, 24), Some(VIEWER));
        assert_eq!(map.dot(4, 4), Some(PAPER));
    }

    #[test]
    fn a_path_is_drawn_and_a_teleport_is_not() {
        let along = [ChunkCoord::planar(99, -9), ChunkCoord::planar(99, -8)];
        let teleport = [ChunkCoord::planar(98, -9), ChunkCoord::planar(98, 90)];
        let still = Still {
            chunks: Vec::new(),
            ..still()
        };
        assert_ne!(map(&still, &along, 2, 10).dot(15, 10), Some(PAPER));
        assert_eq!(map(&still, &teleport, 2, 10).dot(5, 20), Some(PAPER));
    }

    #[test]
    fn a_strip_has_a_panel_for_each_still() {
        let mut film = Film::new(&Settings {
            unload_radius: 5,
            ..Settings::default()
        });
        film.stills = vec![still(); 4];
        let strip = filmstrip(&film);
        let colour = ChunkState::Failed.colour();
        let dots = strip.dots().chunks_exact(4);
        let cell = (300 / 13) as usize - 1;
        // One chunk in each panel, less the dot under the viewer's frame, and the legend.
        let expected = 4 * (cell * cell - 1) + 14 * 14;
        assert_eq!(dots.filter(|dot| **dot == colour).count(), expected);
    }
}
