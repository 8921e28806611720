//! A server without an engine: two players walk, and it says which chunks to send and to forget.
//!
//! `cargo run -p chunk-coord --example server`

use bevy_math::DVec3;
use chunk_coord::{Changes, ChunkCoord, ChunkGrid, ScanBudget, ViewRange, Viewer, WantedSet};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let grid = ChunkGrid::planar(16.0)?;
    let range = ViewRange::disc(4, 5)?;
    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    for tick in 0..5 {
        // Double precision: ten million metres out a step of a centimetre still counts.
        let players = [
            DVec3::new(10_000_000.0 + 8.0 * f64::from(tick), 64.0, 0.0),
            DVec3::new(0.0, 64.0, -16.0 * f64::from(tick)),
        ];
        let mut viewers = Vec::new();
        for (id, position) in (0..).zip(players) {
            let coord: ChunkCoord = grid.coord_at_precise(position)?;
            viewers.push(Viewer { id, coord, range });
        }
        changes.clear();
        wanted.update(&viewers, &mut ScanBudget::unlimited(), &mut changes);
        println!(
            "tick {tick}: send {} chunks, forget {}, {} are held",
            changes.entered.len(),
            changes.left.len(),
            wanted.len()
        );
    }
    Ok(())
}
