//! The only file that names a lock, an atomic or the machine's clock.

pub(crate) use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
#[cfg(feature = "streaming")]
pub(crate) use std::sync::{
    PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak, atomic::AtomicBool,
};

/// Bevy's `Instant`, because the standard one panics in a browser.
pub(crate) use bevy_platform::time::Instant;
