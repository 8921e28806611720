//! Makes the chunks of a region that are not in the store yet.

use core::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chunk_coord::ChunkCoord;
use chunk_scheduler::store::Found;
use chunk_scheduler::{
    FnRank, GenerateError, Generator, Job, Runtime, Scheduler, SchedulerConfig, Verdict,
};

use super::city_store::CityStore;
use super::region::Region;
use super::shard::Shard;
use crate::city::CityPlan;

/// Chunks of a city that are made ahead of time.
#[derive(Clone, Debug)]
pub struct Bake {
    /// What is made.
    pub city: Arc<CityPlan>,
    /// Where it is kept.
    pub store: CityStore,
    /// Which chunks.
    pub region: Region,
    /// Which of them by this process.
    pub shard: Shard,
}

/// What came of it, so far or at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baked {
    /// How many chunks there are to be, of this shard.
    pub chunks: u64,
    /// Made and kept.
    pub made: u64,
    /// Found in the store.
    pub found: u64,
    /// Made, and then found in the store, because another process was faster.
    pub made_elsewhere: u64,
    /// Neither found nor kept, after several attempts.
    pub failed: u64,
    /// One of those, and why.
    pub failure: Option<(ChunkCoord, String)>,
}

impl Baked {
    /// How many chunks it has come to an end with.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.in_the_store() + self.failed
    }

    /// How many chunks are known to be in the store.
    #[must_use]
    pub fn in_the_store(&self) -> u64 {
        self.made + self.found + self.made_elsewhere
    }

    /// Whether all chunks are in the store.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.in_the_store() == self.chunks
    }
}

/// How one chunk came to be in the store.
enum Kept {
    Found,
    Made,
    MadeElsewhere,
}

/// So many chunks are asked for or written at the same time: what waits for a network keeps no processor busy.
const AT_ONCE: usize = 32;
/// So many are requested, so that none of those at once ever waits for a request.
const REQUESTED: usize = 4 * AT_ONCE;
/// After so many failures in a row it ends.
const MOST_FAILURES: u64 = 100;
/// How often it looks what is done.
const STEP: Duration = Duration::from_millis(1);

impl Bake {
    /// Makes the chunks on `runtime`, until all are done or `watch` breaks off, which is asked a thousand times a second. What
    /// is in the store stays there, so that the next run goes on. After a hundred failures in a row it ends as well, because the
    /// next chunk would hardly fare better.
    pub fn run(&self, runtime: Runtime, mut watch: impl FnMut(&Baked) -> ControlFlow<()>) -> Baked {
        let shard = self.shard;
        let mut coords = self.region.coords().filter(move |coord| shard.has(*coord));
        let mut baked = Baked {
            chunks: coords.clone().count() as u64,
            ..Baked::default()
        };
        let config = SchedulerConfig {
            max_in_flight: AT_ONCE,
            ..SchedulerConfig::default()
        };
        let any = FnRank(|_: &ChunkCoord| 0_u32);
        let mut scheduler = Scheduler::new(config, self.generator(), runtime, any)
            .expect("only the number in flight is not the default, and it is in range");
        let began = Instant::now();
        let mut failures_in_a_row = 0;
        while watch(&baked).is_continue() && failures_in_a_row < MOST_FAILURES {
            let room = REQUESTED.saturating_sub(scheduler.depths().live());
            for coord in coords.by_ref().take(room) {
                scheduler.request(coord);
            }
            if scheduler.depths().live() == 0 {
                break;
            }
            scheduler.tick(began.elapsed());
            let mut done = Vec::new();
            scheduler.drain(usize::MAX, |chunk| done.push(chunk));
            for chunk in done {
                failures_in_a_row = 0;
                if scheduler.applied(chunk.key, chunk.version) {
                    *match chunk.content {
                        Kept::Found => &mut baked.found,
                        Kept::Made => &mut baked.made,
                        Kept::MadeElsewhere => &mut baked.made_elsewhere,
                    } += 1;
                }
            }
            for failure in scheduler.failures() {
                if failure.verdict == Verdict::GaveUp {
                    baked.failed += 1;
                    failures_in_a_row += 1;
                    baked.failure.get_or_insert((failure.key, failure.message));
                }
            }
            std::thread::sleep(STEP);
        }
        baked
    }

    fn generator(&self) -> Generator<ChunkCoord, Kept> {
        let (city, archive) = (Arc::clone(&self.city), self.store.archive().clone());
        Generator::from_async(move |job: Job<ChunkCoord>| {
            let (city, archive, coord) = (Arc::clone(&city), archive.clone(), job.key());
            async move {
                let made = || Ok::<_, GenerateError>(city.generate(coord));
                Ok::<_, GenerateError>(match archive.load_or_create(coord, made).await? {
                    Found::Loaded(_) => Kept::Found,
                    Found::Made(_) => Kept::Made,
                    Found::MadeElsewhere(_) => Kept::MadeElsewhere,
                })
            }
        })
    }
}
