//! Plays a scenario from its first frame to the audit after its last.

use core::ops::ControlFlow;
use std::time::{Duration, Instant};

use bevy_ecs::world::World;
use chunk_assets::asset_count;
use chunk_scheduler::Runtime;

use crate::audit::{self, Census};
use crate::chart::Film;
use crate::memory::{MemoryTrend, peak_rss_bytes};
use crate::outcome::Outcome;
use crate::pacing::Pacing;
use crate::report::{Report, tenths};
use crate::scenario::Scenario;
use crate::settings::{Settings, SettingsError};
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
    /// Whether the outcome has a [`Film`](crate::chart::Film). Filming takes some time of each frame, outside of what
    /// is measured.
    pub is_filmed: bool,
}

/// How many frames lie between two audits of the ledger.
const AUDIT_EVERY: u64 = 30;
/// The world must come to rest within this time after the scenario, and be empty within as much again.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// And within so many frames, for clocks that only move with frames.
const MOST_RESTS: u32 = 1_000_000;

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
            is_filmed: false,
        }
    }

    /// Plays the scenario, lets the world come to rest and audits it, removes the viewers and sees that everything
    /// goes. What did not hold is in the report.
    ///
    /// # Errors
    ///
    /// If a setting makes no sense.
    pub fn go(self, watcher: &mut dyn Watcher) -> Result<Outcome, SettingsError> {
        let Self {
            settings,
            scenario,
            workload,
            pacing,
            runtime,
            is_filmed,
        } = self;
        let is_unpaced = matches!(pacing, Pacing::Unpaced);
        let mut stage = Stage::new(&settings, scenario, &workload, pacing, runtime)?;
        stage.film = is_filmed.then(|| Film::new(&settings));
        let mut outcome = Outcome {
            is_unpaced,
            ..Outcome::default()
        };
        let mut violations = Vec::new();

        let mut memory = MemoryTrend::default();
        let sample_every = (settings.frames() / 200).max(10);
        while stage.frame < settings.frames() {
            stage.play();
            if stage.frame.is_multiple_of(AUDIT_EVERY) && violations.is_empty() {
                violations.extend(audit::ledger::<T>(stage.world()));
            }
            if stage.frame.is_multiple_of(sample_every) {
                memory.sample(stage.frame);
            }
            if watcher.frame(&stage.progress(Phase::Running)).is_break() {
                outcome.was_interrupted = true;
                break;
            }
        }
        outcome.max_in_flight = stage.stream().scheduler().max_in_flight();
        outcome.pool_threads = stage.stream().scheduler().pool_threads();
        outcome.memory_slope = memory.slope();
        outcome.memory_at_half = memory.at_half();
        outcome.frames_near_missing = stage.frames_near_missing;
        outcome.filled_in_frame = stage.filled_in_frame;
        outcome.applied_after_filled = stage.applied_after_filled;
        outcome.edits = stage.edits;
        outcome.film = stage.film.take();

        let census = Census::take(stage.world(), &workload);
        outcome.report = figures(&stage, &census, scenario, &settings);
        violations.extend(audit::ledger::<T>(stage.world()));
        violations.dedup();
        violations.extend(census.violations());

        let start = Instant::now();
        match rest(&mut stage, Phase::Settling, watcher) {
            ControlFlow::Break(reason) => violations.extend(reason),
            ControlFlow::Continue(()) => {
                outcome.settling = start.elapsed();
                outcome.wanted_at_rest = stage.stream().wanted().len();
                let faults = scenario.faults();
                (outcome.missing_at_rest, outcome.broken_at_rest) =
                    audit::missing::<T>(stage.world(), faults, settings.seed);
                let census = Census::take(stage.world(), &workload);
                let others = stage.entities_before + settings.viewers as usize;
                violations.extend(census.violations());
                violations.extend(audit::at_rest(stage.world(), &census, others));
                violations.extend(ending(&mut stage, watcher));
            }
        }
        violations.extend(audit::assets(stage.world(), &workload));
        if !outcome.was_interrupted {
            violations.extend(scenario.check(&outcome, &settings));
        }
        outcome.report.violations = violations;
        outcome.report.peak_rss_bytes = peak_rss_bytes();
        Ok(outcome)
    }
}

/// Removes the viewers and sees that everything goes.
fn ending<T: Send + Sync + 'static>(
    stage: &mut Stage<'_, T>,
    watcher: &mut dyn Watcher,
) -> Vec<String> {
    stage.remove_viewers();
    match rest(stage, Phase::Unloading, watcher) {
        ControlFlow::Break(reason) => reason.into_iter().collect(),
        ControlFlow::Continue(()) => audit::emptied::<T>(stage.world(), stage.entities_before)
            .into_iter()
            .chain(audit::ledger::<T>(stage.world()))
            .collect(),
    }
}

/// Lets frames pass until nothing is to be done. Breaks with a reason if that takes too long, and without one if the
/// watcher has had enough.
fn rest<T: Send + Sync + 'static>(
    stage: &mut Stage<'_, T>,
    phase: Phase,
    watcher: &mut dyn Watcher,
) -> ControlFlow<Option<String>> {
    let start = Instant::now();
    for _ in 0..MOST_RESTS {
        stage.rest();
        if stage.stream().is_settled() {
            return ControlFlow::Continue(());
        }
        if watcher.frame(&stage.progress(phase)).is_break() {
            return ControlFlow::Break(None);
        }
        if start.elapsed() > LONGEST_REST {
            break;
        }
    }
    let stream = stage.stream();
    ControlFlow::Break(Some(format!(
        "no rest {} s after the scenario: {:?}, {} chunks to unload",
        start.elapsed().as_secs(),
        stream.scheduler().depths(),
        stream.unloading(),
    )))
}

fn figures<T: Send + Sync + 'static>(
    stage: &Stage<'_, T>,
    census: &Census,
    scenario: &dyn Scenario,
    settings: &Settings,
) -> Report {
    let stream = stage.stream();
    let (counters, depths) = (stream.scheduler().counters(), stream.scheduler().depths());
    let generation = stream.scheduler().generation_times();
    let us = |duration: Duration| tenths(duration.as_secs_f64() * 1e6);
    let mut report = Report {
        scenario: scenario.name().to_owned(),
        seed: settings.seed,
        seconds: stage.frame as f64 / f64::from(Settings::FRAMES_PER_SECOND),
        viewers: settings.viewers,
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
        assets: assets_in(stage.world()),
        assets_without_sharing: census.entities as u64,
        generation_us_mean: us(generation.mean),
        generation_us_p50: us(generation.p50),
        generation_us_p99: us(generation.p99),
        generation_us_max: us(generation.max),
        ..Report::default()
    };
    stage.recorder.write_to(&mut report);
    report
}

fn assets_in(world: &World) -> u64 {
    asset_count(world) as u64
}
