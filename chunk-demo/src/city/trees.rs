//! Trees in the parks.

use bevy_math::{Quat, Vec2, Vec3};
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;

use super::chunk::Item;
use super::lots::{Lot, Lots};
use super::seed::{Purpose, between, colour};
use super::site::Site;

const LEAVES: [u32; 6] = [0x407034, 0x52803c, 0x346038, 0x68883e, 0x7e8c3a, 0x967634];
const BARK: [u32; 3] = [0x5c4632, 0x6c563e, 0x4e3e30];

/// Plants exactly `count` cylinders: a trunk and a crown for each tree, and one bush if the number is odd.
pub(super) fn plant(site: &Site<'_>, lots: &Lots, count: usize) -> Vec<Item> {
    let mut rng = site.rng(Purpose::Trees);
    let plants = count.div_ceil(2);
    let mut parks: Vec<&Lot> = lots.parks.iter().collect();
    parks.shuffle(&mut rng);

    let mut cylinders = Vec::with_capacity(count + 1);
    for (index, park) in parks.iter().enumerate() {
        let here = plants / parks.len() + usize::from(index < plants % parks.len());
        plant_park(site, park, here, &mut rng, &mut cylinders);
    }
    // Each crown comes before its trunk: without a trunk it is a bush.
    cylinders.truncate(count);
    cylinders
}

/// Divides the park into a cell for each plant, so that no two overlap.
fn plant_park(
    site: &Site<'_>,
    park: &Lot,
    plants: usize,
    rng: &mut Pcg64Mcg,
    cylinders: &mut Vec<Item>,
) {
    let columns = (1..)
        .find(|columns| columns * columns >= plants)
        .unwrap_or(1)
        .max(1);
    let rows = plants.div_ceil(columns).max(1);
    let cell = park.land.size() / Vec2::new(columns as f32, rows as f32);
    for plant in 0..plants {
        let crown = (between(rng, 2.5, 4.5) * site.roads().unit()).min(0.9 * cell.min_element());
        let place = [plant % columns, plant / columns];
        let [x, z] = [0, 1].map(|axis| {
            let free = (cell[axis] - crown) / 2.0;
            park.land.min[axis]
                + (place[axis] as f32 + 0.5) * cell[axis]
                + between(rng, -free, free)
        });
        cylinders.extend(tree(x, z, crown, rng));
    }
}

/// A crown and its trunk.
fn tree(x: f32, z: f32, crown: f32, rng: &mut Pcg64Mcg) -> [Item; 2] {
    let trunk_height = crown * between(rng, 0.5, 0.9);
    let crown_height = crown * between(rng, 0.9, 1.5);
    let cylinder = |bottom: f32, height: f32, width: f32, colour| Item {
        position: Vec3::new(x, bottom + height / 2.0, z),
        rotation: Quat::IDENTITY,
        scale: Vec3::new(width, height, width),
        colour,
    };
    [
        cylinder(
            trunk_height * 0.9,
            crown_height,
            crown,
            colour(rng, &LEAVES),
        ),
        cylinder(0.0, trunk_height, crown * 0.15, colour(rng, &BARK)),
    ]
}
