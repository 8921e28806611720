//! A dome around the camera, from the haze at the horizon to the blue overhead.

use core::f32::consts::FRAC_PI_2;

use bevy_color::{Color, ColorToComponents, LinearRgba, Mix};
use bevy_math::primitives::Sphere;
use bevy_math::{Quat, Vec3};
use bevy_mesh::{Mesh, Meshable, VertexAttributeValues};

/// The colours of the sky, and where the sun is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sky {
    /// Overhead.
    pub zenith: Color,
    /// A third of the way up.
    pub middle: Color,
    /// At the horizon. The fog has the same colour, so that what is far away fades into the sky.
    pub horizon: Color,
    /// Around the sun.
    pub glow: Color,
    /// The direction towards the sun, of length 1.
    pub sun: Vec3,
}

impl Sky {
    /// A clear day. The sun is high, and behind a viewer that flies towards +x.
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

    /// The colour in a direction of length 1.
    #[must_use]
    pub fn color(&self, direction: Vec3) -> LinearRgba {
        let height = (direction.y.clamp(0.0, 1.0).asin() / FRAC_PI_2).powf(0.75);
        let [zenith, middle, horizon, glow] =
            [self.zenith, self.middle, self.horizon, self.glow].map(LinearRgba::from);
        let air = if height < MIDDLE {
            horizon.mix(&middle, height / MIDDLE)
        } else {
            middle.mix(&zenith, (height - MIDDLE) / (1.0 - MIDDLE))
        };
        // The horizon has no glow, because the fog that meets it from below has one colour.
        let near_sun = direction.dot(self.sun).max(0.0).powi(24) * (height * 4.0).min(1.0);
        air.mix(&glow, 0.8 * near_sun)
    }

    /// A sphere of radius 1 that has the sky's colours inside. Its lower half is seen from above, beyond the ground.
    #[must_use]
    pub fn dome(&self) -> Mesh {
        // The rows are narrow, because the colour changes most with the height.
        let dome = Sphere::new(1.0).mesh().uv(64, 180);
        let dome = dome.rotated_by(Quat::from_rotation_x(FRAC_PI_2));
        let directions = dome.attribute(Mesh::ATTRIBUTE_POSITION);
        let directions = directions.and_then(VertexAttributeValues::as_float3);
        let colors: Vec<[f32; 4]> = (directions.unwrap_or_default().iter())
            .map(|direction| self.color((*direction).into()).to_f32_array())
            .collect();
        dome.with_inserted_attribute(Mesh::ATTRIBUTE_COLOR, colors)
    }
}

/// The height of the middle colour, as a share of the way up.
const MIDDLE: f32 = 0.33;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_horizon_has_the_colour_of_the_fog() {
        let sky = Sky::clear_day();
        let horizon = LinearRgba::from(sky.horizon);
        for direction in [Vec3::X, Vec3::NEG_Z, Vec3::new(0.8, -0.6, 0.0)] {
            assert_eq!(sky.color(direction), horizon);
        }
    }

    #[test]
    fn it_is_brightest_at_the_sun_and_bluest_overhead() {
        let sky = Sky::clear_day();
        let (up, sun) = (sky.color(Vec3::Y), sky.color(sky.sun));
        assert!(up.blue > 2.0 * up.red, "{up:?}");
        assert!(sun.red > 2.0 * up.red, "{sun:?} {up:?}");
    }
}
