//! The user's code that makes the content.

use std::{fmt, future::Future, pin::Pin};

use super::{error::GenerateError, handle::Job, key::Key};
use crate::sync::Arc;

pub(crate) type Attempt<T> = Pin<Box<dyn Future<Output = Result<T, GenerateError>> + Send>>;
pub(crate) type KnownEmpty<K, T> = dyn Fn(&K) -> Option<T> + Send + Sync;

pub(crate) enum Make<K, T> {
    Now(Arc<dyn Fn(&Job<K>) -> Result<T, GenerateError> + Send + Sync>),
    Later(Arc<dyn Fn(Job<K>) -> Attempt<T> + Send + Sync>),
}

/// Turns a key into content, on a worker.
///
/// A generator must be a function of the key and of state that it synchronises itself, because it is called again for
/// the same key after a failure or a refresh. Two calls for one key never overlap.
///
/// ```
/// use chunk_scheduler::{Generator, Job};
///
/// let plain = Generator::new(|job: &Job<u32>| job.key() * 2);
/// let fallible = Generator::fallible(|job: &Job<u32>| job.key().checked_sub(1).ok_or("no chunk below zero"));
/// let waiting = Generator::from_async(|job: Job<u32>| async move {
///     job.checkpoint().await; // stands for reading a file
///     Ok::<_, std::io::Error>(job.key())
/// });
/// # let _: (Generator<u32, u32>, Generator<u32, u32>, Generator<u32, u32>) = (plain, fallible, waiting);
/// ```
pub struct Generator<K, T> {
    pub(crate) make: Make<K, T>,
    pub(crate) known_empty: Option<Arc<KnownEmpty<K, T>>>,
}

impl<K: Key, T: Send + 'static> Generator<K, T> {
    /// A function that always succeeds, or panics.
    #[must_use]
    pub fn new(make: impl Fn(&Job<K>) -> T + Send + Sync + 'static) -> Self {
        Self::made(Make::Now(Arc::new(move |job| Ok(make(job)))))
    }

    /// A function that can fail. Errors that can be displayed are transient; a [`GenerateError`] says more.
    #[must_use]
    pub fn fallible<E: Into<GenerateError>>(
        make: impl Fn(&Job<K>) -> Result<T, E> + Send + Sync + 'static,
    ) -> Self {
        Self::made(Make::Now(Arc::new(move |job| {
            make(job).map_err(Into::into)
        })))
    }

    /// A function that waits, for a disk or a network: meanwhile its thread runs other tasks. When the job is
    /// cancelled, the future is dropped at its next await. It can fail like [`fallible`](Self::fallible).
    #[must_use]
    pub fn from_async<F, E>(make: impl Fn(Job<K>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        E: Into<GenerateError>,
    {
        Self::made(Make::Later(Arc::new(move |job| {
            let attempt = make(job);
            Box::pin(async move { attempt.await.map_err(Into::into) })
        })))
    }

    /// A hook that answers at once for keys that are known to be empty (sky, the void below), so that they need no
    /// generator: the next drain delivers what it returns. It is called on the main thread for each new request, so
    /// it should take nanoseconds. Where it panics, or where the completed queue has no room for the answer, the key is
    /// generated as usual.
    #[must_use]
    pub fn with_known_empty(
        mut self,
        known_empty: impl Fn(&K) -> Option<T> + Send + Sync + 'static,
    ) -> Self {
        self.known_empty = Some(Arc::new(known_empty));
        self
    }

    fn made(make: Make<K, T>) -> Self {
        Self {
            make,
            known_empty: None,
        }
    }
}

impl<K, T> Clone for Generator<K, T> {
    fn clone(&self) -> Self {
        Self {
            make: match &self.make {
                Make::Now(make) => Make::Now(make.clone()),
                Make::Later(make) => Make::Later(make.clone()),
            },
            known_empty: self.known_empty.clone(),
        }
    }
}

impl<K, T> fmt::Debug for Generator<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator")
            .field("is_async", &matches!(self.make, Make::Later(_)))
            .field("knows_empty", &self.known_empty.is_some())
            .finish()
    }
}
