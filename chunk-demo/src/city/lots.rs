//! The land between the streets, cut into lots. Rectangles are in metres from the chunk's minimum corner.

use bevy_math::{Rect, UVec2, Vec2};

use super::roads::Road;
use super::site::Site;
use crate::motion::Axis;

/// A piece of land for one building, or for a few trees.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lot {
    pub(super) land: Rect,
    /// On which side the nearest street is: along which axis, and whether at its higher end.
    pub(super) front: (Axis, bool),
    /// How many lots lie between this one and that street.
    pub(super) row: u32,
}

/// The lots of one chunk.
#[derive(Clone, Debug)]
pub(super) struct Lots {
    /// The lots for buildings; at least one.
    pub(super) built: Vec<Lot>,
    /// The lots for trees; at least one.
    pub(super) parks: Vec<Lot>,
}

/// The side of a lot in metres, where few buildings are wanted and where many are.
const WIDEST: f32 = 28.0;
const NARROWEST: f32 = 5.0;
/// From this greenness a lot is a park: about a quarter of the land.
const PARK_GREENNESS: f32 = 0.3;
/// Smaller lots are cut until a lot has at most this many of the wanted boxes on average.
const STOREYS_PER_LOT: usize = 3;

/// The rectangles between the streets, which touch each other nowhere but at streets.
pub(super) fn blocks(site: &Site<'_>) -> Vec<Rect> {
    let blocks = Block::between(site);
    blocks.into_iter().map(|block| block.land).collect()
}

impl Lots {
    /// Cuts the land into lots that are small enough for the wanted number of buildings.
    pub(super) fn of(site: &Site<'_>, buildings: usize) -> Self {
        let blocks = Block::between(site);
        let mut side = WIDEST;
        let mut lots = Self::cut(site, &blocks, side);
        while lots.built.len() * STOREYS_PER_LOT < buildings && side > NARROWEST {
            side = (side * 0.85).max(NARROWEST);
            lots = Self::cut(site, &blocks, side);
        }
        lots
    }

    fn cut(site: &Site<'_>, blocks: &[Block], side: f32) -> Self {
        let side = side * site.roads().unit();
        let lots = blocks.iter().flat_map(|block| block.lots(side));
        let mut by_greenness: Vec<(f32, Lot)> = lots
            .map(|lot| (site.greenness(lot.land.center()), lot))
            .collect();
        // Stable, so equally green lots keep their order.
        by_greenness.sort_by(|(a, _), (b, _)| b.total_cmp(a));

        // The greenest lot is always a park, and the least green one is always built on.
        let green = by_greenness.partition_point(|(greenness, _)| *greenness >= PARK_GREENNESS);
        let green = green.clamp(1, by_greenness.len() - 1);
        let mut parks: Vec<Lot> = by_greenness.into_iter().map(|(_, lot)| lot).collect();
        let built = parks.split_off(green);
        Self { built, parks }
    }
}

/// A rectangle with streets on some of its sides; the other sides are borders of the chunk.
#[derive(Clone, Copy, Debug)]
struct Block {
    land: Rect,
    /// Whether there is a street at the low and the high side, along x and along z.
    streets: [[bool; 2]; 2],
}

impl Block {
    /// The blocks between the streets of a chunk.
    fn between(site: &Site<'_>) -> Vec<Self> {
        let size = site.roads().chunk_size();
        let whole = Self {
            land: Rect::from_corners(Vec2::ZERO, Vec2::splat(size)),
            streets: [[false; 2]; 2],
        };
        let mut blocks = vec![whole];
        for road in site.roads().iter() {
            blocks = (blocks.into_iter())
                .flat_map(|block| block.split(road))
                .collect();
        }
        blocks
    }

    /// The one or two blocks that a street leaves. It cuts a block from end to end or does not touch it: side streets
    /// come after the main streets that they begin and end at.
    fn split(self, road: &Road) -> Vec<Self> {
        let (along, across) = match road.axis {
            Axis::X => (0, 1),
            Axis::Z => (1, 0),
        };
        let middle = (self.land.min[along] + self.land.max[along]) / 2.0;
        let cuts = (road.from..=road.to).contains(&middle)
            && (self.land.min[across]..=self.land.max[across]).contains(&road.across);
        if !cuts {
            return vec![self];
        }
        let (mut low, mut high) = (self, self);
        low.land.max[across] = road.across - road.half_width();
        low.streets[across][1] = true;
        high.land.min[across] = road.across + road.half_width();
        high.streets[across][0] = true;
        vec![low, high]
    }

    /// Cuts the block into equal lots with sides of about `side` metres.
    fn lots(self, side: f32) -> impl Iterator<Item = Lot> {
        let count = (self.land.size() / side).as_uvec2().max(UVec2::ONE);
        let steps = (0..count.y).flat_map(move |row| (0..count.x).map(move |x| UVec2::new(x, row)));
        steps.map(move |step| self.lot(step, count))
    }

    fn lot(&self, step: UVec2, count: UVec2) -> Lot {
        let size = self.land.size() / count.as_vec2();
        let corner = |step: UVec2| self.land.min + size * step.as_vec2();
        let last = count - UVec2::ONE - step;
        let ends = [
            (Axis::X, [(false, step.x), (true, last.x)]),
            (Axis::Z, [(false, step.y), (true, last.y)]),
        ];
        let ends = ends.iter().zip(self.streets);
        let at_streets = ends.flat_map(|((axis, ends), streets)| {
            let ends = ends.iter().zip(streets).filter(|(_, is_street)| *is_street);
            ends.map(|((is_higher, row), _)| ((*axis, *is_higher), *row))
        });
        // Every block borders a main street, so there is a nearest one.
        let nearest = at_streets.min_by_key(|(_, row)| *row);
        let (front, row) = nearest.unwrap_or(((Axis::X, false), 0));
        Lot {
            land: Rect {
                min: corner(step),
                max: corner(step + UVec2::ONE),
            },
            front,
            row,
        }
    }
}
