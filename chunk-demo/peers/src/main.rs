//! The three workloads of chunk-demo's bench on other crates that stream chunks, each at its best settings.
//!
//! The bench starts this program as it starts itself, once for each contestant, workload and run; alone it does
//! nothing. The driver, the workloads and the work of the generator are the bench's own files.

// Counting the work and the tables are the bench's part.
#[expect(dead_code, unused_imports, reason = "the bench uses the rest of it")]
#[path = "../../benches/workloads/driver/mod.rs"]
mod driver;
mod voxel_world;

use std::process::ExitCode;

use driver::{Contestant, Maker, Workload};
use voxel_world::VoxelWorldContestant;

fn main() -> ExitCode {
    match driver::play_if_asked(make) {
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
