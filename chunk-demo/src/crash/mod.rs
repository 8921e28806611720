//! Programs that are killed while they save, and what must still be there afterwards.
//!
//! | part | what it is |
//! |---|---|
//! | [`Ledger`] | the content of a chunk, which shows whether it is one state or a mixture of two |
//! | [`Event`] | what a program tells before it is killed |
//! | [`play`] | the program: it edits chunks, leaves, comes back and saves, until it is killed |
//! | [`kill_one`] | starts and kills it |
//! | [`Witness`] | compares what was told with what is in the file |

mod event;
mod kill;
mod ledger;
mod play;
mod witness;

pub use event::Event;
pub use kill::kill_one;
pub use ledger::Ledger;
pub use play::{open, play};
pub use witness::{CrashReport, Witness};
