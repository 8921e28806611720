//! Random numbers that depend on a seed, a coordinate and a purpose, and on nothing else.

use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// What random numbers are for. Each purpose has numbers of its own, so that one more tree moves no building.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// Where the main street of a column of chunks runs (it is at the same x in every row).
    MainColumn = 1,
    /// Where the main street of a row of chunks runs.
    MainRow,
    /// Whether and where a side street along x crosses a border.
    SideAlongX,
    /// Whether and where a side street along z crosses a border.
    SideAlongZ,
    /// What stands on the lots.
    Buildings,
    /// What grows in the parks.
    Trees,
    /// What drives.
    Vehicles,
    /// Who walks.
    Npcs,
    /// The noise that decides where the parks are.
    Parks,
}

/// The random numbers of one coordinate for one purpose. Each part is mixed in by seeding a generator with it, so that
/// neighbouring coordinates have nothing in common.
pub(super) fn rng(seed: u64, purpose: Purpose, x: i64, z: i64) -> Pcg64Mcg {
    let mixed = [purpose as u64, x as u64, z as u64]
        .into_iter()
        .fold(seed, |mixed, part| {
            Pcg64Mcg::seed_from_u64(mixed ^ part).next_u64()
        });
    Pcg64Mcg::seed_from_u64(mixed)
}

/// A number from `low` to `high`, or `low` itself if they are equal.
pub(super) fn between(rng: &mut Pcg64Mcg, low: f32, high: f32) -> f32 {
    low + (high - low) * rng.random::<f32>()
}

/// One of several colours, given as 0xRRGGBB. There must be at least one.
pub(super) fn colour(rng: &mut Pcg64Mcg, choices: &[u32]) -> [u8; 3] {
    let [_, red, green, blue] = choices[rng.random_range(0..choices.len())].to_be_bytes();
    [red, green, blue]
}
