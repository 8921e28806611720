//! Whole frames, of the main world and the render world, with Bevy's renderer on a device that does nothing: what a frame
//! with streaming costs the processor, however it is drawn.

mod by_hand;
mod cruise;
#[path = "../../../xtask/shared/figures.rs"]
mod print;
mod uploads;
mod voxels;

use std::time::{Duration, Instant};

use bevy_app::Update;
use chunk_apply::{ApplyBudget, FrameTarget, Spawner};
use chunk_assets::ChunkAssetsPlugin;
use chunk_demo::{FrameCost, Pacing, Settings};

use cruise::{Cruise, Frames};
use print::{Figure, Figures};

const UPLOADS: &str = "chunks/meshes of 270 KiB from a free generator, p99 of whole frames, 2 MiB a frame against no limit";
const VOXELS: &str =
    "chunks/voxel world cold, p99 of whole frames, against meshes made on the main thread";

const REST: &str = "frames/city at rest, whole frame p50, against all in full detail";
const EMPTY: &str = "frames/chunks with nothing to draw at rest, whole frame p50";
const BEYOND: &str = "frames/city at rest, whole frame p50 beyond that with nothing to draw, against all in full detail";
const FILL: &str = "frames/city cold fill, longest whole frame after the first with entities";
const FIXED_FILL: &str = "frames/city cold fill, longest whole frame after the first with entities, 2 ms a frame whatever it costs downstream";
const CALM: &str = "frames/city flight at 600 m/s, p99 of whole frames beyond that at rest";
const LATE: &str = "frames/city flight at 600 m/s, late frames that nothing else explains";
const WIDE_REST: &str =
    "frames/city of radius 20 at rest, whole frame p50, against all in full detail";
const WIDE_LATE: &str =
    "frames/city of radius 20, flight at 600 m/s, late frames that nothing else explains";
const FAST: &str = "frames/city flight at 2000 m/s, late frames that nothing else explains";
const FIXED_LATE: &str = "frames/city flight at 2000 m/s, late frames that nothing else explains, 2 ms a frame whatever it costs downstream";
const GAME: &str = "frames/city flight at 600 m/s with 10 ms of other work a frame, frames made late by the stream";
const PRESENT: &str = "frames/city flight at 600 m/s with 10 ms of other work a frame, least part of the chunks present";
const SPAWNED: &str = "frames/city, what a spawned entity costs the rest of the frame";
const DESPAWNED: &str = "frames/city, what a despawned entity costs the rest of the frame";
const LOADING: &str =
    "frames/city behind a loading screen, time to full, no limit against 2 ms a frame";

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
    let following = ApplyBudget::following(FrameTarget::default());
    let fixed = ApplyBudget::DEFAULT;
    figures.add(1, &[REST, EMPTY, BEYOND, FILL, CALM, LATE], || {
        let frames = city(following, 12, 600.0, seconds, Duration::ZERO);
        explain("fill", after_the_first(&frames.fill));
        explain("rest", &frames.rest);
        explain("flight at 600 m/s", &frames.flight);
        let (full, empty) = (in_full(12), p(&nothing(12).rest, 0.5));
        let beyond = |frames: &Frames| p(&frames.rest, 0.5) - empty;
        vec![
            Figure::new(REST, "ms", p(&frames.rest, 0.5))
                .against(p(&full.rest, 0.5))
                .at_least(2.0),
            Figure::new(EMPTY, "ms", empty),
            Figure::new(BEYOND, "ms", beyond(&frames)).against(beyond(&full)),
            Figure::new(FILL, "ms", p(after_the_first(&frames.fill), 1.0)).at_most(16.7),
            Figure::new(CALM, "ms", p(&frames.flight, 0.99) - p(&frames.rest, 0.99)).at_most(3.0),
            Figure::new(LATE, "frames", late(&frames.flight)).at_most(0.0),
        ]
    });
    figures.add(1, &[WIDE_REST, WIDE_LATE], || {
        let (frames, full) = (
            city(following, 20, 600.0, seconds, Duration::ZERO),
            in_full(20),
        );
        vec![
            Figure::new(WIDE_REST, "ms", p(&frames.rest, 0.5))
                .against(p(&full.rest, 0.5))
                .at_least(4.0),
            Figure::new(WIDE_LATE, "frames", late(&frames.flight)).at_most(0.0),
        ]
    });
    figures.add(1, &[FAST], || {
        let frames = city(following, 12, 2_000.0, seconds, Duration::ZERO);
        explain("flight at 2000 m/s", &frames.flight);
        vec![Figure::new(FAST, "frames", late(&frames.flight)).at_most(0.0)]
    });
    figures.add(1, &[FIXED_FILL, FIXED_LATE, SPAWNED, DESPAWNED], || {
        let frames = city(fixed, 12, 2_000.0, seconds, Duration::ZERO);
        explain("fill, 2 ms", after_the_first(&frames.fill));
        explain("flight at 2000 m/s, 2 ms", &frames.flight);
        let [spawned, despawned] = downstream(&frames.flight);
        vec![
            Figure::new(FIXED_FILL, "ms", p(after_the_first(&frames.fill), 1.0)),
            Figure::new(FIXED_LATE, "frames", late(&frames.flight)),
            Figure::new(SPAWNED, "us", spawned),
            Figure::new(DESPAWNED, "us", despawned),
        ]
    });
    figures.add(1, &[GAME, PRESENT], || {
        let work = Duration::from_millis(10);
        let frames = city(following, 5, 600.0, seconds, work);
        let mut changed = frames.flight.clone();
        changed.retain(|it| it.spawned + it.despawned + it.hidden > 0);
        explain(
            "flight at 600 m/s with work, frames with streaming",
            &changed,
        );
        vec![
            Figure::new(GAME, "frames", late(&changed)).at_most(0.0),
            // The row of chunks that has just become wanted is an eighth of all.
            Figure::new(PRESENT, "", frames.least_present).at_least(0.8),
        ]
    });
    figures.add(1, &[LOADING], || {
        let full = |budget| {
            let frames = city(budget, 12, 0.0, 0.0, Duration::ZERO);
            let paced = frames
                .fill
                .iter()
                .map(|frame| frame.whole.max(Pacing::FRAME));
            paced.sum::<Duration>().as_secs_f64()
        };
        let (unlimited, fixed) = (full(ApplyBudget::unlimited()), full(fixed));
        vec![
            Figure::new(LOADING, "s", unlimited)
                .against(fixed)
                .at_least(3.0),
        ]
    });
    figures.print();
}

/// The city in full detail around a viewer that rests.
fn in_full(radius: u32) -> Frames {
    let settings = Settings {
        full_detail: true,
        ..within(radius)
    };
    let city = chunk_demo::Workload::city_of(&settings).expect("the defaults make a city");
    REST_ONLY.fly(settings, city)
}

/// Chunks without any entities around a viewer that rests, so that a frame costs what it costs whatever is drawn.
fn nothing(radius: u32) -> Frames {
    let nothing = chunk_demo::Workload::new(|_job| (), Spawner::new(|_, (), _| {}), |_| 0);
    // The ground has the shared assets.
    let nothing = nothing.prepared_by(|app| {
        app.add_plugins(ChunkAssetsPlugin);
    });
    REST_ONLY.fly(within(radius), nothing)
}

const REST_ONLY: Cruise = Cruise {
    arrives_from: None,
    speed: 0.0,
    seconds: 0.0,
};

fn within(radius: u32) -> Settings {
    Settings {
        budget: ApplyBudget::following(FrameTarget::default()),
        radius,
        unload_radius: radius + 2,
        ..Settings::default()
    }
}

/// Around a viewer that waits and then flies, in an app whose other systems work for so long in each frame.
fn city(budget: ApplyBudget, radius: u32, speed: f64, seconds: f64, work: Duration) -> Frames {
    let settings = Settings {
        budget,
        ..within(radius)
    };
    let city = chunk_demo::Workload::city(settings.city()).expect("the defaults make a city");
    let city = city.prepared_by(move |app| {
        if !work.is_zero() {
            app.add_systems(Update, move || {
                let start = Instant::now();
                while start.elapsed() < work {
                    core::hint::spin_loop();
                }
            });
        }
    });
    Cruise {
        arrives_from: None,
        speed,
        seconds,
    }
    .fly(settings, city)
}

/// Microseconds that an entity that is spawned, and one that is hidden and despawned, adds to the rest of its frame: the least squares
/// over frames in which no other thread had the core for long.
fn downstream(frames: &[FrameCost]) -> [f64; 2] {
    let calm =
        |frame: &&FrameCost| frame.preempted.unwrap_or_default() < Duration::from_micros(500);
    let mut normal = [[0.0; 4]; 3];
    for frame in frames.iter().filter(calm) {
        let rest = frame.whole.saturating_sub(frame.stream).as_secs_f64() * 1e6;
        let row = [1.0, frame.spawned as f64, frame.despawned as f64, rest];
        for (nth, sums) in normal.iter_mut().enumerate() {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += row[nth] * value;
            }
        }
    }
    // Gauss's elimination; the sums of squares are the pivots.
    for nth in 0..3 {
        for other in 0..3 {
            let factor = normal[other][nth] / normal[nth][nth];
            if other != nth {
                let pivot = normal[nth];
                for (value, by) in normal[other].iter_mut().zip(pivot) {
                    *value -= factor * by;
                }
            }
        }
    }
    [1, 2].map(|nth| normal[nth][3] / normal[nth][nth])
}

/// Says how long the longest frames took, and the stream in them.
fn explain(what: &str, frames: &[FrameCost]) {
    let mut longest = frames.to_vec();
    longest.sort_unstable_by_key(|frame| core::cmp::Reverse(frame.whole));
    let line = longest.iter().take(5).map(|it| {
        format!(
            "frame {}: {:.1?}, of which the stream {:.1?} for {} and {} entities, others {:.1?}",
            it.frame,
            it.whole,
            it.stream,
            it.spawned,
            it.despawned,
            it.preempted.unwrap_or_default()
        )
    });
    let line: Vec<_> = line.collect();
    eprintln!("{what}, {} frames: {}", frames.len(), line.join("; "));
}

/// The frames after the first one that spawned anything, in which Bevy prepares its pipelines.
fn after_the_first(frames: &[FrameCost]) -> &[FrameCost] {
    let first = frames.iter().position(|frame| frame.spawned > 0);
    &frames[first.map_or(0, |first| first + 1)..]
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
