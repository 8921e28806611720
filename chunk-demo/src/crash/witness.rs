//! Compares what programs told before they were killed with what is in the file.

use core::fmt;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use chunk_coord::ChunkCoord;
use serde::Serialize;

use super::event::Event;
use super::ledger::Ledger;

/// What happened in a crash test.
#[derive(Serialize, Clone, Debug, Default, PartialEq)]
pub struct CrashReport {
    /// How often a program was killed.
    pub kills: u64,
    /// How many edits were made.
    pub edits: u64,
    /// How often chunks were loaded, each with what was last made of them.
    pub loads: u64,
    /// How many edits were told to be durable.
    pub durable: u64,
    /// How many of those were there after the kill, themselves or a newer one in their place.
    pub verified: u64,
    /// The most edits that one kill took, none of which was told to be durable.
    pub most_edits_lost: u64,
    /// The oldest of an edit that a kill took, in milliseconds before the last edit.
    pub longest_loss_ms: f64,
    /// What did not hold.
    pub violations: Vec<String>,
}

impl fmt::Display for CrashReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kills,
            edits,
            loads,
            durable,
            ..
        } = self;
        writeln!(f, "{kills} kills, {edits} edits, {loads} chunks loaded")?;
        writeln!(
            f,
            "{durable} edits were told to be durable, and {} of them were there after the kill",
            self.verified
        )?;
        write!(
            f,
            "at most {} other edits were lost by one kill, the oldest {:.1} ms before the last",
            self.most_edits_lost, self.longest_loss_ms
        )
    }
}

/// Knows what must be in the file.
#[derive(Debug, Default)]
pub struct Witness {
    chunks: BTreeMap<ChunkCoord, Told>,
    last_edit: Duration,
    report: CrashReport,
}

/// What was told of a chunk.
#[derive(Debug, Default)]
struct Told {
    /// How many edits it has.
    edits: u64,
    /// How many of them are durable.
    durable: u64,
    /// When those were made that are not known to be durable, by their numbers.
    at_risk: BTreeMap<u64, Duration>,
}

impl Witness {
    /// What happened so far.
    #[must_use]
    pub fn report(&self) -> &CrashReport {
        &self.report
    }

    /// Notes something that a program told.
    pub fn hear(&mut self, event: Event) {
        match event {
            Event::Started => self.last_edit = Duration::ZERO,
            Event::Loaded(coord, edits) => {
                self.report.loads += 1;
                let made = self.chunks.entry(coord).or_default().edits;
                if edits != made {
                    self.object(format!(
                        "chunk {coord} was loaded with {edits} edits, and {made} were made"
                    ));
                }
            }
            Event::Edit(coord, edits, at) => {
                self.report.edits += 1;
                self.last_edit = at;
                let told = self.chunks.entry(coord).or_default();
                let follows = edits == told.edits + 1;
                told.edits = edits;
                told.at_risk.insert(edits, at);
                if !follows {
                    self.object(format!(
                        "edit {edits} of chunk {coord} does not follow the one before it"
                    ));
                }
            }
            Event::Durable(coord, edits) => {
                let told = self.chunks.entry(coord).or_default();
                let still_at_risk = told.at_risk.split_off(&(edits + 1));
                self.report.durable += told.at_risk.len() as u64;
                told.at_risk = still_at_risk;
                told.durable = told.durable.max(edits);
            }
        }
    }

    /// Compares everything with what is in the file after the program was killed. From here on, that counts.
    pub fn judge(&mut self, file: &BTreeMap<ChunkCoord, Ledger>) {
        self.report.kills += 1;
        let (mut lost, mut oldest) = (0, self.last_edit);
        let coords: BTreeSet<_> = self.chunks.keys().chain(file.keys()).copied().collect();
        for coord in coords {
            let found = file.get(&coord);
            let edits = found.map_or(0, Ledger::edits);
            let told = self.chunks.entry(coord).or_default();
            let (made, durable) = (told.edits, told.durable);
            lost += made.saturating_sub(edits);
            if let Some((_, at)) = told.at_risk.range(edits + 1..).next() {
                oldest = oldest.min(*at);
            }
            *told = Told {
                edits,
                durable: edits,
                at_risk: BTreeMap::new(),
            };
            if found.is_some_and(|ledger| !ledger.is_whole(coord)) {
                self.object(format!("chunk {coord} in the file is a mixture of states"));
            }
            if edits < durable {
                self.object(format!(
                    "edit {durable} of chunk {coord} was told to be durable and is lost: the file has {edits} edits"
                ));
            }
            if edits > made {
                self.object(format!(
                    "the file has {edits} edits of chunk {coord}, and {made} were made"
                ));
            }
        }
        if self.report.violations.is_empty() {
            self.report.verified = self.report.durable;
        }
        let loss = self.last_edit.saturating_sub(oldest).as_secs_f64() * 1e3;
        self.report.most_edits_lost = self.report.most_edits_lost.max(lost);
        self.report.longest_loss_ms = self.report.longest_loss_ms.max(loss);
    }

    /// Notes that something did not hold.
    pub fn object(&mut self, sentence: String) {
        let kill = self.report.kills;
        (self.report.violations).push(format!("kill {kill}: {sentence}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: ChunkCoord = ChunkCoord::ORIGIN;

    fn edit(edits: u64) -> Event {
        Event::Edit(HERE, edits, Duration::from_millis(edits * 10))
    }

    /// What a witness says after these events and with a state of the one chunk in the file.
    fn judged(events: &[Event], file: Option<Ledger>) -> CrashReport {
        let mut witness = Witness::default();
        for event in events {
            witness.hear(*event);
        }
        witness.judge(&file.into_iter().map(|ledger| (HERE, ledger)).collect());
        witness.report().clone()
    }

    #[test]
    fn what_was_told_to_be_durable_must_be_there_or_something_newer() {
        let told = [edit(1), edit(2), Event::Durable(HERE, 2), edit(3), edit(4)];
        for edits in [2, 3, 4] {
            let report = judged(&told, Some(Ledger::after(edits, HERE)));
            assert_eq!(report.violations, [""; 0]);
            assert_eq!((report.durable, report.verified), (2, 2));
            assert_eq!(report.most_edits_lost, 4 - edits);
            let loss = [10.0, 0.0, 0.0][edits as usize - 2];
            assert_eq!(report.longest_loss_ms, loss);
        }
        let lost = judged(&told, Some(Ledger::after(1, HERE)));
        let sentence = "kill 1: edit 2 of chunk 0,0,0 was told to be durable and is lost: the file has 1 edits";
        assert_eq!(lost.violations, [sentence]);
        assert_eq!(judged(&told, None).violations.len(), 1);
    }

    #[test]
    fn what_nobody_made_and_what_is_a_mixture_is_found() {
        let report = judged(&[edit(1)], Some(Ledger::after(2, HERE)));
        assert!(report.violations[0].contains("the file has 2 edits"));
        let elsewhere = Ledger::after(1, ChunkCoord::planar(1, 1));
        let report = judged(&[edit(1)], Some(elsewhere));
        assert!(report.violations[0].contains("a mixture of states"));
    }

    #[test]
    fn the_next_program_goes_on_with_what_is_there() {
        let mut witness = Witness::default();
        witness.hear(edit(1));
        witness.hear(edit(2));
        witness.judge(&BTreeMap::from([(HERE, Ledger::after(1, HERE))]));
        for event in [Event::Started, Event::Loaded(HERE, 1), edit(2)] {
            witness.hear(event);
        }
        assert_eq!(witness.report().violations, [""; 0]);
        witness.hear(Event::Loaded(HERE, 1));
        assert_eq!(
            witness.report().violations.len(),
            1,
            "the second is forgotten"
        );
        witness.hear(edit(4));
        assert_eq!(witness.report().violations.len(), 2, "the third is missing");
    }
}
