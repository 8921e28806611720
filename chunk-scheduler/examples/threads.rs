//! Without an ECS: two plain threads make the tiles of a map, those in the middle first.
//!
//! `cargo run -p chunk-scheduler --example threads`

use chunk_scheduler::prelude::*;
use std::{
    pin::Pin,
    sync::{
        Arc,
        mpsc::{Receiver, Sender, channel},
    },
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = threads(2);
    let middle = [8_i32, 8];
    let generator = Generator::new(|job: &Job<[i32; 2]>| {
        let [x, y] = job.key();
        char::from(b" .:-=+*#"[(x * x + y * y).rem_euclid(8) as usize])
    });
    let nearest = FnRank(move |key: &[i32; 2]| {
        let off = |axis: usize| u64::from(key[axis].abs_diff(middle[axis])).pow(2);
        off(0) + off(1)
    });
    let mut scheduler = Scheduler::new(SchedulerConfig::default(), generator, runtime, nearest)?;

    for y in 0..16 {
        for x in 0..16 {
            scheduler.request([x, y]);
        }
    }
    let mut map = [[' '; 16]; 16];
    let start = Instant::now();
    while scheduler.depths().live() > 0 {
        scheduler.tick(start.elapsed());
        let mut ready = Vec::new();
        scheduler.drain(usize::MAX, |tile| ready.push(tile));
        for tile in ready {
            let [x, y] = tile.key;
            map[y as usize][x as usize] = tile.content;
            assert!(scheduler.applied(tile.key, tile.version));
        }
        thread::sleep(Duration::from_millis(1));
    }
    for row in map {
        println!("{}", row.iter().collect::<String>());
    }
    println!(
        "{} tiles in {:?}",
        scheduler.counters().applied,
        start.elapsed()
    );
    Ok(())
}

/// A runtime of `count` threads, each of which polls one worker at a time until it ends.
fn threads(count: usize) -> Runtime {
    let threads: Vec<Sender<Work>> = (0..count)
        .map(|_| {
            let (sender, work) = channel();
            thread::spawn(move || run(&work));
            sender
        })
        .collect();
    let turn = std::sync::atomic::AtomicUsize::new(0);
    Runtime::custom(count, move |work| {
        let next = turn.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % threads.len();
        // A thread lives as long as its sender, so this fails only while the program ends.
        let _ = threads[next].send(work);
    })
}

fn run(work: &Receiver<Work>) {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    while let Ok(mut future) = work.recv() {
        while future.as_mut().poll(&mut Context::from_waker(&waker)) == Poll::Pending {
            thread::park();
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
