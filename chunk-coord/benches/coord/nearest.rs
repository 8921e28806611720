//! The nearest few of many chunks, and many of them in order.

use std::hint::black_box;

use chunk_coord::{ChunkCoord, NearestFirst};
use criterion::Criterion;

use crate::case::Case;
use crate::filter::Filter;

const VIEWER: ChunkCoord = ChunkCoord::new(3, -2, 5);

/// 100,000 coordinates within 200 chunks of the origin, in no order.
fn many() -> Vec<ChunkCoord> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut axis = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % 401) as i32 - 200
    };
    (0..100_000)
        .map(|_| ChunkCoord::new(axis(), axis(), axis()))
        .collect()
}

/// The distance as games write it first.
fn distance(coord: ChunkCoord) -> f32 {
    let square = |a: i32, b: i32| ((a - b) as f32).powi(2);
    (square(coord.x, VIEWER.x) + square(coord.y, VIEWER.y) + square(coord.z, VIEWER.z)).sqrt()
}

const FEW: &str = "order/3 nearest of 100,000";
const MANY: &str = "order/1,000 of 100,000, popped";

pub(crate) fn nearest_few(criterion: &mut Criterion, filter: &Filter) {
    if !filter.any_of(&[FEW]) {
        return;
    }
    let coords = many();
    let mut case = Case::new(criterion, FEW, Some(25.0));
    case.way("NearestFirst", || {
        let order = NearestFirst::new(coords.iter().copied(), black_box(&[VIEWER]));
        order.take(3).fold(0, |sum: i32, coord| sum ^ coord.x)
    });
    case.way_after(
        "sort_by on f32",
        || coords.clone(),
        |mut coords| {
            coords.sort_by(|a, b| distance(*a).total_cmp(&distance(*b)));
            coords
        },
    );
}

pub(crate) fn first_of_many(criterion: &mut Criterion, filter: &Filter) {
    if !filter.any_of(&[MANY]) {
        return;
    }
    let coords = many();
    let mut case = Case::new(criterion, MANY, Some(6.0));
    case.way("NearestFirst", || {
        let order = NearestFirst::new(coords.iter().copied(), black_box(&[VIEWER]));
        order.take(1000).fold(0, |sum: i32, coord| sum ^ coord.x)
    });
    case.way("sort_unstable", || {
        let mut all: Vec<_> = (coords.iter())
            .map(|coord| (coord.distance_sq(black_box(VIEWER)), *coord))
            .collect();
        all.sort_unstable();
        (all.iter().take(1000)).fold(0, |sum: i32, (_, coord)| sum ^ coord.x)
    });
}
