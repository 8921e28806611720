//! The land of chunk-demo's voxel world, from its own files.

#[expect(dead_code, reason = "chunk-demo uses the rest of it")]
#[path = "../../src/voxels/block.rs"]
mod block;
#[expect(dead_code, reason = "chunk-demo uses the rest of it")]
#[path = "../../src/voxels/land.rs"]
mod generator;
#[expect(dead_code, reason = "chunk-demo uses the rest of it")]
#[path = "../../src/voxels/volume.rs"]
mod volume;

pub(crate) use block::Block;
pub(crate) use generator::{Column, Land};
