//! Who is compared in this process's Bevy, and what all of them spawn.

mod bare;
mod original;
mod ours;

use bevy_ecs::component::Component;
use bevy_tasks::{AsyncComputeTaskPool, TaskPool, TaskPoolBuilder};
use bevy_transform::components::Transform;
use chunk_scheduler::{available_cores, recommended_pool_threads};

use crate::driver::{Chunk, Contestant, ENTITIES, GENERATING, Maker, Workload};

pub(crate) const OURS: &str = "ours";
pub(crate) const ORIGINAL: &str = "original";
pub(crate) const BARE: &str = "bare";

/// The contestant of that name.
pub(crate) fn make(name: &str, workload: &Workload, maker: &Maker) -> Option<Box<dyn Contestant>> {
    match name {
        OURS => Some(Box::new(ours::Ours::new(workload, maker))),
        ORIGINAL => Some(Box::new(original::Original::new(workload, maker))),
        BARE => Some(Box::new(bare::Bare::new(workload, maker))),
        _ => None,
    }
}

/// The side of a chunk in world units.
const SIZE: f32 = 32.0;

/// How much farther than the load radius a chunk may be before it is unloaded, in chunks.
const HYSTERESIS: i32 = 2;

/// Two small components beside the transform.
#[derive(Component, Clone, Copy)]
struct Tint(#[expect(dead_code, reason = "stands for what a renderer reads")] u32);
#[derive(Component, Clone, Copy)]
struct Shape(#[expect(dead_code, reason = "stands for what a renderer reads")] u64);

type Item = (Transform, Tint, Shape);

/// Makes the content of one chunk, as every contestant does on its workers.
fn generate(maker: &Maker, chunk: Chunk) -> Vec<Item> {
    let shape = maker.make(chunk);
    let item = |n| {
        (
            Transform::from_xyz(n as f32, 0.0, 0.0),
            Tint(7),
            Shape(shape),
        )
    };
    (0..ENTITIES).map(item).collect()
}

/// Where a chunk's root stands.
fn root([x, z]: Chunk) -> Transform {
    Transform::from_xyz(x as f32 * SIZE, 0.0, z as f32 * SIZE)
}

/// As many threads as the workspace recommends, for whoever generates.
fn threads() -> usize {
    recommended_pool_threads(available_cores())
}

/// Bevy's pool with the recommended threads.
fn pool() -> &'static TaskPool {
    let builder = || TaskPoolBuilder::new().num_threads(threads());
    AsyncComputeTaskPool::get_or_init(|| builder().thread_name(GENERATING.to_owned()).build())
}

/// The squared distance of two chunks.
fn distance_sq(a: Chunk, b: Chunk) -> i32 {
    (a[0] - b[0]).pow(2) + (a[1] - b[1]).pow(2)
}

/// The chunk of a place.
fn chunk_at([x, z]: [f32; 2]) -> Chunk {
    [x.floor() as i32, z.floor() as i32]
}
