//! A limit on jobs in flight that adapts to how long the app's frames take.

use crate::rig::{Pieces, Rig, config, generator, grid, spawner};
use bevy_app::Update;
use chunk_apply::{ChunkStreamingPlugin, ManualClock, StreamingConfig};
use chunk_scheduler::{AdaptivePolicy, Concurrency, SchedulerConfig};
use std::time::Duration;

/// An adaptive limit that starts from its highest.
fn plugin() -> ChunkStreamingPlugin<Pieces> {
    let config = StreamingConfig {
        scheduler: SchedulerConfig {
            concurrency: Concurrency::Adaptive(AdaptivePolicy::default()),
            ..SchedulerConfig::default()
        },
        ..config()
    };
    ChunkStreamingPlugin::new(grid(), generator(), spawner()).with_config(config)
}

/// Frames that are a tenth of a second apart, and in which the app works for `work`. Returns the limit.
fn limit_after(work: Duration) -> usize {
    let clock = ManualClock::default();
    let mut rig = Rig::build(clock.clone(), plugin());
    let working = clock.clone();
    (rig.app).add_systems(Update, move || working.advance(work));
    rig.viewer(0, 0);
    for _ in 0..50 {
        rig.frame();
        clock.advance(Duration::from_millis(84).saturating_sub(work));
    }
    rig.stream().scheduler().max_in_flight()
}

#[test]
fn rare_frames_do_not_lower_the_limit_and_long_ones_do() {
    assert_eq!(limit_after(Duration::from_millis(1)), 4);
    assert_eq!(limit_after(Duration::from_millis(30)), 1);
}
