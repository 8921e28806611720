//! What should be there, worked out from where the viewers really are and from nothing that the stream says of itself.

use std::time::Duration;

use ahash::AHashMap;
use bevy_math::Vec3;
use chunk_coord::{ChunkCoord, ChunkGrid};

use crate::faults::{Fate, Faults};
use crate::settings::Settings;
use crate::settings_error::SettingsError;

/// Follows the viewers and says of every chunk around them since when it should be there.
#[derive(Debug)]
pub(crate) struct Oracle {
    grid: ChunkGrid,
    /// Squared radii, in chunks².
    near_sq: i64,
    load_sq: i64,
    keep_sq: i64,
    /// The widest of the three, in chunks.
    reach: i32,
    faults: Faults,
    seed: u64,
    viewers: Vec<Option<ChunkCoord>>,
    places: AHashMap<ChunkCoord, Place>,
    entered: u64,
}

/// One chunk within the unload radius of a viewer.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// Viewers to which it is near.
    near: u32,
    /// Viewers within whose load radius it is.
    load: u32,
    /// Viewers within whose unload radius it is.
    keep: u32,
    /// Whether some viewer came to want it and none has left it behind since.
    is_held: bool,
    /// Whether it never can be there.
    is_broken: bool,
    is_shown: bool,
    demanded_at: Duration,
    demanded_in: u64,
}

/// How the viewers moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// All are in the chunks they were in.
    None,
    /// Some are in other chunks.
    Step,
    /// Some are so far away that they see nothing of what they saw.
    Leap,
}

/// What there was to be seen in a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sight {
    /// Chunks within the load radius of a viewer.
    pub(crate) demanded: usize,
    /// How many of those were there.
    pub(crate) present: usize,
    /// How many near a viewer were not there, though they can be.
    pub(crate) near_missing: usize,
    /// How many went away though a viewer looked at them.
    pub(crate) vanished: usize,
}

/// Chunks at most so far from a viewer are near it, or half the load radius if that is less.
const NEAR: u32 = 6;

impl Oracle {
    pub(crate) fn new(settings: &Settings, faults: Faults) -> Result<Self, SettingsError> {
        let square = |radius: u32| i64::from(radius).pow(2);
        Ok(Self {
            grid: settings.grid()?,
            near_sq: square((settings.radius / 2).min(NEAR)),
            load_sq: square(settings.radius),
            keep_sq: square(settings.unload_radius),
            reach: settings.unload_radius.cast_signed(),
            faults,
            seed: settings.seed,
            viewers: Vec::new(),
            places: AHashMap::new(),
            entered: 0,
        })
    }

    /// How often a chunk came to be wanted that no viewer had kept: as often as one has to be asked for at most.
    pub(crate) fn entered(&self) -> u64 {
        self.entered
    }

    /// The frame in which a chunk came to be wanted, if it is wanted.
    pub(crate) fn demanded_in(&self, coord: ChunkCoord) -> Option<u64> {
        let place = self.places.get(&coord)?;
        (place.load > 0).then_some(place.demanded_in)
    }

    /// The viewers are here from now on. A position that has no chunk leaves its viewer where it was.
    pub(crate) fn see(
        &mut self,
        positions: impl Iterator<Item = Vec3>,
        frame: u64,
        now: Duration,
        is_there: impl Fn(ChunkCoord) -> bool,
    ) -> Move {
        let mut moved = Vec::new();
        for (number, position) in positions.enumerate() {
            if number == self.viewers.len() {
                self.viewers.push(None);
            }
            let was = self.viewers[number];
            if let Ok(coord) = self.grid.coord_at(position)
                && was != Some(coord)
            {
                self.viewers[number] = Some(coord);
                moved.push((was, coord));
            }
        }
        // Whatever one viewer leaves and another comes to in the same frame stays.
        for (was, is) in &moved {
            self.enter(*was, *is, frame, now, &is_there);
        }
        for (was, is) in &moved {
            if let Some(was) = was {
                self.leave(*was, *is);
            }
        }
        let is_leap = |(was, is): &(Option<ChunkCoord>, ChunkCoord)| {
            was.is_some_and(|was| distance_sq(was, *is) > 4 * self.load_sq)
        };
        match moved.len() {
            0 => Move::None,
            _ if moved.iter().any(is_leap) => Move::Leap,
            _ => Move::Step,
        }
    }

    /// Looks at every wanted chunk. `latency` is told of those that are there for the first time.
    pub(crate) fn look(
        &mut self,
        now: Duration,
        is_there: impl Fn(ChunkCoord) -> bool,
        mut latency: impl FnMut(Duration),
    ) -> Sight {
        let mut sight = Sight::default();
        for (coord, place) in self.places.iter_mut().filter(|(_, place)| place.load > 0) {
            let is_present = is_there(*coord);
            let was_shown = core::mem::replace(&mut place.is_shown, is_present);
            sight.demanded += 1;
            sight.present += usize::from(is_present);
            sight.near_missing += usize::from(!is_present && place.near > 0 && !place.is_broken);
            sight.vanished += usize::from(was_shown && !is_present);
            if is_present && !was_shown {
                latency(now.saturating_sub(place.demanded_at));
            }
        }
        sight
    }

    fn enter(
        &mut self,
        was: Option<ChunkCoord>,
        is: ChunkCoord,
        frame: u64,
        now: Duration,
        is_there: impl Fn(ChunkCoord) -> bool,
    ) {
        for coord in around(is, self.reach) {
            let new_sq = distance_sq(is, coord);
            if new_sq > self.keep_sq {
                continue;
            }
            let old_sq = was.map_or(i64::MAX, |was| distance_sq(was, coord));
            let entered = |radius_sq| u32::from(new_sq <= radius_sq && old_sq > radius_sq);
            let place = self.places.entry(coord).or_insert_with(|| Place {
                is_broken: self.faults.fate(self.seed, coord) == Fate::Broken,
                ..Place::default()
            });
            place.near += entered(self.near_sq);
            place.keep += entered(self.keep_sq);
            if entered(self.load_sq) == 1 {
                if place.load == 0 {
                    self.entered += u64::from(!place.is_held);
                    place.is_held = true;
                    place.is_shown = is_there(coord);
                    (place.demanded_at, place.demanded_in) = (now, frame);
                }
                place.load += 1;
            }
        }
    }

    fn leave(&mut self, was: ChunkCoord, is: ChunkCoord) {
        for coord in around(was, self.reach) {
            let old_sq = distance_sq(was, coord);
            if old_sq > self.keep_sq {
                continue;
            }
            let new_sq = distance_sq(is, coord);
            let left = |radius_sq| u32::from(old_sq <= radius_sq && new_sq > radius_sq);
            if let Some(place) = self.places.get_mut(&coord) {
                place.near -= left(self.near_sq);
                place.load -= left(self.load_sq);
                place.keep -= left(self.keep_sq);
                if place.keep == 0 {
                    self.places.remove(&coord);
                }
            }
        }
    }
}

fn distance_sq(a: ChunkCoord, b: ChunkCoord) -> i64 {
    let (x, z) = (
        i64::from(a.x) - i64::from(b.x),
        i64::from(a.z) - i64::from(b.z),
    );
    x * x + z * z
}

/// The square of chunks around a centre, that far to each side.
fn around(centre: ChunkCoord, reach: i32) -> impl Iterator<Item = ChunkCoord> {
    (-reach..=reach)
        .flat_map(move |x| (-reach..=reach).map(move |z| centre.saturating_offset(x, 0, z)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oracle(radius: u32, unload_radius: u32) -> Oracle {
        let settings = Settings {
            radius,
            unload_radius,
            ..Settings::default()
        };
        Oracle::new(&settings, Faults::NONE).expect("the settings make sense")
    }

    fn at(oracle: &mut Oracle, frame: u64, chunks: &[i32]) -> Move {
        let positions = chunks
            .iter()
            .map(|x| Vec3::new(*x as f32 * 200.0 + 1.0, 0.0, 1.0));
        oracle.see(positions, frame, Duration::from_secs(frame), |_| false)
    }

    fn look(oracle: &mut Oracle, is_there: impl Fn(ChunkCoord) -> bool) -> (Sight, Vec<u64>) {
        let mut latencies = Vec::new();
        let sight = oracle.look(Duration::from_secs(100), is_there, |latency| {
            latencies.push(latency.as_secs());
        });
        (sight, latencies)
    }

    #[test]
    fn an_empty_world_lacks_everything_within_the_load_radius() {
        let mut oracle = oracle(4, 6);
        assert_eq!(at(&mut oracle, 0, &[0]), Move::Step);
        let (sight, latencies) = look(&mut oracle, |_| false);
        assert_eq!((sight.demanded, sight.present), (49, 0));
        assert_eq!(sight.near_missing, 13, "within half the radius");
        assert!(latencies.is_empty());
        assert_eq!(oracle.entered(), 49);
    }

    #[test]
    fn latency_counts_from_the_frame_whose_viewers_want_the_chunk() {
        let mut oracle = oracle(1, 1);
        at(&mut oracle, 90, &[0]);
        assert_eq!(look(&mut oracle, |_| true).1, [10; 5]);
        assert!(look(&mut oracle, |_| true).1.is_empty(), "each once");
        assert_eq!(at(&mut oracle, 99, &[0]), Move::None);
        assert_eq!(at(&mut oracle, 99, &[1]), Move::Step);
        assert_eq!(look(&mut oracle, |_| true).1, [1; 3], "the three that came");
        assert_eq!(oracle.demanded_in(ChunkCoord::planar(2, 0)), Some(99));
        assert_eq!(oracle.demanded_in(ChunkCoord::planar(-1, 0)), None);
    }

    #[test]
    fn a_chunk_that_goes_while_somebody_looks_has_vanished() {
        let mut oracle = oracle(2, 3);
        at(&mut oracle, 0, &[0]);
        look(&mut oracle, |_| true);
        let (sight, _) = look(&mut oracle, |coord| coord != ChunkCoord::ORIGIN);
        assert_eq!((sight.vanished, sight.near_missing), (1, 1));
        // In the band it may go.
        at(&mut oracle, 1, &[1]);
        let (sight, _) = look(&mut oracle, |coord| coord != ChunkCoord::planar(-2, 0));
        assert_eq!(sight.vanished, 0);
    }

    #[test]
    fn inside_the_band_nothing_enters_twice_and_beyond_it_everything_does() {
        let mut oracle = oracle(4, 6);
        at(&mut oracle, 0, &[0]);
        at(&mut oracle, 1, &[1]);
        let both = oracle.entered();
        for frame in 2..20 {
            at(&mut oracle, frame, &[frame as i32 % 2]);
        }
        assert_eq!(oracle.entered(), both);
        assert_eq!(at(&mut oracle, 20, &[1_000]), Move::Leap);
        at(&mut oracle, 21, &[0]);
        assert_eq!(oracle.entered(), both + 2 * 49);
    }

    #[test]
    fn what_several_viewers_want_is_wanted_once_and_until_the_last_is_gone() {
        let mut oracle = oracle(3, 3);
        at(&mut oracle, 0, &[0, 0, 0]);
        assert_eq!(oracle.entered(), 29);
        at(&mut oracle, 1, &[500, 500, 0]);
        assert_eq!(look(&mut oracle, |_| false).0.demanded, 58);
        // One takes the place of the other.
        at(&mut oracle, 2, &[500, 0, 500]);
        assert_eq!(oracle.entered(), 58);
        at(&mut oracle, 3, &[500, 500, 500]);
        assert_eq!(look(&mut oracle, |_| false).0.demanded, 29);
        assert_eq!(oracle.places.len(), 29);
    }

    #[test]
    fn a_broken_chunk_is_not_missed_near_a_viewer() {
        let faults = Faults {
            panics: 1.0,
            ..Faults::NONE
        };
        let mut oracle =
            Oracle::new(&Settings::default(), faults).expect("the settings make sense");
        at(&mut oracle, 0, &[0]);
        let (sight, _) = look(&mut oracle, |_| false);
        // Half of all are broken, the others only at first.
        assert!((30..80).contains(&sight.near_missing), "{sight:?}");
    }
}
