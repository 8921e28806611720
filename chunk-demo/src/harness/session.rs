//! The app of one run: its viewers and edits, and what each frame did.

use std::sync::Arc;
use std::time::Instant;

use bevy_app::App;
use bevy_ecs::entity::Entity;
use bevy_ecs::world::World;
use bevy_math::Vec3;
use bevy_transform::components::Transform;
use chunk_apply::{ChunkIndex, ChunkStream, ChunkViewer, Clock};
use chunk_coord::ChunkCoord;
use chunk_scheduler::Runtime;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::app::{add_stream, ready};
use super::drawing::Drawing;
use super::frame_cost::{FrameCost, RunDelay};
use super::observer::Observer;
use super::outcome::{Observed, Outcome};
use super::pacing::{FrameLimiter, Pacing};
use super::progress::{Phase, Progress};
use super::recorder::Recorder;
use super::settings::{Settings, SettingsError};
use super::workload::Workload;
use crate::chart::Timeline;
use crate::scenario::{Scenario, place};

pub(super) struct Session<'a, T: Send + Sync + 'static> {
    app: App,
    settings: &'a Settings,
    scenario: &'a dyn Scenario,
    viewers: Vec<Entity>,
    clock: Arc<dyn Clock>,
    run_delay: RunDelay,
    limiter: FrameLimiter,
    entities_before: usize,
    recorder: Recorder,
    observer: Observer<T>,
    frame: u64,
    cost: FrameCost,
    timeline: Option<Timeline>,
}

impl<'a, T: Send + Sync + 'static> Session<'a, T> {
    pub(super) fn new(
        settings: &'a Settings,
        scenario: &'a dyn Scenario,
        workload: &Workload<T>,
        pacing: Pacing,
        runtime: Runtime,
        drawing: Drawing,
        timeline: Option<Timeline>,
    ) -> Result<Self, SettingsError> {
        let mut app = drawing.app();
        let (faults, clock) = (scenario.faults(), pacing.clock());
        let streams_clock = Arc::clone(&clock);
        add_stream(&mut app, settings, workload, faults, runtime, streams_clock)?;
        drawing.add_scene(&mut app, settings);
        ready(&mut app);
        // Whatever Bevy spawns in its first frame is there before the entities are counted.
        app.update();
        let entities_before = app.world().entity_count() as usize;
        let viewers = (0..settings.viewers).map(|_| ChunkViewer::default());
        let viewers: Vec<Entity> = app.world_mut().spawn_batch(viewers).collect();
        drawing.look_from(app.world_mut(), viewers.first(), settings);
        Ok(Self {
            app,
            settings,
            scenario,
            viewers,
            clock,
            run_delay: RunDelay::open(),
            limiter: FrameLimiter::new(pacing),
            entities_before,
            recorder: Recorder::new(settings.budget),
            observer: Observer::new(settings, faults, workload.levels.is_some())?,
            frame: 0,
            cost: FrameCost::default(),
            timeline,
        })
    }

    pub(super) fn world(&self) -> &World {
        self.app.world()
    }

    pub(super) fn stream(&self) -> &ChunkStream<T> {
        self.world().resource::<ChunkStream<T>>()
    }

    /// Frames of the scenario that have been played.
    pub(super) fn frame(&self) -> u64 {
        self.frame
    }

    /// Entities that were there before the first viewer.
    pub(super) fn entities_before(&self) -> usize {
        self.entities_before
    }

    pub(super) fn observed(&self) -> Observed {
        self.observer.observed()
    }

    /// The level of detail that a loaded chunk was made at.
    pub(super) fn level(&self, coord: ChunkCoord) -> u8 {
        self.observer.level(coord)
    }

    /// Writes what was recorded of the frames so far.
    pub(super) fn write_to(&mut self, outcome: &mut Outcome) {
        self.recorder.write_to(outcome);
        outcome.timeline = self.timeline.take();
    }

    pub(super) fn progress(&self, phase: Phase) -> Progress {
        Progress {
            phase,
            frame: self.frame,
            frames: self.settings.frames(),
            loaded: self.world().resource::<ChunkIndex<T>>().len(),
            wanted: self.stream().wanted().len(),
            cost: self.cost,
        }
    }

    /// A number that changes whenever the stream makes progress with anything.
    pub(super) fn work_done(&self) -> u64 {
        let counters = self.stream().scheduler().counters();
        let totals = self.stream().totals();
        let ended = counters.applied + counters.cancelled + counters.stale + counters.failed;
        let attempts = counters.generated + counters.retried + counters.panics;
        ended + attempts + totals.spawned + totals.despawned + totals.unloaded
    }

    /// Plays one frame of the scenario and waits for the next.
    pub(super) fn play(&mut self) {
        self.move_viewers();
        self.edit();
        let (delay_before, start) = (self.run_delay.total(), Instant::now());
        self.update();
        let whole = start.elapsed();
        let delays = self.run_delay.total().zip(delay_before);
        let frame = self.stream().last_frame();
        self.cost = FrameCost {
            frame: self.frame,
            whole,
            stream: frame.main_thread(),
            caused: frame.caused(),
            spawned: frame.apply.spawned,
            despawned: frame.apply.despawned,
            hidden: frame.hidden,
            preempted: delays.map(|(after, before)| after.saturating_sub(before)),
        };
        self.recorder.frame(self.cost);
        let (world, now) = (self.app.world(), self.clock.now());
        (self.observer).frame_played(world, self.frame, now, &mut self.recorder);
        if let Some(timeline) = &mut self.timeline {
            timeline.frame::<T>(self.app.world(), self.frame, whole);
        }
        self.frame += 1;
        self.limiter.wait();
    }

    /// Runs a frame in which no viewer moves and nothing is measured.
    pub(super) fn rest(&mut self) {
        self.update();
        (self.observer).read_messages(self.app.world(), self.frame);
        self.limiter.skip();
    }

    fn update(&mut self) {
        let _span = tracing::debug_span!("chunk_frame").entered();
        self.app.update();
    }

    pub(super) fn remove_viewers(&mut self) {
        for viewer in core::mem::take(&mut self.viewers) {
            self.app.world_mut().despawn(viewer);
        }
    }

    fn move_viewers(&mut self) {
        let seconds = self.frame as f64 / f64::from(Settings::FRAMES_PER_SECOND);
        let numbers = 0..self.settings.viewers;
        let positions: Vec<Vec3> = numbers
            .map(|number| place(self.scenario, number, seconds, self.settings))
            .collect();
        for (position, viewer) in positions.iter().zip(&self.viewers) {
            if let Some(mut transform) = self.app.world_mut().get_mut::<Transform>(*viewer) {
                transform.translation = *position;
            }
        }
        let (positions, now) = (positions.into_iter(), self.clock.now());
        (self.observer).viewers_moved(positions, self.frame, now, self.app.world());
    }

    /// Refreshes chunks around the viewers, the same ones in each run.
    fn edit(&mut self) {
        let count = self.scenario.edits(self.frame);
        let mut rng = Pcg64Mcg::seed_from_u64(self.settings.seed ^ self.frame);
        let reach = self.settings.radius.cast_signed() / 2;
        let mut stream = self.app.world_mut().resource_mut::<ChunkStream<T>>();
        let viewers = stream.viewers().len();
        if count == 0 || viewers == 0 {
            return;
        }
        for _ in 0..count {
            let centre = stream.viewers()[rng.random_range(0..viewers)].coord;
            let mut offset = |reach: i32| rng.random_range(-reach..=reach);
            let (x, z) = (offset(reach), offset(reach));
            let y = match self.settings.half_height.cast_signed() {
                0 => 0,
                half_height => offset(half_height),
            };
            let coord = centre.saturating_offset(x, y, z);
            if stream.refresh(coord)
                && let Some(version) = stream.scheduler().live_version(coord)
            {
                self.observer.edited(coord, self.frame, version.get());
            }
        }
    }
}
