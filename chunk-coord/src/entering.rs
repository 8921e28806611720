//! The work of bringing one viewer's load footprint into the set.

use crate::ChunkCoord;
use crate::footprint::{Footprint, Layer, Placed};
use crate::found::Found;
use crate::members::{Members, page_of};
use crate::range::Viewer;
use crate::span::{Span, reach};

/// What is left to do until every coordinate of a viewer's load footprint is a member.
///
/// ```text
/// complete ──small move, or any with an unlimited budget──► Rows ──done──► complete
///    ▲  └────large move, new viewer───► Rings ──done──► complete
///    └── a viewer that moves on during either starts Rings, behind the ball known to be complete
/// ```
#[derive(Clone, Debug)]
pub(crate) enum Entering {
    /// One walk over the rows of the footprint, less those of a footprint that is complete.
    Rows {
        complete: Option<Placed>,
        cursor: Cursor,
    },
    /// A walk over spherical shells of the footprint, nearest first.
    Rings { ring: u32, cursor: Cursor },
}

/// Where a walk over rows goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor {
    pub(crate) y: i64,
    pub(crate) z: i64,
}

impl Cursor {
    pub(crate) const START: Self = Self {
        y: i64::MIN,
        z: i64::MIN,
    };
}

/// Where found coordinates go.
#[derive(Debug)]
pub(crate) struct Sink<'a> {
    pub(crate) members: &'a mut Members,
    pub(crate) found: &'a mut Found,
    /// The viewers that may be nearest to what is found.
    pub(crate) near: &'a [ChunkCoord],
}

impl Entering {
    /// The work of a viewer that was not there before.
    pub(crate) fn appeared(unlimited: bool) -> Self {
        if unlimited {
            Self::Rows {
                complete: None,
                cursor: Cursor::START,
            }
        } else {
            Self::Rings {
                ring: 0,
                cursor: Cursor::START,
            }
        }
    }

    /// The work of a viewer that was `old` and is `new`, when `rest` was left of the old work.
    pub(crate) fn moved(
        old: &Viewer,
        new: &Viewer,
        rest: Option<Self>,
        unlimited: bool,
    ) -> Option<Self> {
        let before = Placed::new(old.coord, old.range.load());
        let target = Placed::new(new.coord, new.range.load());
        if before == target {
            return rest;
        }
        if rest.is_none() && (unlimited || is_small(&before, &target)) {
            return Some(Self::Rows {
                complete: before.may_touch(&target).then_some(before),
                cursor: Cursor::START,
            });
        }
        if unlimited {
            return Some(Self::appeared(true));
        }
        // Step by step, and not from where the viewer once was complete: what it went away from may
        // have left the set, even if it is back by now.
        let reached = rest.map_or(i64::MAX, |rest| rest.reached(&before));
        let ring = u32::try_from(solid_ball(&before, &target, reached) + 1).unwrap_or(0);
        // The last ring has no outer bound, so no ball tells that it is done.
        Some(Self::Rings {
            ring: ring.min(last_ring(&target)),
            cursor: Cursor::START,
        })
    }

    /// The radius of the ball around the centre of `target` in which the work is done, in chunks; -1
    /// where there is none. Of several works, the one that has reached least is nearest to its viewer.
    pub(crate) fn reached(&self, target: &Placed) -> i64 {
        match self {
            Self::Rings { ring, .. } => i64::from(*ring) - 1,
            Self::Rows { complete, .. } => {
                complete.map_or(-1, |complete| solid_ball(&complete, target, i64::MAX))
            }
        }
    }

    /// Goes on with the work around `target` and returns whether it is done. Uses up `credits`.
    pub(crate) fn advance(
        &mut self,
        target: &Placed,
        sink: &mut Sink<'_>,
        credits: &mut u64,
    ) -> bool {
        match self {
            Self::Rows { complete, cursor } => {
                let layers = target.layers();
                let region = |y| {
                    Some(Region {
                        all: target.layer(y)?,
                        within: None,
                        without: complete.and_then(|complete| complete.layer(y)),
                    })
                };
                enter(layers, region, cursor, sink, credits)
            }
            Self::Rings { ring, cursor } => {
                if !enter_ring(target, *ring, cursor, sink, credits) {
                    return false;
                }
                *cursor = Cursor::START;
                match ring.checked_add(1) {
                    Some(next) if next <= last_ring(target) => {
                        *ring = next;
                        false
                    }
                    _ => true,
                }
            }
        }
    }
}

/// Whether a move is so small that its rows need not be walked nearest first.
fn is_small(from: &Placed, to: &Placed) -> bool {
    let [x, y, z] = to.footprint.half_extents();
    from.footprint == to.footprint
        && from.centre.chebyshev_distance(to.centre) <= x.max(y).max(z) / 16 + 1
}

/// The radius of a ball around the centre of `target` of which nothing needs to be looked at, given
/// that the ball of radius `reached` around the centre of `complete` is done, as far as it lies in
/// `complete`. -1 where there is none.
fn solid_ball(complete: &Placed, target: &Placed, reached: i64) -> i64 {
    let [x, y, z] = complete.footprint.half_extents();
    // Balls are discs to a viewer that looks at one layer only, and stays in it.
    let flat = target.footprint.half_extents()[1] == 0 && complete.centre.y == target.centre.y;
    let inscribed = if flat { x.min(z) } else { x.min(y).min(z) };
    let distance_sq = complete.centre.distance_sq(target.centre);
    let floor = u64::from(reach(distance_sq));
    let distance = floor + u64::from(floor * floor < distance_sq);
    (i64::from(inscribed).min(reached) - distance as i64).max(-1)
}

/// The ring that holds the outermost chunks of a footprint. Everything beyond the ring before it counts
/// as part of it.
fn last_ring(target: &Placed) -> u32 {
    reach(target.footprint.outermost_sq())
}

/// Walks the chunks of `target` whose distance is in (`ring` - 1, `ring`].
fn enter_ring(
    target: &Placed,
    ring: u32,
    cursor: &mut Cursor,
    sink: &mut Sink<'_>,
    credits: &mut u64,
) -> bool {
    let centre = target.centre;
    let is_last = ring == last_ring(target);
    let square = |value: u32| u64::from(value) * u64::from(value);
    let disc = |ball: u32, y: i32| {
        let square = square(ball).checked_sub(square(y.abs_diff(centre.y)))?;
        Some(Layer::round(centre.x, centre.z, square))
    };
    let round = matches!(
        target.footprint,
        Footprint::Disc { .. } | Footprint::Sphere { .. }
    );
    let layers = Span::around(centre.y, ring)
        .intersection(target.layers())
        .filter(|_| !is_last)
        .unwrap_or(target.layers());
    let region = |y| {
        let own = target.layer(y)?;
        let (all, within) = if is_last {
            (own, None)
        } else {
            (disc(ring, y)?, (!round).then_some(own))
        };
        Some(Region {
            all,
            within,
            without: ring.checked_sub(1).and_then(|inner| disc(inner, y)),
        })
    };
    enter(layers, region, cursor, sink, credits)
}

/// A part of a layer.
struct Region {
    all: Layer,
    within: Option<Layer>,
    without: Option<Layer>,
}

impl Region {
    fn rows(&self) -> Span {
        let rows = self.all.rows();
        self.within
            .and_then(|within| rows.intersection(within.rows()))
            .unwrap_or(rows)
    }

    #[inline]
    fn row(&self, z: i32) -> [Option<Span>; 2] {
        let Some(within) = self.within else {
            return self.all.row_minus(z, self.without.as_ref());
        };
        let all = self.all.row(z).zip(within.row(z));
        match all.and_then(|(all, within)| all.intersection(within)) {
            Some(all) => all.minus(self.without.and_then(|without| without.row(z))),
            None => [None; 2],
        }
    }
}

/// Inserts what regions hold, from the cursor on; returns whether the end was reached.
fn enter(
    layers: Span,
    region: impl Fn(i32) -> Option<Region>,
    cursor: &mut Cursor,
    sink: &mut Sink<'_>,
    credits: &mut u64,
) -> bool {
    let first = cursor.y.max(i64::from(layers.low)) as i32;
    for y in first..=layers.high {
        if let Some(region) = region(y) {
            let rows = region.rows();
            let mut begin = cursor.z.max(i64::from(rows.low));
            while begin <= i64::from(rows.high) {
                let page = page_of(begin as i32);
                let end = i64::from(rows.high).min(i64::from(page) * 32 + 31);
                let rows = Span {
                    low: begin as i32,
                    high: end as i32,
                };
                if let Some(z) = enter_rows(&region, y, page, rows, sink, credits) {
                    *cursor = Cursor {
                        y: i64::from(y),
                        z: i64::from(z),
                    };
                    return false;
                }
                begin = end + 1;
            }
        }
        cursor.z = i64::MIN;
    }
    true
}

/// Inserts the rows of one page; returns the row to go on with when the credits did not suffice.
fn enter_rows(
    region: &Region,
    y: i32,
    page: i32,
    rows: Span,
    sink: &mut Sink<'_>,
    credits: &mut u64,
) -> Option<i32> {
    let mut slot = None;
    let mut total = 0;
    let mut stopped = None;
    let Sink {
        members,
        found,
        near,
    } = sink;
    for z in rows.low..=rows.high {
        if *credits == 0 {
            stopped = Some(z);
            break;
        }
        let mut count = 0;
        for span in region.row(z) {
            let Some(span) = span else { continue };
            if count == *credits {
                break;
            }
            let slot = *slot.get_or_insert_with(|| members.open(y, page));
            let page = members.page(slot);
            count += page.insert(z, span, *credits - count, |run| found.push(y, z, run, near));
        }
        total += count;
        *credits -= count.max(1);
        if *credits == 0 && count > 0 {
            // The row may hold more. If not, looking again finds nothing and moves on.
            stopped = Some(z);
            break;
        }
    }
    members.inserted(total);
    stopped
}
