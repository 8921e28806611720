//! How many runners there are, and the protocol by which one leaves without losing a wake-up.
//!
//! A runner that finds nothing to do leaves; the main thread, when it makes something to do,
//! starts runners if too few are there. Both must not look away at the same moment. So the number
//! of runners shares one word with a counter of *pokes*: the main thread makes the work visible,
//! then pokes and reads the number in one step; a runner notes the word *before* it looks for
//! work and may only leave by swapping exactly that word. If a poke came in between the swap fails
//! and it looks again; if none did, the poke that follows reads a number without it.

use crate::sync::{AtomicU64, Ordering};

const RUNNERS: u64 = 0xffff;
const POKE: u64 = RUNNERS + 1;

/// The most runners a scheduler can have.
pub(crate) const MOST_RUNNERS: usize = 1 << 12;

#[derive(Debug)]
pub(crate) struct Gate(AtomicU64);

/// What a runner saw before it looked for work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen(u64);

impl Seen {
    pub(crate) fn runners(self) -> usize {
        (self.0 & RUNNERS) as usize
    }
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(crate) fn observe(&self) -> Seen {
        Seen(self.0.load(Ordering::Acquire))
    }

    pub(crate) fn runners(&self) -> usize {
        self.observe().runners()
    }

    /// Main thread, after it made work or room visible: invalidates what leaving runners saw, and
    /// returns how many are (still) there.
    pub(crate) fn poke(&self) -> usize {
        Seen(self.0.fetch_add(POKE, Ordering::AcqRel)).runners()
    }

    /// Main thread, before it spawns a runner.
    pub(crate) fn enter(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    /// A runner that found nothing to do after it had `seen`. False: look again.
    pub(crate) fn leave(&self, seen: Seen) -> bool {
        self.0
            .compare_exchange(seen.0, seen.0 - 1, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// A runner that goes no matter what: shut down, or dropped by its executor.
    pub(crate) fn abandon(&self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_poke_keeps_a_runner_that_was_about_to_leave() {
        let gate = Gate::new();
        gate.enter();
        let seen = gate.observe();
        assert_eq!(gate.poke(), 1);
        assert!(!gate.leave(seen));
        assert!(gate.leave(gate.observe()));
        assert_eq!(gate.poke(), 0);
    }
}
