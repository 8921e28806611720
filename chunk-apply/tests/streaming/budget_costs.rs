//! The budget is kept whatever user code costs, wherever it runs.

use crate::rig::{Piece, Pieces, Rig, config, generator, grid, two_chunks_a_frame};
use bevy_ecs::{lifecycle::HookContext, prelude::*, world::DeferredWorld};
use chunk_apply::{
    ApplyBudget, ChunkStreamingPlugin, ChunkWriter, ManualClock, Spawner, StreamingConfig,
};
use chunk_coord::{ChunkCoord, ViewRange};
use std::time::Duration;

const BUDGET: Duration = Duration::from_micros(2_000);

/// What each piece of the user's work takes, in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Prices {
    pub(crate) call: u64,
    pub(crate) spawn: u64,
    pub(crate) step: u64,
    pub(crate) despawn: u64,
    pub(crate) hook: u64,
}

/// On pieces whose despawning takes long.
#[derive(Component)]
#[component(on_remove = take_time)]
struct Costly;

#[derive(Resource)]
struct Despawning(ManualClock, Duration);

fn take_time(world: DeferredWorld<'_>, _: HookContext) {
    let Despawning(clock, price) = world.resource::<Despawning>();
    clock.advance(*price);
}

/// A disc of chunks with so many pieces at these prices.
pub(crate) fn rig(pieces: usize, radius: u32, budget: ApplyBudget, prices: Prices) -> Rig {
    let clock = ManualClock::default();
    let micros = Duration::from_micros;
    let slow = clock.clone();
    let spawner = Spawner::new(
        move |_coord, _content: Pieces, writer: &mut ChunkWriter<'_, '_>| {
            slow.advance(micros(prices.call));
            let (spawning, stepping) = (slow.clone(), slow.clone());
            writer.spawn_batch((0..pieces).map(move |piece| {
                spawning.advance(micros(prices.spawn));
                (Piece(piece), Costly)
            }));
            writer.run(move |_world, _root| stepping.advance(micros(prices.step)));
        },
    );
    let saving = clock.clone();
    let config = StreamingConfig {
        range: Some(ViewRange::disc(radius, radius).expect("equal radii")),
        budget,
        ..config()
    };
    let plugin = ChunkStreamingPlugin::new(grid(), generator(), spawner)
        .with_config(config)
        .with_save_hook(move |_world, _chunk| {
            saving.advance(micros(prices.hook));
            Ok(())
        });
    let mut rig = Rig::build(clock.clone(), plugin);
    let despawning = Despawning(clock, micros(prices.despawn));
    rig.app.insert_resource(despawning);
    rig
}

fn spent(rig: &Rig) -> Duration {
    rig.stream().last_frame().main_thread()
}

/// Frames until nothing is left to do, each within the budget. Something that was never done before
/// may take its time once.
fn settle_within(rig: &mut Rig, dearest: u64, first_times: usize) {
    let mut overruns = 0;
    for _ in 0..20_000 {
        rig.frame();
        let spent = spent(rig);
        assert!(
            spent <= BUDGET + Duration::from_micros(dearest),
            "{spent:?}"
        );
        let overshoot = rig.stream().last_frame().apply.overshoot;
        assert_eq!(overshoot, spent.saturating_sub(BUDGET));
        overruns += usize::from(spent > BUDGET);
        if rig.stream().is_settled() {
            assert!(overruns <= first_times, "{overruns} frames were too long");
            return;
        }
    }
    panic!("never settles: {:?}", rig.stream());
}

#[test]
fn every_frame_is_within_the_budget_whatever_costs_what() {
    for price in [1, 10, 300] {
        let free = Prices::default();
        let cases = [
            Prices {
                call: price,
                ..free
            },
            Prices {
                spawn: price,
                ..free
            },
            Prices {
                step: price,
                ..free
            },
            Prices {
                despawn: price,
                ..free
            },
            Prices {
                hook: price,
                ..free
            },
            Prices {
                call: price,
                spawn: price,
                step: price,
                despawn: price,
                hook: price,
            },
        ];
        for prices in cases {
            let mut rig = rig(20, 3, ApplyBudget::time(BUDGET), prices);
            let viewer = rig.viewer(0, 0);
            settle_within(&mut rig, price, 3);
            // Loading and unloading at once, then unloading alone.
            rig.move_to(viewer, 4, 0);
            settle_within(&mut rig, price, 2);
            rig.app.world_mut().despawn(viewer);
            settle_within(&mut rig, price, 0);
            assert_eq!(rig.pieces(), 0, "{prices:?}");
        }
    }
}

#[test]
fn a_chunk_that_goes_on_is_divided_as_finely_as_one_that_begins() {
    let prices = Prices {
        spawn: 300,
        ..Prices::default()
    };
    let mut rig = rig(
        40,
        0,
        ApplyBudget::time(Duration::from_micros(1_000)),
        prices,
    );
    rig.viewer(0, 0);
    let mut per_frame = Vec::new();
    while rig.index().is_empty() {
        let before = rig.pieces();
        rig.frame();
        per_frame.push(rig.pieces() - before);
    }
    per_frame.retain(|pieces| *pieces > 0);
    assert_eq!(per_frame.iter().sum::<usize>(), 40);
    assert!(per_frame.iter().all(|pieces| *pieces <= 3), "{per_frame:?}");
}

#[test]
fn an_indivisible_step_that_is_too_long_is_reported_as_overshoot() {
    let prices = Prices {
        call: 3_000,
        ..Prices::default()
    };
    let mut rig = rig(0, 1, ApplyBudget::time(BUDGET), prices);
    rig.viewer(0, 0);
    let mut calls = 0;
    for _ in 0..20 {
        rig.frame();
        // What is left of a chunk after its spawner was called has to wait for the next frame.
        let frame = rig.stream().last_frame().apply;
        if frame.spent > Duration::ZERO {
            calls += 1;
            assert_eq!(
                frame.spent,
                Duration::from_micros(3_000),
                "one, although none fits"
            );
            assert_eq!(frame.overshoot, Duration::from_micros(1_000));
        } else {
            assert_eq!(frame.overshoot, Duration::ZERO);
        }
    }
    assert_eq!((calls, rig.index().len()), (5, 5));
}

#[test]
fn a_chunk_that_fails_counts_towards_the_count_of_a_frame() {
    let spawner = Spawner::fallible(|_coord, _content: Pieces, _writer| Err("no ground"));
    let config = StreamingConfig {
        budget: two_chunks_a_frame(),
        ..config()
    };
    let mut rig = Rig::with(generator(), spawner, config);
    rig.viewer(0, 0);
    rig.frame();
    for _ in 0..10 {
        rig.frame();
        assert_eq!(rig.stream().last_frame().apply.failed, 2);
    }
}

#[test]
fn what_a_failing_spawner_takes_is_paid_for() {
    let clock = ManualClock::default();
    let slow = clock.clone();
    let spawner = Spawner::fallible(move |_coord, _content: Pieces, _writer| {
        slow.advance(Duration::from_micros(300));
        Err("no ground")
    });
    let config = StreamingConfig {
        budget: ApplyBudget::time(BUDGET),
        ..config()
    };
    let mut rig = Rig::on(clock, generator(), spawner, config);
    rig.viewer(0, 0);
    rig.frame();
    rig.frame();
    assert!(spent(&rig) <= BUDGET + Duration::from_micros(300));
    assert!(rig.stream().last_frame().apply.failed >= 6);
}

#[test]
fn a_budget_without_end_is_no_panic() {
    let mut rig = rig(5, 3, ApplyBudget::time(Duration::MAX), Prices::default());
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.move_to(viewer, 4, 0);
    rig.settle();
    assert_eq!(rig.index().len(), 29);
}

#[test]
fn scanning_generating_and_applying_share_one_budget() {
    let clock = ManualClock::default();
    let micros = Duration::from_micros;
    let (asking, spawning) = (clock.clone(), clock.clone());
    // Called for each request, on the main thread.
    let generator = generator().with_known_empty(move |_: &ChunkCoord| {
        asking.advance(micros(10));
        None
    });
    let spawner = Spawner::new(
        move |_coord, content: Pieces, writer: &mut ChunkWriter<'_, '_>| {
            let spawning = spawning.clone();
            writer.spawn_batch((0..content.0).map(move |piece| {
                spawning.advance(micros(10));
                Piece(piece)
            }));
        },
    );
    let config = StreamingConfig {
        range: Some(ViewRange::disc(12, 12).expect("equal radii")),
        budget: ApplyBudget::time(BUDGET),
        scan_budget: micros(250),
        ..config()
    };
    let mut rig = Rig::on(clock, generator, spawner, config);
    rig.viewer(0, 0);
    let mut frames_of_both = 0;
    for _ in 0..20_000 {
        rig.frame();
        let frame = rig.stream().last_frame();
        // Eight are requested between two readings of the clock, and for longer while no result has come.
        let has_come = frame.apply.spawned > 0;
        let most = if has_come { 250 } else { 1_000 };
        assert!(frame.scan <= micros(most + 80), "{frame:?}");
        assert!(frame.main_thread() <= BUDGET + micros(10), "{frame:?}");
        frames_of_both += usize::from(frame.scan >= micros(250) && frame.apply.spawned > 100);
        if rig.stream().is_settled() && !rig.index().is_empty() {
            break;
        }
    }
    assert!(rig.index().len() > 400);
    assert!(frames_of_both > 5, "{frames_of_both}");
}
