//! The order of jobs, which the user defines.

use std::fmt;

/// The priority of keys: smaller first, ties by age and then by key.
///
/// A value of this type is a *snapshot* of what the order depends on, typically the positions of viewers.
/// [`Scheduler::publish`](crate::Scheduler::publish) gives the workers a new one; the next worker that looks for a
/// job ranks the queue again.
///
/// Ranking must be cheap, because all workers that look for a job wait while one of them ranks. Panics are caught: a
/// new job whose rank panics fails as if its generator had panicked, and a queued one keeps its former priority.
///
/// ```
/// use chunk_scheduler::Rank;
///
/// struct NearestTo(i32);
///
/// impl Rank<i32> for NearestTo {
///     type Priority = u32;
///     fn rank(&self, key: &i32) -> u32 {
///         key.abs_diff(self.0)
///     }
/// }
/// ```
pub trait Rank<K>: Send + Sync + 'static {
    /// Smaller is sooner. At most eight bytes keep a queued job within its memory bound.
    type Priority: Ord + Copy + Send + Sync + 'static;

    /// The priority of `key`.
    fn rank(&self, key: &K) -> Self::Priority;

    /// The priority of a queued job since which newer jobs were submitted in `turns` ticks. The default ignores
    /// `turns`.
    ///
    /// With pure nearest-first, far jobs wait for as long as near ones are requested. To prevent that, return a
    /// priority that improves with `turns`. It is called when the queue is ranked again: after each new snapshot, and
    /// after every 64 turns.
    fn rank_aged(&self, key: &K, turns: u32) -> Self::Priority {
        let _ = turns;
        self.rank(key)
    }

    /// Which queued jobs are to be ranked again after this snapshot has replaced `former`: those for which the returned
    /// function returns true. `None`, the default, means all of them.
    ///
    /// With many viewers of which few have moved, it is faster to find out that a priority cannot have changed than to
    /// rank. A job that is not ranked again keeps its priority and its age until all are ranked again, at the latest
    /// after 64 turns.
    fn may_change(&self, former: &Self) -> Option<MayChange<K, Self::Priority>> {
        let _ = former;
        None
    }
}

/// Whether the priority of a job may have changed; see [`Rank::may_change`]. It is given the key, the priority by the
/// former snapshot, and in how many ticks newer jobs were submitted since the job was: at least as many as when it
/// was ranked.
pub type MayChange<K, P> = Box<dyn Fn(&K, &P, u32) -> bool>;

/// A [`Rank`] made of a closure.
///
/// ```
/// use chunk_scheduler::{FnRank, Rank};
///
/// let viewer = 10_i32;
/// let rank = FnRank(move |key: &i32| key.abs_diff(viewer));
/// assert!(rank.rank(&9) < rank.rank(&14));
/// ```
#[derive(Clone, Copy)]
pub struct FnRank<F>(pub F);

impl<F> fmt::Debug for FnRank<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FnRank(..)")
    }
}

impl<K, P, F> Rank<K> for FnRank<F>
where
    P: Ord + Copy + Send + Sync + 'static,
    F: Fn(&K) -> P + Send + Sync + 'static,
{
    type Priority = P;

    fn rank(&self, key: &K) -> P {
        (self.0)(key)
    }
}
