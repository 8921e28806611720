//! What was measured in one run, and the line in which one process tells another.

use std::collections::HashMap;

macro_rules! measured {
    ($($(#[$doc:meta])* $field:ident),* $(,)?) => {
        /// Figures of one run. All are numbers, so that medians need no special cases.
        #[derive(Clone, Debug, Default)]
        pub(crate) struct Measured {
            $($(#[$doc])* pub(crate) $field: f64,)*
        }

        impl Measured {
            /// As words `name=value`.
            pub(crate) fn line(&self) -> String {
                [$(format!("{}={}", stringify!($field), self.$field)),*].join(" ")
            }

            /// Reads what [`Self::line`] wrote.
            pub(crate) fn parse(line: &str) -> Option<Self> {
                let words = line.split_whitespace().filter_map(|word| word.split_once('='));
                let values: HashMap<_, _> = words.collect();
                Some(Self { $($field: values.get(stringify!($field))?.parse().ok()?,)* })
            }

            /// The median of each figure by itself.
            pub(crate) fn median(runs: &[Self]) -> Self {
                Self { $($field: middle(runs.iter().map(|run| run.$field).collect()),)* }
            }
        }
    };
}

measured! {
    /// From the first frame until everything wanted was there, or until the run gave up, in milliseconds.
    fill_ms,
    /// Frames of the same.
    fill_frames,
    /// Wanted chunks there, averaged over the frames, from 0 to 1.
    coverage,
    /// Chunks that were wanted, never there, and no longer wanted.
    missed,
    /// Places that the viewer left.
    jumps,
    /// Those of them where everything was there before it left.
    jumps_filled,
    /// Chunks that appeared, each time counted.
    shown,
    /// Chunks that were made and did not appear.
    wasted,
    /// From wanted to there, in frames. 0 is the same frame.
    latency_frames_p50,
    latency_frames_p99,
    latency_frames_max,
    /// The same in milliseconds.
    latency_ms_p50,
    latency_ms_p99,
    latency_ms_max,
    /// Frames that were measured.
    frames,
    /// Frames during which the system took the main thread's core away, for a worker or for anything else.
    interrupted,
    /// Streaming's part of the main thread in a frame, in milliseconds.
    main_ms_p50,
    main_ms_p99,
    main_ms_max,
    /// The most in a frame that was not interrupted.
    main_ms_max_undisturbed,
    /// The whole frame, with what the engine itself takes, in milliseconds.
    frame_ms_p50,
    frame_ms_p99,
    frame_ms_max,
    /// Frames whose streaming took longer than a sixtieth of a second, and were not interrupted.
    late,
    /// The same with those that were.
    late_all,
    /// Entities that were still there a while after the viewer had gone.
    leaked,
    /// Peak of the process less what it held before the first chunk, in megabytes.
    memory_mb,
    /// Faces of voxels that the meshes of a terrain show.
    faces,
}

/// The value in the middle; of an even number the lower one.
fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values
        .get(values.len().saturating_sub(1) / 2)
        .copied()
        .unwrap_or_default()
}

/// The smallest value that `percent` of all values do not exceed; 0 where there is none.
pub(super) fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let rank = (values.len() * percent).div_ceil(100);
    values
        .get(rank.saturating_sub(1))
        .copied()
        .unwrap_or_default()
}
