//! The wanted set.

use alloc::vec::Vec;
use core::time::Duration;

use crate::budget::{OrderingCost, QUANTUM, SMALL_QUANTUM};
use crate::crowd::Crowd;
use crate::entering::Sink;
use crate::found::Found;
use crate::leaving::Leaving;
use crate::members::Members;
use crate::placed::Placed;
use crate::roster::Roster;
use crate::stencil::Stencils;
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
    crowd: Crowd,
    found: Found<false>,
    departed: Found<true>,
    /// The viewers that may be nearest to what the viewer under way wants.
    rivals: Vec<ChunkCoord>,
    ordering: OrderingCost,
    stencils: Stencils,
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
    /// What does not fit in the `budget` is carried over: the next calls go on with it, even if `viewers`
    /// stay as they are. Until then [`is_settled`](Self::is_settled) is false. What is carried over is
    /// checked against the viewers of the call that gets to it, so nothing enters that a viewer has flown
    /// past in the meantime.
    ///
    /// # Order
    ///
    /// What enters in one call is in exact order, nearest to a viewer first, and what leaves is in the
    /// exact opposite. From call to call it is ring after ring around each viewer, each one chunk thick:
    /// no chunk enters that is more than two chunks nearer to its viewer than one of an earlier call. Only
    /// the rim that a small step brings, no thicker than a sixteenth of the way to the outermost chunk and
    /// one, enters row after row. Leaving has no order from call to call.
    pub fn update(
        &mut self,
        viewers: &[Viewer],
        budget: &mut ScanBudget<'_>,
        changes: &mut Changes,
    ) {
        let Self {
            members,
            roster,
            leaving,
            crowd,
            ..
        } = self;
        if roster.viewers() != viewers {
            roster.replace(viewers, budget.is_unlimited(), |left_behind| {
                leaving.depart(left_behind, viewers.len(), members);
            });
            crowd.renew(viewers);
            if self.take_step(budget, changes) {
                return;
            }
        }
        if !self.is_settled() {
            self.work(budget);
            let found = self.found.len() + self.departed.len();
            let before = budget.now();
            self.found.drain_into(&mut changes.entered);
            self.departed.drain_into(&mut changes.left);
            if let (Some(before), Some(after)) = (before, budget.now()) {
                self.ordering.learn(found, after.saturating_sub(before));
            }
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

    /// Does what there is to do where one viewer, with no other near, has taken a step that it took before. Returns
    /// whether that was so.
    fn take_step(&mut self, budget: &mut ScanBudget<'_>, changes: &mut Changes) -> bool {
        let Some((viewer, before)) = self.roster.lone_step() else {
            return false;
        };
        let (range, centre) = (viewer.range, viewer.coord);
        let from = Placed::new(before, range.unload());
        let is_only = self.roster.viewers().len() == 1;
        if self.leaving.lone_departure() != Some(from)
            || !(is_only || self.crowd.is_alone(centre, &from, &mut self.rivals))
        {
            return false;
        }
        let Some((stencil, marks)) = self.stencils.of(range, before, centre) else {
            return false;
        };
        let members = &mut self.members;
        let row = (stencil.enters).apply(centre, members, budget, &mut changes.entered, marks);
        (self.roster).advance(|_, entering| entering.skip_to(row));
        let row = (stencil.leaves).apply(centre, members, budget, &mut changes.left, marks);
        self.leaving.skip_to(row);
        // Nothing was put in order.
        self.ordering.learn(0, Duration::ZERO);
        true
    }

    fn work(&mut self, budget: &mut ScanBudget<'_>) {
        let mut last = None;
        while !self.is_settled() {
            let quantum = if self.roster.is_crowded() {
                SMALL_QUANTUM
            } else {
                QUANTUM
            };
            let found = self.found.len() + self.departed.len();
            let granted = budget.grant(quantum, found, self.ordering);
            if granted == 0 {
                return;
            }
            let mut credits = granted;
            let leave = self.leaving.is_pending() && (self.leave_next || !self.roster.is_pending());
            self.leave_next = !leave;
            if leave {
                let (crowd, members) = (&mut self.crowd, &mut self.members);
                (self.leaving).advance(crowd, members, &mut self.departed, &mut credits);
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
            let before = last.replace(index);
            if before != Some(index) {
                if before.is_some() {
                    self.found.mix();
                }
                let viewer = &self.roster.viewers()[index];
                // Who is nearer than this viewer to anything in its footprint is within twice the reach.
                let reach_sq = viewer.range.load().outermost_sq().saturating_mul(4);
                self.rivals.clear();
                self.crowd.within(viewer.coord, reach_sq, &mut self.rivals);
            }
            let sink = Sink {
                members: &mut self.members,
                found: &mut self.found,
                rivals: &self.rivals,
                crowd: &mut self.crowd,
            };
            (self.roster).advance(|target, entering| entering.advance(target, sink, credits));
        }
    }
}

#[cfg(test)]
mod tests;
