//! Rectangles, lines and text on an [`RgbaImage`]. Whatever lies outside the image is cut off.

use core::convert::Infallible;

use embedded_graphics::mono_font::{MonoFont, MonoTextStyle, iso_8859_1};
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Line, PrimitiveStyle};
use embedded_graphics::text::{Baseline, Text};
use image::{Pixel as _, Rgba, RgbaImage};

/// An sRGB colour with alpha. An alpha of 255 hides what is under it.
pub type Color = Rgba<u8>;

/// A font of fixed width. It has the characters of Latin-1 and shows others as question marks.
pub(crate) type Font = &'static MonoFont<'static>;

/// A character is 6 pixels wide and 10 high.
#[cfg(any(test, feature = "render"))]
pub(crate) const SMALL: Font = &iso_8859_1::FONT_6X10;
/// A character is 9 pixels wide and 18 high.
pub(crate) const LARGE: Font = &iso_8859_1::FONT_9X18;

/// Blends a colour over a rectangle that has its top left corner at `[x, y]`.
pub(crate) fn fill(image: &mut RgbaImage, [x, y]: [i32; 2], size: [i32; 2], color: Color) {
    let inside = |start: i32, length: i32, side: u32| {
        start.max(0).cast_unsigned()
            ..start
                .saturating_add(length)
                .clamp(0, side.cast_signed())
                .cast_unsigned()
    };
    for y in inside(y, size[1], image.height()) {
        for x in inside(x, size[0], image.width()) {
            let pixel = image.get_pixel_mut(x, y);
            let alpha = pixel[3];
            pixel.blend(&color);
            // `blend` rounds down, but what is opaque stays opaque.
            pixel[3] = pixel[3].max(alpha);
        }
    }
}

/// Draws a line that is two pixels wide.
pub(crate) fn line(image: &mut RgbaImage, from: [i32; 2], to: [i32; 2], color: Color) {
    let style = PrimitiveStyle::with_stroke(BinaryColor::On, 2);
    let line = Line::new(from.into(), to.into()).into_styled(style);
    let Ok(()) = line.draw(&mut Pen { image, color });
}

/// Writes a line of text that has its top left corner at `corner`.
pub(crate) fn text(image: &mut RgbaImage, corner: [i32; 2], font: Font, color: Color, text: &str) {
    let style = MonoTextStyle::new(font, BinaryColor::On);
    let text = Text::with_baseline(text, corner.into(), style, Baseline::Top);
    let Ok(_end) = text.draw(&mut Pen { image, color });
}

/// Draws in one colour, because embedded-graphics has no colours with alpha.
struct Pen<'a> {
    image: &'a mut RgbaImage,
    color: Color,
}

impl OriginDimensions for Pen<'_> {
    fn size(&self) -> Size {
        self.image.dimensions().into()
    }
}

impl DrawTarget for Pen<'_> {
    type Color = BinaryColor;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<BinaryColor>>>(
        &mut self,
        pixels: I,
    ) -> Result<(), Infallible> {
        for Pixel(Point { x, y }, _on) in pixels {
            fill(self.image, [x, y], [1, 1], self.color);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLACK: Color = Rgba([0, 0, 0, 255]);
    const WHITE: Color = Rgba([255; 4]);

    #[test]
    fn drawing_is_cut_off_at_the_edges() {
        let mut image = RgbaImage::from_pixel(4, 3, BLACK);
        fill(&mut image, [-5, -5], [100, 6], WHITE);
        fill(&mut image, [9, 9], [1, 1], WHITE);
        fill(&mut image, [-9, 2], [2, 1], WHITE);
        line(&mut image, [-1, 2], [-9, 9], WHITE);
        assert_eq!(image.get_pixel(3, 0), &WHITE);
        assert!(image.rows().skip(1).flatten().all(|pixel| *pixel == BLACK));
    }

    #[test]
    fn a_colour_with_half_alpha_is_mixed_with_what_is_under_it() {
        let mut image = RgbaImage::from_pixel(1, 1, BLACK);
        fill(&mut image, [0, 0], [1, 1], Rgba([200, 100, 0, 128]));
        assert_eq!(image.get_pixel(0, 0), &Rgba([100, 50, 0, 255]));
    }

    #[test]
    fn characters_have_shapes_and_stay_in_their_cells() {
        for font in [SMALL, LARGE] {
            let cell = font.character_size.width;
            let shape = |letter: &str| {
                let mut image = RgbaImage::from_pixel(40, 20, BLACK);
                text(&mut image, [cell.cast_signed(), 0], font, WHITE, letter);
                image
            };
            assert_ne!(shape("a"), shape("b"));
            assert_ne!(shape("q"), shape("g"));
            let image = shape("M");
            let columns: Vec<u32> = (0..40)
                .filter(|x| (0..20).any(|y| image.get_pixel(*x, y) == &WHITE))
                .collect();
            assert!(columns.len() > 3, "{columns:?}");
            assert!(columns.iter().all(|x| x / cell == 1), "{columns:?}");
        }
    }

    #[test]
    fn a_line_leads_from_end_to_end() {
        let mut image = RgbaImage::from_pixel(20, 20, BLACK);
        line(&mut image, [2, 2], [15, 9], WHITE);
        for (x, y) in [(2, 2), (15, 9)] {
            assert_eq!(image.get_pixel(x, y), &WHITE);
        }
        assert_eq!(image.get_pixel(2, 15), &BLACK);
    }
}
