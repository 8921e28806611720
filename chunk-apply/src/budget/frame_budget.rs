//! How much of the next frame streaming may take, where its budget follows the frame: a function from the figures of frames to
//! a decision, which reads no clock.

use super::{
    downstream::{Changes, Downstream, DownstreamModel, duration_of, micros},
    frame_target::FrameTarget,
};
use core::time::Duration;

/// After a frame that was late, the allowance is the floor, and comes back in so many frames that are not.
const RECOVERY: u32 = 8;
/// Of a frame that is full without streaming, streaming takes nothing for so many frames and then what it may have of all of
/// them at once: the renderer takes a millisecond or two more in a frame in which anything changed, however little, and a
/// frame that is late anyway is not later for the player if it is late by more.
const RESTS: u32 = 7;
/// The part of a frame that is left free besides the mean error of predictions.
const MARGIN: f64 = 1.0 / 32.0;
/// The most that is left free.
const MOST_MARGIN: f64 = 0.25;

/// Decides for each frame how much of it streaming may take.
#[derive(Debug, Default)]
pub(crate) struct FrameBudget {
    model: DownstreamModel,
    /// The frames in time since the last one that was late, up to [`RECOVERY`].
    in_time: u32,
    /// The frames since the last one in which streaming changed anything, up to [`RESTS`].
    rested: u32,
}

impl FrameBudget {
    /// Notes a frame: how long its work took, how long without the stream's own, and what the stream changed.
    pub(crate) fn observe(
        &mut self,
        target: &FrameTarget,
        busy: Duration,
        rest: Duration,
        changes: Changes,
    ) {
        self.model.learn(rest, changes);
        self.in_time = if busy > target.time {
            0
        } else {
            (self.in_time + 1).min(RECOVERY)
        };
    }

    /// Notes whether streaming changed anything in the frame that is over, which may be observed later.
    pub(crate) fn end_frame(&mut self, has_changed: bool) {
        self.rested = if has_changed {
            0
        } else {
            (self.rested + 1).min(RESTS)
        };
    }

    /// What streaming may take of the next frame, downstream costs included, or `None` if it rests. Never more than `ceiling`.
    pub(crate) fn allowance(
        &self,
        target: &FrameTarget,
        ceiling: Option<Duration>,
    ) -> Option<Duration> {
        let ceiling = ceiling.unwrap_or(target.time);
        let floor = target.floor.min(ceiling);
        let time = micros(target.time);
        let margin = (time * MARGIN + self.model.error()).min(time * MOST_MARGIN);
        let free = time - self.model.baseline() - margin;
        let (low, high) = (micros(floor), micros(ceiling));
        if free < low {
            let of_all = floor.saturating_mul(RESTS + 1).min(ceiling);
            return (self.rested == RESTS).then_some(of_all);
        }
        let recovered = low + (high - low) * f64::from(self.in_time) / f64::from(RECOVERY);
        Some(duration_of(free.min(recovered)).clamp(floor, ceiling))
    }

    /// What a change costs the rest of its frame.
    pub(crate) fn downstream(&self) -> Downstream {
        self.model.costs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CEILING: Option<Duration> = Some(Duration::from_millis(8));

    fn allowance(
        budget: &FrameBudget,
        target: &FrameTarget,
        ceiling: Option<Duration>,
    ) -> Duration {
        budget.allowance(target, ceiling).unwrap_or_default()
    }

    /// An app whose frames cost what is said here, in microseconds.
    #[derive(Clone, Copy, Debug)]
    struct Simulated {
        work: f64,
        /// What an entity costs the stream, and what the rest of the frame.
        own: f64,
        spawned: f64,
        despawned: f64,
    }

    const CITY: Simulated = Simulated {
        work: 6_000.0,
        own: 0.3,
        spawned: 1.3,
        despawned: 2.5,
    };

    impl Simulated {
        /// A frame in which the stream takes all that it may, for spawning and despawning alike. Returns how long it took.
        fn busy_frame(&self, budget: &mut FrameBudget, target: &FrameTarget) -> f64 {
            let allowed = micros(allowance(budget, target, CEILING));
            let costs = budget.downstream();
            let pair = 2.0 * self.own + (costs.spawned + costs.despawned) / 1e3;
            self.frame(budget, target, (allowed / pair) as usize)
        }

        fn frame(&self, budget: &mut FrameBudget, target: &FrameTarget, pairs: usize) -> f64 {
            let own = 2.0 * self.own * pairs as f64;
            let busy = self.work + own + (self.spawned + self.despawned) * pairs as f64;
            let changes = Changes {
                spawned: pairs,
                despawned: pairs,
                hidden: 0,
            };
            budget.observe(target, duration_of(busy), duration_of(busy - own), changes);
            budget.end_frame(pairs > 0);
            busy
        }
    }

    #[test]
    fn the_whole_frame_converges_to_the_target_from_below_whatever_it_costs_downstream() {
        let target = FrameTarget::default();
        for factor in [0.0, 0.1, 1.0, 4.0] {
            let app = Simulated {
                work: 9_000.0,
                spawned: CITY.spawned * factor,
                despawned: CITY.despawned * factor,
                ..CITY
            };
            let mut budget = FrameBudget::default();
            let frames: Vec<f64> = (0..120)
                .map(|frame| {
                    // There is not always something to do.
                    if frame % 3 == 0 {
                        app.frame(&mut budget, &target, 0);
                    }
                    app.busy_frame(&mut budget, &target)
                })
                .collect();
            let late = frames.iter().filter(|busy| **busy > 16_667.0).count();
            // Where it costs four times what is assumed, one frame teaches that.
            assert!(late <= usize::from(factor > 1.0), "{factor}: {frames:.0?}");
            let last = &frames[90..];
            let (least, most) = last.iter().fold((f64::MAX, 0.0_f64), |(low, high), it| {
                (low.min(*it), high.max(*it))
            });
            assert!(
                least > 15_000.0,
                "{factor}: it takes what is free: {last:.0?}"
            );
            assert!(
                most - least < 300.0,
                "{factor}: it does not swing: {last:.0?}"
            );
        }
    }

    #[test]
    fn entities_that_cost_far_more_than_was_assumed_are_not_taken_for_the_work_of_the_app() {
        let target = FrameTarget::default();
        for (spawned, despawned, work) in [
            (12.0, 2.5, 12_000.0),
            (19.0, 2.5, 9_000.0),
            (10.0, 15.0, 12_000.0),
        ] {
            let app = Simulated {
                work,
                spawned,
                despawned,
                ..CITY
            };
            let mut budget = FrameBudget::default();
            // There is always something to do.
            let frames = (0..600).map(|_| app.busy_frame(&mut budget, &target));
            let frames: Vec<f64> = frames.collect();
            let late = frames.iter().filter(|busy| **busy > 16_667.0).count();
            assert!(
                late <= 40,
                "{spawned} {despawned}: {late} {frames:.0?} {budget:?}"
            );
        }
    }

    #[test]
    fn a_late_frame_brings_the_floor_at_once_and_eight_in_time_the_rest() {
        let target = FrameTarget::default();
        let mut budget = FrameBudget::default();
        for _ in 0..60 {
            CITY.frame(&mut budget, &target, 0);
        }
        assert_eq!(allowance(&budget, &target, CEILING), CEILING.unwrap());
        // The window was dragged: one frame of two seconds.
        let hitch = Duration::from_secs(2);
        budget.observe(&target, hitch, hitch, Changes::default());
        assert_eq!(allowance(&budget, &target, CEILING), target.floor);
        let mut before = target.floor;
        for frame in 1..=RECOVERY {
            CITY.frame(&mut budget, &target, 0);
            let now = allowance(&budget, &target, CEILING);
            assert!(now > before, "{frame}: {now:?}");
            before = now;
        }
        assert_eq!(
            before,
            CEILING.unwrap(),
            "one hitch is not the work of a frame"
        );
    }

    #[test]
    fn a_game_that_suddenly_works_more_keeps_its_frames() {
        let target = FrameTarget::default();
        let mut budget = FrameBudget::default();
        let game = |work| Simulated { work, ..CITY };
        for _ in 0..60 {
            game(4_000.0).busy_frame(&mut budget, &target);
        }
        let late = (0..60).filter(|_| game(12_000.0).busy_frame(&mut budget, &target) > 16_667.0);
        assert!(late.count() <= 1, "the frame in which it began");
        let allowed = allowance(&budget, &target, CEILING);
        assert!(allowed > target.floor, "{allowed:?}");
        // Of frames that are too long without streaming one in eight has what all may have together, and the others nothing.
        for _ in 0..20 {
            game(20_000.0).busy_frame(&mut budget, &target);
        }
        let frames = (0..32).map(|_| {
            let allowed = budget.allowance(&target, CEILING);
            game(20_000.0).busy_frame(&mut budget, &target);
            allowed
        });
        let frames: Vec<_> = frames.collect();
        let turns: Vec<_> = frames.iter().flatten().collect();
        assert_eq!(turns, [&CEILING.unwrap(); 4], "{frames:?}");
        for _ in 0..RECOVERY + 4 {
            game(4_000.0).busy_frame(&mut budget, &target);
        }
        assert!(allowance(&budget, &target, CEILING) >= Duration::from_millis(7));
    }

    #[test]
    fn frames_of_another_length_have_budgets_of_their_own() {
        for (frames, work) in [(30.0, 20_000.0), (120.0, 4_000.0), (240.0, 1_000.0)] {
            let target = FrameTarget::per_second(frames);
            let app = Simulated { work, ..CITY };
            let mut budget = FrameBudget::default();
            for _ in 0..60 {
                let busy = app.busy_frame(&mut budget, &target);
                assert!(busy <= micros(target.time), "{frames} a second: {busy}");
            }
        }
    }

    #[test]
    fn no_figure_is_too_small_or_too_large() {
        let durations = [Duration::ZERO, Duration::from_nanos(1), Duration::MAX];
        let counts = [0, 1, usize::MAX];
        let mut budget = FrameBudget::default();
        for time in durations {
            for floor in durations {
                let target = FrameTarget { time, floor };
                for busy in durations {
                    for count in counts {
                        let changes = Changes {
                            spawned: count,
                            despawned: count / 2,
                            hidden: count,
                        };
                        budget.observe(&target, busy, busy.saturating_sub(time), changes);
                        for ceiling in durations {
                            let allowed = allowance(&budget, &target, Some(ceiling));
                            assert!(allowed <= ceiling);
                            assert!(allowed.is_zero() || allowed >= floor.min(ceiling));
                        }
                    }
                }
            }
        }
        let target = FrameTarget::default();
        for frame in 0..200 {
            if frame % 4 == 0 {
                CITY.frame(&mut budget, &target, 0);
            } else {
                CITY.busy_frame(&mut budget, &target);
            }
        }
        let allowed = allowance(&budget, &target, CEILING);
        assert!(
            allowed > Duration::from_millis(5),
            "it is as good as new: {allowed:?} {budget:?}"
        );
    }

    #[test]
    fn without_a_ceiling_streaming_takes_no_more_than_the_frame() {
        let target = FrameTarget::default();
        let mut budget = FrameBudget::default();
        for _ in 0..60 {
            budget.observe(&target, Duration::ZERO, Duration::ZERO, Changes::default());
        }
        let allowed = allowance(&budget, &target, None);
        assert!(
            allowed <= target.time && allowed > target.time * 9 / 10,
            "{allowed:?}"
        );
    }
}
