//! The city as a whole.

use std::collections::BTreeSet;

use bevy_math::{Vec2, Vec3, Vec3Swizzles};
use chunk_coord::ChunkCoord;
use proptest::prelude::*;

use super::lots::Lots;
use super::*;

fn city(density: u32) -> CityPlan {
    CityPlan::new(CityConfig {
        seed: 42,
        density,
        ..CityConfig::default()
    })
    .expect("the settings are in range")
}

/// Chunks around the origin and at every corner of the coordinate space.
fn places() -> impl Iterator<Item = ChunkCoord> {
    let ends = [i32::MIN, i32::MIN + 1, i32::MAX - 1, i32::MAX];
    let near = (-5..5).flat_map(|x| (-5..5).map(move |z| ChunkCoord::planar(x, z)));
    near.chain(
        ends.into_iter()
            .flat_map(move |x| ends.into_iter().map(move |z| ChunkCoord::planar(x, z))),
    )
}

/// An item's rectangle on the ground: centre and half size, for rotations by quarter turns.
fn ground(item: &Item) -> (Vec2, Vec2) {
    let half = (item.rotation * item.scale).abs() / 2.0;
    (item.position.xz(), half.xz())
}

fn overlap(a: (Vec2, Vec2), b: (Vec2, Vec2)) -> bool {
    ((a.0 - b.0).abs() + 1e-3).cmplt(a.1 + b.1).all()
}

/// A street with its pavements as a rectangle.
fn street(road: &Road) -> (Vec2, Vec2) {
    let half = (road.to - road.from) / 2.0;
    (
        road.point(road.from + half, road.across, 0.0).xz(),
        road.point(half, road.half_width(), 0.0).xz(),
    )
}

#[test]
fn a_chunk_is_the_same_in_any_order_and_on_any_thread() {
    let plan = city(150);
    let coords: Vec<_> = places().collect();
    let forwards: Vec<_> = coords.iter().map(|&coord| plan.generate(coord)).collect();
    let mut backwards: Vec<_> = coords
        .iter()
        .rev()
        .map(|&coord| plan.generate(coord))
        .collect();
    backwards.reverse();
    assert_eq!(forwards, backwards);

    let again = city(150);
    std::thread::scope(|scope| {
        let (again, coords, forwards) = (&again, &coords, &forwards);
        for first in 0..4 {
            scope.spawn(move || {
                for index in (first..coords.len()).step_by(4) {
                    assert_eq!(
                        again.generate(coords[index]),
                        forwards[index],
                        "{:?}",
                        coords[index]
                    );
                }
            });
        }
    });
}

#[test]
fn another_seed_or_another_place_is_another_city() {
    let other = CityPlan::new(CityConfig {
        seed: 43,
        ..city(100).config()
    })
    .expect("the settings are in range");
    let here = city(100).generate(ChunkCoord::ORIGIN);
    assert_ne!(other.generate(ChunkCoord::ORIGIN), here);
    assert_ne!(city(100).generate(ChunkCoord::planar(0, 1)), here);
    assert_ne!(city(100).generate(ChunkCoord::planar(1, 0)), here);
    assert_ne!(
        city(100).generate(ChunkCoord::planar(0, 1)),
        city(100).generate(ChunkCoord::planar(1, 0)),
        "x and z are not exchanged"
    );
}

#[test]
fn streets_join_across_every_border() {
    type Crossing = (Class, u32);
    let plan = city(100);
    let crossings = |coord: ChunkCoord, axis: Axis, end: f32| -> BTreeSet<(bool, u32)> {
        let crossing = |road: &Road| -> Crossing { (road.class, road.across.to_bits()) };
        plan.roads(coord)
            .iter()
            .filter(|road| road.axis == axis && (road.from == end || road.to == end))
            .map(crossing)
            .map(|(class, across)| (class == Class::Main, across))
            .collect()
    };
    let mut sides = 0;
    for here in places() {
        for (axis, next) in [
            (
                Axis::X,
                here.x.checked_add(1).map(|x| ChunkCoord::planar(x, here.z)),
            ),
            (
                Axis::Z,
                here.z.checked_add(1).map(|z| ChunkCoord::planar(here.x, z)),
            ),
        ] {
            let Some(next) = next else { continue };
            let leaving = crossings(here, axis, 200.0);
            assert_eq!(
                leaving,
                crossings(next, axis, 0.0),
                "{here:?} and {next:?} along {axis:?}"
            );
            assert_eq!(
                leaving.iter().filter(|(is_main, _)| *is_main).count(),
                1,
                "{here:?}"
            );
            sides += leaving.len() - 1;
        }
    }
    assert!(sides > 50, "there are side streets: {sides}");
}

#[test]
fn every_side_street_ends_at_a_main_street() {
    let plan = city(100);
    for coord in places() {
        let roads = plan.roads(coord);
        for side in roads.iter().filter(|road| road.class == Class::Side) {
            let main = roads
                .iter()
                .find(|road| road.class == Class::Main && road.axis != side.axis)
                .expect("there is a main street along each axis");
            assert!(
                side.from == main.across || side.to == main.across,
                "{coord:?}: {side:?}"
            );
            assert!(side.from == 0.0 || side.to == 200.0, "{coord:?}: {side:?}");
        }
    }
}

#[test]
fn nothing_is_built_or_planted_on_a_street() {
    for density in [15, 150, 2_000] {
        let plan = city(density);
        for coord in places() {
            let chunk = plan.generate(coord);
            for road in plan.roads(coord).iter() {
                for item in chunk.buildings.iter().chain(&chunk.trees) {
                    assert!(
                        !overlap(ground(item), street(road)),
                        "{coord:?}: {item:?} on {road:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn buildings_stand_apart_or_on_each_other() {
    let plan = city(1_000);
    for coord in places() {
        let buildings = plan.generate(coord).buildings;
        for (index, a) in buildings.iter().enumerate() {
            assert!(
                a.position.y - a.scale.y / 2.0 > -1e-3,
                "{coord:?}: {a:?} is under ground"
            );
            for b in &buildings[..index] {
                let is_stacked =
                    (a.position.y - b.position.y).abs() + 1e-2 > (a.scale.y + b.scale.y) / 2.0;
                assert!(
                    is_stacked || !overlap(ground(a), ground(b)),
                    "{coord:?}: {a:?} in {b:?}"
                );
            }
        }
    }
}

#[test]
fn vehicles_drive_along_the_right_hand_lane() {
    for density in [15, 150, 2_000] {
        let plan = city(density);
        for coord in places() {
            let roads = plan.roads(coord);
            let vehicles = plan.generate(coord).vehicles;
            for vehicle in &vehicles {
                let forward = vehicle.rotation * Vec3::NEG_Z;
                let right = forward.cross(Vec3::Y);
                let is_in_lane = |road: &&Road| {
                    let along = road.point(1.0, 0.0, 0.0);
                    let middle =
                        road.point(0.0, road.across, 0.0) + vehicle.position * (along + Vec3::Y);
                    let from_middle = (vehicle.position - middle).dot(right);
                    let place = vehicle.position.dot(along);
                    forward.dot(along).abs() > 0.999
                        && (road.from..=road.to).contains(&place)
                        && from_middle - vehicle.scale.x / 2.0 > 0.0
                        && from_middle + vehicle.scale.x / 2.0 < road.half_carriageway
                };
                assert!(
                    roads.iter().find(is_in_lane).is_some(),
                    "{coord:?}: {vehicle:?}"
                );
            }
            for (index, a) in vehicles.iter().enumerate() {
                let crash = vehicles[..index]
                    .iter()
                    .find(|b| overlap(ground(a), ground(b)));
                assert_eq!(crash, None, "{coord:?}: {a:?}");
            }
        }
    }
}

#[test]
fn people_walk_on_pavements() {
    let plan = city(2_000);
    for coord in places() {
        let roads = plan.roads(coord);
        for person in plan.generate(coord).npcs {
            let (along, across): (Vec<f32>, Vec<f32>) = roads
                .iter()
                .map(|road| match road.axis {
                    Axis::X => (person.position.x, (person.position.z - road.across).abs()),
                    Axis::Z => (person.position.z, (person.position.x - road.across).abs()),
                })
                .unzip();
            let on = |edge: fn(&Road) -> f32| -> Vec<bool> {
                roads
                    .iter()
                    .enumerate()
                    .map(|(i, road)| {
                        (road.from..=road.to).contains(&along[i]) && across[i] < edge(road) - 1e-3
                    })
                    .collect()
            };
            assert!(
                on(Road::half_width).contains(&true),
                "{coord:?}: {person:?} is not on a pavement"
            );
            assert!(
                !on(|road| road.half_carriageway).contains(&true),
                "{coord:?}: {person:?} is on the road"
            );
        }
    }
}

#[test]
fn trees_grow_only_in_parks_and_nobody_builds_there() {
    let plan = city(600);
    for coord in places() {
        let chunk = plan.generate(coord);
        let lots = Lots::of(&plan.site(coord), chunk.buildings.len());
        let is_in_a_park = |item: &Item| {
            let (centre, half) = ground(item);
            lots.parks.iter().any(|lot| {
                let land = lot.land;
                (centre - half + 1e-3).cmpge(land.min.into()).all()
                    && (centre + half - 1e-3).cmple(land.max.into()).all()
            })
        };
        assert!(chunk.trees.iter().all(is_in_a_park), "{coord:?}");
        assert!(!chunk.buildings.iter().any(is_in_a_park), "{coord:?}");

        let site = plan.site(coord);
        let greenness = |lot: &super::lots::Lot| {
            let [x, z] = lot.land.centre();
            site.greenness(x, z)
        };
        let least_green_park = lots.parks.iter().map(greenness).fold(f32::MAX, f32::min);
        assert!(
            lots.built
                .iter()
                .all(|lot| greenness(lot) <= least_green_park),
            "{coord:?}"
        );
    }
}

#[test]
fn parks_are_part_of_the_city_and_not_most_of_it() {
    let plan = city(300);
    let (mut parks, mut all) = (0, 0);
    for coord in places() {
        let lots = Lots::of(&plan.site(coord), 120);
        parks += lots.parks.len();
        all += lots.parks.len() + lots.built.len();
    }
    let share = parks as f32 / all as f32;
    assert!((0.1..0.4).contains(&share), "{share}");
}

#[test]
fn the_number_of_entities_is_the_density_and_all_kinds_are_there() {
    for density in [15, 16, 17, 30, 59, 60, 61, 120, 500, 1_999, 2_000] {
        for chunk_size in [20.0, 75.0, 200.0, 1_000.0, 10_000.0] {
            let plan = CityPlan::new(CityConfig {
                seed: 5,
                chunk_size,
                density,
            })
            .expect("the settings are in range");
            for coord in places().step_by(7) {
                let chunk = plan.generate(coord);
                assert_eq!(
                    chunk.entity_count(),
                    density as usize,
                    "{coord:?} at {chunk_size} m"
                );
                assert_eq!(chunk.iter().count(), density as usize);
                for kind in Kind::ALL {
                    assert!(
                        !chunk.of(kind).is_empty(),
                        "{kind:?} at {coord:?}, {density} in {chunk_size} m"
                    );
                }
            }
        }
    }
}

#[test]
fn the_centre_is_higher_than_the_outskirts() {
    let plan = city(200);
    let mean_height = |centre: i32| {
        let heights: Vec<f32> = (-2..2)
            .flat_map(|x| (-2..2).map(move |z| ChunkCoord::planar(centre + x, centre + z)))
            .flat_map(|coord| plan.generate(coord).buildings)
            .map(|item| item.position.y + item.scale.y / 2.0)
            .collect();
        heights.iter().sum::<f32>() / heights.len() as f32
    };
    let (down_town, halfway, outskirts) = (mean_height(0), mean_height(8), mean_height(-60));
    assert!(down_town > 1.3 * halfway, "{down_town} m, {halfway} m");
    assert!(halfway > 1.3 * outskirts, "{halfway} m, {outskirts} m");
}

#[test]
fn colours_vary() {
    let chunk = city(200).generate(ChunkCoord::ORIGIN);
    for kind in [Kind::Building, Kind::Tree, Kind::Vehicle, Kind::Npc] {
        let colours: BTreeSet<_> = chunk.of(kind).iter().map(|item| item.colour).collect();
        assert!(colours.len() >= 4, "{kind:?}: {colours:?}");
    }
}

#[test]
fn height_is_ignored() {
    let plan = city(50);
    assert_eq!(
        plan.generate(ChunkCoord::new(3, i32::MIN, 4)),
        plan.generate(ChunkCoord::planar(3, 4))
    );
}

#[test]
fn settings_out_of_range_are_refused_with_their_value() {
    let with = |chunk_size, density| {
        CityPlan::new(CityConfig {
            seed: 0,
            chunk_size,
            density,
        })
        .map(|_| ())
    };
    for size in [0.0, -200.0, 19.9, 10_001.0, f32::INFINITY] {
        assert_eq!(with(size, 100), Err(CityError::ChunkSize(size)));
    }
    assert!(matches!(with(f32::NAN, 100), Err(CityError::ChunkSize(size)) if size.is_nan()));
    for density in [0, 14, 2_001, u32::MAX] {
        assert_eq!(with(200.0, density), Err(CityError::Density(density)));
    }
    assert!(CityError::Density(14).to_string().contains("14"));
    assert!(CityError::ChunkSize(-1.0).to_string().contains("-1 m"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_chunk_of_any_city_is_whole(
        seed: u64,
        x: i32,
        z: i32,
        chunk_size in 20.0_f32..=10_000.0,
        density in 15_u32..=2_000,
    ) {
        let plan = CityPlan::new(CityConfig { seed, chunk_size, density }).expect("the settings are in range");
        let coord = ChunkCoord::planar(x, z);
        let chunk = plan.generate(coord);
        prop_assert_eq!(chunk.entity_count(), density as usize);
        prop_assert_eq!(&chunk, &plan.generate(coord));
        for (kind, item) in chunk.iter() {
            let (centre, half) = ground(item);
            prop_assert!(item.position.is_finite() && item.rotation.is_normalized(), "{:?} {:?}", kind, item);
            prop_assert!(item.scale.min_element() > 0.0, "{:?} {:?}", kind, item);
            prop_assert!(item.position.y - item.scale.y / 2.0 > -1e-3, "{:?} {:?}", kind, item);
            let tolerance = Vec2::splat(chunk_size * 1e-5);
            prop_assert!((centre - half).cmpge(-tolerance).all(), "{:?} {:?}", kind, item);
            prop_assert!((centre + half).cmple(Vec2::splat(chunk_size) + tolerance).all(), "{:?} {:?}", kind, item);
        }
        for road in plan.roads(coord).iter() {
            for building in &chunk.buildings {
                prop_assert!(!overlap(ground(building), street(road)), "{:?} on {:?}", building, road);
            }
        }
    }
}
