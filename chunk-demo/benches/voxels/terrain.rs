//! A world of voxels with a mesh for each chunk, filled around a viewer at rest. Whoever plays makes the same voxels, by
//! the files of chunk-demo's own world, and spawns and meshes them in its own way.

use std::time::{Duration, Instant};

use crate::driver::child::{MEASURED, PLAY};
use crate::driver::play::{Frame, FrameLimiter};
use crate::driver::{Measured, process};

/// What the workload is called.
pub(crate) const TERRAIN: &str = "voxel terrain";

/// The seed of the land.
pub(crate) const SEED: u64 = 1;

/// Chunks no farther than this from the viewer's are wanted, up and down as well: 925 of 32³ voxels.
pub(crate) const RADIUS: u32 = 6;

/// Where the viewer is, in voxels: a little above the ground, in the chunk 0, 1, 0.
pub(crate) const EYE: [f32; 3] = [16.0, 48.0, 16.0];

/// A terrain that is not there after two minutes never will be.
const MOST_FRAMES: usize = 7_200;

/// A world of voxels that can be filled.
pub(crate) trait Terrain {
    /// The viewer appears at [`EYE`] before the next frame.
    fn appear(&mut self);

    /// One `App::update`.
    fn frame(&mut self);

    /// Entities with a mesh that is among the app's assets.
    fn meshes(&mut self) -> usize;

    /// How many faces of voxels these meshes show, by [`faces`].
    fn faces(&mut self) -> f64;
}

/// How many faces of voxels make up the triangles of one mesh: their area.
pub(crate) fn faces(positions: &[[f32; 3]], indices: impl IntoIterator<Item = usize>) -> f64 {
    let corners: Vec<[f64; 3]> = indices
        .into_iter()
        .map(|index| positions[index].map(f64::from))
        .collect();
    let doubled = corners.chunks_exact(3).map(|corners| {
        let edge = |to: usize| [0, 1, 2].map(|axis| corners[to][axis] - corners[0][axis]);
        let ([ax, ay, az], [bx, by, bz]) = (edge(1), edge(2));
        let normal = [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx];
        normal.map(|it| it * it).iter().sum::<f64>().sqrt()
    });
    doubled.sum::<f64>() / 2.0
}

/// Fills a terrain, if that is what this process was started for: its arguments begin as those of the other workloads,
/// and the last is how many meshes there will be. Returns whether it did.
///
/// # Errors
///
/// If there is no such contestant, or not all meshes appear.
pub(crate) fn fill_if_asked(
    make: impl FnOnce(&str) -> Option<Box<dyn Terrain>>,
) -> Result<bool, String> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [first, contestant, workload, meshes] = args.as_slice() else {
        return Ok(false);
    };
    if first != PLAY || workload != TERRAIN {
        return Ok(false);
    }
    let expected = meshes.parse();
    let expected = expected.map_err(|_| format!("{meshes} is no number"))?;
    let terrain = make(contestant);
    let mut terrain = terrain.ok_or_else(|| format!("there is no contestant {contestant}"))?;
    let measured = fill(terrain.as_mut(), expected)?;
    println!("{MEASURED}{}", measured.line());
    Ok(true)
}

fn fill(terrain: &mut dyn Terrain, expected: usize) -> Result<Measured, String> {
    // The engine builds its schedules in the first frames.
    terrain.frame();
    terrain.frame();
    let memory = process::memory();
    let mut limiter = FrameLimiter::new();
    let (mut frames, mut measured) = (Vec::new(), Measured::default());
    let began = Instant::now();
    terrain.appear();
    while terrain.meshes() < expected {
        if frames.len() == MOST_FRAMES {
            return Err(format!(
                "{} of {expected} meshes appeared",
                terrain.meshes()
            ));
        }
        if !frames.is_empty() {
            limiter.wait();
        }
        let interruptions = process::interruptions();
        let start = Instant::now();
        terrain.frame();
        let whole = start.elapsed();
        frames.push(Frame {
            whole,
            streaming: Duration::ZERO,
            was_interrupted: process::interruptions() != interruptions,
        });
        measured.fill_ms = began.elapsed().as_secs_f64() * 1e3;
    }
    measured.fill_frames = frames.len() as f64;
    measured.memory_mb = process::peak_memory().saturating_sub(memory) as f64 / 1024.0;
    measured.times(&frames);
    // What nobody asked for would show by now.
    terrain.frame();
    if terrain.meshes() != expected {
        return Err(format!(
            "{} meshes appeared instead of {expected}",
            terrain.meshes()
        ));
    }
    measured.faces = terrain.faces();
    Ok(measured)
}
