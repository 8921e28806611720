//! Why a configuration is refused.

use std::{error::Error, fmt, time::Duration};

use crate::worker::MAX_WORKERS;

/// A field of the configuration that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigError {
    /// What is wrong.
    pub kind: ConfigErrorKind,
    /// The path of the field in [`SchedulerConfig`](crate::SchedulerConfig).
    pub field: &'static str,
    /// The value it had.
    pub value: String,
}

/// What is wrong with the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigErrorKind {
    /// Outside of what the field's documentation allows.
    OutOfRange,
    /// An upper bound below its lower bound.
    Inverted,
}

impl ConfigError {
    pub(crate) fn new(kind: ConfigErrorKind, field: &'static str, value: String) -> Self {
        Self { kind, field, value }
    }

    pub(crate) fn count(field: &'static str, value: impl fmt::Display) -> Self {
        Self::new(ConfigErrorKind::OutOfRange, field, value.to_string())
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, value, .. } = self;
        match self.kind {
            ConfigErrorKind::OutOfRange => write!(f, "`{field}` cannot be {value}"),
            ConfigErrorKind::Inverted => write!(f, "`{field}` is below its lower bound: {value}"),
        }
    }
}

impl Error for ConfigError {}

pub(crate) fn check_in_flight(field: &'static str, value: usize) -> Result<(), ConfigError> {
    if (1..=MAX_WORKERS).contains(&value) {
        Ok(())
    } else {
        Err(ConfigError::count(field, value))
    }
}

pub(crate) fn at_least_one(field: &'static str, value: usize) -> Result<(), ConfigError> {
    if value == 0 {
        return Err(ConfigError::count(field, value));
    }
    Ok(())
}

pub(crate) fn not_zero(field: &'static str, value: Duration) -> Result<(), ConfigError> {
    if value.is_zero() {
        return Err(ConfigError::count(field, "0 s"));
    }
    Ok(())
}
