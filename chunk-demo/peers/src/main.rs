//! The workloads of chunk-demo's benches on other crates that stream chunks, each at its best settings.
//!
//! The benches start this program as they start themselves, once for each contestant, workload and run; alone it does
//! nothing. The driver, the workloads, the work of the generator and the land of voxels are the benches' and chunk-demo's
//! own files.

// Counting the work and the tables are the bench's part.
#[expect(dead_code, unused_imports, reason = "the bench uses the rest of it")]
#[path = "../../benches/workloads/driver/mod.rs"]
mod driver;
mod land;
mod task_pools;
#[path = "../../benches/voxels/terrain.rs"]
mod terrain;
mod voxel_terrain;
mod voxel_world;

use std::process::ExitCode;

use driver::{Contestant, Maker, Workload};
use voxel_world::VoxelWorldContestant;

fn main() -> ExitCode {
    let filled = terrain::fill_if_asked(voxel_terrain::make);
    let done = filled.and_then(|was_asked| Ok(was_asked || driver::play_if_asked(make)?));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("error: `cargo xtask bench --peers` starts this program.");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn make(name: &str, workload: &Workload, maker: &Maker) -> Option<Box<dyn Contestant>> {
    match name {
        "bevy_voxel_world" => Some(Box::new(VoxelWorldContestant::new(workload, maker))),
        _ => None,
    }
}
