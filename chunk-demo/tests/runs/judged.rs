//! Runs in which something does not hold: each violation is found and named.

use core::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bevy_app::{App, Update};
use bevy_camera::visibility::Visibility;
use bevy_ecs::prelude::*;
use bevy_math::Vec3;
use chunk_apply::{ChunkLevels, ChunkLoaded, ChunkRoot, Spawner};
use chunk_coord::{ChunkCoord, LevelRings};
use chunk_demo::scenario::{
    Edits, Flight, Long, Orbit, Panicking, Rest, Scenario, Slow, Sprint, Teleport,
};
use chunk_demo::{Faults, Outcome, Phase, Progress, Settings, Workload};
use chunk_scheduler::{Job, Simulation};

use crate::{on, simulated, small};

#[derive(Component)]
struct Rock;

/// Seven rocks a chunk, though the workload may say something else.
fn rocks(claimed: usize) -> Workload<usize> {
    let spawner = Spawner::new(|_coord: ChunkCoord, rocks: usize, writer| {
        writer.spawn_batch((0..rocks).map(|_| Rock));
    });
    Workload::new(|_job| 7_usize, spawner, move |_coord| claimed)
}

fn violations<T: Send + Sync + 'static>(
    scenario: &dyn Scenario,
    workload: Workload<T>,
) -> Vec<String> {
    let simulation = Simulation::new(1);
    let mut watcher = |_: &Progress| {
        simulation.run();
        ControlFlow::Continue(())
    };
    let run = on(&simulation, small(scenario, 1.0), scenario, workload);
    let outcome = run.go(&mut watcher).expect("the settings make sense");
    assert_eq!(
        outcome.report.is_good(),
        outcome.report.violations.is_empty()
    );
    outcome.report.violations
}

/// Whether some violation contains the sentence.
fn says(violations: &[String], sentence: &str) -> bool {
    violations
        .iter()
        .any(|violation| violation.contains(sentence))
}

#[test]
fn an_honest_workload_is_good() {
    assert_eq!(violations(&Rest, rocks(7)), [""; 0]);
}

#[test]
fn a_chunk_with_other_entities_than_it_should_have_is_named() {
    let violations = violations(&Rest, rocks(8));
    let counted =
        "leak: 81 of 81 chunks do not have the entities they should: 567 are there, 648 expected";
    assert!(says(&violations, counted), "{violations:#?}");
    let at_rest = "entities in a world at rest that should have";
    assert!(says(&violations, at_rest), "{violations:#?}");
}

#[test]
fn a_chunk_has_the_entities_of_the_level_that_it_was_made_at() {
    let rocks_at = |level: u8| 9 - 2 * usize::from(level);
    let with_levels = |claimed: fn(u8) -> usize| {
        let levels = ChunkLevels::new(LevelRings::new([1, 3], 1).expect("3 is more than 1"));
        let asked = levels.clone();
        let make = move |job: &Job<ChunkCoord>| rocks_at(asked.of_job(job));
        let spawner = Spawner::new(|_coord: ChunkCoord, rocks: usize, writer| {
            writer.spawn_batch((0..rocks).map(|_| Rock));
        });
        Workload::new(make, spawner, |_coord| 0)
            .with_entities_at(move |_coord, level| claimed(level))
            .with_levels(levels)
    };
    for scenario in [&Rest as &dyn Scenario, &Flight, &Teleport] {
        let violations = violations(scenario, with_levels(|level| 9 - 2 * usize::from(level)));
        assert_eq!(violations, [""; 0], "{}", scenario.name());
    }
    let violations = violations(&Rest, with_levels(|_level| 9));
    let counted = "leak: 76 of 81 chunks do not have the entities they should";
    assert!(says(&violations, counted), "{violations:#?}");
}

#[test]
fn entities_that_outlive_their_chunk_are_a_leak() {
    fn litter(
        mut loaded: MessageReader<'_, '_, ChunkLoaded<usize>>,
        mut commands: Commands<'_, '_>,
    ) {
        for _ in loaded.read() {
            commands.spawn(Rock);
        }
    }
    let littering = rocks(7).prepared_by(|app: &mut App| {
        app.add_systems(Update, litter);
    });
    let violations = violations(&Teleport, littering);
    assert!(says(&violations, "leak: "), "{violations:#?}");
    let emptied = "entities after everything was unloaded";
    assert!(says(&violations, emptied), "{violations:#?}");
}

#[test]
fn a_chunk_that_is_seen_twice_and_one_that_is_seen_and_not_loaded_are_named() {
    fn is_there(app: &mut App, x: i32) {
        let coord = ChunkCoord::planar(x, 0);
        app.world_mut()
            .spawn((ChunkRoot { coord }, Visibility::Inherited));
    }
    let twice = rocks(7).prepared_by(|app| is_there(app, 0));
    let sentence = "1 chunks are visible twice, in different versions";
    assert!(says(&violations(&Rest, twice), sentence));
    let stray = rocks(7).prepared_by(|app| is_there(app, 9_000));
    let sentence = "1 chunks are visible that are not loaded, and 0 are being unloaded";
    assert!(says(&violations(&Rest, stray), sentence));
}

#[test]
fn another_number_of_assets_is_named() {
    let settings = small(&Rest, 1.0);
    let city = Workload::city(settings.city()).expect("the settings make a city");
    assert_eq!(
        violations(&Rest, city.with_assets(5)),
        ["4 meshes and materials instead of 5"]
    );
}

/// A pool that makes one chunk every eighth frame.
fn crawling(settings: Settings, scenario: &dyn Scenario) -> Outcome {
    let simulation = Simulation::new(1);
    let mut watcher = |progress: &Progress| {
        if progress.frame % 8 == 7 {
            simulation.step();
        }
        if progress.phase != Phase::Running {
            simulation.run();
        }
        ControlFlow::Continue(())
    };
    let run = on(&simulation, settings, scenario, rocks(7));
    run.go(&mut watcher).expect("the settings make sense")
}

#[test]
fn a_generator_that_never_fills_the_world_does_not_keep_up() {
    let settings = Settings {
        seconds: 3.0,
        ..Settings::default()
    };
    let outcome = crawling(settings, &Flight);
    let seen = outcome.observed;
    assert_eq!(seen.filled_in_frame, None);
    assert_eq!(seen.warm_in_frame, Some(60), "a second, full or not");
    assert_eq!(seen.frames_near_missing, 120);
    assert!(outcome.report.coverage < 0.1, "{outcome:#?}");
    assert_eq!(
        outcome.report.violations,
        [
            "a chunk near a viewer was missing in 120 frames from frame 60 on, by which the world should have been there"
        ]
    );
}

#[test]
fn jumps_that_come_before_the_world_are_named() {
    let outcome = crawling(small(&Teleport, 3.0), &Teleport);
    assert_eq!(outcome.observed.leaps, 5);
    let violations = &outcome.report.violations;
    assert!(
        says(violations, "5 of 5 jumps came before the world was there"),
        "{violations:#?}"
    );
}

#[test]
fn a_stream_that_hangs_is_named_and_ends_the_run() {
    let simulation = Simulation::new(1);
    let mut run = on(&simulation, small(&Rest, 0.1), &Rest, rocks(7));
    run.hang_timeout = Duration::from_millis(20);
    // The simulated pool is never run.
    let outcome = run.go(&mut ()).expect("the settings make sense");
    let violations = &outcome.report.violations;
    assert_eq!(violations.len(), 1, "{violations:#?}");
    assert!(
        violations[0]
            .starts_with("the stream hangs, nothing has happened for 20ms: Depths { queued: 81"),
        "{violations:#?}"
    );
}

/// A viewer that is 1,000 chunks farther in every frame, in a world where each first attempt panics.
#[derive(Debug)]
struct Leaping;

impl Scenario for Leaping {
    fn name(&self) -> &'static str {
        "leaping"
    }

    fn proves(&self) -> &'static str {
        "what nobody wants any more is not given up"
    }

    fn place(&self, _viewer: u32, seconds: f64, settings: &Settings) -> Vec3 {
        let frame = (seconds * f64::from(Settings::FRAMES_PER_SECOND)).round() as f32;
        Vec3::new(frame * 1_000.0 * settings.chunk_size, 80.0, 0.0)
    }

    fn faults(&self) -> Faults {
        Faults {
            panics: 1.0,
            ..Faults::NONE
        }
    }
}

#[test]
fn a_chunk_that_left_after_its_first_attempt_failed_was_not_given_up() {
    let outcome = simulated(small(&Leaping, 0.5), &Leaping);
    assert!(outcome.report.panics > 0, "{outcome:#?}");
    assert_eq!(outcome.report.violations, [""; 0]);
}

/// A short session like the long one: a round a second, at rest.
#[derive(Debug)]
struct Rounds;

impl Scenario for Rounds {
    fn name(&self) -> &'static str {
        "rounds"
    }

    fn proves(&self) -> &'static str {
        "memory that grows is found"
    }

    fn place(&self, viewer: u32, seconds: f64, settings: &Settings) -> Vec3 {
        Rest.place(viewer, seconds, settings)
    }

    fn round(&self) -> Option<u64> {
        Some(60)
    }

    fn check(&self, outcome: &Outcome, settings: &Settings) -> Vec<String> {
        Long.check(outcome, settings)
    }
}

#[test]
fn memory_that_grows_with_each_round_is_named() {
    static ROUNDS: AtomicU64 = AtomicU64::new(0);
    fn growing() -> u64 {
        1_000_000 + 30_000 * ROUNDS.fetch_add(1, Ordering::Relaxed)
    }
    fn steady() -> u64 {
        1_000_000
    }
    let grown = |live_bytes: fn() -> u64| {
        let simulation = Simulation::new(1);
        let mut watcher = |_: &Progress| {
            simulation.run();
            ControlFlow::Continue(())
        };
        let mut run = on(&simulation, small(&Rounds, 6.0), &Rounds, rocks(7));
        run.live_bytes = Some(live_bytes);
        run.go(&mut watcher).expect("the settings make sense")
    };
    let outcome = grown(growing);
    assert_eq!(outcome.memory_slope, Some(500.0));
    assert_eq!(
        outcome.report.violations,
        ["memory grew by 87.9 KiB over the second half of the session, from 1064.5 KiB"]
    );
    let outcome = grown(steady);
    assert_eq!(outcome.memory_slope, Some(0.0));
    assert_eq!(outcome.report.violations, [""; 0]);
}

#[test]
fn memory_that_is_not_counted_is_unknown() {
    let outcome = simulated(small(&Long, 1.0), &Long);
    assert_eq!(outcome.memory_slope, None);
}

/// A world at rest in which half of the chunks panic.
#[derive(Debug)]
struct Healed;

impl Scenario for Healed {
    fn name(&self) -> &'static str {
        "healed"
    }

    fn proves(&self) -> &'static str {
        "a broken chunk that loads is found"
    }

    fn place(&self, viewer: u32, seconds: f64, settings: &Settings) -> Vec3 {
        Rest.place(viewer, seconds, settings)
    }

    fn faults(&self) -> Faults {
        Panicking::HALF.faults()
    }
}

#[test]
fn broken_chunks_are_tried_three_times_and_never_seen() {
    let settings = small(&Healed, 5.0);
    let outcome = simulated(settings, &Healed);
    let (report, seen) = (&outcome.report, outcome.observed);
    assert_eq!(report.violations, [""; 0], "{outcome:#?}");
    assert!(report.failed > 0);
    assert_eq!(
        (seen.wrong_attempts, seen.broken_shown, seen.sound_given_up),
        (0, 0, 0)
    );
    // Each that fails for good panicked three times, each that recovers once.
    let recovered = report.panics - 3 * report.failed;
    assert_eq!(report.retried, 2 * report.failed + recovered, "{report:#?}");
}

#[test]
fn each_scenario_names_what_it_must_not_come_to() {
    type Change = fn(&mut Outcome);
    let teleported = |outcome: &mut Outcome| {
        outcome.observed.leaps = 20;
    };
    let edited = |outcome: &mut Outcome| {
        (outcome.observed.edits, outcome.observed.edits_overtaken) = (1_000, 10);
    };
    // The second change is the smallest after which the scenario does not hold.
    let cases: [(&dyn Scenario, Change, Change, &str); 6] = [
        (
            &Edits,
            edited,
            |outcome| outcome.observed.edits_overtaken = 11,
            "edits wait behind loading: 11 chunks appeared before an edit that was made earlier",
        ),
        (
            &Edits,
            edited,
            |outcome| outcome.observed = Default::default(),
            "no edit was accepted",
        ),
        (
            &Orbit,
            |outcome| (outcome.report.requested, outcome.report.generated) = (100, 100),
            |outcome| outcome.report.generated = 101,
            "101 chunks were made for 100 requests: some were made for each viewer",
        ),
        (
            &Slow,
            |outcome| outcome.stream_alone_max = Duration::from_millis(199),
            |outcome| outcome.stream_alone_max = Duration::from_millis(200),
            "the main thread waited for a generator: the stream took 200ms of a frame",
        ),
        (
            &Sprint,
            |outcome| {
                (
                    outcome.observed.most_wanted,
                    outcome.observed.most_unloading,
                ) = (441, 441);
            },
            |outcome| outcome.observed.most_unloading = 442,
            "unloading falls behind: 442 chunks waited to be unloaded, when 441 were wanted at most",
        ),
        (
            &Teleport,
            teleported,
            |outcome| outcome.observed.leaps_unfilled = 1,
            "1 of 20 jumps came before the world was there, though neither the budget nor the threads were used up",
        ),
    ];
    for (scenario, good, bad, sentence) in cases {
        let mut outcome = Outcome::default();
        good(&mut outcome);
        let check = |outcome: &Outcome| scenario.check(outcome, &Settings::default());
        assert_eq!(check(&outcome), [""; 0], "{scenario:?}");
        bad(&mut outcome);
        assert_eq!(check(&outcome), [sentence]);
    }
}
