//! Draws on a picture with alpha: the shapes and letters are embedded-graphics', whose own colours have none.

use core::convert::Infallible;

use embedded_graphics::image::{Image, ImageRaw};
use embedded_graphics::mono_font::iso_8859_1::{FONT_6X10, FONT_9X18};
use embedded_graphics::mono_font::{MonoFont, MonoTextStyle};
use embedded_graphics::pixelcolor::raw::RawU32;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{Line, PrimitiveStyle, Rectangle};
use embedded_graphics::text::{Baseline, Text};

use super::canvas::Rgba;

/// How large letters are. All letters of a size are equally wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letters {
    /// 6 dots wide and 10 high.
    Small,
    /// 9 dots wide and 18 high.
    Large,
}

impl Letters {
    /// The dots between the left edges of two letters.
    #[must_use]
    pub const fn advance(self) -> i32 {
        match self {
            Self::Small => 6,
            Self::Large => 9,
        }
    }

    const fn font(self) -> &'static MonoFont<'static> {
        match self {
            Self::Small => &FONT_6X10,
            Self::Large => &FONT_9X18,
        }
    }
}

/// What draws on the dots of a picture. Whatever is drawn outside it is cut off.
pub(super) struct Brush<'a> {
    /// Width and height. There are four bytes for each dot.
    pub(super) size: [usize; 2],
    pub(super) dots: &'a mut [u8],
}

impl Brush<'_> {
    pub(super) fn fill(&mut self, [x, y]: [i32; 2], size: [i32; 2], colour: Rgba) {
        let [width, height] = size.map(|side| side.max(0).unsigned_abs());
        let area = Rectangle::new(Point::new(x, y), Size::new(width, height));
        done(self.fill_solid(&area, Ink(colour)));
    }

    /// Two dots wide.
    pub(super) fn line(&mut self, from: [i32; 2], to: [i32; 2], colour: Rgba) {
        let style = PrimitiveStyle::with_stroke(Ink(colour), 2);
        let line = Line::new(from.into(), to.into()).into_styled(style);
        done(line.draw(self));
    }

    pub(super) fn lay(&mut self, corner: [i32; 2], width: usize, dots: &[u8]) {
        let width = u32::try_from(width).unwrap_or(0);
        let picture: ImageRaw<'_, Ink> = ImageRaw::new(dots, width);
        done(Image::new(&picture, corner.into()).draw(self));
    }

    pub(super) fn text(&mut self, corner: [i32; 2], letters: Letters, colour: Rgba, text: &str) {
        let style = MonoTextStyle::new(letters.font(), Ink(colour));
        let text = Text::with_baseline(text, corner.into(), style, Baseline::Top);
        done(text.draw(self).map(|_end| ()));
    }
}

/// Drawing in memory cannot fail.
fn done(drawn: Result<(), Infallible>) {
    let Ok(()) = drawn;
}

/// [`Rgba`] as the drawing library wants it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Ink(Rgba);

impl PixelColor for Ink {
    type Raw = RawU32;
}

impl From<RawU32> for Ink {
    fn from(raw: RawU32) -> Self {
        Self(raw.into_inner().to_be_bytes())
    }
}

impl OriginDimensions for Brush<'_> {
    fn size(&self) -> Size {
        let [width, height] = self.size.map(|side| u32::try_from(side).unwrap_or(0));
        Size::new(width, height)
    }
}

impl DrawTarget for Brush<'_> {
    type Color = Ink;
    type Error = Infallible;

    fn draw_iter<I: IntoIterator<Item = Pixel<Ink>>>(&mut self, dots: I) -> Result<(), Infallible> {
        let area = self.bounding_box();
        for Pixel(place, Ink(colour)) in dots {
            if area.contains(place) {
                let [x, y] = [place.x, place.y].map(|side| side.unsigned_abs() as usize);
                let at = 4 * (y * self.size[0] + x);
                cover(&mut self.dots[at..at + 4], colour);
            }
        }
        Ok(())
    }

    /// Row by row and not dot by dot, because most of an overlay is filled rectangles.
    fn fill_solid(&mut self, area: &Rectangle, Ink(colour): Ink) -> Result<(), Infallible> {
        let area = area.intersection(&self.bounding_box());
        let [left, top] = [area.top_left.x, area.top_left.y].map(|side| side.unsigned_abs());
        for y in top..top + area.size.height {
            let at = 4 * (y as usize * self.size[0] + left as usize);
            let row = &mut self.dots[at..at + 4 * area.size.width as usize];
            row.chunks_exact_mut(4).for_each(|dot| cover(dot, colour));
        }
        Ok(())
    }
}

/// Lays a colour over a dot.
fn cover(under: &mut [u8], colour: Rgba) {
    let over = u16::from(colour[3]);
    for (channel, colour) in under.iter_mut().zip(colour).take(3) {
        *channel = mixed(*channel, colour, over);
    }
    under[3] = mixed(under[3], u8::MAX, over);
}

fn mixed(under: u8, over: u8, cover: u16) -> u8 {
    let mixed = (u16::from(under) * (255 - cover) + u16::from(over) * cover) / 255;
    u8::try_from(mixed).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::Canvas;
    use super::*;

    const BLACK: Rgba = [0, 0, 0, 255];
    const WHITE: Rgba = [255, 255, 255, 255];

    #[test]
    fn letters_have_shapes_and_stay_in_their_cells() {
        for letters in [Letters::Small, Letters::Large] {
            let shape = |text: &str| {
                let mut canvas = Canvas::new(40, 20, BLACK);
                canvas.text(letters.advance(), 0, letters, WHITE, text);
                canvas
            };
            assert_ne!(shape("a"), shape("b"));
            assert_ne!(shape("q"), shape("g"));
            let canvas = shape("M");
            let columns: Vec<usize> = (0..40)
                .filter(|x| (0..20).any(|y| canvas.dot(*x, y) == Some(WHITE)))
                .collect();
            let cell = letters.advance().unsigned_abs() as usize;
            assert!(columns.len() > 3, "{columns:?}");
            assert!(columns.iter().all(|x| x / cell == 1), "{columns:?}");
        }
    }

    #[test]
    fn a_line_leads_from_end_to_end() {
        let mut canvas = Canvas::new(20, 20, BLACK);
        canvas.line([2, 2], [15, 9], WHITE);
        for (x, y) in [(2, 2), (15, 9)] {
            assert_eq!(canvas.dot(x, y), Some(WHITE));
        }
        assert_eq!(canvas.dot(2, 15), Some(BLACK));
    }
}
