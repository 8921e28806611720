//! Where in the queue a job stands, for people who ask.

use crate::{
    inbox::{Arrival, Arrivals, Inbox},
    key::{Key, Lane},
    panics,
    picker::Picker,
    rank::Rank,
    slot::Slot,
    sync::Arc,
};

impl<K: Key, R: Rank<K>> Picker<K, R> {
    /// How many queued jobs would start before that of `slot`, by the latest snapshot. `None` when
    /// it is not queued, or when its rank panics.
    pub(crate) fn position(
        &self,
        slot: &Arc<Slot<K>>,
        inbox: &Inbox<K, R>,
        outgoing: &Arrivals<K>,
    ) -> Option<usize> {
        let is_outdated = !Arc::ptr_eq(&self.rank, &inbox.rank);
        let queued = Lane::ALL.into_iter().flat_map(|lane| {
            let entries = self.lanes[lane.index()].iter();
            entries.map(move |entry| (lane, entry))
        });
        let held_back = self.held_back.iter().map(|(lane, entry)| (*lane, entry));
        let ranked = queued.chain(held_back).filter_map(|(lane, entry)| {
            let age = inbox.turn.wrapping_sub(entry.turn);
            let priority = match is_outdated {
                true => panics::guard(|| inbox.rank.rank_aged(&entry.key, age)).ok(),
                false => None,
            };
            let priority = priority.unwrap_or(entry.priority);
            let order = (lane, priority, entry.turn, entry.key);
            entry
                .slot
                .is_startable(lane)
                .then_some((order, &entry.slot))
        });
        let arrivals = Lane::ALL.into_iter().flat_map(|lane| {
            let arrivals = inbox.arrivals[lane.index()].iter();
            let arrivals = arrivals.chain(&outgoing[lane.index()]);
            arrivals.map(move |arrival| (lane, arrival))
        });
        let unranked = arrivals.filter_map(|(lane, Arrival { slot, turn })| {
            let priority = panics::guard(|| inbox.rank.rank(&slot.key)).ok()?;
            let order = (lane, priority, *turn, slot.key);
            slot.is_startable(lane).then_some((order, slot))
        });
        let all: Vec<_> = ranked.chain(unranked).collect();
        let (own, _) = all.iter().find(|(_, other)| Arc::ptr_eq(other, slot))?;
        Some(all.iter().filter(|(other, _)| other < own).count())
    }
}
