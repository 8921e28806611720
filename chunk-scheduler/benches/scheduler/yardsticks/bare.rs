//! The upper bound: threads that do nothing but the work.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use super::Work;

/// Chunks per second of `threads` threads, over `duration`.
pub(crate) fn chunks_per_second(threads: usize, work: Work, duration: Duration) -> f64 {
    let (is_over, made) = (AtomicBool::new(false), AtomicU64::new(0));
    let elapsed = thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut own = 0;
                while !is_over.load(Ordering::Relaxed) {
                    work.run(own);
                    own += 1;
                }
                made.fetch_add(u64::from(own.unsigned_abs()), Ordering::Relaxed);
            });
        }
        let began = Instant::now();
        thread::sleep(duration);
        is_over.store(true, Ordering::Relaxed);
        began.elapsed()
    });
    made.load(Ordering::Relaxed) as f64 / elapsed.as_secs_f64()
}
