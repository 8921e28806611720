//! What entities cost the rest of the frame in which they are spawned, hidden or despawned: extraction, propagation,
//! visibility, drawing. It is learned from how long whole frames take, by a Kalman filter of four figures that change slowly:
//! what a frame takes without streaming, and what each kind of change adds for an entity.

use core::time::Duration;

/// What a stream did in a frame that costs the rest of the frame, in entities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) spawned: usize,
    pub(crate) despawned: usize,
    pub(crate) hidden: usize,
}

/// What each of these costs, in nanoseconds an entity.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Downstream {
    pub(crate) spawned: f64,
    pub(crate) despawned: f64,
    pub(crate) hidden: f64,
}

impl Downstream {
    /// What these changes cost together.
    pub(crate) fn of(&self, changes: Changes) -> Duration {
        let Changes {
            spawned,
            despawned,
            hidden,
        } = changes;
        let nanos = self.spawned * spawned as f64
            + self.despawned * despawned as f64
            + self.hidden * hidden as f64;
        duration_of(nanos / 1e3)
    }
}

/// The figures: microseconds of a frame, and of a thousand entities of each kind of change.
const FIGURES: usize = 4;
type Vector = [f64; FIGURES];

/// What is assumed at first: what Bevy's renderer was measured to cost. In microseconds, and nanoseconds an entity.
const ASSUMED: Vector = [0.0, 1_000.0, 1_200.0, 100.0];
/// How far that may be wrong.
const DOUBT: Vector = [20_000.0, 1_000.0, 1_500.0, 100.0];
/// How far each may be wrong however often it was measured, because it changes.
const LEAST_DOUBT: Vector = [200.0, 50.0, 50.0, 10.0];
/// The most that each may be. Chunks that are hidden late are drawn meanwhile, which costs more than hiding them.
const MOST: Vector = [1e7, 20_000.0, 20_000.0, 200.0];
/// Nothing is learned from a frame with more entities than so many thousand, nor from one that took longer than any.
const MOST_THOUSANDS: f64 = 1e3;
/// Frames differ by so much for no reason that is known here.
const LEAST_NOISE: f64 = 100.0;
/// The mean error is taken for no more than this, or one absurd frame would count for minutes.
const MOST_ERROR: f64 = 5_000.0;
/// A frame that is so many deviations from what was predicted is a hitch more often than a cost. It is taken for no more than
/// that, unless the frame before was one as well: then the work of the app has changed.
const HITCH: f64 = 3.0;
/// How far one frame moves the mean error of predictions.
const GAIN: f64 = 0.05;

#[derive(Debug)]
pub(super) struct DownstreamModel {
    figures: Vector,
    covariance: [Vector; FIGURES],
    /// The mean absolute error of the predictions, in microseconds.
    error: f64,
    was_hitch: bool,
    /// In how many frames there was each kind of change.
    seen: [u32; FIGURES],
}

impl Default for DownstreamModel {
    fn default() -> Self {
        let mut covariance = [[0.0; FIGURES]; FIGURES];
        for (nth, doubt) in DOUBT.iter().enumerate() {
            covariance[nth][nth] = doubt * doubt;
        }
        Self {
            figures: ASSUMED,
            covariance,
            error: LEAST_NOISE,
            was_hitch: false,
            seen: [0; FIGURES],
        }
    }
}

impl DownstreamModel {
    /// Notes how long a frame took, without the stream itself.
    pub(super) fn learn(&mut self, rest: Duration, changes: Changes) {
        let thousands = |count: usize| count as f64 / 1e3;
        let input = [
            1.0,
            thousands(changes.spawned),
            thousands(changes.despawned),
            thousands(changes.hidden),
        ];
        if micros(rest) > MOST[0] || input.iter().any(|at| *at > MOST_THOUSANDS) {
            return;
        }
        for (seen, at) in self.seen.iter_mut().zip(input) {
            *seen = seen.saturating_add(u32::from(at > 0.0));
        }
        for (nth, least) in LEAST_DOUBT.iter().enumerate() {
            let variance = &mut self.covariance[nth][nth];
            *variance = variance.max(least * least);
        }
        let noise = self.error.max(LEAST_NOISE);
        let mut error = micros(rest) - dot(&self.figures, &input);
        let mut spread = self.covariance.map(|row| dot(&row, &input));
        let most = HITCH * (dot(&spread, &input) + noise * noise).sqrt();
        let is_hitch = error.abs() > most;
        let was_hitch = core::mem::replace(&mut self.was_hitch, is_hitch);
        self.error += GAIN * (error.abs().min(most) - self.error);
        self.error = self.error.min(MOST_ERROR);
        if is_hitch && was_hitch {
            // What an entity costs has not changed.
            self.forget_baseline();
            spread = self.covariance.map(|row| dot(&row, &input));
        } else {
            error = error.clamp(-most, most);
        }
        let variance = dot(&spread, &input) + noise * noise;
        for (nth, figure) in self.figures.iter_mut().enumerate() {
            *figure = (*figure + spread[nth] / variance * error).clamp(0.0, MOST[nth]);
        }
        for (row, by) in self.covariance.iter_mut().zip(spread) {
            for (value, other) in row.iter_mut().zip(spread) {
                *value -= by * other / variance;
            }
        }
        let is_sound = (0..FIGURES)
            .all(|nth| self.figures[nth].is_finite() && self.covariance[nth][nth] >= 0.0);
        if !is_sound {
            *self = Self::default();
        }
    }

    /// Microseconds that a frame takes without streaming.
    pub(super) fn baseline(&self) -> f64 {
        self.figures[0]
    }

    /// The mean absolute error of predictions, in microseconds.
    pub(super) fn error(&self) -> f64 {
        self.error
    }

    /// What each change costs, and as much more as was assumed to be in doubt, less with every frame that had such a change.
    pub(super) fn costs(&self) -> Downstream {
        let cost = |nth: usize| {
            let doubt = DOUBT[nth] / f64::from(self.seen[nth].saturating_add(1));
            (self.figures[nth] + doubt).min(MOST[nth])
        };
        Downstream {
            spawned: cost(1),
            despawned: cost(2),
            hidden: cost(3),
        }
    }

    fn forget_baseline(&mut self) {
        for nth in 1..FIGURES {
            self.covariance[0][nth] = 0.0;
            self.covariance[nth][0] = 0.0;
        }
        self.covariance[0][0] = MOST[0] * MOST[0];
    }
}

fn dot(a: &Vector, b: &Vector) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

pub(super) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// As long as a duration can be; zero for what is negative or no number.
pub(super) fn duration_of(micros: f64) -> Duration {
    if micros > 0.0 {
        Duration::try_from_secs_f64(micros / 1e6).unwrap_or(Duration::MAX)
    } else {
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learn(model: &mut DownstreamModel, micros: f64, spawned: usize, despawned: usize) {
        let changes = Changes {
            spawned,
            despawned,
            hidden: 0,
        };
        model.learn(duration_of(micros), changes);
    }

    #[test]
    fn what_entities_cost_is_told_from_what_the_frame_costs_anyway() {
        let mut model = DownstreamModel::default();
        for frame in 0..200_usize {
            let (spawned, despawned) = (frame * 37 % 4_000, frame * 91 % 3_000);
            let (spawned, despawned) = if frame.is_multiple_of(3) {
                (0, 0)
            } else {
                (spawned, despawned)
            };
            let rest = 5_000.0 + 0.7 * spawned as f64 + 3.1 * despawned as f64;
            learn(&mut model, rest, spawned, despawned);
        }
        let costs = model.costs();
        assert!((costs.spawned - 700.0).abs() < 100.0, "{costs:?}");
        assert!((costs.despawned - 3_100.0).abs() < 100.0, "{costs:?}");
        assert!((model.baseline() - 5_000.0).abs() < 50.0, "{model:?}");
    }

    #[test]
    fn a_hitch_while_entities_are_spawned_teaches_next_to_nothing() {
        let mut model = DownstreamModel::default();
        for frame in 0..200 {
            let spawned = if frame % 2 == 0 { 2_000 } else { 0 };
            learn(&mut model, 5_000.0 + 1.3 * spawned as f64, spawned, 0);
        }
        learn(&mut model, 2_000_000.0, 2_000, 0);
        let costs = model.costs();
        assert!((costs.spawned - 1_300.0).abs() < 100.0, "{costs:?}");
        assert!((model.baseline() - 5_000.0).abs() < 1_000.0, "{model:?}");
    }

    #[test]
    fn more_work_of_the_app_is_not_taken_for_what_entities_cost() {
        let mut model = DownstreamModel::default();
        for work in [5_000.0, 12_000.0, 3_000.0] {
            for _ in 0..100 {
                learn(&mut model, work + 1.3 * 2_000.0, 2_000, 0);
            }
            let predicted = model.baseline() + 2.0 * model.costs().spawned;
            assert!((predicted - work - 2_600.0).abs() < 100.0, "{model:?}");
            let costs = model.costs();
            assert!((costs.spawned - 1_300.0).abs() < 300.0, "{costs:?}");
        }
    }

    #[test]
    fn a_sum_of_costs_is_no_panic() {
        let costs = Downstream {
            spawned: 1e300,
            despawned: f64::NAN,
            hidden: 0.0,
        };
        let changes = Changes {
            spawned: usize::MAX,
            ..Changes::default()
        };
        assert_eq!(costs.of(changes), Duration::ZERO, "it is no number");
        assert_eq!(Downstream::default().of(changes), Duration::ZERO);
    }
}
