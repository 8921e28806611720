//! How many chunks are still to be loaded.

use super::state::StreamState;
use chunk_coord::Footprint;

impl<T: Send + Sync + 'static> StreamState<T> {
    /// About how many chunks there will be when all that the viewers want is loaded. Where the scan has not found all of
    /// them yet, as many as the viewer with the widest range wants: ranges of several viewers may be the same place.
    pub(super) fn expected(&self) -> usize {
        let found = (self.wanted.len()).saturating_sub(self.ceiling.held_back_chunks());
        if self.wanted.is_settled() || self.ceiling.has_limit() {
            return found;
        }
        let ranges = self.viewers.as_slice().iter();
        let widest = ranges.map(|viewer| chunks_in(viewer.range.load())).max();
        found.max(widest.unwrap_or_default())
    }
}

/// About how many chunks a footprint has.
fn chunks_in(footprint: Footprint) -> usize {
    let across = |half: u32| 2.0 * f64::from(half) + 1.0;
    let disc = |radius: u32| core::f64::consts::PI * f64::from(radius).powi(2);
    let chunks = match footprint {
        Footprint::Disc { radius } | Footprint::DiscXy { radius } => disc(radius),
        Footprint::Sphere { radius } => disc(radius) * f64::from(radius) * 4.0 / 3.0,
        Footprint::Cylinder {
            radius,
            half_height,
        } => disc(radius) * across(half_height),
        Footprint::Cuboid { half_extents } => half_extents.map(across).iter().product(),
    };
    // The centre is always one.
    chunks.max(1.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use chunk_coord::ChunkCoord;

    #[test]
    fn chunks_are_counted_to_within_a_tenth_without_a_look_at_each() {
        let shapes = [
            Footprint::Disc { radius: 12 },
            Footprint::DiscXy { radius: 25 },
            Footprint::Sphere { radius: 6 },
            Footprint::Cylinder {
                radius: 8,
                half_height: 2,
            },
            Footprint::Cuboid {
                half_extents: [3, 0, 9],
            },
        ];
        for shape in shapes {
            let [x, y, z] = shape.half_extents().map(u32::cast_signed);
            let all = (-x..=x).flat_map(|x| {
                (-y..=y).flat_map(move |y| (-z..=z).map(move |z| ChunkCoord::new(x, y, z)))
            });
            let exact = all.filter(|it| shape.contains(ChunkCoord::ORIGIN, *it));
            let (exact, about) = (exact.count() as f64, chunks_in(shape) as f64);
            assert!(
                (about / exact - 1.0).abs() < 0.1,
                "{shape:?}: {about} for {exact}"
            );
        }
    }
}
