//! Generators that panic or take long on purpose, for the same chunks in each run.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use chunk_coord::ChunkCoord;
use chunk_scheduler::{GenerateError, Generator, Job};
use rand::{Rng, RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::workload::{AtLevel, Workload};

/// Which share of generators panics or takes long. Which chunks are affected depends on the seed alone.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// The share of chunks, 0 to 1, whose generator panics. Half of them recover at the second attempt, the others
    /// never do.
    pub panics: f64,
    /// The share of chunks, 0 to 1, whose generator takes [`delay`](Self::delay) longer.
    pub slow: f64,
    /// How much longer than usual.
    pub delay: Duration,
}

/// What happens when one chunk is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing unusual.
    Sound,
    /// The generator takes longer.
    Slow,
    /// The first attempt panics, the second succeeds.
    Recovers,
    /// Every attempt panics.
    Broken,
}

impl Faults {
    /// No generator panics or takes long.
    pub const NONE: Self = Self {
        panics: 0.0,
        slow: 0.0,
        delay: Duration::ZERO,
    };

    /// What happens to a chunk of the world with this seed.
    #[must_use]
    pub fn fate(&self, seed: u64, coord: ChunkCoord) -> Fate {
        let mut rng = [coord.x, coord.y, coord.z].into_iter().fold(
            Pcg64Mcg::seed_from_u64(!seed),
            |mut rng, part| {
                Pcg64Mcg::seed_from_u64(rng.next_u64() ^ u64::from(part.cast_unsigned()))
            },
        );
        let draw: f64 = rng.random();
        if draw < self.panics / 2.0 {
            Fate::Broken
        } else if draw < self.panics {
            Fate::Recovers
        } else if draw < self.panics + self.slow {
            Fate::Slow
        } else {
            Fate::Sound
        }
    }

    /// The workload's generator with these faults.
    #[must_use]
    pub fn generator<T: Send + Sync + 'static>(
        self,
        seed: u64,
        workload: &Workload<T>,
    ) -> Generator<ChunkCoord, T> {
        let make = Arc::clone(&workload.make);
        let fate = move |coord| match self {
            Self::NONE => Fate::Sound,
            faults => faults.fate(seed, coord),
        };
        let befall = move |job: &Job<ChunkCoord>| match fate(job.key()) {
            Fate::Broken => panic_quietly(job),
            Fate::Recovers if job.attempt() == 1 => panic_quietly(job),
            // The thread sleeps and is not free for another job, as during a long computation.
            Fate::Slow => std::thread::sleep(self.delay),
            Fate::Sound | Fate::Recovers => {}
        };
        let at_level = workload.at_level.clone();
        let generator = match workload.keep.clone() {
            None => Generator::fallible(move |job| {
                befall(job);
                let whole = make(job)?;
                Ok::<_, GenerateError>(level_of(at_level.as_deref(), job, whole))
            }),
            Some(keep) => Generator::from_async(move |job: Job<ChunkCoord>| {
                befall(&job);
                let (at_level, kept) = (at_level.clone(), keep(job.clone(), Arc::clone(&make)));
                async move {
                    let whole = kept.await?;
                    Ok::<_, GenerateError>(level_of(at_level.as_deref(), &job, whole))
                }
            }),
        };
        match workload.known_empty.clone() {
            // What has a fault needs its generator to have it in.
            Some(known_empty) => generator.with_known_empty(move |coord| {
                known_empty(*coord).filter(|_| fate(*coord) == Fate::Sound)
            }),
            None => generator,
        }
    }
}

fn level_of<T>(at_level: Option<&AtLevel<T>>, job: &Job<ChunkCoord>, whole: T) -> T {
    match at_level {
        Some(at_level) => at_level(job, whole),
        None => whole,
    }
}

/// Panics with each sort of payload in turn, without the panic hook, which would print a backtrace for each.
fn panic_quietly(job: &Job<ChunkCoord>) {
    let ChunkCoord { x, z, .. } = job.key();
    match (x ^ z).rem_euclid(3) {
        0 => resume_unwind(Box::new("injected panic")),
        1 => resume_unwind(Box::new(format!("injected panic in chunk {x}, {z}"))),
        _ => resume_unwind(Box::new(job.key())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(faults: Faults, seed: u64) -> Vec<Fate> {
        let coords = (0..100).flat_map(|x| (0..100).map(move |z| ChunkCoord::planar(x, z)));
        coords.map(|coord| faults.fate(seed, coord)).collect()
    }

    #[test]
    fn the_shares_are_about_what_was_asked_for() {
        let faults = Faults {
            panics: 0.2,
            slow: 0.3,
            delay: Duration::ZERO,
        };
        for (fate, expected) in [
            (Fate::Broken, 0.1),
            (Fate::Recovers, 0.1),
            (Fate::Slow, 0.3),
            (Fate::Sound, 0.5),
        ] {
            let hit = fates(faults, 1).into_iter().filter(|it| *it == fate);
            let share = hit.count() as f64 / 10_000.0;
            assert!((share - expected).abs() < 0.03, "{fate:?}: {share}");
        }
        assert_eq!(fates(Faults::NONE, 1), [Fate::Sound; 10_000]);
    }

    #[test]
    fn another_seed_hits_other_chunks() {
        let faults = Faults {
            panics: 0.5,
            ..Faults::NONE
        };
        assert_eq!(fates(faults, 1), fates(faults, 1));
        assert_ne!(fates(faults, 1), fates(faults, 2));
    }
}
