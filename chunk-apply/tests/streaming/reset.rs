//! Another world in the same app: nothing of the old one is saved into the new one, or made from it.

use crate::rig::{PIECES, Pieces, Rig, config, grid, spawner};
use bevy_ecs::prelude::*;
use chunk_apply::{
    ApplyBudget, ChunkLoaded, ChunkRoot, ChunkStream, ChunkStreamingPlugin, ChunkUnloading,
    ManualClock, Reset,
};
use chunk_coord::ChunkCoord;
use chunk_scheduler::{Generator, Job};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

/// Saved games by seed: so many pieces by chunk.
type Games = Arc<Mutex<BTreeMap<(usize, ChunkCoord), usize>>>;

/// A game whose chunks have a hundred pieces more for each seed, and what was built.
struct Game {
    rig: Rig,
    seed: Arc<AtomicUsize>,
    games: Games,
    is_full: Arc<AtomicBool>,
}

impl Game {
    fn new() -> Self {
        let (seed, games) = (Arc::new(AtomicUsize::new(0)), Games::default());
        let is_full = Arc::new(AtomicBool::new(false));
        let (of, from) = (Arc::clone(&seed), Arc::clone(&games));
        let generator = Generator::new(move |job: &Job<ChunkCoord>| {
            let seed = of.load(Ordering::Relaxed);
            let games = from.lock().expect("no panic");
            let saved = games.get(&(seed, job.key())).copied();
            Pieces(saved.unwrap_or(PIECES + 100 * seed))
        });
        let (of, to, broken) = (Arc::clone(&seed), Arc::clone(&games), Arc::clone(&is_full));
        let plugin = ChunkStreamingPlugin::new(grid(), generator, spawner())
            .with_config(config())
            .with_save_hook(move |world, chunk| {
                if broken.load(Ordering::Relaxed) {
                    return Err("the disk is full".into());
                }
                let pieces = world.get::<Children>(chunk.root);
                let pieces = pieces.map_or(0, |pieces| pieces.len());
                let place = (of.load(Ordering::Relaxed), chunk.coord);
                to.lock().expect("no panic").insert(place, pieces);
                Ok(())
            });
        Self {
            rig: Rig::build(ManualClock::default(), plugin),
            seed,
            games,
            is_full,
        }
    }

    /// A player puts one more piece into each chunk.
    fn build(&mut self) {
        let roots: Vec<Entity> = (self.rig.index().iter())
            .map(|(_, chunk)| chunk.root)
            .collect();
        for root in roots {
            self.rig.app.world_mut().spawn(ChildOf(root));
        }
    }

    fn reset(&mut self, how: Reset) -> usize {
        let report = ChunkStream::<Pieces>::reset(self.rig.app.world_mut(), how);
        self.seed.fetch_add(1, Ordering::Relaxed);
        report.expect("nothing fails").saved
    }

    /// The pieces of each saved chunk of a seed.
    fn saved(&self, seed: usize) -> Vec<usize> {
        let games = self.games.lock().expect("no panic");
        let of_seed = games.iter().filter(|((of, _), _)| *of == seed);
        of_seed.map(|(_, pieces)| *pieces).collect()
    }

    /// The children of each loaded chunk.
    fn pieces(&self) -> Vec<usize> {
        let world = self.rig.app.world();
        let chunks = self.rig.index().iter();
        chunks
            .map(|(_, chunk)| {
                world
                    .get::<Children>(chunk.root)
                    .map_or(0, |list| list.len())
            })
            .collect()
    }

    fn roots(&mut self) -> usize {
        let world = self.rig.app.world_mut();
        world.query::<&ChunkRoot>().iter(world).count()
    }
}

#[test]
fn a_reset_that_saves_leaves_the_old_world_saved_and_the_new_one_untouched() {
    let mut game = Game::new();
    game.rig.viewer(0, 0);
    game.rig.settle();
    game.build();
    assert_eq!(game.reset(Reset::Save), 29);
    assert!(game.rig.index().is_empty());
    game.rig.settle();
    assert_eq!(game.saved(0), [PIECES + 1; 29]);
    assert!(game.saved(1).is_empty());
    assert_eq!(game.pieces(), [PIECES + 100; 29]);
    assert_eq!(game.roots(), 29);
    // And back to the first.
    game.build();
    assert_eq!(game.reset(Reset::Save), 29);
    game.seed.store(0, Ordering::Relaxed);
    game.rig.settle();
    assert_eq!(game.saved(1), [PIECES + 101; 29]);
    assert_eq!(game.pieces(), [PIECES + 1; 29]);
}

#[test]
fn a_reset_that_discards_saves_nothing_more() {
    let mut game = Game::new();
    let viewer = game.rig.viewer(0, 0);
    game.rig.settle();
    game.build();
    // Some have left and wait for their save, some stand and are to be made anew, some are on their way.
    game.rig.stream_mut().budget.chunks = Some(0);
    game.rig.move_to(viewer, 4, 0);
    game.rig.frame();
    game.rig.stream_mut().refresh(ChunkCoord::planar(3, 0));
    assert!(game.rig.stream().unloading() > 0);
    assert_eq!(game.reset(Reset::Discard), 0);
    game.rig.stream_mut().budget = ApplyBudget::unlimited();
    let report = ChunkStream::<Pieces>::save_all(game.rig.app.world_mut());
    assert_eq!(report.saved, 0, "nothing is left of the old world");
    game.rig.settle();
    assert_eq!((game.saved(0), game.saved(1)), (vec![], vec![]));
    assert_eq!(game.pieces(), [PIECES + 100; 29]);
    assert_eq!(game.roots(), 29);
    assert_eq!(game.rig.stream().totals().saved, 0);
}

#[test]
fn results_that_are_under_way_are_not_of_the_new_world() {
    for frames in 0..4 {
        let mut game = Game::new();
        game.rig.stream_mut().budget.chunks = Some(3);
        game.rig.viewer(0, 0);
        for _ in 0..frames {
            game.rig.app.update();
        }
        game.rig.simulation.run();
        game.reset(Reset::Discard);
        game.rig.settle();
        assert_eq!(game.pieces(), [PIECES + 100; 29], "{frames}");
        assert_eq!(game.roots(), 29);
    }
}

#[test]
fn a_world_that_cannot_be_saved_is_not_given_up() {
    let mut game = Game::new();
    game.rig.viewer(0, 0);
    game.rig.settle();
    game.build();
    game.is_full.store(true, Ordering::Relaxed);
    let world = game.rig.app.world_mut();
    let report = ChunkStream::<Pieces>::reset(world, Reset::Save).expect_err("the disk is full");
    assert_eq!((report.saved, report.failed.len()), (0, 29));
    assert_eq!(game.rig.index().len(), 29);
    game.rig.settle();
    assert_eq!(game.pieces(), [PIECES + 1; 29]);
    game.is_full.store(false, Ordering::Relaxed);
    assert_eq!(game.reset(Reset::Save), 29);
    game.rig.settle();
    assert_eq!(game.saved(0), [PIECES + 1; 29]);
}

#[test]
fn chunks_whose_save_fails_go_with_their_world() {
    let mut game = Game::new();
    let viewer = game.rig.viewer(0, 0);
    game.rig.settle();
    game.is_full.store(true, Ordering::Relaxed);
    game.rig.move_to(viewer, 100, 0);
    game.rig.frames(10);
    assert_eq!(game.rig.stream().unloading(), 29);
    game.reset(Reset::Discard);
    game.is_full.store(false, Ordering::Relaxed);
    game.rig.move_to(viewer, 0, 0);
    game.rig.settle();
    assert_eq!((game.saved(0), game.saved(1)), (vec![], vec![]));
    assert_eq!(game.pieces(), [PIECES + 100; 29]);
    assert_eq!(game.roots(), 29);
}

#[test]
fn a_reset_is_told_like_any_other_leaving() {
    #[derive(Resource, Default)]
    struct Seen(Vec<&'static str>);
    let mut game = Game::new();
    game.rig.viewer(0, 0);
    game.rig.settle();
    let app = &mut game.rig.app;
    app.init_resource::<Seen>();
    app.add_observer(|_: On<ChunkUnloading<Pieces>>, mut seen: ResMut<Seen>| {
        seen.0.push("unloading");
    });
    app.add_observer(|_: On<ChunkLoaded<Pieces>>, mut seen: ResMut<Seen>| {
        seen.0.push("loaded");
    });
    game.reset(Reset::Save);
    let mut unloaded = 0;
    while !game.rig.stream().is_settled() {
        game.rig.frame();
        unloaded += game.rig.unloaded().len();
    }
    assert_eq!(unloaded, 29);
    let seen = &game.rig.app.world().resource::<Seen>().0;
    assert_eq!(seen[..29], ["unloading"; 29]);
    assert_eq!(seen[29..], ["loaded"; 29]);
    assert_eq!(game.rig.stream().latencies().shown.count, 2 * 29);
    assert_eq!(game.rig.stream().totals().missed, 0);
}
