//! Vehicles in the right-hand lanes, people on the pavements.

use bevy_math::{Quat, Vec3};
use rand::RngExt;

use super::chunk::Item;
use super::roads::{Class, Road};
use super::seed::{Purpose, between, colour};
use super::site::Site;
use crate::motion::{AtEnd, Axis, Course};

const PAINT: [u32; 9] = [
    0xc82424, 0xecece8, 0x1e2024, 0xa8acb2, 0x284e9c, 0xf0be28, 0x2c6e48, 0x782c34, 0xdc7828,
];
const CLOTHES: [u32; 10] = [
    0xd23c46, 0x3c5aaa, 0xf0c850, 0x46966e, 0xe6e6e1, 0x32323c, 0xa05aa0, 0xe6823c, 0x6eaad2,
    0x8c6e50,
];

/// Puts exactly `count` vehicles in the lanes, or as many as fit.
pub(super) fn drive(site: &Site<'_>, count: usize) -> (Vec<Item>, Vec<Course>) {
    let mut rng = site.rng(Purpose::Vehicles);
    let unit = site.roads().unit();
    let room = site.roads().vehicle_room();
    let mut rooms_left = site.roads().lane_capacity();
    let mut vehicles = Vec::with_capacity(count);
    let mut courses = Vec::with_capacity(count);
    for (road, side, [from, to]) in site.roads().lanes() {
        let rooms = ((to - from) / room) as usize;
        for index in 0..rooms {
            // Each room is taken with the probability that makes the total come out exactly.
            let is_taken = rng.random_range(0..rooms_left) < count - vehicles.len();
            rooms_left -= 1;
            if !is_taken {
                continue;
            }
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
                colour: colour(&mut rng, &PAINT),
            });
        }
    }
    (vehicles, courses)
}

/// All vehicles in a lane drive at the same speed and equally far, so that none ever catches up with another.
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

/// The direction along its axis, 1 or −1, in which a street is driven on one side, keeping to the right: to the right of
/// +x lies +z, and to the right of +z lies −x.
fn forwards(axis: Axis, side: f32) -> f32 {
    match axis {
        Axis::X => side,
        Axis::Z => -side,
    }
}

/// The rotation of what drives in the lane on one side of a street.
fn heading(axis: Axis, side: f32) -> Quat {
    axis.facing(forwards(axis, side) > 0.0)
}

/// Puts exactly `count` people on the pavements, evenly distributed.
pub(super) fn walk(site: &Site<'_>, count: usize) -> (Vec<Item>, Vec<Course>) {
    let mut rng = site.rng(Purpose::Npcs);
    let unit = site.roads().unit();
    let pavements: Vec<_> = site.roads().pavements().collect();
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
            // Taller people walk faster: 0.9 to 1.7 m/s.
            speed: forwards(road.axis, side) * (2.0 * size.y - 2.1 * unit),
            at_end: AtEnd::Turn,
        };
        let person = Item {
            position,
            rotation,
            scale: size,
            colour: colour(&mut rng, &CLOTHES),
        };
        Some((person, course))
    };
    (0..count).filter_map(person).unzip()
}
