//! The values of one layer, bounded in bytes: the least recently used go first, and what somebody still holds is found
//! again.

use super::{
    slot::{Made, Slot},
    sources::{Invalidated, Sources, hasher},
};
use crate::{
    job::Key,
    sync::{Arc, Weak},
};
use ahash::{AHashMap, AHashSet};

/// Of so many values that were let go it is known that they were made once.
const MOST_REMEMBERED: usize = 1 << 16;

enum Entry<V> {
    Making(Arc<Slot<V>>),
    /// With the time of its last use.
    Kept(Made<V>, u64),
    /// There was no room for it, but somebody held it then.
    LetGo(Weak<V>, Sources, usize),
}

/// What a look-up found.
pub(super) enum Found<V> {
    Value(Arc<V>),
    /// Another thread makes it.
    Making(Arc<Slot<V>>),
    /// The caller has to make it.
    Missing(Arc<Slot<V>>),
}

/// What happened, for the report.
#[derive(Clone, Copy, Default)]
pub(super) struct Figures {
    pub(super) hits: u64,
    pub(super) made: u64,
    pub(super) repeats: u64,
    pub(super) waits: u64,
}

pub(super) struct Table<K, V> {
    entries: AHashMap<K, Entry<V>>,
    max_bytes: usize,
    /// Of the values that are kept.
    bytes: usize,
    /// How many there are.
    kept: usize,
    /// Counts the uses.
    time: u64,
    /// The numbers of values that were let go, to tell which are made again.
    let_go: AHashSet<u64>,
    pub(super) figures: Figures,
}

impl<K: Key, V> Table<K, V> {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            entries: AHashMap::with_hasher(hasher()),
            max_bytes,
            bytes: 0,
            kept: 0,
            time: 0,
            let_go: AHashSet::with_hasher(hasher()),
            figures: Figures::default(),
        }
    }

    pub(super) fn kept(&self) -> usize {
        self.kept
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Looks `key` up, and hands what is known about a value that is there to `note`. Pushes what that leaves no room for to
    /// `unused`, which must be dropped without the lock.
    pub(super) fn look_up(
        &mut self,
        key: K,
        id: u64,
        note: impl FnOnce(&Made<V>),
        unused: &mut Vec<Arc<V>>,
    ) -> Found<V> {
        self.time += 1;
        match self.entries.get_mut(&key) {
            Some(Entry::Kept(made, used)) => {
                *used = self.time;
                self.figures.hits += 1;
                note(made);
                return Found::Value(Arc::clone(&made.value));
            }
            Some(Entry::Making(slot)) => {
                self.figures.waits += 1;
                return Found::Making(Arc::clone(slot));
            }
            Some(Entry::LetGo(value, sources, bytes)) => {
                if let Some(value) = value.upgrade() {
                    self.figures.hits += 1;
                    let (sources, bytes) = (sources.clone(), *bytes);
                    let made = Made {
                        id,
                        value: Arc::clone(&value),
                        sources,
                        bytes,
                    };
                    note(&made);
                    self.keep(key, made, unused);
                    return Found::Value(value);
                }
            }
            None => {}
        }
        let slot = Arc::new(Slot::new());
        self.entries.insert(key, Entry::Making(Arc::clone(&slot)));
        Found::Missing(slot)
    }

    /// Whether the making of `key` in `slot` was not invalidated meanwhile.
    fn is_making(&self, key: &K, slot: &Arc<Slot<V>>) -> bool {
        matches!(self.entries.get(key), Some(Entry::Making(other)) if Arc::ptr_eq(other, slot))
    }

    /// Keeps what was made in `slot`, unless it was invalidated meanwhile.
    pub(super) fn made(
        &mut self,
        key: K,
        slot: &Arc<Slot<V>>,
        made: &Made<V>,
        unused: &mut Vec<Arc<V>>,
    ) {
        self.figures.made += 1;
        self.figures.repeats += u64::from(self.let_go.remove(&made.id));
        if self.is_making(&key, slot) {
            self.time += 1;
            self.keep(key, made.clone(), unused);
        }
    }

    /// Forgets what could not be made in `slot`.
    pub(super) fn give_up(&mut self, key: K, slot: &Arc<Slot<V>>) {
        if self.is_making(&key, slot) {
            self.entries.remove(&key);
        }
    }

    fn keep(&mut self, key: K, made: Made<V>, unused: &mut Vec<Arc<V>>) {
        self.bytes += made.bytes;
        self.kept += 1;
        self.entries.insert(key, Entry::Kept(made, self.time));
        while self.bytes > self.max_bytes {
            self.make_room(unused);
        }
    }

    /// Lets an eighth of the values go, those that were not used for the longest time. That takes a look at each, which is
    /// little for each that goes.
    fn make_room(&mut self, unused: &mut Vec<Arc<V>>) {
        let is_used = |_: &K, entry: &mut Entry<V>| match entry {
            Entry::LetGo(value, ..) => value.strong_count() > 0,
            Entry::Making(_) | Entry::Kept(..) => true,
        };
        self.entries.retain(is_used);
        let of_kept = |(key, entry): (&K, &Entry<V>)| match entry {
            Entry::Kept(_, used) => Some((*used, *key)),
            Entry::Making(_) | Entry::LetGo(..) => None,
        };
        let mut oldest: Vec<_> = self.entries.iter().filter_map(of_kept).collect();
        let count = (oldest.len() / 8).max(1);
        if count < oldest.len() {
            oldest.select_nth_unstable(count);
            oldest.truncate(count);
        }
        for (_, key) in oldest {
            self.let_go(key, unused);
        }
    }

    fn let_go(&mut self, key: K, unused: &mut Vec<Arc<V>>) {
        let Some(Entry::Kept(made, _)) = self.entries.remove(&key) else {
            return;
        };
        self.bytes -= made.bytes;
        self.kept -= 1;
        if self.let_go.len() >= MOST_REMEMBERED {
            self.let_go.clear();
        }
        self.let_go.insert(made.id);
        if Arc::strong_count(&made.value) > 1 {
            let value = Arc::downgrade(&made.value);
            let entry = Entry::LetGo(value, made.sources, made.bytes);
            self.entries.insert(key, entry);
        }
        unused.push(made.value);
    }

    /// Removes the value of `key`, so that it is made anew.
    pub(super) fn invalidate(&mut self, key: &K, id: u64, unused: &mut Vec<Arc<V>>) {
        self.let_go.remove(&id);
        if let Some(Entry::Kept(made, _)) = self.entries.remove(key) {
            self.bytes -= made.bytes;
            self.kept -= 1;
            unused.push(made.value);
        }
    }

    /// Removes what was made from the values of `invalidated`, and adds it to these.
    pub(super) fn invalidate_made_from(
        &mut self,
        id_of: impl Fn(&K) -> u64,
        invalidated: &mut Invalidated,
        unused: &mut Vec<Arc<V>>,
    ) {
        let is_reached = |(_, entry): &(&K, &Entry<V>)| match entry {
            Entry::Making(slot) => invalidated.reaches_unfinished(&slot.reads),
            Entry::Kept(Made { sources, .. }, _) | Entry::LetGo(_, sources, _) => {
                invalidated.reaches(sources)
            }
        };
        let reached = self.entries.iter().filter(is_reached);
        let reached: Vec<K> = reached.map(|(key, _)| *key).collect();
        for key in reached {
            let id = id_of(&key);
            invalidated.reach(id);
            self.invalidate(&key, id, unused);
        }
    }
}
