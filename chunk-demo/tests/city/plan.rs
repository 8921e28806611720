//! A generated chunk as a whole.

use bevy_math::Vec2;
use chunk_coord::ChunkCoord;
use chunk_demo::city::{CityConfig, CityError, CityPlan, ItemKind};
use proptest::prelude::*;

use crate::{city, coords, ground, overlap, street};

#[test]
fn a_chunk_is_the_same_in_any_order_and_on_any_thread() {
    let plan = city(150);
    let coords: Vec<_> = coords().collect();
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
fn another_seed_or_another_coordinate_is_another_chunk() {
    let other = CityPlan::new(CityConfig {
        seed: 43,
        density: 100,
        ..CityConfig::default()
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
fn the_number_of_entities_is_the_density_and_all_kinds_are_there() {
    for density in [15, 16, 17, 30, 59, 60, 61, 120, 500, 1_999, 2_000] {
        for chunk_size in [20.0, 75.0, 200.0, 1_000.0, 10_000.0] {
            let plan = CityPlan::new(CityConfig {
                seed: 5,
                chunk_size,
                density,
            })
            .expect("the settings are in range");
            for coord in coords().step_by(7) {
                let chunk = plan.generate(coord);
                assert_eq!(
                    chunk.entity_count(),
                    density as usize,
                    "{coord:?} at {chunk_size} m"
                );
                assert_eq!(chunk.iter().count(), density as usize);
                for kind in ItemKind::ALL {
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
