//! Several processes and one bucket.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Stdio};

use bevy_tasks::block_on;
use chunk_coord::ChunkCoord;
use chunk_demo::bake::{CityStore, Region};
use chunk_demo::city::{CityConfig, CityPlan};
use chunk_scheduler::Runtime;
use chunk_scheduler::store::{BucketStore, Store};

use crate::{bake, finish, place, s3_server};

const REGION: &str = "-8,-8..8,8";

/// Every name in a store with its bytes.
fn content(store: &BucketStore) -> Vec<(String, Vec<u8>)> {
    let names = block_on(store.list("")).expect("it can be listed");
    let bytes = |name: &str| {
        let found = block_on(store.load(name)).expect("it can be read");
        found.expect("it was listed")
    };
    let content = names.into_iter().map(|name| (name.clone(), bytes(&name)));
    content.collect()
}

/// Starts to bake the region, or a part of it, into the bucket.
fn start(server: &s3_server::S3Server, arguments: &[&str]) -> Child {
    let mut command = bake(&format!("{}/city", server.address()), arguments);
    command.args(["--region", REGION]).envs(server.variables());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the program starts")
}

/// Waits for its end, at which everything must be there, and returns what it said.
fn end(child: Child) -> String {
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{}", crate::stderr(&output));
    crate::text(&output.stdout)
}

#[test]
fn three_processes_of_which_one_is_killed_make_what_one_alone_makes() {
    let server = s3_server::start(Path::new(&place("bake-server")));
    let address = format!("{}/city", server.address());
    // Two share the work, and the third makes all of it, so that they meet.
    let halves = ["1/2", "2/2"].map(|shard| start(&server, &["--shard", shard]));
    let mut victim = start(&server, &[]);
    let open = || BucketStore::open_with(&address, server.variables()).expect("it answers");
    let watched = open();
    let made = || {
        block_on(watched.list("chunks/"))
            .expect("it can be listed")
            .len()
    };
    while made() < 30 {}
    let is_running = victim.try_wait().expect("it can be asked").is_none();
    assert!(is_running && made() < 256, "it is killed in the middle");
    victim.kill().expect("it is ours");
    victim.wait().expect("it ends");
    let again = start(&server, &[]);
    for child in halves {
        end(child);
    }
    let summary = end(again);
    assert!(summary.starts_with("256 chunks, shard 1/1: "), "{summary}");
    assert!(!summary.contains(" 0 found there"), "{summary}");

    let alone = place("bake-alone");
    let (summary, status) = finish(bake(&alone, &[]).args(["--region", REGION]));
    assert_eq!(status, Some(0));
    assert!(
        summary.starts_with("256 chunks, shard 1/1: 256 made, 0 found there"),
        "{summary}"
    );
    let (together, alone) = (
        content(&watched),
        content(&BucketStore::open(&alone).expect("it is there")),
    );
    assert_eq!(together.len(), 257, "the chunks, and which city it is");
    assert!(together == alone, "the same names and bytes");

    let config = CityConfig {
        density: 15,
        ..CityConfig::default()
    };
    let city = CityPlan::new(config).expect("the settings make a city");
    let store = block_on(CityStore::open(open(), &config, Runtime::default()));
    let store = store.expect("it is this city");
    let region: Region = REGION.parse().expect("it is one");
    let coords: BTreeSet<ChunkCoord> = region.coords().collect();
    let kept = block_on(store.archive().keys()).expect("they can be listed");
    assert!(
        kept.into_iter().eq(coords.iter().copied()),
        "each is there once"
    );
    for coord in coords {
        let chunk = block_on(store.archive().load(coord)).expect("none is damaged");
        assert_eq!(chunk.as_deref(), Some(&city.generate(coord)), "{coord}");
    }
}
