//! Vehicles in the right-hand lanes, people on the pavements.

use bevy_math::{Quat, Vec3};
use rand::RngExt;

use super::chunk::Item;
use super::roads::{Class, Road};
use super::seed::{Purpose, between, pick};
use super::site::Site;
use crate::motion::{AtEnd, Axis, Course};

const PAINT: [[u8; 3]; 9] = [
    [200, 36, 36],
    [236, 236, 232],
    [30, 32, 36],
    [168, 172, 178],
    [40, 78, 156],
    [240, 190, 40],
    [44, 110, 72],
    [120, 44, 52],
    [220, 120, 40],
];
const CLOTHES: [[u8; 3]; 10] = [
    [210, 60, 70],
    [60, 90, 170],
    [240, 200, 80],
    [70, 150, 110],
    [230, 230, 225],
    [50, 50, 60],
    [160, 90, 160],
    [230, 130, 60],
    [110, 170, 210],
    [140, 110, 80],
];

/// Puts exactly `count` vehicles in the lanes, or as many as there is room for.
pub(super) fn drive(site: &Site<'_>, count: usize) -> (Vec<Item>, Vec<Course>) {
    let mut rng = site.rng(Purpose::Vehicles);
    let unit = site.roads().unit();
    let room = site.roads().vehicle_room();
    let mut rooms_left = site.roads().parking();
    let mut vehicles = Vec::with_capacity(count);
    let mut courses = Vec::with_capacity(count);
    for road in site.roads().iter() {
        for side in [-1.0, 1.0] {
            for [from, to] in site.roads().lane(road, side) {
                let rooms = ((to - from) / room) as usize;
                for index in 0..rooms {
                    // Each room is taken with the chance that makes the total come out exactly.
                    let is_taken = rng.random_range(0..rooms_left) < count - vehicles.len();
                    rooms_left -= 1;
                    if is_taken {
                        let is_van = rng.random_ratio(1, 6);
                        let size = if is_van {
                            Vec3::new(2.1, 2.3, 5.6)
                        } else {
                            Vec3::new(1.8, 1.45, 4.3)
                        } * unit;
                        let slack = (room - size.z) / 2.0;
                        let middle = from + (index as f32 + 0.5) * (to - from) / rooms as f32;
                        courses.push(lane_course(road, side, unit));
                        vehicles.push(Item {
                            position: road.point(
                                middle + between(&mut rng, -slack, slack),
                                road.across + side * road.half_carriageway / 2.0,
                                size.y / 2.0 + 0.1 * unit,
                            ),
                            rotation: heading(road.axis, side),
                            scale: size,
                            colour: pick(&mut rng, &PAINT),
                        });
                    }
                }
            }
        }
    }
    (vehicles, courses)
}

/// Everybody in a lane drives at the same speed and as far, so that nobody ever catches up with anybody.
fn lane_course(road: &Road, side: f32, unit: f32) -> Course {
    let speed = match road.class {
        Class::Main => 12.0,
        Class::Side => 7.0,
    };
    Course {
        axis: road.axis,
        from: road.from,
        to: road.to,
        speed: forwards(road.axis, side) * speed * unit,
        at_end: AtEnd::BeginAnew,
    }
}

/// The direction of the lane on one side of a street along its axis, 1 or −1.
fn forwards(axis: Axis, side: f32) -> f32 {
    match axis {
        Axis::X => side,
        Axis::Z => -side,
    }
}

/// The rotation of what drives in the lane on one side of a street and keeps to the right.
///
/// To the right of +x lies +z, and to the right of +z lies −x.
fn heading(axis: Axis, side: f32) -> Quat {
    let half = core::f32::consts::FRAC_1_SQRT_2;
    match (axis, side > 0.0) {
        (Axis::X, true) => Quat::from_xyzw(0.0, -half, 0.0, half),
        (Axis::X, false) => Quat::from_xyzw(0.0, half, 0.0, half),
        (Axis::Z, true) => Quat::IDENTITY,
        (Axis::Z, false) => Quat::from_xyzw(0.0, 1.0, 0.0, 0.0),
    }
}

/// Puts exactly `count` people on the pavements, everywhere equally likely.
pub(super) fn walk(site: &Site<'_>, count: usize) -> (Vec<Item>, Vec<Course>) {
    let mut rng = site.rng(Purpose::Npcs);
    let unit = site.roads().unit();
    let pavements: Vec<(&Road, f32, [f32; 2])> = site
        .roads()
        .iter()
        .flat_map(|road| [(road, -1.0), (road, 1.0)])
        .flat_map(|(road, side)| {
            site.roads()
                .pavement(road, side)
                .into_iter()
                .map(move |piece| (road, side, piece))
        })
        .collect();
    let length: f32 = pavements.iter().map(|(_, _, [from, to])| to - from).sum();

    let person = |_| {
        let mut along = between(&mut rng, 0.0, length);
        let found = pavements.iter().find(|(_, _, [from, to])| {
            let is_here = along < to - from;
            if !is_here {
                along -= to - from;
            }
            is_here
        });
        // Rounding can carry the last metre over the end; it belongs to the last pavement.
        let &(road, side, [from, to]) = found.or(pavements.last())?;
        let size = Vec3::new(0.5, between(&mut rng, 1.5, 1.9), 0.5) * unit;
        let across = between(&mut rng, size.x / 2.0, road.pavement - size.x / 2.0);
        let position = road.point(
            (from + along)
                .min(to - size.x / 2.0)
                .max(from + size.x / 2.0),
            road.across + side * (road.half_carriageway + across),
            size.y / 2.0,
        );
        let side = if rng.random_bool(0.5) { 1.0 } else { -1.0 };
        let rotation = heading(road.axis, side);
        let course = Course {
            axis: road.axis,
            from: from + size.x / 2.0,
            to: to - size.x / 2.0,
            // Who is taller walks faster: 0.9 to 1.7 m/s.
            speed: forwards(road.axis, side) * (2.0 * size.y - 2.1 * unit),
            at_end: AtEnd::Turn,
        };
        let person = Item {
            position,
            rotation,
            scale: size,
            colour: pick(&mut rng, &CLOTHES),
        };
        Some((person, course))
    };
    (0..count).filter_map(person).unzip()
}
