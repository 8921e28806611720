//! The budget, with a clock that only moves when told.

use super::*;
use crate::clock::ManualClock;
use crate::indices::Indices;
use bevy_ecs::component::Component;
use core::any::TypeId;

const MILLISECOND: Duration = Duration::from_millis(1);

struct Entity;
struct Call;

fn kind() -> Kind {
    TypeId::of::<Entity>()
}

/// Processes all that is allowed, each entity taking `cost`, and says how many there were.
fn work(pace: &mut Pace<'_>, clock: &ManualClock, cost: Duration, most: usize) -> usize {
    let mut done = 0;
    while done < most {
        let slice = pace.allowance(kind()).min(most - done);
        if slice == 0 {
            break;
        }
        clock.advance(cost * slice as u32);
        pace.spent(kind(), slice);
        done += slice;
    }
    done
}

fn frame(clock: &ManualClock, costs: &mut Costs, limit: Duration, cost: Duration) -> Duration {
    let mut pace = Pace::start(clock, costs);
    pace.stretch(Some(limit), true);
    work(&mut pace, clock, cost, usize::MAX);
    pace.finish()
}

#[test]
fn the_budget_is_held_from_the_first_frame_whatever_an_entity_costs() {
    for nanos in [50, 137, 1_000, 10_000, 300_000] {
        let clock = ManualClock::default();
        let mut costs = Costs::default();
        let cost = Duration::from_nanos(nanos);
        for nth in 0..20 {
            let taken = frame(&clock, &mut costs, MILLISECOND, cost);
            assert!(taken <= MILLISECOND, "{nanos} ns, frame {nth}: {taken:?}");
            let wasted = MILLISECOND - taken;
            // Within the reserve, what one look covers, and one entity.
            let most = Duration::from_micros(40) + cost;
            assert!(wasted <= most, "{nanos} ns, frame {nth}: {wasted:?} unused");
        }
    }
}

#[test]
fn a_spent_budget_still_advances_by_one_short_slice() {
    for (micros, slice) in [(1, 5), (10, 1), (300, 1)] {
        let clock = ManualClock::default();
        let mut costs = Costs::default();
        let cost = Duration::from_micros(micros);
        frame(&clock, &mut costs, Duration::from_millis(5), cost);
        let mut pace = Pace::start(&clock, &mut costs);
        pace.stretch(Some(Duration::ZERO), true);
        assert_eq!(
            work(&mut pace, &clock, cost, usize::MAX),
            slice,
            "{micros} µs"
        );
        assert!(pace.is_exhausted());
    }
}

#[test]
fn a_kind_that_was_never_measured_starts_with_one() {
    let clock = ManualClock::default();
    let mut costs = Costs::default();
    let mut pace = Pace::start(&clock, &mut costs);
    pace.stretch(Some(MILLISECOND), true);
    assert_eq!(pace.allowance(kind()), 1);
}

#[test]
fn without_the_duty_to_advance_a_spent_budget_allows_nothing() {
    let clock = ManualClock::default();
    let mut costs = Costs::default();
    let mut pace = Pace::start(&clock, &mut costs);
    pace.stretch(Some(Duration::ZERO), false);
    assert_eq!(pace.allowance(kind()), 0);
    assert!(pace.is_exhausted());
}

#[test]
fn without_a_limit_everything_is_allowed() {
    let clock = ManualClock::default();
    let mut costs = Costs::default();
    let mut pace = Pace::start(&clock, &mut costs);
    pace.stretch(None, false);
    assert_eq!(pace.allowance(kind()), usize::MAX);
    assert!(!pace.is_exhausted());
}

#[test]
fn a_step_is_measured_apart_from_the_entities_within_it() {
    let clock = ManualClock::default();
    let mut costs = Costs::default();
    let call = TypeId::of::<Call>();
    for _ in 0..40 {
        let mut pace = Pace::start(&clock, &mut costs);
        pace.stretch(Some(10 * MILLISECOND), true);
        pace.begin_step(call);
        clock.advance(Duration::from_micros(300));
        pace.end_step_early();
        work(&mut pace, &clock, Duration::from_nanos(100), 15);
        pace.end_step();
    }
    assert!((costs.of(call) - 300_000.0).abs() < 1.0);
    assert!((costs.of(kind()) - 100.0).abs() < 1.0);
    let mut pace = Pace::start(&clock, &mut costs);
    pace.stretch(Some(Duration::from_micros(250)), false);
    assert_eq!(pace.allowance(call), 0, "it would not fit");
}

#[test]
fn work_that_broke_off_is_paid_for_and_teaches_nothing() {
    let clock = ManualClock::default();
    let mut costs = Costs::default();
    frame(&clock, &mut costs, MILLISECOND, Duration::from_nanos(100));
    let before = costs.of(kind());
    let mut pace = Pace::start(&clock, &mut costs);
    pace.stretch(Some(MILLISECOND), true);
    pace.begin_step(TypeId::of::<Call>());
    clock.advance(2 * MILLISECOND);
    pace.break_off();
    assert!(pace.is_exhausted());
    assert_eq!(pace.finish(), 2 * MILLISECOND);
    assert_eq!(costs.of(kind()), before);
}

#[derive(Component)]
struct Tree(#[expect(dead_code, reason = "it only takes room")] u32);

/// A world whose table of trees is full, and what is known of them: a microsecond each, and so much for each row that moves.
fn full_table(row: Duration) -> (World, ManualClock, Costs) {
    let (mut world, clock, mut costs) = (World::new(), ManualClock::default(), Costs::default());
    frame(&clock, &mut costs, MILLISECOND, Duration::from_micros(1));
    for tree in 0..512 {
        let tree = world.spawn(Tree(tree)).id();
        costs.growth.went_to(kind(), tree, &world);
    }
    assert_eq!(costs.growth.room(kind(), &world), 0);
    for _ in 0..20 {
        let nanos = row.as_nanos() as f64 * 512.0;
        let plan = costs.growth.plan(kind(), &world);
        costs.growth.learn(kind(), plan, nanos, &world);
    }
    (world, clock, costs)
}

/// Spawns what is allowed in a frame, and says how many that was.
fn spawn(
    world: &mut World,
    clock: &ManualClock,
    costs: &mut Costs,
    limit: Duration,
    owes: bool,
) -> usize {
    let mut pace = Pace::start(clock, costs);
    pace.stretch(Some(limit), owes);
    let allowed = pace.spawn_allowance(kind(), world);
    let mut last = None;
    for tree in 0..allowed {
        last = Some(world.spawn(Tree(tree as u32)).id());
    }
    if allowed > 0 {
        pace.spawned(kind(), allowed, last, world);
    }
    allowed
}

#[test]
fn a_table_grows_in_a_frame_that_has_the_time_for_it_and_not_before() {
    // Growing takes about half a millisecond.
    let (mut world, clock, mut costs) = full_table(Duration::from_micros(1));
    let mut within = |limit| spawn(&mut world, &clock, &mut costs, limit, false);
    assert_eq!(within(MILLISECOND / 4), 0);
    assert_eq!(within(MILLISECOND), 1, "one entity moves all the others");
    assert!(within(MILLISECOND) > 1, "and then there is room");
}

#[test]
fn a_table_whose_growth_fits_no_frame_grows_when_a_slice_is_owed() {
    let (mut world, clock, mut costs) = full_table(Duration::from_micros(100));
    assert_eq!(spawn(&mut world, &clock, &mut costs, MILLISECOND, false), 0);
    assert_eq!(spawn(&mut world, &clock, &mut costs, MILLISECOND, true), 1);
    assert!(costs.growth.room(kind(), &world) > 0);
}

#[test]
fn a_table_whose_growth_fits_no_frame_waits_for_one_where_no_slice_is_owed() {
    let (mut world, clock, mut costs) = full_table(Duration::from_micros(100));
    let mut allowed = || spawn(&mut world, &clock, &mut costs, MILLISECOND, false);
    assert_eq!([allowed(), allowed()], [0, 1]);
    while costs.growth.room(kind(), &world) > 0 {
        spawn(&mut world, &clock, &mut costs, 10 * MILLISECOND, false);
    }
    // What it waited before is forgotten.
    for _ in 0..20 {
        let plan = costs.growth.plan(kind(), &world);
        costs.growth.learn(kind(), plan, 1e9, &world);
    }
    let mut allowed = || spawn(&mut world, &clock, &mut costs, MILLISECOND, false);
    assert_eq!([allowed(), allowed()], [0, 1]);
}

#[test]
fn a_slice_ends_where_its_table_is_full() {
    let (mut world, clock, mut costs) = full_table(Duration::ZERO);
    assert_eq!(spawn(&mut world, &clock, &mut costs, MILLISECOND, false), 1);
    let mut spawned = 0;
    while costs.growth.room(kind(), &world) > 0 {
        spawned += spawn(&mut world, &clock, &mut costs, 10 * MILLISECOND, false);
    }
    assert_eq!(spawned, 511);
}

#[test]
fn no_root_is_spawned_that_would_make_the_list_of_all_entities_grow_in_a_frame_without_the_time() {
    let (mut world, clock, mut costs) = (World::new(), ManualClock::default(), Costs::default());
    let root = TypeId::of::<Call>();
    let begin = |world: &mut World, costs: &mut Costs, limit, cost| {
        let mut pace = Pace::start(&clock, costs);
        pace.stretch(Some(limit), false);
        let may_begin = pace.may_begin_chunk(root, world);
        if may_begin {
            pace.begin_chunk(root);
            let spawned = world.spawn_empty().id();
            clock.advance(cost);
            pace.rooted(root, spawned, world);
            pace.end_step();
        }
        may_begin
    };
    let fill = |world: &mut World, costs: &mut Costs| {
        while costs.growth.room(root, world) > 0 {
            let tree = world.spawn(Tree(0)).id();
            costs.growth.went_to(kind(), tree, world);
        }
        costs.growth.plan(root, world).nanos
    };
    let (short, a_root) = (MILLISECOND / 10, Duration::from_micros(1));
    assert!(begin(&mut world, &mut costs, MILLISECOND, a_root));
    let growing = fill(&mut world, &mut costs);
    assert_eq!(growing, 4_096.0 * Indices::LEAST);
    assert!(!begin(&mut world, &mut costs, short, a_root));
    assert!(begin(&mut world, &mut costs, MILLISECOND, MILLISECOND));
    assert!(
        begin(&mut world, &mut costs, short, a_root),
        "now there is room"
    );
    assert!(costs.of(root) < 2_000.0, "growing is not what a root takes");
    let next = fill(&mut world, &mut costs);
    assert!(next > 3.0 * growing, "but what growing was seen to take");
}
