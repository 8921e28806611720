//! The wanted set.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::footprint::Placed;
use crate::{Changes, ChunkCoord, ScanBudget, Viewer, nearest_distance_sq};

/// The chunks that any of a number of viewers wants.
#[derive(Clone, Debug, Default)]
pub struct WantedSet {
    viewers: Vec<Viewer>,
    members: BTreeSet<ChunkCoord>,
}

impl WantedSet {
    /// A set without viewers and without chunks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Brings the set up to date with `viewers` and appends what changed to `changes`.
    pub fn update(&mut self, viewers: &[Viewer], budget: &mut ScanBudget, changes: &mut Changes) {
        let _ = budget;
        if self.viewers == viewers {
            return;
        }
        self.viewers.clear();
        self.viewers.extend_from_slice(viewers);
        let start = changes.entered.len();
        for viewer in viewers {
            let placed = Placed::new(viewer.coord, viewer.range.load());
            let layers = placed.layers();
            for y in layers.low..=layers.high {
                let Some(layer) = placed.layer(y) else {
                    continue;
                };
                let rows = layer.rows();
                for z in rows.low..=rows.high {
                    let Some(row) = layer.row(z) else { continue };
                    for x in row.low..=row.high {
                        let coord = ChunkCoord::new(x, y, z);
                        if self.members.insert(coord) {
                            changes.entered.push(coord);
                        }
                    }
                }
            }
        }
        let centres: Vec<_> = viewers.iter().map(|viewer| viewer.coord).collect();
        changes.entered[start..]
            .sort_unstable_by_key(|&coord| (nearest_distance_sq(&centres, coord), coord));
        self.members.retain(|&coord| {
            let wanted = viewers
                .iter()
                .any(|viewer| viewer.range.unload().contains(viewer.coord, coord));
            if !wanted {
                changes.left.push(coord);
            }
            wanted
        });
    }

    /// Whether nothing was carried over from the last update.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        true
    }

    /// Whether `coord` is wanted.
    #[must_use]
    pub fn contains(&self, coord: ChunkCoord) -> bool {
        self.members.contains(&coord)
    }

    /// The number of wanted chunks.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether no chunk is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The wanted chunks.
    pub fn iter(&self) -> impl Iterator<Item = ChunkCoord> + '_ {
        self.members.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ViewRange;

    #[test]
    fn a_step_enters_ahead_and_leaves_behind() {
        let mut set = WantedSet::new();
        let mut changes = Changes::new();
        let range = ViewRange::disc(2, 3).unwrap();
        let at = |x| {
            [Viewer {
                id: 1,
                coord: ChunkCoord::planar(x, 0),
                range,
            }]
        };
        set.update(&at(0), &mut ScanBudget::unlimited(), &mut changes);
        assert_eq!(changes.entered.len(), 13);
        assert_eq!(changes.entered[0], ChunkCoord::ORIGIN);
        changes.clear();
        set.update(&at(1), &mut ScanBudget::unlimited(), &mut changes);
        assert_eq!(changes.entered.len(), 5);
        assert!(changes.left.is_empty());
        set.update(&[], &mut ScanBudget::unlimited(), &mut changes);
        assert_eq!(changes.left.len(), 18);
        assert!(set.is_empty() && set.is_settled());
    }
}
