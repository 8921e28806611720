//! What applying costs: against raw spawning, against the budget, and from wanted to shown.
//!
//! Each figure is the median of several samples; the yardsticks are measured in the same run.

#[path = "apply/crowd.rs"]
mod crowd;
#[path = "apply/dense.rs"]
mod dense;
#[path = "../tests/streaming/fast_flight.rs"]
mod fast_flight;
#[path = "../../xtask/shared/figures.rs"]
mod print;
#[path = "apply/raw.rs"]
mod raw;
#[path = "apply/stream.rs"]
mod stream;

use chunk_apply::LoadOrder;
use criterion::Criterion;
use print::{Figure, Figures};
use std::time::Duration;

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
const AHEAD: &str =
    "apply/flight too fast to fill, chunks ahead missing by motion, against by distance";
const CROWD: &str = "apply/1000 viewers, one crossing a frame, chunks loaded, against 10 viewers";
const CROWD_P99: &str = "apply/1000 viewers, p99 frame of our systems";
const CROWD_10000: &str = "apply/10000 viewers, chunks loaded, against 10 viewers";
const CROWD_10000_P99: &str = "apply/10000 viewers, p99 frame of our systems";
const DENSE_P99: &str = "apply/10000 chunks x 120 with room for them, p99 frame at 2 ms";
const DENSE_WORST: &str = "apply/10000 chunks x 120 with room for them, worst frame";
const DENSE_TOTAL: &str =
    "apply/10000 chunks x 120 with room for them, against tables and a list that double";
const DENSE_WARM: &str =
    "apply/10000 chunks x 120 with room for them, against spawn_batch into tables that were full";

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut figures = Figures::from_args();
    raw::bench(&mut criterion, &mut figures);
    criterion.final_summary();

    figures.add(7, &[LOADING, UNLOADING], || {
        let worst = stream::heavy_chunk();
        vec![
            Figure::new(LOADING, "ms", worst.loading).at_most(1.2),
            Figure::new(UNLOADING, "ms", worst.unloading).at_most(1.2),
        ]
    });
    figures.add(7, &[FILL, FILL_RAW, FILL_WORST, FILL_TOTAL], || {
        let fill = stream::cold_fill();
        let raw = raw::raw(stream::FILLED, stream::PIECES).as_secs_f64() * 1e3;
        let raw_frames = raw::raw_frames(stream::FILLED, stream::PIECES, stream::FILL_BUDGET);
        vec![
            Figure::new(FILL, "frames", fill.frames).at_most(5.0),
            Figure::new(FILL_RAW, "frames", raw_frames.into()),
            Figure::new(FILL_WORST, "ms", fill.worst).at_most(2.1),
            Figure::new(FILL_TOTAL, "ms", fill.total).against(raw),
        ]
    });
    figures.add(7, &[SHOWN], || {
        let frames = stream::frames_to_be_shown();
        vec![Figure::new(SHOWN, "frames", frames).at_most(0.0)]
    });
    figures.add(3, &[COVERAGE, FLIGHT], || {
        let flight = stream::flight();
        vec![
            Figure::new(COVERAGE, "%", flight.coverage).at_least(99.0),
            Figure::new(FLIGHT, "ms", flight.p99).at_most(2.1),
        ]
    });
    figures.add(
        3,
        &[DENSE_P99, DENSE_WORST, DENSE_TOTAL, DENSE_WARM],
        || {
            let (room, doubling) = (dense::fill(true), dense::fill(false));
            let raw = dense::warm_spawn_batch();
            vec![
                Figure::new(DENSE_P99, "ms", room.p99).at_most(2.1),
                Figure::new(DENSE_WORST, "ms", room.worst).at_most(3.0),
                Figure::new(DENSE_TOTAL, "ms", room.total).against(doubling.total),
                Figure::new(DENSE_WARM, "ms", room.total)
                    .against(raw)
                    .at_least(0.7),
            ]
        },
    );
    // A simulation, which is the same each time.
    figures.add(1, &[AHEAD], || {
        let missing = |order| 100.0 * fast_flight::missing_ahead(order, fast_flight::TOO_FAST);
        let by_motion = missing(LoadOrder::Motion {
            look_ahead: Duration::from_secs(2),
            prefetch: false,
        });
        let by_distance = missing(LoadOrder::Distance);
        let figure = Figure::new(AHEAD, "%", by_motion);
        vec![figure.against(by_distance).at_least(2.0)]
    });
    figures.add(3, &[IDLE], || {
        vec![Figure::new(IDLE, "us", stream::idle()).at_most(5.0)]
    });
    for (viewers, rate, p99, targets) in [
        (1_000, CROWD, CROWD_P99, Some((0.8, 2.1))),
        (10_000, CROWD_10000, CROWD_10000_P99, None),
    ] {
        figures.add(3, &[rate, p99], || {
            let (many, few) = (crowd::crowd(viewers), crowd::crowd(10));
            // Milliseconds for each chunk, because less is better.
            let each = |crowd: &crowd::Crowd| 1e3 / crowd.rate;
            let rate = Figure::new(rate, "ms", each(&many)).against(each(&few));
            let p99 = Figure::new(p99, "ms", many.p99);
            match targets {
                Some((share, most)) => vec![rate.at_least(share), p99.at_most(most)],
                None => vec![rate, p99],
            }
        });
    }
    figures.print();
}
