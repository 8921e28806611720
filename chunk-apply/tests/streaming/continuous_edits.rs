//! Edits of one chunk at any rate: the newest finished version is shown, and one more is made after the last edit (I13).

use crate::rig::{Piece, Pieces, Rig, config, grid};
use bevy_ecs::prelude::*;
use chunk_apply::{
    ApplyBudget, ChunkStreamingPlugin, ChunkWriter, ManualClock, Spawner, StreamingConfig,
};
use chunk_coord::ChunkCoord;
use chunk_scheduler::{
    AdaptivePolicy, Concurrency, GenerateError, Generator, Job, Runtime, SchedulerConfig,
    Simulation, Verdict,
};
use std::{
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

const HERE: ChunkCoord = ChunkCoord::ORIGIN;
const FRAME: Duration = Duration::from_millis(16);
/// Three seconds of frames.
const FRAMES: u32 = 180;

/// What the chunk is made from: the number of the latest edit.
#[derive(Clone, Default)]
struct Edits(Arc<AtomicUsize>);

impl Edits {
    fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    fn edit(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// One piece that carries the number of the edit, and further ones of which each takes 10 µs to spawn.
fn showing(clock: &ManualClock, further: usize) -> Spawner<ChunkCoord, Pieces> {
    let clock = clock.clone();
    Spawner::new(move |_, edit: Pieces, writer: &mut ChunkWriter<'_, '_>| {
        let clock = clock.clone();
        writer.spawn_batch([Piece(edit.0)]);
        writer.spawn_batch((0..further).map(move |_| {
            clock.advance(Duration::from_micros(10));
            Piece(edit.0)
        }));
    })
}

/// An app whose chunk is edited while its generator takes `time`.
struct Edited {
    rig: Rig,
    edits: Edits,
    /// When each edit was made, the one that is there from the start first.
    made_at: Vec<Duration>,
    seen: usize,
    /// How often something else was seen.
    updates: usize,
    /// The longest time for which an edit was made and not seen.
    oldest: Duration,
}

impl Edited {
    fn new(time: Duration, scheduler: SchedulerConfig, further: usize) -> Self {
        let (simulation, clock) = (Simulation::new(7), ManualClock::default());
        let (edits, sleeper) = (Edits::default(), simulation.clone());
        let read = edits.clone();
        let generator = Generator::from_async(move |job: Job<ChunkCoord>| {
            // All others are there at once, and stay as they are.
            let time = if job.key() == HERE {
                time
            } else {
                Duration::ZERO
            };
            let (edit, sleep) = (read.get(), sleeper.sleep(time));
            async move {
                sleep.await;
                Ok::<_, &str>(Pieces(edit))
            }
        });
        let config = StreamingConfig {
            scheduler,
            ..config()
        };
        let spawner = showing(&clock, further);
        let plugin = ChunkStreamingPlugin::new(grid(), generator, spawner).with_config(config);
        let mut rig = Rig::simulated(simulation, clock, plugin);
        rig.viewer(0, 0);
        while rig.index().len() < 29 {
            rig.app.update();
            rig.simulation.advance(FRAME);
        }
        Self {
            made_at: vec![Duration::ZERO],
            seen: 0,
            updates: 0,
            oldest: Duration::ZERO,
            rig,
            edits,
        }
    }

    fn edit(&mut self) {
        self.edits.edit();
        self.made_at.push(self.rig.simulation.now());
        assert!(self.rig.stream_mut().refresh(HERE));
        assert!(self.rig.stream().scheduler().live_versions(HERE).count() <= 4);
    }

    /// A frame, in which `edits` edits are made at equal distances.
    fn frame(&mut self, edits: u32) {
        for _ in 0..edits {
            self.edit();
            self.rig.simulation.advance(FRAME / edits);
        }
        self.rig.app.update();
        if edits == 0 {
            self.rig.simulation.advance(FRAME);
        }
        self.rig.clock.advance(FRAME);
        assert_eq!(self.rig.stream().scheduler().audit(), Ok(()));
        self.look();
    }

    fn look(&mut self) {
        let root = self.rig.index().root(HERE).expect("a version stands");
        let world = self.rig.app.world();
        let children = world.get::<Children>(root).expect("it has a piece");
        let piece = world.get::<Piece>(children[0]).expect("it is one");
        assert!(
            piece.0 >= self.seen,
            "nothing older replaces something newer"
        );
        self.updates += usize::from(piece.0 != self.seen);
        self.seen = piece.0;
        if let Some(first_unseen) = self.made_at.get(self.seen + 1) {
            let age = self.rig.simulation.now() - *first_unseen;
            self.oldest = self.oldest.max(age);
        }
    }

    /// Frames without edits, after which the last one is seen.
    fn rest(&mut self) {
        for _ in 0..10_000 {
            if self.rig.stream().is_settled() {
                break;
            }
            self.frame(0);
        }
        self.look();
        assert_eq!(self.seen, self.edits.get(), "the last edit is seen");
        let counters = self.rig.stream().scheduler().counters();
        assert_eq!(counters.requested, counters.applied + counters.stale);
        assert!(counters.generated <= counters.requested);
    }
}

/// How often an edit is made.
#[derive(Clone, Copy, Debug)]
enum Rate {
    /// So many in each frame.
    PerFrame(u32),
    /// One in so many frames.
    EachFrames(u32),
}

impl Rate {
    const ALL: [Self; 5] = [
        Self::PerFrame(4),
        Self::PerFrame(1),
        Self::EachFrames(2),
        Self::EachFrames(3),
        Self::EachFrames(7),
    ];

    fn edits_in(self, frame: u32) -> u32 {
        match self {
            Self::PerFrame(edits) => edits,
            Self::EachFrames(frames) => u32::from(frame.is_multiple_of(frames)),
        }
    }

    fn frames_between(self) -> u32 {
        match self {
            Self::PerFrame(_) => 1,
            Self::EachFrames(frames) => frames,
        }
    }
}

fn check_all_rates(scheduler: &SchedulerConfig) {
    for millis in [1, 5, 12, 16, 17, 25, 33, 45, 60] {
        let time = Duration::from_millis(millis);
        for rate in Rate::ALL {
            let mut edited = Edited::new(time, scheduler.clone(), 0);
            for frame in 0..FRAMES {
                edited.frame(rate.edits_in(frame));
            }
            let Edited {
                updates, oldest, ..
            } = edited;
            println!("{millis:>3} ms, {rate:?}: {updates} updates, {oldest:?} at the oldest");
            assert!(
                oldest <= 2 * time + 2 * FRAME,
                "{millis} ms, {rate:?}: {oldest:?}"
            );
            // A version is made in whole frames, or as often as there are edits.
            let frames_for_one = (time + FRAME).as_micros().div_ceil(FRAME.as_micros()) as u32;
            let least = FRAMES / frames_for_one.max(rate.frames_between()) - 2;
            assert!(
                updates >= least as usize,
                "{millis} ms, {rate:?}: {updates} < {least}"
            );
            edited.rest();
        }
    }
}

#[test]
fn edits_at_any_rate_are_seen_after_at_most_two_generations_and_two_frames() {
    check_all_rates(&SchedulerConfig::default());
}

#[test]
fn edits_at_any_rate_are_seen_with_one_job_at_a_time() {
    check_all_rates(&SchedulerConfig {
        max_in_flight: 1,
        ..SchedulerConfig::default()
    });
}

#[test]
fn edits_at_any_rate_are_seen_while_the_concurrency_adapts() {
    check_all_rates(&SchedulerConfig {
        concurrency: Concurrency::Adaptive(AdaptivePolicy::default()),
        ..SchedulerConfig::default()
    });
}

/// A chunk that takes eleven frames to spawn is finished, and then the newest one that is there is begun.
#[test]
fn a_chunk_that_takes_many_frames_is_shown_while_it_is_edited_in_each() {
    for millis in [1, 16, 40] {
        let time = Duration::from_millis(millis);
        let mut edited = Edited::new(time, SchedulerConfig::default(), 100);
        edited.rig.stream_mut().budget = ApplyBudget::time(Duration::from_micros(100));
        for _ in 0..FRAMES {
            edited.frame(1);
        }
        let Edited {
            updates, oldest, ..
        } = edited;
        let spawning = 12 * FRAME;
        println!("{millis:>3} ms: {updates} updates, {oldest:?} at the oldest");
        assert!(updates >= FRAMES as usize / 12 - 3, "{updates}");
        assert!(oldest <= 2 * (time + spawning) + 2 * FRAME, "{oldest:?}");
        edited.rest();
        assert_eq!(
            edited.rig.pieces(),
            29 * 101,
            "nothing is left of the others"
        );
    }
}

#[test]
fn many_chunks_are_edited_in_each_frame_and_all_are_seen() {
    let mut edited = Edited::new(FRAME, SchedulerConfig::default(), 0);
    let around: Vec<_> = (-2..=2).map(|x| ChunkCoord::planar(x, 1)).collect();
    for _ in 0..FRAMES {
        for coord in &around {
            assert!(edited.rig.stream_mut().refresh(*coord));
        }
        edited.frame(1);
    }
    assert!(
        edited.updates >= FRAMES as usize / 2 - 2,
        "{}",
        edited.updates
    );
    edited.rest();
}

#[test]
fn an_inline_runtime_shows_every_edit_in_its_frame() {
    let (edits, clock) = (Edits::default(), ManualClock::default());
    let read = edits.clone();
    let generator = Generator::new(move |_: &Job<ChunkCoord>| Pieces(read.get()));
    let mut app = bevy_app::App::new();
    let mut plugin =
        ChunkStreamingPlugin::new(grid(), generator, showing(&clock, 0)).with_config(config());
    plugin.runtime = Runtime::Inline {
        budget: Duration::MAX,
    };
    app.add_plugins(plugin);
    let mut seen = Watched::new(app);
    for _ in 0..FRAMES {
        for _ in 0..3 {
            edits.edit();
            seen.refresh();
        }
        assert_eq!(seen.frame(), edits.get());
    }
}

/// A stream whose frames are played by hand.
struct Watched(bevy_app::App);

impl Watched {
    /// Plays frames until everything is there.
    fn new(mut app: bevy_app::App) -> Self {
        (app.world_mut()).spawn((
            chunk_apply::ChunkViewer::default(),
            crate::rig::middle_of(0, 0),
        ));
        let mut watched = Self(app);
        loop {
            watched.0.update();
            let stream = watched
                .0
                .world()
                .resource::<chunk_apply::ChunkStream<Pieces>>();
            if stream.is_settled() && !stream.wanted().is_empty() {
                return watched;
            }
            std::thread::yield_now();
        }
    }

    fn refresh(&mut self) {
        let mut stream = (self.0.world_mut()).resource_mut::<chunk_apply::ChunkStream<Pieces>>();
        assert!(stream.refresh(HERE));
    }

    /// Plays a frame. Returns the edit that is seen after it.
    fn frame(&mut self) -> usize {
        self.0.update();
        let world = self.0.world();
        let index = world.resource::<chunk_apply::ChunkIndex<Pieces>>();
        let root = index.root(HERE).expect("a version stands");
        let children = world.get::<Children>(root).expect("it has a piece");
        world.get::<Piece>(children[0]).expect("it is one").0
    }
}

/// Lets one attempt at a time return.
#[derive(Default)]
struct Gate {
    /// Attempts that have begun, and those that may return.
    counts: Mutex<(usize, usize)>,
    changed: Condvar,
}

impl Gate {
    /// A worker: waits until this attempt may return.
    fn pass(&self) {
        let mut counts = self.counts.lock().expect("no thread panicked");
        counts.0 += 1;
        let number = counts.0;
        self.changed.notify_all();
        while counts.1 < number {
            counts = self.changed.wait(counts).expect("no thread panicked");
        }
    }

    fn let_pass(&self, count: usize) {
        self.counts.lock().expect("no thread panicked").1 += count;
        self.changed.notify_all();
    }

    fn wait_for_begun(&self, attempts: usize) {
        let mut counts = self.counts.lock().expect("no thread panicked");
        while counts.0 < attempts {
            counts = self.changed.wait(counts).expect("no thread panicked");
        }
    }
}

/// On real threads: an attempt that began before an edit is shown while the next one is still being made.
#[test]
fn a_pool_shows_a_version_that_is_out_of_date_before_the_newer_one_is_made() {
    let (edits, gate) = (Edits::default(), Arc::new(Gate::default()));
    let (read, closed) = (edits.clone(), Arc::clone(&gate));
    let generator = Generator::new(move |job: &Job<ChunkCoord>| {
        let edit = read.get();
        if job.key() == HERE {
            closed.pass();
        }
        Pieces(edit)
    });
    let pool = bevy_tasks::TaskPoolBuilder::new().num_threads(2).build();
    let clock = ManualClock::default();
    let mut app = bevy_app::App::new();
    let mut plugin =
        ChunkStreamingPlugin::new(grid(), generator, showing(&clock, 0)).with_config(config());
    plugin.runtime = Runtime::pool(pool);
    app.add_plugins(plugin);
    gate.let_pass(1);
    let mut watched = Watched::new(app);
    for round in 1..=20 {
        // The attempt of this round begins, and reads this edit.
        edits.edit();
        let first = edits.get();
        watched.refresh();
        watched.frame();
        gate.wait_for_begun(2 * round);
        for _ in 0..3 {
            edits.edit();
            watched.refresh();
            assert!(watched.frame() < first);
        }
        gate.let_pass(1);
        gate.wait_for_begun(2 * round + 1);
        while watched.frame() != first {
            std::thread::yield_now();
        }
        gate.let_pass(1);
        while watched.frame() != edits.get() {
            std::thread::yield_now();
        }
    }
}

/// An older version that was on its way is shown, and the change whose version was given up is not forgotten for that.
#[test]
fn a_version_that_was_given_up_is_asked_for_again_although_an_older_one_was_shown_since() {
    let is_broken = Arc::new(AtomicBool::new(false));
    let (edits, fails) = (Edits::default(), Arc::clone(&is_broken));
    let read = edits.clone();
    let generator =
        Generator::fallible(
            move |_: &Job<ChunkCoord>| match fails.load(Ordering::Relaxed) {
                true => Err(GenerateError::permanent("broken")),
                false => Ok(Pieces(read.get())),
            },
        );
    let clock = ManualClock::default();
    let spawner = showing(&clock, 0);
    let mut rig = Rig::on(clock, generator, spawner, config());
    rig.viewer(0, 0);
    rig.settle();
    // The first edit is made and not spawned, the second one fails.
    rig.stream_mut().budget.chunks = Some(0);
    edits.edit();
    rig.stream_mut().refresh(HERE);
    rig.frames(2);
    is_broken.store(true, Ordering::Relaxed);
    edits.edit();
    rig.stream_mut().refresh(HERE);
    rig.frames(2);
    let quarantined = |rig: &Rig| rig.stream().quarantined().collect::<Vec<_>>();
    assert_eq!(quarantined(&rig), [HERE]);
    let failed = rig.failed();
    assert!(
        failed
            .iter()
            .all(|it| it.coord == HERE && it.verdict == Verdict::GaveUp)
    );
    assert_eq!(failed.len(), 1);
    rig.loaded();
    rig.stream_mut().budget = ApplyBudget::unlimited();
    rig.settle();
    let shown = |rig: &mut Rig| {
        let world = rig.app.world_mut();
        let mut pieces = world.query::<&Piece>();
        let shown = pieces.iter(world).map(|piece| piece.0).max();
        shown.expect("chunks stand")
    };
    assert_eq!((rig.loaded().len(), shown(&mut rig)), (1, 1));
    assert_eq!(quarantined(&rig), [HERE], "the second edit is not shown");
    is_broken.store(false, Ordering::Relaxed);
    assert_eq!(rig.stream_mut().retry_quarantined(), 1);
    rig.settle();
    assert_eq!((rig.loaded().len(), shown(&mut rig)), (1, 2));
    assert!(quarantined(&rig).is_empty());
}

/// The older attempt is slow and fails when the newer version stands: neither the chunk nor the edit was given up.
#[test]
fn an_attempt_that_fails_after_a_newer_version_was_shown_is_not_a_chunk_given_up() {
    let (simulation, clock) = (Simulation::new(7), ManualClock::default());
    let (edits, sleeper) = (Edits::default(), simulation.clone());
    let read = edits.clone();
    let generator = Generator::from_async(move |job: Job<ChunkCoord>| {
        let edit = read.get();
        let is_slow = job.key() == HERE && edit == 1;
        let sleep = sleeper.sleep(if is_slow { 10 * FRAME } else { Duration::ZERO });
        async move {
            sleep.await;
            match is_slow {
                true => Err("failed late"),
                false => Ok(Pieces(edit)),
            }
        }
    });
    let plugin =
        ChunkStreamingPlugin::new(grid(), generator, showing(&clock, 0)).with_config(config());
    let mut rig = Rig::simulated(simulation, clock, plugin);
    rig.viewer(0, 0);
    rig.settle();
    rig.loaded();
    edits.edit();
    rig.stream_mut().refresh(HERE);
    rig.timed_frame(FRAME);
    edits.edit();
    rig.stream_mut().refresh(HERE);
    let mut shown = 0;
    let failed = (0..20).find_map(|_| {
        rig.timed_frame(FRAME);
        shown += rig.loaded().len();
        rig.failed().pop()
    });
    let failed = failed.expect("every failure is told");
    assert_eq!(shown, 1, "the newer version came first");
    assert_eq!((failed.coord, failed.verdict), (HERE, Verdict::Unwanted));
    assert_eq!(rig.stream().quarantined().len(), 0);
}
