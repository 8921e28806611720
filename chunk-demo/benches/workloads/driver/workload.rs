//! The three workloads: where the viewer is, frame by frame.

use std::time::Duration;

use super::contestant::Chunk;

/// How the viewer moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Movement {
    /// It stands in an empty world until everything around it is there.
    Fill,
    /// It crosses into another chunk every 0.1 s, in a world that was full when it took off.
    Flight,
    /// It jumps every 0.5 s to where nothing is, the first time into an empty world.
    Teleport,
}

/// One of the workloads that all contestants are given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) movement: Movement,
    /// Chunks as far as this from the viewer's are wanted.
    pub(crate) radius: i32,
    /// What one chunk costs to make.
    pub(crate) cost: Duration,
    /// How many frames it lasts, or may last.
    pub(crate) frames: u32,
    /// Of how many runs the median is taken: more of short ones.
    pub(crate) runs: usize,
}

/// Frames from one jump to the next: half a second.
const JUMP: u32 = 30;

impl Workload {
    /// All of them, as they are reported.
    pub(crate) const ALL: [Self; 4] = [
        Self::new("fill free", Movement::Fill, 25, 0, 7_200, 9),
        Self::new("fill 200 us", Movement::Fill, 25, 200, 7_200, 9),
        Self::new("flight", Movement::Flight, 25, 200, 1_200, 3),
        Self::new("teleport", Movement::Teleport, 18, 200, 600, 3),
    ];

    const fn new(
        name: &'static str,
        movement: Movement,
        radius: i32,
        micros: u64,
        frames: u32,
        runs: usize,
    ) -> Self {
        let cost = Duration::from_micros(micros);
        Self {
            name,
            movement,
            radius,
            cost,
            frames,
            runs,
        }
    }

    /// The same in a few seconds, to check that everything runs.
    pub(crate) fn quick(self) -> Self {
        Self {
            radius: self.radius / 3,
            frames: match self.movement {
                Movement::Fill => self.frames,
                Movement::Flight => self.frames / 10,
                Movement::Teleport => self.frames / 5,
            },
            runs: 1,
            ..self
        }
    }

    /// The position of the viewer in a frame, in units of a chunk.
    pub(crate) fn position(&self, frame: u32) -> [f32; 2] {
        let x = match self.movement {
            Movement::Fill => 0.0,
            Movement::Flight => frame as f32 / 6.0,
            Movement::Teleport => (frame / JUMP) as f32 * 1_000.0,
        };
        // In the middle of a chunk, so that no rounding moves it into the next.
        [x + 0.5, 0.5]
    }

    /// Whether the viewer is gone from here in the next frame.
    pub(crate) fn jumps_after(&self, frame: u32) -> bool {
        self.movement == Movement::Teleport && (frame + 1).is_multiple_of(JUMP)
    }

    /// The chunks that are wanted around a position: the disc that every contestant is configured to load.
    pub(crate) fn disc(&self) -> Vec<Chunk> {
        let reach = self.radius;
        let square = (-reach..=reach).flat_map(move |x| (-reach..=reach).map(move |z| [x, z]));
        square
            .filter(|[x, z]| x * x + z * z <= reach * reach)
            .collect()
    }
}
