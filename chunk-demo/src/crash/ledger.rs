//! The content of a chunk in the crash test.

use bevy_ecs::component::Component;
use chunk_coord::ChunkCoord;
use serde::{Deserialize, Serialize};

/// How often a chunk was edited, and pages that all depend on that, so that no part of one state fits to another.
#[derive(Component, Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    edits: u64,
    pages: Vec<u64>,
}

impl Ledger {
    /// The state of a chunk after so many edits.
    #[must_use]
    pub fn after(edits: u64, coord: ChunkCoord) -> Self {
        let start = mix(edits ^ mix(coord.x as u64) ^ mix(!(coord.z as u64)));
        // States differ in length, so that values in the file move.
        let len = 8 + start % 512;
        Self {
            edits,
            pages: (0..len).map(|page| mix(start ^ page)).collect(),
        }
    }

    /// How often the chunk was edited.
    #[must_use]
    pub fn edits(&self) -> u64 {
        self.edits
    }

    /// Whether this is a state of the chunk at a coordinate, and nothing of another one.
    #[must_use]
    pub fn is_whole(&self, coord: ChunkCoord) -> bool {
        *self == Self::after(self.edits, coord)
    }
}

/// Spreads each bit over all others, as SplitMix64 does.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mixture_of_two_states_is_found() {
        let here = ChunkCoord::planar(3, -4);
        let (old, new) = (Ledger::after(7, here), Ledger::after(8, here));
        assert!(old.is_whole(here) && new.is_whole(here));
        assert!(!old.is_whole(ChunkCoord::planar(3, -5)), "it is elsewhere");
        let mut mixed = new.clone();
        mixed.pages[5] = old.pages[5];
        assert!(!mixed.is_whole(here), "one page is old");
        let short = Ledger {
            pages: new.pages[..4].to_vec(),
            ..new
        };
        assert!(!short.is_whole(here), "pages are missing");
    }
}
