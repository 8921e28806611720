//! From a screenshot to a PNG file.

use std::io;
use std::path::Path;

use bevy_image::Image;
use image::RgbaImage;

use super::error::RenderError;

/// A screenshot arrives some frames after it was asked for, when it is copied back from the adapter. It is given up
/// after so many frames.
pub(super) const LONGEST_WAIT: u32 = 200;
/// The world must be complete after so many frames.
pub(super) const MOST_FRAMES: u32 = 20_000;

/// The pixels of a screenshot, in red, green, blue and alpha, whatever the order on the adapter.
pub(super) fn pixels(screenshot: &Image) -> Result<RgbaImage, RenderError> {
    let image = screenshot.clone().try_into_dynamic();
    image.map_or(Err(RenderError::NoPicture(0)), |image| {
        Ok(image.into_rgba8())
    })
}

/// Writes a PNG file.
pub(super) fn save(image: &RgbaImage, path: &Path) -> Result<(), RenderError> {
    let written = image.save(path).map_err(io::Error::other);
    written.map_err(|error| RenderError::Write(path.to_owned(), error))
}

#[cfg(test)]
mod tests {
    use bevy_asset::RenderAssetUsages;
    use bevy_render::render_resource::{Extent3d, TextureDimension, TextureFormat};

    use super::*;

    #[test]
    fn a_window_that_stores_blue_first_keeps_its_colours() {
        let screenshot = Image::new(
            Extent3d::default(),
            TextureDimension::D2,
            vec![1, 2, 3, 255],
            TextureFormat::Bgra8UnormSrgb,
            RenderAssetUsages::default(),
        );
        let image = pixels(&screenshot).expect("the format is known");
        assert_eq!(image.as_raw(), &[3, 2, 1, 255]);
    }

    #[test]
    fn a_picture_that_cannot_be_written_names_its_file() {
        let error = save(&RgbaImage::new(1, 1), "/no/such/folder/w.png".as_ref());
        let error = error.expect_err("there is no folder").to_string();
        assert!(error.contains("/no/such/folder/w.png"), "{error}");
    }
}
