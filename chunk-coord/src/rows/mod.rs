//! Sets of chunks and footprints as rows: in row `z` of layer `y` they have intervals of `x`.

mod cursor;
mod interval;
mod interval_list;
mod isqrt;
mod placed_footprint;
mod rings;
mod row_set;

pub(crate) use cursor::{Cursor, Visit, spend};
pub(crate) use interval::Interval;
pub(crate) use interval_list::IntervalList;
pub(crate) use isqrt::{isqrt, isqrt_up};
pub(crate) use placed_footprint::{Bounds, Layer, PlacedFootprint, do_meet};
pub(crate) use rings::{Region, complete_radius, last_ring, ring_layers, ring_region};
pub(crate) use row_set::{RowSet, page_rows};
