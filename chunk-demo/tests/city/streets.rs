//! Streets, and the vehicles and people on them.

use std::collections::BTreeSet;

use bevy_math::Vec3;
use chunk_coord::ChunkCoord;
use chunk_demo::city::{Class, Road};
use chunk_demo::motion::Axis;

use crate::{city, coords, ground, overlap};

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
    for here in coords() {
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
    for coord in coords() {
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
fn vehicles_drive_along_the_right_hand_lane() {
    for density in [15, 150, 2_000] {
        let plan = city(density);
        for coord in coords() {
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
                    let position = vehicle.position.dot(along);
                    forward.dot(along).abs() > 0.999
                        && (road.from..=road.to).contains(&position)
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
    for coord in coords() {
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
