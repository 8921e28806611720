//! What many frames cost, in a few numbers.

use std::time::Duration;

use chunk_demo::FrameCost;

/// Says how long the longest frames took, and the stream in them.
pub(crate) fn explain(what: &str, frames: &[FrameCost]) {
    let mut longest = frames.to_vec();
    longest.sort_unstable_by_key(|frame| core::cmp::Reverse(frame.whole));
    let line = longest.iter().take(5).map(|it| {
        format!(
            "frame {}: {:.1?}, of which the stream {:.1?} and caused {:.1?} for {} and {} entities and {} hidden, others {:.1?}",
            it.frame,
            it.whole,
            it.stream,
            it.caused,
            it.spawned,
            it.despawned,
            it.hidden,
            it.preempted.unwrap_or_default()
        )
    });
    let line: Vec<_> = line.collect();
    let [median, most] = [0.5, 0.99].map(|quantile| p(frames, quantile));
    eprintln!(
        "{what}, {} frames, p50 {median:.1} ms, p99 {most:.1} ms: {}",
        frames.len(),
        line.join("; ")
    );
}

/// The frames after the first one that spawned anything, in which Bevy prepares its pipelines.
pub(crate) fn after_the_first(frames: &[FrameCost]) -> &[FrameCost] {
    let first = frames.iter().position(|frame| frame.spawned > 0);
    &frames[first.map_or(0, |first| first + 1)..]
}

/// A percentile of the whole frames, in milliseconds.
pub(crate) fn p(frames: &[FrameCost], quantile: f64) -> f64 {
    let mut whole: Vec<_> = frames.iter().map(|frame| frame.whole).collect();
    whole.sort_unstable();
    let nth = (whole.len() as f64 * quantile).ceil() as usize;
    whole[nth.clamp(1, whole.len()) - 1].as_secs_f64() * 1e3
}

/// Frames that were longer than a sixtieth of a second though no other thread had the core meanwhile.
pub(crate) fn late(frames: &[FrameCost]) -> f64 {
    let is_late = |frame: &&FrameCost| {
        let others = frame.preempted.unwrap_or_default();
        FrameCost {
            whole: frame.whole.saturating_sub(others),
            ..**frame
        }
        .is_late()
    };
    frames.iter().filter(is_late).count() as f64
}

/// Microseconds that an entity that is spawned, and one that is hidden and despawned, adds to the rest of its frame: the least squares
/// over frames in which no other thread had the core for long.
pub(crate) fn downstream(frames: &[FrameCost]) -> [f64; 2] {
    let calm =
        |frame: &&FrameCost| frame.preempted.unwrap_or_default() < Duration::from_micros(500);
    let mut normal = [[0.0; 4]; 3];
    for frame in frames.iter().filter(calm) {
        let rest = frame.whole.saturating_sub(frame.stream).as_secs_f64() * 1e6;
        let row = [1.0, frame.spawned as f64, frame.despawned as f64, rest];
        for (nth, sums) in normal.iter_mut().enumerate() {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += row[nth] * value;
            }
        }
    }
    // Gauss's elimination; the sums of squares are the pivots.
    for nth in 0..3 {
        for other in 0..3 {
            let factor = normal[other][nth] / normal[nth][nth];
            if other != nth {
                let pivot = normal[nth];
                for (value, by) in normal[other].iter_mut().zip(pivot) {
                    *value -= factor * by;
                }
            }
        }
    }
    [1, 2].map(|nth| normal[nth][3] / normal[nth][nth])
}
