//! The only file that names a lock, an atomic or a clock, so that the model checker can replace them.

#[cfg(loom)]
use loom::sync as inner;
#[cfg(not(loom))]
use std::sync as inner;

pub(crate) use crossbeam_utils::CachePadded;
pub(crate) use inner::{
    MutexGuard,
    atomic::{AtomicBool, AtomicIsize, AtomicU32, AtomicU64, AtomicUsize, Ordering},
};
#[cfg(feature = "redb")]
use inner::{RwLockReadGuard, RwLockWriteGuard};
pub(crate) use std::sync::{Arc, Once, OnceLock, Weak};

#[cfg(loom)]
pub(crate) use loom::thread::ThreadId;
#[cfg(not(loom))]
pub(crate) use std::thread::ThreadId;

/// The thread that calls it.
pub(crate) fn this_thread() -> ThreadId {
    #[cfg(loom)]
    return loom::thread::current().id();
    #[cfg(not(loom))]
    std::thread::current().id()
}

/// Bevy's `Instant`, because the standard one panics in a browser.
#[cfg(not(loom))]
pub(crate) use bevy_platform::time::Instant;

/// A mutex without poisoning. The only user code that runs while one is locked are ranks and comparisons of keys and
/// priorities, whose panics are caught before they reach the guard, and hashes and comparisons of the keys of layers, whose
/// panics change nothing.
#[derive(Debug)]
pub(crate) struct Mutex<T>(inner::Mutex<T>);

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(inner::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// `None` where another thread holds the lock.
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(guard),
            Err(std::sync::TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(std::sync::TryLockError::WouldBlock) => None,
        }
    }

    /// Access through a unique borrow, which needs no locking.
    pub(crate) fn owned(&mut self) -> impl std::ops::DerefMut<Target = T> + '_ {
        #[cfg(loom)]
        return self.lock();
        #[cfg(not(loom))]
        self.0
            .get_mut()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A lock for many readers or one writer, without poisoning: nothing is half changed where the writer panics.
#[cfg(feature = "redb")]
pub(crate) struct RwLock<T>(inner::RwLock<T>);

#[cfg(feature = "redb")]
impl<T> RwLock<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(inner::RwLock::new(value))
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// `None` where a writer holds the lock or waits for it.
    pub(crate) fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        match self.0.try_read() {
            Ok(guard) => Some(guard),
            Err(std::sync::TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(std::sync::TryLockError::WouldBlock) => None,
        }
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// What a thread waits for that found a value in the making.
#[derive(Debug)]
pub(crate) struct Condvar(inner::Condvar);

impl Condvar {
    pub(crate) fn new() -> Self {
        Self(inner::Condvar::new())
    }

    pub(crate) fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
        self.0
            .wait(guard)
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}
