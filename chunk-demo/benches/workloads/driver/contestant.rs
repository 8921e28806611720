//! What is compared, and the content that each contestant streams.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::Work;

/// Column and row of a chunk on a flat grid.
pub(crate) type Chunk = [i32; 2];

/// Entities in each chunk, its root not counted.
pub(crate) const ENTITIES: usize = 15;

/// The time from one frame to the next, at 60 Hz.
pub(crate) const FRAME: Duration = Duration::from_nanos(16_666_667);

/// Something that streams chunks around one viewer.
pub(crate) trait Contestant {
    /// One frame, with the viewer at this place in units of a chunk; `None` wants nothing any more.
    fn frame(&mut self, viewer: Option<[f32; 2]>);

    /// What streaming took of the main thread in the last frame, without what the engine spends on frames in which
    /// nothing streams.
    fn main_thread(&self) -> Duration;

    /// Whether the chunk is there as a whole: its root and its entities.
    fn is_shown(&self, chunk: Chunk) -> bool;

    /// All entities of the world.
    fn entities(&self) -> usize;
}

/// Makes chunks: the same instructions for every contestant, and counted.
#[derive(Clone, Debug)]
pub(crate) struct Maker {
    work: Work,
    made: Arc<AtomicU64>,
}

impl Maker {
    pub(crate) fn new(work: Work) -> Self {
        Self {
            work,
            made: Arc::default(),
        }
    }

    /// Does the work of one chunk; what it returns goes into the chunk's content.
    pub(crate) fn make(&self, [x, z]: Chunk) -> u64 {
        self.made.fetch_add(1, Ordering::Relaxed);
        self.work.run(x ^ z.rotate_left(16))
    }

    /// How many chunks were made so far, wanted or not.
    pub(crate) fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }
}
