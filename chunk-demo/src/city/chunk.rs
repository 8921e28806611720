//! What a chunk of the city contains.

use bevy_math::{Quat, Vec3};
use serde::{Deserialize, Serialize};

use crate::motion::Course;

/// The five kinds of items in the city.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKind {
    /// A cube. One building can be several, on top of each other.
    Building,
    /// A cylinder: a trunk or a crown.
    Tree,
    /// A cube, longest along its own z axis, driving towards its own −z.
    Vehicle,
    /// A cylinder, upright.
    Npc,
    /// A flat cube: a carriageway, or the pavement under it.
    Road,
}

impl ItemKind {
    /// Every kind, in the order in which [`CityChunk::iter`] lists them.
    pub const ALL: [Self; 5] = [
        Self::Road,
        Self::Building,
        Self::Tree,
        Self::Vehicle,
        Self::Npc,
    ];

    /// Whether the kind is drawn with the cylinder. The others are drawn with the cube.
    #[must_use]
    pub const fn is_round(self) -> bool {
        matches!(self, Self::Tree | Self::Npc)
    }
}

/// One entity that a chunk spawns.
#[derive(Serialize, Deserialize, Clone, Copy, Debug, PartialEq)]
#[serde(from = "Numbers", into = "Numbers")]
pub struct Item {
    /// The centre, in metres from the chunk's minimum corner. The ground is at y = 0.
    pub position: Vec3,
    /// A rotation about the y axis.
    pub rotation: Quat,
    /// The size in metres along its own axes, for a mesh of one metre.
    pub scale: Vec3,
    /// The colour in sRGB.
    pub colour: [u8; 3],
}

/// What stands for a chunk from afar: few items that cover the same ground in the same colours.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outline {
    /// The carriageways as they are.
    pub roads: Vec<Item>,
    /// Towers as they are, and boxes that stand for a few houses each.
    pub buildings: Vec<Item>,
    /// Cylinders that stand for a few trees each.
    pub trees: Vec<Item>,
    /// Whether it is near enough to cast shadows.
    pub casts_shadows: bool,
}

impl Outline {
    /// How many entities it is.
    #[must_use]
    pub fn entity_count(&self) -> usize {
        self.roads.len() + self.buildings.len() + self.trees.len()
    }
}

/// An item as it is saved. The features with which bevy_math's own types can be saved would compile most of Bevy once more.
type Numbers = ([f32; 3], [f32; 4], [f32; 3], [u8; 3]);

impl From<Numbers> for Item {
    fn from((position, rotation, scale, colour): Numbers) -> Self {
        Self {
            position: Vec3::from_array(position),
            rotation: Quat::from_array(rotation),
            scale: Vec3::from_array(scale),
            colour,
        }
    }
}

impl From<Item> for Numbers {
    fn from(item: Item) -> Self {
        let Item {
            position,
            rotation,
            scale,
            colour,
        } = item;
        (
            position.to_array(),
            rotation.to_array(),
            scale.to_array(),
            colour,
        )
    }
}

/// One chunk of the city.
#[derive(Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
pub struct CityChunk {
    /// Streets: carriageways, and at higher densities their pavements.
    pub roads: Vec<Item>,
    /// Houses and towers on the lots along the streets.
    pub buildings: Vec<Item>,
    /// Trunks and crowns in the parks.
    pub trees: Vec<Item>,
    /// Cars and vans in the right-hand lanes.
    pub vehicles: Vec<Item>,
    /// The course of each vehicle, in the same order.
    pub vehicle_courses: Vec<Course>,
    /// People on the pavements.
    pub npcs: Vec<Item>,
    /// The course of each person, in the same order.
    pub npc_courses: Vec<Course>,
    /// What is seen instead of all of it from afar. Empty in a city without levels of detail. It is not saved, because
    /// [`CityPlan::at_level`](super::CityPlan::at_level) makes it of the rest.
    #[serde(skip)]
    pub outline: Outline,
}

impl CityChunk {
    /// How many entities the chunk spawns, its root not counted.
    #[must_use]
    pub fn entity_count(&self) -> usize {
        let items: usize = ItemKind::ALL
            .into_iter()
            .map(|kind| self.of(kind).len())
            .sum();
        items + self.outline.entity_count()
    }

    /// The items of one kind.
    #[must_use]
    pub fn of(&self, kind: ItemKind) -> &[Item] {
        match kind {
            ItemKind::Building => &self.buildings,
            ItemKind::Tree => &self.trees,
            ItemKind::Vehicle => &self.vehicles,
            ItemKind::Npc => &self.npcs,
            ItemKind::Road => &self.roads,
        }
    }

    /// Every item with its kind, without the outline, kind by kind in the order of [`ItemKind::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (ItemKind, &Item)> {
        ItemKind::ALL
            .into_iter()
            .flat_map(|kind| self.of(kind).iter().map(move |item| (kind, item)))
    }
}
