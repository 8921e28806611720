//! Starts a process for each contestant and each run, in turns, and takes the medians.

use std::env;
use std::path::PathBuf;

use crate::contestants::{BARE, ORIGINAL, OURS};
use crate::driver::{self, Measured, Work, Workload};

/// What the other crates' program calls its contestant.
pub(crate) const PEER: &str = "bevy_voxel_world";

/// Who is there to be compared.
#[derive(Debug)]
pub(crate) struct Lineup {
    entries: Vec<Entry>,
    is_quick: bool,
}

#[derive(Debug)]
struct Entry {
    name: &'static str,
    program: PathBuf,
    /// At most.
    runs: usize,
}

/// What one contestant achieved.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) name: &'static str,
    pub(crate) runs: usize,
    pub(crate) measured: Measured,
}

impl Lineup {
    pub(crate) fn new(is_quick: bool) -> Result<Self, String> {
        let own =
            env::current_exe().map_err(|error| format!("this program is nowhere: {error}"))?;
        let entry = |name, program: &PathBuf, runs| Entry {
            name,
            program: program.clone(),
            runs: if is_quick { 1 } else { runs },
        };
        let mut entries = vec![
            entry(OURS, &own, usize::MAX),
            entry(BARE, &own, usize::MAX),
            // It takes half a minute to fill the disc, and its figures are far from all others.
            entry(ORIGINAL, &own, 1),
        ];
        if let Some(peers) = driver::peers() {
            entries.push(entry(PEER, &peers, usize::MAX));
        }
        Ok(Self { entries, is_quick })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == name)
    }

    /// Lets the contestants of these names play, one after the other, and that several times.
    pub(crate) fn play(
        &self,
        workload: &Workload,
        work: Work,
        names: &[&str],
    ) -> Result<Vec<Outcome>, String> {
        let entries = self.entries.iter().filter(|it| names.contains(&it.name));
        let mut runs: Vec<_> = entries.map(|entry| (entry, Vec::new())).collect();
        for round in 0..workload.runs {
            for (entry, measured) in &mut runs {
                if round < entry.runs {
                    let length = if self.is_quick { "quick" } else { "full" };
                    measured.push(entry.play(workload, work, length)?);
                }
            }
        }
        let outcomes = runs.into_iter().map(|(entry, measured)| Outcome {
            name: entry.name,
            runs: measured.len(),
            measured: Measured::median(&measured),
        });
        Ok(outcomes.collect())
    }
}

impl Entry {
    fn play(&self, workload: &Workload, work: Work, length: &str) -> Result<Measured, String> {
        let rounds = work.rounds.to_string();
        driver::start(&self.program, self.name, workload.name, &[&rounds, length])
    }
}
