//! One process, and a folder or a file.

use std::process::{Command, Output};

use bevy_tasks::block_on;
use chunk_coord::ChunkCoord;
use chunk_demo::bake::CityStore;
use chunk_demo::city::{CityChunk, CityConfig, CityPlan};
use chunk_scheduler::Runtime;

use crate::{bake, finish, place, stderr};

const CITY: CityConfig = CityConfig {
    seed: 1,
    chunk_size: 200.0,
    density: 15,
};

#[test]
fn what_is_there_is_found_and_not_made_again() {
    for name in ["bake-folder", "bake.redb"] {
        let store = place(name);
        let half = ["--region=0,0..4,8", "--shard=1/2"];
        let (summary, status) = finish(&mut bake(&store, &half));
        assert_eq!(status, Some(0), "{summary}");
        assert!(
            summary.starts_with("16 chunks, shard 1/2: 16 made, 0 found"),
            "{summary}"
        );
        let (summary, status) = finish(&mut bake(&store, &["--region=0,0..4,8"]));
        assert_eq!(status, Some(0), "{summary}");
        assert!(
            summary.starts_with("32 chunks, shard 1/1: 16 made, 16 found"),
            "{summary}"
        );
    }
}

/// Streams the city from a store, and into it, around a viewer that stands.
fn stream(store: &str, radius: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chunk-demo"))
        .args(["--scenario=rest", "--seconds=0.1", "--unpaced", radius])
        .args(["--density=15", "--store", store])
        .output()
        .expect("the program starts")
}

#[test]
fn far_chunks_are_kept_whole_and_shown_as_outlines() {
    let store = place("bake-levels");
    let radius = CITY.rings()[1] + 2;
    // The audit of the second run compares what was made of kept chunks with what each level should have.
    for _ in 0..2 {
        let output = stream(&store, &format!("--radius={radius}"));
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    let kept = CityStore::open_at(&store, &CITY, Runtime::default()).expect("it is this city");
    let coords = block_on(kept.archive().keys()).expect("they can be listed");
    assert!(coords.contains(&ChunkCoord::planar(radius as i32, 0)));
    let plan = CityPlan::new(CITY).expect("the settings make a city");
    for coord in coords {
        let chunk = block_on(kept.archive().load(coord)).expect("none is damaged");
        assert_eq!(chunk.as_deref(), Some(&plan.generate(coord)), "{coord}");
    }
}

#[test]
fn the_city_is_streamed_from_the_store_and_what_is_missing_is_kept_there() {
    let store = place("bake-streamed");
    let stream = || stream(&store, "--radius=2");
    let open = || CityStore::open_at(&store, &CITY, Runtime::default()).expect("it is this city");
    finish(&mut bake(&store, &["--region=0,0..1,2"]));
    let output = stream();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let kept = block_on(open().archive().keys()).expect("it can be listed");
    assert_eq!(kept.len(), 13, "all that was around the viewer");

    // A chunk that no city would make shows where it came from.
    let archive = open().archive().clone();
    archive.save(ChunkCoord::ORIGIN, CityChunk::default());
    archive
        .flush_within(std::time::Duration::from_secs(10))
        .expect("the disk has room");
    let output = stream();
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("violation"), "{said}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_and_the_same_command_goes_on() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    let store = place("bake-interrupted");
    let mut command = bake(&store, &["--region=0,0..400,400"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stderr.take().expect("it is piped"));
    let mut first = String::new();
    lines.read_line(&mut first).expect("it says how far it is");
    assert!(first.starts_with("bake: 0 %"), "{first}");
    let signal = format!("kill -INT {}", child.id());
    let sent = Command::new("sh").args(["-c", &signal]).status();
    assert!(sent.expect("there is a shell").success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1));
    let said = crate::text(&output.stdout);
    assert!(said.starts_with("160,000 chunks, shard 1/1: "), "{said}");
    assert!(
        said.contains("Interrupted: ") && said.ends_with("the same command goes on with them\n"),
        "{said}"
    );
    let (summary, status) = finish(&mut bake(&store, &["--region=0,0..2,2"]));
    assert_eq!(status, Some(0), "{summary}");
}
