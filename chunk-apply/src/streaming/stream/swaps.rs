//! Chunks that were refreshed together: their new contents wait for each other, and are then spawned in one frame.

use chunk_coord::ChunkCoord;
use chunk_scheduler::{Delivered, Version};
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use tracing::warn;

/// A content, its chunk and its version.
type Content<T> = (ChunkCoord, Version, T);

/// Where the new version of one chunk is.
enum Member<T> {
    /// What stands is to be saved first.
    Unrequested,
    /// This version or a newer one is being made.
    Requested(Version),
    Whole(Version, T),
}

/// Chunks that wait for each other.
struct Group<T> {
    members: BTreeMap<ChunkCoord, Member<T>>,
    /// When they were requested.
    since: Duration,
}

impl<T> Group<T> {
    /// One that is still to be made.
    fn missing(&self) -> Option<ChunkCoord> {
        let mut members = self.members.iter();
        let missing = members.find(|(_, member)| !matches!(member, Member::Whole(..)));
        missing.map(|(coord, _)| *coord)
    }

    /// How many wait for the others.
    fn whole(&self) -> usize {
        let is_whole = |member: &&Member<T>| matches!(member, Member::Whole(..));
        self.members.values().filter(is_whole).count()
    }
}

/// The groups of chunks that are swapped in one frame each.
pub(in crate::streaming) struct Swaps<T> {
    /// Those that are being made, oldest first. No chunk is in two of these and `whole`.
    groups: Vec<Group<T>>,
    /// Those that are made and wait for their frame.
    whole: VecDeque<VecDeque<Content<T>>>,
    /// What is left of the one that is being spawned.
    begun: VecDeque<Content<T>>,
    /// Those that follow when the groups are swapped that have one of their chunks. No chunk is in two of them.
    following: Vec<BTreeSet<ChunkCoord>>,
}

impl<T> Swaps<T> {
    pub(super) fn new() -> Self {
        Self {
            groups: Vec::new(),
            whole: VecDeque::new(),
            begun: VecDeque::new(),
            following: Vec::new(),
        }
    }

    pub(in crate::streaming) fn is_empty(&self) -> bool {
        self.groups.is_empty()
            && self.whole.is_empty()
            && self.begun.is_empty()
            && self.following.is_empty()
    }

    /// Whether the chunk is in a group that is not swapped yet.
    pub(super) fn contains(&self, coord: ChunkCoord) -> bool {
        self.following.iter().any(|group| group.contains(&coord)) || self.has_begun(coord)
    }

    fn has_begun(&self, coord: ChunkCoord) -> bool {
        let mut whole = self.whole.iter().flatten().chain(&self.begun);
        self.groups
            .iter()
            .any(|group| group.members.contains_key(&coord))
            || whole.any(|(other, ..)| *other == coord)
    }

    /// Adds a group that follows those of its chunks that there are. [`next`](Self::next) says when it is to be requested. It
    /// is joined with others that are not requested yet, up to so many chunks together; of a larger group, what is in those
    /// others stays there.
    pub(super) fn add(&mut self, mut chunks: BTreeSet<ChunkCoord>, most: usize) {
        let mut others = core::mem::take(&mut self.following);
        others.retain(|other| {
            let is_joined = !other.is_disjoint(&chunks) && other.union(&chunks).count() <= most;
            if is_joined {
                chunks.extend(other);
            } else {
                chunks.retain(|coord| !other.contains(coord));
            }
            !is_joined
        });
        self.following = others;
        if !chunks.is_empty() {
            self.following.push(chunks);
        }
    }

    /// The next group that none has to be swapped before, and that is to be requested.
    pub(in crate::streaming) fn next(&mut self, now: Duration) -> Option<Vec<ChunkCoord>> {
        let may_begin =
            |group: &BTreeSet<ChunkCoord>| !group.iter().any(|coord| self.has_begun(*coord));
        let at = self.following.iter().position(may_begin)?;
        let chunks = self.following.remove(at);
        let members = chunks.iter().map(|coord| (*coord, Member::Unrequested));
        self.groups.push(Group {
            members: members.collect(),
            since: now,
        });
        Some(chunks.into_iter().collect())
    }

    /// The chunk was requested anew, as this version.
    pub(super) fn is_made_as(&mut self, coord: ChunkCoord, version: Version) {
        if let Some(member @ Member::Unrequested) = self.member(coord) {
            *member = Member::Requested(version);
        }
    }

    /// Takes a result that belongs to a group, and returns any other. Of contents that wait for others of their group there
    /// are `most` in all groups together: beyond that the group of which most wait is swapped without the others.
    pub(in crate::streaming) fn offer(
        &mut self,
        chunk: Delivered<ChunkCoord, T>,
        most: usize,
        outdated: &mut Vec<T>,
    ) -> Option<Delivered<ChunkCoord, T>> {
        if self.groups.is_empty() && self.whole.is_empty() {
            return Some(chunk);
        }
        let Delivered { key, version, .. } = chunk;
        let mut whole = self.whole.iter_mut().flatten();
        if let Some(former) = whole.find(|(coord, ..)| *coord == key) {
            let (_, _, content) = core::mem::replace(former, (key, version, chunk.content));
            outdated.push(content);
            return None;
        }
        let member = match self.member(key) {
            Some(member @ Member::Whole(..)) => member,
            Some(member @ Member::Requested(_)) => match member {
                Member::Requested(first) if *first <= version => member,
                _ => return Some(chunk),
            },
            _ => return Some(chunk),
        };
        let former = core::mem::replace(member, Member::Whole(version, chunk.content));
        if let Member::Whole(_, content) = former {
            outdated.push(content);
        }
        self.finish(key, false);
        if self.groups.iter().map(Group::whole).sum::<usize>() > most
            && let Some(largest) = self.groups.iter().max_by_key(|group| group.whole())
            && let Some(missing) = largest.missing()
        {
            warn!(
                "more chunks are refreshed together than may wait for each other, which are {most}"
            );
            self.finish(missing, true);
        }
        None
    }

    /// This version of the chunk failed for good, so the others of its group do not wait for it. One that is whole stays, and
    /// so does one that is requested later.
    pub(in crate::streaming) fn fail(&mut self, coord: ChunkCoord, version: Version) {
        let has_failed = |group: &Group<T>| match group.members.get(&coord) {
            Some(Member::Requested(first)) => *first <= version,
            _ => false,
        };
        if let Some(at) = self.groups.iter().position(has_failed) {
            self.remove(at, coord);
        }
    }

    /// Saving the chunk was given up before its new version was requested, so the others of its group do not wait for it.
    pub(super) fn cannot_save(&mut self, coord: ChunkCoord) {
        let is_unrequested =
            |group: &Group<T>| matches!(group.members.get(&coord), Some(Member::Unrequested));
        if let Some(at) = self.groups.iter().position(is_unrequested) {
            self.remove(at, coord);
        }
    }

    /// Swaps groups of which some are whole and have waited for so long, without the others, with a warning.
    pub(in crate::streaming) fn part_late(&mut self, now: Duration, patience: Duration) {
        let is_late = |group: &Group<T>| now.saturating_sub(group.since) >= patience;
        while let Some(group) = self.groups.iter().find(|group| is_late(group)) {
            let Some(missing) = group.missing() else {
                break;
            };
            warn!(
                coord = ?missing,
                "chunks that were refreshed together are shown without this one and maybe others, which are not made since \
                 {patience:?}"
            );
            self.finish(missing, true);
        }
    }

    /// The chunk is no longer wanted. Returns the content that waited.
    pub(in crate::streaming) fn leave(&mut self, coord: ChunkCoord) -> Option<T> {
        for group in &mut self.following {
            group.remove(&coord);
        }
        self.following.retain(|group| !group.is_empty());
        let is_it = |(other, ..): &Content<T>| *other == coord;
        let take = |group: &mut VecDeque<Content<T>>| group.remove(group.iter().position(is_it)?);
        let found = self.whole.iter_mut().find_map(take);
        let found = found.or_else(|| take(&mut self.begun));
        if let Some((.., content)) = found {
            self.whole.retain(|group| !group.is_empty());
            return Some(content);
        }
        let at = self
            .groups
            .iter()
            .position(|group| group.members.contains_key(&coord))?;
        match self.remove(at, coord) {
            Some(Member::Whole(_, content)) => Some(content),
            _ => None,
        }
    }

    /// Removes a member of a group, for which the others then do not wait.
    fn remove(&mut self, at: usize, coord: ChunkCoord) -> Option<Member<T>> {
        let members = &mut self.groups[at].members;
        let member = members.remove(&coord);
        if let Some(other) = members.keys().next().copied() {
            self.finish(other, false);
        } else {
            self.groups.remove(at);
        }
        member
    }

    /// How many chunks are to be spawned one after the other in one frame: those of the first group of which every content
    /// is the newest, or what is left of it. A newer one of the others is about to be delivered.
    pub(super) fn ready(&self, is_live: impl Fn(ChunkCoord, Version) -> bool) -> usize {
        if !self.begun.is_empty() {
            return self.begun.len();
        }
        let ready = self.first_ready(is_live);
        ready.map_or(0, |at| self.whole[at].len())
    }

    /// The next of these.
    pub(super) fn pop(
        &mut self,
        is_live: impl Fn(ChunkCoord, Version) -> bool,
    ) -> Option<Content<T>> {
        if self.begun.is_empty()
            && let Some(at) = self.first_ready(is_live)
        {
            self.begun = self.whole.remove(at).unwrap_or_default();
        }
        self.begun.pop_front()
    }

    /// Whether a part of a group is spawned and the rest is not.
    pub(super) fn has_rest(&self) -> bool {
        !self.begun.is_empty()
    }

    fn first_ready(&self, is_live: impl Fn(ChunkCoord, Version) -> bool) -> Option<usize> {
        let is_ready = |group: &VecDeque<Content<T>>| {
            (group.iter()).all(|(coord, version, _)| is_live(*coord, *version))
        };
        self.whole.iter().position(is_ready)
    }

    fn member(&mut self, coord: ChunkCoord) -> Option<&mut Member<T>> {
        let mut groups = self.groups.iter_mut();
        groups.find_map(|group| group.members.get_mut(&coord))
    }

    /// Lets the group of this chunk be swapped if all of it is whole, or if it `must`.
    fn finish(&mut self, coord: ChunkCoord, must: bool) {
        let is_done = |group: &mut Group<T>| {
            group.members.contains_key(&coord) && (must || group.missing().is_none())
        };
        for group in self.groups.extract_if(.., is_done) {
            let contents = group
                .members
                .into_iter()
                .filter_map(|(coord, member)| match member {
                    Member::Whole(version, content) => Some((coord, version, content)),
                    // It is shown by itself.
                    Member::Unrequested | Member::Requested(_) => None,
                });
            let contents: VecDeque<_> = contents.collect();
            if !contents.is_empty() {
                self.whole.push_back(contents);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chunk_scheduler::{FnRank, Generator, Job, Lane, Runtime, Scheduler, SchedulerConfig};
    use core::time::Duration;

    const A: ChunkCoord = ChunkCoord::ORIGIN;
    const B: ChunkCoord = ChunkCoord::planar(1, 0);
    const C: ChunkCoord = ChunkCoord::planar(2, 0);

    /// Versions, oldest first.
    fn versions() -> [Version; 4] {
        let generator = Generator::new(|_: &Job<u32>| ());
        let budget = Duration::ZERO;
        let (config, rank) = (SchedulerConfig::default(), FnRank(|key: &u32| *key));
        let scheduler = Scheduler::new(config, generator, Runtime::Inline { budget }, rank);
        let mut scheduler = scheduler.expect("the configuration is valid");
        [0, 1, 2, 3].map(|key| scheduler.request(key).version())
    }

    fn offer(swaps: &mut Swaps<u32>, key: ChunkCoord, version: Version, content: u32) -> bool {
        let lane = Lane::Urgent;
        let chunk = Delivered {
            key,
            version,
            lane,
            content,
        };
        swaps.offer(chunk, 9, &mut Vec::new()).is_none()
    }

    /// A group of A and B that is requested, as these versions.
    fn requested(a: Version, b: Version) -> Swaps<u32> {
        let mut swaps = Swaps::new();
        swaps.add(BTreeSet::from([A, B]), 9);
        assert_eq!(swaps.next(Duration::ZERO), Some(vec![A, B]));
        swaps.is_made_as(A, a);
        swaps.is_made_as(B, b);
        swaps
    }

    #[test]
    fn a_group_waits_while_a_newer_version_of_one_of_it_is_about_to_be_delivered() {
        let [a, b, newer, _] = versions();
        let mut swaps = requested(a, b);
        assert!(offer(&mut swaps, A, a, 1) && offer(&mut swaps, B, b, 1));
        let is_live = |coord, version| coord != A || version == newer;
        assert_eq!(swaps.ready(is_live), 0);
        assert!(swaps.pop(is_live).is_none());
        assert!(offer(&mut swaps, A, newer, 2));
        assert_eq!(swaps.ready(is_live), 2);
        assert_eq!(swaps.pop(is_live), Some((A, newer, 2)));
        // Nothing takes the rest out of its turn.
        assert!(swaps.has_rest());
        assert_eq!(swaps.ready(|_, _| false), 1);
        assert_eq!(swaps.pop(|_, _| false), Some((B, b, 1)));
        assert!(swaps.is_empty());
    }

    #[test]
    fn a_failure_takes_only_what_it_would_have_made() {
        let [a, b, newer, _] = versions();
        let mut swaps = requested(a, b);
        swaps.add(BTreeSet::from([A, C]), 9);
        assert!(offer(&mut swaps, A, a, 1));
        // It is whole already, and to be made again later.
        swaps.fail(A, newer);
        assert!(offer(&mut swaps, B, b, 1));
        assert_eq!(swaps.ready(|_, _| true), 2);
        while swaps.pop(|_, _| true).is_some() {}
        assert_eq!(swaps.next(Duration::ZERO), Some(vec![A, C]));
        // A version from before its request fails, which waits for a save.
        swaps.fail(A, a);
        swaps.is_made_as(C, b);
        swaps.is_made_as(A, newer);
        assert!(offer(&mut swaps, C, b, 2));
        assert_eq!(swaps.ready(|_, _| true), 0);
        // An older one fails, and then the one that was requested.
        swaps.fail(A, a);
        assert_eq!(swaps.ready(|_, _| true), 0);
        swaps.fail(A, newer);
        assert_eq!(swaps.ready(|_, _| true), 1);
    }

    #[test]
    fn what_is_no_longer_wanted_leaves_wherever_it_is() {
        let [a, b, ..] = versions();
        let mut swaps = requested(a, b);
        swaps.add(BTreeSet::from([A, B]), 9);
        assert!(offer(&mut swaps, A, a, 1));
        assert_eq!(swaps.leave(B), None);
        assert_eq!(swaps.ready(|_, _| true), 1);
        assert!(!swaps.contains(B) && swaps.contains(A));
        assert_eq!(swaps.leave(A), Some(1));
        assert!(swaps.is_empty());
    }

    #[test]
    fn groups_are_joined_up_to_a_limit_and_no_chunk_is_in_two_that_follow() {
        let [a, b, ..] = versions();
        let mut swaps = requested(a, b);
        let row = |from: i32, to: i32| (from..to).map(|x| ChunkCoord::planar(x, 0));
        for (from, to) in [(0, 3), (2, 5), (1, 7), (0, 9), (20, 40), (30, 50), (25, 30)] {
            swaps.add(row(from, to).collect(), 6);
        }
        // The second joins the first; the others are more than may be joined, and what is left of them follows.
        let sizes: Vec<usize> = swaps.following.iter().map(BTreeSet::len).collect();
        assert_eq!(sizes, [5, 4, 20, 10]);
        let all: BTreeSet<_> = swaps.following.iter().flatten().copied().collect();
        assert!(all.into_iter().eq(row(0, 9).chain(row(20, 50))));
        for number in 0..1_000 {
            swaps.add(row(number % 50, number % 50 + 7).collect(), 6);
        }
        let chunks: usize = swaps.following.iter().map(BTreeSet::len).sum();
        assert_eq!(chunks, 56, "however often it is called");
    }

    #[test]
    fn where_too_many_wait_the_group_of_which_most_wait_is_parted() {
        let [a, b, ..] = versions();
        let row = |from: i32, to: i32| (from..to).map(|x| ChunkCoord::planar(x, 0));
        let mut swaps = Swaps::new();
        swaps.add(row(0, 10).collect(), 20);
        swaps.add(row(20, 22).collect(), 20);
        while let Some(chunks) = swaps.next(Duration::ZERO) {
            for coord in chunks {
                swaps.is_made_as(coord, a);
            }
        }
        for coord in row(0, 9) {
            assert!(offer(&mut swaps, coord, a, 1));
        }
        assert_eq!(swaps.ready(|_, _| true), 0);
        // The tenth that waits is one of the other group.
        assert!(offer(&mut swaps, ChunkCoord::planar(20, 0), a, 1));
        assert_eq!(swaps.ready(|_, _| true), 9);
        while swaps.pop(|_, _| true).is_some() {}
        assert!(offer(&mut swaps, ChunkCoord::planar(21, 0), b, 1));
        assert_eq!(swaps.ready(|_, _| true), 2, "it stays together");
    }

    #[test]
    fn a_group_that_is_not_whole_in_time_is_parted() {
        let [a, b, ..] = versions();
        let mut swaps = requested(a, b);
        let patience = Duration::from_secs(5);
        assert!(offer(&mut swaps, A, a, 1));
        swaps.part_late(patience - Duration::from_nanos(1), patience);
        assert_eq!(swaps.ready(|_, _| true), 0);
        swaps.part_late(patience, patience);
        assert_eq!(swaps.ready(|_, _| true), 1);
        assert!(!offer(&mut swaps, B, b, 1), "it is shown by itself");
        let mut swaps = requested(a, b);
        swaps.part_late(patience, patience);
        assert!(swaps.is_empty(), "nothing of it is there");
    }
}
