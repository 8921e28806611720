//! Random edits, journeys, faults, exits and crashes, against what must be seen and what must be durable.

use crate::{
    game::{Game, Made, Settings},
    scripted::{Script, ScriptedStore, Things},
};
use chunk_apply::{ApplyBudget, ChunkCoord, ChunkStream, Reset, SavePolicy};
use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::Duration,
};

const SEEDS: u64 = 60;
const STEPS: usize = 300;

/// Numbers that repeat: xorshift.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn coord(&mut self) -> ChunkCoord {
        let mut at = || self.roll(10) as i32 - 5;
        ChunkCoord::planar(at(), at())
    }
}

/// What happened in all games, so that nothing is tested in vain.
#[derive(Debug, Default)]
struct Happened {
    exits: u32,
    exits_in_vain: u32,
    crashes: u32,
    values_lost: u32,
    saves: u64,
    failed_saves: u64,
    times_without_room: u32,
    stops: u32,
}

struct Player {
    game: Game,
    settings: Settings,
    dice: Dice,
    /// What is in each chunk, as players have seen it.
    built: BTreeMap<ChunkCoord, Things>,
    /// What was durable when this app began.
    durable: BTreeMap<ChunkCoord, Things>,
    is_running: bool,
}

impl Player {
    fn new(seed: u64) -> Self {
        let settings = Settings {
            saving: SavePolicy {
                autosave: seed.is_multiple_of(2).then_some(Duration::from_millis(300)),
                max_kept: [8, 1_024][seed as usize % 2],
                exit_patience: Duration::from_secs(1),
                ..SavePolicy::default()
            },
            max_waiting_bytes: [usize::MAX, 60, 300][seed as usize % 3],
            budget: [
                ApplyBudget::unlimited(),
                ApplyBudget {
                    chunks: Some(2),
                    ..ApplyBudget::unlimited()
                },
            ][seed as usize % 2],
            does_carry_over: true,
        };
        Self {
            game: Game::new(&ScriptedStore::new(seed), settings, ChunkCoord::ORIGIN),
            settings,
            dice: Dice((seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)),
            built: BTreeMap::new(),
            durable: BTreeMap::new(),
            is_running: true,
        }
    }

    fn step(&mut self, happened: &mut Happened) -> String {
        match self.dice.roll(64) {
            0..=24 => {
                let frames = self.dice.roll(4) + 1;
                let steps = [0, 3, usize::MAX][self.dice.roll(3) as usize];
                for _ in 0..frames {
                    self.game.frame(steps);
                    self.check();
                    let has_room = self.game.archive.has_room();
                    happened.times_without_room += u32::from(!has_room);
                }
                format!("{frames} frames with {steps} steps of workers")
            }
            25..=40 if self.is_running => {
                let loaded: Vec<ChunkCoord> = self.game.loaded().into_keys().collect();
                if loaded.is_empty() {
                    return "nothing".to_owned();
                }
                let coord = loaded[self.dice.roll(loaded.len() as u64) as usize];
                let thing = self.game.build(coord);
                self.built.entry(coord).or_default().insert(thing);
                format!("build {thing} in {coord}")
            }
            41..=47 => {
                let at = self.dice.coord();
                self.game.go_to(at);
                format!("go to {at}")
            }
            48..=51 if self.is_running => {
                let coord = self.dice.coord();
                self.game.stream_mut().refresh(coord);
                format!("refresh {coord}")
            }
            52..=55 => {
                let script = Script {
                    delay: Duration::from_millis([0, 0, 5, 40][self.dice.roll(4) as usize]),
                    do_writes_fail: self.dice.roll(3) == 0,
                    do_loads_fail: self.dice.roll(5) == 0,
                };
                *self.game.store.script() = script;
                "another store".to_owned()
            }
            56 => {
                let fail = self.dice.roll(2) == 0;
                *self.game.do_snapshots_fail.lock().expect("no panic") = fail;
                format!("snapshots fail: {fail}")
            }
            57..=58 if self.is_running => {
                let report = ChunkStream::<Made>::save_all(self.game.app.world_mut());
                format!("save all: {report}")
            }
            59 => self.stop_or_start(happened),
            60 => self.exit(happened),
            61 => self.crash(happened),
            62 => self.rest(),
            _ => "nothing".to_owned(),
        }
    }

    /// What is loaded is what was seen last.
    fn check(&self) {
        if !self.is_running {
            return;
        }
        assert_eq!(self.game.stream().scheduler().audit(), Ok(()));
        for (coord, things) in self.game.loaded() {
            let built = self.built.get(&coord).cloned().unwrap_or_default();
            assert_eq!(things, built, "the things in {coord}");
        }
    }

    /// What was saved last of each chunk that has ever been built in or saved.
    fn newest(&self) -> BTreeMap<ChunkCoord, Things> {
        let taken = self.game.taken.lock().expect("no panic");
        let mut newest = self.durable.clone();
        for (coord, snapshots) in taken.iter() {
            newest.insert(*coord, snapshots.last().expect("one at least").clone());
        }
        newest
    }

    fn stop_or_start(&mut self, happened: &mut Happened) -> String {
        if !self.is_running {
            self.game.start();
            self.is_running = true;
            return "start".to_owned();
        }
        happened.stops += 1;
        let how = [Reset::Save, Reset::Discard][self.dice.roll(2) as usize];
        let stopped = ChunkStream::<Made>::stop(self.game.app.world_mut(), how);
        match stopped {
            Ok(_) => self.is_running = false,
            // It goes on.
            Err(report) => return report.to_string(),
        }
        if how == Reset::Discard {
            self.built = self.newest();
        }
        format!("{how:?} and stop")
    }

    /// Mends everything and waits until all is seen and durable.
    fn rest(&mut self) -> String {
        *self.game.store.script() = Script::default();
        *self.game.do_snapshots_fail.lock().expect("no panic") = false;
        if !self.is_running {
            self.game.start();
            self.is_running = true;
        }
        self.game.stream_mut().budget = ApplyBudget::unlimited();
        loop {
            self.game.stream_mut().retry_quarantined();
            self.game.settle();
            self.check();
            if self.game.stream().quarantined().len() == 0 {
                break;
            }
        }
        self.game.stream_mut().budget = self.settings.budget;
        assert_eq!(
            self.game.archive.flush_within(Duration::from_secs(60)),
            Ok(())
        );
        // Nothing else was handed to the archive.
        for (coord, things) in self.newest() {
            assert_eq!(self.game.store.durable(coord), things, "{coord}");
        }
        let loaded = self.game.loaded();
        for (coord, things) in &self.built {
            let is_there = loaded.contains_key(coord);
            assert!(is_there || self.game.store.durable(*coord) == *things);
        }
        "rest".to_owned()
    }

    /// The app ends, and another one begins with what is durable.
    fn exit(&mut self, happened: &mut Happened) -> String {
        happened.exits += 1;
        let store = self.game.store.clone();
        let works = !store.script().do_writes_fail
            && !*self.game.do_snapshots_fail.lock().expect("no panic");
        happened.exits_in_vain += u32::from(!works);
        let expected = works.then(|| self.built.clone());
        self.begin_again(Game::exit, expected, happened);
        format!("exit, and the store works: {works}")
    }

    /// The app is dropped: what was not saved is lost.
    fn crash(&mut self, happened: &mut Happened) -> String {
        happened.crashes += 1;
        let works = !self.game.store.script().do_writes_fail;
        let expected = works.then(|| self.newest());
        self.begin_again(drop, expected, happened);
        format!("crash, and the store works: {works}")
    }

    fn begin_again(
        &mut self,
        end: impl FnOnce(Game),
        expected: Option<BTreeMap<ChunkCoord, Things>>,
        happened: &mut Happened,
    ) {
        if self.is_running {
            let totals = self.game.stream().totals();
            happened.saves += totals.saved;
            happened.failed_saves += totals.save_failures;
        }
        let (store, taken) = (self.game.store.clone(), self.game.taken.clone());
        let next = Game::new(&store, self.settings, ChunkCoord::ORIGIN);
        end(core::mem::replace(&mut self.game, next));
        let taken = core::mem::take(&mut *taken.lock().expect("no panic"));
        let coords: BTreeSet<ChunkCoord> = (self.built.keys())
            .chain(self.durable.keys())
            .chain(taken.keys())
            .copied()
            .collect();
        let mut durable = BTreeMap::new();
        for coord in coords {
            let things = store.durable(coord);
            let before = self.durable.get(&coord).cloned().unwrap_or_default();
            let known = taken
                .get(&coord)
                .is_some_and(|taken| taken.contains(&things));
            assert!(known || things == before, "{things:?} was never in {coord}");
            if let Some(expected) = &expected {
                let expected = expected.get(&coord).cloned().unwrap_or_default();
                assert_eq!(things, expected, "what is durable of {coord}");
            }
            let built = self.built.get(&coord).cloned().unwrap_or_default();
            happened.values_lost += u32::from(built != things);
            durable.insert(coord, things);
        }
        self.built = durable.clone();
        self.durable = durable;
        self.is_running = true;
    }
}

#[test]
fn whatever_happens_the_newest_is_seen_and_what_was_told_durable_is_there_in_the_next_app() {
    let mut happened = Happened::default();
    let seeds = match std::env::var("SAVED_WORLDS_SEED") {
        Ok(seed) => vec![seed.parse().expect("SAVED_WORLDS_SEED is a number")],
        Err(_) => (0..SEEDS).collect::<Vec<u64>>(),
    };
    let is_all = seeds.len() > 1;
    for seed in seeds {
        let (mut player, mut history) = (Player::new(seed), Vec::new());
        let played = catch_unwind(AssertUnwindSafe(|| {
            for _ in 0..STEPS {
                history.push(player.step(&mut happened));
            }
            player.rest();
        }));
        if let Err(panic) = played {
            let last = history.len().saturating_sub(20);
            eprintln!(
                "seed {seed}, the last steps:\n{}",
                history[last..].join("\n")
            );
            resume_unwind(panic);
        }
    }
    println!("{happened:?}");
    let Happened {
        exits,
        exits_in_vain,
        crashes,
        values_lost,
        saves,
        failed_saves,
        times_without_room,
        stops,
    } = happened;
    let counts = [
        exits,
        exits_in_vain,
        crashes,
        values_lost,
        times_without_room,
        stops,
    ];
    assert!(!is_all || counts.iter().all(|count| *count > 10) && saves > 100 && failed_saves > 10);
}
