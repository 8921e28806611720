//! Archives in a redb file on this disk: how fast they write, against redb alone, and how fast they load, against generating.

#[path = "../../../xtask/shared/figures.rs"]
mod print;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bevy_tasks::{TaskPool, TaskPoolBuilder};
use chunk_scheduler::store::{Archive, ArchiveConfig, MemoryStore, Postcard, RedbStore, Store};
use chunk_scheduler::{FnRank, Generator, Job, Runtime, Scheduler, SchedulerConfig};
use print::{Figure, Figures};
use redb::{Database, TableDefinition};

const WRITE: &str = "store/chunks of 15 entities a second into redb, over redb's own batch writes of the same bytes";
const LOAD: &str = "store/chunks a second from redb on one thread, over generating them in 200 µs";
const SAVE: &str = "store/save of a snapshot on the main thread while workers write";

const CHUNKS: u32 = 20_000;
/// As many as an archive writes at once.
const BATCH: usize = 1_024;
const LOADS: u32 = 2_000;
const GENERATION: Duration = Duration::from_micros(200);

/// The places of the entities of a chunk: position, rotation and scale.
type Places = Vec<[f32; 10]>;

fn main() {
    let mut figures = Figures::from_args();
    figures.add(5, &[WRITE], || {
        let (ours, plain) = (written_by_archive(), written_by_redb());
        let rate = |took: Duration| f64::from(CHUNKS) / took.as_secs_f64();
        let figure = Figure::new(WRITE, "chunks/s", rate(ours));
        vec![with_ratio(figure, rate(plain), 0.8)]
    });
    figures.add(3, &[LOAD], || {
        let (loaded, generated) = load_and_generate();
        let rate = |took: Duration| f64::from(LOADS) / took.as_secs_f64();
        let figure = Figure::new(LOAD, "chunks/s", rate(loaded));
        vec![with_ratio(figure, rate(generated), 5.0)]
    });
    figures.add(5, &[SAVE], || {
        let file = File::new("save");
        let archive = file.archive();
        let snapshots: Vec<Places> = (0..CHUNKS).map(places).collect();
        let start = Instant::now();
        for (key, snapshot) in (0..).zip(snapshots) {
            archive.save(key, snapshot);
        }
        let took = start.elapsed();
        archive
            .flush_within(Duration::MAX)
            .expect("the disk has room");
        let micros = took.as_secs_f64() * 1e6 / f64::from(CHUNKS);
        vec![Figure::new(SAVE, "us", micros).at_most(2.0)]
    });
    figures.print();
}

/// More chunks a second are better.
fn with_ratio(figure: Figure, yardstick: f64, target: f64) -> Figure {
    let ratio = Some(figure.value / yardstick);
    Figure {
        yardstick: Some(yardstick),
        ratio,
        target: Some(target),
        ..figure
    }
}

/// A redb file in a folder of its own, beside what is built, so that it is on the same disk.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let folder = folder.join(format!("store-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        Self(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.join("chunks.redb")
    }

    fn archive(&self) -> Archive<u32, Places> {
        let store = RedbStore::open(self.path()).expect("the file can be made");
        open(store, Runtime::default())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // It is in a folder for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn open(store: impl Store, runtime: Runtime) -> Archive<u32, Places> {
    Archive::new(store, Postcard::new(), ArchiveConfig::default(), runtime)
}

/// Numbers that do not compress well, as those of a scene do not.
fn places(chunk: u32) -> Places {
    let mut random = chunk;
    let mut next = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) as f32 / 1_000.0
    };
    (0..15).map(|_| std::array::from_fn(|_| next())).collect()
}

/// How long it takes until all are durable.
fn written_by_archive() -> Duration {
    let file = File::new("archive");
    let archive = file.archive();
    let snapshots: Vec<Places> = (0..CHUNKS).map(places).collect();
    let start = Instant::now();
    for (key, snapshot) in (0..).zip(snapshots) {
        archive.save(key, snapshot);
    }
    archive
        .flush_within(Duration::MAX)
        .expect("the disk has room");
    start.elapsed()
}

/// The same bytes, in transactions of a batch each.
fn written_by_redb() -> Duration {
    const VALUES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("values");
    let memory = MemoryStore::default();
    let archive = open(memory.clone(), Runtime::default());
    (0..CHUNKS).for_each(|key| archive.save(key, places(key)));
    archive
        .flush_within(Duration::MAX)
        .expect("memory has room");
    let names: Vec<String> = (0..CHUNKS).map(|key| format!("chunks/{key}")).collect();
    let load = |name: &String| bevy_tasks::block_on(memory.load(name));
    let values: Vec<Vec<u8>> = (names.iter())
        .map(|name| {
            load(name)
                .expect("memory does not fail")
                .expect("it is there")
        })
        .collect();
    let file = File::new("redb");
    let database = Database::create(file.path()).expect("the file can be made");
    let start = Instant::now();
    for (names, values) in names.chunks(BATCH).zip(values.chunks(BATCH)) {
        let transaction = database.begin_write().expect("nobody else writes");
        let mut table = transaction.open_table(VALUES).expect("it is of this type");
        for (name, value) in names.iter().zip(values) {
            table
                .insert(name.as_str(), value.as_slice())
                .expect("the disk has room");
        }
        drop(table);
        transaction.commit().expect("the disk has room");
    }
    start.elapsed()
}

/// How long one thread takes to load chunks, and to generate as many.
fn load_and_generate() -> (Duration, Duration) {
    let file = File::new("load");
    let archive = file.archive();
    (0..LOADS).for_each(|key| archive.save(key, places(key)));
    archive
        .flush_within(Duration::MAX)
        .expect("the disk has room");
    drop(archive);
    let pool: Arc<TaskPool> = Arc::new(TaskPoolBuilder::new().num_threads(1).build());
    let store = RedbStore::open(file.path()).expect("it was made");
    let archive = open(store, Runtime::pool(Arc::clone(&pool)));
    let loading = archive.generator(|_: &Job<u32>, saved| match saved {
        Some(places) => Ok::<_, &str>(places.len()),
        None => Err("it was saved"),
    });
    let generating = Generator::new(|job: &Job<u32>| {
        let start = Instant::now();
        while start.elapsed() < GENERATION {
            std::hint::spin_loop();
        }
        places(job.key()).len()
    });
    let make = |generator: Generator<u32, usize>| {
        let rank = FnRank(|key: &u32| *key);
        let runtime = Runtime::pool(Arc::clone(&pool));
        let config = SchedulerConfig::default();
        let mut scheduler =
            Scheduler::new(config, generator, runtime, rank).expect("the defaults are valid");
        (0..LOADS).for_each(|key| {
            scheduler.request(key);
        });
        let start = Instant::now();
        let mut made = 0;
        while made < LOADS {
            scheduler.tick(start.elapsed());
            let mut ready = Vec::new();
            scheduler.drain(usize::MAX, |delivered| ready.push(delivered));
            for chunk in ready {
                assert_eq!(chunk.content, 15);
                made += u32::from(scheduler.applied(chunk.key, chunk.version));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        start.elapsed()
    };
    (make(loading), make(generating))
}
