//! What the order needs to know of the viewers, as the last scan saw them.

use super::{
    load_order::{LoadOrder, OwnRank, ViewerSnapshot},
    motion::Motion,
    viewer_rank::{OrderNow, ViewerRank, Way},
};
use crate::sync::Arc;
use ahash::AHashMap;
use bevy_math::{DVec3, Vec3};
use chunk_coord::Viewer;
use core::time::Duration;

/// Follows motion and direction of the viewers, as far as the order uses them, and says when it has changed.
#[derive(Debug)]
pub(in crate::streaming) struct OrderTracker {
    order: LoadOrder,
    now: OrderNow,
    tracked: AHashMap<u64, Tracked>,
}

#[derive(Debug)]
struct Tracked {
    motion: Motion,
    forward: Vec3,
    /// How many chunks ahead its way ends. Changed only if that is off by much, so that each change is worth a new order.
    ahead: DVec3,
    /// Whether it was seen since the last scan began.
    is_seen: bool,
}

/// The end of a way stays where it is as long as it is off by less than this, in chunks along each axis.
const END_OFF: f64 = 0.75;
/// A viewer that will be less than this far away stays where it is, in chunks².
const SHORTEST_WAY: f64 = 1.0;
/// A turn counts when its cosine is below this: from 11 degrees on.
const TURN: f32 = 0.98;
/// A change of velocity counts from this on, in chunks per second, and from this part of the velocity.
const VELOCITY_OFF: f32 = 0.1;
const VELOCITY_PART: f32 = 0.125;

impl OrderTracker {
    pub(in crate::streaming) fn new(order: LoadOrder) -> Self {
        let now = match &order {
            LoadOrder::Distance => OrderNow::Distance,
            LoadOrder::Motion { .. } => OrderNow::Motion(Arc::default()),
            LoadOrder::View { weight } => OrderNow::View(*weight, Arc::default()),
            LoadOrder::By(rank) => OrderNow::Own(OwnRank::new(Arc::clone(rank)), Arc::default()),
        };
        Self {
            order,
            now,
            tracked: AHashMap::new(),
        }
    }

    /// Whether it depends on more of the viewers than their chunks. If not, nothing of them need be noted.
    pub(in crate::streaming) fn follows_viewers(&self) -> bool {
        !matches!(self.order, LoadOrder::Distance)
    }

    /// Whether it depends on where the viewers look.
    pub(in crate::streaming) fn needs_forward(&self) -> bool {
        matches!(self.order, LoadOrder::View { .. } | LoadOrder::By(_))
    }

    pub(in crate::streaming) fn prefetches(&self) -> bool {
        matches!(self.order, LoadOrder::Motion { prefetch: true, .. })
    }

    pub(super) fn now(&self) -> &OrderNow {
        &self.now
    }

    /// The same snapshot with this order as of the last scan.
    pub(in crate::streaming) fn order(&self, rank: ViewerRank) -> ViewerRank {
        rank.in_order(self.now.clone())
    }

    /// Forgets what it knows of the viewers, because their places are of another grid.
    pub(in crate::streaming) fn restart(&mut self) {
        self.tracked.clear();
    }

    /// Notes where a viewer is, in chunks, and in which direction it looks: a vector of length one, or zero.
    pub(in crate::streaming) fn see(&mut self, id: u64, at: DVec3, forward: Vec3, now: Duration) {
        let tracked = self.tracked.entry(id).or_insert_with(|| Tracked {
            motion: Motion::new(at, now),
            forward,
            ahead: DVec3::ZERO,
            is_seen: true,
        });
        tracked.motion.see(at, now);
        (tracked.forward, tracked.is_seen) = (forward, true);
    }

    /// Ends a scan. Those of `viewers` that were not seen in it stand still. Returns whether the order has changed.
    pub(in crate::streaming) fn end(&mut self, viewers: &[Viewer]) -> bool {
        (self.tracked).retain(|_, tracked| core::mem::take(&mut tracked.is_seen));
        let tracked = &mut self.tracked;
        match &mut self.now {
            OrderNow::Distance => false,
            OrderNow::Motion(ways) => {
                if let LoadOrder::Motion { look_ahead, .. } = self.order {
                    for viewer in viewers {
                        if let Some(tracked) = tracked.get_mut(&viewer.id) {
                            tracked.look_ahead(look_ahead, viewer.range.load_radius());
                        }
                    }
                }
                let latest = || viewers.iter().filter_map(|viewer| way(tracked, viewer));
                replace_if(ways, !latest().eq(ways.iter().copied()), latest)
            }
            OrderNow::View(_, known) => {
                let still = |viewer| ViewerSnapshot {
                    velocity: Vec3::ZERO,
                    ..snapshot(tracked, viewer)
                };
                let latest = || viewers.iter().map(still);
                replace_if(known, have_changed(known, latest()), latest)
            }
            OrderNow::Own(_, known) => {
                let latest = || viewers.iter().map(|viewer| snapshot(tracked, viewer));
                replace_if(known, have_changed(known, latest()), latest)
            }
        }
    }
}

impl Tracked {
    fn look_ahead(&mut self, time: Duration, radius: u32) {
        let way = self.motion.velocity() * time.as_secs_f64();
        let mut way = way.clamp_length_max(f64::from(radius));
        if way.length_squared() < SHORTEST_WAY {
            way = DVec3::ZERO;
        }
        if (way - self.ahead).abs().max_element() > END_OFF {
            self.ahead = way.round();
        }
    }
}

/// The way of a viewer that moves.
fn way(tracked: &AHashMap<u64, Tracked>, viewer: &Viewer) -> Option<Way> {
    // `as` saturates.
    let [x, y, z] = (tracked.get(&viewer.id)?.ahead.to_array()).map(|chunks| chunks as i32);
    let (from, to) = (viewer.coord, viewer.coord.saturating_offset(x, y, z));
    let range = viewer.range;
    (from != to).then_some(Way { from, to, range })
}

fn snapshot(tracked: &AHashMap<u64, Tracked>, viewer: &Viewer) -> ViewerSnapshot {
    let tracked = tracked.get(&viewer.id);
    ViewerSnapshot {
        coord: viewer.coord,
        velocity: tracked.map_or(Vec3::ZERO, |seen| seen.motion.velocity().as_vec3()),
        forward: tracked.map_or(Vec3::ZERO, |seen| seen.forward),
    }
}

/// Whether viewers differ by more than an order would notice.
fn have_changed(
    known: &[ViewerSnapshot],
    latest: impl ExactSizeIterator<Item = ViewerSnapshot>,
) -> bool {
    let is_other = |(known, latest): (&ViewerSnapshot, ViewerSnapshot)| {
        let off = known.velocity.distance(latest.velocity);
        let fastest = known.velocity.length().max(latest.velocity.length());
        let has_turned =
            known.forward != latest.forward && known.forward.dot(latest.forward) < TURN;
        known.coord != latest.coord || has_turned || off > VELOCITY_OFF.max(VELOCITY_PART * fastest)
    };
    known.len() != latest.len() || known.iter().zip(latest).any(is_other)
}

fn replace_if<S, I: Iterator<Item = S>>(
    known: &mut Arc<[S]>,
    must: bool,
    latest: impl FnOnce() -> I,
) -> bool {
    if must {
        *known = latest().collect();
    }
    must
}
