//! What a run was like, frame by frame.

use std::time::Duration;

use bevy_ecs::world::World;
use chunk_apply::{ChunkIndex, ChunkStream};
use chunk_coord::ChunkCoord;

use super::state::{ChunkState, states};
use crate::harness::Settings;
use crate::motion::MotionReport;

/// What a run was like, frame by frame, and where every chunk was in six of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Film {
    /// Each frame, or each few of a long run.
    pub moments: Vec<Moment>,
    /// Six frames, spread evenly.
    pub stills: Vec<Still>,
    /// The chunks that the first viewer went through.
    pub path: Vec<ChunkCoord>,
    /// How far the first viewer keeps chunks, in chunks.
    pub reach: u32,
    /// The frames that `stills` are of.
    due: Vec<u64>,
    /// How many frames are one moment.
    frames_per_moment: u64,
}

/// The worst of a few frames, usually of one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moment {
    /// Since the start, in seconds.
    pub seconds: f64,
    /// Main-thread time of the stream.
    pub main_thread: Duration,
    /// Time of everything in the frame.
    pub whole: Duration,
    /// Main-thread time of moving vehicles and people.
    pub motion: Duration,
    /// Chunks not started.
    pub queued: usize,
    /// Chunks on workers.
    pub in_flight: usize,
    /// Chunks waiting for the main thread.
    pub backlog: usize,
    /// Chunks that are there.
    pub loaded: usize,
}

/// Where every chunk was in one frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Still {
    /// Since the start, in seconds.
    pub seconds: f64,
    /// Where the viewers were.
    pub viewers: Vec<ChunkCoord>,
    /// Where every chunk was.
    pub chunks: Vec<(ChunkCoord, ChunkState)>,
}

/// A film has no more moments than about this, however long the run.
const MOST_MOMENTS: u64 = 3_000;
const STILLS: u64 = 6;
/// The first still, shortly after the start, shows how the world fills.
const FIRST_STILL: u64 = 6;

impl Film {
    /// An empty film for a run with these settings.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let frames = settings.frames();
        let spread = (1..STILLS).map(|still| (frames * still / (STILLS - 1)).saturating_sub(1));
        Self {
            reach: settings.unload_radius,
            due: core::iter::once(FIRST_STILL.min(frames - 1))
                .chain(spread)
                .collect(),
            frames_per_moment: frames.div_ceil(MOST_MOMENTS),
            ..Self::default()
        }
    }

    /// Notes a frame of a world with a stream of the content `T`.
    pub fn frame<T: Send + Sync + 'static>(&mut self, world: &World, frame: u64, whole: Duration) {
        let (Some(stream), Some(index)) = (
            world.get_resource::<ChunkStream<T>>(),
            world.get_resource::<ChunkIndex<T>>(),
        ) else {
            return;
        };
        let seconds = frame as f64 / f64::from(Settings::FRAMES_PER_SECOND);
        let depths = stream.scheduler().depths();
        let motion = world.get_resource::<MotionReport>();
        let now = Moment {
            seconds,
            main_thread: stream.last_frame().main_thread(),
            whole,
            motion: motion.map_or(Duration::ZERO, |motion| motion.spent),
            queued: depths.queued,
            in_flight: depths.in_flight,
            backlog: depths.completed + depths.backlog,
            loaded: index.len(),
        };
        match self.moments.last_mut() {
            Some(last) if !frame.is_multiple_of(self.frames_per_moment.max(1)) => last.add(now),
            _ => self.moments.push(now),
        }
        let viewers = || stream.viewers().iter().map(|viewer| viewer.coord);
        let first = viewers().next();
        if first.is_some() && self.path.last() != first.as_ref() {
            self.path.extend(first);
        }
        if self.due.contains(&frame) {
            self.stills.push(Still {
                seconds,
                viewers: viewers().collect(),
                chunks: states::<T>(world),
            });
        }
    }
}

impl Moment {
    /// Keeps the worse of both.
    fn add(&mut self, other: Self) {
        self.main_thread = self.main_thread.max(other.main_thread);
        self.whole = self.whole.max(other.whole);
        self.motion = self.motion.max(other.motion);
        self.queued = self.queued.max(other.queued);
        self.in_flight = self.in_flight.max(other.in_flight);
        self.backlog = self.backlog.max(other.backlog);
        self.loaded = other.loaded;
    }
}
