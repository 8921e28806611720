//! The city: what is generated, what is spawned of it, and how that moves.

mod land;
mod motion;
mod outline;
mod plan;
mod spawned;
mod streets;

use bevy_math::{Vec2, Vec3Swizzles};
use chunk_coord::ChunkCoord;
use chunk_demo::city::{CityConfig, CityPlan, Item, Road};

fn city(density: u32) -> CityPlan {
    CityPlan::new(CityConfig {
        seed: 42,
        density,
        ..CityConfig::default()
    })
    .expect("the settings are in range")
}

/// Chunks around the origin, and at every corner of the coordinate space.
fn coords() -> impl Iterator<Item = ChunkCoord> {
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
