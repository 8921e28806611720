//! Pictures of the key moments of a scenario.

use core::fmt;
use core::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bevy_app::App;
use bevy_ecs::change_detection::Mut;
use bevy_ecs::entity::Entity;
use bevy_math::Vec3;
use bevy_transform::components::Transform;
use chunk_apply::{ChunkIndex, ChunkStream, ChunkViewer};

use super::batches::Batches;
use super::error::RenderError;
use super::offscreen_app::OffscreenApp;
use super::scene::view_ahead;
use super::screenshot::{MOST_FRAMES, save};
use crate::harness::{Settings, Workload};
use crate::scenario::{Scenario, place};

/// One picture that was written.
#[derive(Clone, Debug)]
pub struct Picture {
    /// What it shows.
    pub caption: &'static str,
    /// Where it is.
    pub path: PathBuf,
    /// Loaded chunks.
    pub chunks: usize,
    /// Entities in them.
    pub entities: usize,
    /// The batches that it was drawn in.
    pub batches: Batches,
    /// How long drawing took, without playing up to the moment.
    pub took: Duration,
}

impl fmt::Display for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {}, {} chunks, {} entities in {} opaque and {} shadow batches, {:.1} s",
            self.path.display(),
            self.caption,
            self.chunks,
            self.entities,
            self.batches.opaque + self.batches.single,
            self.batches.shadows,
            self.took.as_secs_f64()
        )
    }
}

/// The offset of the teleport, in metres. It is longer than one can see.
const TELEPORT: Vec3 = Vec3::new(7_000.0, 0.0, 5_000.0);

/// Plays a scenario and takes four pictures: at its start, while the world fills; in flight, in the middle; after a
/// teleport; and from above the middle. They are PNG files in a folder, which is created if it is missing.
///
/// # Errors
///
/// If a setting makes no sense, the renderer gives no picture, or a file cannot be written.
pub fn take<T: Send + Sync + 'static>(
    folder: &Path,
    size: [u32; 2],
    settings: &Settings,
    scenario: &dyn Scenario,
    workload: &Workload<T>,
) -> Result<Vec<Picture>, RenderError> {
    std::fs::create_dir_all(folder)
        .map_err(|error| RenderError::Write(folder.to_owned(), error))?;
    let mut offscreen = OffscreenApp::of(size, settings, workload)?;
    let viewer = offscreen
        .app_mut()
        .world_mut()
        .spawn(ChunkViewer::default());
    let mut tour = Tour::<T> {
        content: PhantomData,
        viewer: viewer.id(),
        offscreen,
        folder,
        settings,
        scenario,
        pictures: Vec::new(),
    };

    tour.go_to(tour.at(0.0));
    wait::<T>(tour.offscreen.app_mut(), MOST_FRAMES, |index, stream| {
        3 * index.len() >= stream.wanted().len()
    })?;
    tour.take(
        "start.png",
        "the world fills, nearest first",
        view_ahead(scenario, 0.0, settings),
    )?;

    let middle = settings.seconds / 2.0;
    let approach = middle.min(0.5);
    tour.go_to(tour.at(middle - approach));
    tour.settle()?;
    tour.fly(middle - approach, middle);
    tour.take(
        "flight.png",
        "in the middle of the flight",
        view_ahead(scenario, middle, settings),
    )?;

    let there = tour.at(middle) + TELEPORT;
    tour.go_to(there);
    tour.settle()?;
    let eye = view_ahead(scenario, middle, settings);
    let eye = eye.with_translation(eye.translation + TELEPORT);
    tour.take(
        "teleport.png",
        "everything is there again after a teleport",
        eye,
    )?;

    let reach = settings.chunk_size * settings.radius as f32;
    let eye = Vec3::new(-0.24, 0.125, 0.17) * reach;
    // Over the hills, where there are some.
    let height = if settings.ceiling.is_finite() {
        settings.ceiling
    } else {
        eye.y
    };
    let eye = Transform::from_translation(eye.with_y(height));
    // Levels of detail are by the viewer, and the distances over which things fade by the camera.
    tour.go_to(eye.translation);
    tour.settle()?;
    let eye = eye.looking_at(Vec3::new(0.06, 0.0, -0.04) * reach, Vec3::Y);
    tour.take("overview.png", "the middle from above", eye)?;
    Ok(tour.pictures)
}

/// A viewer that goes from picture to picture.
struct Tour<'a, T> {
    /// What a chunk contains.
    content: PhantomData<fn() -> T>,
    offscreen: OffscreenApp,
    viewer: Entity,
    folder: &'a Path,
    settings: &'a Settings,
    scenario: &'a dyn Scenario,
    pictures: Vec<Picture>,
}

impl<T: Send + Sync + 'static> Tour<'_, T> {
    /// Where the scenario's first viewer is.
    fn at(&self, seconds: f64) -> Vec3 {
        place(self.scenario, 0, seconds, self.settings)
    }

    fn go_to(&mut self, place: Vec3) {
        let world = self.offscreen.app_mut().world_mut();
        world
            .entity_mut(self.viewer)
            .insert(Transform::from_translation(place));
    }

    fn settle(&mut self) -> Result<(), RenderError> {
        wait::<T>(self.offscreen.app_mut(), MOST_FRAMES, |_, stream| {
            stream.is_settled()
        })
    }

    fn fly(&mut self, from: f64, to: f64) {
        let frames = ((to - from) * f64::from(Settings::FRAMES_PER_SECOND)) as u64;
        for frame in 0..=frames {
            let seconds = from + frame as f64 / f64::from(Settings::FRAMES_PER_SECOND);
            self.go_to(self.at(seconds));
            self.offscreen.app_mut().update();
        }
    }

    /// Takes a picture. The stream is paused meanwhile, so that slow drawing does not change what it shows.
    fn take(
        &mut self,
        name: &str,
        caption: &'static str,
        eye: Transform,
    ) -> Result<(), RenderError> {
        let start = Instant::now();
        self.stream().pause();
        let image = self.offscreen.take(eye)?;
        self.stream().resume();
        let path = self.folder.join(name);
        save(&image, &path)?;
        let batches = self.offscreen.batches();
        let world = self.offscreen.app_mut().world();
        let index = world.resource::<ChunkIndex<T>>();
        self.pictures.push(Picture {
            caption,
            path,
            chunks: index.len(),
            entities: index.entities(),
            batches,
            took: start.elapsed(),
        });
        Ok(())
    }

    fn stream(&mut self) -> Mut<'_, ChunkStream<T>> {
        let world = self.offscreen.app_mut().world_mut();
        world.resource_mut::<ChunkStream<T>>()
    }
}

/// Runs frames until the stream is as asked.
fn wait<T: Send + Sync + 'static>(
    app: &mut App,
    most_frames: u32,
    is_so: impl Fn(&ChunkIndex<T>, &ChunkStream<T>) -> bool,
) -> Result<(), RenderError> {
    for _ in 0..most_frames {
        app.update();
        let world = app.world();
        let index = world.resource::<ChunkIndex<T>>();
        if is_so(index, world.resource::<ChunkStream<T>>()) {
            return Ok(());
        }
    }
    Err(RenderError::Unsettled(most_frames))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::city_app;

    #[test]
    fn a_world_that_does_not_come_to_rest_is_not_photographed() {
        type T = crate::city::CityChunk;
        let mut app = city_app(&Settings::default()).expect("the defaults make sense");
        app.world_mut()
            .spawn((ChunkViewer::default(), Transform::default()));
        app.world_mut().resource_mut::<ChunkStream<T>>().pause();
        let waited = wait::<T>(&mut app, 9, |index, _| !index.is_empty());
        assert!(
            matches!(waited, Err(RenderError::Unsettled(9))),
            "{waited:?}"
        );
    }
}
