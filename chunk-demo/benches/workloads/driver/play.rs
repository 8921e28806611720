//! Plays one workload on one contestant, at 60 frames a second.

use std::thread;
use std::time::{Duration, Instant};

use super::contestant::{Contestant, FRAME, Maker};
use super::coverage::CoverageTracker;
use super::measured::{Measured, percentile};
use super::process;
use super::workload::{Movement, Workload};

/// Frames in which a full world must have been filled before a flight takes off: two minutes.
const WARM_UP: u32 = 7_200;

/// Entities that are still there after this many frames without a viewer and without a change have leaked: two seconds.
const UNLOADING: u32 = 120;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    pub(crate) whole: Duration,
    pub(crate) streaming: Duration,
    pub(crate) was_interrupted: bool,
}

/// Waits between frames: a late frame delays the following ones and does not make them early.
#[derive(Debug)]
pub(crate) struct FrameLimiter {
    next: Instant,
}

impl FrameLimiter {
    pub(crate) fn new() -> Self {
        let next = Instant::now() + FRAME;
        Self { next }
    }

    pub(crate) fn wait(&mut self) {
        let now = Instant::now();
        if self.next > now {
            thread::sleep(self.next - now);
            self.next += FRAME;
        } else {
            self.next = now + FRAME;
        }
    }
}

/// Plays the workload, and checks that nothing is left after its viewer is gone.
pub(super) fn play(
    workload: &Workload,
    contestant: &mut dyn Contestant,
    maker: &Maker,
) -> Measured {
    // The engine builds its schedules in the first frames.
    contestant.frame(None);
    contestant.frame(None);
    let (entities, memory) = (contestant.entities(), process::memory());
    let mut tracker = CoverageTracker::new(workload.disc());
    let mut limiter = FrameLimiter::new();
    if workload.movement == Movement::Flight {
        let position = workload.position(0);
        tracker.move_to(position, 0);
        for frame in 0..WARM_UP {
            contestant.frame(Some(position));
            let coverage = tracker.compare(contestant, frame, Instant::now());
            limiter.wait();
            if coverage >= 1.0 {
                break;
            }
        }
        tracker.begin();
    }
    let made_before = maker.made();
    let mut measured = Measured::default();
    let mut frames = Vec::new();
    let mut coverage_sum = 0.0;
    let began = Instant::now();
    for frame in 0..workload.frames {
        let position = workload.position(frame);
        tracker.move_to(position, frame);
        let interruptions = process::interruptions();
        let start = Instant::now();
        contestant.frame(Some(position));
        let whole = start.elapsed();
        frames.push(Frame {
            whole,
            streaming: contestant.main_thread(),
            was_interrupted: process::interruptions() != interruptions,
        });
        let coverage = tracker.compare(contestant, frame, start + whole);
        coverage_sum += coverage;
        if workload.jumps_after(frame) {
            measured.jumps += 1.0;
            measured.jumps_filled += f64::from(u8::from(coverage >= 1.0));
        }
        if workload.movement == Movement::Fill && coverage >= 1.0 {
            break;
        }
        limiter.wait();
    }
    measured.fill_ms = began.elapsed().as_secs_f64() * 1e3;
    measured.fill_frames = frames.len() as f64;
    measured.coverage = coverage_sum / frames.len().max(1) as f64;
    measured.missed = f64::from(tracker.missed);
    measured.shown = f64::from(tracker.shown);
    measured.memory_mb = process::peak_memory().saturating_sub(memory) as f64 / 1024.0;
    measured.latencies(&tracker);
    measured.times(&frames);

    let (mut left, mut unchanged) = (contestant.entities(), 0);
    while left > entities && unchanged < UNLOADING {
        contestant.frame(None);
        limiter.wait();
        let before = core::mem::replace(&mut left, contestant.entities());
        unchanged = if left == before { unchanged + 1 } else { 0 };
    }
    // Counted now, when no generator is running any more.
    let made = maker.made() - made_before;
    measured.wasted = made as f64 - measured.shown;
    measured.leaked = left.saturating_sub(entities) as f64;
    measured
}

impl Measured {
    fn latencies(&mut self, tracker: &CoverageTracker) {
        let (mut frames, mut ms): (Vec<_>, Vec<_>) = tracker.latencies.iter().copied().unzip();
        self.latency_frames_p50 = percentile(&mut frames, 50);
        self.latency_frames_p99 = percentile(&mut frames, 99);
        self.latency_frames_max = percentile(&mut frames, 100);
        self.latency_ms_p50 = percentile(&mut ms, 50);
        self.latency_ms_p99 = percentile(&mut ms, 99);
        self.latency_ms_max = percentile(&mut ms, 100);
    }

    pub(crate) fn times(&mut self, frames: &[Frame]) {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let undisturbed = frames.iter().filter(|frame| !frame.was_interrupted);
        let mut quiet: Vec<_> = undisturbed.map(|frame| ms(frame.streaming)).collect();
        let mut main: Vec<_> = frames.iter().map(|frame| ms(frame.streaming)).collect();
        let mut whole: Vec<_> = frames.iter().map(|frame| ms(frame.whole)).collect();
        let late = |times: &[f64]| times.iter().filter(|time| **time > ms(FRAME)).count() as f64;
        self.frames = frames.len() as f64;
        self.interrupted = (main.len() - quiet.len()) as f64;
        self.late = late(&quiet);
        self.late_all = late(&main);
        self.main_ms_p50 = percentile(&mut main, 50);
        self.main_ms_p99 = percentile(&mut main, 99);
        self.main_ms_max = percentile(&mut main, 100);
        self.main_ms_max_undisturbed = percentile(&mut quiet, 100);
        self.frame_ms_p50 = percentile(&mut whole, 50);
        self.frame_ms_p99 = percentile(&mut whole, 99);
        self.frame_ms_max = percentile(&mut whole, 100);
    }
}
