//! What makes no grid, and what lies in no chunk.

use core::fmt;

/// An axis of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Axis {
    /// Across.
    X,
    /// Up.
    Y,
    /// Along.
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

/// A chunk size that makes no grid.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct GridError {
    /// The axis whose size was refused.
    pub axis: Axis,
    /// The size that was refused, in world units.
    pub size: f32,
    /// Why.
    pub kind: GridErrorKind,
}

/// What is wrong with a chunk size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GridErrorKind {
    /// It is infinite or not a number.
    NotFinite,
    /// It is zero or negative.
    NotPositive,
}

impl fmt::Display for GridError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { axis, size, kind } = self;
        let why = match kind {
            GridErrorKind::NotFinite => "is not finite",
            GridErrorKind::NotPositive => "is not above zero",
        };
        write!(f, "the chunk size along {axis}, {size}, {why}")
    }
}

impl core::error::Error for GridError {}

/// A position that lies in no chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct PositionError {
    /// The axis along which there is no chunk.
    pub axis: Axis,
    /// The position along that axis, in world units.
    pub position: f64,
    /// Why.
    pub kind: PositionErrorKind,
}

/// Why a position lies in no chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PositionErrorKind {
    /// It is infinite or not a number.
    NotFinite,
    /// Its chunk is outside the `i32` range.
    OutOfRange,
}

impl fmt::Display for PositionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            axis,
            position,
            kind,
        } = self;
        let why = match kind {
            PositionErrorKind::NotFinite => "is not finite",
            PositionErrorKind::OutOfRange => "is further out than chunks are counted",
        };
        write!(f, "the position along {axis}, {position}, {why}")
    }
}

impl core::error::Error for PositionError {}
