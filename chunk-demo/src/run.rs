//! Plays a scenario from its first frame to the audit after its last.

use core::ops::ControlFlow;
use std::time::{Duration, Instant};

use chunk_assets::asset_count;
use chunk_scheduler::Runtime;

use crate::audit::{self, Census};
use crate::chart::Timeline;
use crate::memory::{MemoryTrend, peak_rss_bytes, reset_peak_rss};
use crate::outcome::Outcome;
use crate::pacing::Pacing;
use crate::patience::Patience;
use crate::promises;
use crate::report::{Report, tenths};
use crate::scenario::Scenario;
use crate::settings::Settings;
use crate::settings_error::SettingsError;
use crate::stage::Stage;
use crate::watch::{Phase, Watcher};
use crate::workload::Workload;

/// One run of a scenario on a workload; see [`Workload`] for an example.
#[derive(Debug)]
pub struct Run<'a, T> {
    /// Everything that it depends on.
    pub settings: Settings,
    /// Where the viewers are, what goes wrong, and what must hold.
    pub scenario: &'a dyn Scenario,
    /// What is streamed.
    pub workload: Workload<T>,
    /// How frames follow each other.
    pub pacing: Pacing,
    /// Where generators run.
    pub runtime: Runtime,
    /// Whether the outcome has a [`Timeline`](crate::chart::Timeline). Recording it takes some time of each frame, outside of what
    /// is measured.
    pub has_timeline: bool,
    /// How long, by the clock on the wall, nothing at all may happen while there is work to be done. Default 30 s; give
    /// generators that take longer for one chunk more.
    pub patience: Duration,
    /// Counts the bytes that the program has in use, for scenarios that measure whether memory grows. Default: nobody
    /// counts.
    pub live_bytes: Option<fn() -> u64>,
}

/// How many frames lie between two audits of the ledger.
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
            has_timeline: false,
            patience: Duration::from_secs(30),
            live_bytes: None,
        }
    }

    /// Plays the scenario, lets the world come to rest and audits it, removes the viewers and sees that everything
    /// goes. What did not hold is in the report.
    ///
    /// If the watcher has had enough, the run ends at once: what is there is audited, and nothing else is waited for.
    ///
    /// # Errors
    ///
    /// If a setting makes no sense.
    pub fn go(self, watcher: &mut dyn Watcher) -> Result<Outcome, SettingsError> {
        let pacing = self.pacing.clone();
        let (settings, scenario) = (&self.settings, self.scenario);
        let mut outcome = Outcome {
            is_unpaced: matches!(pacing, Pacing::Unpaced),
            ..Outcome::default()
        };
        reset_peak_rss();
        let runtime = self.runtime.clone();
        let mut stage = Stage::new(settings, scenario, &self.workload, pacing, runtime)?;
        stage.timeline = self.has_timeline.then(|| Timeline::new(settings));

        let mut violations = Vec::new();
        let played = self.play(&mut stage, &mut outcome, &mut violations, watcher);
        let census = Census::take(stage.world(), &self.workload);
        figures(&stage, &census, &mut outcome);
        outcome.report.scenario = scenario.name().to_owned();
        outcome.report.seed = settings.seed;
        outcome.report.viewers = settings.viewers;
        outcome.timeline = stage.timeline.take();
        violations.extend(audit::ledger::<T>(stage.world()));
        violations.dedup();
        violations.extend(census.violations());
        violations.extend(audit::versions::<T>(stage.world()));

        let ended = match played {
            ControlFlow::Continue(()) => {
                self.come_to_rest(&mut stage, &mut outcome, &mut violations, watcher)
            }
            hung_or_interrupted => hung_or_interrupted,
        };
        outcome.witnessed = stage.witness.witnessed();
        violations.extend(audit::assets(stage.world(), &self.workload));
        violations.extend(promises::broken(&outcome));
        match ended {
            ControlFlow::Continue(()) => violations.extend(scenario.check(&outcome, settings)),
            ControlFlow::Break(Stop::Interrupted) => outcome.was_interrupted = true,
            ControlFlow::Break(Stop::Hung(sentence)) => violations.push(sentence),
        }
        outcome.report.violations = violations;
        outcome.report.peak_rss_bytes = peak_rss_bytes();
        Ok(outcome)
    }

    /// The scenario's frames. A scenario that goes round comes to rest after each round, and memory is measured there.
    fn play(
        &self,
        stage: &mut Stage<'_, T>,
        outcome: &mut Outcome,
        violations: &mut Vec<String>,
        watcher: &mut dyn Watcher,
    ) -> ControlFlow<Stop> {
        let mut memory = MemoryTrend::default();
        let round = self.scenario.round().unwrap_or(u64::MAX);
        while stage.frame < self.settings.frames() {
            stage.play();
            if stage.frame.is_multiple_of(AUDIT_EVERY) && violations.is_empty() {
                violations.extend(audit::ledger::<T>(stage.world()));
                violations.extend(audit::versions::<T>(stage.world()));
            }
            if watcher.frame(&stage.progress(Phase::Running)).is_break() {
                return ControlFlow::Break(Stop::Interrupted);
            }
            if stage.frame.is_multiple_of(round)
                && let Some(live_bytes) = self.live_bytes
            {
                self.rest(stage, Phase::Running, watcher)?;
                memory.sample(stage.frame, live_bytes());
                outcome.memory_slope = memory.slope();
                outcome.memory_at_half = memory.at_half();
            }
        }
        ControlFlow::Continue(())
    }

    /// Lets the world come to rest and audits it, removes the viewers and sees that everything goes.
    fn come_to_rest(
        &self,
        stage: &mut Stage<'_, T>,
        outcome: &mut Outcome,
        violations: &mut Vec<String>,
        watcher: &mut dyn Watcher,
    ) -> ControlFlow<Stop> {
        let start = Instant::now();
        self.rest(stage, Phase::Settling, watcher)?;
        outcome.settling = start.elapsed();
        outcome.wanted_at_rest = stage.stream().wanted().len();
        let faults = self.scenario.faults();
        (outcome.missing_at_rest, outcome.broken_at_rest) =
            audit::missing::<T>(stage.world(), faults, self.settings.seed);
        let census = Census::take(stage.world(), &self.workload);
        let others = stage.entities_before + self.settings.viewers as usize;
        violations.extend(census.violations());
        violations.extend(audit::at_rest(stage.world(), &census, others));
        violations.extend(audit::versions::<T>(stage.world()));

        stage.remove_viewers();
        self.rest(stage, Phase::Unloading, watcher)?;
        violations.extend(audit::emptied::<T>(stage.world(), stage.entities_before));
        violations.extend(audit::ledger::<T>(stage.world()));
        ControlFlow::Continue(())
    }

    /// Lets frames pass until nothing is to be done.
    fn rest(
        &self,
        stage: &mut Stage<'_, T>,
        phase: Phase,
        watcher: &mut dyn Watcher,
    ) -> ControlFlow<Stop> {
        let start = Instant::now();
        let mut patience = Patience::new(self.patience, Duration::ZERO, stage.work_done());
        loop {
            stage.rest();
            if stage.stream().is_settled() {
                return ControlFlow::Continue(());
            }
            if watcher.frame(&stage.progress(phase)).is_break() {
                return ControlFlow::Break(Stop::Interrupted);
            }
            if patience.is_over(start.elapsed(), stage.work_done()) {
                let stream = stage.stream();
                return ControlFlow::Break(Stop::Hung(format!(
                    "the stream hangs, nothing has happened for {:?}: {:?}, {} chunks to unload",
                    self.patience,
                    stream.scheduler().depths(),
                    stream.unloading(),
                )));
            }
        }
    }
}

/// Why a run ended before its time.
#[derive(Debug)]
enum Stop {
    Interrupted,
    /// And the sentence that says so.
    Hung(String),
}

fn figures<T: Send + Sync + 'static>(stage: &Stage<'_, T>, census: &Census, outcome: &mut Outcome) {
    let stream = stage.stream();
    let (counters, depths) = (stream.scheduler().counters(), stream.scheduler().depths());
    let generation = stream.scheduler().generation_times();
    let us = |duration: Duration| tenths(duration.as_secs_f64() * 1e6);
    outcome.max_in_flight = stream.scheduler().max_in_flight();
    outcome.pool_threads = stream.scheduler().pool_threads();
    outcome.report = Report {
        seconds: stage.frame as f64 / f64::from(Settings::FRAMES_PER_SECOND),
        requested: counters.requested,
        generated: counters.generated,
        applied: counters.applied,
        unloaded: stream.totals().unloaded,
        cancelled: counters.cancelled,
        stale: counters.stale,
        failed: counters.failed,
        retried: counters.retried,
        quarantined: depths.quarantined as u64,
        panics: counters.panics,
        queued: depths.queued as u64,
        in_flight: depths.in_flight as u64,
        completed: depths.completed as u64,
        backlog: depths.backlog as u64,
        loaded_chunks: census.chunks as u64,
        loaded_entities: census.entities as u64,
        expected_entities: census.expected as u64,
        assets: asset_count(stage.world()) as u64,
        assets_without_sharing: census.entities as u64,
        generation_us_mean: us(generation.mean),
        generation_us_p50: us(generation.p50),
        generation_us_p99: us(generation.p99),
        generation_us_max: us(generation.max),
        ..Report::default()
    };
    stage.recorder.write_to(outcome);
}
