//! A player who does anything at any time, against a reference that knows what must be seen and saved.
//!
//! Each seed is a game of its own on the simulation, with two streams. A failure prints its seed and its last steps; run
//! the seed again with `PLAYER_SEED=7 cargo test -p chunk-apply --test player`.
#![cfg(feature = "streaming")]

mod game;
mod land;
mod parts;
mod step;

use game::Game;
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

/// Games that are played, and the steps of each.
const SEEDS: u64 = 48;
const STEPS: usize = 400;

#[test]
fn whatever_a_player_does_the_newest_is_seen_and_nothing_is_lost() {
    if let Ok(seed) = std::env::var("PLAYER_SEED") {
        play(seed.parse().expect("PLAYER_SEED is a number"));
        return;
    }
    let mut happened = BTreeMap::new();
    for (what, count) in (0..SEEDS).flat_map(play) {
        *happened.entry(what).or_insert(0) += count;
    }
    println!("{happened:?}");
    for (what, count) in happened {
        assert!(count > 0, "in no game there were {what}");
    }
}

/// Plays a game. Returns how often what is tested happened.
fn play(seed: u64) -> [(&'static str, u64); 15] {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let steps = step::any();
    let mut game = Game::new(seed);
    let mut history = Vec::new();
    for number in 0..STEPS {
        let tree = steps.new_tree(&mut runner).expect("steps are not filtered");
        let step = tree.current();
        history.push(format!("{number}: {step:?}"));
        let taken = catch_unwind(AssertUnwindSafe(|| game.take(&step)));
        if let Err(panic) = taken {
            let last = history.len().saturating_sub(20);
            eprintln!(
                "seed {seed}, the last steps:\n{}",
                history[last..].join("\n")
            );
            resume_unwind(panic);
        }
    }
    game.happened()
}
