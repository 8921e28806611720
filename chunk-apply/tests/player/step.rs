//! What a player can do.

use chunk_apply::DespawnedRoots;
use proptest::{option, prelude::*};

/// One thing that happens, in one of the two streams where that matters.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// The game runs for so many frames, between which each worker is polled so often at most.
    Frames {
        frames: u8,
        polls: u16,
    },
    /// Everything that fails is mended, and the game runs until all is done; then all is compared.
    Settle,
    /// The player walks.
    Walk {
        x: i8,
        z: i8,
    },
    Teleport {
        x: i8,
        z: i8,
    },
    /// The player dies, or comes back to life.
    Respawn,
    /// Something that a chunk is made from changes.
    Edit {
        stream: usize,
        chunk: usize,
    },
    /// The same for a chunk and those around it, whose new versions are to be seen together.
    EditAround {
        stream: usize,
        chunk: usize,
    },
    /// The same as the first in each of so many frames.
    KeepEditing {
        stream: usize,
        chunk: usize,
        frames: u8,
    },
    /// A thing is put into a loaded chunk, which the hook saves.
    Build {
        stream: usize,
        chunk: usize,
    },
    Demolish {
        stream: usize,
        thing: usize,
    },
    /// A thing is put into a chunk that is hidden and would be taken back.
    BuildInHidden {
        stream: usize,
        chunk: usize,
    },
    /// The game despawns a root that is not its own.
    DespawnRoot {
        stream: usize,
        chunk: usize,
    },
    /// From now on every third save fails, or none.
    FailSaves(bool),
    /// From now on there is no room for what is saved, or there is.
    FillDisk(bool),
    /// From now on three of four attempts make nothing, for one reason or another, or none.
    FailGenerators(bool),
    /// How many chunks a frame may spawn or despawn, and how long that may take.
    Budget {
        chunks: Option<u32>,
        millis: Option<u64>,
        bytes: Option<usize>,
        whole_chunks: bool,
    },
    /// Of every third chunk the gate is closed from now on, or of none.
    CloseGates(bool),
    /// How many bytes all chunks may have, of which each has 100.
    Ceiling(Option<usize>),
    /// How long a viewer that is gone keeps its chunks.
    Linger {
        millis: u64,
    },
    /// What becomes of a chunk whose root the game despawns.
    DespawnedRoots(DespawnedRoots),
    /// All that stands is to be saved within the coming frames.
    SaveAll,
    Pause(bool),
    Origin {
        x: i8,
        z: i8,
    },
    /// Another size of chunks.
    Grid,
    /// The world is given up and made again, after what stands was saved or without that.
    Reset {
        is_saved: bool,
    },
    /// The second stream ends, in the same two ways, and another one starts.
    Restart {
        is_saved: bool,
    },
}

pub(crate) fn any() -> impl Strategy<Value = Step> {
    let stream = 0..2_usize;
    let chunk = 0..1_000_usize;
    let frames = (1..6_u8, prop_oneof![Just(0_u16), 1..20_u16, Just(u16::MAX)]);
    prop_oneof![
        8 => frames.prop_map(|(frames, polls)| Step::Frames { frames, polls }),
        1 => Just(Step::Settle),
        8 => (-2..=2_i8, -2..=2_i8).prop_map(|(x, z)| Step::Walk { x, z }),
        1 => (-40..40_i8, -40..40_i8).prop_map(|(x, z)| Step::Teleport { x, z }),
        1 => Just(Step::Respawn),
        4 => (stream.clone(), chunk.clone()).prop_map(|(stream, chunk)| Step::Edit { stream, chunk }),
        2 => (stream.clone(), chunk.clone())
            .prop_map(|(stream, chunk)| Step::EditAround { stream, chunk }),
        1 => (stream.clone(), chunk.clone(), 2..20_u8)
            .prop_map(|(stream, chunk, frames)| Step::KeepEditing { stream, chunk, frames }),
        6 => (stream.clone(), chunk.clone()).prop_map(|(stream, chunk)| Step::Build { stream, chunk }),
        2 => (stream.clone(), chunk.clone()).prop_map(|(stream, thing)| Step::Demolish { stream, thing }),
        2 => (stream.clone(), chunk.clone())
            .prop_map(|(stream, chunk)| Step::BuildInHidden { stream, chunk }),
        1 => (stream, chunk).prop_map(|(stream, chunk)| Step::DespawnRoot { stream, chunk }),
        1 => any_bool().prop_map(Step::FailSaves),
        1 => any_bool().prop_map(Step::FillDisk),
        1 => any_bool().prop_map(Step::FailGenerators),
        2 => (option::of(0..4_u32), option::of(0..4_u64), option::of(0..500_usize), any_bool()).prop_map(
            |(chunks, millis, bytes, whole_chunks)| Step::Budget { chunks, millis, bytes, whole_chunks }
        ),
        1 => any_bool().prop_map(Step::CloseGates),
        1 => option::of(0..3_500_usize).prop_map(Step::Ceiling),
        1 => prop_oneof![Just(0_u64), 1..200_u64].prop_map(|millis| Step::Linger { millis }),
        1 => prop_oneof![Just(DespawnedRoots::StayGone), Just(DespawnedRoots::MakeAgain)]
            .prop_map(Step::DespawnedRoots),
        1 => Just(Step::SaveAll),
        1 => any_bool().prop_map(Step::Pause),
        1 => (-9..9_i8, -9..9_i8).prop_map(|(x, z)| Step::Origin { x, z }),
        1 => Just(Step::Grid),
        1 => any_bool().prop_map(|is_saved| Step::Reset { is_saved }),
        1 => any_bool().prop_map(|is_saved| Step::Restart { is_saved }),
    ]
}

fn any_bool() -> impl Strategy<Value = bool> {
    prop::bool::ANY
}
