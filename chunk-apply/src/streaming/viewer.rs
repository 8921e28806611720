//! Positions that want chunks around them.

use super::place::Place;
use bevy_ecs::{component::Component, entity::Entity};
use bevy_math::Vec3;
use bevy_transform::components::Transform;
use chunk_coord::{ChunkCoord, ViewRange, Viewer};
use tracing::warn;

/// Put this on an entity, and the world around it is streamed.
///
/// A viewer may be a child of another entity; its position in the world counts. A position that
/// is not finite, or beyond the grid, is ignored: the viewer then stays where it last was.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
#[require(Transform)]
pub struct ChunkViewer {
    /// How far this viewer sees; `None` for the stream's own range.
    pub range: Option<ViewRange>,
}

impl ChunkViewer {
    /// A viewer with a range of its own, in every stream of the app.
    #[must_use]
    pub fn with_range(range: ViewRange) -> Self {
        Self { range: Some(range) }
    }
}

/// The viewers' chunks, as the last scan saw them.
#[derive(Debug, Default)]
pub(crate) struct Viewers {
    now: Vec<Viewer>,
    before: Vec<Viewer>,
    /// Viewers whose position is unusable; each is warned about once until it recovers.
    lost: Vec<u64>,
    invalid_positions: u64,
}

impl Viewers {
    /// Starts a scan: what was now is before.
    pub(crate) fn begin(&mut self) {
        core::mem::swap(&mut self.now, &mut self.before);
        self.now.clear();
    }

    /// Notes a viewer's position.
    pub(crate) fn see(&mut self, entity: Entity, position: Vec3, range: ViewRange, place: &Place) {
        let id = entity.to_bits();
        let coord = match place.coord_at(position) {
            Ok(coord) => {
                if !self.lost.is_empty() {
                    self.lost.retain(|lost| *lost != id);
                }
                Some(coord)
            }
            Err(error) => {
                self.invalid_positions += 1;
                if !self.lost.contains(&id) {
                    warn!("viewer {entity} stays where it last was: {error}");
                    self.lost.push(id);
                }
                self.before
                    .iter()
                    .find(|viewer| viewer.id == id)
                    .map(|viewer| viewer.coord)
            }
        };
        if let Some(coord) = coord {
            self.now.push(Viewer { id, coord, range });
        }
    }

    /// Whether, since the scan before, any viewer changed its chunk or range, came or went.
    pub(crate) fn have_changed(&self) -> bool {
        self.now != self.before
    }

    pub(crate) fn as_slice(&self) -> &[Viewer] {
        &self.now
    }

    pub(crate) fn coords(&self) -> impl Iterator<Item = ChunkCoord> {
        self.now.iter().map(|viewer| viewer.coord)
    }

    /// How often a position was ignored.
    pub(crate) fn invalid_positions(&self) -> u64 {
        self.invalid_positions
    }
}
