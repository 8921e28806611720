//! `chunk-demo stress --only crash`: kills a program again and again while it saves, and looks into its file each time.

use crate::args::{CrashChild, Stress};

/// What `--only` calls it.
pub(crate) const NAME: &str = "crash";

/// Kills programs and judges what they leave. Returns whether everything held, or why nothing was run.
#[cfg(feature = "saves")]
pub(crate) fn run(args: &Stress) -> Result<bool, String> {
    use std::process::Command;

    use chunk_demo::WorldKind;
    use chunk_demo::crash::{Witness, kill_one};
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    use crate::interrupt::Interrupt;
    use crate::output::{JsonFile, print};
    use crate::progress::Meter;

    const KILLS: u64 = 200;
    const QUICK_KILLS: u64 = 10;

    if args.world != WorldKind::City {
        return Err(
            "--world must be left out with --only crash, which has a world of its own".to_owned(),
        );
    }
    let program = std::env::current_exe();
    let program = program.map_err(|error| format!("this program cannot find itself: {error}"))?;
    let json = args.json.as_deref().map(JsonFile::open).transpose()?;
    let file = format!("chunk-demo-crash-{}.redb", std::process::id());
    let file = std::env::temp_dir().join(file);
    let (kills, seed) = (
        if args.quick { QUICK_KILLS } else { KILLS },
        args.seed.unwrap_or(1),
    );
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut interrupt = Interrupt::listen();
    let mut meter = Meter::new(NAME);
    let mut witness = Witness::default();
    let mut was_interrupted = false;
    while witness.report().kills < kills && witness.report().violations.is_empty() {
        let mut child = Command::new(&program);
        let seed: u64 = rng.random();
        child.args(["crash-child", "--seed", &seed.to_string(), "--file"]);
        kill_one(child.arg(&file), &file, &mut rng, &mut witness)
            .map_err(|error| format!("no program can be started and killed: {error}"))?;
        let report = witness.report();
        meter.show(report.kills, kills, || {
            let [edits, durable] = [report.edits, report.durable];
            format!("{edits} edits, {durable} of them told to be durable")
        });
        was_interrupted = interrupt.is_new();
        if was_interrupted {
            break;
        }
    }
    meter.finish();
    let report = witness.report();
    print(&report.to_string());
    for violation in &report.violations {
        eprintln!("violation in {NAME}, seed {seed}: {violation}");
    }
    let held = report.violations.is_empty();
    if held {
        // It is in the folder for what may go, so nothing is said if it cannot be removed.
        let _ = std::fs::remove_file(&file);
    } else {
        eprintln!("  {} is the file", file.display());
    }
    if was_interrupted {
        print("Interrupted; these are the figures so far.");
    }
    if let Some(json) = json {
        json.write(&[report])?;
    }
    Ok(held && !was_interrupted)
}

/// Says how to get a build that can save.
#[cfg(not(feature = "saves"))]
pub(crate) fn run(_args: &Stress) -> Result<bool, String> {
    Err(
        "--only cannot be crash: this build cannot save; `cargo xtask stress --only crash` makes one that can, and so does \
         `--features saves` with cargo's own commands"
            .to_owned(),
    )
}

/// Is the program that is killed.
#[cfg(feature = "saves")]
pub(crate) fn be_killed(args: &CrashChild) -> Result<bool, String> {
    let played = chunk_demo::crash::play(&args.file, args.seed, std::io::stdout().lock());
    played.map_err(|error| error.to_string()).map(|()| true)
}

/// No program of this build is killed.
#[cfg(not(feature = "saves"))]
pub(crate) fn be_killed(_args: &CrashChild) -> Result<bool, String> {
    Err("this build cannot save".to_owned())
}
