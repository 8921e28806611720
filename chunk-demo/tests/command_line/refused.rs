//! A command line that makes no sense is refused before anything is run.

use crate::{demo, file, stderr};

/// That the program refuses the arguments with this sentence and nothing else.
fn assert_refused(args: &[&str], sentence: &str) {
    let output = demo(args);
    assert_eq!(stderr(&output), format!("{sentence}\n"), "{args:?}");
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    assert!(output.stdout.is_empty(), "{args:?}: nothing was run");
}

#[test]
fn bad_values_are_refused_in_one_sentence_that_says_what_they_must_be() {
    let seconds = "it must be more than 0 and at most 604800, a week";
    let budget = "it must be more than 0 and at most 60000";
    for (option, value, demand) in [
        ("--seconds", "0", seconds),
        ("--seconds", "-3", seconds),
        ("--seconds", "NaN", seconds),
        ("--seconds", "inf", seconds),
        ("--radius", "0", "it must be 1 to 200 chunks"),
        ("--radius", "201", "it must be 1 to 200 chunks"),
        (
            "--unload-radius",
            "11",
            "it must be at least the radius, which is 12",
        ),
        ("--unload-radius", "401", "it must be at most 400 chunks"),
        ("--viewers", "0", "it must be at least 1"),
        ("--viewers", "4097", "it must be at most 4096"),
        ("--density", "14", "it must be 15 to 2000 entities a chunk"),
        (
            "--density",
            "2001",
            "it must be 15 to 2000 entities a chunk",
        ),
        ("--max-in-flight", "0", "it must be 1 to 4096"),
        ("--max-in-flight", "4097", "it must be 1 to 4096"),
        ("--apply-budget-ms", "0", budget),
        ("--apply-budget-ms", "NaN", budget),
        ("--apply-budget-ms", "-1", budget),
        ("--chunks-per-frame", "0", "it must be at least 1"),
    ] {
        let sentence = format!("error: {option} cannot be {value}: {demand}");
        assert_refused(&[option, value], &sentence);
    }
}

#[test]
fn what_is_no_option_or_no_value_is_refused_in_one_sentence() {
    for (args, sentence) in [
        (
            &["--seconds", "soon"][..],
            "error: invalid value 'soon' for '--seconds <SECONDS>': invalid float literal",
        ),
        (
            &["--radius", "-1"],
            "error: invalid value '-1' for '--radius <CHUNKS>': -1 is not in 0..=4294967295",
        ),
        (
            &["--profile", "fast"],
            "error: invalid value 'fast' for '--profile <PROFILE>' [possible values: standard, original]",
        ),
        (&["--fast"], "error: unexpected argument '--fast' found"),
        (
            &["--scenario", "nap"],
            "error: --scenario cannot be `nap`: it must be one of flight, rest, sprint, teleport, oscillate, orbit, dense, \
             dense-10000, panic, panic-half, slow, edits, long",
        ),
        (
            &["stress", "--only", "nap"],
            "error: --only cannot be `nap`: it must be in the name of a test; there are teleports: teleport, long session: \
             long, panics: panic, panics: panic-half, frame times: flight, many chunks: dense, many chunks: dense-10000, \
             and crash",
        ),
    ] {
        assert_refused(args, sentence);
    }
}

#[test]
fn a_world_takes_only_what_makes_sense_there() {
    let args = ["--world", "voxels", "--density", "60"];
    let sentence = "error: --density cannot be 60: it must be left out, because only the city has so many entities in a \
                    chunk";
    assert_refused(&args, sentence);
    let sentence = "error: --full-detail cannot be true: it must be left out, because only the city can do without levels of \
                    detail";
    assert_refused(&["--world", "terrain", "--full-detail"], sentence);
    if cfg!(not(feature = "voxels")) {
        let sentence = "error: --world cannot be voxels: it must be another one in this build, which has no voxels; \
                        `cargo xtask demo --world voxels` makes one that has, and so does `--features voxels` with cargo's \
                        own commands";
        assert_refused(&["--world", "voxels"], sentence);
    }
    if cfg!(not(feature = "terrain")) {
        let sentence = "error: --world cannot be terrain: it must be another one in this build, which has no terrain; \
                        `cargo xtask demo --world terrain` makes one that has, and so does `--features terrain` with \
                        cargo's own commands";
        assert_refused(&["--world", "terrain"], sentence);
    }
}

#[test]
fn a_path_that_cannot_be_written_to_is_found_before_the_run() {
    let no_folder = file("a-file-is-no-folder");
    std::fs::write(&no_folder, "").expect("the folder is there");
    let below = no_folder.join("below");
    let below = below.to_str().expect("the path is text");
    for (args, option) in [
        (&["--json", below][..], "--json"),
        (&["--report", below], "--report"),
        (&["stress", "--json", below], "--json"),
    ] {
        let output = demo(args);
        let text = stderr(&output);
        let start = format!("error: {option} {below} cannot be written: ");
        assert!(text.starts_with(&start), "{text}");
        assert_eq!(text.lines().count(), 1, "one sentence: {text}");
        assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
        assert!(output.stdout.is_empty(), "nothing was run");
    }
}
