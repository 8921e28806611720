//! Why settings are refused.

use core::error::Error;
use core::fmt;

use crate::city::CityError;

/// What some settings must be, for a sentence.
pub(crate) const CHUNK_SIZES: &str = "20 to 10000 m";
pub(crate) const DENSITIES: &str = "15 to 2000 entities a chunk";

/// A setting that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    /// The setting, as it is called on the command line, without the dashes.
    pub setting: &'static str,
    /// The value it had.
    pub value: String,
    /// What it should have been.
    pub demand: String,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            setting,
            value,
            demand,
        } = self;
        write!(f, "--{setting} cannot be {value}: it must be {demand}")
    }
}

impl Error for SettingsError {}

impl From<CityError> for SettingsError {
    fn from(error: CityError) -> Self {
        let (setting, value, demand) = match error {
            CityError::ChunkSize(size) => ("chunk-size", size.to_string(), CHUNK_SIZES),
            CityError::Density(density) => ("density", density.to_string(), DENSITIES),
        };
        Self {
            setting,
            value,
            demand: demand.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_city_is_refused_in_the_same_words() {
        for (error, sentence) in [
            (
                CityError::Density(9),
                "--density cannot be 9: it must be 15 to 2000 entities a chunk",
            ),
            (
                CityError::ChunkSize(1.5),
                "--chunk-size cannot be 1.5: it must be 20 to 10000 m",
            ),
        ] {
            assert_eq!(SettingsError::from(error).to_string(), sentence);
        }
    }
}
