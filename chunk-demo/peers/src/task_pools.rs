//! The threads of every contestant.

use std::thread::available_parallelism;

use bevy::app::{TaskPoolOptions, TaskPoolPlugin, TaskPoolThreadAssignmentPolicy};

/// The same number of threads for generating as chunk-scheduler recommends.
pub(crate) fn task_pools() -> TaskPoolPlugin {
    let cores = available_parallelism().map_or(1, usize::from);
    let threads = cores.saturating_sub(1).clamp(1, 4).max(cores / 2);
    TaskPoolPlugin {
        task_pool_options: TaskPoolOptions {
            async_compute: TaskPoolThreadAssignmentPolicy {
                min_threads: threads,
                max_threads: threads,
                percent: 1.0,
                on_thread_spawn: None,
                on_thread_destroy: None,
            },
            ..TaskPoolOptions::default()
        },
    }
}
