//! The only file that names a lock, an atomic, a thread or the machine's clock.

pub(crate) use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
#[cfg(feature = "streaming")]
pub(crate) use std::sync::{
    Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak,
    atomic::AtomicBool,
};

#[cfg(feature = "streaming")]
pub(crate) use std::thread::ThreadId;

/// The thread that calls this.
#[cfg(feature = "streaming")]
pub(crate) fn current_thread() -> ThreadId {
    std::thread::current().id()
}

/// Bevy's `Instant`, because the standard one panics in a browser.
pub(crate) use bevy_platform::time::Instant;
