//! How fast a viewer moves.

use bevy_math::DVec3;
use core::time::Duration;

/// The velocity of one viewer, from the places where it was seen.
///
/// It is what a viewer moved lately, each step fading with time, over the time in which it fades. Steps are added and not
/// divided by the time that each took, because scans may follow each other at once, as in a fixed schedule that catches up.
/// That is smoothed once more, so that one step of a viewer that moves by whole chunks is not taken for speed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Motion {
    /// In chunks, not from the world's origin but from that of the coordinates, so that moving the former is no step.
    at: DVec3,
    since: Duration,
    /// How long the last step took, in seconds.
    lasted: f64,
    /// In chunks per second.
    latest: DVec3,
    /// The same, smoothed.
    velocity: DVec3,
    /// The last step, where it was taken for a jump.
    jump: Option<DVec3>,
}

/// In so many seconds a step fades, and once more as many in which that is smoothed.
const MEMORY: f64 = 0.4;
/// A step of at most so many chunks is no jump.
const STEP: f64 = 2.0;
/// Steps in a shorter time than this, in seconds, are expected to be as long as in this one.
const SHORTEST: f64 = 0.05;

impl Motion {
    /// A viewer that is seen for the first time.
    pub(super) fn new(at: DVec3, now: Duration) -> Self {
        Self {
            at,
            since: now,
            lasted: 0.0,
            latest: DVec3::ZERO,
            velocity: DVec3::ZERO,
            jump: None,
        }
    }

    pub(super) fn see(&mut self, at: DVec3, now: Duration) {
        let step = at - self.at;
        let seconds = now.saturating_sub(self.since).as_secs_f64();
        // A step that belongs to a late frame may be seen a frame later.
        let expected = self.velocity.length() * (seconds + self.lasted).max(SHORTEST);
        (self.at, self.since, self.lasted) = (at, now, seconds);
        let is_jump = step.length() > STEP + 2.0 * expected;
        let is_like = |jump: DVec3| 2.0 * step.distance(jump) <= step.length().max(jump.length());
        let is_motion = !is_jump || self.jump.is_some_and(is_like);
        self.jump = is_jump.then_some(step);
        if is_motion {
            self.latest = (self.latest * MEMORY + step) / (MEMORY + seconds);
            self.velocity = (self.velocity * MEMORY + self.latest * seconds) / (MEMORY + seconds);
        }
    }

    pub(super) fn velocity(&self) -> DVec3 {
        self.velocity
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(16);

    /// The velocity after these steps along x, each of which takes so long.
    fn after(steps: impl IntoIterator<Item = (f64, Duration)>) -> f64 {
        let (mut at, mut now) = (DVec3::ZERO, Duration::ZERO);
        let mut motion = Motion::new(at, now);
        for (step, time) in steps {
            at.x += step;
            now += time;
            motion.see(at, now);
        }
        motion.velocity().x
    }

    fn is_about(value: f64, expected: f64) -> bool {
        (value - expected).abs() <= 0.1 * expected
    }

    #[test]
    fn a_steady_viewer_has_its_speed_after_two_seconds() {
        for speed in [0.1, 1.0, 10.0, 60.0, 500.0] {
            let steps = (0..125).map(|_| (speed * 0.016, FRAME));
            assert!(is_about(after(steps), speed), "{speed}");
        }
    }

    #[test]
    fn a_viewer_that_moves_by_whole_chunks_has_its_speed_too() {
        // A chunk each tenth of a second.
        let steps = (0..180).map(|frame| (if frame % 6 == 0 { 1.0 } else { 0.0 }, FRAME));
        let speed = after(steps);
        assert!((9.0..12.0).contains(&speed), "{speed}");
        // One a second, at any moment.
        for frames in 300..363 {
            let step = |frame| if frame % 63 == 0 { 1.0 } else { 0.0 };
            let speed = after((0..frames).map(|frame| (step(frame), FRAME)));
            assert!((0.4..1.6).contains(&speed), "{speed}");
        }
        // To and fro is no speed, however hard.
        for frames in 0..100 {
            let step = |frame| if frame % 2 == 0 { 1.0 } else { -1.0 };
            let speed = after((0..frames).map(|frame| (step(frame), FRAME)));
            assert!(speed.abs() < 0.5, "{speed}");
        }
    }

    #[test]
    fn scans_that_follow_each_other_at_once_are_no_speed_of_their_own() {
        // A fixed schedule: four steps at once in each fourth frame.
        let steps = (0..500).map(|step| {
            let time = if step % 4 == 0 {
                4 * FRAME
            } else {
                Duration::ZERO
            };
            (0.16, time)
        });
        let speed = after(steps);
        assert!((9.0..12.0).contains(&speed), "{speed}");
    }

    #[test]
    fn a_teleport_is_no_speed_and_does_not_end_one() {
        for jump in [2.1, 30.0, -1e9, 4e9] {
            assert_eq!(after([(jump, FRAME)]), 0.0, "{jump}");
            assert_eq!(after([(jump, FRAME), (-jump, FRAME)]), 0.0, "{jump}");
        }
        let flight = || (0..125).map(|_| (0.16, FRAME));
        let before = after(flight());
        assert_eq!(after(flight().chain([(100.0, FRAME)])), before);
    }

    #[test]
    fn a_late_frame_is_neither_a_jump_nor_another_speed() {
        let flight = (0..125).map(|_| (0.16, FRAME));
        // The game's step and the scan's time may be off by a frame.
        let late = [(0.16, Duration::from_millis(300)), (3.0, FRAME)];
        let speed = after(flight.chain(late));
        assert!((8.0..14.0).contains(&speed), "{speed}");
    }

    #[test]
    fn a_viewer_that_stops_is_at_rest_within_three_seconds() {
        let flight = (0..125).map(|_| (0.16, FRAME));
        let rest = (0..190).map(|_| (0.0, FRAME));
        assert!(after(flight.clone().chain(rest)) < 0.05);
        // Also if it was not seen meanwhile, as by a paused stream.
        let paused = [(0.0, Duration::from_secs(3600))];
        assert!(after(flight.chain(paused)) < 0.01);
    }
}
