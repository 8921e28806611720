//! A picture in memory.

use std::io::{self, Write};
use std::path::Path;

use super::font::{self, ADVANCE};

/// sRGB, and how much it covers: 255 hides what is under it.
pub type Rgba = [u8; 4];

/// A picture of sRGB dots with alpha, rows from the top. Whatever is drawn outside it is cut off.
///
/// ```
/// use chunk_demo::chart::Canvas;
///
/// let mut canvas = Canvas::new(64, 16, [0, 0, 0, 255]);
/// canvas.text(2, 4, 1, [255, 255, 255, 255], "60 Hz");
/// let png = canvas.png()?;
/// assert_eq!(Canvas::from_png(&png)?, canvas);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canvas {
    width: usize,
    height: usize,
    dots: Vec<u8>,
}

impl Canvas {
    /// A picture of one colour.
    #[must_use]
    pub fn new(width: usize, height: usize, colour: Rgba) -> Self {
        Self {
            width,
            height,
            dots: colour.repeat(width * height),
        }
    }

    /// A picture of these dots: four bytes each, rows from the top. `None` if there are more or fewer than its size
    /// says.
    #[must_use]
    pub fn from_dots(width: usize, height: usize, dots: Vec<u8>) -> Option<Self> {
        (dots.len() == 4 * width * height).then_some(Self {
            width,
            height,
            dots,
        })
    }

    /// The width in dots.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The height in dots.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
    }

    /// All dots, four bytes each, rows from the top.
    #[must_use]
    pub fn dots(&self) -> &[u8] {
        &self.dots
    }

    /// The colour of a dot; `None` outside the picture.
    #[must_use]
    pub fn dot(&self, x: usize, y: usize) -> Option<Rgba> {
        let is_inside = x < self.width && y < self.height;
        is_inside.then(|| {
            let at = 4 * (y * self.width + x);
            [
                self.dots[at],
                self.dots[at + 1],
                self.dots[at + 2],
                self.dots[at + 3],
            ]
        })
    }

    /// Makes the whole picture one colour.
    pub fn clear(&mut self, colour: Rgba) {
        for dot in self.dots.chunks_exact_mut(4) {
            dot.copy_from_slice(&colour);
        }
    }

    /// Lays a colour over one dot.
    pub fn set(&mut self, x: i32, y: i32, colour: Rgba) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else {
            return;
        };
        if x >= self.width || y >= self.height {
            return;
        }
        let at = 4 * (y * self.width + x);
        let under = &mut self.dots[at..at + 4];
        let cover = u16::from(colour[3]);
        for (channel, over) in under.iter_mut().zip(colour).take(3) {
            *channel = mixed(*channel, over, cover);
        }
        under[3] = mixed(under[3], u8::MAX, cover);
    }

    /// Lays a colour over a rectangle with the corner `x`, `y`.
    pub fn fill(&mut self, x: i32, y: i32, width: i32, height: i32, colour: Rgba) {
        for row in y.max(0)..y.saturating_add(height).min(to_i32(self.height)) {
            for column in x.max(0)..x.saturating_add(width).min(to_i32(self.width)) {
                self.set(column, row, colour);
            }
        }
    }

    /// A line two dots wide.
    pub fn line(&mut self, from: [f32; 2], to: [f32; 2], colour: Rgba) {
        let [dx, dy] = [to[0] - from[0], to[1] - from[1]];
        let steps = dx.abs().max(dy.abs()).ceil().clamp(1.0, 10_000.0) as i32;
        for step in 0..=steps {
            let part = step as f32 / steps as f32;
            let (x, y) = (from[0] + dx * part, from[1] + dy * part);
            self.fill(x.round() as i32, y.round() as i32, 2, 2, colour);
        }
    }

    /// Lays another picture over this one, its corner at `x`, `y`.
    pub fn lay(&mut self, x: i32, y: i32, other: &Self) {
        for (row, dots) in (0..).zip(other.dots.chunks_exact(4 * other.width.max(1))) {
            for (column, dot) in (0..).zip(dots.chunks_exact(4)) {
                self.set(x + column, y + row, [dot[0], dot[1], dot[2], dot[3]]);
            }
        }
    }

    /// Writes a line of text with the corner `x`, `y`; a letter is six dots times `size` wide, and seven high.
    pub fn text(&mut self, x: i32, y: i32, size: i32, colour: Rgba, text: &str) {
        let mut left = x;
        for letter in text.chars() {
            for (column, bits) in (0..).zip(font::columns(letter)) {
                for row in (0..7).filter(|row| bits >> row & 1 == 1) {
                    self.fill(left + column * size, y + row * size, size, size, colour);
                }
            }
            left += to_i32(ADVANCE) * size;
        }
    }

    /// The picture as a PNG file.
    ///
    /// # Errors
    ///
    /// If the picture has no dots, or more than a PNG file can have.
    pub fn png(&self) -> io::Result<Vec<u8>> {
        let mut file = Vec::new();
        let side = |side: usize| u32::try_from(side).map_err(io::Error::other);
        let mut encoder = png::Encoder::new(&mut file, side(self.width)?, side(self.height)?);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header().map_err(io::Error::other)?;
        writer
            .write_image_data(&self.dots)
            .map_err(io::Error::other)?;
        writer.finish().map_err(io::Error::other)?;
        Ok(file)
    }

    /// The picture in a PNG file of eight bits a channel with alpha, which is what [`png`](Self::png) writes.
    ///
    /// # Errors
    ///
    /// If it is no such file.
    pub fn from_png(file: &[u8]) -> io::Result<Self> {
        let mut reader = png::Decoder::new(io::Cursor::new(file))
            .read_info()
            .map_err(io::Error::other)?;
        let size = reader.output_buffer_size().unwrap_or(0);
        let mut dots = vec![0; size];
        let frame = reader.next_frame(&mut dots).map_err(io::Error::other)?;
        let canvas = Self::from_dots(frame.width as usize, frame.height as usize, dots);
        canvas.ok_or_else(|| {
            io::Error::other(format!(
                "not a PNG file of eight bits a channel with alpha: {:?}, {:?}",
                frame.color_type, frame.bit_depth
            ))
        })
    }

    /// Writes the picture to a PNG file.
    ///
    /// # Errors
    ///
    /// If it cannot be encoded, or the file cannot be written.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        let png = self.png()?;
        std::fs::File::create(path)?.write_all(&png)
    }
}

fn mixed(under: u8, over: u8, cover: u16) -> u8 {
    let mixed = (u16::from(under) * (255 - cover) + u16::from(over) * cover) / 255;
    u8::try_from(mixed).unwrap_or(u8::MAX)
}

fn to_i32(side: usize) -> i32 {
    i32::try_from(side).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLACK: Rgba = [0, 0, 0, 255];
    const WHITE: Rgba = [255, 255, 255, 255];

    #[test]
    fn drawing_is_cut_off_at_the_edges() {
        let mut canvas = Canvas::new(4, 3, BLACK);
        canvas.fill(-5, -5, 100, 6, WHITE);
        canvas.set(9, 9, WHITE);
        assert_eq!(canvas.dot(3, 0), Some(WHITE));
        assert_eq!(canvas.dot(0, 1), Some(BLACK));
        assert_eq!(canvas.dot(4, 0), None);
    }

    #[test]
    fn half_covering_mixes() {
        let mut canvas = Canvas::new(1, 1, BLACK);
        canvas.set(0, 0, [200, 100, 0, 128]);
        assert_eq!(canvas.dot(0, 0), Some([100, 50, 0, 255]));
    }

    #[test]
    fn the_number_of_dots_must_fit() {
        assert_eq!(Canvas::from_dots(2, 2, vec![0; 15]), None);
        assert!(Canvas::from_dots(2, 2, vec![0; 16]).is_some());
    }

    #[test]
    fn what_is_no_png_is_refused() {
        assert!(Canvas::from_png(b"not a picture").is_err());
    }
}
