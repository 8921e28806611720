//! The same land around a viewer at rest, filled by this workspace and by other crates, in turns and each in a process of
//! its own.

use std::env;
use std::path::Path;

use chunk_coord::ChunkCoord;
use chunk_demo::voxels::{SIZE, VoxelWorld};

use crate::driver::{Measured, start};
use crate::ours::OURS;
use crate::print::{Figure, Figures};
use crate::terrain::{EYE, RADIUS, SEED, TERRAIN};

/// What the other crates' program calls its contestant.
const PEER: &str = "bevy_voxel_world";

const TIME: &str = "chunks/voxel terrain with meshes, time to fill, against bevy_voxel_world";
const P99: &str = "chunks/voxel terrain with meshes, p99 of whole frames, against bevy_voxel_world";
const MEMORY: &str = "chunks/voxel terrain with meshes, memory, against bevy_voxel_world";

const TURNS: usize = 9;

/// Adds the figures: medians of all turns, and of the longest frames the shortest. A fill has some forty frames, so that one
/// in which another program had the core is its p99 already; the turn that was disturbed least says what a frame takes.
pub(crate) fn add(figures: &mut Figures, peers: &Path) {
    let own = env::current_exe().expect("this program is somewhere");
    figures.add(1, &[TIME, P99, MEMORY], || {
        let meshes = visible();
        let play = |program: &Path, name: &str| {
            let played = start(program, name, TERRAIN, &[&meshes.to_string()]);
            let it = played.unwrap_or_else(|error| panic!("{error}"));
            eprintln!(
                "{meshes} meshes of {} faces after {:.0} ms and {} frames, {} of them interrupted, p99 {:.2} ms; {:.1} MB",
                it.faces, it.fill_ms, it.frames, it.interrupted, it.frame_ms_p99, it.memory_mb,
            );
            it
        };
        let turns = (0..TURNS).map(|_| (play(&own, OURS), play(peers, PEER)));
        let (ours, theirs): (Vec<_>, Vec<_>) = turns.unzip();
        let faces = |turns: &[Measured]| turns.iter().map(|it| it.faces).collect::<Vec<_>>();
        assert_eq!(faces(&ours), faces(&theirs), "both show the same land");
        let figure = |name, unit, value: fn(&[Measured]) -> f64| {
            let figure = Figure::new(name, unit, value(&ours));
            figure.against(value(&theirs)).at_least(1.0)
        };
        let shortest = |turns: &[Measured]| {
            let frames = turns.iter().map(|it| it.frame_ms_p99);
            frames.fold(f64::INFINITY, f64::min)
        };
        vec![
            figure(TIME, "ms", |turns| Measured::median(turns).fill_ms),
            figure(P99, "ms", shortest),
            figure(MEMORY, "MB", |turns| Measured::median(turns).memory_mb),
        ]
    });
}

/// How many chunks around the viewer can be seen, worked out without either mesher.
fn visible() -> usize {
    let world = VoxelWorld::new(SEED);
    let [x, y, z] = EYE.map(|it| it as i32 / SIZE);
    let reach = RADIUS as i32;
    let along = || -reach..=reach;
    let cube = along().flat_map(|x| along().flat_map(move |y| along().map(move |z| [x, y, z])));
    let ball = cube.filter(|it| it.map(|it| it * it).iter().sum::<i32>() <= reach * reach);
    ball.filter(|[dx, dy, dz]| world.is_visible(ChunkCoord::new(x + dx, y + dy, z + dz)))
        .count()
}
