//! How much is missing ahead of a viewer in flight. A simulation, so that the share does not depend on the machine. The
//! bench shares this file.

use bevy_app::App;
use bevy_transform::components::Transform;
use chunk_apply::{
    ApplyBudget, ChunkIndex, ChunkStream, ChunkStreamingPlugin, ChunkViewer, LoadOrder,
    ManualClock, Spawner, StreamingConfig,
};
use chunk_coord::{ChunkCoord, ChunkGrid, ViewRange};
use chunk_scheduler::{Generator, Job, Simulation};
use std::{sync::Arc, time::Duration};

struct Content;

const FRAME: Duration = Duration::from_millis(16);
/// With three at a time, 117 chunks a second.
const GENERATING: Duration = Duration::from_millis(25);
const RADIUS: u32 = 12;
/// In chunks a second. A viewer comes to want 25 chunks for each that it advances: at this speed 250 a second, which is too
/// fast for all that it wants to be made.
pub(crate) const TOO_FAST: f64 = 10.0;
const SECONDS: f64 = 8.0;
/// Until then, what was loaded before the flight is still around.
const FROM: f64 = 3.0;

/// Which part of the chunks within the load radius, and within 45 degrees of the direction of travel, is missing; averaged
/// over a flight at this speed.
pub(crate) fn missing_ahead(order: LoadOrder, speed: f64) -> f64 {
    let simulation = Simulation::new(1);
    let clock = ManualClock::default();
    let mut app = app(&simulation, &clock, order);
    let frame = |app: &mut App| {
        app.update();
        simulation.advance(FRAME);
        clock.advance(FRAME);
    };
    let viewer = (ChunkViewer::default(), Transform::from_xyz(0.5, 0.0, 0.5));
    let viewer = app.world_mut().spawn(viewer).id();
    frame(&mut app);
    while !stream(&app).is_settled() {
        frame(&mut app);
    }
    let (mut missing, mut all) = (0, 0);
    for nth in 0.. {
        let seconds = f64::from(nth) * FRAME.as_secs_f64();
        if seconds >= SECONDS {
            break;
        }
        let place = Transform::from_xyz((0.5 + speed * seconds) as f32, 0.0, 0.5);
        app.world_mut().entity_mut(viewer).insert(place);
        frame(&mut app);
        if seconds >= FROM {
            let ahead = ahead_of(stream(&app).viewers()[0].coord);
            let index = app.world().resource::<ChunkIndex<Content>>();
            missing += ahead
                .iter()
                .filter(|coord| !index.contains(**coord))
                .count();
            all += ahead.len();
        }
    }
    missing as f64 / all as f64
}

fn stream(app: &App) -> &ChunkStream<Content> {
    app.world().resource()
}

fn ahead_of(viewer: ChunkCoord) -> Vec<ChunkCoord> {
    let radius = RADIUS as i32;
    let quarter = (0..=radius).flat_map(|x| (-x..=x).map(move |z| (x, z)));
    (quarter.filter(|(x, z)| x * x + z * z <= radius * radius))
        .map(|(x, z)| viewer.saturating_offset(x, 0, z))
        .collect()
}

fn app(simulation: &Simulation, clock: &ManualClock, order: LoadOrder) -> App {
    let sleeper = simulation.clone();
    let generator = Generator::from_async(move |_: Job<ChunkCoord>| {
        let sleep = sleeper.sleep(GENERATING);
        async move {
            sleep.await;
            Ok::<_, String>(Content)
        }
    });
    let grid = ChunkGrid::planar(1.0).expect("1 is a size");
    let spawner = Spawner::new(|_coord, _content, _writer| {});
    let mut plugin = ChunkStreamingPlugin::new(grid, generator, spawner)
        .with_order(order)
        .with_config(StreamingConfig {
            range: Some(ViewRange::disc(RADIUS, RADIUS + 2).expect("2 more")),
            budget: ApplyBudget::unlimited(),
            scan_budget: Duration::from_secs(60),
            ..StreamingConfig::default()
        });
    plugin.runtime = simulation.runtime();
    plugin.clock = Arc::new(clock.clone());
    let mut app = App::new();
    app.add_plugins(plugin);
    app
}
