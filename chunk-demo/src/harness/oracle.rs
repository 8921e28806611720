//! Which chunks should be loaded, worked out from the viewers' true positions and from nothing that the stream reports.

use std::time::Duration;

use ahash::AHashMap;
use bevy_math::Vec3;
use chunk_coord::{ChunkCoord, ChunkGrid};

use super::faults::{Fate, Faults};
use super::settings::{Settings, SettingsError};

/// Follows the viewers and knows of every chunk around them since when it is wanted.
#[derive(Debug)]
pub(super) struct Oracle {
    grid: ChunkGrid,
    near: Shape,
    load: Shape,
    unload: Shape,
    faults: Faults,
    seed: u64,
    viewers: Vec<Option<ChunkCoord>>,
    demands: AHashMap<ChunkCoord, Demand>,
    entered: u64,
}

/// The chunks around a viewer: a disc of chunks, with so many of them above and below.
#[derive(Clone, Copy, Debug)]
struct Shape {
    radius: u32,
    half_height: u32,
}

impl Shape {
    fn contains(self, centre: ChunkCoord, coord: ChunkCoord) -> bool {
        let flat = ChunkCoord {
            y: centre.y,
            ..coord
        };
        let is_level = coord.y.abs_diff(centre.y) <= self.half_height;
        is_level && centre.distance_sq(flat) <= u64::from(self.radius).pow(2)
    }

    /// The chunks around a centre.
    fn around(self, centre: ChunkCoord) -> impl Iterator<Item = ChunkCoord> {
        let [radius, height] = [self.radius, self.half_height].map(u32::cast_signed);
        let levels = (-height..=height).flat_map(move |y| (-radius..=radius).map(move |x| (x, y)));
        let offsets = levels.flat_map(move |(x, y)| (-radius..=radius).map(move |z| (x, y, z)));
        let coords = offsets.map(move |(x, y, z)| centre.saturating_offset(x, y, z));
        coords.filter(move |coord| self.contains(centre, *coord))
    }
}

/// Who wants one chunk that is within the unload radius of a viewer.
#[derive(Clone, Copy, Debug, Default)]
struct Demand {
    /// Viewers to which the chunk is near.
    near: u32,
    /// Viewers within whose load radius it is.
    load: u32,
    /// Viewers within whose unload radius it is.
    keep: u32,
    /// Whether some viewer came to want it and has kept it since.
    is_kept: bool,
    /// Whether its generator never succeeds.
    is_broken: bool,
    is_loaded: bool,
    wanted_since: Duration,
    wanted_since_frame: u64,
}

/// How the viewers moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// All are in the chunks they were in.
    None,
    /// Some are in other chunks.
    Step,
    /// Some are so far away that they want none of the chunks they wanted.
    Leap,
}

/// How many wanted chunks were loaded in a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Coverage {
    /// Chunks within the load radius of a viewer.
    pub(super) wanted: usize,
    /// How many of those were loaded.
    pub(super) loaded: usize,
    /// How many near a viewer were not loaded, though their generator can succeed.
    pub(super) near_missing: usize,
    /// How many were unloaded while a viewer wanted them.
    pub(super) vanished: usize,
}

/// Chunks within this distance of a viewer are near it, or within half the load radius if that is less.
const NEAR: u32 = 6;

impl Oracle {
    pub(super) fn new(settings: &Settings, faults: Faults) -> Result<Self, SettingsError> {
        let load = Shape {
            radius: settings.radius,
            half_height: settings.half_height,
        };
        // The band between loading and unloading is as wide above and below as it is around.
        let band = match settings.half_height {
            0 => 0,
            _ => settings.unload_radius - settings.radius,
        };
        Ok(Self {
            grid: settings.grid()?,
            near: Shape {
                radius: (settings.radius / 2).min(NEAR),
                ..load
            },
            load,
            unload: Shape {
                radius: settings.unload_radius,
                half_height: settings.half_height + band,
            },
            faults,
            seed: settings.seed,
            viewers: Vec::new(),
            demands: AHashMap::new(),
            entered: 0,
        })
    }

    /// How often a chunk became wanted that no viewer had kept, which is the most requests that are needed.
    pub(super) fn entered(&self) -> u64 {
        self.entered
    }

    /// Whether the chunk is within the unload radius of a viewer.
    pub(super) fn keeps(&self, coord: ChunkCoord) -> bool {
        self.demands.contains_key(&coord)
    }

    /// The frame in which a chunk became wanted, if it is wanted.
    pub(super) fn wanted_since_frame(&self, coord: ChunkCoord) -> Option<u64> {
        let demand = self.demands.get(&coord)?;
        (demand.load > 0).then_some(demand.wanted_since_frame)
    }

    /// Moves the viewers to these positions. A position that has no chunk leaves its viewer where it was.
    pub(super) fn move_viewers(
        &mut self,
        positions: impl Iterator<Item = Vec3>,
        frame: u64,
        now: Duration,
        is_loaded: impl Fn(ChunkCoord) -> bool,
    ) -> Move {
        let mut moved = Vec::new();
        for (number, position) in positions.enumerate() {
            if number == self.viewers.len() {
                self.viewers.push(None);
            }
            let from = self.viewers[number];
            if let Ok(to) = self.grid.coord_at(position)
                && from != Some(to)
            {
                self.viewers[number] = Some(to);
                moved.push((from, to));
            }
        }
        // All enter before any leaves: a chunk that one viewer leaves and another enters in the same frame stays wanted.
        for (from, to) in &moved {
            self.enter(*from, *to, frame, now, &is_loaded);
        }
        for (from, to) in &moved {
            if let Some(from) = from {
                self.leave(*from, *to);
            }
        }
        let is_leap = |(from, to): &(Option<ChunkCoord>, ChunkCoord)| {
            let far_sq = 4 * u64::from(self.load.radius).pow(2);
            from.is_some_and(|from| from.distance_sq(*to) > far_sq)
        };
        match moved.len() {
            0 => Move::None,
            _ if moved.iter().any(is_leap) => Move::Leap,
            _ => Move::Step,
        }
    }

    /// Compares every wanted chunk with what is loaded. `latency` gets the time since each newly loaded one was wanted.
    pub(super) fn compare(
        &mut self,
        now: Duration,
        is_loaded: impl Fn(ChunkCoord) -> bool,
        mut latency: impl FnMut(Duration),
    ) -> Coverage {
        let mut coverage = Coverage::default();
        for (coord, demand) in self.demands.iter_mut().filter(|(_, it)| it.load > 0) {
            let is_loaded = is_loaded(*coord);
            let was_loaded = core::mem::replace(&mut demand.is_loaded, is_loaded);
            let is_missing = !is_loaded && demand.near > 0 && !demand.is_broken;
            coverage.wanted += 1;
            coverage.loaded += usize::from(is_loaded);
            coverage.near_missing += usize::from(is_missing);
            coverage.vanished += usize::from(was_loaded && !is_loaded);
            if is_loaded && !was_loaded {
                latency(now.saturating_sub(demand.wanted_since));
            }
        }
        coverage
    }

    fn enter(
        &mut self,
        from: Option<ChunkCoord>,
        to: ChunkCoord,
        frame: u64,
        now: Duration,
        is_loaded: impl Fn(ChunkCoord) -> bool,
    ) {
        for coord in self.unload.around(to) {
            let entered = |shape: Shape| {
                let was_there = from.is_some_and(|from| shape.contains(from, coord));
                u32::from(shape.contains(to, coord) && !was_there)
            };
            let demand = self.demands.entry(coord).or_insert_with(|| Demand {
                is_broken: self.faults.fate(self.seed, coord) == Fate::Broken,
                ..Demand::default()
            });
            demand.near += entered(self.near);
            demand.keep += entered(self.unload);
            if entered(self.load) == 1 {
                if demand.load == 0 {
                    self.entered += u64::from(!demand.is_kept);
                    demand.is_kept = true;
                    demand.is_loaded = is_loaded(coord);
                    (demand.wanted_since, demand.wanted_since_frame) = (now, frame);
                }
                demand.load += 1;
            }
        }
    }

    fn leave(&mut self, from: ChunkCoord, to: ChunkCoord) {
        for coord in self.unload.around(from) {
            let left =
                |shape: Shape| u32::from(shape.contains(from, coord) && !shape.contains(to, coord));
            if let Some(demand) = self.demands.get_mut(&coord) {
                demand.near -= left(self.near);
                demand.load -= left(self.load);
                demand.keep -= left(self.unload);
                if demand.keep == 0 {
                    self.demands.remove(&coord);
                }
            }
        }
    }
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
        oracle.move_viewers(positions, frame, Duration::from_secs(frame), |_| false)
    }

    fn compare(
        oracle: &mut Oracle,
        is_loaded: impl Fn(ChunkCoord) -> bool,
    ) -> (Coverage, Vec<u64>) {
        let mut latencies = Vec::new();
        let coverage = oracle.compare(Duration::from_secs(100), is_loaded, |latency| {
            latencies.push(latency.as_secs());
        });
        (coverage, latencies)
    }

    #[test]
    fn an_empty_world_lacks_everything_within_the_load_radius() {
        let mut oracle = oracle(4, 6);
        assert_eq!(at(&mut oracle, 0, &[0]), Move::Step);
        let (coverage, latencies) = compare(&mut oracle, |_| false);
        assert_eq!((coverage.wanted, coverage.loaded), (49, 0));
        assert_eq!(coverage.near_missing, 13, "within half the radius");
        assert!(latencies.is_empty());
        assert_eq!(oracle.entered(), 49);
    }

    #[test]
    fn latency_counts_from_the_frame_whose_viewers_want_the_chunk() {
        let mut oracle = oracle(1, 1);
        at(&mut oracle, 90, &[0]);
        assert_eq!(compare(&mut oracle, |_| true).1, [10; 5]);
        assert!(compare(&mut oracle, |_| true).1.is_empty(), "each once");
        assert_eq!(at(&mut oracle, 99, &[0]), Move::None);
        assert_eq!(at(&mut oracle, 99, &[1]), Move::Step);
        assert_eq!(
            compare(&mut oracle, |_| true).1,
            [1; 3],
            "the three that came"
        );
        assert_eq!(
            oracle.wanted_since_frame(ChunkCoord::planar(2, 0)),
            Some(99)
        );
        assert_eq!(oracle.wanted_since_frame(ChunkCoord::planar(-1, 0)), None);
    }

    #[test]
    fn a_wanted_chunk_that_is_unloaded_has_vanished() {
        let mut oracle = oracle(2, 3);
        at(&mut oracle, 0, &[0]);
        compare(&mut oracle, |_| true);
        let (coverage, _) = compare(&mut oracle, |coord| coord != ChunkCoord::ORIGIN);
        assert_eq!((coverage.vanished, coverage.near_missing), (1, 1));
        // Between the load and the unload radius it may be unloaded.
        at(&mut oracle, 1, &[1]);
        let (coverage, _) = compare(&mut oracle, |coord| coord != ChunkCoord::planar(-2, 0));
        assert_eq!(coverage.vanished, 0);
    }

    #[test]
    fn a_volume_has_layers_above_and_below() {
        let settings = Settings {
            radius: 1,
            unload_radius: 2,
            half_height: 2,
            ..Settings::default()
        };
        let mut oracle = Oracle::new(&settings, Faults::NONE).expect("the settings make sense");
        assert_eq!(at(&mut oracle, 0, &[0]), Move::Step);
        assert_eq!(compare(&mut oracle, |_| false).0.wanted, 5 * 5);
        assert_eq!(oracle.demands.len(), 7 * 13, "with a band of one around it");
        assert!(oracle.keeps(ChunkCoord::new(2, 3, 0)) && !oracle.keeps(ChunkCoord::new(0, 4, 0)));
        assert_eq!(
            oracle.wanted_since_frame(ChunkCoord::new(1, -2, 0)),
            Some(0)
        );
        assert_eq!(oracle.wanted_since_frame(ChunkCoord::new(0, 3, 0)), None);
        let range = settings.streaming().expect("it makes sense").range;
        let range = range.expect("it is given");
        let demanded = oracle.demands.keys();
        assert!(
            demanded
                .copied()
                .all(|coord| range.unload().contains(ChunkCoord::ORIGIN, coord))
        );
    }

    #[test]
    fn within_the_hysteresis_nothing_enters_twice_and_beyond_it_everything_does() {
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
        assert_eq!(compare(&mut oracle, |_| false).0.wanted, 58);
        // Two viewers exchange their positions.
        at(&mut oracle, 2, &[500, 0, 500]);
        assert_eq!(oracle.entered(), 58);
        at(&mut oracle, 3, &[500, 500, 500]);
        assert_eq!(compare(&mut oracle, |_| false).0.wanted, 29);
        assert_eq!(oracle.demands.len(), 29);
    }

    #[test]
    fn a_broken_chunk_is_not_missing_near_a_viewer() {
        let faults = Faults {
            panics: 1.0,
            ..Faults::NONE
        };
        let mut oracle =
            Oracle::new(&Settings::default(), faults).expect("the settings make sense");
        at(&mut oracle, 0, &[0]);
        let (coverage, _) = compare(&mut oracle, |_| false);
        // Half of all are broken, the others only at first.
        assert!((30..80).contains(&coverage.near_missing), "{coverage:?}");
    }
}
