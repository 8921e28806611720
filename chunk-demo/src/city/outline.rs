//! What stands for a chunk from afar: a few boxes and cylinders in place of many.

use bevy_color::{ColorToPacked, LinearRgba, Srgba};
use bevy_math::{Quat, Rect, Vec2, Vec3, Vec3Swizzles};

use super::chunk::{Item, Outline};

/// The most houses that one box stands for, and the most trees that one cylinder stands for.
const HOUSES: usize = 2;
const TREES: usize = 16;
/// A house that is higher than this many metres of the plan stands as it is: it is seen over the others.
const TOWER: f32 = 24.0;

/// The outline of a chunk. `streets` are its carriageways, which stay as they are; `buildings` its storeys, those of one house
/// in a row, from the ground up; `trees` crowns and trunks in turn. `blocks` are the rectangles between the streets: what stands
/// for several things is within one of them.
pub(super) fn outline(
    [streets, buildings, trees]: [&[Item]; 3],
    blocks: &[Rect],
    unit: f32,
) -> Outline {
    let mut outline = Outline {
        roads: streets.to_vec(),
        ..Outline::default()
    };
    let mut houses = Vec::new();
    for house in buildings.chunk_by(|a, b| a.position.xz() == b.position.xz()) {
        if house.last().is_some_and(|top| top_of(top) > TOWER * unit) {
            outline.buildings.extend_from_slice(house);
        } else {
            houses.push(merge_houses(house));
        }
    }
    let crowns: Vec<Item> = trees.iter().step_by(2).copied().collect();
    for block in blocks {
        let within = |items: &[Item]| -> Vec<Item> {
            let items = items.iter().copied();
            items.filter(|it| is_within(*block, it)).collect()
        };
        group(&mut within(&houses), HOUSES, &mut |houses| {
            outline.buildings.push(merge_houses(houses));
        });
        group(&mut within(&crowns), TREES, &mut |crowns| {
            outline.trees.push(merge_crowns(crowns));
        });
    }
    outline
}

/// Whether the middle is in the block. A block has its lower sides and not its upper ones, so that no two have the same.
fn is_within(block: Rect, item: &Item) -> bool {
    let middle = item.position.xz();
    middle.cmpge(block.min).all() && middle.cmplt(block.max).all()
}

/// Cuts items into groups that lie together, of at most so many each: halves across the longer side, until they are small
/// enough.
fn group(items: &mut [Item], most: usize, on_group: &mut impl FnMut(&[Item])) {
    if items.len() <= most {
        if !items.is_empty() {
            on_group(items);
        }
        return;
    }
    let places = items.iter().map(|item| item.position);
    let low = places.clone().fold(Vec3::MAX, Vec3::min);
    let size = places.fold(Vec3::MIN, Vec3::max) - low;
    let axis = if size.x >= size.z { 0 } else { 2 };
    // Stable, so that the same items always make the same groups.
    items.sort_by(|a, b| a.position[axis].total_cmp(&b.position[axis]));
    let (low, high) = items.split_at_mut(items.len() / 2);
    group(low, most, on_group);
    group(high, most, on_group);
}

/// A box around the middle of some houses, with as much ground and volume as they have together.
fn merge_houses(houses: &[Item]) -> Item {
    let mut bounds = Rect::EMPTY;
    let (mut ground, mut volume) = (0.0, 0.0);
    for house in houses {
        let half = (house.rotation * house.scale).abs().xz() / 2.0;
        let middle = house.position.xz();
        bounds = bounds.union(Rect::from_corners(middle - half, middle + half));
        volume += house.scale.element_product();
        // An upper storey stands on another one.
        if house.position.y - house.scale.y / 2.0 < 0.01 * house.scale.y {
            ground += ground_area(house);
        }
    }
    let around: Vec2 = bounds.size();
    let size = around * (ground / around.element_product()).sqrt().min(1.0);
    let height = volume / size.element_product();
    let colours = houses
        .iter()
        .map(|house| (house.colour, house.scale.element_product()));
    Item {
        position: bounds.center().extend(height / 2.0).xzy(),
        rotation: Quat::IDENTITY,
        scale: Vec3::new(size.x, height, size.y),
        colour: mix(colours),
    }
}

/// A cylinder in the middle of some trees, as high as the highest, that covers as much of a view from the side as their
/// crowns do together.
fn merge_crowns(crowns: &[Item]) -> Item {
    let height = crowns.iter().map(top_of).fold(0.0, f32::max);
    let seen = |crown: &Item| crown.scale.x * crown.scale.y;
    let width = crowns.iter().map(seen).sum::<f32>() / height;
    let middle: Vec3 = crowns.iter().map(|crown| crown.position).sum();
    Item {
        position: (middle / crowns.len() as f32).with_y(height / 2.0),
        rotation: Quat::IDENTITY,
        scale: Vec3::new(width, height, width),
        colour: mix(crowns.iter().map(|crown| (crown.colour, seen(crown)))),
    }
}

fn top_of(item: &Item) -> f32 {
    item.position.y + item.scale.y / 2.0
}

fn ground_area(item: &Item) -> f32 {
    item.scale.x * item.scale.z
}

/// The mean of some colours by their weights, as light mixes.
fn mix(colours: impl IntoIterator<Item = ([u8; 3], f32)>) -> [u8; 3] {
    let (mut sum, mut weights) = (Vec3::ZERO, 0.0);
    for (colour, weight) in colours {
        let light = LinearRgba::from(Srgba::from_u8_array_no_alpha(colour));
        sum += weight * Vec3::new(light.red, light.green, light.blue);
        weights += weight;
    }
    let [red, green, blue] = (sum / weights).to_array();
    Srgba::from(LinearRgba::rgb(red, green, blue)).to_u8_array_no_alpha()
}
