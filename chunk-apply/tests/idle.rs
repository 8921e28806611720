//! A stream at rest costs no allocation.
#![cfg(feature = "streaming")]

use bevy_app::App;
use chunk_apply::{
    ApplyBudget, ChunkIndex, ChunkStream, ChunkStreamingPlugin, ChunkViewer, ChunkWriter,
    LoadOrder, Spawner, StreamingConfig,
};
use chunk_coord::{ChunkCoord, ChunkGrid, ViewRange};
use chunk_scheduler::{Generator, Job, Simulation};
use std::time::Duration;

struct Nothing;

/// Allocations of one frame, once the memory that frames use again is there.
fn allocations(app: &mut App) -> u64 {
    for _ in 0..10 {
        app.update();
    }
    allocation_counter::measure(|| app.update()).count_total
}

#[test]
fn a_frame_at_rest_with_ten_thousand_chunks_allocates_no_more_than_an_app_without_a_stream() {
    let mut bare = App::new();
    let expected = allocations(&mut bare);
    for order in [
        LoadOrder::Distance,
        LoadOrder::Motion {
            look_ahead: Duration::from_secs(2),
            prefetch: true,
        },
        LoadOrder::View { weight: 3.0 },
    ] {
        assert_eq!(allocations(&mut at_rest(order)), expected);
    }
}

/// An app with ten thousand chunks around viewers at rest.
fn at_rest(order: LoadOrder) -> App {
    let simulation = Simulation::new(1);
    let mut plugin = ChunkStreamingPlugin::new(
        ChunkGrid::planar(1.0).expect("1 is a size"),
        Generator::new(|_: &Job<ChunkCoord>| Nothing),
        Spawner::new(|_, _nothing, _writer: &mut ChunkWriter<'_, '_>| {}),
    )
    .with_order(order)
    .with_config(StreamingConfig {
        budget: ApplyBudget::unlimited(),
        range: Some(ViewRange::disc(57, 57).expect("equal radii")),
        ..StreamingConfig::default()
    });
    plugin.runtime = simulation.runtime();
    let mut app = App::new();
    app.add_plugins(plugin);
    for _ in 0..8 {
        app.world_mut().spawn(ChunkViewer::default());
    }
    while !app.world().resource::<ChunkStream<Nothing>>().is_settled()
        || app.world().resource::<ChunkIndex<Nothing>>().is_empty()
    {
        app.update();
        simulation.run();
    }
    assert_eq!(app.world().resource::<ChunkIndex<Nothing>>().len(), 10_189);
    app
}
