//! What is seen of a chunk from afar: the same ground, heights and colours in far fewer items.

use bevy_math::Vec3;
use chunk_coord::ChunkCoord;
use chunk_demo::city::spawn::{WholeWithin, fades};
use chunk_demo::city::{CityConfig, CityPlan, Item, ItemKind, Outline};

use crate::{city, coords, ground, overlap, street};

fn outline(plan: &CityPlan, coord: ChunkCoord) -> Outline {
    plan.generate_at(coord, 2).outline
}

fn ground_area(item: &Item) -> f32 {
    item.scale.x * item.scale.z
}

fn volume(items: &[Item]) -> f32 {
    items.iter().map(|item| item.scale.element_product()).sum()
}

fn top(item: &Item) -> f32 {
    item.position.y + item.scale.y / 2.0
}

/// The mean colour by volume.
fn colour(items: &[Item]) -> Vec3 {
    let weighted =
        |item: &Item| Vec3::from(item.colour.map(f32::from)) * item.scale.element_product();
    items.iter().map(weighted).sum::<Vec3>() / volume(items)
}

#[test]
fn each_level_has_what_it_should_and_the_first_has_most_entities() {
    for density in [15, 60, 120, 500, 2_000] {
        let plan = city(density);
        let mut entities = [0; 2];
        for coord in coords() {
            let [near, middle, far] = [0, 1, 2].map(|level| plan.generate_at(coord, level));
            let mut all = plan.generate(coord);
            assert_eq!(all.outline.entity_count(), 0);
            all.outline = middle.outline.clone();
            assert_eq!(near, all);
            let mut outline = far.clone();
            outline.outline.casts_shadows = true;
            assert_eq!(middle, outline, "only shadows are missing");
            assert!(!far.outline.casts_shadows);
            assert_eq!(plan.generate_at(coord, 7), far, "beyond the last level");
            assert_eq!(far.entity_count(), far.outline.entity_count());
            for (sum, chunk) in entities.iter_mut().zip([near, far]) {
                *sum += chunk.entity_count();
            }
        }
        let [near, far] = entities;
        println!("density {density}: {near} {far} in {}", coords().count());
        assert!(2 * far < near, "{density}: {entities:?}");
        // At the lowest density a chunk is hardly more than its streets.
        assert!(density < 100 || 4 * far < near, "{density}: {entities:?}");
    }
}

#[test]
fn an_outline_covers_the_same_ground_as_high_in_the_same_colours() {
    let plan = city(200);
    for coord in coords() {
        let (chunk, outline) = (plan.generate(coord), outline(&plan, coord));
        let [all, few] = [&chunk.buildings, &outline.buildings].map(|items| volume(items));
        assert!(
            (all - few).abs() < 0.001 * all,
            "{coord:?}: {few} m³ of {all} m³"
        );
        let is_on_ground = |item: &&Item| item.position.y - item.scale.y / 2.0 < 0.01;
        let covered =
            |items: &[Item]| -> f32 { items.iter().filter(is_on_ground).map(ground_area).sum() };
        let [all, few] = [&chunk.buildings, &outline.buildings].map(|items| covered(items));
        assert!(
            (all - few).abs() < 0.001 * all,
            "{coord:?}: {few} m² of {all} m²"
        );
        let highest = |items: &[Item]| items.iter().map(top).fold(0.0, f32::max);
        let [all, few] = [&chunk.buildings, &outline.buildings].map(|items| highest(items));
        assert!(
            few <= all && few > 0.6 * all,
            "{coord:?}: {few} m of {all} m"
        );
        // Colours mix as light, and are compared as they are stored.
        let [all, few] = [&chunk.buildings, &outline.buildings].map(|items| colour(items));
        assert!(
            (all - few).abs().max_element() < 12.0,
            "{coord:?}: {few} of {all}"
        );
    }
}

#[test]
fn towers_stand_as_they_are() {
    let plan = city(200);
    let mut towers = 0;
    for coord in coords() {
        let (chunk, outline) = (plan.generate(coord), outline(&plan, coord));
        for tower in chunk.buildings.iter().filter(|item| top(item) > 24.0) {
            assert!(outline.buildings.contains(tower), "{coord:?}: {tower:?}");
            towers += 1;
        }
    }
    assert!(towers > 100, "{towers}");
}

#[test]
fn what_stands_for_houses_is_on_no_street_and_within_the_chunk() {
    for density in [15, 120, 2_000] {
        let plan = city(density);
        for coord in coords() {
            for item in &outline(&plan, coord).buildings {
                for road in plan.roads(coord).iter() {
                    assert!(!overlap(ground(item), street(road)), "{coord:?}: {item:?}");
                }
                let (middle, half) = ground(item);
                assert!((middle - half).min_element() > -0.01);
                assert!((middle + half).max_element() < 200.01);
            }
        }
    }
}

#[test]
fn what_stands_for_trees_is_as_much_of_a_view_as_their_crowns() {
    let plan = city(200);
    let side = |item: &Item| item.scale.x * item.scale.y;
    for coord in coords() {
        let (chunk, outline) = (plan.generate(coord), outline(&plan, coord));
        let crowns: Vec<Item> = chunk.trees.iter().step_by(2).copied().collect();
        let [all, few] = [&crowns, &outline.trees].map(|trees| trees.iter().map(side).sum::<f32>());
        assert!(
            (all - few).abs() < 0.001 * all,
            "{coord:?}: {few} m² of {all} m²"
        );
        let highest = |items: &[Item]| items.iter().map(top).fold(0.0, f32::max);
        assert!((highest(&crowns) - highest(&outline.trees)).abs() < 0.01);
    }
}

#[test]
fn streets_lie_as_they_lay_without_pavements() {
    for density in [30, 120] {
        let plan = city(density);
        for coord in coords() {
            let streets = outline(&plan, coord).roads;
            assert_eq!(streets.len(), plan.roads(coord).iter().count());
            let roads = plan.generate(coord).roads;
            assert!(streets.iter().all(|street| roads.contains(street)));
            for (street, road) in streets.iter().zip(plan.roads(coord).iter()) {
                let width = street.scale.x.min(street.scale.z);
                assert!(
                    (width - 2.0 * road.half_carriageway).abs() < 0.01,
                    "{street:?}"
                );
            }
        }
    }
}

#[test]
fn what_a_level_lacks_is_not_seen_where_it_may_begin() {
    for chunk_size in [20.0, 200.0, 750.0, 10_000.0] {
        let config = CityConfig {
            chunk_size,
            ..CityConfig::default()
        };
        let levels = config.levels().expect("the settings make a city");
        // Without viewers every chunk has the level that is farthest away.
        assert_eq!(levels.of(ChunkCoord::ORIGIN), 2);
        let [inner, outer] = config.rings();
        let begins = |ring: u32| (ring as f32 - core::f32::consts::SQRT_2) * chunk_size;
        let whole = WholeWithin::new(chunk_size, 1_000);
        for kind in ItemKind::ALL {
            let details = whole.seen(kind, false).end_margin;
            let outline = whole.seen(kind, true);
            assert!(details.end <= begins(inner), "{kind:?} at {chunk_size} m");
            if !matches!(kind, ItemKind::Vehicle | ItemKind::Npc) {
                assert!(
                    outline.start_margin.end <= details.start,
                    "{kind:?}: a hole"
                );
                assert_eq!(outline.end_margin, fades(kind, whole.metres()));
            }
        }
        assert!(outer > inner && begins(outer) >= 1_100.0, "{outer}");
    }
}

#[test]
fn in_full_detail_everything_is_seen_as_far_as_it_is_loaded() {
    let whole = WholeWithin::new(200.0, 20).in_full();
    for kind in ItemKind::ALL {
        let seen = whole.seen(kind, false);
        assert_eq!(seen.end_margin, fades(kind, whole.metres()));
    }
}
