//! Work of a known cost, with the same instructions for all that are compared.

use std::{
    hint::black_box,
    sync::OnceLock,
    time::{Duration, Instant},
};

/// Work that takes `cost` on an idle core. It counts rounds and not time, so that two threads on one core take twice
/// as long. Another process can take over the count, so that both do the same work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    pub(crate) rounds: u64,
}

impl Work {
    pub(crate) fn taking(cost: Duration) -> Self {
        static ROUNDS_PER_MILLISECOND: OnceLock<u64> = OnceLock::new();
        let rate = ROUNDS_PER_MILLISECOND.get_or_init(|| {
            let sample = Self { rounds: 1 << 20 };
            let best = (0..20)
                .map(|_| {
                    let began = Instant::now();
                    sample.run(1);
                    began.elapsed()
                })
                .min()
                .unwrap_or_default();
            (sample.rounds * 1_000_000).div_ceil(u64::try_from(best.as_nanos()).unwrap_or(1).max(1))
        });
        let nanos = u64::try_from(cost.as_nanos()).unwrap_or(u64::MAX);
        Self {
            rounds: rate * nanos / 1_000_000,
        }
    }

    // Not inlined, so that all callers run the same instructions.
    #[inline(never)]
    pub(crate) fn run(self, seed: i32) -> u64 {
        let mut bits = u64::from(seed.unsigned_abs());
        for round in 0..self.rounds {
            bits = black_box(bits.rotate_left(7) ^ round);
        }
        bits
    }
}
