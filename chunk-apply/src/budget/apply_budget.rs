//! The limits of one frame's main-thread work.

use super::frame_target::FrameTarget;
use core::fmt;
use std::time::Duration;

/// The limits of one frame's work on the `World`: by time, by count and by bytes, as many of them as you like. The limit that
/// is met first ends the frame's work, which continues in the next frame; nothing is lost.
///
/// ```
/// use chunk_apply::ApplyBudget;
/// use std::time::Duration;
///
/// let budget = ApplyBudget::default();
/// assert_eq!(budget.time, Some(Duration::from_millis(2)));
/// assert_eq!((budget.frame, budget.chunks, budget.bytes), (None, None, Some(4 << 20)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "bevy_reflect", derive(bevy_reflect::Reflect))]
pub struct ApplyBudget {
    /// Wall-clock time a frame may spend on spawning, despawning and dropping. Default 2 ms. A stream counts all of its
    /// main-thread work in a frame against it: finding out what is wanted, handing over requests and results, and every
    /// run of a fixed schedule.
    ///
    /// With zero, every frame still does one slice, so that the world fills however slowly. What cannot be divided (one
    /// entity, one call of a spawner, one saved chunk) is not started when it is expected not to fit. A frame is longer
    /// than its budget by at most one such piece, by the time in which Bevy moves a table that is full, and by your
    /// observers of the chunks that were loaded or given up in it. `None` means
    /// no limit by time: a teleport is then applied in one long frame.
    pub time: Option<Duration>,
    /// The whole frame that the budget follows: then a stream takes what is free of it, counts what its entities cost the rest
    /// of the frame as well, and `time` is the most that it takes of a frame for both. Default `None`: `time` is what the
    /// stream itself may take of each frame.
    ///
    /// Whole frames are measured where the app runs its `First` and `Last`; see [`FrameMeter`](crate::FrameMeter). Elsewhere,
    /// and in an [`Applier`](crate::Applier) of your own, this does nothing.
    pub frame: Option<FrameTarget>,
    /// How many chunks may be completed in a frame, and how many unloaded. Default `None`: no limit. A chunk that fails
    /// or turns out to be out of date counts as well.
    ///
    /// With zero nothing is ever applied: the stream pauses, and the backlog fills to its bound.
    pub chunks: Option<u32>,
    /// How many bytes a frame may [upload](crate::ChunkWriter::upload), in all runs of a fixed schedule together. Default
    /// 4 MiB, which is 250 MB a second at 60 frames and some 100 meshes of voxel chunks a frame. The renderer copies every mesh
    /// that arrived in the frame in which it arrives, and nothing else bounds how much that is. `None` means no limit.
    ///
    /// The first upload of a frame is done however heavy it is; one that would exceed the limit waits for the next frame, and
    /// what its chunk has after it waits as well. Unloading does not wait. With zero, each frame does one upload. Where a chunk
    /// is spawned in one piece ([`whole_chunks`](Self::whole_chunks), or refreshed together with others) its bytes are not known
    /// before: none is begun when the limit is reached, and a frame goes over it by at most one chunk, or one group.
    pub bytes: Option<usize>,
    /// Share of `time`, 0 to 1, that unloading gets first while loading is busy as well. Default 0.2. Values outside are
    /// clamped, and NaN counts as the default.
    ///
    /// At 0 memory grows for as long as loading is busy; at 1 loading waits for all unloading. The share rises by itself
    /// to the part of all entities that waits to be unloaded, up to 0.8.
    pub unload_share: f32,
    /// Whether a chunk is spawned in one piece and despawned in one piece, and one that is replaced is despawned in the same
    /// piece of work that shows the new one. Then no other code, whatever it queries for, ever meets a part of a chunk or two
    /// versions of one. Default `false`.
    ///
    /// The price: a chunk is what cannot be divided. One is not started when, as chunks cost on average, it is expected not
    /// to fit, but a frame may be too long by the time of one chunk and of the version that it replaces. Small chunks cost
    /// nothing more; chunks of many thousand entities are better divided, or told apart by
    /// `LoadedChunks`, of the feature `streaming`.
    pub whole_chunks: bool,
}

impl ApplyBudget {
    const DEFAULT_UNLOAD_SHARE: f32 = 0.2;
    /// The most that the share rises to by itself, because of what waits.
    const MOST_FOR_WAITING: f32 = 0.8;

    /// Two milliseconds and 4 MiB a frame, and no limit by count.
    pub const DEFAULT: Self = Self {
        bytes: Some(4 << 20),
        ..Self::time(Duration::from_millis(2))
    };

    /// No limit: everything that has arrived is applied at once. For loading screens.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self {
            time: None,
            frame: None,
            chunks: None,
            bytes: None,
            unload_share: Self::DEFAULT_UNLOAD_SHARE,
            whole_chunks: false,
        }
    }

    /// A limit by time alone.
    #[must_use]
    pub const fn time(time: Duration) -> Self {
        Self {
            time: Some(time),
            ..Self::unlimited()
        }
    }

    /// What is free of a frame, and a quarter of it at most: what takes longer is as well done in the frames that follow, and the
    /// more a frame does, the further it may be from what was expected. Several streams in one app follow the frame each for itself: what one
    /// does is work of the app for the others.
    #[must_use]
    pub const fn following(frame: FrameTarget) -> Self {
        Self {
            frame: Some(frame),
            time: frame.time.checked_div(4),
            ..Self::DEFAULT
        }
    }

    /// The same limits with [`whole_chunks`](Self::whole_chunks).
    #[must_use]
    pub const fn in_whole_chunks(self) -> Self {
        Self {
            whole_chunks: true,
            ..self
        }
    }

    /// How many chunks may be completed, or unloaded.
    pub(crate) fn most_chunks(&self) -> usize {
        self.chunks.map_or(usize::MAX, |chunks| chunks as usize)
    }

    /// The share of time that unloading gets first, when so many entities wait to be unloaded and so many are loaded.
    pub(crate) fn share_of_unloading(&self, unloading: usize, loaded: usize) -> f32 {
        let reserved = if self.unload_share.is_nan() {
            Self::DEFAULT_UNLOAD_SHARE
        } else {
            self.unload_share.clamp(0.0, 1.0)
        };
        let (unloading, loaded) = (unloading as f32, loaded as f32);
        let waiting = unloading / (unloading + loaded).max(1.0);
        reserved.max(waiting.min(Self::MOST_FOR_WAITING))
    }

    /// The given part of `time`.
    pub(crate) fn part(&self, share: f32) -> Option<Duration> {
        self.time.map(|time| {
            // As a float, the longest durations are rounded up beyond the longest duration.
            let part = Duration::try_from_secs_f64(time.as_secs_f64() * f64::from(share));
            part.map_or(time, |part| part.min(time))
        })
    }
}

impl Default for ApplyBudget {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl fmt::Display for ApplyBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limits = [
            (self.frame).map(|frame| format!("what is free of {:?}", frame.time)),
            self.time.map(|time| format!("{time:?}")),
            self.chunks.map(|chunks| format!("{chunks} chunks")),
            self.bytes.map(|bytes| format!("{bytes} bytes")),
        ];
        let limits: Vec<String> = limits.into_iter().flatten().collect();
        if limits.is_empty() {
            f.write_str("no limit")
        } else {
            write!(f, "{} a frame", limits.join(" and "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unload_share_out_of_range_is_clamped_and_nan_is_the_default() {
        for (given, used) in [(-1.0, 0.0), (7.0, 1.0), (f32::NAN, 0.2), (0.5, 0.5)] {
            let budget = ApplyBudget {
                unload_share: given,
                ..ApplyBudget::DEFAULT
            };
            assert_eq!(budget.share_of_unloading(0, 9), used, "{given}");
        }
    }

    #[test]
    fn a_part_of_the_longest_budget_is_no_panic() {
        for share in [0.0, 0.2, 0.8, 1.0] {
            let part = ApplyBudget::time(Duration::MAX).part(share);
            assert!(part.is_some_and(|part| part <= Duration::MAX), "{share}");
        }
        let half = ApplyBudget::time(Duration::from_millis(2)).part(0.5);
        assert_eq!(half, Some(Duration::from_millis(1)));
        assert_eq!(ApplyBudget::unlimited().part(0.5), None);
    }

    #[test]
    fn a_budget_reads_as_a_sentence() {
        let default = ApplyBudget::DEFAULT.to_string();
        assert_eq!(default, "2ms and 4194304 bytes a frame");
        let two_chunks = ApplyBudget {
            chunks: Some(2),
            ..ApplyBudget::unlimited()
        };
        assert_eq!(two_chunks.to_string(), "2 chunks a frame");
        let all = ApplyBudget {
            chunks: Some(2),
            bytes: Some(4096),
            ..ApplyBudget::DEFAULT
        };
        assert_eq!(all.to_string(), "2ms and 2 chunks and 4096 bytes a frame");
        assert_eq!(ApplyBudget::unlimited().to_string(), "no limit");
    }
}
