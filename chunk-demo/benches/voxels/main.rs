//! What the voxel world costs the main thread, how soon an edit is shown, and whether anything is made twice; and with
//! `--peers`, how it does beside another crate that makes the same voxels.
//!
//! Each figure is the median of several samples, on the threads that a game has.

mod against_peers;
// Another bench plays its workloads with the rest of it.
#[expect(
    dead_code,
    unused_imports,
    reason = "the bench of workloads uses all of it"
)]
#[path = "../workloads/driver/mod.rs"]
mod driver;
mod ours;
#[path = "../../../xtask/shared/figures.rs"]
mod print;
mod terrain;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bevy_app::App;
use bevy_math::IVec3;
use bevy_transform::components::Transform;
use chunk_apply::{ChunkIndex, ChunkStream, ChunkViewer};
use chunk_coord::{ChunkCoord, Footprint, ViewRange};
use chunk_demo::voxels::{Block, SIZE, VoxelChunk, VoxelWorld};
use chunk_scheduler::{Generator, Job};
use print::{Figure, Figures};

const COLD: &str = "chunks/voxels, 745 chunks cold at 2 ms, p99 frame of our systems";
const TIME: &str = "chunks/voxels, 745 chunks cold at 2 ms, time to fill";
const REPEATS: &str = "chunks/voxels, values of a layer made more than once";
const EDIT: &str =
    "chunks/voxels, edit at a corner of 8 chunks, frames to all of them beyond the slowest mesher";

const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 60);

fn main() -> ExitCode {
    match terrain::fill_if_asked(ours::make) {
        Ok(true) => return ExitCode::SUCCESS,
        Ok(false) => {}
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    }
    let mut figures = Figures::from_args();
    figures.add(5, &[COLD, TIME, REPEATS, EDIT], || {
        let mut game = Game::new();
        let (mut ours, start) = (Vec::new(), Instant::now());
        while !game.stream().is_settled() || game.loaded() == 0 {
            game.frame();
            ours.push(game.stream().last_frame().main_thread().as_secs_f64() * 1e3);
        }
        let time = start.elapsed().as_secs_f64() * 1e3;
        assert_eq!(game.loaded(), 745);
        let repeats: u64 = game.world.layers().iter().map(|layer| layer.repeats).sum();
        let late = (0..20).map(|n| game.edit(n)).max().unwrap_or_default();
        vec![
            Figure::new(COLD, "ms", percentile(&mut ours, 99)).at_most(2.1),
            Figure::new(TIME, "ms", time),
            Figure::new(REPEATS, "values", repeats as f64).at_most(0.0),
            Figure::new(EDIT, "frames", late as f64).at_most(2.0),
        ]
    });
    if let Some(peers) = driver::peers() {
        against_peers::add(&mut figures, &peers);
    }
    figures.print();
    ExitCode::SUCCESS
}

struct Game {
    app: App,
    world: VoxelWorld,
    /// The longest that a generator took since this was set to 0, in nanoseconds.
    slowest: Arc<AtomicU64>,
}

impl Game {
    fn new() -> Self {
        let (world, slowest) = (VoxelWorld::new(1), Arc::<AtomicU64>::default());
        let (made, empty, took) = (world.clone(), world.clone(), slowest.clone());
        let generator = Generator::fallible(move |job: &Job<ChunkCoord>| {
            let start = Instant::now();
            let chunk = made.make(job);
            took.fetch_max(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
            chunk
        });
        let generator = generator.with_known_empty(move |coord| empty.known_empty(*coord));
        let around = Footprint::Cylinder {
            radius: 7,
            half_height: 2,
        };
        let mut app = ours::app(generator, ViewRange::with_band(around, 1));
        // In the chunk 0, 1, 0.
        let eye = Transform::from_xyz(16.0, 48.0, 16.0);
        app.world_mut().spawn((ChunkViewer::default(), eye));
        Self {
            app,
            world,
            slowest,
        }
    }

    fn frame(&mut self) {
        let start = Instant::now();
        self.app.update();
        std::thread::sleep(FRAME.saturating_sub(start.elapsed()));
    }

    /// Edits where eight chunks meet. Returns how many frames later than the slowest of their meshes all are shown.
    fn edit(&mut self, number: i32) -> u64 {
        let place = IVec3::new(number % 5 - 2, number % 2, number % 3 - 1) * SIZE;
        let block = match self.world.block_at(place) {
            Block::Air => Block::Brick,
            _ => Block::Air,
        };
        self.slowest.store(0, Ordering::Relaxed);
        let stream = self
            .app
            .world_mut()
            .resource_mut::<ChunkStream<VoxelChunk>>();
        assert_eq!(self.world.set(place, block, stream.into_inner()), 8);
        let applied = |game: &Self| game.stream().scheduler().counters().applied;
        let (before, mut frames) = (applied(self), 0);
        while applied(self) < before + 8 {
            self.frame();
            frames += 1;
        }
        let slowest = Duration::from_nanos(self.slowest.load(Ordering::Relaxed));
        let of_mesher = slowest.as_nanos().div_ceil(FRAME.as_nanos()) as u64;
        frames - of_mesher.min(frames)
    }

    fn stream(&self) -> &ChunkStream<VoxelChunk> {
        self.app.world().resource::<ChunkStream<VoxelChunk>>()
    }

    fn loaded(&self) -> usize {
        self.app.world().resource::<ChunkIndex<VoxelChunk>>().len()
    }
}

/// The smallest value that `percent` of all do not exceed.
fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() * percent).div_ceil(100).saturating_sub(1)]
}
