//! What a run was like, frame by frame.

use std::time::Duration;

use bevy_ecs::world::World;
use chunk_apply::{ChunkIndex, ChunkStream};
use chunk_coord::ChunkCoord;

use super::state::{ChunkState, states};
use crate::harness::Settings;
use crate::motion::MotionReport;

/// What a run was like, frame by frame, and where every chunk was at six moments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline {
    /// One for each frame, or for every few frames of a long run.
    pub samples: Vec<Sample>,
    /// The state of every chunk in six frames, which are spread evenly over the run.
    pub snapshots: Vec<MapSnapshot>,
    /// The chunks that the first viewer went through.
    pub path: Vec<ChunkCoord>,
    /// The unload radius, in chunks.
    pub unload_radius: u32,
    /// The frames in which a snapshot is taken.
    snapshot_frames: Vec<u64>,
    frames_per_sample: u64,
}

/// The worst values of a few frames, usually of one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    /// Since the start, in seconds.
    pub seconds: f64,
    /// Main-thread time of the stream.
    pub main_thread: Duration,
    /// Time of everything in the frame.
    pub whole_frame: Duration,
    /// Main-thread time of moving vehicles and people.
    pub motion: Duration,
    /// Chunks that were not started.
    pub queued: usize,
    /// Chunks on workers.
    pub in_flight: usize,
    /// Chunks that waited for the main thread.
    pub backlog: usize,
    /// Chunks that were loaded.
    pub loaded: usize,
}

/// Where every chunk was in one frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MapSnapshot {
    /// Since the start, in seconds.
    pub seconds: f64,
    /// The chunks in which the viewers were.
    pub viewers: Vec<ChunkCoord>,
    /// The state of every chunk that the stream knew about.
    pub chunks: Vec<(ChunkCoord, ChunkState)>,
}

/// A longer run gets several frames in each sample.
const MOST_SAMPLES: u64 = 3_000;
const SNAPSHOTS: u64 = 6;
/// The first snapshot is taken shortly after the start, to show how the world fills.
const FIRST_SNAPSHOT: u64 = 6;

impl Timeline {
    /// An empty timeline for a run with these settings.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let frames = settings.frames();
        let later =
            (1..SNAPSHOTS).map(|number| (frames * number / (SNAPSHOTS - 1)).saturating_sub(1));
        Self {
            unload_radius: settings.unload_radius,
            snapshot_frames: core::iter::once(FIRST_SNAPSHOT.min(frames - 1))
                .chain(later)
                .collect(),
            frames_per_sample: frames.div_ceil(MOST_SAMPLES),
            ..Self::default()
        }
    }

    /// Records a frame of a world with a stream of the content `T`.
    pub fn frame<T: Send + Sync + 'static>(
        &mut self,
        world: &World,
        frame: u64,
        whole_frame: Duration,
    ) {
        let (Some(stream), Some(index)) = (
            world.get_resource::<ChunkStream<T>>(),
            world.get_resource::<ChunkIndex<T>>(),
        ) else {
            return;
        };
        let seconds = frame as f64 / f64::from(Settings::FRAMES_PER_SECOND);
        let depths = stream.scheduler().depths();
        let motion = world.get_resource::<MotionReport>();
        let sample = Sample {
            seconds,
            main_thread: stream.last_frame().main_thread(),
            whole_frame,
            motion: motion.map_or(Duration::ZERO, |motion| motion.spent),
            queued: depths.queued,
            in_flight: depths.in_flight,
            backlog: depths.completed + depths.backlog,
            loaded: index.len(),
        };
        match self.samples.last_mut() {
            Some(last) if !frame.is_multiple_of(self.frames_per_sample.max(1)) => last.add(sample),
            _ => self.samples.push(sample),
        }
        let viewers = stream.viewers().iter().map(|viewer| viewer.coord);
        let first = viewers.clone().next();
        if first.is_some() && self.path.last() != first.as_ref() {
            self.path.extend(first);
        }
        if self.snapshot_frames.contains(&frame) {
            self.snapshots.push(MapSnapshot {
                seconds,
                viewers: viewers.collect(),
                chunks: states::<T>(world),
            });
        }
    }
}

impl Sample {
    /// Keeps the worse value of both.
    fn add(&mut self, other: Self) {
        self.main_thread = self.main_thread.max(other.main_thread);
        self.whole_frame = self.whole_frame.max(other.whole_frame);
        self.motion = self.motion.max(other.motion);
        self.queued = self.queued.max(other.queued);
        self.in_flight = self.in_flight.max(other.in_flight);
        self.backlog = self.backlog.max(other.backlog);
        self.loaded = other.loaded;
    }
}
