//! What the scheduler is compared with, written anew: plain threads, the original algorithm and
//! the usual one-task-per-chunk shape. And the work they all do.

pub(crate) mod bare;
pub(crate) mod original;
pub(crate) mod task_per_chunk;

use std::{
    hint::black_box,
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

/// Work that takes `cost` on an idle core. It counts rounds and not time, so that two threads that
/// share a core do not get it for free.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    rounds: u64,
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

    // Not inlined, so that everybody runs the same instructions.
    #[inline(never)]
    pub(crate) fn run(self, seed: i32) -> u64 {
        let mut bits = u64::from(seed.unsigned_abs());
        for round in 0..self.rounds {
            bits = black_box(bits.rotate_left(7) ^ round);
        }
        bits
    }
}

/// Calls `frame` 60 times a second until it says that it is done. Returns how many frames it took
/// and how long this thread was at work in them.
pub(crate) fn at_60_hz(mut frame: impl FnMut(Duration) -> bool) -> (u32, Duration) {
    const FRAME: Duration = Duration::from_nanos(16_666_667);
    let began = Instant::now();
    let (mut frames, mut busy) = (0, Duration::ZERO);
    loop {
        let woke = Instant::now();
        let is_done = frame(woke - began);
        busy += woke.elapsed();
        frames += 1;
        if is_done {
            return (frames, busy);
        }
        thread::sleep((began + FRAME * frames).saturating_duration_since(Instant::now()));
    }
}

/// The squared distance of a key from a viewer on a square grid.
pub(crate) fn distance_sq(key: [i32; 3], viewer: [i32; 3]) -> u64 {
    key.iter()
        .zip(viewer)
        .map(|(a, b)| u64::from(a.abs_diff(b)).pow(2))
        .sum()
}

/// So many keys around the origin, in rows.
pub(crate) fn square(count: usize) -> impl Iterator<Item = [i32; 3]> {
    let side = (1..).find(|side| side * side >= count).unwrap_or(1);
    (0..count).map(move |at| {
        let place =
            |at: usize| i32::try_from(at).unwrap_or(0) - i32::try_from(side / 2).unwrap_or(0);
        [place(at % side), 0, place(at / side)]
    })
}
