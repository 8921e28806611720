//! A layer that sums the time of each span by its place in the call tree.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, Table};
use tracing::Subscriber;
use tracing::span::Id;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

/// The span around a whole frame of the app. The thread that it runs on is the main thread.
const FRAME: &str = "chunk_frame";
/// How many spans the table shows.
const MOST: usize = 10;

/// The layer and its sums, which clones share.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpanCosts(Arc<Mutex<CallTree>>);

#[derive(Debug, Default)]
struct CallTree {
    /// The cost of each place in the tree. The key is `thread;outer;inner`, as flame-graph programs want it.
    costs: BTreeMap<String, Cost>,
    /// The spans that each thread is in, the innermost last.
    open: HashMap<ThreadId, Vec<Open>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Cost {
    calls: u64,
    /// Time in the span itself and in no span within it.
    own: Duration,
    longest: Duration,
}

#[derive(Debug)]
struct Open {
    place: String,
    began: Instant,
    in_callees: Duration,
}

impl SpanCosts {
    /// The costliest spans by own time, per frame.
    pub(crate) fn table(&self) -> String {
        let tree = self.tree();
        let costs = tree.by_span();
        let frames = costs.iter().filter(|(_, name, _)| *name == FRAME);
        let frames: u64 = frames.map(|(.., cost)| cost.calls).sum();
        let micros = |time: Duration| time.as_secs_f64() * 1e6;
        let mut table = Table::new();
        table.load_style(UTF8_BORDERS_ONLY);
        table.set_header([
            "span",
            "thread",
            "calls a frame",
            "own time a frame, µs",
            "share of thread's",
            "longest call, µs",
        ]);
        for (is_main, name, cost) in costs.iter().take(MOST) {
            let same = costs.iter().filter(|other| other.0 == *is_main);
            let all: Duration = same.map(|(.., cost)| cost.own).sum();
            let share = micros(cost.own) / micros(all).max(f64::MIN_POSITIVE);
            table.add_row([
                (*name).to_owned(),
                if *is_main { "main" } else { "workers" }.to_owned(),
                format!("{:.2}", cost.calls as f64 / frames.max(1) as f64),
                format!("{:.2}", micros(cost.own) / frames.max(1) as f64),
                format!("{:.1} %", share * 100.0),
                format!("{:.1}", micros(cost.longest)),
            ]);
        }
        for numbers in table.column_iter_mut().skip(2) {
            numbers.set_cell_alignment(CellAlignment::Right);
        }
        format!(
            "{table}\nthe costliest spans of {frames} frames, by the time spent in each and in no span within it"
        )
    }

    /// A line for each place in the call tree, `thread;outer;inner nanoseconds`, which flame-graph programs read.
    #[cfg(any(test, feature = "flamegraph"))]
    pub(crate) fn folded(&self) -> Vec<String> {
        let tree = self.tree();
        let costs = tree.costs.iter();
        let lines = costs.map(|(place, cost)| format!("{place} {}", cost.own.as_nanos()));
        lines.collect()
    }

    fn tree(&self) -> MutexGuard<'_, CallTree> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for SpanCosts {
    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            self.tree().enter(span.name(), Instant::now);
        }
    }

    fn on_exit(&self, _id: &Id, _context: Context<'_, S>) {
        let now = Instant::now();
        self.tree().exit(now);
    }
}

impl CallTree {
    /// The calling thread enters a span. The clock is read last, so that the time of this call is the caller's.
    fn enter(&mut self, name: &str, now: impl Fn() -> Instant) {
        let thread = thread::current();
        let open = self.open.entry(thread.id()).or_default();
        let place = match open.last() {
            Some(caller) => format!("{};{name}", caller.place),
            None => format!(
                "{};{name}",
                thread.name().unwrap_or("unnamed").replace(';', ":")
            ),
        };
        open.push(Open {
            place,
            began: now(),
            in_callees: Duration::ZERO,
        });
    }

    /// The calling thread leaves the span that it entered last.
    fn exit(&mut self, now: Instant) {
        let open = self.open.entry(thread::current().id()).or_default();
        let Some(span) = open.pop() else {
            return;
        };
        let took = now.saturating_duration_since(span.began);
        if let Some(caller) = open.last_mut() {
            caller.in_callees += took;
        }
        let cost = self.costs.entry(span.place).or_default();
        cost.calls += 1;
        cost.own += took.saturating_sub(span.in_callees);
        cost.longest = cost.longest.max(took);
    }

    /// The sums of each span on the main thread and of each span on all others, wherever it was called from. The
    /// costliest comes first.
    fn by_span(&self) -> Vec<(bool, &str, Cost)> {
        let frame = format!(";{FRAME}");
        let main = (self.costs.keys()).find_map(|place| place.strip_suffix(frame.as_str()));
        let mut sums: BTreeMap<(bool, &str), Cost> = BTreeMap::new();
        for (place, cost) in &self.costs {
            let is_main = place.split(';').next() == main;
            let name = place.rsplit(';').next().unwrap_or_default();
            let sum = sums.entry((is_main, name)).or_default();
            sum.calls += cost.calls;
            sum.own += cost.own;
            sum.longest = sum.longest.max(cost.longest);
        }
        let sums = sums.into_iter();
        let mut sums: Vec<_> = (sums.map(|((is_main, name), sum)| (is_main, name, sum))).collect();
        sums.sort_by_key(|(.., sum)| core::cmp::Reverse(sum.own));
        sums
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn micros(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    /// Two frames of 100 µs, in each of which `inner` took 30 µs twice.
    pub(crate) fn two_frames() -> SpanCosts {
        let costs = SpanCosts::default();
        let mut tree = costs.tree();
        let zero = Instant::now();
        for start in [0, 1_000] {
            tree.enter(FRAME, || zero + micros(start));
            for inner in [10, 50] {
                tree.enter("inner", || zero + micros(start + inner));
                tree.exit(zero + micros(start + inner + 30));
            }
            tree.exit(zero + micros(start + 100));
        }
        drop(tree);
        costs
    }

    fn cost(calls: u64, own: u64, longest: u64) -> Cost {
        let (own, longest) = (micros(own), micros(longest));
        Cost {
            calls,
            own,
            longest,
        }
    }

    #[test]
    fn the_costliest_comes_first_and_a_caller_does_not_pay_for_what_it_calls() {
        let costs = two_frames();
        let inner = (true, "inner", cost(4, 120, 30));
        let frame = (true, FRAME, cost(2, 80, 100));
        assert_eq!(costs.tree().by_span(), [inner, frame]);
        let thread = thread::current().name().unwrap_or_default().to_owned();
        let stacks = [
            format!("{thread};{FRAME} 80000"),
            format!("{thread};{FRAME};inner 120000"),
        ];
        assert_eq!(costs.folded(), stacks);
    }

    #[test]
    fn the_table_counts_by_the_frame() {
        let table = two_frames().table();
        let row = table.lines().find(|line| line.contains("inner"));
        let cells: Vec<&str> = (row.unwrap_or_default().split_whitespace())
            .filter(|cell| *cell != "│" && *cell != "┆")
            .collect();
        let expected = ["inner", "main", "2.00", "60.00", "60.0", "%", "30.0"];
        assert_eq!(cells, expected, "{table}");
        assert!(table.contains("of 2 frames"), "{table}");
    }

    #[test]
    fn no_more_than_ten_are_shown_and_workers_are_told_from_the_main_thread() {
        let costs = two_frames();
        let zero = Instant::now();
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut tree = costs.tree();
                for number in 1..=12 {
                    tree.enter(&format!("span {number}"), || zero);
                    tree.exit(zero + micros(1_000 * number));
                }
            });
        });
        let table = costs.table();
        assert_eq!(table.matches("workers").count(), 10, "{table}");
        assert!(!table.contains("main"), "{table}");
    }

    #[test]
    fn threads_do_not_mix() {
        let mut tree = CallTree::default();
        let zero = Instant::now();
        tree.enter(FRAME, || zero);
        thread::scope(|scope| {
            scope.spawn(|| {
                tree.enter("other", || zero + micros(10));
                tree.exit(zero + micros(20));
                // The span that is still open belongs to the other thread.
                tree.exit(zero + micros(25));
            });
        });
        tree.exit(zero + micros(50));
        let frame = (true, FRAME, cost(1, 50, 50));
        assert_eq!(tree.by_span(), [frame, (false, "other", cost(1, 10, 10))]);
    }
}
