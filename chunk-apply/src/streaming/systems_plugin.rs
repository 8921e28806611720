//! The systems of a stream, which are in the app whether the stream runs or not.

#[cfg(feature = "store")]
use super::archive;
#[cfg(feature = "bevy_reflect")]
use super::reflect;
use super::{
    frame_meter::FrameMeter,
    index::ChunkIndex,
    messages::{ChunkFailed, ChunkLoaded, ChunkRegionReady, ChunkSaveFailed, ChunkUnloaded},
    region::ChunkRegion,
    stream::ChunkStream,
    systems::{
        adapts, apply, begin_frame, clear_up, frame_begins, frame_ends, generate, has_left_over,
        scan, tell_ready,
    },
};
#[cfg(feature = "store")]
use bevy_app::AppExit;
use bevy_app::{App, First, Last, Plugin, Update};
#[cfg(feature = "visibility")]
use bevy_camera::{CameraUpdateSystems, visibility::VisibilitySystems};
#[cfg(feature = "store")]
use bevy_ecs::schedule::common_conditions::on_message;
use bevy_ecs::{
    intern::Interned,
    message::MessageUpdateSystems,
    query::QueryFilter,
    resource::Resource,
    schedule::{
        IntoScheduleConfigs, ScheduleLabel, SystemCondition, SystemSet,
        common_conditions::{any_with_component, resource_exists},
    },
};
use bevy_transform::{TransformPlugin, TransformSystems};
use core::{any::TypeId, fmt, marker::PhantomData};
use tracing::warn;

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

/// Adds the systems of a stream to the app, and no stream: for a game with a menu, in which
/// [`ChunkStreamingPlugin::start`](crate::ChunkStreamingPlugin::start) makes a stream and
/// [`ChunkStream::stop`](crate::ChunkStream::stop) ends it, any number of times, each with another generator if you like.
/// As long as there is none, they do nothing.
///
/// `T` is the content of the chunks, and `F` the filter that picks the viewers, as in
/// [`for_viewers`](crate::ChunkStreamingPlugin::for_viewers).
///
/// [`ChunkStreamingPlugin`](crate::ChunkStreamingPlugin) adds them as well and starts its stream at once, so an app has one
/// plugin or the other for each content type.
///
/// ```
/// use bevy_app::{App, TaskPoolPlugin};
/// use bevy_ecs::prelude::*;
/// use chunk_apply::{ChunkStreamSystemsPlugin, Reset, prelude::*};
///
/// struct Rocks(u64);
///
/// /// In `OnEnter(GameState::Loading)`.
/// fn begin(world: &mut World) -> Result<(), BevyError> {
///     let seed = 7; // the player's choice
///     ChunkStreamingPlugin::new(
///         ChunkGrid::planar(16.0)?,
///         Generator::new(move |_: &Job<ChunkCoord>| Rocks(seed)),
///         Spawner::new(|_, rocks: Rocks, writer| writer.spawn_batch([Name::new(format!("rock of {}", rocks.0))])),
///     )
///     .start(world)?;
///     Ok(())
/// }
///
/// /// In `OnEnter(GameState::MainMenu)`: whatever there is.
/// fn end(world: &mut World) {
///     if let Err(unsaved) = ChunkStream::<Rocks>::stop(world, Reset::Save) {
///         println!("{} chunks could not be saved", unsaved.failed.len());
///     }
/// }
///
/// let mut app = App::new();
/// app.add_plugins((TaskPoolPlugin::default(), ChunkStreamSystemsPlugin::<Rocks>::default()));
/// # app.world_mut().spawn(ChunkViewer::default());
/// # for _ in 0..2 {
/// begin(app.world_mut())?;
/// # while app.world().resource::<ChunkIndex<Rocks>>().len() < 9 { app.update(); }
/// end(app.world_mut());
/// assert!(!app.world().contains_resource::<ChunkStream<Rocks>>());
/// # }
/// # Ok::<(), BevyError>(())
/// ```
pub struct ChunkStreamSystemsPlugin<T, F = ()> {
    /// Where [`StreamingSystems::Scan`] and [`StreamingSystems::Generate`] run; by default `Update`.
    pub scan_schedule: Interned<dyn ScheduleLabel>,
    /// Where [`StreamingSystems::Apply`] runs; by default `Update`. In a later schedule of the frame, chunks that are
    /// quickly generated appear in the frame in which they became wanted. A schedule that runs several times in a frame
    /// shares the frame's budget among its runs.
    pub apply_schedule: Interned<dyn ScheduleLabel>,
    of: PhantomData<fn() -> (T, F)>,
}

impl<T, F> ChunkStreamSystemsPlugin<T, F> {
    /// The same with all systems in another schedule, such as `FixedUpdate`.
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

    /// The same for those viewers that the query filter `V` accepts.
    #[must_use]
    pub fn for_viewers<V: QueryFilter + 'static>(&self) -> ChunkStreamSystemsPlugin<T, V> {
        ChunkStreamSystemsPlugin {
            scan_schedule: self.scan_schedule,
            apply_schedule: self.apply_schedule,
            of: PhantomData,
        }
    }
}

impl<T, F> Default for ChunkStreamSystemsPlugin<T, F> {
    fn default() -> Self {
        Self {
            scan_schedule: Update.intern(),
            apply_schedule: Update.intern(),
            of: PhantomData,
        }
    }
}

/// In an app that has the systems.
#[derive(Resource)]
pub(super) struct HasSystems<T> {
    /// The filter that picks the viewers.
    pub(super) viewers: Filter,
    of: PhantomData<fn() -> T>,
}

/// A query filter, and its name for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    id: TypeId,
    pub(super) name: &'static str,
}

impl Filter {
    pub(super) fn of<F: 'static>() -> Self {
        Self {
            id: TypeId::of::<F>(),
            name: core::any::type_name::<F>(),
        }
    }
}

impl<T: Send + Sync + 'static, F: QueryFilter + 'static> Plugin for ChunkStreamSystemsPlugin<T, F> {
    /// The same for all filters, so that an app refuses two plugins of one content type.
    fn name(&self) -> &str {
        core::any::type_name::<ChunkStreamSystemsPlugin<T>>()
    }

    fn build(&self, app: &mut App) {
        let has_systems = HasSystems::<T> {
            viewers: Filter::of::<F>(),
            of: PhantomData,
        };
        FrameMeter::add_to(app);
        app.insert_resource(has_systems)
            .add_message::<ChunkLoaded<T>>()
            .add_message::<ChunkUnloaded<T>>()
            .add_message::<ChunkFailed<T>>()
            .add_message::<ChunkSaveFailed<T>>()
            .add_message::<ChunkRegionReady<T>>();
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
        #[cfg(feature = "store")]
        app.add_message::<AppExit>().add_systems(
            Last,
            (
                archive::tick::<T>,
                archive::exit::<T>.run_if(on_message::<AppExit>),
            )
                .chain()
                .run_if(resource_exists::<archive::OpenArchives<T>>)
                .after(StreamingSystems::Apply)
                // No other system sees what they do.
                .ambiguous_with_all(),
        );
        // Streams of different content share the sets and no state.
        app.add_systems(
            First,
            (
                // A limit on jobs in flight that adapts reacts to how long the work of the app's frames takes.
                frame_begins::<T>
                    .run_if(adapts::<T>)
                    .before(MessageUpdateSystems),
                begin_frame::<T>
                    .run_if(resource_exists::<ChunkStream<T>>)
                    .after(MessageUpdateSystems)
                    .before(StreamingSystems::Scan),
                // In no set, because an app may let the sets run in some of its states alone.
                clear_up::<T>
                    .run_if(has_left_over::<T>)
                    .after(MessageUpdateSystems),
            ),
        )
        .add_systems(
            Last,
            frame_ends::<T>
                .run_if(adapts::<T>)
                .after(StreamingSystems::Apply)
                // It notes the time, and changes nothing that others read.
                .ambiguous_with_all(),
        )
        .add_systems(
            self.scan_schedule,
            (
                scan::<T, F>.in_set(StreamingSystems::Scan),
                generate::<T>.in_set(StreamingSystems::Generate),
            )
                // The app may remove them.
                .run_if(
                    resource_exists::<ChunkStream<T>>.and_then(resource_exists::<ChunkIndex<T>>),
                ),
        )
        .add_systems(
            self.apply_schedule,
            (
                apply::<T>
                    .in_set(StreamingSystems::Apply)
                    .ambiguous_with(StreamingSystems::Apply),
                tell_ready::<T, F>
                    .run_if(any_with_component::<ChunkRegion<T>>)
                    .after(StreamingSystems::Apply),
            ),
        );
    }

    /// Measures the sub-apps' frames. Warns, once, where nothing carries the places of chunks over to their entities.
    fn finish(&self, app: &mut App) {
        FrameMeter::watch_sub_apps(app);
        let has_transforms = app.is_plugin_added::<TransformPlugin>();
        if !has_transforms && !app.world().contains_resource::<KnowsNoTransforms>() {
            app.insert_resource(KnowsNoTransforms);
            warn!(
                "without Bevy's `TransformPlugin`, which is part of `DefaultPlugins`, the `GlobalTransform` of \
                 everything in a chunk stays where it was spawned: add it, unless nothing reads them"
            );
        }
    }
}

/// In an app that was told that it lacks Bevy's `TransformPlugin`.
#[derive(Resource)]
struct KnowsNoTransforms;

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

impl<T, F> fmt::Debug for ChunkStreamSystemsPlugin<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkStreamSystemsPlugin")
            .field("scan_schedule", &self.scan_schedule)
            .field("apply_schedule", &self.apply_schedule)
            .finish_non_exhaustive()
    }
}
