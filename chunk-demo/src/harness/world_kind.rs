//! Which of the demo's worlds is streamed.

use super::settings::{Settings, SettingsError};
use super::workload::Workload;

/// One of the demo's worlds.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WorldKind {
    /// Streets, houses, trees and people: many entities with four shared assets
    #[default]
    City,
    /// Hills and caves of voxels: a mesh for each chunk, made from its neighbours
    Voxels,
    /// Hills and mountains: a mesh for each chunk at three levels of detail, and colliders near the viewers
    Terrain,
}

/// What is done with a world, whatever its chunks contain.
pub trait OnWorld {
    /// What comes of it.
    type Output;

    /// Does it with one of the worlds.
    fn on<T: Send + Sync + 'static>(self, workload: Workload<T>) -> Self::Output;
}

impl WorldKind {
    /// Changes the defaults that make no sense for this world. Call it after the scenario's own
    /// [`adjust`](crate::scenario::Scenario::adjust).
    pub fn adjust(self, settings: &mut Settings) {
        match self {
            Self::City => {}
            Self::Terrain => settings.has_land = true,
            Self::Voxels => {
                settings.has_land = true;
                settings.chunk_size = 32.0;
                settings.half_height = 3;
                settings.ceiling = 110.0;
                // With all layers as many chunks as the city's 10,201.
                settings.radius = settings.radius.min(21);
                settings.unload_radius = settings.unload_radius.min(23);
            }
        }
    }

    /// Does something with this world.
    ///
    /// # Errors
    ///
    /// If the settings make no such world, or the program was built without it.
    pub fn with<V: OnWorld>(
        self,
        settings: &Settings,
        visitor: V,
    ) -> Result<V::Output, SettingsError> {
        match self {
            Self::City => Ok(visitor.on(Workload::city_of(settings)?)),
            #[cfg(feature = "voxels")]
            Self::Voxels => Ok(visitor.on(Workload::voxels(crate::voxels::VoxelWorld::new(
                settings.seed,
            )))),
            #[cfg(not(feature = "voxels"))]
            Self::Voxels => Err(not_built("voxels")),
            #[cfg(feature = "terrain")]
            Self::Terrain => Ok(visitor.on(Workload::terrain(settings.terrain())?)),
            #[cfg(not(feature = "terrain"))]
            Self::Terrain => Err(not_built("terrain")),
        }
    }
}

#[cfg(not(all(feature = "voxels", feature = "terrain")))]
fn not_built(world: &str) -> SettingsError {
    let demand = format!(
        "another one in this build, which has no {world}; `cargo xtask demo --world {world}` makes one that has, and so does \
         `--features {world}` with cargo's own commands"
    );
    SettingsError::new("world", &world, &demand)
}
