//! The axes of the world, and the planes of planar grids.

use core::fmt;

/// An axis of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Axis {
    /// The x axis.
    X,
    /// The y axis, which points up.
    Y,
    /// The z axis.
    Z,
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X => "x",
            Self::Y => "y",
            Self::Z => "z",
        })
    }
}

/// The plane in which the chunks of a planar grid lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Plane {
    /// The ground of a 3-D world: x and z.
    Xz,
    /// A 2-D world as Bevy's: x to the right and y up. z is for the order of drawing.
    Xy,
}

impl Plane {
    /// The axis that a grid in this plane ignores.
    #[must_use]
    pub const fn normal(self) -> Axis {
        match self {
            Self::Xz => Axis::Y,
            Self::Xy => Axis::Z,
        }
    }
}
