//! What a run tells its watcher while it lasts.

use core::ops::ControlFlow;

use super::frame_cost::FrameCost;

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It plays the scenario's frames.
    Running,
    /// The viewers stand still until everything wanted is loaded.
    Settling,
    /// The viewers are removed, and everything is unloaded.
    Unloading,
}

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// What the run is doing.
    pub phase: Phase,
    /// Frames of the scenario that have been played.
    pub frame: u64,
    /// Frames of the scenario in all.
    pub frames: u64,
    /// Loaded chunks.
    pub loaded: usize,
    /// Wanted chunks.
    pub wanted: usize,
    /// What the last of the scenario's frames cost.
    pub cost: FrameCost,
}

/// Is called after each frame of a run.
pub trait Watcher {
    /// A frame was played. [`ControlFlow::Break`] ends the run after it: the loaded chunks are audited, and nothing else
    /// is waited for.
    fn frame(&mut self, progress: &Progress) -> ControlFlow<()>;
}

/// Never ends a run.
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
