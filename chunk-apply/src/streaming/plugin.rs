//! The plugin that composes a stream.

#[cfg(feature = "store")]
use super::{archive, archive_trait::AnyArchive};
use super::{
    config::{StartError, StreamingConfig, StreamingConfigError},
    frame_meter::FrameMeter,
    index::ChunkIndex,
    lod::{ChunkLevels, LodTracker},
    order::{LoadOrder, ViewerRank},
    saving::{ChunkToSave, RoomForSaves, SaveError, SaveHook, SavedChunks, Saving},
    stream::{ChunkStream, ParkedApplier, StreamState},
    systems_plugin::{ChunkStreamSystemsPlugin, Filter, HasSystems},
};
use crate::{
    applier::Applier,
    budget::{Clock, MonotonicClock},
    spawn::Spawner,
    sync::Arc,
};
use bevy_app::{App, Plugin};
use bevy_ecs::{query::QueryFilter, schedule::ScheduleLabel, world::World};
use chunk_coord::{ChunkCoord, ChunkGrid};
#[cfg(feature = "store")]
use chunk_scheduler::store::Archive;
use chunk_scheduler::{Generator, Runtime, Scheduler};
use core::fmt;

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
    /// Whether there is room for what the hook saves; see [`with_room_for_saves`](Self::with_room_for_saves). By default there
    /// always is.
    pub room_for_saves: Option<RoomForSaves>,
    /// Where the save hook puts what it takes.
    #[cfg(feature = "store")]
    archive: Option<Arc<dyn AnyArchive>>,
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
    /// The schedules in which its systems run. Where they are in the app already, [`start`](Self::start) does not look at
    /// this.
    pub systems: ChunkStreamSystemsPlugin<T, F>,
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
            room_for_saves: None,
            #[cfg(feature = "store")]
            archive: None,
            levels: None,
            order: LoadOrder::Distance,
            config: StreamingConfig::default(),
            runtime: Runtime::default(),
            clock: Arc::new(MonotonicClock::default()),
            systems: ChunkStreamSystemsPlugin::default(),
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
            room_for_saves: self.room_for_saves,
            #[cfg(feature = "store")]
            archive: self.archive,
            levels: self.levels,
            order: self.order,
            config: self.config,
            runtime: self.runtime,
            clock: self.clock,
            systems: self.systems.for_viewers(),
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

    /// The same with a hook that saves each chunk before it is unloaded or made anew; see [`SaveHook`]. It takes the place of
    /// an archive that was given before.
    #[must_use]
    pub fn with_save_hook(
        mut self,
        hook: impl Fn(&mut World, ChunkToSave) -> Result<(), SaveError> + Send + Sync + 'static,
    ) -> Self {
        #[cfg(feature = "store")]
        if self.archive.take().is_some() {
            self.room_for_saves = None;
        }
        self.save_hook = Some(Arc::new(hook));
        self
    }

    /// The same with chunks that are saved into an archive: in place of a [save hook](SaveHook) there is a `snapshot`, which
    /// takes what is to be saved of a chunk out of the `World`, and workers encode and write it. Make the generator by
    /// [`Archive::generator`], which is given what was saved last, durable or not.
    ///
    /// - Dirty chunks alone are saved, unless [`SavePolicy::chunks`] says otherwise:
    ///   [mark](ChunkStream::mark_dirty) what players change. Set [`SavePolicy::autosave`] for what a crash may lose.
    /// - Saves [wait](Self::with_room_for_saves) while the archive has no room. It is ticked in each frame, in `Last`, by the
    ///   clock of the stream, as long as the stream is there or something is not durable.
    /// - An app that exits by an [`AppExit`](bevy_app::AppExit) message takes snapshots of all that is to be saved, in `Last`,
    ///   and waits until they are durable, for at most [`SavePolicy::exit_patience`]. If that is over, or a snapshot fails, an
    ///   error in the log says how many chunks are lost, and one of them. An app that is dropped without such a message waits
    ///   as long for what was handed to the archive before; what is dirty then is lost.
    /// - To see that a [`save_all`](ChunkStream::save_all) is durable, await or ask [`Archive::flush`].
    ///
    /// The keys of the archive are chunks of one grid, and its values of one world: to go on with another,
    /// [stop](ChunkStream::stop) the stream and start one with another archive. A snapshot that fails is treated as a hook
    /// that fails.
    ///
    /// ```
    /// use bevy_ecs::prelude::*;
    /// use chunk_apply::prelude::*;
    /// use chunk_apply::store::{Archive, ArchiveConfig, Codec, CodecError, MemoryStore};
    /// use chunk_apply::Runtime;
    ///
    /// #[derive(Component)]
    /// struct Tree(u8);
    ///
    /// /// How tall the trees of a chunk are. With the feature `postcard`, `Postcard` is a codec for what serde can serialize.
    /// struct Trees;
    /// impl Codec<Vec<u8>> for Trees {
    ///     fn format(&self) -> u32 {
    ///         1
    ///     }
    ///     fn encode(&self, trees: &Vec<u8>) -> Result<Vec<u8>, CodecError> {
    ///         Ok(trees.clone())
    ///     }
    ///     fn decode(&self, _format: u32, bytes: &[u8]) -> Result<Vec<u8>, CodecError> {
    ///         Ok(bytes.to_vec())
    ///     }
    /// }
    ///
    /// /// The stream's content.
    /// struct Forest(Vec<u8>);
    ///
    /// let (config, runtime) = (ArchiveConfig::default(), Runtime::default());
    /// let archive = Archive::new(MemoryStore::default(), Trees, config, runtime);
    /// let generator = archive.generator(|job: &Job<ChunkCoord>, saved| match saved {
    ///     Some(trees) => Ok::<_, SaveError>(Forest(trees.to_vec())),
    ///     None => Ok(Forest(vec![job.key().x.unsigned_abs() as u8; 3])),
    /// });
    /// let spawner = Spawner::new(|_, forest: Forest, writer| {
    ///     writer.spawn_batch(forest.0.into_iter().map(Tree));
    /// });
    /// let plugin = ChunkStreamingPlugin::new(ChunkGrid::planar(16.0)?, generator, spawner)
    ///     .with_archive(archive, |world, chunk| {
    ///         let children = world.get::<Children>(chunk.root).into_iter().flatten();
    ///         Ok(children.filter_map(|child| world.get::<Tree>(*child)).map(|tree| tree.0).collect())
    ///     });
    /// # let _ = plugin;
    /// # Ok::<(), chunk_coord::GridError>(())
    /// ```
    ///
    /// [`Archive::generator`]: chunk_scheduler::store::Archive::generator
    /// [`Archive::flush`]: chunk_scheduler::store::Archive::flush
    /// [`SavePolicy::chunks`]: crate::SavePolicy::chunks
    /// [`SavePolicy::autosave`]: crate::SavePolicy::autosave
    /// [`SavePolicy::exit_patience`]: crate::SavePolicy::exit_patience
    #[cfg(feature = "store")]
    #[must_use]
    pub fn with_archive<V: Send + Sync + 'static>(
        mut self,
        archive: Archive<ChunkCoord, V>,
        snapshot: impl Fn(&mut World, ChunkToSave) -> Result<V, SaveError> + Send + Sync + 'static,
    ) -> Self {
        let (saving, room) = (archive.clone(), archive.clone());
        self.archive = Some(Arc::new(archive));
        self.room_for_saves = Some(Arc::new(move || room.has_room()));
        self.save_hook = Some(Arc::new(move |world, chunk| {
            saving.save(chunk.coord, snapshot(world, chunk)?);
            Ok(())
        }));
        self
    }

    /// The same with saves that wait as long as `has_room` says no, for a hook that hands chunks to a writer of its own. It is
    /// asked once in each frame that has something to save, and after each save, on the main thread, so it should answer from
    /// memory.
    ///
    /// A save that waits has not failed: it goes on when there is room. Until then a chunk that left stays as it is, hidden,
    /// and one that is to be made anew stands. Where [`SavePolicy::max_kept`](crate::SavePolicy::max_kept) chunks that left
    /// wait, nothing is spawned, so that a slow disk slows the game's loading down and memory stays bounded.
    #[must_use]
    pub fn with_room_for_saves(
        mut self,
        has_room: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        self.room_for_saves = Some(Arc::new(has_room));
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
        self.systems = self.systems.scan_in(schedule);
        self
    }

    /// The same with applying in another schedule.
    #[must_use]
    pub fn apply_in(mut self, schedule: impl ScheduleLabel) -> Self {
        self.systems = self.systems.apply_in(schedule);
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

    /// Starts the stream in an app that has the systems of the content `T` and no stream of it: those of
    /// [`ChunkStreamSystemsPlugin`], or of a [`ChunkStreamingPlugin`] whose stream was [stopped](ChunkStream::stop). From
    /// the next frame on, the viewers' surroundings are made by this generator, and nothing is left of an earlier stream.
    ///
    /// It needs the `World`: call it in an exclusive system, such as one in `OnEnter(GameState::Loading)`, or by
    /// `commands.queue(move |world: &mut World| plugin.start(world))`.
    ///
    /// # Errors
    ///
    /// When a stream of this content runs, which then goes on; when the app has no systems for it, or those of another
    /// filter of viewers; or when [`validate`](Self::validate) has an error.
    pub fn start(&self, world: &mut World) -> Result<(), StartError> {
        let systems = world.get_resource::<HasSystems<T>>();
        let (theirs, ours) = (
            systems.ok_or(StartError::NoSystems)?.viewers,
            Filter::of::<F>(),
        );
        if theirs != ours {
            return Err(StartError::OtherViewers {
                systems: theirs.name,
                stream: ours.name,
            });
        }
        if !ChunkStream::<T>::clear_up(world) {
            return Err(StartError::Running);
        }
        let (stream, applier) = self.stream()?;
        if let Some(meter) = world.get_resource::<FrameMeter>() {
            meter.measure_with(Arc::clone(&self.clock));
        }
        world.insert_resource(stream);
        world.insert_resource(applier);
        world.insert_resource(ChunkIndex::<T>::default());
        #[cfg(feature = "store")]
        if let Some(archive) = self.archive.clone() {
            let patience = self.config.saving.exit_patience;
            archive::open::<T>(world, archive, Arc::clone(&self.clock), patience);
        }
        Ok(())
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
        let mut policy = self.config.saving;
        #[cfg(feature = "store")]
        if self.archive.is_some() {
            policy.chunks.get_or_insert(SavedChunks::Dirty);
        }
        policy.chunks.get_or_insert(SavedChunks::All);
        let saving = Saving {
            hook: self.save_hook.clone(),
            policy,
            has_room: self.room_for_saves.clone(),
            #[cfg(feature = "store")]
            archive: self.archive.clone(),
        };
        let state = StreamState::new(
            self.grid,
            scheduler,
            lod,
            saving,
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
        app.add_plugins(self.systems.for_viewers::<F>());
        self.start(app.world_mut())
            .unwrap_or_else(|error| panic!("the chunk stream cannot be configured: {error}"));
    }
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
