//! Why something was not saved or not loaded.

use crate::job::GenerateError;
use std::{error::Error, fmt};

/// Why something was not saved or not loaded. It never means that there is nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    /// The name of the value, if it is about one.
    pub name: Option<String>,
    /// What is wrong.
    pub kind: StoreErrorKind,
    /// One clause that says more, with the value that is to blame. May be empty.
    pub message: String,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The address, the path or a setting makes no sense.
    Setting,
    /// The store cannot be reached, does not answer, or is in use. It may work later.
    Unavailable,
    /// There is no room left. It may work later.
    Full,
    /// It may be read and not written.
    ReadOnly,
    /// What is there was not made by this library, or by a newer one.
    Foreign,
    /// The value was cut short or changed.
    Damaged,
    /// The value was saved in a format that is newer than the newest one known.
    Newer {
        /// The format of the value.
        found: u32,
        /// The newest that the codec knows.
        known: u32,
    },
    /// The value is of another world.
    OtherWorld {
        /// The number of the world that it was saved in.
        found: u64,
        /// The number of this one.
        expected: u64,
    },
    /// The codec could not encode or decode the value, or panicked.
    Codec,
}

impl StoreError {
    /// An error that is about no value in particular.
    #[must_use]
    pub fn new(kind: StoreErrorKind, message: impl fmt::Display) -> Self {
        Self {
            name: None,
            kind,
            // In the alternate form, error types such as `anyhow::Error` include their causes.
            message: format!("{message:#}"),
        }
    }

    /// The same about one value.
    #[must_use]
    pub fn of(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Whether it may work later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(
            self.kind,
            StoreErrorKind::Unavailable | StoreErrorKind::Full
        )
    }

    /// What a generator answers that could not load: it is tried again if that may help, and otherwise its key is
    /// quarantined. It is never taken for an absent value.
    #[must_use]
    pub fn into_generate_error(self) -> GenerateError {
        if self.is_transient() {
            GenerateError::Transient(self.to_string())
        } else {
            GenerateError::Permanent(self.to_string())
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "the saved value {name} ")?,
            None => f.write_str("the store ")?,
        }
        match self.kind {
            StoreErrorKind::Setting => f.write_str("cannot be opened as asked")?,
            StoreErrorKind::Unavailable => f.write_str("cannot be reached")?,
            StoreErrorKind::Full => f.write_str("has no room")?,
            StoreErrorKind::ReadOnly => f.write_str("may not be written")?,
            StoreErrorKind::Foreign => f.write_str("was made by another program or a newer one")?,
            StoreErrorKind::Damaged => f.write_str("is damaged")?,
            StoreErrorKind::Newer { found, known } => {
                write!(f, "has format {found}, and {known} is the newest known")?;
            }
            StoreErrorKind::OtherWorld { found, expected } => {
                write!(f, "is of world {found:#x}, and this is world {expected:#x}")?;
            }
            StoreErrorKind::Codec => f.write_str("cannot be encoded or decoded")?,
        }
        if self.message.is_empty() {
            Ok(())
        } else {
            write!(f, ": {}", self.message)
        }
    }
}

impl Error for StoreError {}
