//! What the stream says about itself.

use crate::rig::{PIECES, Pieces, Rig, config, generator, grid, spawner};
use bevy_diagnostic::{DiagnosticPath, DiagnosticsStore};
use chunk_apply::{
    ApplyBudget, ChunkStreamingPlugin, ChunkWriter, ManualClock, RingLatency, Spawner,
    StreamingConfig, StreamingDiagnosticsPlugin, StreamingSnapshot,
};
use chunk_coord::{ChunkCoord, ChunkGrid, ViewRange};
use chunk_scheduler::{Generator, Job, SchedulerConfig};
use std::time::Duration;

const FRAME: Duration = Duration::from_millis(16);

fn snapshot(rig: &Rig) -> StreamingSnapshot {
    rig.stream().snapshot(rig.index())
}

/// One chunk a frame, so that each waits for all that are nearer.
fn one_a_frame() -> StreamingConfig {
    StreamingConfig {
        budget: ApplyBudget {
            chunks: Some(1),
            ..ApplyBudget::unlimited()
        },
        ..config()
    }
}

#[test]
fn latency_is_known_for_each_ring() {
    let mut rig = Rig::with(generator(), spawner(), one_a_frame());
    rig.viewer(0, 0);
    rig.settle();
    let latencies = snapshot(&rig).latencies;
    // Around the viewer's own chunk are 8 at a distance from 1 up to 2, and 20 from 2 up to 4.
    let counts = latencies.by_ring.map(|ring| ring.latency.count);
    assert_eq!(counts, [1, 8, 20, 0, 0, 0, 0, 0]);
    let starts = latencies.by_ring.map(|ring| ring.from);
    assert_eq!(starts, [0, 1, 2, 4, 8, 16, 32, 64]);
    assert_eq!(RingLatency::RINGS, starts.len());
    // Asked for in the first frame, made after it, and then one in each.
    let longest = latencies.by_ring.map(|ring| ring.latency.max);
    assert_eq!(longest[..3], [FRAME, FRAME * 9, FRAME * 29]);
    assert_eq!(latencies.shown.count, 29);
    assert_eq!(latencies.shown.max, FRAME * 29);
}

#[test]
fn asking_anew_for_what_was_never_shown_does_not_hide_how_long_it_takes() {
    let mut rig = Rig::with(generator(), spawner(), one_a_frame());
    rig.viewer(0, 0);
    rig.frame();
    let last = ChunkCoord::planar(3, 0);
    for _ in 0..10 {
        // An edit is shown before anything that is loaded, but an hour of edits still counts as waiting.
        rig.clock.advance(Duration::from_secs(360));
        assert!(rig.stream_mut().refresh(last));
    }
    while !rig.index().contains(last) {
        rig.frame();
    }
    let loaded = rig.loaded();
    let shown = loaded.iter().find(|chunk| chunk.coord == last);
    let latency = shown.expect("it was announced").latency;
    assert!(latency >= Duration::from_secs(3_600), "{latency:?}");
    assert!(snapshot(&rig).latencies.shown.max >= Duration::from_secs(3_600));
    assert_eq!(snapshot(&rig).latencies.replaced.count, 0);

    rig.settle();
    assert!(rig.stream_mut().refresh(last));
    rig.settle();
    let latencies = snapshot(&rig).latencies;
    assert_eq!((latencies.shown.count, latencies.replaced.count), (29, 1));
    assert_eq!(latencies.replaced.max, FRAME);
}

#[test]
fn chunks_that_leave_before_they_were_shown_are_missed_and_others_are_not() {
    let mut rig = Rig::with(generator(), spawner(), one_a_frame());
    let viewer = rig.viewer(0, 0);
    rig.frames(6);
    let shown = rig.index().len() as u64;
    assert_eq!((shown, snapshot(&rig).totals.missed), (5, 0));
    rig.move_to(viewer, 100, 0);
    rig.settle();
    assert_eq!(snapshot(&rig).totals.missed, 29 - shown);
    rig.move_to(viewer, 0, 0);
    rig.settle();
    assert_eq!(snapshot(&rig).totals.missed, 29 - shown);
}

#[test]
fn another_grid_misses_nothing() {
    let mut rig = Rig::with(generator(), spawner(), one_a_frame());
    rig.viewer(0, 0);
    rig.frames(3);
    let double = ChunkGrid::planar(20.0).expect("20 is a size");
    rig.stream_mut().set_grid(double);
    rig.settle();
    assert_eq!(snapshot(&rig).totals.missed, 0);
}

#[test]
fn waste_and_shares_are_of_all_requests() {
    let mut rig = Rig::with(generator(), spawner(), one_a_frame());
    let nothing = snapshot(&rig);
    let shares = [
        nothing.cancelled_share(),
        nothing.stale_share(),
        nothing.wasted_share(),
    ];
    assert_eq!(shares, [0.0; 3]);
    let viewer = rig.viewer(0, 0);
    rig.frames(2);
    // One is there, 28 are made and wait; one of them is requested and made anew, and all are withdrawn.
    assert!(rig.stream_mut().refresh(ChunkCoord::planar(2, 0)));
    rig.stream_mut().budget.chunks = Some(0);
    rig.frames(2);
    rig.stream_mut().budget.chunks = Some(1);
    rig.move_to(viewer, 100, 0);
    rig.settle();
    let all = snapshot(&rig);
    assert_eq!(all.counters.requested, 29 + 1 + 29);
    assert_eq!((all.counters.stale, all.counters.cancelled), (1, 28));
    assert_eq!(all.wasted.chunks, 29);
    assert_eq!(all.stale_share(), 1.0 / 59.0);
    assert_eq!(all.cancelled_share(), 28.0 / 59.0);
    assert_eq!(all.wasted_share(), 29.0 / 59.0);
}

#[test]
fn the_cost_of_applying_is_kept_over_all_frames() {
    let clock = ManualClock::default();
    let spends = clock.clone();
    let spawner = Spawner::new(
        move |coord: ChunkCoord, _: Pieces, _: &mut ChunkWriter<'_, '_>| {
            let millis = if coord == ChunkCoord::planar(2, 1) {
                9
            } else {
                1
            };
            spends.advance(Duration::from_millis(millis));
        },
    );
    let config = StreamingConfig {
        budget: ApplyBudget {
            time: Some(Duration::from_millis(4)),
            ..one_a_frame().budget
        },
        ..config()
    };
    let mut rig = Rig::on(clock, generator(), spawner, config);
    rig.viewer(0, 0);
    rig.settle();
    rig.frames(10);
    let seen = snapshot(&rig);
    assert_eq!(
        seen.frame.apply.spent,
        Duration::ZERO,
        "the last frame rests"
    );
    assert_eq!(seen.apply_times.max, Duration::from_millis(9));
    assert!(seen.apply_times.p50 >= Duration::from_millis(1));
    assert!(seen.apply_times.p50 < Duration::from_millis(2));
    assert_eq!(seen.overshoots.max, Duration::from_millis(5));
    assert_eq!(seen.overshoots.p50, Duration::ZERO);
    assert_eq!(seen.overshoots.count, seen.apply_times.count);
}

/// A stream in which something of everything happened.
pub(crate) fn eventful() -> Rig {
    let generator = Generator::new(|job: &Job<ChunkCoord>| {
        assert_ne!(job.key().x, 1, "unlucky");
        Pieces(PIECES)
    });
    let config = StreamingConfig {
        range: Some(ViewRange::disc(3, 4).expect("4 is not less than 3")),
        scheduler: SchedulerConfig {
            max_in_flight: 2,
            ..SchedulerConfig::default()
        },
        ..one_a_frame()
    };
    let plugin = ChunkStreamingPlugin::new(grid(), generator, spawner()).with_config(config);
    let mut rig = Rig::build(ManualClock::default(), plugin);
    let viewer = rig.viewer(0, 0);
    rig.frames(4);
    rig.stream_mut().refresh(ChunkCoord::planar(-2, 0));
    rig.stream_mut().budget.chunks = Some(0);
    rig.frames(2);
    rig.stream_mut().budget.chunks = Some(1);
    rig.move_to(viewer, 100, 0);
    rig.settle();
    rig.move_to(viewer, 0, 0);
    rig.settle();
    rig.app.world_mut().clear_trackers();
    rig
}

#[test]
fn every_metric_is_among_the_diagnostics_in_its_unit() {
    let mut rig = eventful();
    rig.app.add_plugins((
        bevy_diagnostic::DiagnosticsPlugin,
        StreamingDiagnosticsPlugin::<Pieces>::default(),
    ));
    rig.frame();
    let seen = snapshot(&rig);
    let store = rig.app.world().resource::<DiagnosticsStore>();
    let value = |path: &str| {
        let diagnostic = store.get(&DiagnosticPath::new(path.to_owned()));
        let diagnostic = diagnostic.unwrap_or_else(|| panic!("{path} is registered"));
        diagnostic
            .value()
            .unwrap_or_else(|| panic!("{path} is measured"))
    };
    let counters = seen.counters;
    for (path, count) in [
        ("chunk/requested", counters.requested),
        ("chunk/applied", counters.applied),
        ("chunk/cancelled", counters.cancelled),
        ("chunk/stale", counters.stale),
        ("chunk/failed", counters.failed),
        ("chunk/panics", counters.panics),
        ("chunk/wasted", seen.wasted.chunks),
        ("chunk/missed", seen.totals.missed),
    ] {
        assert!(count > 0, "{path}: it was eventful");
        assert_eq!(value(path), count as f64, "{path}");
    }
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    assert_eq!(value("chunk/latency_p99"), ms(seen.latencies.shown.p99));
    assert!(value("chunk/latency_max") >= 16.0);
    assert_eq!(value("chunk/latency_p50"), ms(seen.latencies.shown.p50));
    assert_eq!(value("chunk/apply_p99"), ms(seen.apply_times.p99));
    assert_eq!(value("chunk/generation_p99"), ms(seen.generation_times.p99));
    let unit = |path: &'static str| {
        let diagnostic = store.get(&DiagnosticPath::const_new(path));
        diagnostic.map(|diagnostic| diagnostic.suffix.clone().into_owned())
    };
    assert_eq!(unit("chunk/latency_p50").as_deref(), Some("ms"));
    assert_eq!(unit("chunk/applied").as_deref(), Some(""));
}
