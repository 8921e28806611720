//! Task pools for an app that streams.

use bevy_app::{TaskPoolOptions, TaskPoolThreadAssignmentPolicy};
use chunk_scheduler::{available_cores, recommended_pool_threads};

/// Bevy's task pools, with as many threads for generating as
/// [`recommended_pool_threads`] gives this machine. Bevy's own options leave a single one on any
/// machine of up to five cores.
///
/// ```
/// use bevy_app::{App, TaskPoolPlugin};
/// use chunk_apply::streaming_pool_options;
///
/// let mut app = App::new();
/// app.add_plugins(TaskPoolPlugin {
///     task_pool_options: streaming_pool_options(),
/// });
/// ```
#[must_use]
pub fn streaming_pool_options() -> TaskPoolOptions {
    let threads = recommended_pool_threads(available_cores());
    TaskPoolOptions {
        async_compute: TaskPoolThreadAssignmentPolicy {
            min_threads: threads,
            max_threads: threads,
            percent: 1.0,
            on_thread_spawn: None,
            on_thread_destroy: None,
        },
        ..TaskPoolOptions::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generating_gets_the_recommended_threads_and_nothing_else_changes() {
        let (ours, bevys) = (streaming_pool_options(), TaskPoolOptions::default());
        let threads = recommended_pool_threads(available_cores());
        assert_eq!(ours.async_compute.min_threads, threads);
        assert_eq!(ours.async_compute.max_threads, threads);
        assert_eq!(ours.io.max_threads, bevys.io.max_threads);
        assert_eq!(ours.compute.max_threads, bevys.compute.max_threads);
    }
}
