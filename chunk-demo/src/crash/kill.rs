//! Starts a program that saves, kills it, and looks into its file.

use core::time::Duration;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use bevy_tasks::block_on;
use chunk_coord::ChunkCoord;
use chunk_scheduler::store::StoreError;
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use super::event::Event;
use super::ledger::Ledger;
use super::play::open;
use super::witness::Witness;

/// A program is killed after at most so many lines.
const MOST_LINES: u64 = 600;
/// And after at most so much more time, so that it is killed in the middle of whatever it does.
const MOST_MICROS: u64 = 5_000;

/// Starts a program that [plays](super::play) on `file`, kills it at a random moment, and lets the witness compare what it
/// told with what is in the file.
///
/// # Errors
///
/// If the program cannot be started or killed. What did not hold is in the report of the witness.
pub fn kill_one(
    program: &mut Command,
    file: &Path,
    rng: &mut Pcg64Mcg,
    witness: &mut Witness,
) -> io::Result<()> {
    let lines = rng.random_range(1..=MOST_LINES);
    let more = Duration::from_micros(rng.random_range(0..=MOST_MICROS));
    let mut child = program.stdout(Stdio::piped()).spawn()?;
    let mut out = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut hear = |witness: &mut Witness| {
        let mut line = String::new();
        let read = out.read_line(&mut line);
        // A line without an end was cut off by the kill.
        let is_whole = read.is_ok() && line.ends_with('\n');
        if is_whole {
            match line.trim_end().parse::<Event>() {
                Ok(event) => witness.hear(event),
                Err(sentence) => witness.object(sentence),
            }
        }
        is_whole
    };
    let is_running = (0..lines).all(|_| hear(witness));
    let since = Instant::now();
    while is_running && since.elapsed() < more {
        // No sleep, which would end with the ticks of the system's clock and so at much the same moments.
        core::hint::spin_loop();
    }
    child.kill()?;
    child.wait()?;
    while hear(witness) {}
    if !is_running {
        witness.object("the program ended before it was killed".to_owned());
    }
    match block_on(ledgers(file)) {
        Ok(ledgers) => witness.judge(&ledgers),
        Err(error) => witness.object(format!("the file cannot be read: {error}")),
    }
    Ok(())
}

async fn ledgers(file: &Path) -> Result<BTreeMap<ChunkCoord, Ledger>, StoreError> {
    let archive = open(file)?;
    let mut ledgers = BTreeMap::new();
    for coord in archive.keys().await? {
        if let Some(ledger) = archive.load(coord).await? {
            ledgers.insert(coord, Arc::unwrap_or_clone(ledger));
        }
    }
    Ok(ledgers)
}
