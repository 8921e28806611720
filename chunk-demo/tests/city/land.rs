//! Buildings and trees on the land between the streets.

use std::collections::BTreeSet;

use chunk_coord::ChunkCoord;
use chunk_demo::city::ItemKind;

use crate::{city, coords, ground, overlap, street};

#[test]
fn nothing_is_built_or_planted_on_a_street() {
    for density in [15, 150, 2_000] {
        let plan = city(density);
        for coord in coords() {
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
    for coord in coords() {
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
    for kind in [
        ItemKind::Building,
        ItemKind::Tree,
        ItemKind::Vehicle,
        ItemKind::Npc,
    ] {
        let colours: BTreeSet<_> = chunk.of(kind).iter().map(|item| item.colour).collect();
        assert!(colours.len() >= 4, "{kind:?}: {colours:?}");
    }
}
