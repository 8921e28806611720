//! A picture of the window, taken once the world is complete.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};

use bevy_app::{App, AppExit, Update};
use bevy_ecs::prelude::*;
use bevy_render::view::screenshot::{Screenshot, ScreenshotCaptured};
use chunk_apply::ChunkStream;

use crate::render::error::RenderError;
use crate::render::screenshot::{LONGEST_WAIT, MOST_FRAMES, pixels, save};

#[derive(Resource, Debug)]
struct Picture {
    path: PathBuf,
    failure: Sender<RenderError>,
    frames: u32,
    settled_in: Option<u32>,
}

/// Frames between the first in which the world is complete and the picture. The overlay and its frame rate need some
/// to show that it is.
const FRAMES_BEFORE: u32 = 40;

/// Lets the app save its window to a PNG file once the world is complete, and exit. If it cannot, the receiver gets the
/// reason before the app exits.
pub(super) fn save_when_settled<T: Send + Sync + 'static>(
    app: &mut App,
    path: &Path,
) -> Receiver<RenderError> {
    let (sender, failure) = channel();
    app.insert_resource(Picture {
        path: path.to_owned(),
        failure: sender,
        frames: 0,
        settled_in: None,
    })
    .add_systems(Update, take_when_settled::<T>);
    failure
}

impl Picture {
    /// What the app exits with.
    fn exit(&self, saved: Result<(), RenderError>) -> AppExit {
        saved.map_or_else(
            |error| {
                // Nobody asks for the reason if nobody receives it.
                let _ = self.failure.send(error);
                AppExit::error()
            },
            |()| AppExit::Success,
        )
    }
}

fn take_when_settled<T: Send + Sync + 'static>(
    mut commands: Commands,
    mut picture: ResMut<Picture>,
    stream: Res<ChunkStream<T>>,
    mut exit: MessageWriter<AppExit>,
) {
    picture.frames += 1;
    if picture.settled_in.is_none() && stream.is_settled() && !stream.wanted().is_empty() {
        picture.settled_in = Some(picture.frames);
    }
    match picture.settled_in.map(|frame| picture.frames - frame) {
        None if picture.frames >= MOST_FRAMES => {
            exit.write(picture.exit(Err(RenderError::Unsettled(MOST_FRAMES))));
        }
        Some(FRAMES_BEFORE) => {
            commands.spawn(Screenshot::primary_window()).observe(
                |shot: On<ScreenshotCaptured>,
                 picture: Res<Picture>,
                 mut exit: MessageWriter<AppExit>| {
                    let saved = pixels(&shot.image).and_then(|image| save(&image, &picture.path));
                    exit.write(picture.exit(saved));
                },
            );
        }
        Some(frames) if frames > FRAMES_BEFORE + LONGEST_WAIT => {
            exit.write(picture.exit(Err(RenderError::NoPicture(LONGEST_WAIT))));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;

    #[test]
    fn a_world_that_does_not_come_to_rest_ends_with_why() {
        let mut app = crate::harness::headless();
        crate::add_city(&mut app, &Settings::default()).expect("the defaults make sense");
        let failure = save_when_settled::<crate::city::CityChunk>(&mut app, "none.png".as_ref());
        crate::harness::ready(&mut app);
        app.world_mut().resource_mut::<Picture>().frames = MOST_FRAMES - 1;
        app.update();
        assert!(app.should_exit().is_some_and(|exit| exit.is_error()));
        assert!(matches!(failure.try_recv(), Ok(RenderError::Unsettled(_))));
    }
}
