//! The only permit that names a lock, an atomic or a clock: the model checker swaps them here.

pub(crate) use crossbeam_utils::CachePadded;
pub(crate) use std::sync::{Arc, Once};

#[cfg(loom)]
pub(crate) use loom::sync::{
    MutexGuard,
    atomic::{AtomicBool, AtomicIsize, AtomicU32, AtomicU64, AtomicUsize, Ordering},
};
#[cfg(not(loom))]
pub(crate) use std::sync::{
    MutexGuard,
    atomic::{AtomicBool, AtomicIsize, AtomicU32, AtomicU64, AtomicUsize, Ordering},
};

/// Bevy's `Instant`, because the standard one panics in a browser.
#[cfg(not(loom))]
pub(crate) use bevy_platform::time::Instant;

#[cfg(loom)]
type Inner<T> = loom::sync::Mutex<T>;
#[cfg(not(loom))]
type Inner<T> = std::sync::Mutex<T>;

/// A mutex that is never poisoned. No user code runs while one is held except a
/// [`Rank`](crate::Rank), and that runs inside a panic guard of its own.
#[derive(Debug)]
pub(crate) struct Mutex<T>(Inner<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Inner::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The lock, unless another thread holds it.
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
