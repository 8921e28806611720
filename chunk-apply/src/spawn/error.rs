//! Why a chunk could not be spawned.

use core::{any::Any, fmt};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A spawner's reason for giving up on a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpawnError {
    message: String,
}

impl SpawnError {
    /// An error with a message for people.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }

    /// The message of a panic's payload: its text, or a sentence that says that it has none.
    fn from_panic(payload: Box<dyn Any + Send>) -> Self {
        let error = Self::new(if let Some(text) = payload.downcast_ref::<&'static str>() {
            (*text).to_owned()
        } else if let Some(text) = payload.downcast_ref::<String>() {
            text.clone()
        } else {
            "panicked with a payload that is not text".to_owned()
        });
        // The payload's own drop may panic as well; the first message is the one to report.
        let _ = catch_unwind(AssertUnwindSafe(move || drop(payload)));
        error
    }

    /// Runs user code and turns a panic in it into an error.
    pub(crate) fn catch<R>(run: impl FnOnce() -> R) -> Result<R, Self> {
        catch_unwind(AssertUnwindSafe(run)).map_err(Self::from_panic)
    }

    /// The message alone.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for SpawnError {}

impl From<String> for SpawnError {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<&str> for SpawnError {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}
