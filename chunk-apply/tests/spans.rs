//! Each stage has a span, so that a profiler shows what takes time. A program of its own, because `tracing` decides once
//! for each call site whether there is a subscriber, and other tests have none.
#![cfg(feature = "streaming")]

#[allow(dead_code, reason = "this test uses little of the rig")]
#[path = "streaming/rig.rs"]
mod rig;

use chunk_apply::{ChunkLevels, ChunkStreamingPlugin, ManualClock};
use chunk_coord::{ChunkCoord, LevelRings};
use chunk_scheduler::{Generator, Job};
use rig::{PIECES, Pieces, Rig, config, grid, spawner};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tracing::{Metadata, Subscriber, span};

/// Knows how often each span was entered, and with which fields. Every span has the same id, because none is looked up.
#[derive(Clone, Default)]
struct Entered {
    made: Arc<Mutex<Vec<&'static Metadata<'static>>>>,
    entered: Arc<Mutex<BTreeMap<&'static str, usize>>>,
}

impl Subscriber for Entered {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span()
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let mut made = self.made.lock().expect("nobody panics");
        made.push(span.metadata());
        span::Id::from_u64(made.len() as u64)
    }

    fn enter(&self, span: &span::Id) {
        let made = self.made.lock().expect("nobody panics");
        let name = made[span.into_u64() as usize - 1].name();
        let mut entered = self.entered.lock().expect("nobody panics");
        *entered.entry(name).or_default() += 1;
    }

    fn record(&self, _span: &span::Id, _values: &span::Record<'_>) {}
    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}
    fn event(&self, _event: &tracing::Event<'_>) {}
    fn exit(&self, _span: &span::Id) {}
}

#[test]
fn every_stage_has_a_span_and_an_attempt_says_which_chunk_it_makes() {
    let entered = Entered::default();
    tracing::subscriber::with_default(entered.clone(), || {
        let attempts = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&attempts);
        let generator = Generator::new(move |_job: &Job<ChunkCoord>| {
            counter.fetch_add(1, Ordering::Relaxed);
            Pieces(PIECES)
        });
        let levels = ChunkLevels::new(LevelRings::new([1, 2], 0).expect("rings grow"));
        let plugin = ChunkStreamingPlugin::new(grid(), generator, spawner())
            .with_config(config())
            .with_levels(levels);
        let mut rig = Rig::build(ManualClock::default(), plugin);
        let viewer = rig.viewer(0, 0);
        rig.app.update();
        while attempts.load(Ordering::Relaxed) == 0 {
            assert!(rig.simulation.step(), "a job is there");
        }
        // What was just made and not yet handed over is wanted no more.
        rig.move_to(viewer, 100, 0);
        rig.settle();
        rig.move_to(viewer, 103, 0);
        rig.settle();
    });
    let seen = entered.entered.lock().expect("nobody panics");
    for stage in [
        "chunk_scan",
        "chunk_level",
        "chunk_generate",
        "chunk_tick",
        "chunk_submit",
        "chunk_drain",
        "chunk_apply",
        "chunk_spawn",
        "chunk_unload",
        "chunk_pick",
        "chunk_rerank",
        "chunk_attempt",
        "chunk_discard",
    ] {
        assert!(seen.contains_key(stage), "no {stage} in {seen:?}");
    }
    let made = entered.made.lock().expect("nobody panics");
    for span in made.iter() {
        assert!(span.name().starts_with("chunk_"), "{}", span.name());
        let has_key = span.fields().field("key").is_some();
        assert!(has_key || span.name() != "chunk_attempt", "{span:?}");
    }
}
