//! Predicts what a slice of work will cost, so that a slice that does not fit is not started.
//!
//! Slices are measured in *estimated* time, and the [clock](SparseClock) corrects the estimates. Work that cannot be
//! divided is a [step](Pacer::begin_step): the clock is read after every step.

use super::{
    clock::{Clock, READ_EVERY, SparseClock},
    cost_key::CostKey,
    cost_model::CostModel,
    downstream::Downstream,
};
use bevy_ecs::{entity::Entity, world::World};
use core::time::Duration;
use smallvec::SmallVec;

/// The fraction of a phase that is kept in reserve, because a slice that takes too long is only noticed when it is over.
const RESERVE: u32 = 50;
/// Nanoseconds of the slice that a frame may always take, also when its budget is spent; one entity at least.
const OWED: f64 = 5_000.0;
/// The most entities of such a slice.
const OWED_ENTITIES: usize = 16;

/// A frame's budgeted work, in phases with limits of their own.
#[derive(Debug)]
pub(crate) struct Pacer<'a> {
    clock: SparseClock<'a>,
    costs: &'a mut CostModel,
    start: Duration,
    /// When the current phase ends; `None` without a limit by time.
    deadline: Option<Duration>,
    /// Whether this phase must still do one slice, even with no time left.
    owes_a_slice: bool,
    /// Whether this phase has done a slice.
    has_advanced: bool,
    /// The work since the clock was last read: a slot in the cost model, and how many entities.
    window: SmallVec<[(usize, usize); 4]>,
    /// The step that was begun and not yet ended.
    step: Option<CostKey>,
    /// Whether a chunk is one step.
    in_whole_chunks: bool,
    /// How many bytes the frame may upload; `None` without a limit.
    most_bytes: Option<usize>,
    /// How many bytes the frame has uploaded.
    bytes: usize,
    /// What entities cost the rest of the frame.
    downstream: Downstream,
    /// Nanoseconds of that which the work so far will cost.
    charged: f64,
}

impl<'a> Pacer<'a> {
    /// Starts a frame's work, without a limit until the first [phase](Self::begin_phase).
    pub(crate) fn start(clock: &'a dyn Clock, costs: &'a mut CostModel) -> Self {
        let clock = SparseClock::new(clock);
        Self {
            start: clock.read_at(),
            clock,
            costs,
            deadline: None,
            owes_a_slice: false,
            has_advanced: false,
            window: SmallVec::new(),
            step: None,
            in_whole_chunks: false,
            most_bytes: None,
            bytes: 0,
            downstream: Downstream::default(),
            charged: 0.0,
        }
    }

    /// Counts what entities cost the rest of the frame as part of what they cost.
    pub(crate) fn charge_downstream(&mut self, downstream: Downstream) {
        self.downstream = downstream;
    }

    /// Notes that so many entities were spawned in a step.
    pub(crate) fn spawned_in_step(&mut self, entities: usize) {
        self.charged += self.downstream.spawned * entities as f64;
    }

    /// Notes that so many entities were despawned in a step.
    pub(crate) fn despawned_in_step(&mut self, entities: usize) {
        self.charged += self.downstream.despawned * entities as f64;
    }

    /// Has each chunk be one step, or divided into slices.
    pub(crate) fn set_whole_chunks(&mut self, in_whole_chunks: bool) {
        self.in_whole_chunks = in_whole_chunks;
    }

    /// Whether a chunk is one step.
    pub(crate) fn is_in_whole_chunks(&self) -> bool {
        self.in_whole_chunks
    }

    /// Limits the bytes of a frame that has uploaded some already.
    pub(crate) fn limit_bytes(&mut self, most: Option<usize>, uploaded: usize) {
        (self.most_bytes, self.bytes) = (most, uploaded);
    }

    /// Whether so many bytes may be uploaded now. The first upload of a frame may have any number.
    pub(crate) fn may_upload(&self, bytes: usize) -> bool {
        let most = self.most_bytes.unwrap_or(usize::MAX);
        bytes == 0 || self.bytes == 0 || self.bytes.saturating_add(bytes) <= most
    }

    /// Notes that so many bytes are uploaded.
    pub(crate) fn uploads(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// How many bytes the frame has uploaded.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Begins a phase that ends `limit` after the start of the frame's work. With `must_advance` its first slice is
    /// allowed even with no time left.
    pub(crate) fn begin_phase(&mut self, limit: Option<Duration>, must_advance: bool) {
        self.read_clock();
        self.deadline = limit.map(|limit| self.start.saturating_add(limit - limit / RESERVE));
        self.owes_a_slice = must_advance;
        self.has_advanced = false;
    }

    /// Whether this phase has done anything.
    pub(crate) fn has_advanced(&self) -> bool {
        self.has_advanced
    }

    /// How many entities of this key may be processed now; 0 when none fits.
    pub(crate) fn allowance(&mut self, key: CostKey) -> usize {
        self.allowance_with(key, 0.0)
    }

    /// How many entities may be despawned now; 0 when none fits.
    pub(crate) fn despawn_allowance(&mut self, key: CostKey) -> usize {
        self.allowance_with(key, self.downstream.despawned)
    }

    /// The same for entities that cost the rest of the frame so much each.
    fn allowance_with(&mut self, key: CostKey, downstream: f64) -> usize {
        if self.deadline.is_none() {
            return usize::MAX;
        }
        if self.clock.must_read() {
            self.read_clock();
        }
        let slot = self.costs.slot(key);
        if !self.costs.is_measured(slot) {
            // So that nothing else is part of its first measurement.
            self.read_clock();
        }
        let (cost, trusted) = (self.costs.nanos(slot), self.costs.trusted(slot));
        let left = self.left();
        let whole_cost = cost + downstream;
        if left >= whole_cost {
            // An entity that costs more than `READ_EVERY` may go alone.
            ((left / whole_cost).min(READ_EVERY / cost) as usize).clamp(1, trusted)
        } else if self.owes_a_slice {
            ((OWED / cost) as usize).clamp(1, OWED_ENTITIES.min(trusted))
        } else {
            0
        }
    }

    /// How many entities of this key may be spawned now; 0 when none fits. A slice ends where its table is full, and
    /// the entity that makes the table grow is a slice of its own.
    pub(crate) fn spawn_allowance(&mut self, key: CostKey, world: &World) -> usize {
        let allowance = self.allowance_with(key, self.downstream.spawned);
        if allowance == 0 || self.deadline.is_none() {
            return allowance;
        }
        let room = self.costs.tables.room(key, world);
        if room == 0 {
            // What was done before is measured now, because nothing is learned from the slice in which a table grows.
            self.read_clock();
        }
        allowance.min(room.max(1))
    }

    /// How many entities the table that those of this key go to is to be given room for, if it is full and more chunks
    /// are expected than twice the room would hold.
    pub(crate) fn missing_room(&mut self, key: CostKey, world: &World) -> Option<u32> {
        let missing = self.costs.tables.missing_room(key, world);
        if missing.is_some() {
            self.read_clock();
            self.advanced();
        }
        missing
    }

    /// Notes how many more chunks are expected.
    pub(crate) fn expect_chunks(&mut self, chunks: usize) {
        self.costs.tables.expected = chunks;
    }

    /// Notes that entities of this key were spawned, `last` after the others.
    pub(crate) fn spawned(
        &mut self,
        key: CostKey,
        entities: usize,
        last: Option<Entity>,
        world: &World,
    ) {
        self.spawned_in_step(entities);
        let tables = &mut self.costs.tables;
        let has_grown = last.is_some_and(|last| tables.note(key, entities, last, world));
        if has_grown {
            // How long a table takes to grow is not what an entity costs.
            self.advanced();
            self.break_off();
        } else {
            self.spent(key, entities);
        }
    }

    /// Notes that entities of this key were despawned.
    pub(crate) fn despawned(&mut self, key: CostKey, entities: usize) {
        self.despawned_in_step(entities);
        self.spent(key, entities);
    }

    /// Notes that entities of this key were processed.
    pub(crate) fn spent(&mut self, key: CostKey, entities: usize) {
        if entities == 0 {
            return;
        }
        self.advanced();
        let slot = self.costs.slot(key);
        self.note(slot, entities);
        if self.deadline.is_some() && !self.costs.is_measured(slot) {
            self.read_clock();
        }
    }

    /// Begins a chunk with the step that its root takes. If nothing else is to be measured, the time since the clock
    /// was last read belongs to the step: the chunk was taken from the queue, and the one before it handed over.
    pub(crate) fn begin_chunk(&mut self, key: CostKey) {
        if !self.window.is_empty() {
            self.read_clock();
        }
        self.costs.tables.begun += 1;
        self.step = Some(key);
        self.advanced();
    }

    /// Begins user code that cannot be divided: whatever passes until [`end_step`](Self::end_step) is its cost.
    pub(crate) fn begin_step(&mut self, key: CostKey) {
        self.begin_aside(key);
        self.advanced();
    }

    /// The same for what does not count as the slice that a frame owes.
    pub(crate) fn begin_aside(&mut self, key: CostKey) {
        self.read_clock();
        self.step = Some(key);
    }

    /// Ends the step, if it has not ended yet, and reads the clock.
    pub(crate) fn end_step(&mut self) {
        if let Some(key) = self.step.take() {
            let slot = self.costs.slot(key);
            self.note(slot, 1);
        }
        self.read_clock();
    }

    /// Ends the step, if there is one, before work that is measured by itself.
    pub(crate) fn end_step_early(&mut self) {
        if self.step.is_some() {
            self.end_step();
        }
    }

    /// Reads the clock and learns nothing from it.
    pub(crate) fn break_off(&mut self) {
        self.step = None;
        self.window.clear();
        self.read_clock();
    }

    /// Reads the clock and corrects the estimates of what was done since the last reading.
    pub(crate) fn read_clock(&mut self) {
        let measured = self.clock.read();
        if !self.window.is_empty() {
            self.costs.learn(&self.window, measured);
            self.window.clear();
        }
    }

    /// Ends the frame's work and returns how long it took.
    pub(crate) fn finish(mut self) -> Duration {
        self.end_step();
        self.clock.read_at().saturating_sub(self.start)
    }

    /// Notes that this phase has done something.
    pub(crate) fn advanced(&mut self) {
        self.owes_a_slice = false;
        self.has_advanced = true;
    }

    fn note(&mut self, slot: usize, entities: usize) {
        self.clock
            .estimate(self.costs.nanos(slot) * entities as f64);
        match self.window.iter_mut().find(|(known, _)| *known == slot) {
            Some((_, count)) => *count += entities,
            None => self.window.push((slot, entities)),
        }
    }

    /// Estimated nanoseconds until the deadline.
    fn left(&self) -> f64 {
        (self.deadline).map_or(f64::INFINITY, |deadline| {
            self.clock.left_until(deadline) - self.charged
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::clock::ManualClock;
    use bevy_ecs::component::Component;

    const MILLISECOND: Duration = Duration::from_millis(1);

    #[derive(Component)]
    struct Tree(#[expect(dead_code, reason = "it only takes room")] u32);

    /// Stands for a call of user code.
    struct Call;

    fn key() -> CostKey {
        CostKey::of::<Tree>()
    }

    fn is_exhausted(pacer: &Pacer<'_>) -> bool {
        !pacer.owes_a_slice && pacer.left() <= 0.0
    }

    /// Processes all that is allowed, each entity taking `cost`, and says how many there were.
    fn work(pacer: &mut Pacer<'_>, clock: &ManualClock, cost: Duration, most: usize) -> usize {
        let mut done = 0;
        while done < most {
            let slice = pacer.allowance(key()).min(most - done);
            if slice == 0 {
                break;
            }
            clock.advance(cost * slice as u32);
            pacer.spent(key(), slice);
            done += slice;
        }
        done
    }

    fn frame(
        clock: &ManualClock,
        costs: &mut CostModel,
        limit: Duration,
        cost: Duration,
    ) -> Duration {
        let mut pacer = Pacer::start(clock, costs);
        pacer.begin_phase(Some(limit), true);
        work(&mut pacer, clock, cost, usize::MAX);
        pacer.finish()
    }

    #[test]
    fn the_budget_is_held_from_the_first_frame_whatever_an_entity_costs() {
        for nanos in [50, 137, 1_000, 10_000, 300_000] {
            let clock = ManualClock::default();
            let mut costs = CostModel::default();
            let cost = Duration::from_nanos(nanos);
            for nth in 0..20 {
                let taken = frame(&clock, &mut costs, MILLISECOND, cost);
                assert!(taken <= MILLISECOND, "{nanos} ns, frame {nth}: {taken:?}");
                let wasted = MILLISECOND - taken;
                // The reserve, what one reading of the clock covers, and one entity.
                let most = Duration::from_micros(40) + cost;
                assert!(wasted <= most, "{nanos} ns, frame {nth}: {wasted:?} unused");
            }
        }
    }

    #[test]
    fn a_spent_budget_still_advances_by_one_short_slice() {
        for (micros, slice) in [(1, 5), (10, 1), (300, 1)] {
            let clock = ManualClock::default();
            let mut costs = CostModel::default();
            let cost = Duration::from_micros(micros);
            frame(&clock, &mut costs, Duration::from_millis(5), cost);
            let mut pacer = Pacer::start(&clock, &mut costs);
            pacer.begin_phase(Some(Duration::ZERO), true);
            let done = work(&mut pacer, &clock, cost, usize::MAX);
            assert_eq!(done, slice, "{micros} µs");
            assert!(is_exhausted(&pacer));
        }
    }

    #[test]
    fn a_key_that_was_never_measured_starts_with_one() {
        let clock = ManualClock::default();
        let mut costs = CostModel::default();
        let mut pacer = Pacer::start(&clock, &mut costs);
        pacer.begin_phase(Some(MILLISECOND), true);
        assert_eq!(pacer.allowance(key()), 1);
    }

    #[test]
    fn without_the_duty_to_advance_a_spent_budget_allows_nothing() {
        let clock = ManualClock::default();
        let mut costs = CostModel::default();
        let mut pacer = Pacer::start(&clock, &mut costs);
        pacer.begin_phase(Some(Duration::ZERO), false);
        assert_eq!(pacer.allowance(key()), 0);
        assert!(is_exhausted(&pacer));
    }

    #[test]
    fn without_a_limit_everything_is_allowed() {
        let clock = ManualClock::default();
        let mut costs = CostModel::default();
        let mut pacer = Pacer::start(&clock, &mut costs);
        pacer.begin_phase(None, false);
        assert_eq!(pacer.allowance(key()), usize::MAX);
        assert!(!is_exhausted(&pacer));
    }

    #[test]
    fn a_step_is_measured_apart_from_the_entities_within_it() {
        let clock = ManualClock::default();
        let mut costs = CostModel::default();
        let call = CostKey::of::<Call>();
        for _ in 0..40 {
            let mut pacer = Pacer::start(&clock, &mut costs);
            pacer.begin_phase(Some(10 * MILLISECOND), true);
            pacer.begin_step(call);
            clock.advance(Duration::from_micros(300));
            pacer.end_step_early();
            work(&mut pacer, &clock, Duration::from_nanos(100), 15);
            pacer.end_step();
        }
        assert!((costs.of(call) - 300_000.0).abs() < 1.0);
        assert!((costs.of(key()) - 100.0).abs() < 1.0);
        let mut pacer = Pacer::start(&clock, &mut costs);
        pacer.begin_phase(Some(Duration::from_micros(250)), false);
        assert_eq!(pacer.allowance(call), 0, "it would not fit");
    }

    #[test]
    fn work_that_broke_off_is_paid_for_and_teaches_nothing() {
        let clock = ManualClock::default();
        let mut costs = CostModel::default();
        frame(&clock, &mut costs, MILLISECOND, Duration::from_nanos(100));
        let before = costs.of(key());
        let mut pacer = Pacer::start(&clock, &mut costs);
        pacer.begin_phase(Some(MILLISECOND), true);
        pacer.begin_step(CostKey::of::<Call>());
        clock.advance(2 * MILLISECOND);
        pacer.break_off();
        assert!(is_exhausted(&pacer));
        assert_eq!(pacer.finish(), 2 * MILLISECOND);
        assert_eq!(costs.of(key()), before);
    }

    #[test]
    fn the_entity_that_makes_a_table_grow_is_a_slice_of_its_own_and_teaches_nothing() {
        let (mut world, clock, mut costs) =
            (World::new(), ManualClock::default(), CostModel::default());
        let a_tree = Duration::from_micros(1);
        frame(&clock, &mut costs, MILLISECOND, a_tree);
        let mut pacer = Pacer::start(&clock, &mut costs);
        pacer.begin_phase(Some(100 * MILLISECOND), false);
        let mut grown_at = Vec::new();
        let mut trees = 0;
        while trees < 3_000 {
            let slice = pacer.spawn_allowance(key(), &world);
            let capacity = |world: &World, tree: Entity| {
                let table = world.entity(tree).location().table_id;
                world.storages().tables[table].entity_capacity()
            };
            let mut last = None;
            for _ in 0..slice {
                let before = last.map(|last| capacity(&world, last));
                last = Some(world.spawn(Tree(trees)).id());
                let grown = before.is_some_and(|before| before >= 512)
                    && before != last.map(|last| capacity(&world, last));
                assert!(!grown, "a slice ends where its table is full");
                trees += 1;
            }
            clock.advance(a_tree * slice as u32);
            if trees > 512 && (trees - 1).is_power_of_two() {
                assert_eq!(slice, 1);
                grown_at.push(trees - 1);
                // Moving the table takes long.
                clock.advance(MILLISECOND);
            }
            pacer.spawned(key(), slice, last, &world);
        }
        assert_eq!(grown_at, [512, 1_024, 2_048]);
        assert!((costs.of(key()) - 1_000.0).abs() < 1.0);
    }
}
