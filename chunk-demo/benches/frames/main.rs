//! Whole frames, of the main world and the render world, with Bevy's renderer on a device that does nothing: what a frame
//! with streaming costs the processor, however it is drawn.

mod by_hand;
mod cruise;
#[path = "../../../xtask/shared/figures.rs"]
mod print;
mod uploads;
mod voxels;

use chunk_apply::Spawner;
use chunk_demo::{FrameCost, Settings};

use cruise::{Cruise, Frames};
use print::{Figure, Figures};

const UPLOADS: &str = "chunks/meshes of 270 KiB from a free generator, p99 of whole frames, 2 MiB a frame against no limit";
const VOXELS: &str =
    "chunks/voxel world cold, p99 of whole frames, against meshes made on the main thread";

const REST: &str = "frames/city at rest, whole frame p50, against all in full detail";
const EMPTY: &str = "frames/chunks with nothing to draw at rest, whole frame p50";
const BEYOND: &str = "frames/city at rest, whole frame p50 beyond that with nothing to draw, against all in full detail";
const FILL: &str = "frames/city cold fill, longest whole frame after the first";
const CALM: &str = "frames/city flight at 600 m/s, p99 of whole frames beyond that at rest";
const LATE: &str = "frames/city flight at 600 m/s, late frames that nothing else explains";
const WIDE_REST: &str =
    "frames/city of radius 20 at rest, whole frame p50, against all in full detail";
const WIDE_LATE: &str =
    "frames/city of radius 20, flight at 600 m/s, late frames that nothing else explains";
const FAST: &str = "frames/city flight at 2000 m/s, late frames that nothing else explains";

fn main() {
    let mut figures = Figures::from_args();
    let is_quick = std::env::args().any(|arg| arg == "--quick");
    let seconds = if is_quick { 0.5 } else { 10.0 };
    figures.add(1, &[VOXELS], || {
        let (ours, by_hand) = (voxels::fill(), by_hand::fill());
        explain("meshes made on workers", &ours.fill);
        explain("meshes made by hand", &by_hand);
        vec![
            Figure::new(VOXELS, "ms", p(&ours.fill, 0.99))
                .against(p(&by_hand, 0.99))
                .at_least(2.0),
        ]
    });
    figures.add(1, &[UPLOADS], || {
        let [limited, unlimited] = [Some(2 << 20), None].map(uploads::fill);
        explain("2 MiB a frame", &limited.fill);
        explain("no limit", &unlimited.fill);
        vec![Figure::new(UPLOADS, "ms", p(&limited.fill, 0.99)).against(p(&unlimited.fill, 0.99))]
    });
    figures.add(1, &[REST, EMPTY, BEYOND, FILL, CALM, LATE], || {
        let (full, frames) = (city(12, true, 0.0, 0.0), city(12, false, 600.0, seconds));
        let empty = p(&nothing(12).rest, 0.5);
        let beyond = |frames: &Frames| p(&frames.rest, 0.5) - empty;
        vec![
            Figure::new(EMPTY, "ms", empty),
            Figure::new(BEYOND, "ms", beyond(&frames)).against(beyond(&full)),
            Figure::new(REST, "ms", p(&frames.rest, 0.5))
                .against(p(&full.rest, 0.5))
                .at_least(2.0),
            Figure::new(FILL, "ms", p(&frames.fill[1..], 1.0)).at_most(16.7),
            Figure::new(CALM, "ms", p(&frames.flight, 0.99) - p(&frames.rest, 0.99)).at_most(3.0),
            Figure::new(LATE, "frames", late(&frames.flight)).at_most(0.0),
        ]
    });
    figures.add(1, &[WIDE_REST, WIDE_LATE], || {
        let (full, frames) = (city(20, true, 0.0, 0.0), city(20, false, 600.0, seconds));
        vec![
            Figure::new(WIDE_REST, "ms", p(&frames.rest, 0.5))
                .against(p(&full.rest, 0.5))
                .at_least(4.0),
            Figure::new(WIDE_LATE, "frames", late(&frames.flight)).at_most(0.0),
        ]
    });
    figures.add(1, &[FAST], || {
        let frames = city(12, false, 2_000.0, seconds);
        vec![Figure::new(FAST, "frames", late(&frames.flight)).at_most(0.0)]
    });
    figures.print();
}

/// Chunks without any entities, so that a frame costs what it costs whatever is drawn.
fn nothing(radius: u32) -> Frames {
    let settings = Settings {
        radius,
        unload_radius: radius + 2,
        ..Settings::default()
    };
    let nothing = chunk_demo::Workload::new(|_job| (), Spawner::new(|_, (), _| {}), |_| 0);
    Cruise {
        arrives_from: None,
        speed: 0.0,
        seconds: 0.0,
    }
    .fly(settings, nothing)
}

fn city(radius: u32, is_full: bool, speed: f64, seconds: f64) -> Frames {
    let settings = Settings {
        radius,
        unload_radius: radius + 2,
        full_detail: is_full,
        ..Settings::default()
    };
    let city = if is_full {
        chunk_demo::Workload::city_in_full(settings.city())
    } else {
        chunk_demo::Workload::city(settings.city())
    };
    let city = city.expect("the defaults make a city");
    Cruise {
        arrives_from: None,
        speed,
        seconds,
    }
    .fly(settings, city)
}

/// Says how long the longest frames took, and the stream in them.
fn explain(what: &str, frames: &[FrameCost]) {
    let mut longest = frames.to_vec();
    longest.sort_unstable_by_key(|frame| core::cmp::Reverse(frame.whole));
    let line = longest.iter().take(5).map(|it| {
        format!(
            "frame {}: {:.1?}, of which the stream {:.1?}",
            it.frame, it.whole, it.stream
        )
    });
    let line: Vec<_> = line.collect();
    eprintln!("{what}, {} frames: {}", frames.len(), line.join("; "));
}

/// A percentile of the whole frames, in milliseconds.
fn p(frames: &[FrameCost], quantile: f64) -> f64 {
    let mut whole: Vec<_> = frames.iter().map(|frame| frame.whole).collect();
    whole.sort_unstable();
    let nth = (whole.len() as f64 * quantile).ceil() as usize;
    whole[nth.clamp(1, whole.len()) - 1].as_secs_f64() * 1e3
}

/// Frames that were longer than a sixtieth of a second though no other thread had the core meanwhile.
fn late(frames: &[FrameCost]) -> f64 {
    let is_late = |frame: &&FrameCost| {
        let others = frame.preempted.unwrap_or_default();
        FrameCost {
            whole: frame.whole.saturating_sub(others),
            ..**frame
        }
        .is_late()
    };
    frames.iter().filter(is_late).count() as f64
}
