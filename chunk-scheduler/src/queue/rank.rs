//! The order of jobs, as the user defines it.

use std::fmt;

/// Says how soon a key should be generated: smaller first, ties by age and then by key.
///
/// A value of this type is a *snapshot* of whatever the order depends on, typically the viewers'
/// positions. [`Scheduler::publish`](crate::Scheduler::publish) hands a new one to the workers, who
/// re-rank what is queued before they start another job.
///
/// Ranking runs on workers and must be cheap, because all of them wait while one re-ranks. A rank
/// that panics is contained: a new job whose rank panics fails like a job whose generator panicked,
/// and a queued one keeps its former priority.
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
    /// How soon; smaller is sooner. Eight bytes keep a queued job within its memory bound.
    type Priority: Ord + Copy + Send + Sync + 'static;

    /// The priority of `key` by this snapshot.
    fn rank(&self, key: &K) -> Self::Priority;

    /// The priority of a job that has waited for `turns` submissions of newer work.
    ///
    /// Pure nearest-first lets a requester who keeps asking for near things hold up another's far
    /// things for as long as it keeps asking. Where that matters, return a priority that improves
    /// with `turns`; the default ignores them. Called when the queue is re-ranked, that is, after
    /// a new snapshot was published, and after every 64 submissions of newer work in any case: where
    /// nobody moves jobs age all the same, and where nobody asks nobody has to.
    fn rank_aged(&self, key: &K, turns: u32) -> Self::Priority {
        let _ = turns;
        self.rank(key)
    }
}

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
