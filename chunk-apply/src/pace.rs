//! Predicts what a slice will cost, so that one that does not fit is not started.
//!
//! A clock read costs about a quarter of spawning an entity, so the clock is not read for each. Slices
//! of entities are measured in *estimated* time, and the clock corrects the estimates every
//! [`READ_EVERY`] of estimated work. What cannot be divided is a [step](Pace::begin_step): the clock is read after each.

use crate::{
    clock::Clock,
    costs::{Costs, Kind},
    growth::Plan,
};
use bevy_ecs::{entity::Entity, world::World};
use core::time::Duration;
use smallvec::SmallVec;

/// Estimated nanoseconds of work after which the clock is read again, and the longest slice. A wrong
/// estimate costs at most twice this much, times its error.
const READ_EVERY: f64 = 20_000.0;
/// The fraction of a stretch that is kept back, because a slice is only known to have been too long
/// when it is over.
const RESERVE: u32 = 50;
/// Nanoseconds that the slice may take which is allowed even when the budget is spent, so that every
/// frame advances; one entity at least.
const OWED: f64 = 5_000.0;
/// The most entities of such a slice.
const OWED_ENTITIES: usize = 16;

/// A frame's budgeted work, in stretches with limits of their own.
#[derive(Debug)]
pub(crate) struct Pace<'a> {
    clock: &'a dyn Clock,
    costs: &'a mut Costs,
    start: Duration,
    /// Of the current stretch. `None`: no limit by time.
    deadline: Option<Duration>,
    /// Whether this stretch must advance even with nothing left.
    owes_a_slice: bool,
    /// Whether this stretch did.
    has_advanced: bool,
    read_at: Duration,
    /// Estimated nanoseconds of work since `read_at`.
    estimated: f64,
    /// What that work was: slot in the costs and entities.
    window: SmallVec<[(usize, usize); 4]>,
    /// The step that was begun and not yet ended.
    step: Option<Kind>,
    /// What the slice under way makes grow.
    growing: Option<Plan>,
}

impl<'a> Pace<'a> {
    /// Starts a frame's work, without a limit until the first [`stretch`](Self::stretch).
    pub(crate) fn start(clock: &'a dyn Clock, costs: &'a mut Costs) -> Self {
        let start = clock.now();
        Self {
            clock,
            costs,
            start,
            deadline: None,
            owes_a_slice: false,
            has_advanced: false,
            read_at: start,
            estimated: 0.0,
            window: SmallVec::new(),
            step: None,
            growing: None,
        }
    }

    /// Begins a stretch that ends `limit` after the start of the frame's work. With `must_advance` the
    /// first slice is allowed whatever is left.
    pub(crate) fn stretch(&mut self, limit: Option<Duration>, must_advance: bool) {
        self.look();
        self.deadline = limit.map(|limit| self.start.saturating_add(limit - limit / RESERVE));
        self.owes_a_slice = must_advance;
        self.has_advanced = false;
    }

    /// Whether this stretch has done anything.
    pub(crate) fn has_advanced(&self) -> bool {
        self.has_advanced
    }

    /// How many entities of this kind may be processed now; 0 when none fits.
    pub(crate) fn allowance(&mut self, kind: Kind) -> usize {
        if self.deadline.is_none() {
            return usize::MAX;
        }
        if self.estimated >= READ_EVERY {
            self.look();
        }
        let slot = self.costs.slot(kind);
        let (cost, trusted) = (self.costs.nanos(slot), self.costs.trusted(slot));
        let left = self.left();
        if left >= cost {
            // One that costs more than the clock is trusted for may go alone.
            ((left.min(READ_EVERY) / cost) as usize).clamp(1, trusted)
        } else if self.owes_a_slice {
            ((OWED / cost) as usize).clamp(1, OWED_ENTITIES.min(trusted))
        } else {
            0
        }
    }

    /// How many entities of this kind may be spawned now; 0 when none fits. A slice ends where its table is full,
    /// and the one that makes the table grow is one entity, if that fits.
    pub(crate) fn spawn_allowance(&mut self, kind: Kind, world: &World) -> usize {
        self.growing = None;
        let allowance = self.allowance(kind);
        if allowance == 0 || self.deadline.is_none() {
            return allowance;
        }
        match self.costs.growth.room(kind, world) {
            0 if self.may_grow(kind, world) => 1,
            room => allowance.min(room),
        }
    }

    /// Whether a chunk may be begun, whose root is of this kind.
    pub(crate) fn may_begin_chunk(&mut self, kind: Kind, world: &World) -> bool {
        self.spawn_allowance(kind, world) > 0
    }

    /// Whether what is full may grow with the next entity of this kind.
    fn may_grow(&mut self, kind: Kind, world: &World) -> bool {
        self.look();
        let plan = self.costs.growth.plan(kind, world);
        let must_wait =
            self.left() < plan.nanos && !self.owes_a_slice && self.costs.growth.wait(kind, world);
        self.growing = (!must_wait).then_some(plan);
        !must_wait
    }

    /// Notes that entities of this kind were spawned, the last of them this one.
    pub(crate) fn spawned(
        &mut self,
        kind: Kind,
        entities: usize,
        last: Option<Entity>,
        world: &World,
    ) {
        let has_grown = match last {
            Some(last) => self.went_to(kind, last, world),
            None => false,
        };
        if has_grown {
            self.advanced();
        } else {
            self.spent(kind, entities);
        }
    }

    /// Notes where the last entity of this kind went, and whether something was to grow with it. What that took is learned.
    fn went_to(&mut self, kind: Kind, last: Entity, world: &World) -> bool {
        self.costs.growth.went_to(kind, last, world);
        let Some(plan) = self.growing.take() else {
            return false;
        };
        let before = self.read_at;
        self.look();
        let measured = nanos(self.read_at.saturating_sub(before));
        self.costs.growth.learn(kind, plan, measured, world);
        true
    }

    /// Notes that entities of this kind were processed.
    pub(crate) fn spent(&mut self, kind: Kind, entities: usize) {
        self.growing = None;
        if entities == 0 {
            return;
        }
        self.advanced();
        let slot = self.costs.slot(kind);
        self.note(slot, entities);
        if self.deadline.is_some() && !self.costs.is_measured(slot) {
            self.look();
        }
    }

    /// Begins a chunk with the step that its root takes. What passed since the last look is part of it, if nothing else
    /// is to be measured: taking over the chunk, and handing over the one before.
    pub(crate) fn begin_chunk(&mut self, kind: Kind) {
        if !self.window.is_empty() || self.growing.is_some() {
            self.look();
        }
        self.step = Some(kind);
        self.advanced();
    }

    /// Notes the root of the chunk that was begun.
    pub(crate) fn rooted(&mut self, kind: Kind, root: Entity, world: &World) {
        self.went_to(kind, root, world);
    }

    /// Begins work of the user's that cannot be divided, nor be predicted from within: whatever
    /// passes until [`end_step`](Self::end_step) is its cost.
    pub(crate) fn begin_step(&mut self, kind: Kind) {
        self.look();
        self.step = Some(kind);
        self.advanced();
    }

    /// Ends the step, if it has not ended yet, and reads the clock.
    pub(crate) fn end_step(&mut self) {
        if let Some(kind) = self.step.take() {
            let slot = self.costs.slot(kind);
            self.note(slot, 1);
        }
        self.look();
    }

    /// Ends a step at the first thing that is measured by itself.
    pub(crate) fn end_step_early(&mut self) {
        if self.step.is_some() {
            self.end_step();
        }
    }

    /// Reads the clock and learns nothing from it, because the work broke off in the middle.
    pub(crate) fn break_off(&mut self) {
        (self.step, self.growing) = (None, None);
        self.window.clear();
        self.look();
    }

    /// Whether the time is used up, by the estimate.
    #[cfg(test)]
    pub(crate) fn is_exhausted(&self) -> bool {
        !self.owes_a_slice && self.left() <= 0.0
    }

    /// Reads the clock and corrects the estimates of what was done since the last reading.
    pub(crate) fn look(&mut self) {
        let now = self.clock.now();
        if !self.window.is_empty() {
            let measured = nanos(now.saturating_sub(self.read_at));
            self.costs.learn(&self.window, measured);
            self.window.clear();
        }
        self.estimated = 0.0;
        self.read_at = now;
    }

    /// Ends the frame's work: the time it really took.
    pub(crate) fn finish(mut self) -> Duration {
        self.end_step();
        self.read_at.saturating_sub(self.start)
    }

    fn advanced(&mut self) {
        self.owes_a_slice = false;
        self.has_advanced = true;
    }

    fn note(&mut self, slot: usize, entities: usize) {
        self.estimated += self.costs.nanos(slot) * entities as f64;
        match self.window.iter_mut().find(|(known, _)| *known == slot) {
            Some((_, count)) => *count += entities,
            None => self.window.push((slot, entities)),
        }
    }

    /// Nanoseconds until the deadline, by the estimate.
    fn left(&self) -> f64 {
        self.deadline.map_or(f64::INFINITY, |deadline| {
            nanos(deadline.saturating_sub(self.read_at)) - self.estimated
        })
    }
}

/// What [`Duration::as_nanos`] is, without the detour by way of 128 bits.
fn nanos(time: Duration) -> f64 {
    time.as_secs() as f64 * 1e9 + f64::from(time.subsec_nanos())
}

#[cfg(test)]
mod tests;
