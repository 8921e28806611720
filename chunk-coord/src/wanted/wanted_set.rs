//! The wanted set and its updates.

use super::changes::Changes;
use super::leaving::Leaving;
use super::sorted_changes::SortedChanges;
use super::viewer_states::ViewerStates;
use super::viewer_tree::ViewerTree;
use crate::budget::ScanBudget;
use crate::coord::ChunkCoord;
use crate::range::Viewer;
use crate::rows::RowSet;

/// The chunks that at least one of any number of viewers wants.
///
/// A coordinate enters when it comes to lie in the load footprint of a viewer, and leaves when it lies outside
/// the unload footprints of all. The cost of an update grows with the surface of the footprints that changed,
/// not with their volume: their rows before and after are subtracted as intervals.
///
/// ```
/// use chunk_coord::{Changes, ChunkCoord, ScanBudget, ViewRange, Viewer, WantedSet};
///
/// let mut wanted = WantedSet::new();
/// let mut changes = Changes::new();
/// let mut viewer = Viewer { id: 1, coord: ChunkCoord::ORIGIN, range: ViewRange::disc(8, 10)? };
///
/// wanted.update(&[viewer], &mut ScanBudget::unlimited(), &mut changes);
/// assert_eq!(changes.entered.len(), 197);
/// assert_eq!(changes.entered[0], ChunkCoord::ORIGIN);
///
/// changes.clear();
/// viewer.coord = ChunkCoord::planar(1, 0);
/// wanted.update(&[viewer], &mut ScanBudget::unlimited(), &mut changes);
/// assert_eq!(changes.entered.len(), 17); // one column ahead
/// assert_eq!(changes.left.len(), 0); // nothing: the unload radius is two chunks more
/// # Ok::<(), chunk_coord::ViewRangeError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct WantedSet {
    rows: RowSet,
    viewers: ViewerStates,
    leaving: Leaving,
    /// Entering and leaving alternate while both have work, so that neither waits for the other to end.
    leave_next: bool,
    tree: ViewerTree,
    // Kept for their memory.
    entered: SortedChanges<false>,
    left: SortedChanges<true>,
}

impl WantedSet {
    /// A set without viewers and without chunks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Brings the set up to date with `viewers` and appends what changed to `changes`.
    ///
    /// Viewers may appear, vanish, move by any distance, change their range, overlap, and come in any order;
    /// the order of the last call is fastest. A coordinate is appended to `entered` or to `left` once per time
    /// it enters or leaves, and never to both in one call.
    ///
    /// Work that does not fit in the `budget` is carried over to the next calls, also where `viewers` stay as
    /// they are. Until it is done, [`is_settled`](Self::is_settled) is false. Work that was carried over is
    /// checked against the viewers of the call that does it, so that no chunk enters that all viewers have left
    /// behind in the meantime.
    ///
    /// # Order
    ///
    /// Chunks that enter in one call are in exact order, nearest to a viewer first, and chunks that leave in the
    /// exact opposite. From call to call chunks enter ring after ring around each viewer, each ring one chunk
    /// thick: no chunk enters that is more than two chunks nearer to its viewer than one of an earlier call. Only
    /// the rim that a small step adds, no thicker than a sixteenth of the way to the outermost chunk and one,
    /// enters row after row. Leaving has no order from call to call.
    pub fn update(
        &mut self,
        viewers: &[Viewer],
        budget: &mut ScanBudget<'_>,
        changes: &mut Changes,
    ) {
        if self.viewers.viewers() != viewers {
            self.tree.set_viewers(self.viewers.viewers(), viewers);
            let (leaving, rows) = (&mut self.leaving, &self.rows);
            (self.viewers).replace(viewers, budget.is_unlimited(), |from| {
                leaving.depart(from, viewers.len(), rows);
            });
        }
        while !self.is_settled() {
            let granted = budget.grant(self.entered.len() + self.left.len());
            if granted == 0 {
                break;
            }
            let mut credits = granted;
            self.work(&mut credits);
            budget.charge(granted - credits);
        }
        self.entered.drain_into(&mut changes.entered);
        self.left.drain_into(&mut changes.left);
    }

    /// Goes on with entering or leaving.
    fn work(&mut self, credits: &mut u64) {
        let (rows, tree) = (&mut self.rows, &mut self.tree);
        let leave = self.leaving.is_pending() && (self.leave_next || !self.viewers.is_pending());
        self.leave_next = !leave;
        if leave {
            (self.leaving).advance(rows, tree, &mut self.left, credits);
        } else {
            (self.viewers).advance(rows, tree, &mut self.entered, credits);
        }
    }

    /// Whether no work was carried over: every coordinate in a load footprint is in the set, and none outside
    /// all unload footprints.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        !self.viewers.is_pending() && !self.leaving.is_pending()
    }

    /// Whether `coord` is wanted.
    #[must_use]
    pub fn contains(&self, coord: ChunkCoord) -> bool {
        self.rows.contains(coord)
    }

    /// The number of wanted chunks.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no chunk is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The wanted chunks, in the order of coordinates.
    pub fn iter(&self) -> impl Iterator<Item = ChunkCoord> + '_ {
        self.rows.iter()
    }
}
