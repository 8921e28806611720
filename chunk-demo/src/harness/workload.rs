//! What is streamed in a run: the city, or a generator and a spawner of your own.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use std::sync::Arc;

use bevy_app::App;
use chunk_apply::{ChunkLevels, Spawner};
use chunk_assets::{ChunkAssetsPlugin, SharedAssets};
use chunk_coord::ChunkCoord;
use chunk_scheduler::{GenerateError, Job};

use super::settings::Settings;
use crate::city::spawn::{WholeWithin, city_spawner};
use crate::city::{CityChunk, CityConfig, CityError, CityPlan};
use crate::motion::MotionPlugin;

type Make<T> = dyn Fn(&Job<ChunkCoord>) -> Result<T, GenerateError> + Send + Sync;
pub(super) type AtLevel<T> = dyn Fn(&Job<ChunkCoord>, T) -> T + Send + Sync;
type Made<T> = Pin<Box<dyn Future<Output = Result<T, GenerateError>> + Send>>;
type Keep<T> = dyn Fn(Job<ChunkCoord>, Arc<Make<T>>) -> Made<T> + Send + Sync;
type KnownEmpty<T> = dyn Fn(ChunkCoord) -> Option<T> + Send + Sync;
type Count = dyn Fn(ChunkCoord) -> usize + Send + Sync;
type CountAt = dyn Fn(ChunkCoord, u8) -> usize + Send + Sync;
type Prepare = dyn Fn(&mut App) + Send + Sync;

/// A generator and a spawner that scenarios are run on, and how many entities and assets they should make.
///
/// ```
/// use bevy_ecs::component::Component;
/// use chunk_apply::Spawner;
/// use chunk_demo::{Pacing, Run, Settings, Workload, scenario::Flight};
///
/// #[derive(Component)]
/// struct Rock;
///
/// let spawner = Spawner::new(|_coord, rocks: usize, writer| {
///     writer.spawn_batch((0..rocks).map(|_| Rock));
/// });
/// let rocks = Workload::new(|_job| 7_usize, spawner, |_coord| 7);
/// let settings = Settings { seconds: 0.2, radius: 2, unload_radius: 3, ..Settings::default() };
/// let run = Run { pacing: Pacing::Unpaced, ..Run::new(settings, &Flight, rocks) };
/// let outcome = run.go(&mut ())?;
/// assert_eq!(outcome.report.violations, [""; 0]);
/// # Ok::<(), chunk_demo::SettingsError>(())
/// ```
pub struct Workload<T> {
    pub(crate) make: Arc<Make<T>>,
    /// Finds what is kept, or else keeps what is made.
    pub(super) keep: Option<Arc<Keep<T>>>,
    /// What the level of detail that a job is for has of what was made or kept.
    pub(super) at_level: Option<Arc<AtLevel<T>>>,
    pub(super) known_empty: Option<Arc<KnownEmpty<T>>>,
    pub(super) spawner: Spawner<ChunkCoord, T>,
    pub(super) entities_of: Arc<CountAt>,
    pub(super) prepare: Arc<Prepare>,
    pub(super) assets: Option<usize>,
    pub(super) assets_of: Option<Arc<Count>>,
    pub(super) levels: Option<ChunkLevels>,
    pub(super) cached_bytes: Arc<dyn Fn() -> usize + Send + Sync>,
}

impl<T: Send + Sync + 'static> Workload<T> {
    /// A workload of your own. `entities_of` says how many entities a loaded chunk has, its root not counted; the audit
    /// compares that with the world.
    #[must_use]
    pub fn new(
        make: impl Fn(&Job<ChunkCoord>) -> T + Send + Sync + 'static,
        spawner: Spawner<ChunkCoord, T>,
        entities_of: impl Fn(ChunkCoord) -> usize + Send + Sync + 'static,
    ) -> Self {
        let make = move |job: &Job<ChunkCoord>| Ok::<_, GenerateError>(make(job));
        Self::fallible(make, spawner, entities_of)
    }

    /// The same with a generator that can fail.
    #[must_use]
    pub fn fallible<E: Into<GenerateError>>(
        make: impl Fn(&Job<ChunkCoord>) -> Result<T, E> + Send + Sync + 'static,
        spawner: Spawner<ChunkCoord, T>,
        entities_of: impl Fn(ChunkCoord) -> usize + Send + Sync + 'static,
    ) -> Self {
        Self {
            make: Arc::new(move |job| make(job).map_err(Into::into)),
            keep: None,
            at_level: None,
            known_empty: None,
            spawner,
            entities_of: Arc::new(move |coord, _level| entities_of(coord)),
            prepare: Arc::new(|_app| {}),
            assets: None,
            assets_of: None,
            levels: None,
            cached_bytes: Arc::new(|| 0),
        }
    }

    /// The same with an archive that keeps what is made, and from which chunks are taken that are there.
    #[cfg(feature = "shared-store")]
    #[must_use]
    pub fn kept_in(self, archive: chunk_scheduler::store::Archive<ChunkCoord, T>) -> Self
    where
        T: Clone,
    {
        let keep = move |job: Job<ChunkCoord>, make: Arc<Make<T>>| -> Made<T> {
            let archive = archive.clone();
            Box::pin(async move {
                let made = || make(&job);
                let found = archive.load_or_create(job.key(), made).await?;
                Ok(Arc::unwrap_or_clone(found.into_value()))
            })
        };
        Self {
            keep: Some(Arc::new(keep)),
            ..self
        }
    }

    /// The same with a hook that answers for chunks which need no generator, as
    /// [`Generator::with_known_empty`](chunk_scheduler::Generator::with_known_empty).
    #[must_use]
    pub fn with_known_empty(
        self,
        known_empty: impl Fn(ChunkCoord) -> Option<T> + Send + Sync + 'static,
    ) -> Self {
        Self {
            known_empty: Some(Arc::new(known_empty)),
            ..self
        }
    }

    /// The same with more plugins or resources, which are added before the stream and after those added so far.
    #[must_use]
    pub fn prepared_by(self, prepare: impl Fn(&mut App) + Send + Sync + 'static) -> Self {
        let before = self.prepare;
        Self {
            prepare: Arc::new(move |app| {
                before(app);
                prepare(app);
            }),
            ..self
        }
    }

    /// The same with the number of meshes and materials that there must be at rest, however many entities.
    #[must_use]
    pub fn with_assets(self, assets: usize) -> Self {
        Self {
            assets: Some(assets),
            ..self
        }
    }

    /// The same where each loaded chunk also brings so many meshes and materials of its own.
    #[must_use]
    pub fn with_assets_of(
        self,
        assets_of: impl Fn(ChunkCoord) -> usize + Send + Sync + 'static,
    ) -> Self {
        Self {
            assets_of: Some(Arc::new(assets_of)),
            ..self
        }
    }

    /// The same with values that are kept for later up to a bound: where the memory of a run is judged by whether it grows, their
    /// bytes are no part of it.
    #[must_use]
    pub fn with_cached_bytes(self, bytes: impl Fn() -> usize + Send + Sync + 'static) -> Self {
        Self {
            cached_bytes: Arc::new(bytes),
            ..self
        }
    }

    /// The same at several levels of detail, which the generator asks for. Where a chunk has not as many entities at each
    /// level, [`with_entities_at`](Self::with_entities_at) says how many.
    #[must_use]
    pub fn with_levels(self, levels: ChunkLevels) -> Self {
        Self {
            levels: Some(levels),
            ..self
        }
    }

    /// The same where this takes from each whole chunk what the level of detail has that its job is for. What is
    /// kept in a store is the whole chunk, so that it serves every level.
    #[must_use]
    pub fn with_each_at_level(
        self,
        at_level: impl Fn(&Job<ChunkCoord>, T) -> T + Send + Sync + 'static,
    ) -> Self {
        Self {
            at_level: Some(Arc::new(at_level)),
            ..self
        }
    }

    /// The same where this says how many entities a loaded chunk has at a level of detail, its root not counted.
    #[must_use]
    pub fn with_entities_at(
        self,
        entities_at: impl Fn(ChunkCoord, u8) -> usize + Send + Sync + 'static,
    ) -> Self {
        Self {
            entities_of: Arc::new(entities_at),
            ..self
        }
    }
}

impl Workload<CityChunk> {
    /// The city at three [levels of detail](CityPlan::generate_at), with its four shared assets.
    ///
    /// # Errors
    ///
    /// If the settings make no city.
    pub fn city(config: CityConfig) -> Result<Self, CityError> {
        let plan = Arc::new(CityPlan::new(config)?);
        let levels = config.levels()?;
        let (asked, outlined, counted) = (levels.clone(), Arc::clone(&plan), Arc::clone(&plan));
        let make = move |job: &Job<ChunkCoord>| plan.generate(job.key());
        let city = Self::of_city(config, WholeWithin::new, make)
            .with_each_at_level(move |job, whole| {
                outlined.at_level(job.key(), whole, asked.of_job(job))
            })
            .with_entities_at(move |coord, level| counted.generate_at(coord, level).entity_count());
        Ok(city.with_levels(levels))
    }

    /// The city with all of its details as far as it is loaded.
    ///
    /// # Errors
    ///
    /// If the settings make no city.
    pub fn city_in_full(config: CityConfig) -> Result<Self, CityError> {
        let plan = Arc::new(CityPlan::new(config)?);
        let counted = Arc::clone(&plan);
        let whole = |chunk_size, radius| WholeWithin::new(chunk_size, radius).in_full();
        let make = move |job: &Job<ChunkCoord>| plan.generate(job.key());
        Ok(Self::of_city(config, whole, make)
            .with_entities_at(move |coord, _| counted.generate(coord).entity_count()))
    }

    /// The city of these settings, with levels of detail or without.
    ///
    /// # Errors
    ///
    /// If the settings make no city.
    pub fn city_of(settings: &Settings) -> Result<Self, CityError> {
        let config = settings.city();
        if settings.full_detail {
            Self::city_in_full(config)
        } else {
            Self::city(config)
        }
    }

    fn of_city(
        config: CityConfig,
        whole: impl Fn(f32, u32) -> WholeWithin,
        make: impl Fn(&Job<ChunkCoord>) -> CityChunk + Send + Sync + 'static,
    ) -> Self {
        // The stream's own radius replaces this one as soon as it is known.
        let whole = whole(config.chunk_size, Settings::default().radius);
        let spawner = city_spawner(SharedAssets::default(), whole.clone());
        Self::new(make, spawner, |_coord| 0)
            .prepared_by(move |app| {
                app.insert_resource(whole.clone());
                app.add_plugins((ChunkAssetsPlugin, MotionPlugin::default()));
            })
            .with_assets(SharedAssets::COUNT)
    }
}

impl<T> fmt::Debug for Workload<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workload")
            .field("assets", &self.assets)
            .finish_non_exhaustive()
    }
}
