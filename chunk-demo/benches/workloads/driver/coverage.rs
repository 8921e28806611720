//! Which chunks should be shown, by the viewer's true position, and since when each is.

use std::collections::HashMap;
use std::time::Instant;

use super::contestant::{Chunk, Contestant};

#[derive(Clone, Copy, Debug)]
struct Wanted {
    since_frame: u32,
    since: Instant,
    is_shown: bool,
    was_shown: bool,
}

/// The wanted chunks, and whether each was shown.
#[derive(Debug)]
pub(super) struct CoverageTracker {
    disc: Vec<Chunk>,
    centre: Option<Chunk>,
    wanted: HashMap<Chunk, Wanted>,
    pub(super) missed: u32,
    pub(super) shown: u32,
    /// Frames and milliseconds from wanted to shown.
    pub(super) latencies: Vec<(f64, f64)>,
}

impl CoverageTracker {
    pub(super) fn new(disc: Vec<Chunk>) -> Self {
        Self {
            disc,
            centre: None,
            wanted: HashMap::new(),
            missed: 0,
            shown: 0,
            latencies: Vec::new(),
        }
    }

    /// The viewer is at this position; called before the frame in which the contestant learns of it.
    pub(super) fn move_to(&mut self, [x, z]: [f32; 2], frame: u32) {
        let centre = [x.floor() as i32, z.floor() as i32];
        if self.centre.replace(centre) == Some(centre) {
            return;
        }
        let fresh = Wanted {
            since_frame: frame,
            since: Instant::now(),
            is_shown: false,
            was_shown: false,
        };
        let mut wanted = HashMap::with_capacity(self.disc.len());
        for [x, z] in &self.disc {
            let chunk = [centre[0] + x, centre[1] + z];
            wanted.insert(chunk, self.wanted.remove(&chunk).unwrap_or(fresh));
        }
        self.missed += self.wanted.values().filter(|it| !it.was_shown).count() as u32;
        self.wanted = wanted;
    }

    /// Asks for every wanted chunk after a frame that ended `now`; returns the share that is shown.
    pub(super) fn compare(&mut self, contestant: &dyn Contestant, frame: u32, now: Instant) -> f64 {
        let mut shown = 0;
        for (chunk, wanted) in &mut self.wanted {
            let is_shown = contestant.is_shown(*chunk);
            shown += usize::from(is_shown);
            if is_shown && !wanted.is_shown {
                let ms = now.duration_since(wanted.since).as_secs_f64() * 1e3;
                let frames = f64::from(frame - wanted.since_frame);
                self.latencies.push((frames, ms));
                self.shown += 1;
            } else if wanted.is_shown && !is_shown {
                // It was unloaded while it was wanted, and is waited for again.
                (wanted.since_frame, wanted.since) = (frame, now);
            }
            wanted.is_shown = is_shown;
            wanted.was_shown |= is_shown;
        }
        shown as f64 / self.wanted.len().max(1) as f64
    }

    /// Forgets what was counted so far and keeps what is wanted.
    pub(super) fn begin(&mut self) {
        self.missed = 0;
        self.shown = 0;
        self.latencies.clear();
    }
}
