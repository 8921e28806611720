//! How many results a teleport wastes.

use std::time::Duration;

use chunk_scheduler::{Runtime, Scheduler};

use super::{
    Key, Near, drain_and_apply,
    figures::Figures,
    pool, scheduler,
    yardsticks::{Work, at_60_hz, square},
};

/// When unwanted jobs are cancelled.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Leaving {
    /// Right after a drain, so that only jobs in flight can be in vain.
    AfterADrain,
    /// At the beginning of the next frame, as chunk-apply does: what workers finished meanwhile is in vain as well.
    AFrameAfterADrain,
}

/// The most results that one of ten teleports wastes, with 2,000 wanted each. They are counted when the next one
/// begins, so that late ones count.
fn wasted_by_a_teleport(workers: usize, work: Work, leaving: Leaving) -> f64 {
    const FRAMES: u32 = 6;
    let mut scheduler = scheduler(Runtime::pool(pool(1)), workers, work);
    let keys = |teleport: i32| square(2_000).map(move |[x, y, z]| [x + teleport * 1_000, y, z]);
    let leave = |scheduler: &mut Scheduler<Key, u64, Near>, teleport: i32| {
        for key in keys(teleport) {
            scheduler.cancel(key);
        }
    };
    let mut ready = Vec::new();
    let (mut worst, mut before, mut frames, mut teleport) = (0, 0, 0, 0);
    at_60_hz(|now| {
        if frames % FRAMES == 0 {
            let wasted = scheduler.counters().wasted;
            worst = worst.max(wasted - before);
            before = wasted;
            if leaving == Leaving::AFrameAfterADrain {
                leave(&mut scheduler, teleport);
            }
            teleport += 1;
            scheduler.publish(Near([teleport * 1_000, 0, 0]));
            for key in keys(teleport) {
                scheduler.request(key);
            }
        }
        scheduler.tick(now);
        drain_and_apply(&mut scheduler, &mut ready);
        frames += 1;
        if frames % FRAMES == 0 && leaving == Leaving::AfterADrain {
            leave(&mut scheduler, teleport);
        }
        teleport == 11
    });
    worst as f64
}

pub(crate) fn measure(figures: &mut Figures) {
    let workers = 3;
    let work = Work::taking(Duration::from_micros(200));
    for (name, leaving, most) in [
        (
            "teleport after a drain: generated in vain, the worst of 10",
            Leaving::AfterADrain,
            workers as f64,
        ),
        (
            "teleport a frame after a drain: generated in vain, the worst of 10",
            Leaving::AFrameAfterADrain,
            // One thread makes 83 chunks in a frame.
            workers as f64 + 84.0,
        ),
    ] {
        figures.at_most(name, most, "chunks", || {
            wasted_by_a_teleport(workers, work, leaving)
        });
    }
}
