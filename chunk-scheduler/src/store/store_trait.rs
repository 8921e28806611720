//! What a place for saved values must be able to do.

use super::error::StoreError;
use std::{future::Future, pin::Pin};

/// What a [`Store`] answers with.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Where saved values live: bytes under names. It knows neither keys nor what the bytes mean; an
/// [`Archive`](crate::store::Archive) does.
///
/// Names are not empty, and have no other characters than `A`–`Z`, `a`–`z`, `0`–`9` and `,-._/`; none begins or ends with
/// `/`, or has two of them in a row. All methods may be called at the same time from any thread and any executor, and none
/// may block the thread that polls for longer than a short read takes. A future that is dropped half-way may or may not
/// have its effect, and may have it later, even after another call for the same name has ended: who needs an order waits
/// for each call to end.
pub trait Store: Send + Sync + 'static {
    /// The bytes under `name`; `None` if there are none, which nothing but a look at the place itself may say.
    fn load<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<Vec<u8>>>;

    /// Puts each of these bytes under its name, in place of what was there. Without an error all of them are durable:
    /// they survive the end of the process and of the machine. After an error each name has its former bytes or its new
    /// ones, and never a mixture.
    fn save<'a>(&'a self, batch: &'a [(String, Vec<u8>)]) -> StoreFuture<'a, ()>;

    /// Puts `bytes` under `name`, durable, if there are none, also among processes that do so at once. Otherwise changes nothing
    /// and returns what is there.
    fn create<'a>(&'a self, name: &'a str, bytes: &'a [u8]) -> StoreFuture<'a, Option<Vec<u8>>>;

    /// Removes the bytes under `name`, durable, if there are any.
    fn remove<'a>(&'a self, name: &'a str) -> StoreFuture<'a, ()>;

    /// The names that begin with `prefix`, in the order of their characters. For tools: it takes as long as the store is
    /// large.
    fn list<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<String>>;

    /// How many calls of [`save`](Self::save) are worth making at the same time. One, unless it says more.
    fn max_writes(&self) -> usize {
        1
    }
}
