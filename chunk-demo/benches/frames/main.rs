//! Whole frames, of the main world and the render world, with Bevy's renderer: what a frame with streaming costs the processor.
//! It draws on a device that does nothing; with `--adapter` on this machine's, where times are those of that device as well.

mod by_hand;
mod city;
mod cruise;
#[path = "../../../xtask/shared/figures.rs"]
mod print;
mod removal;
mod summary;
mod uploads;
mod voxels;

use std::time::Duration;

use chunk_apply::ApplyBudget;
use chunk_demo::Pacing;
use chunk_demo::render::adapter;
use chunk_demo::render::measured::{Device, Renderer};

use city::City;
use cruise::Frames;
use print::{Figure, Figures};
use summary::{after_the_first, downstream, explain, late, p};

const UPLOADS: &str = "chunks/meshes of 270 KiB from a free generator, p99 of whole frames, 2 MiB a frame against no limit";
const VOXELS: &str =
    "chunks/voxel world cold, p99 of whole frames, against meshes made on the main thread";

const REST: &str = "frames/city at rest, whole frame p50, against all in full detail";
const EMPTY: &str = "frames/chunks with nothing to draw at rest, whole frame p50";
const BEYOND: &str = "frames/city at rest, whole frame p50 beyond that with nothing to draw, against all in full detail";
const FILL: &str = "frames/city cold fill, longest whole frame after the first with entities";
const CALM: &str = "frames/city flight at 600 m/s, p99 of whole frames beyond that at rest";
const LATE: &str = "frames/city flight at 600 m/s, late frames that nothing else explains";
const SLOW: &str = "frames/city flight at 60 m/s, late frames that nothing else explains";
const FAST: &str = "frames/city flight at 2000 m/s, late frames that nothing else explains";
const JUMP: &str =
    "frames/city after a jump of 20 km, late frames that nothing else explains until all is there";
const PIPELINED_REST: &str = "frames/city at rest, pipelined, whole frame p50";
const PIPELINED_LATE: &str =
    "frames/city flight at 600 m/s, pipelined, late frames that nothing else explains";
const WIDE_REST: &str =
    "frames/city of radius 20 at rest, whole frame p50, against all in full detail";
const WIDE_LATE: &str =
    "frames/city of radius 20, flight at 600 m/s, late frames that nothing else explains";
const FIXED_FILL: &str = "frames/city cold fill, longest whole frame after the first with entities, 2 ms a frame whatever it costs downstream";
const FIXED_LATE: &str = "frames/city flight at 2000 m/s, late frames that nothing else explains, 2 ms a frame whatever it costs downstream";
const SPAWNED: &str = "frames/city, what a spawned entity costs the rest of the frame";
const DESPAWNED: &str = "frames/city, what a despawned entity costs the rest of the frame";
const GAME: &str = "frames/city flight at 600 m/s with 10 ms of other work a frame, frames made late by the stream";
const PRESENT: &str = "frames/city flight at 600 m/s with 10 ms of other work a frame, least part of the chunks present";
const LOADING: &str = "frames/city after a jump of 20 km behind a loading screen, time to full, no limit against 2 ms a frame";
const TAKEN: [&str; 5] = [
    "frames/an entity that is hidden by its root, in that frame",
    "frames/an entity that is disabled, in that frame",
    "frames/an entity that is despawned, in that frame",
    "frames/an entity that stays hidden, in each frame beyond one that is seen",
    "frames/an entity that stays disabled, in each frame beyond one that is seen",
];

fn main() {
    let mut figures = Figures::from_args();
    let is_given = |option: &str| std::env::args().any(|arg| arg == option);
    let (samples, seconds) = if is_given("--quick") {
        (1, 0.5)
    } else {
        (3, 10.0)
    };
    let mut renderer = Renderer::default();
    if is_given("--adapter") {
        match adapter::find() {
            // It takes the cores that the frames are measured on, and a second for each.
            Ok(adapter) if adapter.contains("in software") => {
                return println!("skipped: there is only {adapter}");
            }
            Ok(adapter) => println!("drawn on {adapter}"),
            Err(error) => return println!("skipped: {error}"),
        }
        renderer.device = Device::Adapter;
    } else {
        add_made_by_hand(&mut figures, samples);
    }
    add_city(&mut figures, samples, City::new(renderer, 12, seconds));
    if renderer.device == Device::Noop {
        figures.add(1, &TAKEN, || {
            let it = removal::measure(renderer);
            let taken = [it.hidden, it.disabled, it.despawned];
            let micros = taken
                .into_iter()
                .chain([it.staying_hidden, it.staying_disabled]);
            let rows = TAKEN.into_iter().zip(micros);
            rows.map(|(name, micros)| Figure::new(name, "us", micros))
                .collect()
        });
    }
    figures.print();
}

/// Chunks with meshes of their own, on the device that does nothing.
fn add_made_by_hand(figures: &mut Figures, samples: usize) {
    figures.add(samples, &[VOXELS], || {
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
}

/// The city at rest, while it is filled, and in flight; medians of so many runs.
fn add_city(figures: &mut Figures, samples: usize, city: City) {
    figures.add(samples, &[REST, EMPTY, BEYOND, FILL, CALM, LATE], || {
        let frames = city.fly(600.0);
        explain("fill", after_the_first(&frames.fill));
        explain("rest", &frames.rest);
        explain("flight at 600 m/s", &frames.flight);
        let (full, empty) = (city.in_full(), p(&city.without_entities().rest, 0.5));
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
    for (name, speed) in [(SLOW, 60.0), (FAST, 2_000.0)] {
        figures.add(samples, &[name], || {
            let frames = city.fly(speed);
            explain(&format!("flight at {speed} m/s"), &frames.flight);
            vec![Figure::new(name, "frames", late(&frames.flight)).at_most(0.0)]
        });
    }
    let far = City {
        jump: 20_000.0,
        ..city
    };
    figures.add(samples, &[JUMP], || {
        let mut frames = far.fly(0.0);
        frames.flight.truncate(frames.settled);
        explain("after a jump", &frames.flight);
        vec![Figure::new(JUMP, "frames", late(&frames.flight)).at_most(0.0)]
    });
    figures.add(samples, &[PIPELINED_REST, PIPELINED_LATE], || {
        let mut pipelined = city;
        pipelined.renderer.is_pipelined = true;
        let frames = pipelined.fly(600.0);
        explain("flight at 600 m/s, pipelined", &frames.flight);
        vec![
            Figure::new(PIPELINED_REST, "ms", p(&frames.rest, 0.5)),
            Figure::new(PIPELINED_LATE, "frames", late(&frames.flight)).at_most(0.0),
        ]
    });
    figures.add(samples, &[WIDE_REST, WIDE_LATE], || {
        let wide = City { radius: 20, ..city };
        let (frames, full) = (wide.fly(600.0), wide.in_full());
        explain("flight at 600 m/s, radius 20", &frames.flight);
        vec![
            Figure::new(WIDE_REST, "ms", p(&frames.rest, 0.5))
                .against(p(&full.rest, 0.5))
                .at_least(2.4),
            Figure::new(WIDE_LATE, "frames", late(&frames.flight)).at_most(0.0),
        ]
    });
    let fixed = City {
        budget: ApplyBudget::DEFAULT,
        ..city
    };
    figures.add(
        samples,
        &[FIXED_FILL, FIXED_LATE, SPAWNED, DESPAWNED],
        || {
            let frames = fixed.fly(2_000.0);
            explain("fill, 2 ms", after_the_first(&frames.fill));
            explain("flight at 2000 m/s, 2 ms", &frames.flight);
            let [spawned, despawned] = downstream(&frames.flight);
            vec![
                Figure::new(FIXED_FILL, "ms", p(after_the_first(&frames.fill), 1.0)),
                Figure::new(FIXED_LATE, "frames", late(&frames.flight)),
                Figure::new(SPAWNED, "us", spawned),
                Figure::new(DESPAWNED, "us", despawned),
            ]
        },
    );
    figures.add(samples, &[GAME, PRESENT], || {
        let game = City {
            radius: 5,
            work: Duration::from_millis(10),
            ..city
        };
        let frames = game.fly(600.0);
        explain("rest with work", &frames.rest);
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
    figures.add(samples, &[LOADING], || {
        let full = |budget| {
            let frames = City { budget, ..far }.fly(0.0);
            let screen = &frames.flight[..frames.settled];
            explain("loading screen", screen);
            let paced = screen.iter().map(|frame| frame.whole.max(Pacing::FRAME));
            paced.sum::<Duration>().as_secs_f64()
        };
        let (unlimited, fixed) = (full(ApplyBudget::unlimited()), full(ApplyBudget::DEFAULT));
        vec![
            Figure::new(LOADING, "s", unlimited)
                .against(fixed)
                .at_least(3.0),
        ]
    });
}
