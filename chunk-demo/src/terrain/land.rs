//! How high the land is, at the samples of a grid over all the world.

use fastnoise_lite::{FastNoiseLite, NoiseType};

use super::config::TerrainConfig;

/// The land of a terrain: the height of each sample depends on the seed and its place alone.
///
/// Noise is added up in octaves, each half as wide and half as high as the one before. Two changes make hills and mountains
/// of it:
/// - An octave counts for less the steeper those before it are, as if water had carried its detail away: slopes become
///   smooth and tops rough. This is Inigo Quilez, "Value noise derivatives" (2008),
///   <https://iquilezles.org/articles/morenoise/>: `sum += amplitude * noise / (1 + slope²)`, where `slope` is the sum of the
///   gradients so far, each in units of its own octave.
/// - Where a wide noise says so, there are mountains: octaves are folded to `1 − 2·|noise|`, which makes ridges, as in the
///   multifractals of F. Kenton Musgrave in Ebert et al., "Texturing and Modeling: A Procedural Approach".
///
/// Gradients are differences of neighbouring samples, which costs one value of the noise for each sample instead of three.
pub(super) struct Land {
    /// The distance of samples, in metres.
    step: f64,
    relief: f32,
    plains: f32,
    mountains: FastNoiseLite,
    octaves: Vec<Octave>,
}

struct Octave {
    noise: FastNoiseLite,
    /// In metres.
    wavelength: f64,
    amplitude: f32,
}

/// The widest octave, in metres.
const WIDEST: f64 = 1_600.0;
/// How far it is from one range of mountains to the next, in metres.
const BETWEEN_RANGES: f64 = 5_000.0;
/// How high hills are where there are no mountains, as a part of these.
const HILLS: f32 = 0.25;
/// How much slopes take away of the octaves on them.
const DAMPING: f32 = 0.06;
/// How round ridges are, as a part of the height of their octave.
const ROUND: f32 = 0.2;
const MOST_OCTAVES: usize = 10;
/// The land is mirrored at this distance from the origin, again and again, so that the noise is exact anywhere: a `f32`
/// has no digits for the metres of a coordinate of 2³¹ chunks. Mirrored land has no cliff, as repeated land would have.
const MIRROR: f64 = 131_072.0;

impl Land {
    pub(super) fn new(config: &TerrainConfig) -> Self {
        let step = f64::from(config.chunk_size) / f64::from(config.cells);
        let noise = |number: usize| {
            // The seed of noise has 32 bits.
            let seed = (config.seed ^ (config.seed >> 32)) as u32;
            let seed = seed.wrapping_mul(0x9e37_79b1).wrapping_add(number as u32);
            let mut noise = FastNoiseLite::with_seed(seed.cast_signed());
            noise.set_noise_type(Some(NoiseType::OpenSimplex2));
            noise.set_frequency(Some(1.0));
            noise
        };
        let octave = |number: usize| {
            let halvings = number as i32;
            Octave {
                noise: noise(number + 1),
                wavelength: WIDEST * 0.5_f64.powi(halvings),
                amplitude: 0.5_f32.powi(halvings + 1),
            }
        };
        let octaves = (0..MOST_OCTAVES).map(octave);
        Self {
            step,
            relief: config.relief,
            plains: config.plains,
            mountains: noise(0),
            octaves: octaves
                .take_while(|it| it.wavelength >= 4.0 * step)
                .collect(),
        }
    }

    /// The heights of `side` × `side` samples in metres, those of one x after each other. `first` is the number of the first
    /// sample along x and z, counted from the world's origin.
    pub(super) fn samples(&self, first: [i64; 2], side: usize) -> Vec<f32> {
        // One more on each side, for the slopes.
        let wide = side + 2;
        let places = |first: i64| -> Vec<f64> {
            let numbers = first - 1..first - 1 + wide as i64;
            numbers
                .map(|number| mirrored(number as f64 * self.step))
                .collect()
        };
        let [xs, zs] = first.map(places);
        let all = |noise: &FastNoiseLite, wavelength: f64| {
            let mut values = Vec::with_capacity(wide * wide);
            for x in &xs {
                let x = (x / wavelength) as f32;
                values.extend(
                    zs.iter()
                        .map(|z| noise.get_noise_2d(x, (z / wavelength) as f32)),
                );
            }
            values
        };
        let mut mountains = all(&self.mountains, BETWEEN_RANGES);
        for value in &mut mountains {
            *value = smooth_step((*value + 0.5) / 0.9);
        }

        let mut sums = vec![(0.0_f32, [0.0_f32; 2]); side * side];
        for octave in &self.octaves {
            let mut signal = all(&octave.noise, octave.wavelength);
            for (value, mountains) in signal.iter_mut().zip(&mountains) {
                let ridge = 1.0 - 2.0 * (*value * *value + ROUND * ROUND).sqrt();
                *value += (ridge - *value) * mountains;
            }
            let per_wavelength = (octave.wavelength / (2.0 * self.step)) as f32;
            for (row, sums) in sums.chunks_exact_mut(side).enumerate() {
                for (column, (sum, slope)) in sums.iter_mut().enumerate() {
                    let at = (row + 1) * wide + column + 1;
                    let steepness = slope[0] * slope[0] + slope[1] * slope[1];
                    *sum += octave.amplitude * signal[at] / (1.0 + DAMPING * steepness);
                    slope[0] += (signal[at + wide] - signal[at - wide]) * per_wavelength;
                    slope[1] += (signal[at + 1] - signal[at - 1]) * per_wavelength;
                }
            }
        }
        let heights = sums.iter().enumerate().map(|(number, (sum, _))| {
            let at = (number / side + 1) * wide + number % side + 1;
            self.plains + self.relief * (HILLS + (1.0 - HILLS) * mountains[at]) * sum
        });
        heights.collect()
    }
}

/// A place as it is in the part of the world that is not mirrored.
fn mirrored(metres: f64) -> f64 {
    // So that no mirror is near the origin.
    let place = (metres + MIRROR / 2.0).rem_euclid(2.0 * MIRROR);
    place.min(2.0 * MIRROR - place)
}

/// From 0 to 1, flat at both ends.
fn smooth_step(value: f32) -> f32 {
    let value = value.clamp(0.0, 1.0);
    value * value * (3.0 - 2.0 * value)
}
