//! The voxel world: its land, its meshes against brute force, edits, and runs of scenarios on it.
#![cfg(feature = "voxels")]

mod digging;
mod faces;
mod land;
mod runs;
