//! What is left of a chunk that will not be shown.

use super::{batch::Batch, error::SpawnError, writer::Gate};
use core::fmt;
use std::collections::VecDeque;

/// What was not spawned of a chunk, and the gates that it had. Its drop runs user code, and catches a panic in it.
pub struct Leftovers {
    batches: VecDeque<Box<dyn Batch>>,
    gates: Vec<Box<Gate>>,
}

impl Leftovers {
    /// These, unless there are none.
    pub(super) fn new(batches: VecDeque<Box<dyn Batch>>, gates: Vec<Box<Gate>>) -> Option<Self> {
        (!(batches.is_empty() && gates.is_empty())).then_some(Self { batches, gates })
    }
}

impl Drop for Leftovers {
    fn drop(&mut self) {
        // One by one, because a second panic while the first one unwinds would abort the process.
        for batch in self.batches.drain(..) {
            // The content is gone either way, so the error changes nothing.
            let _ = SpawnError::catch(move || drop(batch));
        }
        for gate in self.gates.drain(..) {
            let _ = SpawnError::catch(move || drop(gate));
        }
    }
}

impl fmt::Debug for Leftovers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leftovers")
            .field("batches", &self.batches.len())
            .field("gates", &self.gates.len())
            .finish()
    }
}
