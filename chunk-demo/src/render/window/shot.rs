//! A picture of the window, taken once the world is there.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bevy_app::{App, AppExit, Plugin, Update};
use bevy_ecs::prelude::*;
use bevy_image::Image;
use bevy_render::render_resource::TextureFormat;
use bevy_render::view::screenshot::{Screenshot, ScreenshotCaptured};
use chunk_apply::ChunkStream;

use crate::chart::Canvas;
use crate::city::CityChunk;
use crate::render::RenderError;

/// Saves the window to a file once the world is there, and closes it.
#[derive(Clone, Debug)]
pub(super) struct ShotPlugin {
    pub(super) path: PathBuf,
    /// Where it says why it could not.
    pub(super) failure: Failure,
}

/// Why there is no picture. The app is gone when this is read.
#[derive(Resource, Clone, Debug, Default)]
pub(super) struct Failure(Arc<Mutex<Option<RenderError>>>);

impl Failure {
    pub(super) fn take(&self) -> Option<RenderError> {
        let mut failure = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        failure.take()
    }

    /// The program ends with this.
    fn fail(&self, error: RenderError) -> AppExit {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        AppExit::error()
    }
}

/// How far it is.
#[derive(Resource, Debug)]
struct Shot {
    path: PathBuf,
    frames: u32,
    settled_in: Option<u32>,
}

/// Frames after the world is there, in which the overlay and its rate of frames show that it is.
const FRAMES_BEFORE: u32 = 40;
/// Frames until the picture is back from the adapter.
const LONGEST_WAIT: u32 = 200;
/// A whole world must be there after so many frames.
const MOST_FRAMES: u32 = 20_000;

impl Plugin for ShotPlugin {
    fn build(&self, app: &mut App) {
        app.insert_resource(self.failure.clone())
            .insert_resource(Shot {
                path: self.path.clone(),
                frames: 0,
                settled_in: None,
            })
            .add_systems(Update, take_when_settled);
    }
}

fn take_when_settled(
    mut commands: Commands,
    mut shot: ResMut<Shot>,
    failure: Res<Failure>,
    stream: Res<ChunkStream<CityChunk>>,
    mut exit: MessageWriter<AppExit>,
) {
    shot.frames += 1;
    let Some(settled_in) = shot.settled_in else {
        if stream.is_settled() && !stream.wanted().is_empty() {
            shot.settled_in = Some(shot.frames);
        } else if shot.frames >= MOST_FRAMES {
            exit.write(failure.fail(RenderError::Unsettled(MOST_FRAMES)));
        }
        return;
    };
    match shot.frames - settled_in {
        FRAMES_BEFORE => {
            let (path, failure) = (shot.path.clone(), failure.clone());
            commands.spawn(Screenshot::primary_window()).observe(
                move |shot: On<ScreenshotCaptured>, mut exit: MessageWriter<AppExit>| {
                    exit.write(match save(&shot.image, &path) {
                        Ok(()) => AppExit::Success,
                        Err(error) => failure.fail(error),
                    });
                },
            );
        }
        waited if waited > FRAMES_BEFORE + LONGEST_WAIT => {
            exit.write(failure.fail(RenderError::NoPicture(LONGEST_WAIT)));
        }
        _ => {}
    }
}

fn save(image: &Image, path: &std::path::Path) -> Result<(), RenderError> {
    let mut dots = image.data.clone().unwrap_or_default();
    // What a window shows is blue first, on most systems.
    if matches!(
        image.texture_descriptor.format,
        TextureFormat::Bgra8Unorm | TextureFormat::Bgra8UnormSrgb
    ) {
        dots.chunks_exact_mut(4).for_each(|dot| dot.swap(0, 2));
    }
    let [width, height] = [image.width(), image.height()].map(|side| side as usize);
    let canvas = Canvas::from_dots(width, height, dots).ok_or(RenderError::NoPicture(0))?;
    let written = canvas.save(path);
    written.map_err(|error| RenderError::Write(path.to_owned(), error))
}

#[cfg(test)]
mod tests {
    use bevy_asset::RenderAssetUsages;
    use bevy_render::render_resource::{Extent3d, TextureDimension};

    use super::*;
    use crate::Settings;

    #[test]
    fn a_world_that_does_not_come_to_rest_ends_with_why() {
        let mut app = crate::harness::headless();
        crate::add_city(&mut app, &Settings::default()).expect("the defaults make sense");
        let failure = Failure::default();
        app.add_plugins(ShotPlugin {
            path: PathBuf::from("none.png"),
            failure: failure.clone(),
        });
        crate::harness::ready(&mut app);
        app.world_mut().resource_mut::<Shot>().frames = MOST_FRAMES - 1;
        app.update();
        assert!(app.should_exit().is_some_and(|exit| exit.is_error()));
        assert!(matches!(failure.take(), Some(RenderError::Unsettled(_))));
    }

    #[test]
    fn a_picture_that_cannot_be_written_names_its_file() {
        let image = Image::new(
            Extent3d::default(),
            TextureDimension::D2,
            vec![1, 2, 3, 255],
            TextureFormat::Bgra8UnormSrgb,
            RenderAssetUsages::default(),
        );
        let error = save(&image, "/no/such/folder/w.png".as_ref()).expect_err("no folder");
        assert!(
            error.to_string().contains("/no/such/folder/w.png"),
            "{error}"
        );
    }
}
