//! The shape of the land: hills with overhangs, and caves below.

use bevy_math::IVec3;
use chunk_coord::ChunkCoord;
use fastnoise_lite::{FastNoiseLite, FractalType, NoiseType};

use super::block::Block;
use super::volume::{SIZE, Voxels, corner};

/// Says of each voxel what it is, from a seed and its place alone.
///
/// ```
/// use bevy_math::IVec3;
/// use chunk_demo::voxels::{Block, Land};
///
/// let land = Land::new(7);
/// let deep = land.block_at(IVec3::new(5, -90, 5));
/// assert!(matches!(deep, Block::Stone | Block::Air));
/// assert_eq!(land.block_at(IVec3::new(5, Land::SKY, 5)), Block::Air);
/// ```
pub struct Land {
    hills: FastNoiseLite,
    /// Moves the surface up and down, and so sideways where it is steep.
    overhangs: FastNoiseLite,
    /// A cave is where both are near zero: a winding tube.
    caves: [FastNoiseLite; 2],
}

/// The heights of the ground in a column of chunks, in metres, before overhangs and caves.
#[derive(Clone, Debug, PartialEq)]
pub struct Heights {
    of_column: Box<[f32]>,
    highest: f32,
}

/// The side of a column of chunks, which shares its heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Column {
    /// Along x, in chunks.
    pub x: i32,
    /// Along z, in chunks.
    pub z: i32,
}

impl From<ChunkCoord> for Column {
    fn from(coord: ChunkCoord) -> Self {
        let ChunkCoord { x, z, .. } = coord;
        Self { x, z }
    }
}

/// Noise in three dimensions is made at each fourth voxel and interpolated, which is smoother and 64 times cheaper.
const STEP: i32 = 4;
/// How far an overhang reaches.
const OVERHANG: f32 = 9.0;
/// How wide a cave is, as noise.
const CAVE: f32 = 0.13;
const LOWEST: f32 = 8.0;
const HIGHEST: f32 = 86.0;
/// How far below the surface there is dirt.
const DIRT: f32 = 4.0;
const BEACH: f32 = 24.0;
const SNOWLINE: f32 = 66.0;

/// Three values for a place: how much the surface moves, and both noises of the caves.
type Noises = [f32; 3];

impl Land {
    /// No land is as high as this, in metres.
    pub const SKY: i32 = 96;

    /// The land with this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let noise = |purpose: i32, frequency: f32, octaves: i32| {
            let mut noise = FastNoiseLite::with_seed((seed as i32).wrapping_mul(31) ^ purpose);
            noise.set_noise_type(Some(NoiseType::OpenSimplex2));
            noise.set_frequency(Some(frequency));
            noise.set_fractal_type(Some(FractalType::FBm));
            noise.set_fractal_octaves(Some(octaves));
            noise
        };
        Self {
            hills: noise(1, 1.0 / 220.0, 4),
            overhangs: noise(2, 1.0 / 34.0, 2),
            caves: [noise(3, 1.0 / 60.0, 1), noise(4, 1.0 / 60.0, 1)],
        }
    }

    /// What a voxel is.
    #[must_use]
    pub fn block_at(&self, place: IVec3) -> Block {
        let within = place.rem_euclid(IVec3::splat(STEP));
        let cell = place.wrapping_sub(within);
        let at = |x, y, z| self.noises_at(cell.wrapping_add(IVec3::new(x, y, z) * STEP));
        let corners = [0, 1].map(|y| [[at(0, y, 0), at(1, y, 0)], [at(0, y, 1), at(1, y, 1)]]);
        let [x, y, z] = within.to_array().map(|it| it as f32 / STEP as f32);
        let [low, high] = corners.map(|corners| level(&corners, x, z));
        let height = self.height_at(place.x, place.z);
        let here = Here::new(height, place.y, &blend(&low, &high, y));
        let above = || {
            let above = place.wrapping_add(IVec3::Y);
            if within.y + 1 < STEP {
                let y = (within.y + 1) as f32 / STEP as f32;
                return Here::new(height, above.y, &blend(&low, &high, y));
            }
            // The next cell's lowest level is this one's highest.
            Here::new(height, above.y, &high)
        };
        here.block(height, above)
    }

    /// The heights of a column.
    #[must_use]
    pub fn heights(&self, column: Column) -> Heights {
        let origin = corner(ChunkCoord::planar(column.x, column.z));
        let at = |n: i32| {
            self.height_at(
                origin.x.wrapping_add(n % SIZE),
                origin.z.wrapping_add(n / SIZE),
            )
        };
        let of_column: Box<[f32]> = (0..SIZE * SIZE).map(at).collect();
        let highest = of_column.iter().copied().fold(f32::MIN, f32::max);
        Heights { of_column, highest }
    }

    /// All voxels of a chunk, given the heights of its column.
    #[must_use]
    pub fn voxels(&self, coord: ChunkCoord, heights: &Heights) -> Voxels {
        let origin = corner(coord);
        if coord.y >= Self::SKY / SIZE || origin.y as f32 > heights.highest + OVERHANG {
            return Voxels::Uniform(Block::Air);
        }
        Voxels::of(self.cube(origin, SIZE as usize, &heights.of_column))
    }

    /// The voxels of any cube along x, then y, then z, given the heights of its columns along x, then z.
    ///
    /// # Panics
    ///
    /// If there are fewer heights than `side` times `side`.
    #[must_use]
    pub fn cube(&self, origin: IVec3, side: usize, heights: &[f32]) -> Box<[Block]> {
        let mut blocks = vec![Block::Air; side * side * side].into_boxed_slice();
        if heights.iter().all(|it| origin.y as f32 > it + OVERHANG) {
            return blocks;
        }
        let step = STEP as usize;
        let within = origin.rem_euclid(IVec3::splat(STEP));
        let nodes = (within.max_element() as usize + side).div_ceil(step) + 1;
        let lattice = self.lattice(origin.wrapping_sub(within), nodes);
        let at = |x: usize, y: usize, z: usize| &lattice[x + nodes * (z + nodes * y)];
        let within = within.to_array().map(|it| it as usize);
        let share = |place: usize| (place % step) as f32 / STEP as f32;
        let mut levels: Vec<Noises> = Vec::with_capacity(nodes);
        for (z, x) in (0..side).flat_map(|z| (0..side).map(move |x| (z, x))) {
            let height = heights[x + side * z];
            let (fx, fz) = (share(within[0] + x), share(within[2] + z));
            let (cx, cz) = ((within[0] + x) / step, (within[2] + z) / step);
            levels.clear();
            levels.extend((0..nodes).map(|y| {
                let corners = [
                    [*at(cx, y, cz), *at(cx + 1, y, cz)],
                    [*at(cx, y, cz + 1), *at(cx + 1, y, cz + 1)],
                ];
                level(&corners, fx, fz)
            }));
            let here = |y: usize| {
                let place = origin.y.wrapping_add(y as i32);
                let y = within[1] + y;
                let low = &levels[y / step];
                match levels.get(y / step + 1) {
                    Some(high) => Here::new(height, place, &blend(low, high, share(y))),
                    None => Here::new(height, place, low),
                }
            };
            // From the top down, so that each voxel is worked out once.
            let mut above = here(side);
            for y in (0..side).rev() {
                let now = here(y);
                blocks[x + side * (y + side * z)] = now.block(height, || above);
                above = now;
            }
        }
        blocks
    }

    /// The height of the ground at a place, in metres, before overhangs and caves.
    #[must_use]
    pub fn height_at(&self, x: i32, z: i32) -> f32 {
        let hills = self.hills.get_noise_2d(x as f32, z as f32);
        // Flat valleys and steep hills.
        let hills = hills * (0.55 + 0.45 * hills.abs());
        (40.0 + 60.0 * hills).clamp(LOWEST, HIGHEST)
    }

    fn noises_at(&self, place: IVec3) -> Noises {
        let [x, y, z] = place.to_array().map(|it| it as f32);
        // Hollows are wider than they are high.
        let [first, second] = &self.caves;
        [
            self.overhangs.get_noise_3d(x, 1.6 * y, z).clamp(-1.0, 1.0),
            first.get_noise_3d(x, 1.7 * y, z),
            second.get_noise_3d(x, 1.7 * y, z),
        ]
    }

    /// The noises at each fourth voxel from a place on, so many of them along each axis.
    fn lattice(&self, origin: IVec3, nodes: usize) -> Vec<Noises> {
        let side = 0..nodes as i32;
        let places = side.clone().flat_map(|y| {
            let side = side.clone();
            let row = side.clone();
            side.flat_map(move |z| row.clone().map(move |x| IVec3::new(x, y, z)))
        });
        places
            .map(|place| self.noises_at(origin.wrapping_add(place * STEP)))
            .collect()
    }
}

impl core::fmt::Debug for Land {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Land").finish_non_exhaustive()
    }
}

impl Heights {
    /// What they take, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.of_column)
    }
}

/// A voxel of the land, before its neighbour above is known.
#[derive(Clone, Copy)]
struct Here {
    /// How far below the surface it is, in metres; negative above.
    depth: f32,
    is_solid: bool,
}

impl Here {
    fn new(height: f32, y: i32, [overhang, first, second]: &Noises) -> Self {
        let depth = height - y as f32 + OVERHANG * overhang;
        let is_cave = first * first + second * second < CAVE * CAVE;
        Self {
            depth,
            is_solid: depth > 0.0 && !is_cave,
        }
    }

    fn block(&self, height: f32, above: impl FnOnce() -> Self) -> Block {
        if !self.is_solid {
            return Block::Air;
        }
        if self.depth > DIRT {
            return Block::Stone;
        }
        match height {
            _ if above().is_solid => Block::Dirt,
            ..BEACH => Block::Sand,
            SNOWLINE.. => Block::Snow,
            _ => Block::Grass,
        }
    }
}

/// Between four corners of a level: first along x, then along z.
fn level(corners: &[[Noises; 2]; 2], x: f32, z: f32) -> Noises {
    let [near, far] = corners
        .each_ref()
        .map(|[left, right]| blend(left, right, x));
    blend(&near, &far, z)
}

fn blend(from: &Noises, to: &Noises, share: f32) -> Noises {
    core::array::from_fn(|n| from[n] + (to[n] - from[n]) * share)
}
