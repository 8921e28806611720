//! The plugin that composes a stream.

use super::{
    apply::apply,
    config::{StreamingConfig, StreamingConfigError},
    frame::begin_frame,
    generate::generate,
    index::ChunkIndex,
    levels::ChunkLevels,
    messages::{ChunkFailed, ChunkLoaded, ChunkUnloaded},
    scan::scan,
    stream::ChunkStream,
};
use crate::{
    clock::{Clock, MonotonicClock},
    spawner::Spawner,
    sync::Arc,
};
use bevy_app::{App, First, Plugin, Update};
#[cfg(feature = "visibility")]
use bevy_camera::visibility::VisibilitySystems;
use bevy_ecs::{
    entity::Entity,
    intern::Interned,
    message::MessageUpdateSystems,
    resource::Resource,
    schedule::{IntoScheduleConfigs, ScheduleLabel, SystemSet, common_conditions::resource_exists},
    world::World,
};
use bevy_transform::TransformSystems;
use chunk_coord::{ChunkCoord, ChunkGrid};
use chunk_scheduler::{Generator, Runtime};
use core::{fmt, marker::PhantomData};
use tracing::error;

/// The steps of a stream, in the order in which they run. All streams of an app share them.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StreamingSystems {
    /// Viewers are read and chunks are asked for or given up. Move viewers before this.
    Scan,
    /// Requests go to the workers.
    Generate,
    /// Entities are spawned and despawned within the budget. Exclusive. In `PostUpdate` it runs before
    /// transforms and visibility are propagated, so that what it spawns is drawn in the same frame.
    Apply,
}

/// Streams chunks of the content `T` around every [`ChunkViewer`](crate::ChunkViewer).
///
/// ```
/// use bevy_app::{App, TaskPoolPlugin};
/// use bevy_transform::components::Transform;
/// use chunk_apply::prelude::*;
///
/// struct Rocks(Vec<Transform>);
///
/// let grid = ChunkGrid::planar(16.0)?;
/// let generator = Generator::new(|job: &Job<ChunkCoord>| {
///     Rocks(vec![Transform::from_xyz(8.0, job.key().x as f32, 8.0)])
/// });
/// let spawner = Spawner::new(|_coord, rocks: Rocks, writer| writer.spawn_batch(rocks.0));
///
/// let mut app = App::new();
/// app.add_plugins((
///     TaskPoolPlugin::default(),
///     ChunkStreamingPlugin::new(grid, generator, spawner),
/// ));
/// app.world_mut().spawn(ChunkViewer::default());
/// while app.world().resource::<ChunkIndex<Rocks>>().len() < 100 {
///     app.update();
/// }
/// # Ok::<(), chunk_coord::GridError>(())
/// ```
///
/// Several streams live in one app side by side when their content types differ; wrap yours in a
/// type of your own, as above.
pub struct ChunkStreamingPlugin<T> {
    /// From positions to chunks.
    pub grid: ChunkGrid,
    /// Makes a chunk's content, on workers.
    pub generator: Generator<ChunkCoord, T>,
    /// Turns content into entities, on the main thread.
    pub spawner: Spawner<ChunkCoord, T>,
    /// Called with each chunk that goes: the place to save what was changed. By default none. See
    /// [`BeforeUnload`].
    pub before_unload: Option<BeforeUnload>,
    /// Levels of detail, shared with the generator. By default none.
    pub levels: Option<ChunkLevels>,
    /// Limits and ranges. If they make no sense the stream is not started: an error is logged,
    /// [`StreamingRefused`] says why, and the app goes on without it.
    pub config: StreamingConfig,
    /// Where generators run; by default Bevy's `AsyncComputeTaskPool`.
    pub runtime: Runtime,
    /// What time is measured with.
    pub clock: Arc<dyn Clock>,
    /// Where [`StreamingSystems::Scan`] and [`StreamingSystems::Generate`] run; by default `Update`.
    pub scan_schedule: Interned<dyn ScheduleLabel>,
    /// Where [`StreamingSystems::Apply`] runs; by default `Update`. In a later schedule of the
    /// frame, chunks that are quick to make appear in the frame in which they became wanted. A schedule
    /// that runs several times in a frame shares the frame's budget among its runs.
    pub apply_schedule: Interned<dyn ScheduleLabel>,
}

impl<T: Send + Sync + 'static> ChunkStreamingPlugin<T> {
    /// A stream with the default limits, in `Update`.
    #[must_use]
    pub fn new(
        grid: ChunkGrid,
        generator: Generator<ChunkCoord, T>,
        spawner: Spawner<ChunkCoord, T>,
    ) -> Self {
        Self {
            grid,
            generator,
            spawner,
            before_unload: None,
            levels: None,
            config: StreamingConfig::default(),
            runtime: Runtime::default(),
            clock: Arc::new(MonotonicClock::default()),
            scan_schedule: Update.intern(),
            apply_schedule: Update.intern(),
        }
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_config(self, config: StreamingConfig) -> Self {
        Self { config, ..self }
    }

    /// The same with levels of detail. Give the generator a clone of them.
    #[must_use]
    pub fn with_levels(self, levels: ChunkLevels) -> Self {
        Self {
            levels: Some(levels),
            ..self
        }
    }

    /// The same with a hook that sees each chunk's entities before they go, to save them.
    #[must_use]
    pub fn before_unload(
        self,
        hook: impl Fn(&mut World, ChunkCoord, Entity) + Send + Sync + 'static,
    ) -> Self {
        Self {
            before_unload: Some(Arc::new(hook)),
            ..self
        }
    }

    /// The same with all of its systems in another schedule, such as `FixedUpdate`.
    #[must_use]
    pub fn in_schedule(self, schedule: impl ScheduleLabel + Clone) -> Self {
        self.scan_in(schedule.clone()).apply_in(schedule)
    }

    /// The same with scanning and generating in another schedule.
    #[must_use]
    pub fn scan_in(self, schedule: impl ScheduleLabel) -> Self {
        let scan_schedule = schedule.intern();
        Self {
            scan_schedule,
            ..self
        }
    }

    /// The same with applying in another schedule.
    #[must_use]
    pub fn apply_in(self, schedule: impl ScheduleLabel) -> Self {
        let apply_schedule = schedule.intern();
        Self {
            apply_schedule,
            ..self
        }
    }
}

/// Called with a chunk's coordinate and its root, once for each chunk that goes, while its entities
/// are still there.
///
/// - A chunk that is no longer wanted is hidden at once and saved when its turn to go comes, within
///   the frame's budget. If it is wanted again before, it is saved first and asked for then, so that
///   its generator can rely on what was saved.
/// - A chunk that is replaced is saved in the frame in which the new one takes its place, before
///   anybody is told of that.
/// - A chunk whose root somebody despawned is not saved: it is gone already.
/// - An app that exits unloads nothing; see [`ChunkStream::save_all`].
///
/// A panic in it is caught and logged.
pub type BeforeUnload = Arc<dyn Fn(&mut World, ChunkCoord, Entity) + Send + Sync>;

/// Why a stream was not started.
#[derive(Resource)]
pub struct StreamingRefused<T: Send + Sync + 'static> {
    /// The setting that makes no sense.
    pub error: StreamingConfigError,
    stream: PhantomData<fn() -> T>,
}

impl<T: Send + Sync + 'static> fmt::Debug for StreamingRefused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StreamingRefused")
            .field(&self.error)
            .finish()
    }
}

impl<T: Send + Sync + 'static> Plugin for ChunkStreamingPlugin<T> {
    fn build(&self, app: &mut App) {
        app.init_resource::<ChunkIndex<T>>()
            .add_message::<ChunkLoaded<T>>()
            .add_message::<ChunkUnloaded<T>>()
            .add_message::<ChunkFailed<T>>();
        match ChunkStream::new(self) {
            Ok(stream) => app.insert_resource(stream),
            Err(error) => {
                error!("chunks are not streamed: {error}");
                app.insert_resource(StreamingRefused::<T> {
                    error,
                    stream: PhantomData,
                })
            }
        };
        #[cfg(feature = "bevy_reflect")]
        super::reflect::register(app);
        for schedule in [self.scan_schedule, self.apply_schedule] {
            app.configure_sets(
                schedule,
                (
                    StreamingSystems::Scan,
                    StreamingSystems::Generate,
                    StreamingSystems::Apply,
                )
                    .chain()
                    // Only in `First` is there such a thing.
                    .after(MessageUpdateSystems),
            );
        }
        draw_in_the_same_frame(app, self.apply_schedule);
        // Streams of different content share the steps and touch nothing of each other's.
        app.add_systems(
            First,
            begin_frame::<T>
                .after(MessageUpdateSystems)
                .before(StreamingSystems::Scan),
        )
        .add_systems(
            self.scan_schedule,
            (
                scan::<T>.in_set(StreamingSystems::Scan),
                generate::<T>.in_set(StreamingSystems::Generate),
            )
                .run_if(resource_exists::<ChunkStream<T>>),
        )
        .add_systems(
            self.apply_schedule,
            apply::<T>
                .in_set(StreamingSystems::Apply)
                .ambiguous_with(StreamingSystems::Apply),
        );
    }
}

/// What is applied must be there when the renderer's inputs are worked out, or a chunk that takes
/// another's place would be missing for a frame. In other schedules there are no such systems.
fn draw_in_the_same_frame(app: &mut App, schedule: Interned<dyn ScheduleLabel>) {
    app.configure_sets(
        schedule,
        StreamingSystems::Apply.before(TransformSystems::Propagate),
    );
    #[cfg(feature = "visibility")]
    app.configure_sets(
        schedule,
        StreamingSystems::Apply
            .before(VisibilitySystems::CalculateBounds)
            .before(VisibilitySystems::VisibilityPropagate),
    );
}

impl<T> fmt::Debug for ChunkStreamingPlugin<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkStreamingPlugin")
            .field("grid", &self.grid)
            .field("config", &self.config)
            .field("runtime", &self.runtime)
            .finish_non_exhaustive()
    }
}
