//! A refresh whose save waits for a version that is under way.

use crate::rig::{PIECES, Pieces, Rig, config, grid, spawner};
use chunk_apply::{ChunkStreamingPlugin, ManualClock};
use chunk_coord::ChunkCoord;
use chunk_scheduler::{GenerateError, Generator, Job, Lane, Status};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

#[test]
fn a_refresh_does_not_wait_for_a_version_that_may_never_come() {
    let attempts = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&attempts);
    let generator = Generator::fallible(move |job: &Job<ChunkCoord>| {
        if job.key() != ChunkCoord::ORIGIN {
            return Ok(Pieces(PIECES));
        }
        match counted.fetch_add(1, Ordering::Relaxed) {
            1 => Err(GenerateError::NotYet(Duration::MAX)),
            made => Ok(Pieces(PIECES + made)),
        }
    });
    let plugin = || {
        ChunkStreamingPlugin::new(grid(), generator.clone(), spawner())
            .with_config(config())
            .with_save_hook(|_, _| Ok(()))
    };
    // Whether the refresh finds the version waiting already, or still on a worker.
    for frames in [1, 2, 3, 10] {
        attempts.store(0, Ordering::Relaxed);
        let mut rig = Rig::build(ManualClock::default(), plugin());
        rig.viewer(0, 0);
        rig.settle();
        assert!(rig.stream_mut().refresh(ChunkCoord::ORIGIN));
        rig.frames(frames);
        assert!(rig.stream_mut().refresh(ChunkCoord::ORIGIN));
        rig.settle();
        let chunk = rig.index().chunk(ChunkCoord::ORIGIN).expect("loaded");
        assert_eq!(chunk.entities, PIECES + 2);
    }
}

#[test]
fn an_urgent_refresh_makes_the_version_urgent_that_it_waits_for() {
    let mut rig = Rig::with_plugin(|plugin| plugin.with_save_hook(|_, _| Ok(())));
    rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut()
        .refresh_in(ChunkCoord::ORIGIN, Lane::Normal);
    let lane = |rig: &mut Rig| {
        rig.app.update();
        match rig.stream().scheduler().explain(ChunkCoord::ORIGIN).status {
            Status::Live(live) => live.lane,
            other => panic!("{other:?}"),
        }
    };
    // It is saved and requested. No worker runs.
    assert_eq!(lane(&mut rig), Lane::Normal);
    assert!(rig.stream_mut().refresh(ChunkCoord::ORIGIN));
    assert_eq!(lane(&mut rig), Lane::Urgent);
}
