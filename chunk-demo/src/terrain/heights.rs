//! How high one chunk is.

use bevy_math::{Vec2, Vec3};

/// The heights of one chunk at the vertices of level 0, and of one more row around it.
///
/// The row around it is what the neighbours have within their borders, so that normals at a border are the same on both
/// sides. Vertices are counted from the chunk's minimum corner, from 0 to [`cells`](Self::cells) along x and z.
#[derive(Clone, Debug, PartialEq)]
pub struct Heights {
    cells: usize,
    /// The distance of vertices, in metres.
    step: f32,
    /// Those of one x after each other, from the row before the first vertex to the row after the last.
    samples: Box<[f32]>,
}

impl Heights {
    /// Samples in metres, in the order of the field.
    pub(super) fn new(cells: usize, step: f32, samples: Vec<f32>) -> Self {
        debug_assert_eq!(samples.len(), Self::side(cells).pow(2));
        let samples = samples.into_boxed_slice();
        Self {
            cells,
            step,
            samples,
        }
    }

    /// How many samples there are along a side.
    pub(super) fn side(cells: usize) -> usize {
        cells + 3
    }

    /// Cells along a side at level 0, one less than vertices.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// The distance of two vertices of level 0, in metres.
    #[must_use]
    pub fn step(&self) -> f32 {
        self.step
    }

    /// What they take, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val::<[f32]>(&self.samples)
    }

    /// The height at a vertex, in metres.
    ///
    /// # Panics
    ///
    /// If there is no such vertex.
    #[must_use]
    pub fn at(&self, x: usize, z: usize) -> f32 {
        assert!(
            x.max(z) <= self.cells,
            "the chunk has no vertex at {x}, {z}"
        );
        self.samples[self.place(x, z)]
    }

    /// The direction straight up from the surface at a vertex, of length one. The same at every level.
    ///
    /// # Panics
    ///
    /// If there is no such vertex.
    #[must_use]
    pub fn normal(&self, x: usize, z: usize) -> Vec3 {
        assert!(
            x.max(z) <= self.cells,
            "the chunk has no vertex at {x}, {z}"
        );
        let (at, side) = (self.place(x, z), Self::side(self.cells));
        let along_x = self.samples[at + side] - self.samples[at - side];
        let along_z = self.samples[at + 1] - self.samples[at - 1];
        Vec3::new(-along_x, 2.0 * self.step, -along_z).normalize()
    }

    /// The height of the surface of level 0, which is the collider's, at a point in metres from the minimum corner. A point
    /// outside the chunk counts as the nearest one inside.
    #[must_use]
    pub fn surface(&self, point: Vec2) -> f32 {
        let cells = self.cells as f32;
        let point = (point / self.step).clamp(Vec2::ZERO, Vec2::splat(cells));
        let cell = point.floor().min(Vec2::splat(cells - 1.0));
        let (x, z) = (cell.x as usize, cell.y as usize);
        let [along_x, along_z] = (point - cell).to_array();
        // Two triangles, divided by the diagonal on which both add up to 1.
        let (near, far) = (self.at(x, z), self.at(x + 1, z + 1));
        let (next_x, next_z) = (self.at(x + 1, z), self.at(x, z + 1));
        if along_x + along_z <= 1.0 {
            near + (next_x - near) * along_x + (next_z - near) * along_z
        } else {
            far + (next_z - far) * (1.0 - along_x) + (next_x - far) * (1.0 - along_z)
        }
    }

    fn place(&self, x: usize, z: usize) -> usize {
        (x + 1) * Self::side(self.cells) + z + 1
    }
}
