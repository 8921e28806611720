//! The original algorithm: at most three tasks, which are polled and started once per frame, after a full sort of all
//! wanted chunks.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use bevy_tasks::{Task, TaskPool, block_on, poll_once};

use super::{Work, at_60_hz, distance_sq};

const MOST_TASKS: usize = 3;

/// Generates every key; returns how many frames it took.
pub(crate) fn fill(pool: &TaskPool, keys: &[[i32; 3]], work: Work) -> u32 {
    let mut wanted: Vec<[i32; 3]> = keys.to_vec();
    let mut tasks: HashMap<[i32; 3], Task<u64>> = HashMap::new();
    let mut loaded: HashSet<[i32; 3]> = HashSet::new();
    let frame = |_: Duration| {
        tasks.retain(|key, task| {
            let is_done = block_on(poll_once(task)).is_some();
            if is_done {
                loaded.insert(*key);
            }
            !is_done
        });
        wanted.sort_by_key(|key| distance_sq(*key, [0; 3]));
        wanted.retain(|key| !loaded.contains(key));
        let free = MOST_TASKS - tasks.len();
        let next: Vec<_> = wanted
            .iter()
            .filter(|key| !tasks.contains_key(*key))
            .take(free)
            .copied()
            .collect();
        for key in next {
            tasks.insert(key, pool.spawn(async move { work.run(key[0]) }));
        }
        loaded.len() == keys.len()
    };
    at_60_hz(frame).0
}
