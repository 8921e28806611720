//! A run with a timeline becomes a page with a map and plots that needs no network.

use std::path::Path;

use chunk_demo::chart::{ChunkState, write_page};
use chunk_demo::scenario::Flight;
use chunk_demo::{Pacing, Run, Settings, Workload};

#[test]
fn a_run_with_a_timeline_becomes_a_page() {
    let settings = Settings {
        seconds: 1.0,
        radius: 4,
        unload_radius: 5,
        ..Settings::default()
    };
    let budget = settings.budget.time;
    let city = Workload::city(settings.city()).expect("the settings make sense");
    let mut run = Run::new(settings, &Flight, city);
    run.pacing = Pacing::Unpaced;
    run.has_timeline = true;
    let mut outcome = run.go(&mut ()).expect("the settings make sense");
    let timeline = outcome.timeline.take().expect("the run recorded it");
    let (samples, snapshots) = (&timeline.samples, &timeline.snapshots);
    assert_eq!((samples.len(), snapshots.len()), (60, 6));
    assert!(samples.iter().any(|sample| sample.loaded > 0));
    assert!(snapshots.iter().all(|snapshot| snapshot.viewers.len() == 1));

    outcome
        .report
        .violations
        .push("less < more & \"quoted\"".to_owned());
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page");
    let page = write_page(&folder, &outcome, &timeline, budget).expect("the folder can be written");
    let html = std::fs::read_to_string(page).expect("the page was written");
    assert!(html.contains("less &lt; more &amp;"), "{html}");
    assert!(!html.contains("http"), "the page needs a network: {html}");
    for linked in ["chunks.png", "frames.svg", "depths.svg", "report.json"] {
        assert!(html.contains(linked), "{linked} is not linked");
        assert!(folder.join(linked).is_file(), "{linked} was not written");
    }
    let map = image::open(folder.join("chunks.png")).expect("the map was written");
    let map = map.into_rgba8();
    let applied = ChunkState::Applied.color();
    let green = map.pixels().filter(|pixel| **pixel == applied);
    // Much more than the legend's square.
    assert!(green.count() > 1_000);
    let plot = std::fs::read_to_string(folder.join("frames.svg")).expect("the plot was written");
    assert!(
        plot.starts_with("<svg") && plot.matches("<polyline").count() >= 4,
        "{plot}"
    );
    for name in ["budget", "stream", "motion", "whole frame"] {
        assert!(plot.contains(name), "{name} is not in the plot");
    }
}

#[test]
fn a_run_has_no_timeline_unless_asked() {
    let settings = Settings {
        seconds: 0.1,
        radius: 1,
        unload_radius: 1,
        ..Settings::default()
    };
    let city = Workload::city(settings.city()).expect("the settings make sense");
    let outcome = Run::new(settings, &Flight, city).go(&mut ());
    assert_eq!(outcome.expect("the settings make sense").timeline, None);
}
