//! The world that the generator, the players and the audit share.

use std::sync::Arc;

use bevy_ecs::resource::Resource;
use bevy_math::{IVec3, Vec3};
use chunk_apply::ChunkStream;
use chunk_assets::ChunkMesh;
use chunk_coord::ChunkCoord;
use chunk_scheduler::{GenerateError, Job, Layer, LayerReport, Layers};

use super::block::Block;
use super::chunk::VoxelChunk;
use super::edits::Edits;
use super::land::{Column, Heights, Land};
use super::mesher::mesh;
use super::surroundings::Surroundings;
use super::volume::{SIZE, Voxels, chunk_of, corner};

/// A world of voxels. Clones share what players change.
///
/// ```
/// use bevy_math::{IVec3, Vec3};
/// use chunk_demo::voxels::{Block, VoxelWorld};
///
/// let world = VoxelWorld::new(1);
/// let hit = world.look(Vec3::new(0.5, 95.0, 0.5), Vec3::NEG_Y, 200.0).expect("there is ground");
/// assert!(world.block_at(hit.voxel).is_solid());
/// assert_eq!(hit.before, hit.voxel + IVec3::Y);
/// assert_eq!(world.block_at(hit.before), Block::Air);
/// ```
#[derive(Resource, Clone, Debug)]
pub struct VoxelWorld {
    land: Arc<Land>,
    edits: Arc<Edits>,
    layers: Layers,
    voxels: Layer<ChunkCoord, Voxels>,
}

/// How many bytes of heights are kept: those of 4,096 columns.
const HEIGHT_BYTES: usize = 16 << 20;
/// How many bytes of voxels are kept: those of 4,096 chunks, not counting sky and rock.
const VOXEL_BYTES: usize = 128 << 20;

/// The most voxels that a look passes through.
const MOST_STEPS: u32 = 4_096;
/// From so many metres on, two neighbouring voxels have the same place as floats.
const FARTHEST: f32 = 16_777_216.0;

/// What a look meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The voxel that is seen.
    pub voxel: IVec3,
    /// The air in front of it, where one would build.
    pub before: IVec3,
}

impl VoxelWorld {
    /// The world with this seed, in which nobody has changed anything.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::with(seed, Edits::default())
    }

    /// The world with this seed and what players changed.
    #[must_use]
    pub fn with(seed: u64, edits: Edits) -> Self {
        let (land, edits) = (Arc::new(Land::new(seed)), Arc::new(edits));
        let layers = Layers::new();
        let heights = layers.add("heights", HEIGHT_BYTES, Heights::bytes, {
            let land = land.clone();
            move |_job, column: Column| Ok(land.heights(column))
        });
        let voxels = layers.add("voxels", VOXEL_BYTES, Voxels::bytes, {
            let (land, edits) = (land.clone(), edits.clone());
            move |job, coord: ChunkCoord| {
                let heights = heights.read(job, Column::from(coord))?;
                Ok(edits.applied_to(coord, land.voxels(coord, &heights)))
            }
        });
        Self {
            land,
            edits,
            layers,
            voxels,
        }
    }

    /// What players changed.
    #[must_use]
    pub fn edits(&self) -> &Edits {
        &self.edits
    }

    /// What a voxel is now. It is worked out from nothing, without any chunk, which takes microseconds.
    #[must_use]
    pub fn block_at(&self, voxel: IVec3) -> Block {
        let edited = self.edits.at(voxel);
        edited.unwrap_or_else(|| self.land.block_at(voxel))
    }

    /// What the layers hold: the heights and the voxels that generators share.
    #[must_use]
    pub fn layers(&self) -> Vec<LayerReport> {
        self.layers.report()
    }

    /// The voxels of a chunk, worked out from nothing.
    #[must_use]
    pub fn voxels(&self, coord: ChunkCoord) -> Voxels {
        let heights = self.land.heights(Column::from(coord));
        self.edits
            .applied_to(coord, self.land.voxels(coord, &heights))
    }

    /// Makes a chunk from its own voxels and those of the chunks around it, which it reads through the layers.
    ///
    /// # Errors
    ///
    /// If the job is cancelled.
    pub fn make(&self, job: &Job<ChunkCoord>) -> Result<VoxelChunk, GenerateError> {
        let read = |coord| self.voxels.read(job, coord);
        let mesh = match Surroundings::read(job.key(), read)? {
            Some(surroundings) => {
                ChunkMesh::new(mesh(&surroundings)).map_err(GenerateError::permanent)?
            }
            None => None,
        };
        Ok(VoxelChunk { mesh })
    }

    /// A chunk of sky that nobody has built in, which needs no generator.
    #[must_use]
    pub fn known_empty(&self, coord: ChunkCoord) -> Option<VoxelChunk> {
        let is_sky = coord.y >= Land::SKY / SIZE && !self.edits.has(coord);
        is_sky.then_some(VoxelChunk { mesh: None })
    }

    /// Whether anything can be seen of a chunk, worked out from nothing and without the mesher.
    #[must_use]
    pub fn is_visible(&self, coord: ChunkCoord) -> bool {
        match self.voxels(coord) {
            Voxels::Uniform(Block::Air) => false,
            // Somewhere in it air is beside something solid.
            Voxels::Mixed(blocks) if blocks.contains(&Block::Air) => true,
            _ => self.lies_bare(coord),
        }
    }

    /// Whether there is air beside a chunk.
    fn lies_bare(&self, coord: ChunkCoord) -> bool {
        let across = |a: i32, b: i32, beyond: i32| {
            [
                IVec3::new(beyond, a, b),
                IVec3::new(a, beyond, b),
                IVec3::new(a, b, beyond),
            ]
        };
        let squares = (0..SIZE).flat_map(|a| (0..SIZE).map(move |b| (a, b)));
        let mut places = squares.flat_map(|(a, b)| {
            let beyond = [across(a, b, -1), across(a, b, SIZE)];
            beyond.into_iter().flatten()
        });
        let from = corner(coord);
        places.any(|place| !self.block_at(from.wrapping_add(place)).is_solid())
    }

    /// Digs a voxel away, or builds one. The chunks whose mesh it touches are made anew and shown together. Returns how many
    /// of them the stream has.
    ///
    /// While one of them [is being swapped](ChunkStream::is_swapping) after an earlier edit, let this one wait: or else one side
    /// of a border is made before it and the other after it, and they do not fit until it is shown as well.
    pub fn set(&self, voxel: IVec3, block: Block, stream: &mut ChunkStream<VoxelChunk>) -> usize {
        self.edits.set(voxel, block);
        // All 27 chunks around it have read these voxels, but only those that the voxel touches look otherwise.
        drop(self.voxels.invalidate(chunk_of(voxel).0));
        stream.refresh_together(Self::touched_by(voxel))
    }

    /// The chunks whose mesh a voxel touches: its own, and those that begin beside it, because the faces at their border and
    /// the light in their corners change. That is one chunk in its middle and eight at its corners.
    pub fn touched_by(voxel: IVec3) -> impl Iterator<Item = ChunkCoord> {
        let [low, high] = [-1, 1].map(|step| chunk_of(voxel.wrapping_add(IVec3::splat(step))).0);
        let all = (low.x..=high.x).flat_map(move |x| (low.y..=high.y).map(move |y| (x, y)));
        all.flat_map(move |(x, y)| (low.z..=high.z).map(move |z| ChunkCoord::new(x, y, z)))
    }

    /// The first solid voxel in a direction, no farther than `reach` metres and 4,096 voxels. `None` where there is none, where
    /// the eye is inside of one, or beyond 16 million metres from the origin, where voxels are no longer told apart.
    #[must_use]
    pub fn look(&self, from: Vec3, direction: Vec3, reach: f32) -> Option<Hit> {
        let direction = direction.try_normalize()?;
        let is_near = from.is_finite() && from.abs().max_element() < FARTHEST;
        let mut voxel = from.floor().as_ivec3();
        if !is_near || self.block_at(voxel).is_solid() {
            return None;
        }
        let step = direction.signum().as_ivec3();
        // How far it is from one border to the next along each axis, and to the first one.
        let between = direction.abs().recip();
        let within = from - from.floor();
        let first = Vec3::select(direction.cmpgt(Vec3::ZERO), 1.0 - within, within);
        let is_still = direction.cmpeq(Vec3::ZERO);
        let mut to_border = Vec3::select(is_still, Vec3::INFINITY, first * between);
        for _ in 0..MOST_STEPS {
            let is_within = to_border.min_element() <= reach;
            if !is_within {
                return None;
            }
            let before = voxel;
            let axis = to_border.min_position();
            voxel[axis] += step[axis];
            to_border[axis] += between[axis];
            if self.block_at(voxel).is_solid() {
                return Some(Hit { voxel, before });
            }
        }
        None
    }
}
