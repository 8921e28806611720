//! The app that a scenario plays on: viewers, frames, and what each frame did.

use std::sync::Arc;
use std::time::Instant;

use bevy_app::App;
use bevy_ecs::entity::Entity;
use bevy_ecs::world::World;
use bevy_math::Vec3;
use bevy_transform::components::Transform;
use chunk_apply::{ChunkIndex, ChunkStream, ChunkViewer, Clock};
use chunk_scheduler::Runtime;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::app::{add_stream, headless, ready};
use crate::chart::Timeline;
use crate::lateness::{FrameCost, RunQueue};
use crate::pacing::{Metronome, Pacing};
use crate::recorder::Recorder;
use crate::scenario::Scenario;
use crate::settings::Settings;
use crate::settings_error::SettingsError;
use crate::watch::{Phase, Progress};
use crate::witness::Witness;
use crate::workload::Workload;

pub(crate) struct Stage<'a, T: Send + Sync + 'static> {
    app: App,
    settings: &'a Settings,
    scenario: &'a dyn Scenario,
    viewers: Vec<Entity>,
    clock: Arc<dyn Clock>,
    run_queue: RunQueue,
    metronome: Metronome,
    /// Entities that were there before the first viewer.
    pub(crate) entities_before: usize,
    pub(crate) recorder: Recorder,
    pub(crate) witness: Witness<T>,
    pub(crate) frame: u64,
    pub(crate) timeline: Option<Timeline>,
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
        let streams_clock = Arc::clone(&clock);
        add_stream(&mut app, settings, workload, faults, runtime, streams_clock)?;
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
            clock,
            run_queue: RunQueue::open(),
            metronome: Metronome::new(pacing),
            entities_before,
            recorder: Recorder::new(settings.budget),
            witness: Witness::new(settings, faults)?,
            frame: 0,
            timeline: None,
        })
    }

    pub(crate) fn world(&self) -> &World {
        self.app.world()
    }

    pub(crate) fn stream(&self) -> &ChunkStream<T> {
        self.world().resource::<ChunkStream<T>>()
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

    /// A number that changes when the stream gets on with anything.
    pub(crate) fn work_done(&self) -> u64 {
        let counters = self.stream().scheduler().counters();
        let totals = self.stream().totals();
        let ended = counters.applied + counters.cancelled + counters.stale + counters.failed;
        let attempts = counters.generated + counters.retried + counters.panics;
        ended + attempts + totals.spawned + totals.despawned + totals.unloaded
    }

    /// Plays one frame of the scenario and waits for the next.
    pub(crate) fn play(&mut self) {
        self.place_viewers();
        self.edit();
        let (waited, start) = (self.run_queue.waited(), Instant::now());
        self.update();
        let whole = start.elapsed();
        let waits = self.run_queue.waited().zip(waited);
        self.recorder.frame(FrameCost {
            frame: self.frame,
            whole,
            stream: self.stream().last_frame().main_thread(),
            pushed_aside: waits.map(|(after, before)| after.saturating_sub(before)),
        });
        let (world, now) = (self.app.world(), self.clock.now());
        (self.witness).note(world, self.frame, now, &mut self.recorder);
        if let Some(timeline) = &mut self.timeline {
            timeline.frame::<T>(self.app.world(), self.frame, whole);
        }
        self.frame += 1;
        self.metronome.wait();
    }

    /// Runs a frame in which no viewer moves and nothing is measured.
    pub(crate) fn rest(&mut self) {
        self.update();
        self.witness.read(self.app.world(), self.frame);
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
        let place = |number| self.scenario.place(number, seconds, self.settings);
        let places: Vec<Vec3> = (0..)
            .zip(&self.viewers)
            .map(|(number, _)| place(number))
            .collect();
        for (position, viewer) in places.iter().zip(&self.viewers) {
            if let Some(mut transform) = self.app.world_mut().get_mut::<Transform>(*viewer) {
                transform.translation = *position;
            }
        }
        let index = self.app.world().resource::<ChunkIndex<T>>();
        let now = self.clock.now();
        (self.witness).see(places.into_iter(), self.frame, now, index);
    }

    /// Asks anew for chunks around the viewers, the same ones in each run.
    fn edit(&mut self) {
        let count = self.scenario.edits(self.frame);
        if count == 0 {
            return;
        }
        let mut rng = Pcg64Mcg::seed_from_u64(self.settings.seed ^ self.frame);
        let reach = self.settings.radius.cast_signed() / 2;
        let mut stream = self.app.world_mut().resource_mut::<ChunkStream<T>>();
        for _ in 0..count {
            let viewers = stream.viewers().len();
            if viewers == 0 {
                return;
            }
            let centre = stream.viewers()[rng.random_range(0..viewers)].coord;
            let mut offset = || rng.random_range(-reach..=reach);
            let coord = centre.saturating_offset(offset(), 0, offset());
            if stream.refresh(coord) {
                self.witness.edited(coord, self.frame);
            }
        }
    }
}
