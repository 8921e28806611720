//! Why a generator made nothing.

use std::{fmt::Display, time::Duration};

/// Why a generator made nothing, which decides what becomes of its job.
///
/// Every error that can be displayed becomes [`Transient`](Self::Transient), so that `?` works. That is also why this type
/// cannot be displayed itself.
///
/// ```
/// use chunk_scheduler::{GenerateError, Generator, Job};
/// use std::{fs, time::Duration};
///
/// fn load(job: &Job<u32>) -> Result<u32, GenerateError> {
///     if job.key() == 0 {
///         return Err(GenerateError::NotYet(Duration::from_millis(100)));
///     }
///     let text = fs::read_to_string(format!("{}.txt", job.key()))?;
///     text.parse().map_err(GenerateError::permanent)
/// }
/// let generator = Generator::fallible(load);
/// # let _: Generator<u32, u32> = generator;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GenerateError {
    /// It may work later, such as after an outage of a network. The job is tried again by the
    /// [`RetryPolicy`](crate::RetryPolicy). The text becomes [`Failure::message`](crate::Failure::message).
    Transient(String),
    /// It cannot work, such as with a damaged file. The job fails at once, whatever attempts are left, and its key is
    /// quarantined. The text becomes [`Failure::message`](crate::Failure::message).
    Permanent(String),
    /// What it needs is not there yet. It is asked for again after this time, at the earliest in the next tick. That is no
    /// failure: it costs none of the attempts, and only [`Counters::not_yet`](crate::Counters::not_yet) and
    /// [`Scheduler::explain`](crate::Scheduler::explain) tell it. There is no limit on how often a generator may say this,
    /// and its job stays live meanwhile.
    ///
    /// While other jobs wait to start, no more of these jobs are queued again in a tick than attempts have made a result or
    /// failed since the last one, so that they leave the others at least half of the attempts. With
    /// [`Duration::MAX`] it is not asked for again, until it is refreshed or requested again after it was cancelled.
    NotYet(Duration),
}

impl GenerateError {
    /// A [`Permanent`](Self::Permanent) failure with the text of `error`, for `map_err`.
    #[must_use]
    pub fn permanent(error: impl Display) -> Self {
        Self::Permanent(text(error))
    }
}

impl<E: Display> From<E> for GenerateError {
    fn from(error: E) -> Self {
        Self::Transient(text(error))
    }
}

/// In the alternate form, error types such as `anyhow::Error` include their causes.
fn text(error: impl Display) -> String {
    format!("{error:#}")
}
