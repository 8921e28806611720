//! A mesh that was checked on the worker that made it.

use bevy_asset::{Assets, Handle, RenderAssetUsages};
use bevy_camera::primitives::Aabb;
use bevy_ecs::world::World;
use bevy_math::Vec3;
use bevy_mesh::{Indices, Mesh, MeshAccessError, PrimitiveTopology, VertexAttributeValues};

use super::error::ChunkMeshError;

/// A mesh of one chunk, checked and measured on the worker that made it; on the main thread it costs a move.
///
/// Give its handle to entities of the chunk alone: the mesh then goes with the chunk.
///
/// ```
/// use bevy_asset::{Assets, RenderAssetUsages};
/// use bevy_ecs::world::World;
/// use bevy_mesh::{Mesh, Mesh3d, PrimitiveTopology};
/// use chunk_assets::ChunkMesh;
///
/// // On a worker:
/// let mesh = Mesh::new(PrimitiveTopology::TriangleList, RenderAssetUsages::default());
/// let corners = vec![[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
/// let mesh = ChunkMesh::new(mesh.with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, corners))?;
/// let mesh = mesh.expect("it has vertices");
/// assert_eq!(mesh.bytes(), 3 * 12);
///
/// // On the main thread, in a step of the spawner:
/// # let mut world = World::new();
/// # world.init_resource::<Assets<Mesh>>();
/// let bounds = mesh.bounds();
/// let handle = mesh.insert(&mut world);
/// world.spawn((Mesh3d(handle), bounds));
/// # Ok::<(), chunk_assets::ChunkMeshError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ChunkMesh {
    mesh: Mesh,
    bounds: Aabb,
    bytes: usize,
}

impl ChunkMesh {
    /// Checks a mesh, computes its bounds, and sets its usage so that it is moved to the render world and not cloned.
    /// One without vertices, or with an empty list of indices, is none: the renderer would log an error for it.
    ///
    /// # Errors
    ///
    /// If positions are missing or not finite, the attributes differ in length, an index names no vertex, or the last
    /// primitive is not complete.
    pub fn new(mut mesh: Mesh) -> Result<Option<Self>, ChunkMeshError> {
        let (indices, count) = match mesh.try_indices_option().map_err(unreadable)? {
            Some(indices) => (Some(indices), indices.len()),
            None => (None, 0),
        };
        let Some(positions) = positions(&mesh)? else {
            return match indices.and_then(|indices| indices.iter().next()) {
                None => Ok(None),
                Some(index) => Err(ChunkMeshError::IndexOutOfRange {
                    at: 0,
                    index: index as u32,
                    vertices: 0,
                }),
            };
        };
        let bounds = bounds(positions)?;
        let (vertices, topology) = (positions.len(), mesh.primitive_topology());
        if let Some(indices) = indices {
            check_indices(indices, vertices, topology)?;
        }
        let count = if indices.is_some() { count } else { vertices };
        check_primitives(topology, count)?;
        if count == 0 {
            return Ok(None);
        }
        let index_bytes = mesh.get_index_buffer_bytes().map_or(0, <[u8]>::len);
        let bytes = mesh.get_vertex_buffer_size() + index_bytes;
        mesh.asset_usage = RenderAssetUsages::RENDER_WORLD;
        Ok(Some(Self {
            mesh,
            bounds,
            bytes,
        }))
    }

    /// The same, whose vertices also stay in the main world, where a game can read them: extraction then clones it.
    #[must_use]
    pub fn kept(mut self) -> Self {
        self.mesh.asset_usage |= RenderAssetUsages::MAIN_WORLD;
        self
    }

    /// What it takes on the GPU, its vertices and indices, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The box around its positions. An entity that is spawned with it stays in its archetype; Bevy would add it in the
    /// next frame.
    #[must_use]
    pub fn bounds(&self) -> Aabb {
        self.bounds
    }

    /// The mesh, to be read.
    #[must_use]
    pub fn mesh(&self) -> &Mesh {
        &self.mesh
    }

    /// Moves it to the world's meshes.
    ///
    /// # Panics
    ///
    /// If the world has no `Assets<Mesh>`.
    #[must_use = "without its handle the mesh is dropped again"]
    pub fn insert(self, world: &mut World) -> Handle<Mesh> {
        world.resource_mut::<Assets<Mesh>>().add(self.mesh)
    }

    /// Moves it to the world's meshes, behind a handle that [`AssetHandles`](super::AssetHandles) reserved.
    ///
    /// # Panics
    ///
    /// If the world has no `Assets<Mesh>`, or the handle is not from there.
    pub fn insert_at(self, handle: &Handle<Mesh>, world: &mut World) {
        let inserted = world
            .resource_mut::<Assets<Mesh>>()
            .insert(handle, self.mesh);
        inserted.expect("a handle that lives names a place in the collection it was reserved from");
    }
}

/// The positions, or nothing if there are no vertices.
fn positions(mesh: &Mesh) -> Result<Option<&[[f32; 3]]>, ChunkMeshError> {
    let attributes = || mesh.try_attributes().map_err(unreadable);
    let vertices = match mesh.attribute(Mesh::ATTRIBUTE_POSITION) {
        None if attributes()?.all(|(_, values)| values.is_empty()) => return Ok(None),
        None => return Err(ChunkMeshError::NoPositions),
        Some(positions) => positions,
    };
    for (attribute, values) in attributes()? {
        if values.len() != vertices.len() {
            return Err(ChunkMeshError::AttributeLength {
                attribute: attribute.name,
                values: values.len(),
                vertices: vertices.len(),
            });
        }
    }
    match vertices {
        VertexAttributeValues::Float32x3(positions) if positions.is_empty() => Ok(None),
        VertexAttributeValues::Float32x3(positions) => Ok(Some(positions)),
        other => Err(ChunkMeshError::PositionFormat(other.into())),
    }
}

/// Attributes and indices cannot be read after extraction.
fn unreadable(_: MeshAccessError) -> ChunkMeshError {
    ChunkMeshError::Extracted
}

/// The box around positions that are finite.
fn bounds(positions: &[[f32; 3]]) -> Result<Aabb, ChunkMeshError> {
    let (mut least, mut most) = (Vec3::INFINITY, Vec3::NEG_INFINITY);
    for (vertex, position) in positions.iter().enumerate() {
        let place = Vec3::from(*position);
        if !place.is_finite() {
            return Err(ChunkMeshError::NotFinite {
                vertex,
                position: *position,
            });
        }
        (least, most) = (least.min(place), most.max(place));
    }
    Ok(Aabb::from_min_max(least, most))
}

fn check_indices(
    indices: &Indices,
    vertices: usize,
    topology: PrimitiveTopology,
) -> Result<(), ChunkMeshError> {
    // In a strip the highest number is no index: another strip begins there.
    let is_strip = topology.is_strip();
    let is_wrong =
        |index: u32, restart: u32| index as usize >= vertices && !(is_strip && index == restart);
    let found = match indices {
        Indices::U16(indices) => {
            let mut indices = indices.iter().map(|index| u32::from(*index)).enumerate();
            indices.find(|(_, index)| is_wrong(*index, u16::MAX.into()))
        }
        Indices::U32(indices) => {
            let mut indices = indices.iter().copied().enumerate();
            indices.find(|(_, index)| is_wrong(*index, u32::MAX))
        }
    };
    found.map_or(Ok(()), |(at, index)| {
        Err(ChunkMeshError::IndexOutOfRange {
            at,
            index,
            vertices,
        })
    })
}

fn check_primitives(topology: PrimitiveTopology, count: usize) -> Result<(), ChunkMeshError> {
    let is_whole = match topology {
        PrimitiveTopology::PointList => true,
        PrimitiveTopology::LineList => count.is_multiple_of(2),
        PrimitiveTopology::LineStrip => count != 1,
        PrimitiveTopology::TriangleList => count.is_multiple_of(3),
        PrimitiveTopology::TriangleStrip => count == 0 || count >= 3,
    };
    if is_whole {
        return Ok(());
    }
    Err(ChunkMeshError::IncompletePrimitive { topology, count })
}
