//! A dome around the camera, from the haze at the horizon to the blue overhead.

use core::f32::consts::{FRAC_PI_2, PI, TAU};

use bevy_asset::RenderAssetUsages;
use bevy_color::{Color, LinearRgba, Mix};
use bevy_math::Vec3;
use bevy_mesh::{Indices, Mesh, PrimitiveTopology};

/// What the air looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sky {
    /// Overhead.
    pub zenith: Color,
    /// A third of the way up.
    pub middle: Color,
    /// At the horizon, which is the colour of the fog too: what is far away melts into it.
    pub horizon: Color,
    /// Around the sun.
    pub glow: Color,
    /// Towards the sun. Of length 1.
    pub sun: Vec3,
}

impl Sky {
    /// A clear day, the sun high and behind who flies towards +x.
    #[must_use]
    pub fn clear_day() -> Self {
        Self {
            zenith: Color::srgb_u8(58, 112, 190),
            middle: Color::srgb_u8(116, 167, 222),
            horizon: Color::srgb_u8(196, 214, 228),
            glow: Color::srgb_u8(255, 243, 214),
            sun: Vec3::new(-0.52, 0.58, 0.62).normalize(),
        }
    }

    /// The colour that is seen in a direction of length 1.
    #[must_use]
    pub fn colour(&self, direction: Vec3) -> LinearRgba {
        let height = (direction.y.clamp(0.0, 1.0).asin() / FRAC_PI_2).powf(0.75);
        let [zenith, middle, horizon, glow] =
            [self.zenith, self.middle, self.horizon, self.glow].map(LinearRgba::from);
        let air = if height < MIDDLE {
            horizon.mix(&middle, height / MIDDLE)
        } else {
            middle.mix(&zenith, (height - MIDDLE) / (1.0 - MIDDLE))
        };
        // None at the horizon, where fog of one colour meets it from below.
        let near_sun = direction.dot(self.sun).max(0.0).powi(24) * (height * 4.0).min(1.0);
        air.mix(&glow, 0.8 * near_sun)
    }

    /// The dome, seen from inside, of radius 1.
    #[must_use]
    pub fn dome(&self) -> Mesh {
        let mut positions = Vec::with_capacity(((ROWS + 1) * (COLUMNS + 1)) as usize);
        for row in 0..=ROWS {
            // Rows lie closer to the horizon, where the colour changes most.
            let part = row as f32 / ROWS as f32;
            let height = LOWEST + (FRAC_PI_2 - LOWEST) * part.powf(1.5);
            for column in 0..=COLUMNS {
                let around = TAU * column as f32 / COLUMNS as f32;
                positions.push(Vec3::new(
                    around.cos() * height.cos(),
                    height.sin(),
                    around.sin() * height.cos(),
                ));
            }
        }
        let colours: Vec<[f32; 4]> = positions
            .iter()
            .map(|direction| {
                let LinearRgba {
                    red, green, blue, ..
                } = self.colour(*direction);
                [red, green, blue, 1.0]
            })
            .collect();
        let corner = |row: u32, column: u32| row * (COLUMNS + 1) + column;
        let quads = (0..ROWS).flat_map(|row| (0..COLUMNS).map(move |column| (row, column)));
        let indices = quads
            .flat_map(|(row, column)| {
                let [a, b] = [corner(row, column), corner(row, column + 1)];
                let [c, d] = [corner(row + 1, column), corner(row + 1, column + 1)];
                [a, b, c, c, b, d]
            })
            .collect();
        let normals: Vec<Vec3> = positions.iter().map(|direction| -*direction).collect();
        Mesh::new(
            PrimitiveTopology::TriangleList,
            RenderAssetUsages::default(),
        )
        .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, positions)
        .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, normals)
        .with_inserted_attribute(Mesh::ATTRIBUTE_COLOR, colours)
        .with_inserted_indices(Indices::U32(indices))
    }
}

/// The height of the middle colour, as a share of the way up.
const MIDDLE: f32 = 0.33;
const ROWS: u32 = 32;
const COLUMNS: u32 = 64;
/// The dome goes on below the horizon, which is seen from above.
const LOWEST: f32 = -PI / 12.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_horizon_has_the_colour_of_the_fog() {
        let sky = Sky::clear_day();
        let horizon = LinearRgba::from(sky.horizon);
        for direction in [Vec3::X, Vec3::NEG_Z, Vec3::new(0.8, -0.6, 0.0)] {
            assert_eq!(sky.colour(direction), horizon);
        }
    }

    #[test]
    fn it_is_brightest_at_the_sun_and_bluest_overhead() {
        let sky = Sky::clear_day();
        let (up, sun) = (sky.colour(Vec3::Y), sky.colour(sky.sun));
        assert!(up.blue > 2.0 * up.red, "{up:?}");
        assert!(sun.red > 2.0 * up.red, "{sun:?} {up:?}");
    }
}
