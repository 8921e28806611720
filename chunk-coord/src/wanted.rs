//! The wanted set.

use alloc::vec::Vec;

use crate::entering::{Entering, Sink};
use crate::footprint::Placed;
use crate::found::Found;
use crate::leaving::Leaving;
use crate::members::Members;
use crate::roster::Roster;
use crate::{Changes, ChunkCoord, ScanBudget, Viewer};

/// The chunks that any of a number of viewers wants.
///
/// A coordinate enters when it comes to lie in the load footprint of any viewer, and leaves when it lies
/// outside the unload footprints of all. Updating costs the surface that changed, not the volume: rows of
/// the footprints before and after are subtracted as intervals.
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
    members: Members,
    roster: Roster,
    leaving: Leaving,
    /// Whose turn it is when both have work and the budget does not suffice: neither can starve the
    /// other.
    leave_next: bool,
    found: Found,
    near: Vec<ChunkCoord>,
}

impl WantedSet {
    /// A set without viewers and without chunks.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Brings the set up to date with `viewers` and appends what changed to `changes`.
    ///
    /// Viewers may appear, vanish, move by any distance, change their range, overlap, and come in any
    /// order; giving them in the order of the last call is fastest. A coordinate is appended to
    /// `entered` or to `left` once per time it enters or leaves, and never to both in one call.
    ///
    /// What does not fit in the `budget` is carried over: the next calls go on with it, nearest to a
    /// viewer first, even if `viewers` stay as they are. Until then [`is_settled`](Self::is_settled) is
    /// false. What is carried over is checked against the viewers of the call that gets to it, so
    /// nothing enters that a viewer has flown past in the meantime.
    pub fn update(&mut self, viewers: &[Viewer], budget: &mut ScanBudget, changes: &mut Changes) {
        let Self {
            members,
            roster,
            leaving,
            ..
        } = self;
        if roster.viewers() != viewers {
            roster.replace(viewers, budget.is_unlimited(), |left_behind| {
                leaving.depart(left_behind, viewers.len(), members);
            });
        }
        if !self.is_settled() {
            self.work(budget, changes);
            self.found.drain_into(&mut changes.entered);
        }
    }

    /// Whether nothing was carried over: every coordinate in a load footprint is in the set, and none
    /// outside all unload footprints is.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        !self.roster.is_pending() && !self.leaving.is_pending()
    }

    /// Whether `coord` is wanted.
    #[must_use]
    pub fn contains(&self, coord: ChunkCoord) -> bool {
        self.members.contains(coord)
    }

    /// The number of wanted chunks.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether no chunk is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The wanted chunks, in no particular but a reproducible order.
    pub fn iter(&self) -> impl Iterator<Item = ChunkCoord> + '_ {
        self.members.iter()
    }

    /// The viewers of the last update.
    #[must_use]
    pub fn viewers(&self) -> &[Viewer] {
        self.roster.viewers()
    }

    fn work(&mut self, budget: &mut ScanBudget, changes: &mut Changes) {
        let mut last = None;
        while !self.is_settled() {
            let granted = budget.grant(self.found.len());
            if granted == 0 {
                return;
            }
            let mut credits = granted;
            let leave = self.leaving.is_pending() && (self.leave_next || !self.roster.is_pending());
            self.leave_next = !leave;
            if leave {
                let viewers = self.roster.viewers();
                self.leaving
                    .advance(viewers, &mut self.members, &mut changes.left, &mut credits);
            } else {
                self.enter(&mut last, &mut credits);
            }
            budget.charge(granted - credits);
        }
    }

    /// Goes on with the entering work nearest to its viewer. `last` is the viewer served before.
    fn enter(&mut self, last: &mut Option<usize>, credits: &mut u64) {
        while *credits > 0 {
            let Some(index) = self.roster.nearest_pending() else {
                return;
            };
            if last.replace(index).is_some_and(|last| last != index) {
                self.found.mix();
            }
            let viewer = self.roster.viewers()[index];
            let target = Placed::new(viewer.coord, viewer.range.load());
            // Who is nearer than this viewer to anything in its footprint is within twice the reach.
            let reach_sq = target.footprint.outermost_sq().saturating_mul(4);
            self.near.clear();
            self.near.extend(
                (self.roster.viewers().iter().map(|other| other.coord))
                    .filter(|other| other.distance_sq(viewer.coord) <= reach_sq),
            );
            let mut sink = Sink {
                members: &mut self.members,
                found: &mut self.found,
                near: &self.near,
            };
            self.roster.advance(index, |entering: &mut Entering| {
                entering.advance(&target, &mut sink, credits)
            });
        }
    }
}
