//! I12 and the memory bound: a tick without changes allocates nothing, and a queued job is small.

mod common;

use chunk_scheduler::{FnRank, Generator, Job, Scheduler, SchedulerConfig};
use common::FRAME;

type Key = [i32; 3];

/// Beside the round number: just after a power of two, where vectors have grown, and just after seven eighths of one,
/// where hash tables have.
const SIZES: [i32; 6] = [10_000, 57_400, 100_000, 115_000, 131_073, 230_000];

/// A scheduler with `jobs` queued jobs and one that never ends, on this thread, whose allocations are counted.
fn with_a_long_queue(jobs: i32) -> Scheduler<Key, u64, impl chunk_scheduler::Rank<Key>> {
    let generator = Generator::from_async(|_: Job<Key>| async {
        std::future::pending::<()>().await;
        Ok::<_, &str>(0)
    });
    let (config, runtime) = (common::one_at_a_time(), common::inline());
    let rank = FnRank(|key: &Key| u64::from(key[0].unsigned_abs()));
    let mut scheduler =
        Scheduler::new(config, generator, runtime, rank).expect("the configuration is valid");
    for key in 0..=jobs {
        scheduler.request([key.wrapping_mul(7_919) % jobs, 0, key]);
    }
    scheduler.tick(FRAME);
    scheduler
}

#[test]
fn a_queued_job_takes_at_most_128_bytes_however_many_there_are() {
    for jobs in SIZES {
        let mut scheduler = None;
        let used = allocation_counter::measure(|| scheduler = Some(with_a_long_queue(jobs)));
        let depths = scheduler.as_ref().map(Scheduler::depths);
        let depths = depths.expect("it was just made");
        assert_eq!(
            depths.queued,
            usize::try_from(jobs).expect("it is positive")
        );
        assert_eq!(depths.in_flight, 1);
        let per_job = used.bytes_current / i64::from(jobs);
        let at_worst = used.bytes_max / u64::from(jobs.unsigned_abs());
        println!("{jobs} jobs: {per_job} bytes each, {at_worst} while they came");
        assert!(per_job <= 128, "{per_job} bytes for each of {jobs} jobs");
    }
}

#[test]
fn a_tick_with_nothing_to_do_allocates_nothing() {
    let mut scheduler = with_a_long_queue(100_000);
    scheduler.tick(FRAME * 2);
    let used = allocation_counter::measure(|| {
        for frame in 3..100 {
            scheduler.tick(FRAME * frame);
            scheduler.drain(usize::MAX, drop);
            assert_eq!(scheduler.failures().count(), 0);
        }
    });
    assert_eq!(used.count_total, 0);
}

#[test]
fn the_steady_state_allocates_one_cell_per_request() {
    let config = SchedulerConfig::default();
    let (generator, runtime) = (common::plain(), common::inline());
    let mut scheduler = common::scheduler(config, generator, runtime, common::Near(0));
    let mut frame = 0;
    let mut ready = Vec::with_capacity(100);
    let mut round = || {
        frame += 1;
        for key in 0..100 {
            scheduler.request(key);
        }
        scheduler.tick(FRAME * frame);
        scheduler.drain(usize::MAX, |result| {
            ready.push((result.key, result.version))
        });
        for (key, version) in ready.drain(..) {
            assert!(scheduler.applied(key, version));
        }
    };
    for _ in 0..10 {
        round();
    }
    let used = allocation_counter::measure(&mut round);
    // The others are for the workers that are started in the round.
    let allocations = used.count_total;
    assert!(allocations <= 100 + 20, "{allocations} allocations");
}
