//! What the cost of a piece of work is remembered under.

use core::any::TypeId;

/// A bundle type that is spawned, or a type that stands for another kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CostKey(TypeId);

impl CostKey {
    /// The key of the work that the type stands for.
    pub(crate) fn of<T: ?Sized + 'static>() -> Self {
        Self(TypeId::of::<T>())
    }
}
