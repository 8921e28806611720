//! A picture in memory.

use std::io::{self, Write};
use std::path::Path;

use super::brush::{Brush, Letters};

/// sRGB, and how much it covers: 255 hides what is under it.
pub type Rgba = [u8; 4];

/// A picture of sRGB dots with alpha, rows from the top. Whatever is drawn outside it is cut off.
///
/// ```
/// use chunk_demo::chart::{Canvas, Letters};
///
/// let mut canvas = Canvas::new(64, 16, [0, 0, 0, 255]);
/// canvas.text(2, 4, Letters::Small, [255, 255, 255, 255], "60 Hz");
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
        self.fill(x, y, 1, 1, colour);
    }

    /// Lays a colour over a rectangle with the corner `x`, `y`.
    pub fn fill(&mut self, x: i32, y: i32, width: i32, height: i32, colour: Rgba) {
        self.brush().fill([x, y], [width, height], colour);
    }

    /// A line two dots wide.
    pub fn line(&mut self, from: [i32; 2], to: [i32; 2], colour: Rgba) {
        self.brush().line(from, to, colour);
    }

    /// Lays another picture over this one, its corner at `x`, `y`.
    pub fn lay(&mut self, x: i32, y: i32, other: &Self) {
        self.brush().lay([x, y], other.width, &other.dots);
    }

    /// Writes a line of text with the corner `x`, `y`. A letter that Latin-1 lacks is a question mark.
    pub fn text(&mut self, x: i32, y: i32, letters: Letters, colour: Rgba, text: &str) {
        self.brush().text([x, y], letters, colour, text);
    }

    fn brush(&mut self) -> Brush<'_> {
        Brush {
            size: [self.width, self.height],
            dots: &mut self.dots,
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
    fn a_picture_laid_over_another_covers_by_its_alpha() {
        let mut canvas = Canvas::new(3, 2, BLACK);
        canvas.lay(1, 0, &Canvas::new(9, 1, [200, 100, 0, 128]));
        assert_eq!(canvas.dot(0, 0), Some(BLACK));
        assert_eq!(canvas.dot(2, 0), Some([100, 50, 0, 255]));
        assert_eq!(canvas.dot(2, 1), Some(BLACK));
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
