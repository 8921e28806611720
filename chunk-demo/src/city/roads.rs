//! Streets: main streets on a lattice over the whole world, side streets from one main street to the next.

use bevy_math::{Quat, Vec3};
use chunk_coord::ChunkCoord;
use rand::RngExt;

use super::chunk::Item;
use super::seed::{self, Purpose, between};
use crate::motion::Axis;

/// How wide a street is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Through every chunk of its row or column: 12 m, pavements of 3 m.
    Main,
    /// Between two neighbouring main streets, over one border: 7 m, pavements of 2 m.
    Side,
}

/// The part of one street that lies in one chunk. Metres, from the chunk's minimum corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Road {
    /// The axis it runs along.
    pub axis: Axis,
    /// How wide it is.
    pub class: Class,
    /// Where its middle is on the other axis.
    pub across: f32,
    /// Where it begins along its axis.
    pub from: f32,
    /// Where it ends along its axis.
    pub to: f32,
    /// Half the width that vehicles use.
    pub half_carriageway: f32,
    /// The width of each of its two pavements.
    pub pavement: f32,
}

impl Road {
    /// Half the width of the street with its pavements.
    #[must_use]
    pub fn half_width(&self) -> f32 {
        self.half_carriageway + self.pavement
    }

    /// A point beside or on the street: `along` its axis, at `across` on the other.
    #[must_use]
    pub fn point(&self, along: f32, across: f32, height: f32) -> Vec3 {
        match self.axis {
            Axis::X => Vec3::new(along, height, across),
            Axis::Z => Vec3::new(across, height, along),
        }
    }

    fn slab(&self, half_width: f32, height: f32, colour: [u8; 3]) -> Item {
        Item {
            position: self.point((self.from + self.to) / 2.0, self.across, height / 2.0),
            rotation: Quat::IDENTITY,
            scale: self.point(self.to - self.from, half_width * 2.0, height),
            colour,
        }
    }
}

/// The streets of one chunk.
#[derive(Clone, Debug, PartialEq)]
pub struct Roads {
    list: Vec<Road>,
    chunk_size: f32,
    unit: f32,
}

/// Main streets keep to this part of the chunk, and side streets to the other, so that no two ever touch lengthwise
/// and none touches a border lengthwise.
const MAIN_PART: [f32; 2] = [0.20, 0.30];
const SIDE_PART: [f32; 2] = [0.55, 0.85];
/// The share of borders that a side street crosses.
const SIDE_SHARE: f64 = 0.7;
/// The length of lane that a vehicle takes, in metres.
const VEHICLE_ROOM: f32 = 7.0;

const ASPHALT: [u8; 3] = [62, 63, 66];
const SIDE_ASPHALT: [u8; 3] = [74, 74, 76];
const PAVING: [u8; 3] = [150, 147, 140];

impl Roads {
    pub(super) fn of(seed: u64, chunk_size: f32, coord: ChunkCoord) -> Self {
        let (x, z) = (i64::from(coord.x), i64::from(coord.z));
        let unit = (chunk_size / 200.0).min(1.0);
        let within = |mut rng, [low, high]: [f32; 2]| chunk_size * between(&mut rng, low, high);
        let main_x = within(seed::rng(seed, Purpose::MainColumn, x, 0), MAIN_PART);
        let main_z = within(seed::rng(seed, Purpose::MainRow, 0, z), MAIN_PART);
        let side = |purpose, x, z| {
            let mut rng = seed::rng(seed, purpose, x, z);
            let crosses = rng.random_bool(SIDE_SHARE);
            crosses.then(|| within(rng, SIDE_PART))
        };

        let mut list = Vec::with_capacity(6);
        let mut add = |axis, class, across, from, to| {
            let (half_carriageway, pavement) = match class {
                Class::Main => (6.0 * unit, 3.0 * unit),
                Class::Side => (3.5 * unit, 2.0 * unit),
            };
            list.push(Road {
                axis,
                class,
                across,
                from,
                to,
                half_carriageway,
                pavement,
            });
        };
        add(Axis::X, Class::Main, main_z, 0.0, chunk_size);
        add(Axis::Z, Class::Main, main_x, 0.0, chunk_size);
        // A side street is drawn from the border that it crosses, so that both chunks get the same one. A border is named
        // by the chunk above it on the axis; with an `i64` there is one above the last chunk too.
        for (axis, border, from, to) in [
            (Axis::X, side(Purpose::SideAlongX, x, z), 0.0, main_x),
            (
                Axis::X,
                side(Purpose::SideAlongX, x + 1, z),
                main_x,
                chunk_size,
            ),
            (Axis::Z, side(Purpose::SideAlongZ, x, z), 0.0, main_z),
            (
                Axis::Z,
                side(Purpose::SideAlongZ, x, z + 1),
                main_z,
                chunk_size,
            ),
        ] {
            if let Some(across) = border {
                add(axis, Class::Side, across, from, to);
            }
        }
        Self {
            list,
            chunk_size,
            unit,
        }
    }

    /// The streets: the two main streets, then up to four side streets.
    pub fn iter(&self) -> impl Iterator<Item = &Road> {
        self.list.iter()
    }

    /// The side of the chunk, in metres.
    #[must_use]
    pub fn chunk_size(&self) -> f32 {
        self.chunk_size
    }

    /// The length of a metre of the plan, in metres: 1, or less in chunks under 200 m.
    pub(super) fn unit(&self) -> f32 {
        self.unit
    }

    /// The length of lane that one vehicle takes.
    pub(super) fn vehicle_room(&self) -> f32 {
        VEHICLE_ROOM * self.unit
    }

    /// How many vehicles fit in the lanes.
    pub(super) fn lane_capacity(&self) -> usize {
        let rooms = |[from, to]: [f32; 2]| ((to - from) / self.vehicle_room()) as usize;
        self.lanes().map(|(_, _, piece)| rooms(piece)).sum()
    }

    /// The pieces of all lanes that are free of crossings: the street, the side of it (−1 or 1), and from where to where.
    pub(super) fn lanes(&self) -> impl Iterator<Item = (&Road, f32, [f32; 2])> {
        self.pieces(|road| road.half_carriageway / 2.0)
    }

    /// The pieces of all pavements that are free of crossings.
    pub(super) fn pavements(&self) -> impl Iterator<Item = (&Road, f32, [f32; 2])> {
        self.pieces(|road| road.half_carriageway + road.pavement / 2.0)
    }

    /// The free pieces of the lines on both sides of all streets, at this distance from a street's middle.
    fn pieces(
        &self,
        from_middle: fn(&Road) -> f32,
    ) -> impl Iterator<Item = (&Road, f32, [f32; 2])> {
        let sides = self.iter().flat_map(|road| [(road, -1.0), (road, 1.0)]);
        sides.flat_map(move |(road, side)| {
            let free = self.free(road, road.across + side * from_middle(road));
            free.into_iter().map(move |piece| (road, side, piece))
        })
    }

    /// The pieces of a line beside a street's middle that no other street's carriageway covers.
    fn free(&self, road: &Road, across: f32) -> Vec<[f32; 2]> {
        let mut crossings: Vec<&Road> = self
            .list
            .iter()
            .filter(|other| other.axis != road.axis)
            .filter(|other| (other.from..=other.to).contains(&across))
            .filter(|other| (road.from..=road.to).contains(&other.across))
            .collect();
        crossings.sort_by(|a, b| a.across.total_cmp(&b.across));

        let mut pieces = Vec::with_capacity(crossings.len() + 1);
        let mut from = road.from;
        for other in crossings {
            pieces.push([from, other.across - other.half_carriageway]);
            from = other.across + other.half_carriageway;
        }
        pieces.push([from, road.to]);
        pieces.retain(|[from, to]| from < to);
        pieces
    }

    /// The streets as items. Each class and axis has a height of its own, so that no two surfaces flicker where they cross.
    pub(super) fn items(&self, with_pavements: bool) -> Vec<Item> {
        let pavements = self.list.iter().filter(|_| with_pavements).map(|road| {
            let height = if road.axis == Axis::X { 0.04 } else { 0.05 };
            road.slab(road.half_width(), height * self.unit, PAVING)
        });
        let carriageways = self.list.iter().map(|road| {
            let (height, colour) = match (road.class, road.axis) {
                (Class::Side, Axis::X) => (0.07, SIDE_ASPHALT),
                (Class::Side, Axis::Z) => (0.08, SIDE_ASPHALT),
                (Class::Main, Axis::X) => (0.09, ASPHALT),
                (Class::Main, Axis::Z) => (0.10, ASPHALT),
            };
            road.slab(road.half_carriageway, height * self.unit, colour)
        });
        pavements.chain(carriageways).collect()
    }
}
