//! Flights in which every chunk is changed and saved: what that costs the main thread, and what waits for a slow disk.

#[path = "../../xtask/shared/figures.rs"]
mod print;

use std::future::ready;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bevy_app::{App, Update};
use bevy_ecs::change_detection::Mut;
use bevy_ecs::hierarchy::Children;
use bevy_ecs::message::MessageReader;
use bevy_ecs::system::{Res, ResMut};
use bevy_ecs::world::World;
use bevy_math::{Quat, Vec3};
use bevy_tasks::IoTaskPool;
use bevy_transform::TransformPlugin;
use bevy_transform::components::Transform;
use chunk_apply::{
    ChunkIndex, ChunkLoaded, ChunkStream, ChunkStreamingPlugin, ChunkToSave, ChunkViewer,
    SavePolicy, SaveReason, Spawner,
};
use chunk_coord::{ChunkCoord, ChunkGrid, ViewRange};
use chunk_demo::task_pools;
use chunk_scheduler::store::{
    Archive, ArchiveConfig, MemoryStore, Postcard, RedbStore, Store, StoreFuture,
};
use chunk_scheduler::{Job, Runtime};
use print::{Figure, Figures};

const SNAPSHOT: [(usize, &str); 2] = [
    (
        15,
        "store/saving a dirty chunk of 15 entities on the main thread, beyond its snapshot",
    ),
    (
        1_000,
        "store/saving a dirty chunk of 1000 entities on the main thread, beyond its snapshot",
    ),
];
const FLIGHT: &str = "store/flight in which every chunk is changed and saved, p99 of our systems";
const SLOW: &str = "store/the same with a disk of 1 MB/s, most that waits to be written";

const FRAME: Duration = Duration::from_nanos(1_000_000_000 / 60);
/// What may wait for the disk.
const LIMIT: usize = 1 << 20;
/// Bytes a second of the slow disk.
const SPEED: f64 = 1e6;

type Place = [f32; 10];
type Places = Vec<Place>;
type Saves = Archive<ChunkCoord, Places>;

/// The content of a chunk.
struct Scene(Places);

fn main() {
    let mut figures = Figures::from_args();
    let is_quick = std::env::args().any(|arg| arg == "--quick");
    let seconds = if is_quick { 1 } else { 10 };
    for (entities, name) in SNAPSHOT {
        figures.add(5, &[name], || {
            vec![Figure::new(name, "us", beyond_snapshot(entities)).at_most(2.0)]
        });
    }
    figures.add(3, &[FLIGHT], || {
        let folder = Folder::new();
        let store = RedbStore::open(folder.0.join("chunks.redb")).expect("the file can be made");
        let mut game = Game::new(15, open(store, ArchiveConfig::default()));
        let mut ours = game.fly(seconds, |_| {});
        game.archive
            .flush_within(Duration::MAX)
            .expect("the disk has room");
        assert!(game.archive.report().written > 0);
        ours.sort_unstable();
        let p99 = ours[(ours.len() * 99).div_ceil(100) - 1];
        vec![Figure::new(FLIGHT, "ms", p99.as_secs_f64() * 1e3).at_most(2.1)]
    });
    figures.add(1, &[SLOW], || {
        let config = ArchiveConfig {
            max_waiting_bytes: LIMIT,
            // So that what a writer encodes is little beside that.
            max_batch_bytes: LIMIT / 8,
            ..ArchiveConfig::default()
        };
        let mut game = Game::new(120, open(SlowStore, config));
        let mut most = 0;
        game.fly(seconds, |archive| {
            most = most.max(archive.report().waiting_bytes)
        });
        assert!(most > 0, "the disk is slow, so something waits for it");
        let figure = Figure::new(SLOW, "MiB", most as f64 / f64::from(1 << 20));
        // The last value that there was room for is beyond it.
        let one = 120 * size_of::<Place>();
        vec![figure.at_most((LIMIT + one) as f64 / f64::from(1 << 20))]
    });
    figures.print();
}

fn open(store: impl Store, config: ArchiveConfig) -> Saves {
    Archive::new(store, Postcard::new(), config, Runtime::default())
}

/// A folder beside what is built, so that it is on the same disk.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let folder = folder.join(format!("saves-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It is in a folder for such things.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Numbers that do not compress well, as those of a scene do not.
fn places(coord: ChunkCoord, entities: usize) -> Places {
    let mut random = coord.x.cast_unsigned() ^ coord.z.cast_unsigned().rotate_left(16);
    let mut next = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) as f32 / 1_000.0
    };
    let place = |_| std::array::from_fn(|_| next());
    (0..entities).map(place).collect()
}

fn transform(place: &Place) -> Transform {
    let [x, y, z, a, b, c, d, u, v, w] = *place;
    Transform {
        translation: Vec3::new(x, y, z),
        rotation: Quat::from_xyzw(a, b, c, d),
        scale: Vec3::new(u, v, w),
    }
}

fn snapshot(world: &World, chunk: ChunkToSave) -> Places {
    let children = world.get::<Children>(chunk.root).into_iter().flatten();
    let transforms = children.filter_map(|child| world.get::<Transform>(*child));
    let place = |it: &Transform| {
        let ([x, y, z], [a, b, c, d], [u, v, w]) = (
            it.translation.to_array(),
            it.rotation.to_array(),
            it.scale.to_array(),
        );
        [x, y, z, a, b, c, d, u, v, w]
    };
    transforms.map(place).collect()
}

/// A disk that takes its time, on a thread that may wait. What is written to it is gone.
struct SlowStore;

impl Store for SlowStore {
    fn load<'a>(&'a self, _: &'a str) -> StoreFuture<'a, Option<Vec<u8>>> {
        Box::pin(ready(Ok(None)))
    }

    fn save<'a>(&'a self, batch: &'a [(String, Vec<u8>)]) -> StoreFuture<'a, ()> {
        let bytes: usize = batch.iter().map(|(_, value)| value.len()).sum();
        let time = Duration::from_secs_f64(bytes as f64 / SPEED);
        let wait = IoTaskPool::get().spawn(async move { std::thread::sleep(time) });
        Box::pin(async move {
            wait.await;
            Ok(())
        })
    }

    fn create<'a>(&'a self, _: &'a str, _: &'a [u8]) -> StoreFuture<'a, Option<Vec<u8>>> {
        Box::pin(ready(Ok(None)))
    }

    fn remove<'a>(&'a self, _: &'a str) -> StoreFuture<'a, ()> {
        Box::pin(ready(Ok(())))
    }

    fn list<'a>(&'a self, _: &'a str) -> StoreFuture<'a, Vec<String>> {
        Box::pin(ready(Ok(Vec::new())))
    }
}

struct Game {
    app: App,
    archive: Saves,
    frames: u32,
}

impl Game {
    fn new(entities: usize, archive: Saves) -> Self {
        let generator = archive.generator(move |job: &Job<ChunkCoord>, saved| match saved {
            Some(places) => Ok::<_, String>(Scene(places.to_vec())),
            None => Ok(Scene(places(job.key(), entities))),
        });
        let spawner = Spawner::new(|_coord, scene: Scene, writer| {
            writer.spawn_batch(scene.0.into_iter().map(|place| transform(&place)));
        });
        let grid = ChunkGrid::planar(32.0).expect("it is a size");
        let mut plugin = ChunkStreamingPlugin::new(grid, generator, spawner)
            .with_archive(archive.clone(), |world, chunk| Ok(snapshot(world, chunk)));
        plugin.config.range = Some(ViewRange::disc(12, 14).expect("it is a range"));
        plugin.config.linger = Duration::ZERO;
        plugin.config.saving = SavePolicy {
            autosave: Some(Duration::from_secs(2)),
            ..plugin.config.saving
        };
        let mut app = App::new();
        app.add_plugins((task_pools(), TransformPlugin, plugin));
        app.add_systems(Update, change_everything);
        let viewer = (ChunkViewer::default(), Transform::default());
        app.world_mut().spawn(viewer);
        app.finish();
        app.cleanup();
        Self {
            app,
            archive,
            frames: 0,
        }
    }

    /// Flies for so many seconds at 10 chunks a second. Returns what our systems took in each frame.
    fn fly(&mut self, seconds: u32, mut watch: impl FnMut(&Saves)) -> Vec<Duration> {
        let start = Instant::now();
        let mut ours = Vec::new();
        for frame in 0..seconds * 60 {
            self.frames += 1;
            let world = self.app.world_mut();
            let mut viewers = world.query::<(&mut Transform, &ChunkViewer)>();
            for (mut place, _) in viewers.iter_mut(world) {
                place.translation.x = self.frames as f32 * 32.0 / 6.0;
            }
            self.app.update();
            let stream = self.app.world().resource::<ChunkStream<Scene>>();
            ours.push(stream.last_frame().main_thread());
            watch(&self.archive);
            let next = FRAME * (frame + 1);
            std::thread::sleep(next.saturating_sub(start.elapsed()));
        }
        ours
    }
}

/// Every chunk that was loaded is changed at once.
fn change_everything(
    mut loaded: MessageReader<ChunkLoaded<Scene>>,
    mut stream: ResMut<ChunkStream<Scene>>,
    index: Res<ChunkIndex<Scene>>,
) {
    for chunk in loaded.read() {
        stream.mark_dirty(&index, chunk.coord);
    }
}

/// What saving costs beyond the snapshot, for each of 500 chunks, in microseconds.
fn beyond_snapshot(entities: usize) -> f64 {
    let config = ArchiveConfig {
        max_waiting_bytes: usize::MAX,
        ..ArchiveConfig::default()
    };
    let mut game = Game::new(entities, open(MemoryStore::default(), config));
    loop {
        game.app.update();
        let stream = game.app.world().resource::<ChunkStream<Scene>>();
        if stream.is_settled() && stream.scheduler().counters().applied > 0 {
            break;
        }
    }
    let world = game.app.world_mut();
    let index = world.resource::<ChunkIndex<Scene>>();
    let chunks: Vec<ChunkToSave> = (index.iter())
        .map(|(coord, chunk)| ChunkToSave {
            coord,
            root: chunk.root,
            reason: SaveReason::SaveAll,
            failures: 0,
        })
        .collect();
    // The shortest of several, because whatever else happens makes both longer.
    let alone = (0..5).map(|_| {
        let start = Instant::now();
        let taken: Vec<Places> = (chunks.iter())
            .map(|chunk| snapshot(world, *chunk))
            .collect();
        let took = start.elapsed();
        drop(taken);
        took
    });
    let alone = alone.min().unwrap_or_default();
    let all = (0..5).map(|_| {
        world.resource_scope(|world, index: Mut<ChunkIndex<Scene>>| {
            let mut stream = world.resource_mut::<ChunkStream<Scene>>();
            for chunk in &chunks {
                assert!(stream.mark_dirty(&index, chunk.coord));
            }
        });
        let start = Instant::now();
        let report = ChunkStream::<Scene>::save_all(world);
        let took = start.elapsed();
        assert_eq!(report.saved, chunks.len());
        took
    });
    let all = all.min().unwrap_or_default();
    all.saturating_sub(alone).as_secs_f64() * 1e6 / chunks.len() as f64
}
