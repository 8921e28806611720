//! Which chunks were changed since they were saved, and when they are saved because of that alone.

use chunk_coord::ChunkCoord;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

/// That a chunk was changed since it was saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// When it is to be saved because of that, if it ever is.
    due: Option<Duration>,
    /// How often saving it because of that has failed.
    pub(super) failures: u32,
}

/// The marks of the chunks that stand. A new version of a chunk inherits the mark of the one that it replaces, whose
/// change is not saved.
#[derive(Default)]
pub(in crate::streaming) struct Marks {
    /// How long a chunk may be marked before it is saved because of that.
    autosave: Option<Duration>,
    marks: BTreeMap<ChunkCoord, Mark>,
    /// Those that are not due yet, by when they are.
    waiting: BTreeSet<(Duration, ChunkCoord)>,
    /// Those that are due.
    due: BTreeSet<(Duration, ChunkCoord)>,
    /// Those that are due for so long that nothing else may go before them.
    late: BTreeSet<(Duration, ChunkCoord)>,
}

impl Marks {
    pub(super) fn new(autosave: Option<Duration>) -> Self {
        Self {
            autosave,
            ..Self::default()
        }
    }

    /// Marks a chunk that stands, if it is not.
    pub(super) fn mark(&mut self, coord: ChunkCoord, now: Duration) {
        if !self.marks.contains_key(&coord) {
            self.insert(coord, self.made(coord, now));
        }
    }

    /// What a chunk is marked with at this moment.
    pub(super) fn made(&self, coord: ChunkCoord, now: Duration) -> Mark {
        // What is marked at once is spread over half of the time, in an order that depends on the coordinates alone; a
        // quarter is left for frames that have no time.
        let delay = (self.autosave).map(|most| most / 4 + most / 2 / 256 * spread(coord));
        Mark {
            due: delay.map(|delay| now.saturating_add(delay)),
            failures: 0,
        }
    }

    /// Puts a mark back, unless there is one by now.
    pub(super) fn restore(&mut self, coord: ChunkCoord, mark: Option<Mark>) {
        if let Some(mark) = mark
            && !self.marks.contains_key(&coord)
        {
            self.insert(coord, mark);
        }
    }

    fn insert(&mut self, coord: ChunkCoord, mark: Mark) {
        self.marks.insert(coord, mark);
        (self.waiting).extend(mark.due.map(|due| (due, coord)));
    }

    pub(super) fn take(&mut self, coord: ChunkCoord) -> Option<Mark> {
        let mark = self.marks.remove(&coord)?;
        self.take_turn(coord, mark);
        Some(mark)
    }

    fn take_turn(&mut self, coord: ChunkCoord, mark: Mark) {
        if let Some(due) = mark.due {
            let turn = (due, coord);
            let _ = self.waiting.remove(&turn) || self.due.remove(&turn) || self.late.remove(&turn);
        }
    }

    /// Saving the chunk because of its mark has failed: it is tried again then.
    pub(super) fn retry_at(&mut self, coord: ChunkCoord, at: Duration) {
        if let Some(mark) = self.take(coord) {
            let failures = mark.failures.saturating_add(1);
            let due = Some(at);
            self.insert(coord, Mark { due, failures });
        }
    }

    pub(super) fn contains(&self, coord: ChunkCoord) -> bool {
        self.marks.contains_key(&coord)
    }

    pub(super) fn len(&self) -> usize {
        self.marks.len()
    }

    /// The marked chunks, in their order.
    pub(super) fn coords(&self) -> impl Iterator<Item = ChunkCoord> {
        self.marks.keys().copied()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.autosave);
    }

    /// Whether a chunk is due at this moment, which is asked for only where that is possible.
    pub(in crate::streaming) fn has_due(&self, now: impl FnOnce() -> Duration) -> bool {
        self.due_now() > 0 || (self.waiting.first()).is_some_and(|(due, _)| *due <= now())
    }

    /// How many chunks are due or late.
    pub(super) fn due_now(&self) -> usize {
        self.due.len() + self.late.len()
    }

    /// Makes chunks due whose time has come.
    pub(super) fn wake(&mut self, now: Duration) {
        let slack = self.autosave.unwrap_or_default() / 4;
        pass(&mut self.waiting, &mut self.due, |due| due <= now);
        pass(&mut self.due, &mut self.late, |due| {
            due.saturating_add(slack) < now
        });
    }

    /// How many chunks are due.
    pub(super) fn due(&self) -> usize {
        self.due.len()
    }

    /// How many chunks nothing else may go before.
    pub(super) fn late(&self) -> usize {
        self.late.len()
    }

    /// The next of those that are late, or else due, whose turn has then passed.
    pub(super) fn next(&mut self) -> Option<(ChunkCoord, Mark)> {
        let first = self.late.pop_first().or_else(|| self.due.pop_first());
        let mark = self.marks.get_mut(&first?.1)?;
        let next = (first?.1, *mark);
        mark.due = None;
        Some(next)
    }
}

/// Passes on what is there until then.
fn pass(
    from: &mut BTreeSet<(Duration, ChunkCoord)>,
    to: &mut BTreeSet<(Duration, ChunkCoord)>,
    is_until: impl Fn(Duration) -> bool,
) {
    while from.first().is_some_and(|(due, _)| is_until(*due)) {
        to.extend(from.pop_first());
    }
}

/// A number below 256 that is the same for a coordinate each time and looks random over those of a region.
fn spread(coord: ChunkCoord) -> u32 {
    let [x, y, z] = [coord.x, coord.y, coord.z].map(|axis| u64::from(axis.cast_unsigned()));
    let mut mixed = x ^ y.rotate_left(21) ^ z.rotate_left(42);
    for _ in 0..2 {
        mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    (mixed >> 56) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn what_is_marked_at_once_is_due_evenly_over_the_middle_half_of_the_time() {
        let mut marks = Marks::new(Some(HOUR));
        let coords = (0..40).flat_map(|x| (0..40).map(move |z| ChunkCoord::planar(x, z)));
        coords.for_each(|coord| marks.mark(coord, HOUR));
        for (minute, expected) in [(75, 0.0), (90, 0.5), (105, 1.0)] {
            marks.wake(Duration::from_secs(60 * minute));
            let share = (marks.due() + marks.late()) as f64 / 1_600.0;
            assert!((share - expected).abs() < 0.05, "{share} after {minute}");
        }
        marks.wake(2 * HOUR);
        assert_eq!((marks.due(), marks.late()), (0, 1_600));
        // A chunk that was marked again meanwhile is due as it was.
        marks.mark(ChunkCoord::ORIGIN, 2 * HOUR);
        assert!(marks.take(ChunkCoord::ORIGIN).is_some());
        assert_eq!((marks.len(), marks.late()), (1_599, 1_599));
    }

    #[test]
    fn without_a_time_or_with_the_longest_nothing_is_ever_due() {
        for autosave in [None, Some(Duration::MAX)] {
            let mut marks = Marks::new(autosave);
            marks.mark(ChunkCoord::ORIGIN, HOUR);
            marks.wake(2 * HOUR);
            assert!(!marks.has_due(|| 2 * HOUR) && marks.next().is_none());
            assert!(marks.contains(ChunkCoord::ORIGIN));
        }
    }
}
