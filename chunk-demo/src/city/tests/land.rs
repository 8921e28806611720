//! What stands on the land between the streets.

use std::collections::BTreeSet;

use chunk_coord::ChunkCoord;

use super::super::lots::{Lot, Lots};
use super::super::*;
use super::{city, ground, overlap, places, street};

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
        let greenness = |lot: &Lot| {
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
