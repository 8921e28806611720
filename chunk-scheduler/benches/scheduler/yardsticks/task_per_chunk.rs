//! The usual way: one Bevy task for each chunk, all of them polled in each frame.

use std::{collections::HashMap, time::Duration};

use bevy_tasks::{Task, TaskPool, block_on, poll_once};

use super::{Work, at_60_hz};

/// Generates every key; returns how long the main thread was busy with it, and in how many frames.
pub(crate) fn fill(pool: &TaskPool, keys: &[[i32; 3]], work: Work) -> (u32, Duration) {
    let mut tasks: HashMap<[i32; 3], Task<u64>> = HashMap::new();
    let mut loaded = HashMap::new();
    at_60_hz(|_| {
        if loaded.is_empty() && tasks.is_empty() {
            for key in keys {
                let key = *key;
                tasks.insert(key, pool.spawn(async move { work.run(key[0]) }));
            }
        }
        tasks.retain(|key, task| {
            let output = block_on(poll_once(task));
            if let Some(output) = output {
                loaded.insert(*key, output);
            }
            output.is_none()
        });
        loaded.len() == keys.len()
    })
}
