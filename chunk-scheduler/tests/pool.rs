//! More jobs in flight than the pool has threads: the log says so once, and the report always does.

mod common;

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use chunk_scheduler::{AdaptivePolicy, Concurrency, Scheduler, SchedulerConfig, Simulation};
use common::{FRAME, Near, plain};
use tracing_subscriber::fmt::MakeWriter;

#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().expect("no thread panicked").clone();
        let text = String::from_utf8(bytes).expect("a log is text");
        text.lines().map(str::to_owned).collect()
    }

    /// Runs `work` with everything of level info and above written here.
    fn record(&self, work: impl FnOnce()) {
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(self.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, work);
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no thread panicked").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

fn scheduler(threads: usize, config: SchedulerConfig) -> Scheduler<i32, i32, Near> {
    let simulation = Simulation::with_threads(1, threads);
    common::scheduler(config, plain(), simulation.runtime(), Near(0))
}

#[test]
fn a_pool_with_too_few_threads_is_logged_once_and_not_as_a_warning() {
    let log = Log::default();
    log.record(|| {
        let mut scheduler = scheduler(1, SchedulerConfig::default());
        assert!(scheduler.concurrency().is_pool_bound());
        for frame in 0..10 {
            scheduler.tick(FRAME * frame);
        }
        scheduler.set_max_in_flight(8).expect("it is valid");
    });
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].contains("INFO") && lines[0].contains("threads=1"),
        "{lines:?}"
    );
}

#[test]
fn a_limit_that_rises_above_the_threads_is_logged_then() {
    let log = Log::default();
    log.record(|| {
        let mut scheduler = scheduler(3, SchedulerConfig::default());
        assert!(!scheduler.concurrency().is_pool_bound());
        assert!(log.lines().is_empty());
        scheduler.set_max_in_flight(4).expect("it is valid");
        let report = scheduler.concurrency();
        assert!(report.is_pool_bound());
        assert_eq!((report.limit, report.pool_threads), (4, 3));
        assert_eq!(log.lines().len(), 1);
        scheduler.set_max_in_flight(3).expect("it is valid");
        assert!(!scheduler.concurrency().is_pool_bound());
        scheduler.set_max_in_flight(5).expect("it is valid");
    });
    assert_eq!(log.lines().len(), 1);
}

#[test]
fn an_adaptive_limit_that_rises_above_the_threads_is_logged() {
    let log = Log::default();
    log.record(|| {
        let config = SchedulerConfig {
            concurrency: Concurrency::Adaptive(AdaptivePolicy::default()),
            ..SchedulerConfig::default()
        };
        let mut scheduler = scheduler(2, config);
        for key in 0..1_000 {
            scheduler.request(key);
        }
        // Without steps of the simulation, jobs wait while every worker is busy.
        for frame in 0..100 {
            scheduler.tick(FRAME * frame);
        }
        assert_eq!(scheduler.max_in_flight(), 4);
    });
    assert_eq!(log.lines().len(), 1, "{:?}", log.lines());
}
