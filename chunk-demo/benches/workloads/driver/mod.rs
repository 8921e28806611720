//! Plays a workload on anything that streams chunks and measures what it sees from outside.
//!
//! It knows neither Bevy nor any contestant, so that the program in `chunk-demo/peers`, which is built against another
//! Bevy, is measured by this same code.

pub(crate) mod child;
mod contestant;
mod coverage;
mod measured;
pub(crate) mod play;
pub(crate) mod process;
mod program;
#[path = "../../../../chunk-scheduler/benches/scheduler/yardsticks/work.rs"]
mod work;
mod workload;

pub(crate) use child::play_if_asked;
pub(crate) use contestant::{Chunk, Contestant, ENTITIES, FRAME, Maker};
pub(crate) use measured::Measured;
pub(crate) use process::GENERATING;
pub(crate) use program::{peers, start};
pub(crate) use work::Work;
pub(crate) use workload::{Movement, Workload};
