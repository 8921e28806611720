//! A viewer that waits until the world is full, rests there, and then flies straight ahead, or is elsewhere at once.

use std::ops::ControlFlow;

use bevy_math::Vec3;
use chunk_demo::render::measured::Renderer;
use chunk_demo::scenario::Scenario;
use chunk_demo::{Drawing, FrameCost, Phase, Progress, Run, Settings, Workload};

/// How long the viewer is where it comes from, how long the world may take to fill, and how long the viewer rests then, in
/// seconds.
const BEFORE: f64 = 1.0;
const FILL: f64 = 8.0;
const REST: f64 = 5.0;

/// How high it flies, in metres.
const HEIGHT: f32 = 120.0;

/// A straight flight over a world that is full.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cruise {
    /// What draws it.
    pub(crate) renderer: Renderer,
    /// The height in metres from which it comes. By default it is there from the first frame on.
    pub(crate) arrives_from: Option<f32>,
    /// So many metres ahead it is when the flight begins.
    pub(crate) jump: f64,
    /// Metres a second.
    pub(crate) speed: f64,
    /// How long it flies.
    pub(crate) seconds: f64,
}

/// What the frames cost, by what the viewer did.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    /// From the first frame on, until all that is wanted is loaded.
    pub(crate) fill: Vec<FrameCost>,
    pub(crate) rest: Vec<FrameCost>,
    pub(crate) flight: Vec<FrameCost>,
    /// How many frames of the flight there were until the last change of what is loaded or wanted.
    pub(crate) settled: usize,
    /// The least part of the wanted chunks that was loaded in a frame of the flight.
    pub(crate) least_present: f64,
}

impl Cruise {
    /// Plays it with every frame drawn, and seen by nobody.
    ///
    /// # Panics
    ///
    /// If the settings make no sense, or anything did not hold that the run is audited for.
    pub(crate) fn fly<T: Send + Sync + 'static>(
        &self,
        settings: Settings,
        workload: Workload<T>,
    ) -> Frames {
        let settings = Settings {
            seconds: self.arrival() + FILL + REST + self.seconds,
            ..settings
        };
        let mut run = Run::new(settings, self, workload);
        run.drawing = Drawing::Unseen(self.renderer);
        let mut frames = Frames {
            least_present: 1.0,
            ..Frames::default()
        };
        // What is wanted is found out ring after ring, so the world is full after the last change.
        let (mut before, mut filled, mut at_rest) = ((0, 0), 0, (0, 0));
        let mut watch = |progress: &Progress| {
            if progress.phase != Phase::Running {
                return ControlFlow::Continue(());
            }
            let seconds = progress.frame as f64 / f64::from(Settings::FRAMES_PER_SECOND);
            let seconds = seconds - self.arrival();
            let now = (progress.loaded, progress.wanted);
            let has_changed = core::mem::replace(&mut before, now) != now;
            if seconds > FILL + REST {
                frames.flight.push(progress.cost);
                if has_changed {
                    frames.settled = frames.flight.len();
                }
                let present = progress.loaded as f64 / progress.wanted.max(1) as f64;
                frames.least_present = frames.least_present.min(present);
            } else if seconds > FILL {
                frames.rest.push(progress.cost);
                at_rest = now;
            } else if seconds > 0.0 {
                frames.fill.push(progress.cost);
                if has_changed {
                    filled = frames.fill.len();
                }
            }
            ControlFlow::Continue(())
        };
        let outcome = run.go(&mut watch).expect("the settings make sense");
        assert_eq!(outcome.report.violations, [""; 0]);
        let (loaded, wanted) = at_rest;
        assert_eq!(loaded, wanted, "the world was not full after {FILL} s");
        frames.fill.truncate(filled);
        frames
    }

    /// When it is there.
    fn arrival(&self) -> f64 {
        self.arrives_from.map_or(0.0, |_| BEFORE)
    }
}

impl Scenario for Cruise {
    fn name(&self) -> &'static str {
        "cruise"
    }

    fn proves(&self) -> &'static str {
        "what whole frames cost while the world fills, at rest and in flight"
    }

    fn place(&self, _viewer: u32, seconds: f64, _settings: &Settings) -> Vec3 {
        if let Some(height) = self.arrives_from
            && seconds < self.arrival()
        {
            return Vec3::new(0.0, height, 0.0);
        }
        let flown = seconds - self.arrival() - FILL - REST;
        let along = self.speed * flown.max(0.0) + if flown > 0.0 { self.jump } else { 0.0 };
        Vec3::new(along as f32, HEIGHT, 0.0)
    }
}
