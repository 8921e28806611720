//! Puts a stream into a Bevy app.

use std::sync::Arc;

use bevy_app::{App, TaskPoolPlugin};
use bevy_asset::AssetPlugin;
use bevy_transform::TransformPlugin;
use chunk_apply::{
    ChunkStreamingPlugin, Clock, MonotonicClock, reserve_entities, streaming_pool_options,
};
use chunk_coord::ChunkCoord;
use chunk_scheduler::Runtime;

use super::faults::Faults;
use super::settings::{Settings, SettingsError};
use super::workload::Workload;
use crate::city::spawn::WholeWithin;

/// The most entities that the list of all of them is given room for in advance, whatever the settings: 80 MB.
const MOST_RESERVED: u64 = 2_000_000;

/// A headless app with the city and no viewer: spawn a [`ChunkViewer`](chunk_apply::ChunkViewer), and it is streamed.
///
/// ```
/// use bevy_transform::components::Transform;
/// use chunk_apply::{ChunkIndex, ChunkViewer};
/// use chunk_demo::{Settings, city::CityChunk, city_app};
///
/// let mut app = city_app(&Settings { radius: 2, ..Settings::default() })?;
/// app.world_mut().spawn((ChunkViewer::default(), Transform::from_xyz(0.0, 100.0, 0.0)));
/// while app.world().resource::<ChunkIndex<CityChunk>>().len() < 13 {
///     app.update();
/// }
/// # Ok::<(), chunk_demo::SettingsError>(())
/// ```
///
/// # Errors
///
/// If a setting makes no sense.
pub fn city_app(settings: &Settings) -> Result<App, SettingsError> {
    let mut app = headless();
    add_city(&mut app, settings)?;
    ready(&mut app);
    Ok(app)
}

/// Adds the city, which is the shared assets and the stream, to an app that has its own plugins already.
///
/// # Errors
///
/// If a setting makes no sense.
pub fn add_city(app: &mut App, settings: &Settings) -> Result<(), SettingsError> {
    settings.validate()?;
    add_world(app, settings, &Workload::city_of(settings)?)
}

/// Adds a workload's plugins and stream, on Bevy's pool and the machine's clock.
pub(crate) fn add_world<T: Send + Sync + 'static>(
    app: &mut App,
    settings: &Settings,
    workload: &Workload<T>,
) -> Result<(), SettingsError> {
    let clock = Arc::new(MonotonicClock::default());
    let (faults, runtime) = (Faults::NONE, Runtime::default());
    add_stream(app, settings, workload, faults, runtime, clock)
}

/// Task pools that give generating all the threads it can use; Bevy's own defaults give it one on any machine of up to
/// five cores. The pools are global: the first plugin of a process decides.
#[must_use]
pub fn task_pools() -> TaskPoolPlugin {
    TaskPoolPlugin {
        task_pool_options: streaming_pool_options(),
    }
}

/// An app with the plugins that a stream needs where nothing is drawn.
pub(crate) fn headless() -> App {
    let mut app = App::new();
    let assets = AssetPlugin {
        watch_for_changes_override: Some(false),
        ..AssetPlugin::default()
    };
    app.add_plugins((task_pools(), assets, TransformPlugin));
    app
}

/// Finishes the plugins, which the runner of an app does otherwise; here the caller calls `update`.
pub(crate) fn ready(app: &mut App) {
    app.finish();
    app.cleanup();
}

pub(crate) fn add_stream<T: Send + Sync + 'static>(
    app: &mut App,
    settings: &Settings,
    workload: &Workload<T>,
    faults: Faults,
    runtime: Runtime,
    clock: Arc<dyn Clock>,
) -> Result<(), SettingsError> {
    let config = settings.streaming()?;
    let grid = settings.grid()?;
    (workload.prepare)(app);
    if let Some(whole) = app.world().get_resource::<WholeWithin>() {
        whole.set(settings.chunk_size, settings.radius);
    }
    let generator = faults.generator(settings.seed, workload);
    let plugin = ChunkStreamingPlugin::new(grid, generator, workload.spawner.clone());
    let mut plugin = plugin.with_config(config);
    if let Some(levels) = &workload.levels {
        plugin = plugin.with_levels(levels.clone());
    }
    (plugin.runtime, plugin.clock) = (runtime, clock);
    app.add_plugins(plugin);
    // Every entity that the first view has, roots included, before the first frame. The middle is as dense as anything.
    let [across, high] =
        [settings.radius, settings.half_height].map(|half| 2 * u64::from(half) + 1);
    let each = (workload.entities_of)(ChunkCoord::ORIGIN, 0) as u64 + 1;
    let entities = [across, high, each, u64::from(settings.viewers)]
        .into_iter()
        .fold(across, u64::saturating_mul);
    reserve_entities(app.world_mut(), entities.min(MOST_RESERVED) as u32);
    Ok(())
}
