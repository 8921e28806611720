//! Why a mesh is not one that can be drawn.

use core::error::Error;
use core::fmt;

use bevy_mesh::{PrimitiveTopology, VertexFormat};

/// Why [`ChunkMesh::new`](super::ChunkMesh::new) refused a mesh.
///
/// A generator returns it with `?`, and the chunk fails with this sentence and its key.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ChunkMeshError {
    /// There are vertices and none has a position.
    NoPositions,
    /// Positions must be three 32-bit floats each.
    PositionFormat(VertexFormat),
    /// A position is NaN or infinite.
    NotFinite {
        /// The number of the first such vertex.
        vertex: usize,
        /// Where it is.
        position: [f32; 3],
    },
    /// An attribute has a value for more or for fewer vertices than there are.
    AttributeLength {
        /// The attribute.
        attribute: &'static str,
        /// How many values it has.
        values: usize,
        /// How many vertices there are, which is how many positions.
        vertices: usize,
    },
    /// An index names no vertex.
    IndexOutOfRange {
        /// Which of the indices, counted from 0.
        at: usize,
        /// The index.
        index: u32,
        /// How many vertices there are.
        vertices: usize,
    },
    /// The last point, line or triangle has too few vertices.
    IncompletePrimitive {
        /// What the mesh is made of.
        topology: PrimitiveTopology,
        /// How many indices there are, or how many vertices where there are none.
        count: usize,
    },
    /// The mesh was in the render world before, and only its description is left.
    Extracted,
}

impl fmt::Display for ChunkMeshError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPositions => write!(f, "the mesh has vertices and no positions"),
            Self::PositionFormat(format) => {
                write!(f, "the mesh's positions are {format:?} and not Float32x3")
            }
            Self::NotFinite { vertex, position } => {
                write!(f, "vertex {vertex} of the mesh is at {position:?}")
            }
            Self::AttributeLength {
                attribute,
                values,
                vertices,
            } => write!(
                f,
                "the mesh has {vertices} vertices, and {values} values of {attribute}"
            ),
            Self::IndexOutOfRange {
                at,
                index,
                vertices,
            } => write!(
                f,
                "index {at} of the mesh is {index}, and it has {vertices} vertices"
            ),
            Self::IncompletePrimitive { topology, count } => write!(
                f,
                "the mesh is a {topology:?}, of which {count} vertices make no whole number"
            ),
            Self::Extracted => write!(
                f,
                "the mesh was moved to the render world before, and its vertices with it"
            ),
        }
    }
}

impl Error for ChunkMeshError {}
