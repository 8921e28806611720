//! What a scheduler is, without threads, locks or queues: one list of jobs and a linear search.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use chunk_scheduler::{Counters, Depths, Lane, Requested, RetryPolicy, SchedulerConfig, Version};

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    /// Since which turn the workers can see it in its lane, if they can.
    Queued {
        visible: Option<u32>,
    },
    InFlight,
    /// `None` until the main thread has seen the fault.
    Retrying {
        due: Option<Duration>,
    },
    Completed,
    Delivered,
}

#[derive(Clone, Copy, Debug)]
struct Model {
    version: Version,
    lane: Lane,
    attempt: u32,
    is_empty: bool,
    state: State,
}

/// A result or a fault that holds a place in the completed queue.
#[derive(Clone, Copy, Debug)]
struct Held {
    key: i32,
    version: Version,
    order: usize,
}

#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) counters: Counters,
    pub(crate) viewer: i32,
    pub(crate) next_limit: usize,
    limit: usize,
    now: Duration,
    capacity: usize,
    backlog_capacity: usize,
    retry: RetryPolicy,
    jobs: BTreeMap<i32, Model>,
    quarantined: BTreeSet<i32>,
    newest: Option<Version>,
    turn: u32,
    /// Whether the next tick hands anything over.
    has_outgoing: bool,
    /// By runner: what it generates.
    running: BTreeMap<u64, Held>,
    /// By runner: the key it still answers for after its generator has returned.
    answering: BTreeMap<u64, i32>,
    starts: usize,
    results: Vec<Held>,
    empties: VecDeque<(i32, Version)>,
    faults: Vec<(Held, bool)>,
    watched: usize,
}

pub(crate) fn distance(key: i32, viewer: i32) -> u32 {
    key.abs_diff(viewer)
}

impl Reference {
    pub(crate) fn new(config: &SchedulerConfig) -> Self {
        Self {
            counters: Counters::default(),
            viewer: 0,
            next_limit: config.max_in_flight,
            limit: config.max_in_flight,
            now: Duration::ZERO,
            capacity: config.completed_capacity,
            backlog_capacity: config.backlog_capacity,
            retry: config.retry,
            jobs: BTreeMap::new(),
            quarantined: BTreeSet::new(),
            newest: None,
            turn: 0,
            has_outgoing: false,
            running: BTreeMap::new(),
            answering: BTreeMap::new(),
            starts: 0,
            results: Vec::new(),
            empties: VecDeque::new(),
            faults: Vec::new(),
            watched: 0,
        }
    }

    pub(crate) fn request(&mut self, key: i32, lane: Lane, is_empty: bool, found: Requested) {
        let Some(job) = self.jobs.get_mut(&key) else {
            assert!(found.is_new());
            self.enqueue(key, lane, is_empty, found.version());
            return;
        };
        self.counters.coalesced += 1;
        assert_eq!(found.version(), job.version);
        assert!(!found.is_new());
        if lane < job.lane {
            job.lane = lane;
            if !job.is_empty && matches!(job.state, State::Queued { .. }) {
                job.state = State::Queued { visible: None };
                self.has_outgoing = true;
            }
        }
    }

    pub(crate) fn refresh(&mut self, key: i32, lane: Lane, is_empty: bool, found: Version) {
        let former = self.jobs.remove(&key);
        self.counters.stale += u64::from(former.is_some());
        let lane = former.map_or(lane, |former| former.lane.min(lane));
        self.enqueue(key, lane, is_empty, found);
    }

    pub(crate) fn cancel(&mut self, key: i32) -> bool {
        let was_live = self.jobs.remove(&key).is_some();
        self.counters.cancelled += u64::from(was_live);
        was_live
    }

    fn enqueue(&mut self, key: i32, lane: Lane, is_empty: bool, version: Version) {
        let newest = self.newest.replace(version);
        assert!(newest < Some(version), "versions never repeat (I2)");
        self.counters.requested += 1;
        self.quarantined.remove(&key);
        if is_empty {
            self.counters.known_empty += 1;
            self.empties.push_back((key, version));
        } else {
            self.has_outgoing = true;
        }
        let job = Model {
            version,
            lane,
            attempt: u32::from(!is_empty),
            is_empty,
            state: State::Queued { visible: None },
        };
        self.jobs.insert(key, job);
    }

    pub(crate) fn tick(&mut self, now: Duration) {
        self.now = now;
        self.limit = self.next_limit;
        let mut faults = std::mem::take(&mut self.faults);
        faults.sort_by_key(|(fault, _)| fault.version);
        for (fault, panicked) in faults {
            self.counters.panics += u64::from(panicked);
            self.judge(fault.key, fault.version);
        }
        for job in self.jobs.values_mut() {
            if matches!(job.state, State::Retrying { due: Some(due) } if due <= now) {
                job.attempt += 1;
                job.is_empty = false;
                job.state = State::Queued { visible: None };
                self.counters.retried += 1;
                self.has_outgoing = true;
            }
        }
        if std::mem::take(&mut self.has_outgoing) {
            self.turn += 1;
            for job in self.jobs.values_mut().filter(|job| !job.is_empty) {
                if job.state == (State::Queued { visible: None }) {
                    job.state = State::Queued {
                        visible: Some(self.turn),
                    };
                }
            }
        }
    }

    /// Decides about a failed attempt, if its job still lives.
    fn judge(&mut self, key: i32, version: Version) -> bool {
        let Some(job) = self.jobs.get_mut(&key).filter(|job| job.version == version) else {
            return false;
        };
        if job.attempt < self.retry.max_attempts {
            let wait = self.retry.base_delay * (1 << (job.attempt.max(1) - 1));
            let due = Some(self.now + wait.min(self.retry.max_delay));
            job.state = State::Retrying { due };
            return true;
        }
        self.jobs.remove(&key);
        self.quarantined.insert(key);
        self.counters.failed += 1;
        false
    }

    pub(crate) fn drain(&mut self, max: usize) -> Vec<(i32, Version)> {
        let room = self.backlog_capacity - self.count(|state| state == State::Delivered);
        let mut delivered = Vec::new();
        let mut prefer_empty = false;
        self.results.sort_by_key(|result| result.order);
        for _ in 0..max.min(room) {
            let take_empty = self.results.is_empty() || (prefer_empty && !self.empties.is_empty());
            let next = if take_empty {
                self.empties.pop_front()
            } else {
                let result = self.results.remove(0);
                Some((result.key, result.version))
            };
            let Some((key, version)) = next else { break };
            prefer_empty = !prefer_empty;
            if let Some(job) = self.jobs.get_mut(&key).filter(|job| job.version == version) {
                job.state = State::Delivered;
                delivered.push((key, version));
            }
        }
        delivered
    }

    /// The nth of what is in the backlog, around.
    pub(crate) fn delivered(&self, nth: usize) -> Option<(i32, Version)> {
        let keys: Vec<_> = self
            .jobs
            .iter()
            .filter(|(_, job)| job.state == State::Delivered)
            .map(|(key, job)| (*key, job.version))
            .collect();
        keys.get(nth.checked_rem(keys.len())?).copied()
    }

    pub(crate) fn apply(&mut self, key: i32, _: Version) -> bool {
        self.counters.applied += 1;
        self.jobs.remove(&key).is_some()
    }

    pub(crate) fn apply_failed(&mut self, key: i32, version: Version) -> bool {
        self.judge(key, version)
    }

    pub(crate) fn depths(&self) -> Depths {
        Depths {
            queued: self.count(|s| matches!(s, State::Queued { .. } | State::Retrying { .. })),
            in_flight: self.count(|state| state == State::InFlight),
            completed: self.count(|state| state == State::Completed),
            backlog: self.count(|state| state == State::Delivered),
            quarantined: self.quarantined.len(),
        }
    }

    fn count(&self, is_counted: impl Fn(State) -> bool) -> usize {
        self.jobs
            .values()
            .filter(|job| is_counted(job.state))
            .count()
    }

    /// Follows what the runners did since the last look, and objects.
    pub(crate) fn watch(&mut self, trace: &[String]) {
        for line in &trace[self.watched..] {
            let (_, event) = line.split_once("runner ").expect("a runner did it");
            let words: Vec<_> = event.split([' ', ':']).filter(|w| !w.is_empty()).collect();
            let number = |at: usize| words[at].trim_start_matches('v').parse::<u64>();
            let runner = number(0).expect("runners are numbered");
            if words[1] == "leave" {
                self.answering.remove(&runner);
                continue;
            }
            let key = words[2].parse().expect("keys are numbers");
            let version = number(3).expect("versions are numbers");
            match words[1] {
                "start" => self.started(runner, key, version),
                outcome => self.ended(runner, outcome, key, version),
            }
        }
        self.watched = trace.len();
    }

    fn started(&mut self, runner: u64, key: i32, version: u64) {
        self.answering.remove(&runner);
        let order = |key: i32, job: &Model| match job.state {
            State::Queued {
                visible: Some(turn),
            } => Some((job.lane, distance(key, self.viewer), turn, key)),
            _ => None,
        };
        let best = self
            .jobs
            .iter()
            .filter(|(key, _)| !self.answering.values().any(|answering| answering == *key))
            .filter_map(|(key, job)| order(*key, job))
            .min();
        let best = best.expect("only what is queued can start");
        assert_eq!(best.3, key, "the best one starts (I5, I11)");
        let job = self.jobs.get_mut(&key).expect("it is the best of them");
        assert_eq!(
            job.version.get(),
            version,
            "only the newest version starts (I2)"
        );
        job.state = State::InFlight;
        let version = job.version;
        let order = self.starts;
        self.starts += 1;
        self.running.insert(
            runner,
            Held {
                key,
                version,
                order,
            },
        );
        self.answering.insert(runner, key);
        assert!(
            self.running.len() <= self.limit,
            "in flight is bounded (I4)"
        );
        let places = self.running.len() + self.results.len() + self.faults.len();
        assert!(places <= self.capacity, "completed is bounded (I4)");
    }

    fn ended(&mut self, runner: u64, outcome: &str, key: i32, version: u64) {
        let held = self.running.remove(&runner).expect("what ends has started");
        assert_eq!((held.key, held.version.get()), (key, version));
        let job = self
            .jobs
            .get_mut(&key)
            .filter(|job| job.version == held.version);
        match outcome {
            "made" => {
                self.counters.generated += 1;
                if let Some(job) = job {
                    job.state = State::Completed;
                    self.results.push(held);
                }
            }
            "fault" => {
                if let Some(job) = job {
                    job.state = State::Retrying { due: None };
                }
                self.faults.push((held, key % 10 == 3));
            }
            _ => assert!(job.is_none(), "only the withdrawn are abandoned"),
        }
    }
}
