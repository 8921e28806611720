//! A limit on the bytes of all chunks.

use crate::rig::{Piece, Pieces, Rig, config, grid};
use bevy_ecs::prelude::*;
use chunk_apply::{
    ApplyBudget, ChunkCoord, ChunkStatus, ChunkStreamNow, ChunkStreamingPlugin, ChunkWriter,
    Generator, Job, LoadOrder, ManualClock, Simulation, Spawner, StreamingConfig,
    chunks_are_settled,
};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// What each chunk weighs that does not weigh 10.
type Weights = Arc<Mutex<BTreeMap<ChunkCoord, usize>>>;

struct Weighed {
    rig: Rig,
    viewer: Entity,
    weights: Weights,
    /// How often the generator was called.
    calls: Arc<AtomicUsize>,
}

impl Weighed {
    fn new(limit: Option<usize>, budget: ApplyBudget) -> Self {
        Self::with(limit, budget, |plugin| plugin)
    }

    fn with(
        limit: Option<usize>,
        budget: ApplyBudget,
        change: impl FnOnce(ChunkStreamingPlugin<Pieces>) -> ChunkStreamingPlugin<Pieces>,
    ) -> Self {
        let (weights, calls) = (Weights::default(), Arc::new(AtomicUsize::new(0)));
        let (weighing, calling) = (Arc::clone(&weights), Arc::clone(&calls));
        let generator = Generator::new(move |job: &Job<ChunkCoord>| {
            calling.fetch_add(1, Ordering::Relaxed);
            let weights = weighing.lock().expect("no panic");
            Pieces(weights.get(&job.key()).copied().unwrap_or(10))
        });
        let spawner = Spawner::new(|_, made: Pieces, writer: &mut ChunkWriter<'_, '_>| {
            writer.upload(made.0, |_, _| {});
            writer.spawn_batch([Piece(made.0)]);
        });
        let config = StreamingConfig {
            max_loaded_bytes: limit,
            budget,
            ..config()
        };
        let plugin = ChunkStreamingPlugin::new(grid(), generator, spawner).with_config(config);
        let mut rig = Rig::simulated(Simulation::new(5), ManualClock::default(), change(plugin));
        let viewer = rig.viewer(0, 0);
        Self {
            rig,
            viewer,
            weights,
            calls,
        }
    }

    fn weigh(&self, coord: ChunkCoord, bytes: usize) {
        self.weights.lock().expect("no panic").insert(coord, bytes);
    }

    fn weight(&self, coord: ChunkCoord) -> usize {
        let weights = self.weights.lock().expect("no panic");
        weights.get(&coord).copied().unwrap_or(10)
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    fn loaded(&self) -> BTreeSet<ChunkCoord> {
        self.rig.index().iter().map(|(coord, _)| coord).collect()
    }

    fn held_back(&self) -> BTreeSet<ChunkCoord> {
        self.rig.stream().held_back().collect()
    }

    /// Settles, without ever having much more than the limit, and asserts that nothing happens any more.
    fn settle(&mut self) {
        let heaviest = self
            .weights
            .lock()
            .expect("no panic")
            .values()
            .copied()
            .max();
        let heaviest = heaviest.unwrap_or(10).max(10);
        let limit = self.rig.stream().max_loaded_bytes.unwrap_or(usize::MAX);
        let mut before = self.rig.stream().loaded_bytes();
        for frames in 0.. {
            self.rig.frame();
            let stream = self.rig.stream();
            assert_eq!(stream.scheduler().audit(), Ok(()));
            let bytes = stream.loaded_bytes();
            let most = before.max(limit.saturating_add(heaviest));
            assert!(bytes <= most, "{bytes} after {before} of {limit}");
            before = bytes;
            if stream.is_settled() {
                break;
            }
            assert!(frames < 2_000, "never settles: {stream:?}");
        }
        self.expect_rest();
    }

    fn expect_rest(&mut self) {
        let (calls, loaded) = (self.calls(), self.loaded());
        self.rig.loaded();
        self.rig.unloaded();
        for _ in 0..100 {
            self.rig.frame();
            assert!(self.rig.stream().is_settled());
            assert_eq!(self.rig.loaded().len() + self.rig.unloaded().len(), 0);
        }
        assert_eq!((self.calls(), self.loaded()), (calls, loaded));
    }

    /// Compares with the nearest chunks whose sum fits.
    fn check(&self) {
        let limit = self.rig.stream().max_loaded_bytes.unwrap_or(usize::MAX);
        let wanted: BTreeSet<ChunkCoord> = self.rig.stream().wanted().iter().collect();
        let (loaded, held_back) = (self.loaded(), self.held_back());
        assert!(loaded.is_disjoint(&held_back));
        assert_eq!(&loaded | &held_back, wanted);
        let sum: usize = loaded.iter().map(|coord| self.weight(*coord)).sum();
        assert_eq!(self.rig.stream().loaded_bytes(), sum);
        assert!(sum <= limit, "{sum} of {limit}");
        let centre = self.rig.stream().viewers()[0].coord;
        let chunks_away = |coord: &ChunkCoord| coord.distance_sq(centre).isqrt();
        let fits_alone = |coord: &&ChunkCoord| self.weight(**coord) <= limit;
        let first = held_back.iter().filter(fits_alone).map(chunks_away).min();
        let Some(first) = first else { return };
        // Up to two chunks, for those that are loaded already.
        let farthest = loaded.iter().map(chunks_away).max().unwrap_or(0);
        assert!(
            farthest <= first + 2,
            "{farthest} chunks away instead of {first}"
        );
        // Up to one chunk, whose weight is not known before.
        let heaviest = wanted
            .iter()
            .filter(fits_alone)
            .map(|coord| self.weight(*coord))
            .max();
        let heaviest = heaviest.unwrap_or(0);
        assert!(sum + heaviest > limit, "{sum} of {limit} beside {heaviest}");
    }
}

#[test]
fn the_nearest_chunks_that_fit_are_loaded_and_the_others_are_no_work() {
    for budget in [ApplyBudget::unlimited(), crate::rig::two_chunks_a_frame()] {
        let mut weighed = Weighed::new(Some(95), budget);
        weighed.settle();
        weighed.check();
        assert_eq!(weighed.loaded().len(), 9);
        let stream = weighed.rig.stream();
        let snapshot = stream.snapshot(weighed.rig.index());
        assert_eq!((snapshot.held_back_chunks, snapshot.loaded_bytes), (20, 90));
        let far = ChunkCoord::planar(3, 0);
        let status = stream.explain(weighed.rig.index(), far);
        assert!(
            matches!(status, ChunkStatus::HeldBack { limit: 95, .. }),
            "{status}"
        );
        // The world is told the truth.
        fn ready(stream: ChunkStreamNow<Pieces>) -> (bool, bool) {
            let progress = stream.progress_at_chunk(ChunkCoord::ORIGIN, 3);
            assert_eq!((progress.loaded, progress.held_back), (9, 20));
            assert!(progress.is_ready() && !progress.is_loaded());
            (stream.is_ready(3), chunks_are_settled(stream))
        }
        let ready = weighed.rig.app.world_mut().run_system_cached(ready);
        assert_eq!(ready.ok(), Some((true, true)));
    }
}

#[test]
fn what_is_held_back_comes_when_there_is_room() {
    let mut weighed = Weighed::new(Some(95), ApplyBudget::unlimited());
    weighed.settle();
    weighed.rig.stream_mut().max_loaded_bytes = Some(150);
    assert!(!weighed.rig.stream().is_settled());
    weighed.settle();
    weighed.check();
    assert_eq!(weighed.loaded().len(), 15);
    weighed.rig.stream_mut().max_loaded_bytes = None;
    weighed.settle();
    assert_eq!((weighed.loaded().len(), weighed.held_back().len()), (29, 0));
    weighed.rig.stream_mut().max_loaded_bytes = Some(95);
    weighed.settle();
    weighed.check();
    // The viewer goes, and others come.
    weighed.rig.move_to(weighed.viewer, 50, 0);
    weighed.settle();
    weighed.check();
    // A chunk that the game takes away makes room for another.
    let here = ChunkCoord::planar(50, 0);
    let root = weighed.rig.index().root(here).expect("loaded");
    weighed.rig.app.world_mut().despawn(root);
    weighed.settle();
    assert_eq!(weighed.loaded().len(), 9);
    assert!(!weighed.loaded().contains(&here));
    weighed.rig.app.world_mut().despawn(weighed.viewer);
    weighed.settle();
    assert_eq!(weighed.rig.stream().loaded_bytes(), 0);
}

#[test]
fn a_viewer_who_sways_over_a_border_swaps_nothing() {
    let mut weighed = Weighed::new(Some(95), ApplyBudget::unlimited());
    weighed.settle();
    weighed.rig.move_to(weighed.viewer, 1, 0);
    weighed.settle();
    let calls = weighed.calls();
    for x in 0..40 {
        weighed.rig.move_to(weighed.viewer, x % 2, 0);
        weighed.rig.frames(3);
    }
    assert_eq!(weighed.calls(), calls);
}

#[test]
fn a_chunk_heavier_than_the_limit_is_not_shown_nor_tried_again() {
    let mut weighed = Weighed::new(Some(200), ApplyBudget::unlimited());
    let heavy = ChunkCoord::planar(1, 0);
    weighed.weigh(heavy, 201);
    weighed.settle();
    assert_eq!(weighed.loaded().len(), 20);
    assert!(weighed.held_back().contains(&heavy));
    let status = weighed.rig.stream().explain(weighed.rig.index(), heavy);
    assert_eq!(
        status,
        ChunkStatus::HeldBack {
            bytes: Some(201),
            limit: 200
        }
    );
    assert!(weighed.calls() <= 29 + 1, "{}", weighed.calls());
    // An edit makes it lighter, and another one a chunk that is loaded heavier.
    weighed.weigh(heavy, 10);
    assert!(weighed.rig.stream_mut().refresh(heavy));
    weighed.rig.stream_mut().max_loaded_bytes = Some(215);
    weighed.settle();
    assert!(weighed.loaded().contains(&heavy));
    weighed.weigh(ChunkCoord::ORIGIN, 500);
    weighed.rig.stream_mut().refresh(ChunkCoord::ORIGIN);
    weighed.settle();
    let shown = weighed.rig.index().chunk(ChunkCoord::ORIGIN);
    assert_eq!(
        shown.map(|chunk| chunk.bytes),
        Some(10),
        "the version before"
    );
    weighed.rig.stream_mut().max_loaded_bytes = Some(600);
    weighed.rig.stream_mut().refresh(ChunkCoord::ORIGIN);
    weighed.settle();
    weighed.check();
}

#[test]
fn held_back_chunks_that_are_edited_stay_away_and_hold_no_group_up() {
    let mut weighed = Weighed::new(Some(95), ApplyBudget::unlimited());
    weighed.settle();
    let calls = weighed.calls();
    let held_back = *weighed.held_back().first().expect("some are");
    for _ in 0..20 {
        weighed.rig.stream_mut().refresh(held_back);
        weighed
            .rig
            .stream_mut()
            .refresh_together([held_back, ChunkCoord::ORIGIN]);
        weighed.rig.frame();
    }
    weighed.settle();
    weighed.check();
    assert!(weighed.calls() <= calls + 21);
}

#[test]
fn what_is_given_up_for_nearer_chunks_is_saved_first() {
    let saved = Arc::new(Mutex::new(Vec::new()));
    let saving = Arc::clone(&saved);
    let mut weighed = Weighed::with(Some(95), ApplyBudget::unlimited(), |plugin| {
        plugin.with_save_hook(move |_, chunk| {
            saving.lock().expect("no panic").push(chunk.coord);
            Ok(())
        })
    });
    weighed.settle();
    let before = weighed.loaded();
    saved.lock().expect("no panic").clear();
    weighed.rig.move_to(weighed.viewer, 3, 0);
    weighed.settle();
    weighed.check();
    let gone: BTreeSet<_> = &before - &weighed.loaded();
    let saved: BTreeSet<_> = saved.lock().expect("no panic").iter().copied().collect();
    assert!(!gone.is_empty() && gone.is_subset(&saved));
}

#[test]
fn a_group_that_has_no_room_beside_what_it_replaces_is_swapped_in_one_frame() {
    for budget in [ApplyBudget::unlimited(), crate::rig::two_chunks_a_frame()] {
        let mut weighed = Weighed::new(Some(291), budget);
        weighed.settle();
        assert_eq!(weighed.rig.stream().loaded_bytes(), 290);
        let here = ChunkCoord::ORIGIN;
        assert_eq!(weighed.rig.stream_mut().refresh_around(here, 1), 9);
        let mut swapped = Vec::new();
        while !weighed.rig.stream().is_settled() {
            weighed.rig.frame();
            swapped.push(weighed.rig.loaded().len());
        }
        swapped.retain(|chunks| *chunks > 0);
        assert_eq!(swapped, [9]);
    }
}

#[test]
fn a_chunk_that_is_refused_is_held_back_however_light_the_others_are() {
    let mut weighed = Weighed::new(Some(1_000), ApplyBudget::unlimited());
    let heavy = ChunkCoord::planar(1, 0);
    weighed.weigh(heavy, 2_000);
    weighed.settle();
    assert_eq!(weighed.held_back(), BTreeSet::from([heavy]));
    weighed.rig.stream_mut().max_loaded_bytes = Some(3_000);
    weighed.settle();
    assert_eq!((weighed.loaded().len(), weighed.held_back().len()), (29, 0));
}

#[test]
fn with_a_limit_of_zero_only_what_has_no_bytes_is_loaded_until_it_is_raised() {
    let mut weighed = Weighed::new(Some(0), ApplyBudget::unlimited());
    weighed.weigh(ChunkCoord::planar(2, 0), 0);
    weighed.settle();
    weighed.check();
    assert_eq!((weighed.loaded().len(), weighed.held_back().len()), (1, 28));
    weighed.rig.stream_mut().max_loaded_bytes = None;
    weighed.settle();
    assert_eq!(weighed.loaded().len(), 29);
}

#[test]
fn chunks_that_left_and_cannot_be_saved_keep_no_others_away() {
    let is_full = Arc::new(AtomicBool::new(false));
    let disk = Arc::clone(&is_full);
    let mut weighed = Weighed::with(Some(95), ApplyBudget::unlimited(), |plugin| {
        plugin.with_save_hook(move |_, chunk| {
            if chunk.coord.x < 10 && disk.load(Ordering::Relaxed) {
                return Err("the disk is full".into());
            }
            Ok(())
        })
    });
    weighed.settle();
    is_full.store(true, Ordering::Relaxed);
    weighed.rig.move_to(weighed.viewer, 50, 0);
    weighed.rig.frames(100);
    let here = ChunkCoord::planar(50, 0);
    assert_eq!(weighed.loaded().len(), 9);
    assert_eq!(weighed.rig.stream().loaded_bytes(), 180);
    let before = weighed.rig.index().root(here);
    weighed.rig.stream_mut().refresh(here);
    weighed.rig.frames(10);
    assert_ne!(weighed.rig.index().root(here), before);
    is_full.store(false, Ordering::Relaxed);
    weighed.rig.clock.advance(Duration::from_secs(600));
    weighed.settle();
    weighed.check();
    assert_eq!(weighed.loaded().len(), 9);
}

#[test]
fn giving_up_stops_at_the_end_of_the_budget_and_goes_on_in_the_next_frame() {
    let mut weighed = Weighed::new(None, ApplyBudget::unlimited());
    weighed.settle();
    let mut stream = weighed.rig.stream_mut();
    stream.budget = ApplyBudget::time(Duration::ZERO);
    stream.scan_budget = Duration::ZERO;
    stream.max_loaded_bytes = Some(0);
    for held_back in [8, 16, 24, 29] {
        assert!(!weighed.rig.stream().is_settled());
        weighed.rig.frame();
        assert_eq!(weighed.held_back().len(), held_back);
    }
    weighed.settle();
    weighed.check();
    weighed.rig.stream_mut().max_loaded_bytes = Some(1_000);
    weighed.rig.frame();
    assert_eq!(weighed.held_back().len(), 29 - 8);
    weighed.settle();
    assert_eq!(weighed.loaded().len(), 29);
}

#[test]
fn what_lies_ahead_and_is_held_back_is_not_missed_when_it_leaves() {
    let mut weighed = Weighed::with(Some(95), ApplyBudget::unlimited(), |plugin| {
        plugin.with_order(LoadOrder::Motion {
            look_ahead: Duration::from_secs(2),
            prefetch: true,
        })
    });
    weighed.settle();
    let (viewer, mut held_back) = (weighed.viewer, 0);
    for _ in 0..10 {
        crate::prefetching::fly(&mut weighed.rig, viewer, 20, [1.0, 0.0]);
        held_back += weighed.held_back().len();
    }
    assert!(held_back > 100);
    assert_eq!(weighed.rig.stream().totals().missed, 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_chunks_weigh_and_viewers_do_the_nearest_that_fit_are_loaded(
        weights in prop::collection::vec(prop_oneof![4 => 0..60_usize, 1 => Just(0), 1 => 300..400_usize], 36),
        steps in prop::collection::vec((-4..4_i32, -4..4_i32, prop::option::of(prop_oneof![1 => Just(0), 4 => 0..700_usize])), 1..6),
        first in prop_oneof![Just(0), 0..700_usize],
        is_slow in any::<bool>(),
    ) {
        let budget = if is_slow { crate::rig::two_chunks_a_frame() } else { ApplyBudget::unlimited() };
        let mut weighed = Weighed::new(Some(first), budget);
        for x in -9..9 {
            for z in -9..9 {
                let at = (x + 9) * 18 + z + 9;
                weighed.weigh(ChunkCoord::planar(x, z), weights[at as usize % weights.len()]);
            }
        }
        weighed.settle();
        weighed.check();
        for (x, z, limit) in steps {
            let calls = weighed.calls();
            weighed.rig.move_to(weighed.viewer, x, z);
            weighed.rig.stream_mut().max_loaded_bytes = limit;
            weighed.settle();
            weighed.check();
            let wanted = weighed.rig.stream().wanted().len();
            prop_assert!(weighed.calls() - calls <= 3 * wanted);
        }
    }
}
