//! Houses and towers.

use bevy_math::Vec3;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;

use super::chunk::Item;
use super::lots::{Lot, Lots};
use super::seed::{Purpose, between, colour};
use super::site::Site;
use crate::motion::Axis;

const WALLS: [u32; 12] = [
    0xb25c44, 0xc48e68, 0xd6be96, 0xe2d6be, 0x9c948a, 0x78808a, 0x5c6878, 0xa8b6be, 0xcecec8,
    0x926e58, 0xbea83c, 0x688880,
];
const GLASS: [u32; 5] = [0x60829c, 0x7c98a6, 0x4a6280, 0x96a8b0, 0x425464];

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
    let size = lot.land.size().to_array();
    let size = size.map(|side| (side * between(rng, 0.62, 0.88)).min(40.0 * unit));
    let slenderest = 6.0 * size[0].min(size[1]);
    let chance = between(rng, 0.0, 1.0);
    let low = between(rng, 5.0, 12.0);
    let height = ((low + centrality * (8.0 + 120.0 * chance.powi(3))) * unit).min(slenderest);

    let is_tower = height > 32.0 * unit;
    let mut colour = colour(rng, if is_tower { &GLASS } else { &WALLS });
    let [x, z] = lot.land.center().to_array();
    let (axis, is_higher) = lot.front;
    let (mut bottom, mut narrowing) = (0.0, 1.0);
    for storey in 1..=storeys {
        let top = if storey == storeys {
            height
        } else {
            bottom + (height - bottom) * 0.6
        };
        let [width, depth] = size.map(|side| side * narrowing);
        let [width, depth] = match axis {
            Axis::X => [depth, width],
            Axis::Z => [width, depth],
        };
        boxes.push(Item {
            position: Vec3::new(x, (bottom + top) / 2.0, z),
            rotation: axis.facing(is_higher),
            scale: Vec3::new(width, top - bottom, depth),
            colour,
        });
        bottom = top;
        narrowing *= 0.8;
        colour = colour.map(|channel| channel - channel / 10);
    }
}
