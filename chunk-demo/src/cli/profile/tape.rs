//! Spans as they were entered and left, and their sums by who called whom.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::thread::{self, ThreadId};
use std::time::Duration;

/// The values that a span was made with.
pub(crate) type Fields = BTreeMap<&'static str, String>;

/// So many calls are kept one by one, 200 MiB of trace at most; the sums go on.
const MOST_CALLS: usize = 2_000_000;

/// The recorded calls of all threads.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    tracks: Vec<Track>,
    by_thread: HashMap<ThreadId, usize>,
    kept: usize,
    /// Calls of which only the sums are known.
    pub(crate) left_out: u64,
}

/// What one thread did.
#[derive(Debug)]
pub(crate) struct Track {
    pub(crate) thread: String,
    /// Each span as called from where; callers come before what they call.
    pub(crate) nodes: Vec<Node>,
    /// In the order in which they ended.
    pub(crate) calls: Vec<Call>,
    open: Vec<Open>,
}

/// All calls of one span from one place in the call tree.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) name: &'static str,
    pub(crate) parent: Option<usize>,
    pub(crate) calls: u64,
    /// Time in the span itself and in no span that it called.
    pub(crate) own: Duration,
    /// Time with all that it called.
    pub(crate) total: Duration,
    pub(crate) longest: Duration,
}

/// One call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) node: usize,
    pub(crate) began: Duration,
    pub(crate) took: Duration,
    pub(crate) fields: Option<Arc<Fields>>,
}

#[derive(Debug)]
struct Open {
    node: usize,
    began: Duration,
    in_others: Duration,
    fields: Option<Arc<Fields>>,
}

impl Tape {
    /// The calling thread enters a span. `now` is asked last, so that noting it down costs the caller's span and not
    /// this one.
    pub(crate) fn enter(
        &mut self,
        name: &'static str,
        fields: Option<Arc<Fields>>,
        now: impl FnOnce() -> Duration,
    ) {
        let thread = thread::current();
        let tracks = &mut self.tracks;
        let track = *self.by_thread.entry(thread.id()).or_insert_with(|| {
            let unnamed = || format!("thread {}", tracks.len());
            let name = thread.name().map_or_else(unnamed, str::to_owned);
            tracks.push(Track::new(name));
            tracks.len() - 1
        });
        let track = &mut self.tracks[track];
        let node = track.node(name);
        track.open.push(Open {
            node,
            began: now(),
            in_others: Duration::ZERO,
            fields,
        });
    }

    /// The calling thread leaves the span that it entered last.
    pub(crate) fn leave(&mut self, now: Duration) {
        let track = self.by_thread.get(&thread::current().id());
        let Some(track) = track.and_then(|track| self.tracks.get_mut(*track)) else {
            return;
        };
        let Some(open) = track.open.pop() else {
            return;
        };
        let took = now.saturating_sub(open.began);
        if let Some(caller) = track.open.last_mut() {
            caller.in_others += took;
        }
        let node = &mut track.nodes[open.node];
        node.calls += 1;
        node.own += took.saturating_sub(open.in_others);
        node.total += took;
        node.longest = node.longest.max(took);
        if self.kept == MOST_CALLS {
            self.left_out += 1;
            return;
        }
        self.kept += 1;
        track.calls.push(Call {
            node: open.node,
            began: open.began,
            took,
            fields: open.fields,
        });
    }

    /// The threads, in the order in which they first did something.
    pub(crate) fn tracks(&self) -> &[Track] {
        &self.tracks
    }
}

impl Track {
    fn new(thread: String) -> Self {
        Self {
            thread,
            nodes: Vec::new(),
            calls: Vec::new(),
            open: Vec::new(),
        }
    }

    /// The place of a span that is called now. There are a few dozen at most.
    fn node(&mut self, name: &'static str) -> usize {
        let parent = self.open.last().map(|open| open.node);
        let is_it = |node: &Node| node.name == name && node.parent == parent;
        self.nodes.iter().position(is_it).unwrap_or_else(|| {
            self.nodes.push(Node {
                name,
                parent,
                calls: 0,
                own: Duration::ZERO,
                total: Duration::ZERO,
                longest: Duration::ZERO,
            });
            self.nodes.len() - 1
        })
    }

    /// The names from the outermost span to this one.
    pub(crate) fn path(&self, node: usize) -> Vec<&'static str> {
        let callers = std::iter::successors(Some(node), |node| self.nodes[*node].parent);
        let mut path: Vec<_> = callers.map(|node| self.nodes[node].name).collect();
        path.reverse();
        path
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn micros(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    /// Two frames of 100 µs, in each of which `inner` took 30 µs twice.
    pub(crate) fn two_frames() -> Tape {
        let mut tape = Tape::default();
        for start in [0, 1_000] {
            tape.enter(super::super::FRAME, None, || micros(start));
            for inner in [10, 50] {
                tape.enter("inner", None, || micros(start + inner));
                tape.leave(micros(start + inner + 30));
            }
            tape.leave(micros(start + 100));
        }
        tape
    }

    #[test]
    fn own_time_leaves_out_what_was_called() {
        let tape = two_frames();
        let [track] = tape.tracks() else {
            panic!("one thread did everything");
        };
        let sums: Vec<_> = (track.nodes.iter())
            .map(|node| (node.name, node.calls, node.own, node.total, node.longest))
            .collect();
        let frame = super::super::FRAME;
        assert_eq!(
            sums,
            [
                (frame, 2, micros(80), micros(200), micros(100)),
                ("inner", 4, micros(120), micros(120), micros(30)),
            ]
        );
        assert_eq!(track.path(1), [frame, "inner"]);
        assert_eq!(track.calls.len(), 6);
    }

    #[test]
    fn threads_do_not_mix() {
        let mut tape = Tape::default();
        tape.enter("outer", None, || micros(0));
        thread::scope(|scope| {
            let other = scope.spawn(|| {
                tape.enter("other", None, || micros(10));
                tape.leave(micros(20));
                // It is the other thread's span that is still open.
                tape.leave(micros(25));
            });
            other.join().expect("it does not panic");
        });
        tape.leave(micros(50));
        let own: Vec<_> = (tape.tracks().iter())
            .flat_map(|track| &track.nodes)
            .map(|node| (node.name, node.own))
            .collect();
        assert_eq!(own, [("outer", micros(50)), ("other", micros(10))]);
    }
}
