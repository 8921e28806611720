//! Each of these ends with status 2 and one sentence, and nothing is made.

use std::process::Command;

use crate::{bake, finish, place, stderr};

/// What the program says that refuses this, without the line's end.
fn refusal(command: &mut Command) -> String {
    let output = command.output().expect("the program starts");
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(output.stdout.is_empty(), "{said}");
    assert_eq!(said.lines().count(), 1, "one sentence: {said}");
    assert!(said.starts_with("error: "), "{said}");
    said.trim_end().to_owned()
}

#[test]
fn regions_and_shards_that_are_none() {
    let store = place("bake-never");
    for (arguments, sentence) in [
        (
            &["--region=0,0"][..],
            "--region cannot be `0,0`: a region is two corners",
        ),
        (
            &["--region=0,0..0,5"],
            "--region cannot be `0,0..0,5`: no chunk is from 0,0",
        ),
        (
            &["--region=4,0..0,5"],
            "--region cannot be `4,0..0,5`: no chunk is from 4,0",
        ),
        (
            &["--region=-2147483648,-2147483648..2147483647,2147483647"],
            "18446744065119617025 chunks are too many for one region: it may have 16777216",
        ),
        (
            &["--region=0,0..9,9", "--shard=3/2"],
            "--shard cannot be `3/2`: of 2 shards",
        ),
        (
            &["--region=0,0..9,9", "--shard=9/8"],
            "--shard cannot be `9/8`: of 8 shards",
        ),
        (
            &["--region=0,0..9,9", "--shard=0/8"],
            "--shard cannot be `0/8`: of 8 shards",
        ),
        (
            &["--region=0,0..9,9", "--shard=0/0"],
            "--shard cannot be `0/0`: there must be",
        ),
        (
            &["--region=0,0..9,9", "--world=voxels"],
            "--world must be city",
        ),
        (&[], "--region <X,Z..X,Z>"),
    ] {
        let said = refusal(&mut bake(&store, arguments));
        assert!(said.contains(sentence), "{said}");
    }
    assert!(!std::path::Path::new(&store).exists(), "nothing was made");
}

#[test]
fn stores_that_are_none_or_are_not_of_this_city() {
    let file = place("bake-a-file");
    std::fs::write(&file, "not a folder").expect("the folder is there");
    let foreign = place("bake-foreign");
    std::fs::create_dir_all(&foreign).expect("the folder is there");
    std::fs::write(format!("{foreign}/notes.txt"), "of somebody").expect("it can be written");
    let not_redb = place("bake-not.redb");
    std::fs::write(&not_redb, "x".repeat(9_000)).expect("the folder is there");
    let city = place("bake-of-a-city");
    let (said, status) = finish(&mut bake(&city, &["--region=0,0..2,2"]));
    assert_eq!(status, Some(0), "{said}");
    for (store, more) in [
        ("https://example.com/city", &[][..]),
        ("s3://", &[]),
        ("gopher://city", &[]),
        ("", &[]),
        (&file, &[]),
        (&foreign, &[]),
        (&not_redb, &[]),
        (&city, &["--seed=2"]),
    ] {
        let said = refusal(bake(store, &["--region=0,0..2,2"]).args(more));
        let start = format!("error: --store cannot be `{store}`: ");
        assert!(said.starts_with(&start), "{said}");
        assert!(said.len() > start.len() + 20, "it says why: {said}");
    }
    let said = refusal(bake(&city, &["--region=0,0..2,2"]).arg("--seed=2"));
    let sentence = "the city in it is that of seed 1 with 15 entities in each chunk of 200 m, and this would be that of seed 2";
    assert!(said.contains(sentence), "{said}");
}

#[test]
fn a_store_of_something_else_than_the_city_is_refused_in_a_run_too() {
    let demo = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chunk-demo"));
        command.args(arguments);
        refusal(&mut command)
    };
    let said = demo(&["--store", "gopher://city"]);
    assert!(
        said.starts_with("error: --store cannot be `gopher://city`: "),
        "{said}"
    );
    let said = demo(&["--store", "x", "--world", "terrain"]);
    assert!(
        said.contains("only chunks of the city can be kept"),
        "{said}"
    );
}
