//! Checks the trace of the workers against the reference.

use chunk_scheduler::Lane;

use super::{
    Outcome, outcome,
    reference::{Held, Model, Reference, State, distance},
};

impl Reference {
    /// Follows what the workers did since the last call, and checks that they were allowed to.
    pub(crate) fn watch(&mut self, trace: &[String]) {
        for line in &trace[self.watched..] {
            let (_, event) = line.split_once("worker ").expect("a worker did it");
            let words: Vec<_> = event.split([' ', ':']).filter(|w| !w.is_empty()).collect();
            let number = |at: usize| words[at].trim_start_matches('v').parse::<u64>();
            let worker = number(0).expect("workers are numbered");
            if words[1] == "exit" {
                self.held_back.remove(&worker);
                continue;
            }
            let key = words[2].parse().expect("keys are numbers");
            let version = number(3).expect("versions are numbers");
            match words[1] {
                "start" => self.started(worker, key, version),
                event => self.ended(worker, event, key, version),
            }
        }
        self.watched = trace.len();
    }

    fn started(&mut self, worker: u64, key: i32, version: u64) {
        self.held_back.remove(&worker);
        let order = |key: i32, job: &Model| match job.state {
            State::Queued {
                visible: Some(turn),
            } => Some((job.lane, distance(key, self.viewer), turn, key)),
            _ => None,
        };
        let permits = self.running.len() + self.results.len() + self.faults.len();
        // Urgent jobs without end do not stop loading.
        let is_normal_due = permits < self.capacity && self.urgent_in_a_row >= 64;
        let best = self
            .jobs
            .iter()
            .filter(|((key, _), _)| !self.held_back.values().any(|busy| busy == key))
            .filter_map(|((key, _), job)| order(*key, job))
            .filter(|best| best.0 == Lane::Urgent || permits < self.capacity)
            .min_by_key(|best| (best.0 != Lane::Normal && is_normal_due, *best));
        let best = best.expect("only what is queued and has a permit can start");
        self.urgent_in_a_row = match best.0 {
            Lane::Urgent => self.urgent_in_a_row + 1,
            _ => 0,
        };
        assert_eq!(best.3, key, "the best one starts (I5, I11)");
        let newest = *self.versions(key).last().expect("it is the best of them");
        assert_eq!(newest.get(), version, "only the newest version starts (I2)");
        let version = newest;
        let job = self.jobs.get_mut(&(key, version)).expect("it is live");
        job.state = State::InFlight;
        job.asks += 1;
        let outcome = outcome(key, version, job.attempt, job.asks);
        self.starts += 1;
        let order = self.starts;
        self.running.insert(
            worker,
            Held {
                key,
                version,
                order,
                is_answer: false,
                outcome,
            },
        );
        self.held_back.insert(worker, key);
        assert!(
            self.running.len() <= self.limit,
            "in flight is bounded (I4)"
        );
        assert!(
            permits < self.capacity + self.urgent_reserve,
            "completed is bounded (I4)"
        );
    }

    fn ended(&mut self, worker: u64, event: &str, key: i32, version: u64) {
        let held = self.running.remove(&worker).expect("what ends has started");
        assert_eq!((held.key, held.version.get()), (key, version));
        let job = self.jobs.get_mut(&(key, held.version));
        match event {
            "made" => {
                assert_eq!(held.outcome, Outcome::Made);
                self.counters.generated += 1;
                self.counters.wasted += u64::from(job.is_none());
                if let Some(job) = job {
                    job.state = State::Completed;
                    self.results.push(held);
                }
            }
            "fault" | "not-yet" => {
                let is_not_yet = matches!(held.outcome, Outcome::NotYet(_));
                assert_eq!(event == "not-yet", is_not_yet);
                if let Some(job) = job {
                    job.state = State::Retrying { due: None };
                }
                self.faults.push(held);
            }
            _ => assert!(job.is_none(), "only the withdrawn are abandoned"),
        }
    }
}
