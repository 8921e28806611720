//! Houses and towers.

use bevy_math::{Quat, Vec3};
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;

use super::chunk::Item;
use super::lots::{Lot, Lots, Side};
use super::seed::{Purpose, between, pick};
use super::site::Site;

const WALLS: [[u8; 3]; 12] = [
    [178, 92, 68],
    [196, 142, 104],
    [214, 190, 150],
    [226, 214, 190],
    [156, 148, 138],
    [120, 128, 138],
    [92, 104, 120],
    [168, 182, 190],
    [206, 206, 200],
    [146, 110, 88],
    [190, 168, 60],
    [104, 136, 128],
];
const GLASS: [[u8; 3]; 5] = [
    [96, 130, 156],
    [124, 152, 166],
    [74, 98, 128],
    [150, 168, 176],
    [66, 84, 100],
];

/// Builds exactly `count` boxes: one on each lot, the lots at the streets first; then a second storey on each, and so
/// on. Boxes of one lot stand on each other.
pub(super) fn build(site: &Site<'_>, lots: &Lots, count: usize) -> Vec<Item> {
    let mut rng = site.rng(Purpose::Buildings);
    let mut order: Vec<&Lot> = lots.built.iter().collect();
    order.shuffle(&mut rng);
    order.sort_by_key(|lot| lot.row);
    order.truncate(count);

    let mut boxes = Vec::with_capacity(count);
    for (index, lot) in order.iter().enumerate() {
        let storeys = count / order.len() + usize::from(index < count % order.len());
        raise(site, lot, storeys, &mut rng, &mut boxes);
    }
    boxes
}

/// One building of several boxes, each narrower than the one below.
fn raise(site: &Site<'_>, lot: &Lot, storeys: usize, rng: &mut Pcg64Mcg, boxes: &mut Vec<Item>) {
    let unit = site.roads().unit();
    let centrality = site.centrality();
    let size = [lot.land.width(), lot.land.depth()]
        .map(|side| (side * between(rng, 0.62, 0.88)).min(40.0 * unit));
    let slenderest = 6.0 * size[0].min(size[1]);
    let chance = between(rng, 0.0, 1.0);
    let low = between(rng, 5.0, 12.0);
    let height = ((low + centrality * (8.0 + 120.0 * chance.powi(3))) * unit).min(slenderest);

    let is_tower = height > 32.0 * unit;
    let mut colour = pick(rng, if is_tower { &GLASS } else { &WALLS });
    let [x, z] = lot.land.centre();
    let (rotation, sideways) = facing(lot.front);
    let (mut bottom, mut narrowing) = (0.0, 1.0);
    for storey in 1..=storeys {
        let top = if storey == storeys {
            height
        } else {
            bottom + (height - bottom) * 0.6
        };
        let [width, depth] = size.map(|side| side * narrowing);
        let along_its_axes = if sideways {
            [depth, width]
        } else {
            [width, depth]
        };
        boxes.push(Item {
            position: Vec3::new(x, (bottom + top) / 2.0, z),
            rotation,
            scale: Vec3::new(along_its_axes[0], top - bottom, along_its_axes[1]),
            colour,
        });
        bottom = top;
        narrowing *= 0.8;
        colour = colour.map(|channel| channel - channel / 10);
    }
}

/// The rotation that turns a building's −z towards a side, and whether that exchanges its width and depth.
fn facing(front: Side) -> (Quat, bool) {
    let half = core::f32::consts::FRAC_1_SQRT_2;
    match front {
        Side::LowZ => (Quat::IDENTITY, false),
        Side::HighZ => (Quat::from_xyzw(0.0, 1.0, 0.0, 0.0), false),
        Side::LowX => (Quat::from_xyzw(0.0, half, 0.0, half), true),
        Side::HighX => (Quat::from_xyzw(0.0, -half, 0.0, half), true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_building_faces_its_street() {
        for (side, towards) in [
            (Side::LowX, Vec3::NEG_X),
            (Side::HighX, Vec3::X),
            (Side::LowZ, Vec3::NEG_Z),
            (Side::HighZ, Vec3::Z),
        ] {
            let (rotation, sideways) = facing(side);
            assert!(
                (rotation * Vec3::NEG_Z).distance(towards) < 1e-6,
                "{side:?}"
            );
            assert_eq!(sideways, towards.x != 0.0, "{side:?}");
        }
    }
}
