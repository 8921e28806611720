//! The orders to choose from.

use crate::{
    spawn::SpawnError,
    sync::{Arc, AtomicBool, Ordering},
};
use bevy_math::Vec3;
use chunk_coord::ChunkCoord;
use core::{fmt, time::Duration};
use tracing::error;

/// Which of the wanted chunks is generated and applied first. Edits come before all of them, whatever the order.
///
/// The order decides nothing else: which chunks are wanted, levels of detail, what is unloaded and what is saved first
/// follow the plain distance.
///
/// ```
/// use chunk_apply::LoadOrder;
/// use core::time::Duration;
///
/// // A fast aircraft:
/// let ahead_first = LoadOrder::Motion { look_ahead: Duration::from_secs(2), prefetch: true };
/// // A camera that turns:
/// let on_screen_first = LoadOrder::View { weight: 3.0 };
/// // A dungeon whose even rows are corridors:
/// let corridors_first = LoadOrder::by(|chunk, viewers| {
///     let nearest = viewers.iter().map(|viewer| viewer.coord.distance_sq(chunk)).min();
///     nearest.unwrap_or(u64::MAX) * if chunk.z % 2 == 0 { 1 } else { 4 }
/// });
/// ```
///
/// With [`Motion`](Self::Motion), [`View`](Self::View) and [`by`](Self::by), what a chunk costs to order grows with the
/// number of viewers. They suit dozens of viewers; for hundreds, [`Distance`](Self::Distance) does not grow.
#[derive(Clone, Default)]
pub enum LoadOrder {
    /// The chunk nearest to any viewer first.
    #[default]
    Distance,
    /// What lies ahead of a moving viewer first: a chunk counts as near as it is to the way that the viewer takes in the
    /// next `look_ahead`, and of chunks on this way the nearest come first. Around a viewer at rest it is the distance.
    ///
    /// How fast a viewer moves is the average of about the last second, by the stream's clock. A jump, of more than
    /// two chunks and more than twice as far as its speed explains, is a teleport and no motion; a second one of the same
    /// kind in the next scan is motion. The world's origin may move without being taken for one.
    Motion {
        /// How far ahead, in time. About as long as a chunk takes from being wanted to being shown; 2 s serves most games.
        /// With twice that, chunks beside the viewer wait too long. The way ends at the viewer's load radius, however
        /// long this is; with zero, the order is the distance.
        look_ahead: Duration,
        /// Whether chunks beyond the load radius are loaded as well that a viewer at the end of its way would load.
        ///
        /// They are requested in [`Lane::Prefetch`](chunk_scheduler::Lane::Prefetch), so that none is begun or applied
        /// while one that a viewer wants here and now could be, and move to the normal lane when they come within a
        /// load radius. Otherwise they are wanted like all others: they are loaded and shown,
        /// [`ChunkLoaded`](crate::ChunkLoaded) says so, [`is_settled`](crate::ChunkStream::is_settled) waits for them,
        /// and they are unloaded when they are no longer ahead and beyond the unload radius. A viewer wants at most as
        /// many chunks again. Their latency counts from when they come within the load radius, so that it is zero for
        /// one that is there by then.
        prefetch: bool,
    },
    /// What is on screen first: a chunk counts as farther the more it is away from where the viewer looks, up to
    /// `1 + weight` times as far, squared, behind it. With a weight of 3 a chunk behind counts as twice as far, with 15
    /// as four times.
    ///
    /// A viewer looks along its own negative z axis, so the [`ChunkViewer`](crate::ChunkViewer) belongs on the camera. In
    /// a planar grid only the part of the direction in the plane counts; straight down at it, all sides count alike. So
    /// they do for a viewer without a `Transform`. A turn counts from about 11 degrees on.
    View {
        /// 0 is the distance. What is not finite or not positive counts as 0.
        weight: f32,
    },
    /// A function of one's own; see [`LoadOrder::by`].
    By(Arc<RankFn>),
}

/// From a chunk and the viewers to a rank: the smaller, the sooner. See [`LoadOrder::by`].
pub(super) type RankFn = dyn Fn(ChunkCoord, &[ViewerSnapshot]) -> u64 + Send + Sync;

impl LoadOrder {
    /// An order of one's own: the chunk with the smallest result first, and of equal ones the one that was requested
    /// first.
    ///
    /// The function is called on workers and on the main thread, for each waiting chunk after each change of the
    /// viewers: when one changes its chunk, turns by more than about 11 degrees, or changes its velocity by more than an
    /// eighth and a tenth of a chunk per second. It must return at once, wait for nothing, and give the same result for
    /// the same input. Its results are used as they are, so it has to take care itself that no chunk waits for ever.
    ///
    /// A function that panics is not called again: the stream goes by distance from then on, with one error in the log.
    #[must_use]
    pub fn by(rank: impl Fn(ChunkCoord, &[ViewerSnapshot]) -> u64 + Send + Sync + 'static) -> Self {
        Self::By(Arc::new(rank))
    }
}

impl fmt::Debug for LoadOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Distance => f.write_str("Distance"),
            Self::Motion {
                look_ahead,
                prefetch,
            } => (f.debug_struct("Motion"))
                .field("look_ahead", look_ahead)
                .field("prefetch", prefetch)
                .finish(),
            Self::View { weight } => f.debug_struct("View").field("weight", weight).finish(),
            Self::By(_) => f.write_str("By(..)"),
        }
    }
}

/// A viewer as an [order of one's own](LoadOrder::by) sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ViewerSnapshot {
    /// The chunk that it is in.
    pub coord: ChunkCoord,
    /// In chunks per second; see [`LoadOrder::Motion`]. Zero for one that vanished and
    /// [lingers](crate::StreamingConfig::linger), and along the axis that a planar grid ignores.
    pub velocity: Vec3,
    /// Where it looks, measured in chunks, of length one; see [`LoadOrder::View`]. Zero where it has no `Transform`, or
    /// looks along the axis that a planar grid ignores.
    pub forward: Vec3,
}

/// A function of the user's, until it panics.
#[derive(Clone)]
pub(super) struct OwnRank(Arc<Guarded>);

struct Guarded {
    rank: Arc<RankFn>,
    has_panicked: AtomicBool,
}

impl OwnRank {
    pub(super) fn new(rank: Arc<RankFn>) -> Self {
        let has_panicked = AtomicBool::new(false);
        Self(Arc::new(Guarded { rank, has_panicked }))
    }

    /// The rank of a chunk; `None` when the function has panicked. Contained here, because workers and the main thread
    /// call it at many places.
    pub(super) fn rank(&self, coord: ChunkCoord, viewers: &[ViewerSnapshot]) -> Option<u64> {
        let Guarded { rank, has_panicked } = &*self.0;
        if has_panicked.load(Ordering::Relaxed) {
            return None;
        }
        let ranked = SpawnError::catch(|| rank(coord, viewers));
        ranked
            .inspect_err(|panic| {
                if !has_panicked.swap(true, Ordering::Relaxed) {
                    error!(
                        ?coord,
                        "the order of loading panicked, so chunks are loaded by distance from now on: {panic}"
                    );
                }
            })
            .ok()
    }
}

impl fmt::Debug for OwnRank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnRank(..)")
    }
}
