//! A reference scheduler without threads, locks or queues: one list of jobs and a linear search.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::Outcome;
use chunk_scheduler::{Counters, Depths, Lane, Requested, RetryPolicy, SchedulerConfig, Version};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum State {
    /// The turn in which it was submitted in its lane, if it was.
    Queued {
        visible: Option<u32>,
    },
    InFlight,
    /// `None` until the main thread has handled the fault.
    Retrying {
        due: Option<Duration>,
    },
    /// Said that it cannot be made yet.
    Postponed {
        due: Duration,
    },
    Completed,
    Delivered,
    Applying,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Model {
    pub(crate) lane: Lane,
    pub(crate) attempt: u32,
    /// How often its generator was asked.
    pub(crate) asks: u32,
    is_empty: bool,
    pub(crate) state: State,
}

impl Model {
    /// Whether its result is there.
    fn is_finished(self) -> bool {
        matches!(
            self.state,
            State::Completed | State::Delivered | State::Applying
        )
    }

    /// Whether it has a result that a generator made.
    fn has_result(self) -> bool {
        !self.is_empty && self.is_finished()
    }

    fn is_in_backlog(self) -> bool {
        matches!(self.state, State::Delivered | State::Applying)
    }
}

/// A result or a fault that holds a permit in the completed queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) key: i32,
    pub(crate) version: Version,
    pub(crate) order: usize,
    /// Whether it is the answer for a key that is known to be empty.
    pub(crate) is_answer: bool,
    /// How its attempt ends.
    pub(crate) outcome: Outcome,
}

#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) counters: Counters,
    pub(crate) viewer: i32,
    pub(crate) next_limit: usize,
    pub(crate) limit: usize,
    now: Duration,
    pub(crate) capacity: usize,
    backlog_capacity: usize,
    pub(crate) urgent_reserve: usize,
    pub(crate) urgent_in_a_row: u32,
    retry: RetryPolicy,
    /// Every live job.
    pub(crate) jobs: BTreeMap<(i32, Version), Model>,
    quarantined: BTreeSet<i32>,
    newest: Option<Version>,
    turn: u32,
    /// Whether the next tick submits a job.
    has_outgoing: bool,
    /// For each worker: what it generates.
    pub(crate) running: BTreeMap<u64, Held>,
    /// For each worker: the key that it holds back, also after its generator has returned.
    pub(crate) held_back: BTreeMap<u64, i32>,
    pub(crate) starts: usize,
    pub(crate) results: Vec<Held>,
    /// The highest start of a result that was delivered.
    last_order: usize,
    last_answer: usize,
    /// Attempts that made nothing.
    pub(crate) faults: Vec<Held>,
    /// The results and failures up to the last tick.
    progress: u64,
    pub(crate) watched: usize,
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
            urgent_reserve: config.urgent_reserve,
            urgent_in_a_row: 0,
            retry: config.retry,
            jobs: BTreeMap::new(),
            quarantined: BTreeSet::new(),
            newest: None,
            turn: 0,
            has_outgoing: false,
            running: BTreeMap::new(),
            held_back: BTreeMap::new(),
            starts: 0,
            results: Vec::new(),
            last_order: 0,
            last_answer: 0,
            faults: Vec::new(),
            progress: 0,
            watched: 0,
        }
    }

    /// The live versions of a key, oldest first.
    pub(crate) fn versions(&self, key: i32) -> Vec<Version> {
        let jobs = self.jobs.keys().filter(|(of, _)| *of == key);
        jobs.map(|(_, version)| *version).collect()
    }

    fn newest(&self, key: i32) -> Option<Version> {
        self.versions(key).last().copied()
    }

    pub(crate) fn request(&mut self, key: i32, lane: Lane, is_empty: bool, found: Requested) {
        let Some(newest) = self.newest(key) else {
            assert!(found.is_new());
            self.enqueue(key, lane, is_empty, found.version());
            return;
        };
        // The newest version was given up, while an earlier one waits to be applied.
        if self.quarantined.contains(&key) {
            return self.refresh(key, lane, is_empty, found);
        }
        self.coalesce(key, newest, lane, found);
    }

    fn coalesce(&mut self, key: i32, version: Version, lane: Lane, found: Requested) {
        assert_eq!(found, Requested::Coalesced(version));
        self.counters.coalesced += 1;
        let job = self.jobs.get_mut(&(key, version)).expect("it is live");
        if lane < job.lane {
            job.lane = lane;
            if matches!(job.state, State::Queued { .. }) {
                job.state = State::Queued { visible: None };
                self.has_outgoing = true;
            }
        }
    }

    pub(crate) fn refresh(&mut self, key: i32, lane: Lane, is_empty: bool, found: Requested) {
        self.quarantined.remove(&key);
        let Some(newest) = self.newest(key) else {
            assert!(found.is_new());
            return self.enqueue(key, lane, is_empty, found.version());
        };
        let job = self.jobs.get_mut(&(key, newest)).expect("it is live");
        let lane_of_both = job.lane.min(lane);
        match job.state {
            // Its generator has not read anything yet.
            State::Queued { .. } => {
                job.attempt = 1;
                return self.coalesce(key, newest, lane, found);
            }
            State::Retrying { .. } | State::Postponed { .. } => self.end_as_stale(key, newest),
            _ => {}
        }
        assert!(found.is_new());
        self.enqueue(key, lane_of_both, is_empty, found.version());
        self.end_outdated(key);
    }

    pub(crate) fn cancel(&mut self, key: i32) -> bool {
        self.quarantined.remove(&key);
        let versions = self.versions(key);
        for version in &versions {
            let job = self.jobs.remove(&(key, *version)).expect("it is live");
            self.counters.cancelled += 1;
            self.counters.wasted += u64::from(job.has_result());
        }
        !versions.is_empty()
    }

    fn end_as_stale(&mut self, key: i32, version: Version) {
        let job = self.jobs.remove(&(key, version)).expect("it is live");
        self.counters.stale += 1;
        self.counters.wasted += u64::from(job.has_result());
    }

    /// Ends the versions that are older than a finished one. What is being applied is not ended by that.
    /// A newer result that was not drained yet has the place of those, before all that is not urgent.
    fn end_outdated(&mut self, key: i32) {
        let (mut is_outdated, mut has_ended) = (false, false);
        for version in self.versions(key).into_iter().rev() {
            let job = self.jobs[&(key, version)];
            if is_outdated && job.state != State::Applying {
                self.end_as_stale(key, version);
                has_ended = true;
            }
            is_outdated |= job.is_finished();
        }
        let of_key = self.jobs.iter_mut().rev().filter(|((of, _), _)| *of == key);
        let mut finished = of_key.filter(|(_, job)| job.state == State::Completed);
        if has_ended && let Some((_, job)) = finished.next() {
            job.lane = Lane::Urgent;
        }
    }

    fn end_older(&mut self, key: i32, version: Version) {
        for older in self.versions(key) {
            if older < version {
                self.end_as_stale(key, older);
            }
        }
    }

    fn enqueue(&mut self, key: i32, lane: Lane, is_empty: bool, version: Version) {
        let newest = self.newest.replace(version);
        assert!(newest < Some(version), "versions never repeat (I2)");
        self.counters.requested += 1;
        self.quarantined.remove(&key);
        let permits = match lane {
            Lane::Urgent => self.capacity + self.urgent_reserve,
            Lane::Normal | Lane::Prefetch => self.capacity,
        };
        let taken = self.running.len() + self.results.len() + self.faults.len();
        let is_empty = is_empty && taken < permits;
        let state = if is_empty {
            self.counters.known_empty += 1;
            let order = self.last_answer.max(self.last_order) + 1;
            self.last_answer = order;
            self.results.push(Held {
                key,
                version,
                order,
                is_answer: true,
                outcome: Outcome::Made,
            });
            State::Completed
        } else {
            self.has_outgoing = true;
            State::Queued { visible: None }
        };
        let job = Model {
            lane,
            attempt: u32::from(!is_empty),
            asks: 0,
            is_empty,
            state,
        };
        self.jobs.insert((key, version), job);
    }

    pub(crate) fn tick(&mut self, now: Duration) {
        self.now = now;
        self.limit = self.next_limit;
        self.remove_dead_results();
        let mut faults = std::mem::take(&mut self.faults);
        faults.sort_by_key(|fault| fault.version);
        for fault in faults {
            self.handle_fault(fault);
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
        self.ask_again();
        if std::mem::take(&mut self.has_outgoing) {
            self.turn += 1;
            for job in self.jobs.values_mut() {
                if job.state == (State::Queued { visible: None }) {
                    job.state = State::Queued {
                        visible: Some(self.turn),
                    };
                }
            }
        }
    }

    /// Asks again for what could not be made yet. While other jobs wait to start, no more of it than there were results
    /// and failures since the last tick, so that the others have their share of the workers.
    fn ask_again(&mut self) {
        let now = self.now;
        let progress = self.counters.generated + self.counters.failures;
        let since = progress - std::mem::replace(&mut self.progress, progress);
        let in_flight = |key: i32| {
            let mut jobs = self.jobs.iter().filter(|((of, _), _)| *of == key);
            jobs.any(|(_, job)| job.state == State::InFlight)
        };
        let mut queued =
            (self.jobs.iter()).filter(|(_, job)| matches!(job.state, State::Queued { .. }));
        let others_wait = queued.any(|((key, _), _)| !in_flight(*key));
        let mut due: Vec<_> = self
            .jobs
            .iter()
            .filter_map(|(key, job)| match job.state {
                State::Postponed { due } if due <= now => Some((due, *key)),
                _ => None,
            })
            .collect();
        due.sort_unstable();
        if others_wait {
            due.truncate(usize::try_from(since).expect("there are few"));
        }
        for (_, key) in due {
            let job = self.jobs.get_mut(&key).expect("it is one of them");
            job.state = State::Queued { visible: None };
            self.has_outgoing = true;
        }
    }

    fn handle_fault(&mut self, fault: Held) {
        let is_panic = fault.outcome == Outcome::Panicked;
        self.counters.panics += u64::from(is_panic);
        let is_permanent = match fault.outcome {
            Outcome::NotYet(wait) => {
                self.counters.not_yet += 1;
                let due = self.now + wait;
                self.make_way(fault.key, fault.version);
                if let Some(job) = self.jobs.get_mut(&(fault.key, fault.version)) {
                    job.state = State::Postponed { due };
                }
                return;
            }
            outcome => outcome == Outcome::Permanent,
        };
        self.handle_failure(fault.key, fault.version, is_permanent);
    }

    /// Handles a failed attempt. True where its job will be retried.
    fn handle_failure(&mut self, key: i32, version: Version, is_permanent: bool) -> bool {
        self.counters.failures += 1;
        self.make_way(key, version);
        let Some(job) = self.jobs.get_mut(&(key, version)) else {
            return false;
        };
        if job.attempt < self.retry.max_attempts && !is_permanent {
            let wait = self.retry.base_delay * (1 << (job.attempt.max(1) - 1));
            let due = Some(self.now + wait.min(self.retry.max_delay));
            job.state = State::Retrying { due };
            return true;
        }
        self.jobs.remove(&(key, version));
        self.quarantined.insert(key);
        self.counters.failed += 1;
        false
    }

    /// Ends a job that made nothing where a newer one takes its place.
    fn make_way(&mut self, key: i32, version: Version) {
        if self.is_live(key, version) && self.newest(key) > Some(version) {
            self.end_as_stale(key, version);
        }
    }

    fn is_live(&self, key: i32, version: Version) -> bool {
        self.jobs.contains_key(&(key, version))
    }

    /// Removes the results of ended jobs, with their permits.
    fn remove_dead_results(&mut self) {
        let mut results = std::mem::take(&mut self.results);
        results.retain(|result| self.is_live(result.key, result.version));
        self.results = results;
    }

    pub(crate) fn drain(&mut self, max: usize) -> Vec<(i32, Version)> {
        let mut delivered = Vec::new();
        while delivered.len() < max {
            self.remove_dead_results();
            let jobs = &self.jobs;
            let order = |result: &Held| {
                let job = &jobs[&(result.key, result.version)];
                (job.lane, result.order, !result.is_answer)
            };
            self.results.sort_by_key(order);
            let Some(result) = self.next() else {
                break;
            };
            let (key, version) = (result.key, result.version);
            let job = self.jobs.get_mut(&(key, version));
            job.expect("dead results were removed").state = State::Delivered;
            if !result.is_answer {
                self.last_order = self.last_order.max(result.order);
            }
            self.end_outdated(key);
            if self.is_live(key, version) {
                delivered.push((key, version));
            }
        }
        self.remove_dead_results();
        delivered
    }

    fn next(&mut self) -> Option<Held> {
        let backlog = self.count(Model::is_in_backlog);
        let first = self.results.first()?;
        let room = match self.jobs[&(first.key, first.version)].lane {
            Lane::Urgent => self.backlog_capacity + self.urgent_reserve,
            Lane::Normal | Lane::Prefetch => self.backlog_capacity,
        };
        (backlog < room).then(|| self.results.remove(0))
    }

    /// The nth result in the backlog, modulo its length.
    pub(crate) fn delivered(&self, nth: usize) -> Option<(i32, Version)> {
        let jobs = self.jobs.iter().filter(|(_, job)| job.is_in_backlog());
        let keys: Vec<_> = jobs.map(|(key, _)| *key).collect();
        keys.get(nth.checked_rem(keys.len())?).copied()
    }

    pub(crate) fn begin(&mut self, key: i32, version: Version) -> bool {
        let job = self.jobs.get_mut(&(key, version)).expect("it is delivered");
        let is_new = job.state == State::Delivered;
        job.state = State::Applying;
        self.end_older(key, version);
        is_new
    }

    pub(crate) fn apply(&mut self, key: i32, version: Version) -> bool {
        self.counters.applied += 1;
        self.end_older(key, version);
        self.jobs.remove(&(key, version)).is_some()
    }

    pub(crate) fn apply_failed(&mut self, key: i32, version: Version) -> bool {
        let job = self.jobs.get_mut(&(key, version)).expect("it is delivered");
        self.counters.wasted += u64::from(job.has_result());
        job.state = State::Retrying { due: None };
        self.handle_failure(key, version, false)
    }

    pub(crate) fn depths(&self) -> Depths {
        Depths {
            queued: self.count(|job| match job.state {
                State::Queued { .. } | State::Retrying { .. } | State::Postponed { .. } => true,
                State::InFlight | State::Completed | State::Delivered | State::Applying => false,
            }),
            in_flight: self.count(|job| job.state == State::InFlight),
            completed: self.count(|job| job.state == State::Completed),
            backlog: self.count(Model::is_in_backlog),
            quarantined: self.quarantined.len(),
            unwanted: self.unwanted(),
        }
    }

    fn unwanted(&self) -> usize {
        let held = self.running.values().chain(&self.results);
        held.filter(|held| !self.is_live(held.key, held.version))
            .count()
            + self.faults.len()
    }

    fn count(&self, is_counted: impl Fn(Model) -> bool) -> usize {
        self.jobs.values().filter(|job| is_counted(**job)).count()
    }
}
