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

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut figures = Figures::from_args();
    raw::bench(&mut criterion, &mut figures);
    criterion.final_summary();

    figures.add("apply/one chunk of 10000 entities, worst frame", || {
        let worst = stream::heavy_chunk();
        vec![
            Figure::at_most(
                "apply/loading 10000 entities in 1 ms slices, worst frame",
                "ms",
                1.2,
                worst.loading,
            ),
            Figure::at_most(
                "apply/unloading them, worst frame",
                "ms",
                1.2,
                worst.unloading,
            ),
        ]
    });
    figures.add("apply/cold fill of 1961 chunks x 15", || {
        let fill = stream::cold_fill();
        vec![
            Figure::at_most(
                "apply/cold fill of 1961 chunks x 15 at 2 ms",
                "frames",
                5.0,
                fill.frames,
            ),
            Figure::informative(
                "apply/cold fill, worst frame of our systems",
                "ms",
                fill.worst,
            ),
        ]
    });
    figures.add("apply/from wanted to shown", || {
        vec![Figure::at_most(
            "apply/frames from wanted to shown with 5 ms of other systems, p50",
            "frames",
            0.0,
            stream::frames_to_be_shown(),
        )]
    });
    figures.print();
}
