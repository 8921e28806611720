//! Every setting at its extremes: refused with the name of the field and the value, or harmless.

mod common;

use std::time::Duration;

use chunk_scheduler::{
    AdaptivePolicy, Concurrency, GenerateError, Generator, Job, OverrunPolicy, RetryPolicy,
    Runtime, SchedulerConfig, Simulation,
};
use common::{FRAME, Near, World, taking};

type Change = fn(&mut SchedulerConfig);

/// The values of a field that are refused, as the error names them, and those that do no harm.
struct Setting {
    field: &'static str,
    refused: &'static [(&'static str, Change)],
    harmless: &'static [Change],
}

/// The policy of an adaptive limit, to be changed.
fn adaptive(config: &mut SchedulerConfig) -> &mut AdaptivePolicy {
    if config.concurrency == Concurrency::Fixed {
        config.concurrency = Concurrency::Adaptive(AdaptivePolicy::default());
    }
    match &mut config.concurrency {
        Concurrency::Adaptive(policy) => policy,
        Concurrency::Fixed => unreachable!("it was made adaptive"),
    }
}

const SETTINGS: &[Setting] = &[
    Setting {
        field: "max_in_flight",
        refused: &[
            ("0", |c| c.max_in_flight = 0),
            ("4097", |c| c.max_in_flight = 4_097),
            ("18446744073709551615", |c| c.max_in_flight = usize::MAX),
        ],
        harmless: &[|c| c.max_in_flight = 1, |c| c.max_in_flight = 4_096],
    },
    Setting {
        field: "completed_capacity",
        refused: &[("0", |c| c.completed_capacity = 0)],
        harmless: &[
            |c| c.completed_capacity = 1,
            |c| c.completed_capacity = usize::MAX,
            |c| {
                adaptive(c);
                c.completed_capacity = usize::MAX;
            },
        ],
    },
    Setting {
        field: "backlog_capacity",
        refused: &[("0", |c| c.backlog_capacity = 0)],
        harmless: &[
            |c| c.backlog_capacity = 1,
            |c| c.backlog_capacity = usize::MAX,
            |c| {
                adaptive(c);
                c.backlog_capacity = usize::MAX;
            },
        ],
    },
    Setting {
        field: "urgent_reserve",
        refused: &[],
        harmless: &[
            |c| c.urgent_reserve = 0,
            |c| c.urgent_reserve = 1,
            |c| c.urgent_reserve = usize::MAX,
        ],
    },
    Setting {
        field: "quarantine_capacity",
        refused: &[("0", |c| c.quarantine_capacity = 0)],
        harmless: &[
            |c| c.quarantine_capacity = 1,
            |c| c.quarantine_capacity = usize::MAX,
        ],
    },
    Setting {
        field: "retry.max_attempts",
        refused: &[
            ("0", |c| c.retry.max_attempts = 0),
            ("65536", |c| c.retry.max_attempts = 65_536),
            ("4294967295", |c| c.retry.max_attempts = u32::MAX),
        ],
        harmless: &[
            |c| c.retry.max_attempts = 1,
            |c| c.retry.max_attempts = 65_535,
        ],
    },
    Setting {
        // One that is above the longest wait is an error of that.
        field: "retry.base_delay",
        refused: &[],
        harmless: &[
            |c| c.retry.base_delay = Duration::ZERO,
            |c| c.retry.base_delay = Duration::from_nanos(1),
            |c| {
                c.retry.base_delay = Duration::MAX;
                c.retry.max_delay = Duration::MAX;
            },
        ],
    },
    Setting {
        field: "retry.max_delay",
        refused: &[("0ns < base_delay 250ms", |c| {
            c.retry.max_delay = Duration::ZERO;
        })],
        harmless: &[
            |c| {
                c.retry.base_delay = Duration::ZERO;
                c.retry.max_delay = Duration::ZERO;
            },
            |c| c.retry.max_delay = Duration::MAX,
        ],
    },
    Setting {
        field: "retry.jitter",
        refused: &[
            ("-0.1", |c| c.retry.jitter = -0.1),
            ("1.1", |c| c.retry.jitter = 1.1),
            ("NaN", |c| c.retry.jitter = f32::NAN),
            ("inf", |c| c.retry.jitter = f32::INFINITY),
        ],
        harmless: &[
            |c| c.retry.jitter = 0.0,
            |c| c.retry.jitter = 1.0,
            |c| {
                c.retry.jitter = 1.0;
                c.retry.base_delay = Duration::MAX;
                c.retry.max_delay = Duration::MAX;
            },
        ],
    },
    Setting {
        field: "overrun.allowance",
        refused: &[("0 s", |c| c.overrun.allowance = Some(Duration::ZERO))],
        harmless: &[
            |c| c.overrun.allowance = None,
            |c| c.overrun.allowance = Some(Duration::from_nanos(1)),
            |c| c.overrun.allowance = Some(Duration::MAX),
        ],
    },
    Setting {
        field: "overrun.max_compensated",
        refused: &[
            ("4097", |c| c.overrun.max_compensated = 4_097),
            ("18446744073709551615", |c| {
                c.overrun.max_compensated = usize::MAX;
            }),
        ],
        harmless: &[
            |c| c.overrun.max_compensated = 0,
            |c| {
                c.max_in_flight = 4_096;
                c.overrun.max_compensated = 4_096;
                c.overrun.allowance = Some(Duration::from_nanos(1));
            },
        ],
    },
    Setting {
        field: "concurrency.min_in_flight",
        refused: &[
            ("0", |c| adaptive(c).min_in_flight = 0),
            ("18446744073709551615", |c| {
                adaptive(c).min_in_flight = usize::MAX;
            }),
        ],
        harmless: &[|c| {
            adaptive(c).min_in_flight = 4_096;
            adaptive(c).max_in_flight = 4_096;
        }],
    },
    Setting {
        field: "concurrency.max_in_flight",
        refused: &[
            ("0", |c| adaptive(c).max_in_flight = 0),
            ("1 < min_in_flight 2", |c| {
                adaptive(c).min_in_flight = 2;
                adaptive(c).max_in_flight = 1;
            }),
            ("18446744073709551615", |c| {
                adaptive(c).max_in_flight = usize::MAX;
            }),
        ],
        harmless: &[
            |c| adaptive(c).max_in_flight = 1,
            |c| adaptive(c).max_in_flight = 4_096,
        ],
    },
    Setting {
        field: "concurrency.frame",
        refused: &[("0 s", |c| adaptive(c).frame = Duration::ZERO)],
        harmless: &[
            |c| adaptive(c).frame = Duration::from_nanos(1),
            |c| adaptive(c).frame = Duration::MAX,
            |c| {
                adaptive(c).frame = Duration::MAX;
                adaptive(c).late_factor = f32::MAX;
            },
        ],
    },
    Setting {
        field: "concurrency.late_factor",
        refused: &[
            ("-1", |c| adaptive(c).late_factor = -1.0),
            ("NaN", |c| adaptive(c).late_factor = f32::NAN),
            ("inf", |c| adaptive(c).late_factor = f32::INFINITY),
        ],
        harmless: &[
            |c| adaptive(c).late_factor = 0.0,
            |c| adaptive(c).late_factor = f32::MIN_POSITIVE,
            |c| adaptive(c).late_factor = f32::MAX,
        ],
    },
    Setting {
        field: "concurrency.late_fraction",
        refused: &[
            ("-1", |c| adaptive(c).late_fraction = -1.0),
            ("NaN", |c| adaptive(c).late_fraction = f32::NAN),
            ("inf", |c| adaptive(c).late_fraction = f32::INFINITY),
        ],
        harmless: &[
            |c| adaptive(c).late_fraction = 0.0,
            |c| adaptive(c).late_fraction = f32::MAX,
        ],
    },
    Setting {
        field: "concurrency.interval",
        refused: &[("0 s", |c| adaptive(c).interval = Duration::ZERO)],
        harmless: &[
            |c| adaptive(c).interval = Duration::from_nanos(1),
            |c| adaptive(c).interval = Duration::MAX,
        ],
    },
];

/// The names of all settings. A new one does not compile until it is named here.
fn names(config: &SchedulerConfig) -> Vec<&'static str> {
    let SchedulerConfig {
        max_in_flight: _,
        completed_capacity: _,
        backlog_capacity: _,
        urgent_reserve: _,
        retry:
            RetryPolicy {
                max_attempts: _,
                base_delay: _,
                max_delay: _,
                jitter: _,
            },
        quarantine_capacity: _,
        concurrency,
        overrun: OverrunPolicy {
            allowance: _,
            max_compensated: _,
        },
    } = config;
    if let Concurrency::Adaptive(policy) = concurrency {
        let AdaptivePolicy {
            min_in_flight: _,
            max_in_flight: _,
            frame: _,
            late_factor: _,
            late_fraction: _,
            interval: _,
        } = policy;
    }
    vec![
        "backlog_capacity",
        "completed_capacity",
        "concurrency.frame",
        "concurrency.interval",
        "concurrency.late_factor",
        "concurrency.late_fraction",
        "concurrency.max_in_flight",
        "concurrency.min_in_flight",
        "max_in_flight",
        "overrun.allowance",
        "overrun.max_compensated",
        "quarantine_capacity",
        "retry.base_delay",
        "retry.jitter",
        "retry.max_attempts",
        "retry.max_delay",
        "urgent_reserve",
    ]
}

#[test]
fn every_setting_is_in_the_table() {
    let mut fields: Vec<_> = SETTINGS.iter().map(|setting| setting.field).collect();
    fields.sort_unstable();
    assert_eq!(fields, names(&SchedulerConfig::default()));
}

#[test]
fn an_extreme_that_is_refused_is_named_with_its_value() {
    for setting in SETTINGS {
        for (value, change) in setting.refused {
            let mut config = SchedulerConfig::default();
            change(&mut config);
            let error = config.validate().expect_err(setting.field);
            assert_eq!((error.field, &*error.value), (setting.field, *value));
        }
    }
}

/// Every outcome that a job can have.
fn every_outcome(simulation: &Simulation) -> Generator<i32, i32> {
    let simulation = simulation.clone();
    Generator::from_async(move |job: Job<i32>| {
        let sleep = simulation.sleep(FRAME / 3);
        async move {
            sleep.await;
            match job.key() % 6 {
                0 => Err(GenerateError::from("an error")),
                1 => std::panic::resume_unwind(Box::new("a panic")),
                2 => Err(GenerateError::NotYet(Duration::ZERO)),
                3 => Err(GenerateError::permanent("damaged")),
                _ => Ok(job.key()),
            }
        }
    })
}

#[test]
fn an_extreme_that_is_accepted_does_no_harm() {
    for setting in SETTINGS {
        for (number, change) in setting.harmless.iter().enumerate() {
            let mut config = SchedulerConfig::default();
            change(&mut config);
            let context = format!("{}, value {number}", setting.field);
            assert_eq!(config.validate(), Ok(()), "{context}");
            let mut world = World::new(config, every_outcome);
            world.request(0..60);
            let (mut applied, mut frames) = (0, 0);
            // The rig audits every step.
            while applied < 20 || frames < 100 {
                world.frame();
                world.scheduler.frame_took(Duration::MAX);
                applied += world.apply().len();
                frames += 1;
                assert!(frames < 1_000, "{context}: {applied} were applied");
            }
            assert_eq!(applied, 20, "{context}");
            for key in 0..60 {
                let _ = world.scheduler.explain(key).to_string();
            }
            world.scheduler.shutdown();
            world.check();
        }
    }
}

#[test]
fn a_clock_at_its_ends_does_no_harm() {
    let config = SchedulerConfig {
        concurrency: Concurrency::Adaptive(AdaptivePolicy::default()),
        ..SchedulerConfig::default()
    };
    let mut world = World::new(config, every_outcome);
    world.request(0..60);
    for now in [Duration::MAX, Duration::ZERO, Duration::MAX, FRAME] {
        world.scheduler.tick(now);
        world.simulation.advance(FRAME * 100);
        world.scheduler.frame_took(now);
        world.apply();
        world.check();
    }
}

#[test]
fn an_inline_budget_at_its_ends_does_no_harm() {
    for budget in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
        let generator = common::plain();
        let config = SchedulerConfig::default();
        let runtime = Runtime::Inline { budget };
        let mut scheduler = common::scheduler(config, generator, runtime, Near(0));
        for key in 0..20 {
            scheduler.request(key);
        }
        common::finish(&mut scheduler);
        assert_eq!(scheduler.counters().applied, 20, "{budget:?}");
    }
}

#[test]
fn a_runtime_that_claims_no_or_endless_threads_does_no_harm() {
    for threads in [0, 1, usize::MAX] {
        let simulation = Simulation::with_threads(1, threads);
        let (generator, runtime) = (common::plain(), simulation.runtime());
        let config = SchedulerConfig {
            concurrency: Concurrency::Adaptive(AdaptivePolicy::default()),
            ..SchedulerConfig::default()
        };
        let mut scheduler = common::scheduler(config, generator, runtime, Near(0));
        scheduler.request(1);
        scheduler.tick(FRAME);
        simulation.run();
        assert_eq!(common::apply(&mut scheduler), [1], "{threads} threads");
    }
}

#[test]
fn a_simulation_that_sleeps_for_ever_does_no_harm() {
    let config = SchedulerConfig::default();
    let mut world = World::new(config, taking(|_| Duration::MAX));
    world.simulation.advance(FRAME);
    world.request([1]);
    world.frame();
    world.simulation.advance(Duration::MAX);
    assert_eq!(world.scheduler.depths().live(), 1);
}
