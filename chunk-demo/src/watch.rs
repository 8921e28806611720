//! Who looks on while a scenario runs.

use core::ops::ControlFlow;

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The scenario's frames.
    Running,
    /// The viewers stand still until everything wanted is there.
    Settling,
    /// The viewers are gone, and everything goes.
    Unloading,
}

/// Where a run is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// What it is doing.
    pub phase: Phase,
    /// Frames of the scenario that were run.
    pub frame: u64,
    /// Frames that it lasts.
    pub frames: u64,
    /// Chunks that are there.
    pub loaded: usize,
    /// Chunks that are wanted.
    pub wanted: usize,
}

/// Is told about each frame, after it was run.
pub trait Watcher {
    /// A frame was run. With [`ControlFlow::Break`] it was the last: what is there is audited, and the run ends.
    fn frame(&mut self, progress: &Progress) -> ControlFlow<()>;
}

/// Nobody looks on.
impl Watcher for () {
    fn frame(&mut self, _progress: &Progress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

impl<F: FnMut(&Progress) -> ControlFlow<()>> Watcher for F {
    fn frame(&mut self, progress: &Progress) -> ControlFlow<()> {
        self(progress)
    }
}
