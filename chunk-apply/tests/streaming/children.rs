//! How children come to their root: what hooks and observers of theirs see, and what they may do.

use crate::rig::{PIECES, Piece, Pieces, Rig, config, generator};
use bevy_ecs::prelude::*;
use chunk_apply::{ApplyBudget, ChunkWriter, ManualClock, Spawner, StreamingConfig};
use chunk_coord::{ChunkCoord, ViewRange};
use std::time::Duration;

#[test]
fn what_is_spawned_sees_itself_among_its_roots_children() {
    let mut rig = Rig::new();
    rig.viewer(0, 0);
    rig.app.init_resource::<Seen>();
    rig.app.add_observer(
        |added: On<Add, Piece>,
         parents: Query<&ChildOf>,
         lists: Query<&Children>,
         mut seen: ResMut<Seen>| {
            let parent = parents.get(added.entity).map(ChildOf::parent);
            let list = parent.ok().and_then(|root| lists.get(root).ok());
            seen.0
                .push(list.is_some_and(|list| list.contains(&added.entity)));
        },
    );
    rig.settle();
    assert_eq!(rig.app.world().resource::<Seen>().0, [true; 29 * PIECES]);
}

#[derive(Resource, Default)]
struct Seen(Vec<bool>);

#[test]
fn what_an_observer_despawns_while_it_is_spawned_is_nobodys_child() {
    let mut rig = Rig::new();
    let viewer = rig.viewer(0, 0);
    let before = rig.app.world().entity_count();
    rig.app.add_observer(
        |added: On<Add, Piece>, pieces: Query<&Piece>, mut commands: Commands| {
            if pieces.get(added.entity).is_ok_and(|piece| piece.0 % 2 == 0) {
                commands.entity(added.entity).despawn();
            }
        },
    );
    let observers = rig.app.world().entity_count() - before;
    rig.settle();
    assert_eq!(rig.pieces(), 29 * 2);
    let world = rig.app.world();
    for (coord, chunk) in rig.index().iter() {
        let children = world.get::<Children>(chunk.root).expect("two are left");
        assert_eq!(children.len(), 2, "{coord}");
        assert!(
            children
                .iter()
                .all(|child| world.get::<Piece>(child).is_some())
        );
    }
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    assert_eq!(rig.app.world().entity_count(), before - 1 + observers);
}

/// A relationship of the user: what a piece looks at.
#[derive(Component)]
#[relationship(relationship_target = SeenBy)]
struct LooksAt(Entity);

#[derive(Component)]
#[relationship_target(relationship = LooksAt)]
struct SeenBy(Vec<Entity>);

/// Pieces that look at a star; the star.
fn looking_rig() -> (Rig, Entity) {
    let star = std::sync::Arc::new(std::sync::OnceLock::new());
    let target = std::sync::Arc::clone(&star);
    let spawner = Spawner::new(
        move |_coord, pieces: Pieces, writer: &mut ChunkWriter<'_, '_>| {
            let star = *target.get().expect("there is one");
            writer.spawn_batch((0..pieces.0).map(move |piece| (Piece(piece), LooksAt(star))));
        },
    );
    let mut rig = Rig::on(ManualClock::default(), generator(), spawner, config());
    let entity = rig.app.world_mut().spawn_empty().id();
    star.set(entity).expect("it is set once");
    (rig, entity)
}

#[test]
fn a_relationship_in_a_bundle_has_its_other_side() {
    let (mut rig, star) = looking_rig();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let seen_by = |rig: &Rig| (rig.app.world().get::<SeenBy>(star)).map_or(0, |seen| seen.0.len());
    assert_eq!(seen_by(&rig), 29 * PIECES);
    let root = rig.index().root(ChunkCoord::ORIGIN).expect("loaded");
    let children = (rig.app.world().get::<Children>(root)).map_or(0, |list| list.len());
    assert_eq!(children, PIECES);
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    assert_eq!((seen_by(&rig), rig.pieces()), (0, 0));
}

/// Runs a world whose observers despawn every root before its chunk is whole.
fn expect_nothing_left(mut rig: Rig) {
    let before = rig.app.world().entity_count();
    let viewer = rig.viewer(0, 0);
    for _ in 0..2_000 {
        rig.frame();
    }
    assert!(rig.stream().is_settled() && rig.index().is_empty());
    assert_eq!(rig.pieces(), 0);
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    assert_eq!(rig.app.world().entity_count(), before);
}

fn despawn_the_root(piece: Entity, parents: &Query<(&Piece, &ChildOf)>, commands: &mut Commands) {
    if let Ok((piece, parent)) = parents.get(piece)
        && piece.0 == 1
    {
        commands.entity(parent.parent()).despawn();
    }
}

#[test]
fn a_root_despawned_when_a_piece_is_added_takes_all_with_it() {
    for mut rig in [Rig::new(), looking_rig().0] {
        rig.app.add_observer(
            |added: On<Add, Piece>, parents: Query<(&Piece, &ChildOf)>, mut commands: Commands| {
                despawn_the_root(added.entity, &parents, &mut commands);
            },
        );
        expect_nothing_left(rig);
    }
}

#[test]
fn a_root_despawned_when_a_piece_is_inserted_takes_all_with_it() {
    for mut rig in [Rig::new(), looking_rig().0] {
        rig.app.add_observer(
            |inserted: On<Insert, Piece>,
             parents: Query<(&Piece, &ChildOf)>,
             mut commands: Commands| {
                despawn_the_root(inserted.entity, &parents, &mut commands);
            },
        );
        expect_nothing_left(rig);
    }
}

#[test]
fn a_list_that_is_always_taken_away_costs_no_piece() {
    let mut rig = Rig::new();
    rig.app
        .add_observer(|inserted: On<Insert, Children>, mut commands: Commands| {
            commands.entity(inserted.entity).remove::<Children>();
        });
    rig.viewer(0, 0);
    rig.settle();
    assert_eq!(rig.pieces(), 29 * PIECES);
}

#[test]
fn a_chunk_without_children_has_no_list_of_them() {
    let spawner = Spawner::new(
        |coord: ChunkCoord, _: Pieces, writer: &mut ChunkWriter<'_, '_>| match coord.x {
            0 => writer.spawn_batch((0..0).map(Piece)),
            1 => {}
            2 => writer.run(|world, root| {
                world.spawn((Piece(0), ChildOf(root)));
            }),
            _ => writer.spawn_batch((0..3).map(Piece)),
        },
    );
    let mut rig = Rig::with(generator(), spawner, config());
    rig.viewer(0, 0);
    rig.settle();
    let world = rig.app.world();
    for (coord, chunk) in rig.index().iter() {
        let children = world.get::<Children>(chunk.root).map(|list| list.len());
        let expected = match coord.x {
            0 | 1 => None,
            2 => Some(1),
            _ => Some(3),
        };
        assert_eq!(children, expected, "{coord}");
    }
}

#[test]
fn a_chunk_without_children_has_no_list_of_them_after_several_frames_either() {
    let clock = ManualClock::default();
    let slow = clock.clone();
    let spawner = Spawner::new(
        move |_: ChunkCoord, _: Pieces, writer: &mut ChunkWriter<'_, '_>| {
            for _ in 0..5 {
                let slow = slow.clone();
                writer.run(move |_, _| slow.advance(Duration::from_millis(1)));
            }
        },
    );
    let config = StreamingConfig {
        range: Some(ViewRange::disc(0, 0).expect("equal radii")),
        budget: ApplyBudget::time(Duration::from_millis(1)),
        ..config()
    };
    let mut rig = Rig::on(clock, generator(), spawner, config);
    rig.viewer(0, 0);
    let mut lists = 0;
    while rig.index().is_empty() {
        rig.frame();
        let world = rig.app.world_mut();
        lists += world.query::<&Children>().iter(world).count();
    }
    assert!(lists > 1, "it took several frames, in which there was one");
    let root = rig.index().root(ChunkCoord::ORIGIN).expect("it is there");
    assert!(rig.app.world().get::<Children>(root).is_none());
}

#[test]
fn an_observer_that_panics_over_the_list_of_a_chunk_without_children_fails_only_that_chunk() {
    let spawner = Spawner::new(
        |coord: ChunkCoord, _: Pieces, writer: &mut ChunkWriter<'_, '_>| {
            writer.spawn_batch((0..coord.x.unsigned_abs() as usize).map(Piece));
        },
    );
    let mut rig = Rig::with(generator(), spawner, config());
    rig.viewer(0, 0);
    rig.app.add_observer(
        |removed: On<Remove, Children>, mut seen: Local<Vec<Entity>>| {
            // It is removed once more, with the root of the chunk that failed.
            if !seen.contains(&removed.entity) {
                seen.push(removed.entity);
                panic!("nobody takes that from me");
            }
        },
    );
    let mut failed = Vec::new();
    for _ in 0..20 {
        rig.frame();
        failed.append(&mut rig.failed());
    }
    let index = rig.index();
    assert!(index.contains(ChunkCoord::planar(1, 0)) && !index.contains(ChunkCoord::planar(0, 1)));
    assert!(
        !failed.is_empty() && failed.iter().all(|failure| failure.coord.x == 0),
        "{failed:?}"
    );
}
