//! Why a configuration is refused.

use std::{error::Error, fmt, time::Duration};

/// A field of the configuration has an invalid value.
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
    /// The value is outside of the documented range.
    OutOfRange,
    /// An upper bound is below its lower bound.
    Inverted,
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

/// Refuses `value` unless it `is_valid`.
pub(super) fn in_range(
    field: &'static str,
    value: impl fmt::Display,
    is_valid: bool,
) -> Result<(), ConfigError> {
    check(ConfigErrorKind::OutOfRange, field, value, is_valid)
}

/// Refuses an upper bound below its lower bound, which has the name `lower_field`.
pub(super) fn not_inverted<T: PartialOrd + fmt::Debug>(
    field: &'static str,
    value: T,
    lower_field: &'static str,
    lower: T,
) -> Result<(), ConfigError> {
    let is_valid = value >= lower;
    let text = format_args!("{value:?} < {lower_field} {lower:?}");
    check(ConfigErrorKind::Inverted, field, text, is_valid)
}

fn check(
    kind: ConfigErrorKind,
    field: &'static str,
    value: impl fmt::Display,
    is_valid: bool,
) -> Result<(), ConfigError> {
    if is_valid {
        return Ok(());
    }
    let value = value.to_string();
    Err(ConfigError { kind, field, value })
}

/// Refuses no time at all.
pub(super) fn not_zero(field: &'static str, value: Duration) -> Result<(), ConfigError> {
    in_range(field, "0 s", !value.is_zero())
}
