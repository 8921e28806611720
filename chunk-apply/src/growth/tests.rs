use super::*;
use bevy_ecs::{component::Component, lifecycle::Add, observer::On, system::Commands};
use core::any::TypeId;

#[derive(Component)]
struct Tree(#[expect(dead_code, reason = "it only takes room")] u32);

#[derive(Component)]
struct Fruit;

fn kind() -> Kind {
    TypeId::of::<Tree>()
}

/// Spawns one and notes it.
fn spawn(world: &mut World, growth: &mut Growth) {
    let tree = world.spawn(Tree(1)).id();
    growth.went_to(kind(), 1, tree, world);
}

/// A world with a full table of so many trees.
fn full_table(rows: usize) -> (World, Growth) {
    let (mut world, mut growth) = (World::new(), Growth::default());
    for _ in 0..rows {
        spawn(&mut world, &mut growth);
    }
    assert_eq!(growth.room(kind(), &world), 0);
    (world, growth)
}

/// Grows the table of trees by this plan, and spawns the tree that it was for.
fn grow(world: &mut World, growth: &mut Growth, plan: Plan) {
    make_room::<Tree>(world, plan.room);
    spawn(world, growth);
    growth.learn(kind(), plan, plan.nanos, world);
}

#[test]
fn a_table_is_full_exactly_when_the_next_entity_moves_it() {
    let mut world = World::new();
    let mut growth = Growth::default();
    let mut grown = 0;
    for tree in 0..5_000 {
        let is_full = growth.room(kind(), &world) == 0;
        let before = growth.plan(kind(), 0, &world);
        let entity = world.spawn(Tree(tree));
        let (table, entity) = (entity.location().table_id, entity.id());
        let capacity = || world.storages().tables[table].entity_capacity();
        let has_grown = capacity() > before.rows && before.rows == tree as usize;
        growth.went_to(kind(), 1, entity, &world);
        if is_full {
            assert!(has_grown && growth.room(kind(), &world) > 0);
            assert!((before.nanos - before.rows as f64 * UNKNOWN).abs() < 1.0);
            grown += 1;
        }
    }
    assert_eq!(grown, 4, "at 512, 1,024, 2,048 and 4,096");
}

#[test]
fn what_was_never_spawned_or_is_small_is_not_planned_for() {
    let mut world = World::new();
    let mut growth = Growth::default();
    assert_eq!(growth.room(kind(), &world), usize::MAX);
    assert_eq!(growth.plan(kind(), 9, &world), Plan::default());
    for _ in 0..4 {
        spawn(&mut world, &mut growth);
    }
    assert_eq!(growth.room(kind(), &world), usize::MAX);
    let gone = world.spawn_empty().id();
    world.despawn(gone);
    growth.went_to(kind(), 1, gone, &world);
    assert_eq!(growth.plan(kind(), 0, &world).rows, 4);
}

#[test]
fn a_table_grows_once_for_all_chunks_that_are_expected() {
    let (mut world, mut growth) = full_table(512);
    // Four trees were in each, and the last is not whole.
    for _ in 0..129 {
        growth.begin_chunk();
    }
    growth.expect(1_000);
    let plan = growth.plan(kind(), 0, &world);
    assert_eq!(plan.room, 4_500, "an eighth more than it should take");
    grow(&mut world, &mut growth, plan);
    for _ in 0..4_000 {
        assert!(growth.room(kind(), &world) > 0);
        spawn(&mut world, &mut growth);
    }
}

#[test]
fn a_table_grows_once_for_all_entities_that_their_spawner_promises() {
    let (mut world, mut growth) = full_table(512);
    let plan = growth.plan(kind(), 9_488, &world);
    assert_eq!(plan.room, 9_488);
    grow(&mut world, &mut growth, plan);
    for _ in 0..9_487 {
        assert!(growth.room(kind(), &world) > 0);
        spawn(&mut world, &mut growth);
    }
}

#[test]
fn a_table_that_doubles_by_itself_for_what_is_expected_is_left_to_it() {
    let (world, growth) = full_table(512);
    assert_eq!(growth.plan(kind(), 512, &world).room, 0);
    assert_eq!(growth.plan(kind(), 513, &world).room, 513);
}

#[test]
fn who_promises_or_expects_the_earth_gets_a_piece_of_it() {
    let (mut world, mut growth) = full_table(512);
    assert_eq!(growth.plan(kind(), usize::MAX, &world).room, MOST_ROOM);
    growth.expect(usize::MAX);
    let plan = growth.plan(kind(), 0, &world);
    assert_eq!(plan.room, MOST_ROOM);
    grow(&mut world, &mut growth, plan);
    assert!(growth.room(kind(), &world) < 2 * MOST_ROOM);
}

#[test]
fn making_room_costs_more_the_more_there_is_to_move_or_to_make() {
    let (world, growth) = full_table(512);
    let moves = |promised| growth.plan(kind(), promised, &world).nanos / UNKNOWN;
    assert_eq!(moves(0), 512.0);
    let made = (512 + MAKING_ROOM) as f64;
    assert_eq!(moves(100 * ROOM_A_MOVE), made + 100.0);
    assert_eq!(moves(500 * ROOM_A_MOVE), made + 500.0);
}

#[test]
fn making_room_spawns_nothing_and_loses_no_entity_number() {
    let mut world = World::new();
    let before = world.entities().count_spawned();
    make_room::<Tree>(&mut world, 1_000);
    assert_eq!(world.entities().count_spawned(), before);
    let highest = (0..1_100)
        .map(|_| world.spawn(Tree(1)).id().index_u32())
        .max();
    assert!(highest < Some(before + 1_300), "{highest:?}");
}

#[test]
fn no_room_is_made_again_where_it_was_made_in_the_wrong_table() {
    let (mut world, mut growth) = (World::new(), Growth::default());
    world.add_observer(|add: On<Add, Tree>, mut commands: Commands| {
        commands.entity(add.entity).insert(Fruit);
    });
    for _ in 0..512 {
        spawn(&mut world, &mut growth);
    }
    let plan = growth.plan(kind(), 5_000, &world);
    assert_eq!(plan.room, 5_000);
    grow(&mut world, &mut growth, plan);
    assert!(
        growth.room(kind(), &world) < 5_000 - 1,
        "trees bear fruit elsewhere"
    );
    assert_eq!(growth.plan(kind(), 5_000, &world).room, 0);
}

#[test]
fn one_interruption_moves_the_estimate_a_little() {
    let mut world = World::new();
    let mut growth = Growth::default();
    spawn(&mut world, &mut growth);
    let plan = growth.plan(kind(), 0, &world);
    assert_eq!((plan.rows, plan.nanos), (1, UNKNOWN));
    growth.learn(kind(), plan, 1e9, &world);
    assert_eq!(growth.plan(kind(), 0, &world).nanos, UNKNOWN * 2.5);
    for _ in 0..30 {
        growth.learn(kind(), plan, 0.0, &world);
    }
    assert_eq!(growth.plan(kind(), 0, &world).nanos, LEAST);
}
