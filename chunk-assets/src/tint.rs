//! The colour of one instance.

use core::fmt;

use bevy_color::{Color, ColorToPacked, Srgba};
use bevy_mesh::MeshTag;
use bevy_reflect::{Reflect, std_traits::ReflectDefault};

/// The colour of one instance: packed sRGB, and how strongly it covers the material's own colour.
///
/// The shader reads it from the instance's [`MeshTag`], so instances in different colours still share one material
/// and one batch. Red is the lowest byte, the strength the highest. A tag of 0, which is also what an entity without a
/// [`MeshTag`] has, means the material's own colour.
///
/// ```
/// use chunk_assets::Tint;
///
/// let brick = Tint::srgb(178, 84, 60);
/// assert_eq!(brick.rgb(), [178, 84, 60]);
/// assert_eq!(Tint::from_bits(brick.to_bits()), brick);
/// assert!(Tint::OWN.is_own());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Reflect)]
#[reflect(Default, Clone, Debug, PartialEq, Hash)]
pub struct Tint(u32);

impl Tint {
    /// The material's own colour.
    pub const OWN: Self = Self(0);

    /// An opaque tint from 8-bit sRGB channels. It replaces the material's colour.
    #[must_use]
    pub const fn srgb(red: u8, green: u8, blue: u8) -> Self {
        Self(u32::from_le_bytes([red, green, blue, u8::MAX]))
    }

    /// The same colour laid over the material's own: 0 shows only the material, 255 only the tint. The shader mixes in
    /// linear light.
    #[must_use]
    pub const fn with_strength(self, strength: u8) -> Self {
        let [red, green, blue, _] = self.0.to_le_bytes();
        Self(u32::from_le_bytes([red, green, blue, strength]))
    }

    /// The 8-bit sRGB channels.
    #[must_use]
    pub const fn rgb(self) -> [u8; 3] {
        let [red, green, blue, _] = self.0.to_le_bytes();
        [red, green, blue]
    }

    /// How strongly the tint covers the material's own colour, from 0 (not at all) to 255 (fully).
    #[must_use]
    pub const fn strength(self) -> u8 {
        self.0.to_le_bytes()[3]
    }

    /// Whether the material's own colour is all that shows.
    #[must_use]
    pub const fn is_own(self) -> bool {
        self.strength() == 0
    }

    /// The number that the shader reads.
    #[must_use]
    pub const fn to_bits(self) -> u32 {
        self.0
    }

    /// The tint that [`to_bits`](Self::to_bits) gave these bits. Every number is a tint.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }
}

impl From<[u8; 3]> for Tint {
    /// The same as [`Tint::srgb`].
    fn from([red, green, blue]: [u8; 3]) -> Self {
        Self::srgb(red, green, blue)
    }
}

impl From<Color> for Tint {
    /// Rounds to 8 bits a channel; channels outside 0..=1 are clamped, NaN is 0, and alpha becomes the strength.
    fn from(colour: Color) -> Self {
        Self(u32::from_le_bytes(Srgba::from(colour).to_u8_array()))
    }
}

impl From<Tint> for MeshTag {
    fn from(tint: Tint) -> Self {
        let mut tag = Self::default();
        *tag = tint.0;
        tag
    }
}

impl From<&MeshTag> for Tint {
    fn from(tag: &MeshTag) -> Self {
        Self(**tag)
    }
}

impl fmt::Debug for Tint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.rgb();
        write!(
            f,
            "Tint(#{red:02x}{green:02x}{blue:02x} at {}/255)",
            self.strength()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_survive_packing() {
        for channel in 0..=u8::MAX {
            let tint = Tint::srgb(channel, 255 - channel, channel ^ 0x5a);
            assert_eq!(tint.rgb(), [channel, 255 - channel, channel ^ 0x5a]);
            assert_eq!(tint.strength(), 255);
            assert_eq!(Tint::from(&MeshTag::from(tint)), tint);
        }
    }

    #[test]
    fn black_is_a_colour_and_not_the_absence_of_one() {
        assert!(!Tint::srgb(0, 0, 0).is_own());
        assert_ne!(Tint::srgb(0, 0, 0), Tint::OWN);
        assert_eq!(Tint::from(&MeshTag::default()), Tint::OWN);
    }

    #[test]
    fn the_bytes_lie_as_the_shader_unpacks_them() {
        // `unpack4x8unorm` puts the lowest byte in x.
        assert_eq!(Tint::srgb(0x11, 0x22, 0x33).to_bits(), 0xff33_2211);
        assert_eq!(
            Tint::srgb(0x11, 0x22, 0x33).with_strength(0x80).to_bits(),
            0x8033_2211
        );
    }

    #[test]
    fn colours_out_of_range_are_clamped() {
        assert_eq!(
            Tint::from(Color::srgb(2.0, -1.0, f32::NAN)),
            Tint::srgb(255, 0, 0)
        );
        assert_eq!(Tint::from(Color::srgba(1.0, 1.0, 1.0, 0.0)).strength(), 0);
    }
}
