//! Plays a scenario from its first frame to the audit after its last.

use core::ops::ControlFlow;
use std::time::{Duration, Instant};

use chunk_assets::asset_count;
use chunk_scheduler::Runtime;

use super::audit::{self, Census};
use super::drawing::Drawing;
use super::invariants;
use super::memory::{MemoryTrend, peak_rss_bytes, reset_peak_rss};
use super::outcome::Outcome;
use super::pacing::Pacing;
use super::progress::{Phase, Watcher};
use super::report::{Report, tenths};
use super::session::Session;
use super::settings::{Settings, SettingsError};
use super::watchdog::Watchdog;
use super::workload::Workload;
use crate::chart::Timeline;
use crate::scenario::Scenario;

/// One run of a scenario on a workload; see [`Workload`] for an example.
#[derive(Debug)]
pub struct Run<'a, T> {
    /// Everything that the run depends on, besides its scenario and workload.
    pub settings: Settings,
    /// Where the viewers are, which generators fail, and what must hold.
    pub scenario: &'a dyn Scenario,
    /// What is streamed.
    pub workload: Workload<T>,
    /// How frames follow each other.
    pub pacing: Pacing,
    /// Where generators run.
    pub runtime: Runtime,
    /// What draws the frames. Default: nothing does.
    pub drawing: Drawing,
    /// Whether the outcome has a [`Timeline`](crate::chart::Timeline). Recording it takes some time of each frame, which is not
    /// part of what is measured.
    pub has_timeline: bool,
    /// How long the stream may make no progress while there is work to be done, in real time. Default 30 s. A workload
    /// whose generator takes longer for one chunk needs more.
    pub hang_timeout: Duration,
    /// Counts the bytes that the program has in use, for scenarios that measure whether memory grows. Default: none.
    pub live_bytes: Option<fn() -> u64>,
}

/// How many frames lie between two audits of the stream.
const AUDIT_EVERY: u64 = 30;

impl<'a, T: Send + Sync + 'static> Run<'a, T> {
    /// A run at 60 Hz on Bevy's pool.
    #[must_use]
    pub fn new(settings: Settings, scenario: &'a dyn Scenario, workload: Workload<T>) -> Self {
        Self {
            settings,
            scenario,
            workload,
            pacing: Pacing::default(),
            runtime: Runtime::default(),
            drawing: Drawing::None,
            has_timeline: false,
            hang_timeout: Duration::from_secs(30),
            live_bytes: None,
        }
    }

    /// Plays the scenario, lets the world come to rest and audits it, removes the viewers and checks that everything is
    /// unloaded. What did not hold is in the report.
    ///
    /// If the watcher ends the run, what is loaded is audited, and nothing else is waited for.
    ///
    /// # Errors
    ///
    /// If a setting makes no sense.
    pub fn go(self, watcher: &mut dyn Watcher) -> Result<Outcome, SettingsError> {
        reset_peak_rss();
        let session = Session::new(
            &self.settings,
            self.scenario,
            &self.workload,
            self.pacing.clone(),
            self.runtime.clone(),
            self.drawing,
            self.has_timeline.then(|| Timeline::new(&self.settings)),
        )?;
        let mut playing = Playing {
            run: &self,
            session,
            outcome: Outcome {
                is_unpaced: matches!(self.pacing, Pacing::Unpaced),
                ..Outcome::default()
            },
            violations: Vec::new(),
            watcher,
        };
        playing.play_and_audit();
        let Playing {
            mut outcome,
            violations,
            ..
        } = playing;
        outcome.report.violations = violations;
        outcome.report.peak_rss_bytes = peak_rss_bytes();
        Ok(outcome)
    }
}

/// A run that is being played.
struct Playing<'r, 'w, T: Send + Sync + 'static> {
    run: &'r Run<'r, T>,
    session: Session<'r, T>,
    outcome: Outcome,
    violations: Vec<String>,
    watcher: &'w mut dyn Watcher,
}

/// Why a run ended early.
#[derive(Debug)]
enum Stop {
    Interrupted,
    /// With the sentence that says so.
    Hung(String),
}

impl<T: Send + Sync + 'static> Playing<'_, '_, T> {
    fn play_and_audit(&mut self) {
        let (scenario, settings) = (self.run.scenario, &self.run.settings);
        let played = self.play();
        let census = self.census();
        self.write_figures(&census);
        self.audit(&census);

        let ended = match played {
            ControlFlow::Continue(()) => self.come_to_rest(),
            hung_or_interrupted => hung_or_interrupted,
        };
        self.outcome.observed = self.session.observed();
        if self.run.workload.assets_of.is_none() {
            self.report(self.assets());
        }
        self.report(invariants::broken(&self.outcome));
        match ended {
            ControlFlow::Continue(()) => {
                self.report(invariants::missing_at_rest(&self.outcome));
                if scenario.must_keep_up() {
                    self.report(invariants::falls_behind(&self.outcome, settings));
                }
                self.report(scenario.check(&self.outcome, settings));
            }
            ControlFlow::Break(Stop::Interrupted) => self.outcome.was_interrupted = true,
            ControlFlow::Break(Stop::Hung(sentence)) => self.report([sentence]),
        }
    }

    /// Plays the scenario's frames. A scenario that goes round comes to rest after each round, and memory is measured
    /// there.
    fn play(&mut self) -> ControlFlow<Stop> {
        let mut memory = MemoryTrend::default();
        let round = self.run.scenario.round().unwrap_or(u64::MAX);
        while self.session.frame() < self.run.settings.frames() {
            self.session.play();
            let frame = self.session.frame();
            if frame.is_multiple_of(AUDIT_EVERY) && self.violations.is_empty() {
                self.report(audit::stream::<T>(self.session.world()));
            }
            self.tell(Phase::Running)?;
            if frame.is_multiple_of(round)
                && let Some(live_bytes) = self.run.live_bytes
            {
                self.rest(Phase::Running)?;
                let cached = (self.run.workload.cached_bytes)() as u64;
                memory.sample(frame, live_bytes().saturating_sub(cached));
                self.outcome.memory_slope = memory.slope();
                self.outcome.memory_at_half = memory.at_half();
                self.outcome.cached_bytes = cached;
            }
        }
        ControlFlow::Continue(())
    }

    /// Lets the world come to rest and audits it, removes the viewers and checks that everything is unloaded.
    fn come_to_rest(&mut self) -> ControlFlow<Stop> {
        self.rest(Phase::Settling)?;
        self.outcome.wanted_at_rest = self.session.stream().wanted().len();
        let (faults, settings) = (self.run.scenario.faults(), &self.run.settings);
        (self.outcome.missing_at_rest, self.outcome.broken_at_rest) =
            audit::missing::<T>(self.session.world(), faults, settings.seed);
        let census = self.census();
        self.audit(&census);
        let before = self.session.entities_before();
        let others = before + settings.viewers as usize;
        self.report(census.violation_at_rest(self.session.world(), others));
        self.report(self.assets());

        self.session.remove_viewers();
        self.rest(Phase::Unloading)?;
        self.report(self.assets());
        self.report(audit::emptied::<T>(self.session.world(), before));
        self.report(audit::stream::<T>(self.session.world()));
        ControlFlow::Continue(())
    }

    /// Lets frames pass until the stream has nothing left to do.
    fn rest(&mut self, phase: Phase) -> ControlFlow<Stop> {
        let (start, timeout) = (Instant::now(), self.run.hang_timeout);
        let mut watchdog = Watchdog::new(timeout, Duration::ZERO, self.session.work_done());
        loop {
            self.session.rest();
            if self.session.stream().is_settled() {
                // An asset goes in the frame after the last entity that held it.
                self.session.rest();
                return ControlFlow::Continue(());
            }
            self.tell(phase)?;
            if watchdog.has_expired(start.elapsed(), self.session.work_done()) {
                let stream = self.session.stream();
                return ControlFlow::Break(Stop::Hung(format!(
                    "the stream hangs, nothing has happened for {timeout:?}: {:?}, {} chunks to unload",
                    stream.scheduler().depths(),
                    stream.unloading(),
                )));
            }
        }
    }

    /// Calls the watcher after a frame.
    fn tell(&mut self, phase: Phase) -> ControlFlow<Stop> {
        match self.watcher.frame(&self.session.progress(phase)) {
            ControlFlow::Continue(()) => ControlFlow::Continue(()),
            ControlFlow::Break(()) => ControlFlow::Break(Stop::Interrupted),
        }
    }

    /// Whether there are as many assets as there should be.
    fn assets(&self) -> Option<String> {
        let scenery = self.run.drawing.scenery();
        audit::assets(self.session.world(), &self.run.workload, scenery)
    }

    fn census(&self) -> Census {
        let level_of = |coord| self.session.level(coord);
        Census::take(self.session.world(), &self.run.workload, level_of)
    }

    fn audit(&mut self, census: &Census) {
        self.report(audit::stream::<T>(self.session.world()));
        self.report(census.violation());
    }

    /// Adds violations to the report, each sentence once.
    fn report(&mut self, found: impl IntoIterator<Item = String>) {
        for sentence in found {
            if !self.violations.contains(&sentence) {
                self.violations.push(sentence);
            }
        }
    }

    fn write_figures(&mut self, census: &Census) {
        let (stream, settings) = (self.session.stream(), &self.run.settings);
        let (counters, depths) = (stream.scheduler().counters(), stream.scheduler().depths());
        let generation = stream.scheduler().generation_times();
        let us = |duration: Duration| tenths(duration.as_secs_f64() * 1e6);
        self.outcome.max_in_flight = stream.scheduler().max_in_flight();
        self.outcome.pool_threads = stream.scheduler().pool_threads();
        self.outcome.report = Report {
            scenario: self.run.scenario.name().to_owned(),
            seed: settings.seed,
            seconds: self.session.frame() as f64 / f64::from(Settings::FRAMES_PER_SECOND),
            viewers: settings.viewers,
            requested: counters.requested,
            generated: counters.generated,
            applied: counters.applied,
            unloaded: stream.totals().unloaded,
            cancelled: counters.cancelled,
            stale: counters.stale,
            failed: counters.failed,
            retried: counters.retried,
            quarantined: stream.quarantined().len() as u64,
            panics: counters.panics,
            queued: depths.queued as u64,
            in_flight: depths.in_flight as u64,
            completed: depths.completed as u64,
            backlog: depths.backlog as u64,
            loaded_chunks: census.chunks as u64,
            loaded_entities: census.entities as u64,
            expected_entities: census.expected as u64,
            assets: asset_count(self.session.world()) as u64,
            assets_without_sharing: census.entities as u64,
            generation_us_mean: us(generation.mean),
            generation_us_p50: us(generation.p50),
            generation_us_p99: us(generation.p99),
            generation_us_max: us(generation.max),
            ..Report::default()
        };
        self.session.write_to(&mut self.outcome);
    }
}
