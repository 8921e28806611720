//! A store with the chunks of one city.

use core::error::Error;
use core::fmt;

use bevy_tasks::block_on;
use chunk_coord::ChunkCoord;
use chunk_scheduler::Runtime;
use chunk_scheduler::store::{
    Archive, ArchiveConfig, BucketStore, Postcard, RedbStore, Store, StoreError,
};
use serde::{Deserialize, Serialize};

use crate::city::{CityChunk, CityConfig};

/// The chunks of one city in a store, which a file beside them names.
#[derive(Clone, Debug)]
pub struct CityStore {
    archive: Archive<ChunkCoord, CityChunk>,
}

/// The name of the file that says which city a store has.
const CITY: &str = "city.json";

/// What that file says.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
struct City {
    /// So that a file of another program with the same name is none.
    program: String,
    seed: u64,
    density: u32,
    chunk_size: f32,
}

impl CityStore {
    /// The chunks of the city with these settings. A store in which nothing is becomes one for this city.
    ///
    /// # Errors
    ///
    /// If the store cannot be reached, or holds something else.
    pub async fn open(
        store: impl Store,
        city: &CityConfig,
        runtime: Runtime,
    ) -> Result<Self, OpenError> {
        let wanted = City::of(city);
        let found = match store.load(CITY).await? {
            Some(found) => found,
            None => Self::found(&store, &wanted).await?,
        };
        let found: City = serde_json::from_slice(&found).map_err(|_| OpenError::Foreign)?;
        if found.program != wanted.program {
            return Err(OpenError::Foreign);
        }
        if found != wanted {
            return Err(OpenError::OtherCity(found.to_string(), wanted.to_string()));
        }
        let config = ArchiveConfig {
            world: wanted.world(),
            ..ArchiveConfig::default()
        };
        let archive = Archive::new(store, Postcard::new(), config, runtime);
        Ok(Self { archive })
    }

    /// The same for the store at an address: a file whose name ends with `.redb`, another path or a URL. It blocks the thread.
    ///
    /// # Errors
    ///
    /// If the address makes no sense, or the store cannot be reached or holds something else.
    pub fn open_at(address: &str, city: &CityConfig, runtime: Runtime) -> Result<Self, OpenError> {
        if address.ends_with(".redb") {
            block_on(Self::open(RedbStore::open(address)?, city, runtime))
        } else {
            block_on(Self::open(BucketStore::open(address)?, city, runtime))
        }
    }

    /// Makes an empty store one for this city. Returns what it says then, which may be what another process wrote at the same
    /// time.
    async fn found(store: &impl Store, city: &City) -> Result<Vec<u8>, OpenError> {
        let is_empty = store.list("").await?.is_empty();
        let text = serde_json::to_vec_pretty(city).map_err(|_| OpenError::Foreign)?;
        if is_empty {
            let there = store.create(CITY, &text).await?;
            return Ok(there.unwrap_or(text));
        }
        // Another process writes it before anything else.
        store.load(CITY).await?.ok_or(OpenError::Foreign)
    }

    /// Its chunks.
    #[must_use]
    pub fn archive(&self) -> &Archive<ChunkCoord, CityChunk> {
        &self.archive
    }
}

impl City {
    fn of(city: &CityConfig) -> Self {
        Self {
            program: "chunk-demo".to_owned(),
            seed: city.seed,
            density: city.density,
            chunk_size: city.chunk_size,
        }
    }

    /// The number that each of its chunks is saved with.
    fn world(&self) -> u64 {
        let parts = [
            u64::from(self.density),
            u64::from(self.chunk_size.to_bits()),
        ];
        // FNV-1a, a number at a time.
        parts.into_iter().fold(self.seed, |hash, part| {
            (hash ^ part).wrapping_mul(0x0100_0000_01b3)
        })
    }
}

impl fmt::Display for City {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            density,
            chunk_size,
            ..
        } = self;
        write!(
            f,
            "seed {seed} with {density} entities in each chunk of {chunk_size} m"
        )
    }
}

/// Why a store cannot be used for a city.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// It cannot be opened or read.
    Store(StoreError),
    /// Something else is in it.
    Foreign,
    /// It has the first city and not the second.
    OtherCity(String, String),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Foreign => f.write_str(
                "something else is in it that is no city of chunk-demo; take an empty place",
            ),
            Self::OtherCity(found, wanted) => write!(
                f,
                "the city in it is that of {found}, and this would be that of {wanted}"
            ),
        }
    }
}

impl Error for OpenError {}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

#[cfg(test)]
mod tests {
    use chunk_scheduler::store::MemoryStore;

    use super::*;

    fn open(store: &MemoryStore, city: CityConfig) -> Result<(), String> {
        let opened = CityStore::open(store.clone(), &city, Runtime::default());
        block_on(opened)
            .map(drop)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_store_becomes_that_of_the_first_city_and_of_no_other() {
        let (store, city) = (MemoryStore::default(), CityConfig::default());
        assert_eq!(open(&store, city), Ok(()));
        assert_eq!(open(&store, city), Ok(()));
        let other = CityConfig { seed: 2, ..city };
        let sentence = "the city in it is that of seed 1 with 120 entities in each chunk of 200 m, and this would be that of \
                        seed 2 with 120 entities in each chunk of 200 m";
        assert_eq!(open(&store, other), Err(sentence.to_owned()));
        let denser = CityConfig {
            density: 121,
            ..city
        };
        assert!(open(&store, denser).is_err());
    }

    #[test]
    fn a_store_of_another_program_is_left_alone() {
        for name in ["notes.txt", CITY] {
            let store = MemoryStore::default();
            block_on(store.create(name, b"{\"program\":\"tower\"}")).expect("it is in memory");
            let refused = open(&store, CityConfig::default()).expect_err("it is not ours");
            assert!(refused.starts_with("something else is in it"), "{refused}");
            let names = block_on(store.list("")).expect("it is in memory");
            assert_eq!(names, [name]);
        }
    }

    #[test]
    fn two_cities_have_two_numbers() {
        let city = CityConfig::default();
        let number = |city| City::of(&city).world();
        let others = [
            CityConfig { seed: 2, ..city },
            CityConfig {
                density: 60,
                ..city
            },
            CityConfig {
                chunk_size: 100.0,
                ..city
            },
        ];
        for other in others {
            assert_ne!(number(city), number(other));
        }
    }
}
