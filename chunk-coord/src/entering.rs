//! The work of bringing one viewer's load footprint into the set.

use crate::ChunkCoord;
use crate::crowd::Crowd;
use crate::found::Found;
use crate::members::Members;
use crate::placed::{Placed, do_meet};
use crate::range::Viewer;
use crate::rings::{Region, last_ring, ring_layers, ring_region, solid_ball};
use crate::span::Span;
use crate::walk::{Cursor, Visit};

/// What is left to do until every coordinate of a viewer's load footprint is a member.
///
/// ```text
/// complete ──small move, or any with an unlimited budget──► AtOnce ──done──► complete
///    ▲  └────large move, new viewer───► ByRings ──done──► complete
///    └── a viewer that moves on during either starts ByRings, behind the ball known to be complete
/// ```
#[derive(Clone, Debug)]
pub(crate) enum Entering {
    /// One walk over the rows of the footprint. What lies in `complete` is there already.
    AtOnce {
        complete: Option<Placed>,
        cursor: Cursor,
    },
    /// A walk over the rings of the footprint, nearest first.
    ByRings { ring: u32, cursor: Cursor },
}

/// Where found coordinates go.
#[derive(Debug)]
pub(crate) struct Sink<'a> {
    pub(crate) members: &'a mut Members,
    pub(crate) found: &'a mut Found<false>,
    /// The viewers that may be nearest to what is found, or none where it takes the crowd to tell.
    pub(crate) rivals: &'a [ChunkCoord],
    pub(crate) crowd: &'a mut Crowd,
}

impl Entering {
    /// The work of a viewer that was not there before.
    pub(crate) fn appeared(unlimited: bool) -> Self {
        let cursor = Cursor::START;
        if unlimited {
            let complete = None;
            Self::AtOnce { complete, cursor }
        } else {
            Self::ByRings { ring: 0, cursor }
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
        let cursor = Cursor::START;
        // Step by step, and not from where the viewer once was complete: what it went away from may
        // have left the set, even if it is back by now.
        let is_complete = rest.is_none();
        let reached = rest.map_or(i64::MAX, |rest| rest.reached(&before));
        let solid = solid_ball(&before, &target, reached);
        if solid == i64::MAX {
            return None;
        }
        if is_complete && (unlimited || is_rim(&target, solid)) {
            let complete = do_meet(&before.bounds(), &target.bounds()).then_some(before);
            return Some(Self::AtOnce { complete, cursor });
        }
        if unlimited {
            return Some(Self::appeared(true));
        }
        let ring = u32::try_from(solid + 1).unwrap_or(u32::MAX);
        // The last ring has no outer bound, so no ball tells that it is done.
        let ring = ring.min(last_ring(&target));
        Some(Self::ByRings { ring, cursor })
    }

    /// The radius of the ball around the centre of `target` in which the work is done, in chunks; -1
    /// where there is none. Of several works, the one that has reached least is nearest to its viewer.
    pub(crate) fn reached(&self, target: &Placed) -> i64 {
        match self {
            Self::ByRings { ring, .. } => i64::from(*ring) - 1,
            Self::AtOnce { complete, .. } => {
                complete.map_or(-1, |complete| solid_ball(&complete, target, i64::MAX))
            }
        }
    }

    /// Goes on with a walk over all rows at a row, if any is left; returns whether the work is done.
    pub(crate) fn skip_to(&mut self, row: Option<(i32, i32)>) -> bool {
        if let (Self::AtOnce { cursor, .. }, Some((y, z))) = (self, row) {
            *cursor = Cursor::at(y, z);
        }
        row.is_none()
    }

    /// Goes on with the work around `target` and returns whether it is done. Uses up `credits`.
    pub(crate) fn advance(&mut self, target: &Placed, sink: Sink<'_>, credits: &mut u64) -> bool {
        match self {
            Self::AtOnce { cursor, .. } => {
                // What is complete already is not cut off here: a row knows what it has for less.
                let region = |y| target.layer(y).map(Region::whole);
                let mut insertion = Insertion::new(region, sink, credits);
                cursor.walk(target.y_span(), &mut insertion)
            }
            Self::ByRings { ring, cursor } => {
                let region = |y| ring_region(target, *ring, y);
                let mut insertion = Insertion::new(region, sink, credits);
                if !cursor.walk(ring_layers(target, *ring), &mut insertion) {
                    return false;
                }
                if *ring == last_ring(target) {
                    return true;
                }
                *cursor = Cursor::START;
                *ring += 1;
                false
            }
        }
    }
}

/// Whether all that is left to do lies so close to the outermost chunks that its rows need not be walked
/// nearest first: in one of sixteen rings, or two.
fn is_rim(target: &Placed, solid: i64) -> bool {
    let last = i64::from(last_ring(target));
    last - solid <= last / 16 + 1
}

/// Inserts what the regions of a walk hold.
struct Insertion<'a, F> {
    regions: F,
    /// That of the layer under way.
    region: Option<Region>,
    sink: Sink<'a>,
    credits: &'a mut u64,
}

impl<'a, F: Fn(i32) -> Option<Region>> Insertion<'a, F> {
    fn new(regions: F, sink: Sink<'a>, credits: &'a mut u64) -> Self {
        Self {
            regions,
            region: None,
            sink,
            credits,
        }
    }
}

impl<F: Fn(i32) -> Option<Region>> Visit for Insertion<'_, F> {
    fn layer(&mut self, y: i32) -> Option<Span> {
        self.region = (self.regions)(y);
        self.region.as_ref().map(Region::z_span)
    }

    fn rows(&mut self, y: i32, page: i32, rows: Span) -> Option<i32> {
        let region = self.region.as_ref()?;
        let Sink {
            members,
            found,
            rivals,
            crowd,
        } = &mut self.sink;
        let slot = members.open(y, page);
        let page = members.page(slot);
        let mut credits = *self.credits;
        let mut total = 0;
        let mut stopped = None;
        for z in rows.low..=rows.high {
            if credits == 0 {
                stopped = Some(z);
                break;
            }
            let spans = match region.as_whole() {
                Some(layer) => [layer.x_span(z), None],
                None => region.x_spans(z),
            };
            let mut count = 0;
            for span in spans {
                let Some(span) = span else { continue };
                if count == credits {
                    break;
                }
                let added = |run| found.push(y, z, run, rivals, crowd);
                count += page.insert(z, span, credits - count, added);
            }
            total += count;
            credits -= count.max(1);
            if credits == 0 && count > 0 {
                // The row may hold more. If not, looking again finds nothing and moves on.
                stopped = Some(z);
                break;
            }
        }
        *self.credits = credits;
        members.inserted(slot, total);
        stopped
    }
}
