//! The app that a scenario plays on: viewers, frames, and what each frame did.

use std::time::Instant;

use bevy_app::App;
use bevy_ecs::entity::Entity;
use bevy_ecs::message::{MessageCursor, Messages};
use bevy_ecs::world::World;
use bevy_transform::components::Transform;
use chunk_apply::{ChunkIndex, ChunkLoaded, ChunkViewer, Streaming};
use chunk_coord::ChunkCoord;
use chunk_scheduler::Runtime;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::app::{add_stream, headless, ready};
use crate::chart::Film;
use crate::pacing::{Metronome, Pacing};
use crate::recorder::Recorder;
use crate::scenario::Scenario;
use crate::settings::{Settings, SettingsError};
use crate::watch::{Phase, Progress};
use crate::workload::Workload;

pub(crate) struct Stage<'a, T: Send + Sync + 'static> {
    app: App,
    settings: &'a Settings,
    scenario: &'a dyn Scenario,
    viewers: Vec<Entity>,
    loaded: MessageCursor<ChunkLoaded<T>>,
    metronome: Metronome,
    /// Entities that were there before the first viewer.
    pub(crate) entities_before: usize,
    pub(crate) recorder: Recorder,
    pub(crate) frame: u64,
    pub(crate) filled_in_frame: Option<u64>,
    pub(crate) frames_near_missing: u64,
    pub(crate) applied_after_filled: u64,
    pub(crate) edits: u64,
    pub(crate) film: Option<Film>,
}

impl<'a, T: Send + Sync + 'static> Stage<'a, T> {
    pub(crate) fn new(
        settings: &'a Settings,
        scenario: &'a dyn Scenario,
        workload: &Workload<T>,
        pacing: Pacing,
        runtime: Runtime,
    ) -> Result<Self, SettingsError> {
        let mut app = headless();
        let (faults, clock) = (scenario.faults(), pacing.clock());
        add_stream(&mut app, settings, workload, faults, runtime, clock)?;
        ready(&mut app);
        // Whatever Bevy makes in its first frame is there before the count.
        app.update();
        let entities_before = app.world().entity_count() as usize;
        let viewers = (0..settings.viewers).map(|_| ChunkViewer::default());
        let viewers = app.world_mut().spawn_batch(viewers).collect();
        Ok(Self {
            app,
            settings,
            scenario,
            viewers,
            loaded: MessageCursor::default(),
            metronome: Metronome::new(pacing),
            entities_before,
            recorder: Recorder::new(settings.budget),
            frame: 0,
            filled_in_frame: None,
            frames_near_missing: 0,
            applied_after_filled: 0,
            edits: 0,
            film: None,
        })
    }

    pub(crate) fn world(&self) -> &World {
        self.app.world()
    }

    pub(crate) fn stream(&self) -> &Streaming<T> {
        self.world().resource::<Streaming<T>>()
    }

    pub(crate) fn index(&self) -> &ChunkIndex<T> {
        self.world().resource::<ChunkIndex<T>>()
    }

    pub(crate) fn progress(&self, phase: Phase) -> Progress {
        Progress {
            phase,
            frame: self.frame,
            frames: self.settings.frames(),
            loaded: self.index().len(),
            wanted: self.stream().wanted().len(),
        }
    }

    /// Plays one frame of the scenario and waits for the next.
    pub(crate) fn play(&mut self) {
        self.place_viewers();
        self.edit();
        let start = Instant::now();
        self.update();
        let whole = start.elapsed();
        self.note(whole);
        if let Some(film) = &mut self.film {
            film.frame::<T>(self.app.world(), self.frame, whole);
        }
        self.frame += 1;
        self.metronome.wait();
    }

    /// Runs a frame in which no viewer moves and nothing is noted.
    pub(crate) fn rest(&mut self) {
        self.update();
        self.metronome.hurry();
    }

    fn update(&mut self) {
        let _span = tracing::debug_span!("chunk_frame").entered();
        self.app.update();
    }

    pub(crate) fn remove_viewers(&mut self) {
        for viewer in core::mem::take(&mut self.viewers) {
            self.app.world_mut().despawn(viewer);
        }
    }

    fn place_viewers(&mut self) {
        let seconds = self.frame as f64 / f64::from(Settings::FRAMES_PER_SECOND);
        for (number, viewer) in (0..).zip(&self.viewers) {
            let position = self.scenario.place(number, seconds, self.settings);
            if let Some(mut transform) = self.app.world_mut().get_mut::<Transform>(*viewer) {
                transform.translation = position;
            }
        }
    }

    /// Asks anew for chunks around the viewers, the same ones in each run.
    fn edit(&mut self) {
        let count = self.scenario.edits(self.frame);
        if count == 0 {
            return;
        }
        let mut rng = Pcg64Mcg::seed_from_u64(self.settings.seed ^ self.frame);
        let reach = self.settings.radius.cast_signed() / 2;
        let mut stream = self.app.world_mut().resource_mut::<Streaming<T>>();
        for _ in 0..count {
            let viewers = stream.viewers().len();
            if viewers == 0 {
                return;
            }
            let centre = stream.viewers()[rng.random_range(0..viewers)].coord;
            let mut offset = || rng.random_range(-reach..=reach);
            let coord = centre.saturating_offset(offset(), 0, offset());
            self.edits += u64::from(stream.refresh(coord));
        }
    }

    fn note(&mut self, whole: core::time::Duration) {
        let world = self.app.world();
        let (stream, index) = (
            world.resource::<Streaming<T>>(),
            world.resource::<ChunkIndex<T>>(),
        );
        self.recorder.frame(stream.last_frame(), whole);
        self.recorder.coverage(index.len(), stream.wanted().len());
        let is_filled = stream.wanted().is_settled() && index.len() == stream.wanted().len();
        let messages = world.resource::<Messages<ChunkLoaded<T>>>();
        for loaded in self.loaded.read(messages) {
            self.recorder.latency(loaded.latency);
            self.applied_after_filled += u64::from(self.filled_in_frame.is_some());
        }
        if is_filled && !index.is_empty() && self.filled_in_frame.is_none() {
            self.filled_in_frame = Some(self.frame);
        }
        let is_missing = self.filled_in_frame.is_some() && !is_filled && self.misses_near();
        self.frames_near_missing += u64::from(is_missing);
    }

    /// Whether a wanted chunk within half the radius of a viewer is not there.
    fn misses_near(&self) -> bool {
        let (stream, index) = (self.stream(), self.index());
        let near = self.settings.radius.cast_signed() / 2;
        let around = move |centre: ChunkCoord| {
            let offsets = (-near..=near).flat_map(move |x| (-near..=near).map(move |z| (x, z)));
            offsets
                .filter(move |(x, z)| x * x + z * z <= near * near)
                .map(move |(x, z)| centre.saturating_offset(x, 0, z))
        };
        let mut wanted = stream
            .viewers()
            .iter()
            .flat_map(|viewer| around(viewer.coord));
        wanted.any(|coord| stream.wanted().contains(coord) && !index.contains(coord))
    }
}
