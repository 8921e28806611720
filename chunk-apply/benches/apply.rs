//! What applying costs: against raw spawning, against the budget, and from wanted to shown.
//!
//! Each figure is the median of several samples; the yardsticks are measured in the same run.

#[path = "apply/figures.rs"]
mod figures;
#[path = "apply/raw.rs"]
mod raw;
#[path = "apply/stream.rs"]
mod stream;

use criterion::Criterion;
use figures::{Figure, Figures};

const LOADING: &str = "apply/loading 10000 entities in 1 ms slices, worst frame";
const UNLOADING: &str = "apply/unloading them, worst frame";
const FILL: &str = "apply/cold fill of 1961 chunks x 15 at 2 ms";
const FILL_RAW: &str = "apply/cold fill by spawn_batch alone, 2 ms a frame";
const FILL_WORST: &str = "apply/cold fill, worst frame of our systems";
const FILL_TOTAL: &str =
    "apply/cold fill, all of our systems, against spawn_batch of the same entities";
const SHOWN: &str = "apply/frames from wanted to shown with 5 ms of other systems, p50";
const COVERAGE: &str = "apply/flight at a chunk per 0.1 s, radius 25, wanted chunks present";
const FLIGHT: &str = "apply/flight, p99 frame of our systems";
const IDLE: &str = "apply/idle with 10189 loaded chunks, our part of a frame";

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut figures = Figures::from_args();
    raw::bench(&mut criterion, &mut figures);
    criterion.final_summary();

    figures.add(7, &[LOADING, UNLOADING], || {
        let worst = stream::heavy_chunk();
        vec![
            Figure::at_most(LOADING, "ms", 1.2, worst.loading),
            Figure::at_most(UNLOADING, "ms", 1.2, worst.unloading),
        ]
    });
    figures.add(7, &[FILL, FILL_RAW, FILL_WORST, FILL_TOTAL], || {
        let fill = stream::cold_fill();
        let raw = raw::raw(stream::FILLED, stream::PIECES).as_secs_f64() * 1e3;
        let raw_frames = raw::raw_frames(stream::FILLED, stream::PIECES, stream::FILL_BUDGET);
        vec![
            Figure::at_most(FILL, "frames", 5.0, fill.frames),
            Figure::plain(FILL_RAW, "frames", raw_frames.into()),
            Figure::at_most(FILL_WORST, "ms", 2.1, fill.worst),
            Figure::compared(FILL_TOTAL, "ms", fill.total, raw),
        ]
    });
    figures.add(7, &[SHOWN], || {
        let frames = stream::frames_to_be_shown();
        vec![Figure::at_most(SHOWN, "frames", 0.0, frames)]
    });
    figures.add(3, &[COVERAGE, FLIGHT], || {
        let flight = stream::flight();
        vec![
            Figure::at_least(COVERAGE, "%", 99.0, flight.coverage),
            Figure::at_most(FLIGHT, "ms", 2.1, flight.p99),
        ]
    });
    figures.add(3, &[IDLE], || {
        vec![Figure::at_most(IDLE, "us", 5.0, stream::idle())]
    });
    figures.print();
}
