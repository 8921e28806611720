//! What is spawned of a chunk: five kinds under one root, with position, size and colour, and four assets.

use bevy_app::App;
use bevy_camera::visibility::VisibilityRange;
use bevy_ecs::prelude::*;
use bevy_math::Vec3;
use bevy_mesh::MeshTag;
use bevy_transform::components::Transform;
use chunk_apply::{ChunkIndex, ChunkRoot, ChunkViewer};
use chunk_assets::{Tint, asset_count};
use chunk_coord::ChunkCoord;
use chunk_demo::city::spawn::{
    Building, Npc, Road, SeenFromAfar, Tree, Vehicle, WholeWithin, fades,
};
use chunk_demo::city::{CityChunk, CityPlan, Item, ItemKind};
use chunk_demo::motion::{Axis, Course, MotionPlugin};
use chunk_demo::{Settings, city_app};

const CHUNKS: usize = 13;

fn settings() -> Settings {
    Settings {
        radius: 2,
        unload_radius: 3,
        seed: 5,
        ..Settings::default()
    }
}

/// An app in which the 13 chunks around the origin are loaded, and nothing moves.
fn loaded() -> App {
    let mut app = city_app(&settings()).expect("the settings make sense");
    app.insert_resource(MotionPlugin {
        reach: 0.0,
        within: 0.0,
    });
    let place = Transform::from_xyz(100.0, 100.0, 100.0);
    app.world_mut().spawn((ChunkViewer::default(), place));
    while app.world().resource::<ChunkIndex<CityChunk>>().len() < CHUNKS {
        app.update();
    }
    app.update();
    app
}

fn planned() -> impl Iterator<Item = (ChunkCoord, CityChunk)> {
    let plan = CityPlan::new(settings().city()).expect("the settings make a city");
    (-2..=2)
        .flat_map(|x| (-2..=2).map(move |z| ChunkCoord::planar(x, z)))
        .filter(|coord| coord.distance_sq(ChunkCoord::ORIGIN) <= 4)
        .map(move |coord| (coord, plan.generate_at(coord, 0)))
}

/// What is compared of an entity: its chunk, and its position, rotation, size, course and colour to the bit.
type Features = (ChunkCoord, Vec<u32>, u32);

fn features(
    root: ChunkCoord,
    transform: &Transform,
    course: Option<&Course>,
    tag: u32,
) -> Features {
    let mut numbers = transform.translation.to_array().to_vec();
    numbers.extend(transform.rotation.to_array());
    numbers.extend(transform.scale.to_array());
    numbers.extend(course.map_or([0.0; 3], |course| [course.from, course.to, course.speed]));
    let bits = numbers.into_iter().map(f32::to_bits).collect();
    (root, bits, tag)
}

fn spawned<M: Component>(app: &mut App) -> Vec<Features> {
    let world = app.world_mut();
    let mut query =
        world.query_filtered::<(&Transform, Option<&Course>, &MeshTag, &ChildOf), With<M>>();
    let mut found: Vec<_> = query
        .iter(world)
        .map(|(transform, course, tag, parent)| {
            let root = world
                .get::<ChunkRoot>(parent.parent())
                .expect("the parent is a root");
            features(root.coord, transform, course, tag.0)
        })
        .collect();
    found.sort_unstable();
    found
}

fn expected(kind: ItemKind) -> Vec<Features> {
    let item_features = |coord, item: &Item, course: Option<&Course>| {
        let transform = Transform {
            translation: item.position,
            rotation: item.rotation,
            scale: item.scale,
        };
        let [red, green, blue] = item.colour;
        let tag: MeshTag = Tint::srgb(red, green, blue).into();
        features(coord, &transform, course, tag.0)
    };
    let mut items: Vec<_> = planned()
        .flat_map(|(coord, chunk)| {
            let courses = match kind {
                ItemKind::Vehicle => &chunk.vehicle_courses[..],
                ItemKind::Npc => &chunk.npc_courses[..],
                ItemKind::Building | ItemKind::Tree | ItemKind::Road => &[],
            };
            let of = |(number, item)| item_features(coord, item, courses.get(number));
            chunk
                .of(kind)
                .iter()
                .enumerate()
                .map(of)
                .collect::<Vec<_>>()
        })
        .collect();
    items.sort_unstable();
    items
}

#[test]
fn all_five_kinds_are_spawned_as_they_were_generated() {
    let mut app = loaded();
    for (kind, found) in [
        (ItemKind::Building, spawned::<Building>(&mut app)),
        (ItemKind::Tree, spawned::<Tree>(&mut app)),
        (ItemKind::Vehicle, spawned::<Vehicle>(&mut app)),
        (ItemKind::Npc, spawned::<Npc>(&mut app)),
        (ItemKind::Road, spawned::<Road>(&mut app)),
    ] {
        assert!(!found.is_empty(), "no {kind:?}");
        assert!(
            found == expected(kind),
            "{kind:?} is not what was generated"
        );
    }
}

#[test]
fn outlines_are_spawned_with_the_distances_of_their_kind() {
    let mut app = loaded();
    let world = app.world_mut();
    let mut outlines = world.query::<(&SeenFromAfar, &VisibilityRange, &Transform, &ChildOf)>();
    let mut found: Vec<_> = (outlines.iter(world))
        .map(|(SeenFromAfar(kind), seen, place, parent)| {
            let whole = WholeWithin::new(200.0, settings().radius);
            assert!(*seen == whole.seen(*kind, true), "{kind:?}");
            let root = world.get::<ChunkRoot>(parent.parent());
            let bits = place.translation.to_array().map(f32::to_bits);
            (root.expect("the parent is a root").coord, *kind, bits)
        })
        .collect();
    found.sort_unstable();
    let mut expected: Vec<_> = planned()
        .flat_map(|(coord, chunk)| {
            let outline = chunk.outline;
            let kinds = [
                (ItemKind::Road, outline.roads),
                (ItemKind::Building, outline.buildings),
                (ItemKind::Tree, outline.trees),
            ];
            kinds.into_iter().flat_map(move |(kind, items)| {
                let places = items.into_iter().map(|item| item.position.to_array());
                places.map(move |place| (coord, kind, place.map(f32::to_bits)))
            })
        })
        .collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn vehicles_and_people_look_along_their_streets_in_every_direction() {
    for kind in [ItemKind::Vehicle, ItemKind::Npc] {
        let mut directions = [0; 4];
        for (_, chunk) in planned() {
            let courses = match kind {
                ItemKind::Vehicle => &chunk.vehicle_courses,
                _ => &chunk.npc_courses,
            };
            for (item, course) in chunk.of(kind).iter().zip(courses) {
                let (along, across) = match course.axis {
                    Axis::X => (Vec3::X, item.position.z),
                    Axis::Z => (Vec3::Z, item.position.x),
                };
                let looks = item.rotation * Vec3::NEG_Z;
                let goes = along * course.speed.signum();
                assert!(looks.distance(goes) < 1e-5, "{kind:?} {item:?} {course:?}");
                let place = item.position.dot(along);
                assert!(
                    (course.from..=course.to).contains(&place),
                    "{item:?} {course:?}"
                );
                assert!((0.0..=200.0).contains(&across), "{item:?}");
                let turned =
                    usize::from(course.speed > 0.0) + 2 * usize::from(course.axis == Axis::X);
                directions[turned] += 1;
            }
        }
        assert!(
            directions.iter().all(|count| *count > 10),
            "{kind:?}: {directions:?}"
        );
    }
}

#[test]
fn one_despawn_of_the_root_removes_the_chunk() {
    let mut app = loaded();
    let count = |app: &mut App| app.world().entity_count() as usize;
    let before = count(&mut app);
    let root = app
        .world()
        .resource::<ChunkIndex<CityChunk>>()
        .root(ChunkCoord::planar(1, 1))
        .expect("the chunk is loaded");
    app.world_mut().despawn(root);
    let plan = CityPlan::new(settings().city()).expect("the settings make a city");
    let children = plan.generate_at(ChunkCoord::planar(1, 1), 0).entity_count();
    assert_eq!(
        count(&mut app),
        before - 1 - children,
        "the root and its children"
    );
}

#[test]
fn four_assets_serve_every_entity() {
    let mut app = loaded();
    assert_eq!(asset_count(app.world()), 4);
    let world = app.world_mut();
    let entities = world.query::<&MeshTag>().iter(world).count();
    let planned: usize = planned().map(|(_, chunk)| chunk.entity_count()).sum();
    assert_eq!(entities, planned);
    assert!(entities > CHUNKS * settings().density as usize);
}

#[test]
fn without_a_viewer_nothing_happens() {
    let mut app = city_app(&settings()).expect("the settings make sense");
    app.update();
    let before = app.world().entity_count();
    for _ in 0..20 {
        app.update();
    }
    assert_eq!(app.world().entity_count(), before);
    assert!(app.world().resource::<ChunkIndex<CityChunk>>().is_empty());
}

#[test]
fn houses_are_seen_farther_than_trees_and_trees_farther_than_what_moves() {
    for radius in [1, 2, 4, 12, 40] {
        let whole = WholeWithin::new(200.0, radius).metres();
        let [house, road, tree, car, person] = [
            ItemKind::Building,
            ItemKind::Road,
            ItemKind::Tree,
            ItemKind::Vehicle,
            ItemKind::Npc,
        ]
        .map(|kind| fades(kind, whole));
        assert_eq!(house, road, "a house without a street");
        assert!(house.start > tree.start && house.end > tree.end);
        assert!(tree.end >= car.end && car.end >= person.end);
        for fade in [house, tree, car, person] {
            assert!(0.0 < fade.start && fade.start < fade.end, "{fade:?}");
            assert!(fade.end <= whole, "{fade:?}: chunks pop up at {whole} m");
        }
    }
}

#[test]
fn every_car_that_is_seen_drives() {
    let fade = fades(ItemKind::Vehicle, f32::MAX);
    let diagonal = 200.0 * core::f32::consts::SQRT_2;
    let MotionPlugin { reach, within } = MotionPlugin::default();
    assert!(fade.end + diagonal <= reach && fade.end <= within);
    assert!(fades(ItemKind::Npc, f32::MAX).end < fade.end);
}

#[test]
fn everything_fades_where_its_kind_does() {
    fn all<M: Component>(app: &mut App, kind: ItemKind) {
        let world = app.world_mut();
        let expected = fades(kind, WholeWithin::new(200.0, settings().radius).metres());
        let with = world.query_filtered::<(), With<M>>().iter(world).count();
        let mut ranges = world.query_filtered::<&VisibilityRange, With<M>>();
        assert_eq!(ranges.iter(world).count(), with, "{kind:?}");
        for range in ranges.iter(world) {
            assert_eq!(range.end_margin, expected, "{kind:?}");
            assert_eq!(range.start_margin, 0.0..0.0, "{kind:?} is seen from near");
        }
    }
    let mut app = loaded();
    all::<Building>(&mut app, ItemKind::Building);
    all::<Road>(&mut app, ItemKind::Road);
    all::<Tree>(&mut app, ItemKind::Tree);
    all::<Vehicle>(&mut app, ItemKind::Vehicle);
    all::<Npc>(&mut app, ItemKind::Npc);
}
