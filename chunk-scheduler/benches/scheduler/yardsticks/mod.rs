//! What the scheduler is compared with: plain threads, the original algorithm, and one task per chunk. And the work
//! that all of them do.

pub(crate) mod bare;
pub(crate) mod original;
pub(crate) mod task_per_chunk;
mod work;

use std::{
    thread,
    time::{Duration, Instant},
};

pub(crate) use work::Work;

/// Calls `frame` 60 times a second until it returns true. Returns the number of frames, and how long this thread was
/// busy in them.
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

/// `count` keys around the origin, in rows.
pub(crate) fn square(count: usize) -> impl Iterator<Item = [i32; 3]> {
    let side = (1..).find(|side| side * side >= count).unwrap_or(1);
    (0..count).map(move |at| {
        let centred =
            |at: usize| i32::try_from(at).unwrap_or(0) - i32::try_from(side / 2).unwrap_or(0);
        [centred(at % side), 0, centred(at / side)]
    })
}
