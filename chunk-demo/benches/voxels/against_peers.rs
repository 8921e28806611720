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

/// Adds the figures, each the median of nine turns.
pub(crate) fn add(figures: &mut Figures, peers: &Path) {
    let own = env::current_exe().expect("this program is somewhere");
    let mut meshes = None;
    figures.add(9, &[TIME, P99, MEMORY], || {
        let meshes = *meshes.get_or_insert_with(visible);
        let play = |program: &Path, name: &str| {
            start(program, name, TERRAIN, &[&meshes.to_string()]).unwrap_or_else(|error| panic!("{error}"))
        };
        let (ours, theirs) = (play(&own, OURS), play(peers, PEER));
        for (name, it) in [(OURS, &ours), (PEER, &theirs)] {
            eprintln!(
                "{name}: {meshes} meshes of {} faces after {:.0} ms and {} frames, {} of them interrupted; p99 {:.2} ms, \
                 longest {:.2} ms; {:.1} MB",
                it.faces, it.fill_ms, it.frames, it.interrupted, it.frame_ms_p99, it.frame_ms_max, it.memory_mb,
            );
        }
        assert_eq!(ours.faces, theirs.faces, "both show the same land");
        let figure = |name, unit, value: fn(&Measured) -> f64| {
            Figure::new(name, unit, value(&ours)).against(value(&theirs))
        };
        vec![
            figure(TIME, "ms", |it| it.fill_ms).at_least(1.0),
            figure(P99, "ms", |it| it.frame_ms_p99).at_least(1.0),
            figure(MEMORY, "MB", |it| it.memory_mb).at_least(1.0),
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
