//! Chunks made from the values of layers: an edit reaches exactly those that were made from it, in the same frame.

use crate::rig::{Piece, Pieces, Rig, config, grid, spawner};
use bevy_ecs::prelude::*;
use chunk_apply::{
    ApplyBudget, ChunkCoord, ChunkStreamingPlugin, GenerateError, Generator, Job, Layer, Layers,
    ManualClock, Simulation,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

const FRAME: Duration = Duration::from_millis(16);

/// A stream whose chunks have as many pieces as the heights of their own place and its four neighbours say together. A
/// height that was not edited is 1.
struct Land {
    rig: Rig,
    viewer: Entity,
    heights: Layer<ChunkCoord, usize>,
    edited: Arc<Mutex<BTreeMap<ChunkCoord, usize>>>,
}

/// The chunks that read a height.
fn cross(at: ChunkCoord) -> BTreeSet<ChunkCoord> {
    let sides = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)];
    sides
        .map(|(x, z)| ChunkCoord::planar(at.x + x, at.z + z))
        .into()
}

impl Land {
    /// Chunks take no time but where the distance from the origin is odd, and there three frames.
    fn new() -> Self {
        let edited = Arc::<Mutex<BTreeMap<ChunkCoord, usize>>>::default();
        let read = Arc::clone(&edited);
        let heights = Layers::new().add("heights", 1 << 10, |_: &usize| 1, {
            move |_, at| {
                Ok(read
                    .lock()
                    .expect("nothing panicked")
                    .get(&at)
                    .copied()
                    .unwrap_or(1))
            }
        });
        let (simulation, clock) = (Simulation::new(3), ManualClock::default());
        let (reader, sleeper) = (heights.clone(), simulation.clone());
        let generator = Generator::from_async(move |job: Job<ChunkCoord>| {
            let is_slow = (job.key().x + job.key().z) % 2 != 0;
            let sleep = sleeper.sleep(if is_slow { FRAME * 3 } else { Duration::ZERO });
            let reader = reader.clone();
            async move {
                let mut pieces = 0;
                for at in cross(job.key()) {
                    pieces += *reader.read(&job, at)?;
                }
                sleep.await;
                Ok::<_, GenerateError>(Pieces(pieces))
            }
        });
        let plugin = ChunkStreamingPlugin::new(grid(), generator, spawner()).with_config(config());
        let mut rig = Rig::simulated(simulation, clock, plugin);
        let viewer = rig.viewer(0, 0);
        Self {
            rig,
            viewer,
            heights,
            edited,
        }
    }

    fn frame(&mut self) {
        self.rig.timed_frame(FRAME);
    }

    fn settle(&mut self) {
        self.rig.settle_timed(FRAME);
    }

    /// Returns how many chunks are made anew.
    fn edit(&mut self, at: ChunkCoord, height: usize) -> usize {
        let mut edited = self.edited.lock().expect("nothing panicked");
        edited.insert(at, height);
        drop(edited);
        let invalidated = self.heights.invalidate(at);
        self.rig.stream_mut().refresh_made_from(&invalidated)
    }

    /// Every chunk that stands is what the heights say now.
    fn check(&mut self) {
        let stands = |index: &chunk_apply::ChunkIndex<Pieces>| -> Vec<ChunkCoord> {
            index.iter().map(|(coord, _)| coord).collect()
        };
        for coord in stands(self.rig.index()) {
            let edited = self.edited.lock().expect("nothing panicked");
            let heights = cross(coord).into_iter();
            let expected: usize = heights
                .map(|at| edited.get(&at).copied().unwrap_or(1))
                .sum();
            drop(edited);
            assert_eq!(self.pieces(coord), expected, "{coord}");
        }
    }

    /// The number of pieces of each chunk that stands.
    fn pieces(&self, coord: ChunkCoord) -> usize {
        let root = self.rig.index().root(coord).expect("a version stands");
        let children = self.rig.app.world().get::<Children>(root);
        let children = children.expect("it has pieces").iter();
        let pieces = children.filter(|child| self.rig.app.world().get::<Piece>(*child).is_some());
        pieces.count()
    }

    fn loaded(&mut self) -> BTreeSet<ChunkCoord> {
        let loaded = self.rig.loaded().into_iter();
        loaded.map(|loaded| loaded.coord).collect()
    }

    fn move_viewer(&mut self, x: i32) {
        self.rig.move_to(self.viewer, x, 0);
    }
}

#[test]
fn exactly_the_chunks_that_were_made_from_an_edited_value_are_swapped_in_one_frame() {
    let mut land = Land::new();
    land.settle();
    assert_eq!(land.rig.index().len(), 29);
    land.loaded();
    land.check();
    let at = ChunkCoord::planar(1, 0);
    let made = land.heights.report().made;
    assert_eq!(land.edit(at, 3), 5);
    let mut loaded = BTreeSet::new();
    while loaded.is_empty() {
        assert!(!land.rig.stream().is_settled());
        land.frame();
        loaded = land.loaded();
    }
    assert_eq!(loaded, cross(at));
    land.check();
    land.settle();
    assert_eq!(land.loaded(), BTreeSet::new());
    assert_eq!(land.heights.report().made, made + 1);
}

#[test]
fn chunks_that_are_under_way_when_a_value_is_edited_are_made_anew_too() {
    let (mut most, mut fewest) = (0, usize::MAX);
    // In each frame of loading.
    for frames in 0..40 {
        let mut land = Land::new();
        for _ in 0..frames {
            land.frame();
        }
        let count = land.edit(ChunkCoord::ORIGIN, 3);
        (most, fewest) = (most.max(count), fewest.min(count));
        land.settle();
        land.check();
    }
    assert_eq!((fewest, most), (0, 5));
}

#[test]
fn a_chunk_that_returned_is_reached_and_one_that_was_despawned_is_not() {
    let mut land = Land::new();
    land.settle();
    let root = land.rig.index().root(ChunkCoord::ORIGIN);
    // Back before anything is despawned.
    land.rig.stream_mut().budget = ApplyBudget::time(Duration::ZERO);
    land.move_viewer(40);
    land.frame();
    land.rig.stream_mut().budget = ApplyBudget::unlimited();
    land.move_viewer(0);
    land.settle();
    assert_eq!(
        land.rig.index().root(ChunkCoord::ORIGIN),
        root,
        "it was taken back"
    );
    assert_eq!(land.edit(ChunkCoord::ORIGIN, 2), 5);
    land.settle();
    land.check();
    land.move_viewer(40);
    land.settle();
    assert_eq!(land.edit(ChunkCoord::ORIGIN, 3), 0);
    assert_eq!(land.edit(ChunkCoord::planar(40, 0), 3), 5);
    land.settle();
    land.check();
}
