//! The land between the streets, cut into lots.

use super::roads::Road;
use super::site::Site;
use crate::motion::Axis;

/// A side of a rectangle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    LowX,
    HighX,
    LowZ,
    HighZ,
}

/// A rectangle on the ground. Metres, from the chunk's minimum corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rect {
    pub(super) min: [f32; 2],
    pub(super) max: [f32; 2],
}

impl Rect {
    pub(super) fn width(&self) -> f32 {
        self.max[0] - self.min[0]
    }

    pub(super) fn depth(&self) -> f32 {
        self.max[1] - self.min[1]
    }

    pub(super) fn centre(&self) -> [f32; 2] {
        [
            (self.min[0] + self.max[0]) / 2.0,
            (self.min[1] + self.max[1]) / 2.0,
        ]
    }
}

/// A piece of land for one building, or for a few trees.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lot {
    pub(super) land: Rect,
    /// The side of the nearest street.
    pub(super) front: Side,
    /// How many lots lie between it and that street.
    pub(super) row: usize,
}

/// The lots of one chunk.
#[derive(Clone, Debug)]
pub(super) struct Lots {
    /// For buildings. Never empty.
    pub(super) built: Vec<Lot>,
    /// For trees. Never empty.
    pub(super) parks: Vec<Lot>,
}

/// The side of a lot in metres, where few buildings are wanted and where many are.
const WIDEST: f32 = 28.0;
const NARROWEST: f32 = 5.0;
/// From this greenness a lot is a park: about a quarter of the land.
const PARK_GREENNESS: f32 = 0.3;
/// More lots are cut until a lot carries no more of the wanted buildings than this on the average.
const STOREYS_PER_LOT: usize = 3;

impl Lots {
    /// Cuts the land so finely that the wanted number of buildings has room.
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
        let lots = blocks
            .iter()
            .flat_map(|block| block.lots(side * site.roads().unit()));
        let mut by_greenness: Vec<(f32, Lot)> = lots
            .map(|lot| {
                let [x, z] = lot.land.centre();
                (site.greenness(x, z), lot)
            })
            .collect();
        // Stable, so equally green lots keep their order.
        by_greenness.sort_by(|(a, _), (b, _)| b.total_cmp(a));

        // The greenest lot is a park even in a grey chunk, and the least green is built on even in a wood.
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
    /// The land that the streets leave.
    fn between(site: &Site<'_>) -> Vec<Self> {
        let size = site.roads().chunk_size();
        let whole = Self {
            land: Rect {
                min: [0.0; 2],
                max: [size; 2],
            },
            streets: [[false; 2]; 2],
        };
        site.roads().iter().fold(vec![whole], |blocks, road| {
            blocks
                .into_iter()
                .flat_map(|block| block.split(road))
                .collect()
        })
    }

    /// The one or two blocks that a street leaves. It cuts a block from end to end or does not touch it: side streets
    /// come after the main streets that they begin and end at.
    fn split(self, road: &Road) -> impl Iterator<Item = Self> {
        let (along, across) = match road.axis {
            Axis::X => (0, 1),
            Axis::Z => (1, 0),
        };
        let middle = (self.land.min[along] + self.land.max[along]) / 2.0;
        let cuts = (road.from..=road.to).contains(&middle)
            && (self.land.min[across]..=self.land.max[across]).contains(&road.across);
        if !cuts {
            return [Some(self), None].into_iter().flatten();
        }
        let (mut low, mut high) = (self, self);
        low.land.max[across] = road.across - road.half_width();
        low.streets[across][1] = true;
        high.land.min[across] = road.across + road.half_width();
        high.streets[across][0] = true;
        [Some(low), Some(high)].into_iter().flatten()
    }

    /// Cuts the block into equal lots with sides of about `side` metres.
    fn lots(self, side: f32) -> impl Iterator<Item = Lot> {
        let count =
            [self.land.width(), self.land.depth()].map(|length| ((length / side) as usize).max(1));
        let [columns, rows] = count;
        (0..columns * rows).map(move |index| self.lot([index % columns, index / columns], count))
    }

    fn lot(&self, place: [usize; 2], count: [usize; 2]) -> Lot {
        let size = [
            self.land.width() / count[0] as f32,
            self.land.depth() / count[1] as f32,
        ];
        let corner = |axis: usize, step: usize| {
            self.land.min[axis] + size[axis] * (place[axis] + step) as f32
        };
        let sides = [[Side::LowX, Side::HighX], [Side::LowZ, Side::HighZ]];
        let nearest = (0..2)
            .flat_map(|axis| {
                [
                    (axis, 0, place[axis]),
                    (axis, 1, count[axis] - 1 - place[axis]),
                ]
            })
            .filter(|&(axis, end, _)| self.streets[axis][end])
            .min_by_key(|&(_, _, row)| row);
        // Every block borders a main street, so there is a nearest one.
        let (axis, end, row) = nearest.unwrap_or((0, 0, 0));
        Lot {
            land: Rect {
                min: [corner(0, 0), corner(1, 0)],
                max: [corner(0, 1), corner(1, 1)],
            },
            front: sides[axis][end],
            row,
        }
    }
}
