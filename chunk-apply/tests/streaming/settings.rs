//! Every setting of a stream at its extremes: refused with the name of the field and the value, or harmless. Those of the
//! scheduler are in the tests of `chunk-scheduler`.

use crate::rig::{PIECES, Pieces, Rig, config, generator, grid, spawner};
use bevy_ecs::world::Mut;
use bevy_math::Vec3;
use bevy_transform::components::Transform;
use chunk_apply::{
    ApplyBudget, ChunkLevels, ChunkStream, ChunkStreamingPlugin, ChunkViewer, DespawnedRoots,
    ManualClock, SavePolicy, SavedChunks, StreamingConfig,
};
use chunk_coord::{ChunkCoord, ChunkGrid, LevelRings, ViewRange};
use std::{num::NonZeroU32, time::Duration};

type Change = fn(&mut StreamingConfig);

/// The values of a field that are refused, as the error names them, and those that do no harm, with whether chunks load.
struct Setting {
    field: &'static str,
    refused: &'static [(&'static str, Change)],
    harmless: &'static [(bool, Change)],
}

fn all(radius: u32) -> Option<ViewRange> {
    ViewRange::disc(radius, radius).ok()
}

const SETTINGS: &[Setting] = &[
    Setting {
        field: "range",
        refused: &[],
        harmless: &[
            (true, |c| c.range = None),
            (true, |c| c.range = all(0)),
            (true, |c| {
                c.range = all(u32::MAX);
                c.scan_budget = Duration::ZERO;
                c.budget = ApplyBudget::time(Duration::from_millis(1));
            }),
            (true, |c| c.range = ViewRange::disc(2, u32::MAX).ok()),
        ],
    },
    Setting {
        field: "budget.time",
        refused: &[],
        harmless: &[
            (true, |c| c.budget.time = None),
            (true, |c| c.budget.time = Some(Duration::ZERO)),
            (true, |c| c.budget.time = Some(Duration::from_nanos(1))),
            (true, |c| c.budget.time = Some(Duration::MAX)),
        ],
    },
    Setting {
        field: "budget.chunks",
        refused: &[],
        harmless: &[
            (true, |c| c.budget.chunks = None),
            // It pauses the stream, as documented.
            (false, |c| c.budget.chunks = Some(0)),
            (true, |c| c.budget.chunks = Some(1)),
            (true, |c| c.budget.chunks = Some(u32::MAX)),
        ],
    },
    Setting {
        field: "budget.bytes",
        refused: &[],
        harmless: &[
            (true, |c| c.budget.bytes = None),
            (true, |c| c.budget.bytes = Some(0)),
            (true, |c| c.budget.bytes = Some(usize::MAX)),
        ],
    },
    Setting {
        field: "budget.unload_share",
        refused: &[
            ("-0.1", |c| c.budget.unload_share = -0.1),
            ("1.1", |c| c.budget.unload_share = 1.1),
            ("NaN", |c| c.budget.unload_share = f32::NAN),
            ("inf", |c| c.budget.unload_share = f32::INFINITY),
        ],
        harmless: &[
            (true, |c| c.budget.unload_share = 0.0),
            (true, |c| c.budget.unload_share = f32::MIN_POSITIVE),
            (true, |c| c.budget.unload_share = 1.0),
        ],
    },
    Setting {
        field: "budget.whole_chunks",
        refused: &[],
        harmless: &[
            (true, |c| c.budget.whole_chunks = true),
            (true, |c| {
                c.budget.whole_chunks = true;
                c.budget.time = Some(Duration::ZERO);
            }),
        ],
    },
    Setting {
        field: "scan_budget",
        refused: &[],
        harmless: &[
            (true, |c| c.scan_budget = Duration::ZERO),
            (true, |c| c.scan_budget = Duration::from_nanos(1)),
            (true, |c| c.scan_budget = Duration::MAX),
            (true, |c| {
                c.scan_budget = Duration::MAX;
                c.budget.time = Some(Duration::MAX);
            }),
        ],
    },
    Setting {
        field: "gate_patience",
        refused: &[],
        harmless: &[
            (true, |c| c.gate_patience = Duration::ZERO),
            (true, |c| c.gate_patience = Duration::MAX),
        ],
    },
    Setting {
        field: "max_loaded_bytes",
        refused: &[],
        harmless: &[
            (true, |c| c.max_loaded_bytes = Some(0)),
            (true, |c| c.max_loaded_bytes = Some(usize::MAX)),
        ],
    },
    Setting {
        field: "linger",
        refused: &[],
        harmless: &[
            (true, |c| c.linger = Duration::ZERO),
            (true, |c| c.linger = Duration::MAX),
        ],
    },
    Setting {
        field: "despawned_roots",
        refused: &[],
        harmless: &[
            (true, |c| c.despawned_roots = DespawnedRoots::StayGone),
            (true, |c| c.despawned_roots = DespawnedRoots::MakeAgain),
        ],
    },
    Setting {
        field: "saving.chunks",
        refused: &[],
        harmless: &[
            (true, |c| c.saving.chunks = None),
            (true, |c| c.saving.chunks = Some(SavedChunks::All)),
            (true, |c| c.saving.chunks = Some(SavedChunks::Dirty)),
        ],
    },
    Setting {
        field: "saving.autosave",
        refused: &[],
        harmless: &[
            (true, |c| c.saving.autosave = None),
            (true, |c| c.saving.autosave = Some(Duration::ZERO)),
            (true, |c| c.saving.autosave = Some(Duration::MAX)),
        ],
    },
    Setting {
        field: "saving.first_delay",
        refused: &[],
        harmless: &[
            (true, |c| c.saving.first_delay = Duration::ZERO),
            (true, |c| c.saving.first_delay = Duration::MAX),
            (true, |c| {
                c.saving.first_delay = Duration::MAX;
                c.saving.max_delay = Duration::MAX;
            }),
        ],
    },
    Setting {
        field: "saving.max_delay",
        refused: &[],
        harmless: &[
            (true, |c| c.saving.max_delay = Duration::ZERO),
            (true, |c| c.saving.max_delay = Duration::MAX),
        ],
    },
    Setting {
        field: "saving.give_up_after",
        refused: &[],
        harmless: &[
            (true, |c| c.saving.give_up_after = None),
            (true, |c| c.saving.give_up_after = Some(NonZeroU32::MIN)),
            (true, |c| c.saving.give_up_after = Some(NonZeroU32::MAX)),
        ],
    },
    Setting {
        field: "saving.max_kept",
        refused: &[],
        harmless: &[
            // Nothing is spawned once a save has failed, as documented.
            (false, |c| c.saving.max_kept = 0),
            (false, |c| c.saving.max_kept = 1),
            (true, |c| c.saving.max_kept = usize::MAX),
        ],
    },
    #[cfg(feature = "store")]
    Setting {
        field: "saving.exit_patience",
        refused: &[],
        harmless: &[
            (true, |c| c.saving.exit_patience = Duration::ZERO),
            (true, |c| c.saving.exit_patience = Duration::MAX),
        ],
    },
    Setting {
        field: "scheduler.completed_capacity",
        refused: &[("0", |c| c.scheduler.completed_capacity = 0)],
        harmless: &[
            (true, |c| c.scheduler.completed_capacity = 1),
            (true, |c| c.scheduler.completed_capacity = usize::MAX),
        ],
    },
    Setting {
        field: "scheduler.backlog_capacity",
        refused: &[("0", |c| c.scheduler.backlog_capacity = 0)],
        harmless: &[
            (true, |c| c.scheduler.backlog_capacity = 1),
            (true, |c| c.scheduler.backlog_capacity = usize::MAX),
        ],
    },
    Setting {
        field: "scheduler.quarantine_capacity",
        refused: &[("0", |c| c.scheduler.quarantine_capacity = 0)],
        harmless: &[
            (true, |c| c.scheduler.quarantine_capacity = 1),
            (true, |c| c.scheduler.quarantine_capacity = usize::MAX),
        ],
    },
];

/// The names of all settings. A new one does not compile until it is named here.
fn names(config: &StreamingConfig) -> Vec<&'static str> {
    let StreamingConfig {
        range: _,
        scheduler: _,
        budget:
            ApplyBudget {
                time: _,
                frame: _,
                chunks: _,
                unload_share: _,
                whole_chunks: _,
                bytes: _,
            },
        scan_budget: _,
        saving:
            SavePolicy {
                first_delay: _,
                max_delay: _,
                give_up_after: _,
                max_kept: _,
                chunks: _,
                autosave: _,
                #[cfg(feature = "store")]
                    exit_patience: _,
            },
        linger: _,
        max_loaded_bytes: _,
        gate_patience: _,
        despawned_roots: _,
    } = config;
    let mut names = vec![
        "budget.bytes",
        "budget.chunks",
        "budget.time",
        "budget.unload_share",
        "budget.whole_chunks",
        "despawned_roots",
        "gate_patience",
        "linger",
        "max_loaded_bytes",
        "range",
        "saving.autosave",
        "saving.chunks",
        "saving.first_delay",
        "saving.give_up_after",
        "saving.max_delay",
        "saving.max_kept",
        "scan_budget",
    ];
    if cfg!(feature = "store") {
        names.push("saving.exit_patience");
    }
    names.sort_unstable();
    names
}

#[test]
fn every_setting_is_in_the_table() {
    let fields = SETTINGS.iter().map(|setting| setting.field);
    let mut fields: Vec<_> = fields.filter(|it| !it.starts_with("scheduler.")).collect();
    fields.sort_unstable();
    assert_eq!(fields, names(&StreamingConfig::default()));
}

#[test]
fn an_extreme_that_is_refused_is_named_with_its_value() {
    for setting in SETTINGS {
        for (value, change) in setting.refused {
            let mut config = config();
            change(&mut config);
            let error = config.validate().expect_err(setting.field).to_string();
            let name = setting.field.rsplit('.').next().expect("it has a name");
            assert!(error.contains(name) && error.contains(value), "{error}");
        }
    }
}

#[test]
fn an_extreme_that_is_accepted_does_no_harm() {
    for setting in SETTINGS {
        for (number, (loads, change)) in setting.harmless.iter().enumerate() {
            let mut config = config();
            change(&mut config);
            let context = format!("{}, value {number}", setting.field);
            assert_eq!(config.validate(), Ok(()), "{context}");
            // The clock moves by 16 ms from frame to frame and stands still within one.
            let plugin = ChunkStreamingPlugin::new(grid(), generator(), spawner())
                .with_config(config)
                .with_save_hook(|_, _| Err("the disk is full".into()));
            let mut rig = Rig::build(ManualClock::default(), plugin);
            let viewer = rig.viewer(0, 0);
            rig.frames(20);
            rig.app
                .world_mut()
                .resource_scope(|world, mut stream: Mut<ChunkStream<Pieces>>| {
                    stream.mark_dirty(world.resource(), ChunkCoord::ORIGIN);
                });
            rig.frames(5);
            rig.move_to(viewer, 100, 100);
            rig.frames(20);
            assert_eq!(rig.stream().scheduler().audit(), Ok(()), "{context}");
            assert_eq!(
                rig.index().contains(ChunkCoord::planar(100, 100)),
                *loads,
                "{context}"
            );
            let snapshot = rig.stream().snapshot(rig.index());
            let _ = format!("{snapshot:?}");
        }
    }
}

/// Grids of the smallest and the largest chunks, seen from everywhere.
#[test]
fn a_grid_and_a_viewer_at_their_ends_do_no_harm() {
    for size in [f32::from_bits(1), f32::MIN_POSITIVE, 7.9e28] {
        let grid = ChunkGrid::planar(size).expect("it is a size");
        let plugin = ChunkStreamingPlugin::new(grid, generator(), spawner()).with_config(config());
        let mut rig = Rig::build(ManualClock::default(), plugin);
        let viewer = (rig.app.world_mut()).spawn((ChunkViewer::default(), Transform::IDENTITY));
        let viewer = viewer.id();
        for position in [0.0, f32::MAX, f32::MIN, f32::NAN, f32::INFINITY, size] {
            let transform = Transform::from_translation(Vec3::splat(position));
            rig.app.world_mut().entity_mut(viewer).insert(transform);
            rig.settle();
            let world = rig.app.world_mut();
            for transform in world.query::<&Transform>().iter(world) {
                let translation = transform.translation;
                assert!(translation.is_finite() || translation.x.to_bits() == position.to_bits());
            }
        }
        assert!(rig.pieces() >= PIECES, "{size}");
    }
}

#[test]
fn levels_at_their_ends_do_no_harm() {
    let rings = |radii: &[u32], hysteresis| {
        LevelRings::new(radii.iter().copied(), hysteresis).expect("they ascend")
    };
    for rings in [
        rings(&[], 0),
        rings(&[], u32::MAX),
        rings(&[0, u32::MAX], u32::MAX),
        rings(&[0, 1, 2], u32::MAX),
        LevelRings::new(0..255, 0).expect("they ascend"),
    ] {
        let mut rig =
            Rig::with_plugin(|plugin| plugin.with_levels(ChunkLevels::new(rings.clone())));
        let viewer = rig.viewer(0, 0);
        rig.settle();
        rig.move_to(viewer, 2, 0);
        rig.settle();
        assert_eq!(rig.stream().scheduler().audit(), Ok(()));
        assert!(rig.index().contains(ChunkCoord::planar(2, 0)));
    }
    for (radii, value) in [(vec![1, 1], "1"), (vec![2, u32::MAX, 0], "0")] {
        let error = LevelRings::new(radii, 0).expect_err("they do not ascend");
        assert!(error.to_string().contains(value), "{error}");
    }
    assert!(LevelRings::new(0..256, 0).is_err());
}

/// The limits of a running stream may be changed to anything.
#[test]
fn limits_that_are_changed_later_to_what_is_refused_at_first_do_no_harm() {
    let mut rig = Rig::new();
    let viewer = rig.viewer(0, 0);
    for (number, share) in [f32::NAN, f32::NEG_INFINITY, f32::INFINITY, f32::MAX, -1.0]
        .into_iter()
        .enumerate()
    {
        rig.stream_mut().budget = ApplyBudget {
            unload_share: share,
            ..ApplyBudget::time(Duration::MAX)
        };
        rig.move_to(viewer, 20 * (number as i32), 0);
        rig.settle();
    }
    assert_eq!(rig.index().len(), 29);
    assert!(rig.stream_mut().set_max_in_flight(0).is_err());
    assert!(rig.stream_mut().set_max_in_flight(usize::MAX).is_err());
}
