//! The figures for memory, in a bench of its own because counting allocations slows them down.

#[path = "../scheduler/figures.rs"]
#[expect(
    dead_code,
    reason = "there is no ratio among the figures of this bench"
)]
mod figures;

use std::time::Duration;

use chunk_scheduler::{FnRank, Generator, Job, Runtime, Scheduler, SchedulerConfig};
use figures::Figures;

/// The memory of each of `jobs` queued jobs.
fn bytes_per_queued_job(jobs: i32) -> f64 {
    let mut kept = None;
    let used = allocation_counter::measure(|| {
        let generator = Generator::from_async(|_: Job<[i32; 3]>| async {
            std::future::pending::<()>().await;
            Ok::<_, &str>(0_u64)
        });
        let config = SchedulerConfig {
            max_in_flight: 1,
            ..SchedulerConfig::default()
        };
        // On this thread, whose allocations are counted.
        let runtime = Runtime::Inline {
            budget: Duration::MAX,
        };
        let rank = FnRank(|key: &[i32; 3]| u64::from(key[0].unsigned_abs()));
        let mut scheduler =
            Scheduler::new(config, generator, runtime, rank).expect("the configuration is valid");
        for key in 0..=jobs {
            scheduler.request([key.wrapping_mul(7_919) % jobs, 0, key]);
        }
        scheduler.tick(Duration::ZERO);
        kept = Some(scheduler);
    });
    used.bytes_current as f64 / f64::from(jobs)
}

fn main() {
    let mut figures = Figures::from_args();
    for (name, jobs) in [
        ("memory per queued job, 100,000 of them", 100_000),
        ("memory per queued job, 115,000 of them", 115_000),
        ("memory per queued job, 131,073 of them", 131_073),
    ] {
        figures.at_most(name, 128.0, "bytes", || bytes_per_queued_job(jobs));
    }
    figures.print();
}
