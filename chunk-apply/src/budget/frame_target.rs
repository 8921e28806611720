//! What a budget that follows the frame aims for.

use core::time::Duration;

/// What an [`ApplyBudget`](crate::ApplyBudget) that follows the frame aims for: streaming takes what the rest of a frame leaves
/// of `time`, and counts what its entities cost the rest of the frame (extraction, propagation, visibility, drawing), which it
/// learns from the app's frames.
///
/// ```
/// use chunk_apply::{ApplyBudget, FrameTarget};
/// use std::time::Duration;
///
/// let budget = ApplyBudget::following(FrameTarget::per_second(60.0));
/// assert_eq!(budget.frame.map(|frame| frame.time.as_micros()), Some(16_666));
/// assert_eq!(budget.frame.map(|frame| frame.floor.as_micros()), Some(1_041));
/// assert_eq!(budget.time.map(|ceiling| ceiling.as_micros()), Some(4_166));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bevy_reflect", derive(bevy_reflect::Reflect))]
pub struct FrameTarget {
    /// How long the processor's work of a whole frame may take, of the main world and of the render world, without waiting for
    /// the display or for the next frame. Default 16.6 ms. Where both worlds work at the same time, each may take as long.
    ///
    /// With zero each frame is late and streaming gets its `floor`; with more than the display allows, the game is slow while
    /// chunks are loaded.
    pub time: Duration,
    /// What streaming may take at least of a frame, in the main world and later in the frame, also right after one that was late.
    /// Default a 16th of `time`. Otherwise the world of a game that is always late would never be filled, and what is not
    /// despawned costs more frames than one.
    ///
    /// Where frames have less than that free without streaming, seven of eight change nothing, and the eighth has what all of them may take,
    /// at most the budget's `time`: a renderer takes a millisecond or two more in a frame in which anything changed, so that
    /// few changes in each frame would make all of them late. With zero the eighth does one slice.
    pub floor: Duration,
}

impl FrameTarget {
    const FLOOR: u32 = 16;

    /// So much time for a whole frame.
    #[must_use]
    pub const fn time(time: Duration) -> Self {
        let floor = match time.checked_div(Self::FLOOR) {
            Some(floor) => floor,
            None => Duration::ZERO,
        };
        Self { time, floor }
    }

    /// As many frames in a second. What is no number of frames, such as 0 or NaN, counts as 60.
    #[must_use]
    pub fn per_second(frames: f64) -> Self {
        let time = Duration::try_from_secs_f64(1.0 / frames).ok();
        time.filter(|time| !time.is_zero())
            .map_or_else(Self::default, Self::time)
    }
}

impl Default for FrameTarget {
    fn default() -> Self {
        Self::time(Duration::from_nanos(16_666_667))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_of_frames_counts_as_sixty() {
        let sixty = FrameTarget::default();
        for frames in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(FrameTarget::per_second(frames), sixty, "{frames}");
        }
        let a_year = FrameTarget::per_second(1.0 / 31_536_000.0);
        assert_eq!(a_year.time, Duration::from_secs(31_536_000));
    }
}
