//! From voxels to the mesh of their visible faces, darker in corners.

use std::cell::RefCell;
use std::sync::LazyLock;

use bevy_asset::RenderAssetUsages;
use bevy_color::{Color, ColorToComponents, LinearRgba};
use bevy_math::{IVec3, UVec3};
use bevy_mesh::{Indices, Mesh, PrimitiveTopology};
use block_mesh::ndshape::ConstShape3u32;
use block_mesh::{OrientedBlockFace, RIGHT_HANDED_Y_UP_CONFIG, UnorientedQuad};
use block_mesh_bgm::{BinaryGreedyQuadsBuffer, binary_greedy_quads_ao_safe};

use super::block::Block;
use super::surroundings::{PADDED, Surroundings};

type Padded = ConstShape3u32<{ PADDED as u32 }, { PADDED as u32 }, { PADDED as u32 }>;

/// How bright a corner is that no light reaches, some, more, and all: what its colour is multiplied with.
pub const BRIGHTNESS: [f32; 4] = [0.42, 0.62, 0.82, 1.0];

/// The colours of the blocks in linear light, by their bytes.
static COLOURS: LazyLock<[[f32; 3]; Block::ALL.len()]> = LazyLock::new(|| {
    Block::ALL.map(|block| {
        let [red, green, blue] = block.colour();
        LinearRgba::from(Color::srgb_u8(red, green, blue)).to_f32_array_no_alpha()
    })
});

thread_local! {
    /// What the mesher works in, kept by each worker.
    static BUFFER: RefCell<BinaryGreedyQuadsBuffer> = RefCell::default();
}

/// The mesh of all faces of a chunk that are seen: positions in metres from its corner, normals, and colours with the light
/// of the corners in them.
///
/// Neighbouring faces of one block are one quad where the light is the same all over them.
#[must_use]
pub fn mesh(surroundings: &Surroundings) -> Mesh {
    let mut vertices = Vertices::default();
    BUFFER.with_borrow_mut(|buffer| {
        let faces = RIGHT_HANDED_Y_UP_CONFIG.faces;
        let last = PADDED as u32 - 1;
        let blocks = surroundings.blocks();
        binary_greedy_quads_ao_safe(blocks, &Padded {}, [0; 3], [last; 3], &faces, buffer);
        vertices.reserve(buffer.quads.num_quads());
        for (face, quads) in faces.iter().zip(&buffer.quads.groups) {
            for quad in quads {
                vertices.push(face, quad, surroundings);
            }
        }
    });
    vertices.into_mesh()
}

#[derive(Default)]
struct Vertices {
    positions: Vec<[f32; 3]>,
    normals: Vec<[f32; 3]>,
    colours: Vec<[f32; 4]>,
    indices: Vec<u32>,
}

impl Vertices {
    fn reserve(&mut self, quads: usize) {
        self.positions.reserve_exact(4 * quads);
        self.normals.reserve_exact(4 * quads);
        self.colours.reserve_exact(4 * quads);
        self.indices.reserve_exact(6 * quads);
    }

    fn push(&mut self, face: &OrientedBlockFace, quad: &UnorientedQuad, around: &Surroundings) {
        let first = self.positions.len() as u32;
        // The mesher counts from the first voxel of the neighbours.
        let corners = face.quad_corners(quad).map(|it| it.as_ivec3().to_array());
        let corners = corners.map(|corner| IVec3::from(corner) - IVec3::ONE);
        let normal = IVec3::from(face.signed_normal().to_array());
        let size = [quad.width, quad.height].map(u32::cast_signed);
        let voxel = UVec3::from(quad.minimum).as_ivec3() - IVec3::ONE;
        let sides = [1, 2].map(|corner| (corners[corner] - corners[0]).signum());
        let lights = lights(voxel, size, sides, normal, around);
        let colour = COLOURS[around.at(voxel) as usize];
        for (corner, light) in corners.iter().zip(lights) {
            let [red, green, blue] = colour.map(|it| it * BRIGHTNESS[usize::from(light)]);
            self.positions.push(corner.as_vec3().to_array());
            self.normals.push(normal.as_vec3().to_array());
            self.colours.push([red, green, blue, 1.0]);
        }
        let [a, b, c, d] = lights;
        let mut indices = face.quad_mesh_indices(first);
        if a + d > b + c {
            // Cut along the brighter diagonal, so that one dark corner darkens one triangle alone. The usual cut is from
            // the second corner to the third, whichever way round.
            let is_forward = indices[1] == first + 1;
            let turned = if is_forward {
                [0, 1, 3, 0, 3, 2]
            } else {
                [0, 3, 1, 0, 2, 3]
            };
            indices = turned.map(|corner| first + corner);
        }
        self.indices.extend(indices);
    }

    fn into_mesh(self) -> Mesh {
        let indices = if self.positions.len() <= usize::from(u16::MAX) {
            Indices::U16(self.indices.into_iter().map(|index| index as u16).collect())
        } else {
            Indices::U32(self.indices)
        };
        Mesh::new(
            PrimitiveTopology::TriangleList,
            RenderAssetUsages::RENDER_WORLD,
        )
        .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, self.positions)
        .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, self.normals)
        .with_inserted_attribute(Mesh::ATTRIBUTE_COLOR, self.colours)
        .with_inserted_indices(indices)
    }
}

/// How much light reaches each corner of a quad, from 0 to 3, in the order of its corners: each of the three voxels in front of
/// it that meet there keeps some away, and two beside each other keep all of it away.
fn lights(
    voxel: IVec3,
    [width, height]: [i32; 2],
    [along, across]: [IVec3; 2],
    normal: IVec3,
    around: &Surroundings,
) -> [u8; 4] {
    [(false, false), (true, false), (false, true), (true, true)].map(|(is_far, is_high)| {
        let (mut front, mut along, mut across) = (voxel + normal, along, across);
        if is_far {
            front += along * (width - 1);
        } else {
            along = -along;
        }
        if is_high {
            front += across * (height - 1);
        } else {
            across = -across;
        }
        let is_solid = |place| around.at(place).is_solid();
        let (beside, above) = (is_solid(front + along), is_solid(front + across));
        if beside && above {
            return 0;
        }
        3 - u8::from(beside) - u8::from(above) - u8::from(is_solid(front + along + across))
    })
}
