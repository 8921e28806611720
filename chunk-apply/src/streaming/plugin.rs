//! The plugin that composes a stream.

#[cfg(feature = "bevy_reflect")]
use super::reflect;
use super::{
    config::{StreamingConfig, StreamingConfigError},
    index::ChunkIndex,
    lod::{ChunkLevels, LodTracker},
    messages::{ChunkFailed, ChunkLoaded, ChunkSaveFailed, ChunkUnloaded},
    order::{LoadOrder, ViewerRank},
    saving::{ChunkToSave, SaveError, SaveHook},
    stream::{ChunkStream, ParkedApplier, StreamState},
    systems::{apply, begin_frame, frame_begins, frame_ends, generate, scan},
};
use crate::{
    applier::Applier,
    budget::{Clock, MonotonicClock},
    spawn::Spawner,
    sync::Arc,
};
use bevy_app::{App, First, Last, Plugin, Update};
#[cfg(feature = "visibility")]
use bevy_camera::{CameraUpdateSystems, visibility::VisibilitySystems};
use bevy_ecs::{
    intern::Interned,
    message::MessageUpdateSystems,
    query::QueryFilter,
    schedule::{IntoScheduleConfigs, ScheduleLabel, SystemSet, common_conditions::resource_exists},
    world::World,
};
use bevy_transform::TransformSystems;
use chunk_coord::{ChunkCoord, ChunkGrid};
use chunk_scheduler::{Concurrency, Generator, Runtime, Scheduler};
use core::{fmt, marker::PhantomData};

/// The steps of a stream, in the order in which they run. All streams of an app share them.
#[derive(SystemSet, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StreamingSystems {
    /// Reads the viewers, and requests or gives up chunks. Move viewers before this.
    Scan,
    /// Hands requests to the workers.
    Generate,
    /// Spawns and despawns entities within the budget. Exclusive. In `PostUpdate` it runs before transforms and
    /// visibility are propagated, so that what it spawns is drawn in the same frame.
    ///
    /// Assets that a spawner adds are drawn in the same frame as well: in `PostUpdate` it runs before Bevy's renderer
    /// updates cameras, and that runs before Bevy's asset events. An app without the renderer that reads asset events in the
    /// frame in which a spawner adds the asset orders them itself, because this crate does not know assets:
    /// `app.configure_sets(PostUpdate, StreamingSystems::Apply.before(AssetEventSystems))`. In `Update`, where it runs by
    /// default, it always is before.
    Apply,
}

/// Streams chunks of the content `T` around every [`ChunkViewer`](crate::ChunkViewer) and
/// [`ChunkViewerAt`](crate::ChunkViewerAt) that the query filter `F` accepts; by default, around all of them.
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
/// An app can have several streams if their content types differ; wrap yours in a type of your own, as above. To give each
/// its own viewers, see [`for_viewers`](Self::for_viewers).
///
/// # Panics
///
/// `Plugin::build` panics with the sentence of the [`StreamingConfigError`] when [`config`](Self::config) is invalid.
/// [`validate`](Self::validate) checks it without a panic.
pub struct ChunkStreamingPlugin<T, F = ()> {
    /// Divides the world into chunks.
    pub grid: ChunkGrid,
    /// Makes a chunk's content, on workers.
    pub generator: Generator<ChunkCoord, T>,
    /// Turns content into entities, on the main thread.
    pub spawner: Spawner<ChunkCoord, T>,
    /// Called with each chunk before it is unloaded or made anew: the place to save what was changed. By default none.
    pub save_hook: Option<SaveHook>,
    /// Levels of detail, shared with the generator, and with no other stream. By default none.
    pub levels: Option<ChunkLevels>,
    /// Which chunk is generated and applied first. By default the nearest.
    pub order: LoadOrder,
    /// Limits and ranges.
    pub config: StreamingConfig,
    /// Where generators run; by default Bevy's `AsyncComputeTaskPool`.
    pub runtime: Runtime,
    /// The clock that time is measured with.
    pub clock: Arc<dyn Clock>,
    /// Where [`StreamingSystems::Scan`] and [`StreamingSystems::Generate`] run; by default `Update`.
    pub scan_schedule: Interned<dyn ScheduleLabel>,
    /// Where [`StreamingSystems::Apply`] runs; by default `Update`. In a later schedule of the frame, chunks that are
    /// quickly generated appear in the frame in which they became wanted. A schedule that runs several times in a frame
    /// shares the frame's budget among its runs.
    pub apply_schedule: Interned<dyn ScheduleLabel>,
    viewers: PhantomData<fn() -> F>,
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
            save_hook: None,
            levels: None,
            order: LoadOrder::Distance,
            config: StreamingConfig::default(),
            runtime: Runtime::default(),
            clock: Arc::new(MonotonicClock::default()),
            scan_schedule: Update.intern(),
            apply_schedule: Update.intern(),
            viewers: PhantomData,
        }
    }
}

impl<T: Send + Sync + 'static, F: QueryFilter + 'static> ChunkStreamingPlugin<T, F> {
    /// The same around those viewers alone that the query filter `V` accepts: two dimensions, a stream of colliders around
    /// few of the viewers, one world for each half of a split screen. Give
    /// [`ChunkStreamNow`](crate::ChunkStreamNow) the same filter.
    ///
    /// ```
    /// use bevy_app::{App, TaskPoolPlugin};
    /// use bevy_ecs::prelude::*;
    /// use chunk_apply::prelude::*;
    ///
    /// struct Meadow;
    /// struct Cave;
    /// #[derive(Component)]
    /// struct Underground;
    ///
    /// let grid = ChunkGrid::planar(16.0)?;
    /// let meadows = ChunkStreamingPlugin::new(
    ///     grid,
    ///     Generator::new(|_: &Job<ChunkCoord>| Meadow),
    ///     Spawner::new(|_, _, _| {}),
    /// );
    /// let caves = ChunkStreamingPlugin::new(
    ///     grid,
    ///     Generator::new(|_: &Job<ChunkCoord>| Cave),
    ///     Spawner::new(|_, _, _| {}),
    /// );
    /// let mut app = App::new();
    /// app.add_plugins((
    ///     TaskPoolPlugin::default(),
    ///     meadows.for_viewers::<Without<Underground>>(),
    ///     caves.for_viewers::<With<Underground>>(),
    /// ));
    /// app.world_mut().spawn((ChunkViewer::default(), Underground));
    /// while app.world().resource::<ChunkIndex<Cave>>().len() < 100 {
    ///     app.update();
    /// }
    /// assert!(app.world().resource::<ChunkIndex<Meadow>>().is_empty());
    /// # Ok::<(), chunk_coord::GridError>(())
    /// ```
    ///
    /// A viewer that the filter no longer accepts has vanished from this stream and
    /// [lingers](StreamingConfig::linger) there. So a filter that accepts an entity for one frame alone, such as `Changed`,
    /// serves no purpose here. Only the last call counts; a tuple of filters accepts what all of them do.
    #[must_use]
    pub fn for_viewers<V: QueryFilter + 'static>(self) -> ChunkStreamingPlugin<T, V> {
        ChunkStreamingPlugin {
            grid: self.grid,
            generator: self.generator,
            spawner: self.spawner,
            save_hook: self.save_hook,
            levels: self.levels,
            order: self.order,
            config: self.config,
            runtime: self.runtime,
            clock: self.clock,
            scan_schedule: self.scan_schedule,
            apply_schedule: self.apply_schedule,
            viewers: PhantomData,
        }
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_config(self, config: StreamingConfig) -> Self {
        Self { config, ..self }
    }

    /// The same with another order of loading than by distance.
    #[must_use]
    pub fn with_order(self, order: LoadOrder) -> Self {
        Self { order, ..self }
    }

    /// The same with levels of detail. Give the generator a clone of them.
    #[must_use]
    pub fn with_levels(mut self, levels: ChunkLevels) -> Self {
        self.levels = Some(levels);
        self
    }

    /// The same with a hook that saves each chunk before it is unloaded or made anew; see [`SaveHook`].
    #[must_use]
    pub fn with_save_hook(
        mut self,
        hook: impl Fn(&mut World, ChunkToSave) -> Result<(), SaveError> + Send + Sync + 'static,
    ) -> Self {
        self.save_hook = Some(Arc::new(hook));
        self
    }

    /// The same with all of its systems in another schedule, such as `FixedUpdate`.
    #[must_use]
    pub fn in_schedule(self, schedule: impl ScheduleLabel + Clone) -> Self {
        self.scan_in(schedule.clone()).apply_in(schedule)
    }

    /// The same with scanning and generating in another schedule.
    #[must_use]
    pub fn scan_in(mut self, schedule: impl ScheduleLabel) -> Self {
        self.scan_schedule = schedule.intern();
        self
    }

    /// The same with applying in another schedule.
    #[must_use]
    pub fn apply_in(mut self, schedule: impl ScheduleLabel) -> Self {
        self.apply_schedule = schedule.intern();
        self
    }

    /// Checks the settings, by themselves and against the grid, as the plugin does when it is built.
    ///
    /// # Errors
    ///
    /// When [`StreamingConfig::validate`] has one, when the range does not [fit](chunk_coord::ViewRange::fits) the grid, or
    /// when another stream has the levels.
    pub fn validate(&self) -> Result<(), StreamingConfigError> {
        self.config.validate()?;
        if self.levels.as_ref().is_some_and(ChunkLevels::are_taken) {
            return Err(StreamingConfigError::SharedLevels);
        }
        match self.config.range {
            Some(range) if !range.fits(&self.grid) => {
                let grid = self.grid;
                Err(StreamingConfigError::Range { range, grid })
            }
            _ => Ok(()),
        }
    }

    fn stream(&self) -> Result<(ChunkStream<T>, ParkedApplier<T>), StreamingConfigError> {
        self.validate()?;
        let lod = match self.levels.clone() {
            Some(levels) => {
                Some(LodTracker::new(levels).ok_or(StreamingConfigError::SharedLevels)?)
            }
            None => None,
        };
        let scheduler = Scheduler::new(
            self.config.scheduler.clone(),
            self.generator.clone(),
            self.runtime.clone(),
            ViewerRank::default(),
        )?;
        let state = StreamState::new(
            self.grid,
            scheduler,
            lod,
            self.save_hook.clone(),
            self.config.saving,
            self.order.clone(),
            Arc::clone(&self.clock),
        );
        let applier = Applier::with_clock(self.spawner.clone(), Arc::clone(&self.clock));
        let stream = ChunkStream::new(&self.config, state);
        Ok((stream, ParkedApplier::new(applier)))
    }
}

impl<T: Send + Sync + 'static, F: QueryFilter + 'static> Plugin for ChunkStreamingPlugin<T, F> {
    /// The same for all filters, so that an app refuses two plugins of one content type.
    fn name(&self) -> &str {
        core::any::type_name::<ChunkStreamingPlugin<T>>()
    }

    fn build(&self, app: &mut App) {
        let (stream, applier) = (self.stream())
            .unwrap_or_else(|error| panic!("the chunk stream cannot be configured: {error}"));
        app.insert_resource(stream)
            .insert_resource(applier)
            .init_resource::<ChunkIndex<T>>()
            .add_message::<ChunkLoaded<T>>()
            .add_message::<ChunkUnloaded<T>>()
            .add_message::<ChunkFailed<T>>()
            .add_message::<ChunkSaveFailed<T>>();
        #[cfg(feature = "bevy_reflect")]
        reflect::register(app);
        for schedule in [self.scan_schedule, self.apply_schedule] {
            app.configure_sets(
                schedule,
                (
                    StreamingSystems::Scan,
                    StreamingSystems::Generate,
                    StreamingSystems::Apply,
                )
                    .chain()
                    // Only `First` has this set.
                    .after(MessageUpdateSystems),
            );
        }
        draw_in_the_same_frame(app, self.apply_schedule);
        if let Concurrency::Adaptive(_) = self.config.scheduler.concurrency {
            measure_frames::<T>(app);
        }
        // Streams of different content share the sets and no state.
        app.add_systems(
            First,
            begin_frame::<T>
                .after(MessageUpdateSystems)
                .before(StreamingSystems::Scan),
        )
        .add_systems(
            self.scan_schedule,
            (
                scan::<T, F>.in_set(StreamingSystems::Scan),
                generate::<T>.in_set(StreamingSystems::Generate),
            )
                // The app may remove the stream.
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

/// Measures how long the work of the app's frames takes, from `First` to `Last`: a limit on jobs in flight that adapts
/// reacts to it.
fn measure_frames<T: Send + Sync + 'static>(app: &mut App) {
    app.add_systems(First, frame_begins::<T>.before(MessageUpdateSystems))
        .add_systems(Last, frame_ends::<T>);
}

/// Runs applying before transforms and visibility are propagated. Otherwise a chunk that replaces another would not be
/// drawn for a frame. In other schedules than `PostUpdate` there are no such systems.
fn draw_in_the_same_frame(app: &mut App, schedule: Interned<dyn ScheduleLabel>) {
    app.configure_sets(
        schedule,
        StreamingSystems::Apply.before(TransformSystems::Propagate),
    );
    #[cfg(feature = "visibility")]
    app.configure_sets(
        schedule,
        StreamingSystems::Apply
            // Which is before asset events. Otherwise an asset of the new version would be drawn a frame late.
            .before(CameraUpdateSystems)
            .before(VisibilitySystems::CalculateBounds)
            .before(VisibilitySystems::VisibilityPropagate),
    );
}

impl<T, F> fmt::Debug for ChunkStreamingPlugin<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkStreamingPlugin")
            .field("grid", &self.grid)
            .field("order", &self.order)
            .field("config", &self.config)
            .field("runtime", &self.runtime)
            .finish_non_exhaustive()
    }
}
