//! The program that is killed: a stream whose chunks are edited, left, loaded again and saved.

use core::pin::Pin;
use core::time::Duration;
use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bevy_app::App;
use bevy_ecs::prelude::*;
use bevy_transform::TransformPlugin;
use bevy_transform::components::Transform;
use chunk_apply::SavePolicy;
use chunk_apply::prelude::*;
use chunk_scheduler::Runtime;
use chunk_scheduler::store::{Archive, ArchiveConfig, Flush, Postcard, RedbStore, StoreError};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::event::Event;
use super::ledger::Ledger;
use crate::harness::task_pools;

/// The side of a chunk, in metres.
const CHUNK: f32 = 16.0;
/// How far the player goes from the origin before turning round, in metres.
const FARTHEST: f32 = 8.0 * CHUNK;
/// How far it goes in a frame, in metres.
const STEP: f32 = 1.5;
/// So long a chunk may have edits that were not handed to the archive.
const AUTOSAVE: Duration = Duration::from_millis(20);
/// So often it has everything written that was saved, in frames.
const FLUSH_EVERY: u64 = 8;
/// A program that nobody kills ends by itself after so many frames.
const MOST_FRAMES: u64 = 1_000_000;

type Ledgers = Archive<ChunkCoord, Ledger>;

/// Opens the file as the program does.
///
/// # Errors
///
/// If it cannot be opened.
pub fn open(file: &Path) -> Result<Ledgers, StoreError> {
    let store = RedbStore::open(file)?;
    let config = ArchiveConfig::default();
    Ok(Archive::new(
        store,
        Postcard::new(),
        config,
        Runtime::default(),
    ))
}

/// Edits chunks around a player that comes and goes, saves them to the file, and writes to `out` what happens, until it is
/// killed or nobody reads any more.
///
/// # Errors
///
/// If the file cannot be opened or written.
pub fn play(file: &Path, seed: u64, out: impl Write) -> Result<(), Box<dyn Error>> {
    let archive = open(file)?;
    let mut rng = Pcg64Mcg::seed_from_u64(seed);
    let mut playing = Playing {
        out,
        began: Instant::now(),
        saved: Saved::default(),
        archive,
        flushing: None,
    };
    let mut app = playing.app()?;
    let place = rng.random_range(-FARTHEST..FARTHEST);
    let player = Transform::from_xyz(place, 0.0, 0.0);
    let player = app.world_mut().spawn((ChunkViewer::default(), player)).id();
    playing.tell(Event::Started)?;
    let mut step = STEP;
    for frame in 0..MOST_FRAMES {
        app.update();
        let went_on = playing.report(&mut app, frame).and_then(|()| {
            let edits = rng.random_range(0..3);
            (0..edits).try_for_each(|_| playing.edit(&mut app, &mut rng))
        });
        match went_on {
            // Who reads is gone.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            went_on => went_on?,
        }
        if let Some(mut place) = app.world_mut().get_mut::<Transform>(player) {
            place.translation.x += step;
            if place.translation.x.abs() > FARTHEST {
                step = -STEP * place.translation.x.signum();
            }
        }
    }
    Ok(())
}

/// What was handed to the archive since the last flush began.
type Saved = Arc<Mutex<BTreeMap<ChunkCoord, u64>>>;

/// Which chunks were loaded and not told yet.
#[derive(Resource, Default)]
struct Loaded(Vec<Event>);

struct Playing<W> {
    out: W,
    began: Instant,
    saved: Saved,
    archive: Ledgers,
    /// A flush, and what was handed to the archive before it.
    flushing: Option<(Flush<ChunkCoord, Ledger>, BTreeMap<ChunkCoord, u64>)>,
}

impl<W: Write> Playing<W> {
    fn app(&self) -> Result<App, Box<dyn Error>> {
        let generator = self.archive.generator(|job, saved: Option<Arc<Ledger>>| {
            let fresh = || Ledger::after(0, job.key());
            Ok::<_, String>(saved.map_or_else(fresh, Arc::unwrap_or_clone))
        });
        let spawner = Spawner::new(|_coord, ledger: Ledger, writer| writer.insert_on_root(ledger));
        let (archive, saved) = (self.archive.clone(), Arc::clone(&self.saved));
        let stream = ChunkStreamingPlugin::new(ChunkGrid::planar(CHUNK)?, generator, spawner)
            .with_config(StreamingConfig {
                range: Some(ViewRange::disc(2, 3)?),
                saving: SavePolicy {
                    autosave: Some(AUTOSAVE),
                    ..SavePolicy::default()
                },
                ..StreamingConfig::default()
            })
            .with_archive(archive, move |world, chunk| {
                let ledger = world.get::<Ledger>(chunk.root).ok_or("no ledger")?.clone();
                let mut saved = saved.lock().unwrap_or_else(PoisonError::into_inner);
                saved.insert(chunk.coord, ledger.edits());
                Ok(ledger)
            });
        let mut app = App::new();
        app.add_plugins((task_pools(), TransformPlugin, stream))
            .init_resource::<Loaded>()
            .add_observer(
                |loaded: On<ChunkLoaded<Ledger>>,
                 ledgers: Query<&Ledger>,
                 mut told: ResMut<Loaded>| {
                    let edits = ledgers.get(loaded.root).map_or(0, Ledger::edits);
                    told.0.push(Event::Loaded(loaded.coord, edits));
                },
            );
        app.finish();
        app.cleanup();
        Ok(app)
    }

    fn tell(&mut self, event: Event) -> io::Result<()> {
        writeln!(self.out, "{event}")?;
        self.out.flush()
    }

    /// Tells what was loaded in the last frame, and what is durable now.
    fn report(&mut self, app: &mut App, frame: u64) -> io::Result<()> {
        let loaded = core::mem::take(&mut app.world_mut().resource_mut::<Loaded>().0);
        for event in loaded {
            self.tell(event)?;
        }
        if self.flushing.is_none() && frame.is_multiple_of(FLUSH_EVERY) {
            let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
            self.flushing = Some((self.archive.flush(), core::mem::take(&mut *saved)));
        }
        if let Some((flush, _)) = &mut self.flushing
            && let Poll::Ready(flushed) =
                Pin::new(flush).poll(&mut Context::from_waker(Waker::noop()))
        {
            flushed.map_err(io::Error::other)?;
            let durable = self.flushing.take().map(|(_, saved)| saved);
            for (coord, edits) in durable.into_iter().flatten() {
                self.tell(Event::Durable(coord, edits))?;
            }
        }
        Ok(())
    }

    /// Edits one of the loaded chunks.
    fn edit(&mut self, app: &mut App, rng: &mut Pcg64Mcg) -> io::Result<()> {
        let mut loaded: Vec<_> = app
            .world()
            .resource::<ChunkIndex<Ledger>>()
            .iter()
            .collect();
        loaded.sort_by_key(|(coord, _)| *coord);
        if loaded.is_empty() {
            return Ok(());
        }
        let (coord, chunk) = loaded[rng.random_range(0..loaded.len())];
        let edits = app
            .world()
            .get::<Ledger>(chunk.root)
            .map_or(0, Ledger::edits)
            + 1;
        // Told first, so that no kill leaves an edit in the file that nobody knows of.
        self.tell(Event::Edit(coord, edits, self.began.elapsed()))?;
        let world = app.world_mut();
        world
            .entity_mut(chunk.root)
            .insert(Ledger::after(edits, coord));
        world.resource_scope(|world, mut stream: Mut<ChunkStream<Ledger>>| {
            stream.mark_dirty(world.resource::<ChunkIndex<Ledger>>(), coord)
        });
        Ok(())
    }
}
