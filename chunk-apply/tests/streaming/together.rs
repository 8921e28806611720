//! Chunks that are refreshed together are swapped in the same frame.

use crate::rig::{Piece, Pieces, Rig, config, grid, middle_of, spawner};
use bevy_ecs::prelude::*;
use bevy_transform::components::Transform;
use chunk_apply::{
    ApplyBudget, ChunkCoord, ChunkLoaded, ChunkStream, ChunkStreamingPlugin, ChunkWriter,
    GenerateError, Generator, Job, ManualClock, Reset, SavePolicy, Simulation, Spawner,
    StreamingConfig,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

const FRAME: Duration = Duration::from_millis(16);
const A: ChunkCoord = ChunkCoord::ORIGIN;
const B: ChunkCoord = ChunkCoord::planar(1, 0);
const C: ChunkCoord = ChunkCoord::planar(0, 1);

/// What a chunk becomes when it is made: the number of the latest edit, after a time of its own.
#[derive(Default)]
struct Land {
    edit: usize,
    slow: Vec<(ChunkCoord, Duration)>,
    failing: Option<ChunkCoord>,
    not_yet: Option<ChunkCoord>,
}

type SharedLand = Arc<Mutex<Land>>;

fn generator(land: &SharedLand, simulation: &Simulation) -> Generator<ChunkCoord, Pieces> {
    let (land, sleeper) = (Arc::clone(land), simulation.clone());
    Generator::from_async(move |job: Job<ChunkCoord>| {
        let land = land.lock().expect("nothing panicked");
        let slow = land.slow.iter().find(|(coord, _)| *coord == job.key());
        let sleep = sleeper.sleep(slow.map_or(Duration::ZERO, |(_, time)| *time));
        let fails = land.failing == Some(job.key());
        let is_early = land.not_yet == Some(job.key());
        let edit = land.edit;
        async move {
            sleep.await;
            if is_early {
                return Err(GenerateError::NotYet(FRAME));
            }
            if fails {
                return Err(GenerateError::permanent("no content"));
            }
            Ok(Pieces(edit))
        }
    })
}

/// One piece that carries the number of the edit, and 50 further ones of which each takes 100 µs to spawn.
fn slow_spawner(clock: &ManualClock) -> Spawner<ChunkCoord, Pieces> {
    let clock = clock.clone();
    Spawner::new(move |_, edit: Pieces, writer: &mut ChunkWriter<'_, '_>| {
        let clock = clock.clone();
        writer.spawn_batch((0..50).map(move |_| {
            clock.advance(Duration::from_micros(100));
            Piece(edit.0)
        }));
    })
}

struct Edited {
    rig: Rig,
    land: SharedLand,
}

impl Edited {
    fn new() -> Self {
        Self::with(config(), |plugin| plugin)
    }

    fn with(
        config: StreamingConfig,
        change: impl FnOnce(ChunkStreamingPlugin<Pieces>) -> ChunkStreamingPlugin<Pieces>,
    ) -> Self {
        let (simulation, clock) = (Simulation::new(7), ManualClock::default());
        let land = SharedLand::default();
        let generator = generator(&land, &simulation);
        let spawner = slow_spawner(&clock);
        let plugin = ChunkStreamingPlugin::new(grid(), generator, spawner).with_config(config);
        let mut rig = Rig::simulated(simulation, clock, change(plugin));
        rig.viewer(0, 0);
        let mut edited = Self { rig, land };
        edited.settle();
        edited
    }

    fn land(&self) -> std::sync::MutexGuard<'_, Land> {
        self.land.lock().expect("nothing panicked")
    }

    fn frame(&mut self) {
        self.rig.timed_frame(FRAME);
    }

    fn settle(&mut self) {
        self.rig.settle_timed(FRAME);
    }

    /// The edits that each of these chunks shows. A chunk shows one at a time.
    fn seen(&self, chunks: &[ChunkCoord]) -> Vec<usize> {
        let see = |coord: &ChunkCoord| {
            let root = self.rig.index().root(*coord).expect("a version stands");
            let world = self.rig.app.world();
            let children = world.get::<Children>(root).expect("it has pieces");
            let mut pieces = children
                .iter()
                .filter_map(|child| world.get::<Piece>(child));
            let first = pieces.next().expect("it has one").0;
            assert!(pieces.all(|piece| piece.0 == first));
            first
        };
        chunks.iter().map(see).collect()
    }

    /// Frames until all is done, in each of which these chunks show the same edit. Returns how many there were.
    fn settle_in_step(&mut self, chunks: &[ChunkCoord]) -> usize {
        for frames in 0..2_000 {
            let seen = self.seen(chunks);
            assert!(seen.iter().all(|edit| *edit == seen[0]), "{seen:?}");
            if self.rig.stream().is_settled() {
                return frames;
            }
            self.frame();
        }
        panic!("never settles: {:?}", self.rig.stream());
    }

    fn refresh(&mut self, chunks: &[ChunkCoord]) {
        let refreshed = (self.rig.stream_mut()).refresh_together(chunks.iter().copied());
        assert_eq!(refreshed, chunks.len());
    }
}

fn budgets() -> [ApplyBudget; 4] {
    [
        ApplyBudget::unlimited(),
        // A chunk takes 5 ms to spawn.
        ApplyBudget::time(Duration::from_millis(1)),
        ApplyBudget::time(Duration::ZERO),
        ApplyBudget {
            chunks: Some(1),
            whole_chunks: true,
            ..ApplyBudget::unlimited()
        },
    ]
}

#[test]
fn all_are_swapped_in_the_frame_in_which_the_last_of_them_is_there() {
    for budget in budgets() {
        let mut edited = Edited::new();
        edited.rig.stream_mut().budget = budget;
        *edited.land() = Land {
            edit: 1,
            slow: vec![(A, FRAME * 2), (B, FRAME * 9)],
            ..Land::default()
        };
        edited.refresh(&[A, B, C]);
        assert!(edited.rig.stream().is_swapping(B));
        assert!(!edited.rig.stream().is_settled());
        let frames = edited.settle_in_step(&[A, B, C]);
        assert!(frames >= 9, "{frames}");
        assert_eq!(edited.seen(&[A, B, C]), [1, 1, 1]);
        assert!(!edited.rig.stream().is_swapping(B));
    }
}

#[test]
fn all_are_saved_before_any_of_them_is_requested() {
    let saved = Arc::new(Mutex::new(Vec::new()));
    let save = Arc::clone(&saved);
    let mut edited = Edited::with(config(), |plugin| {
        plugin.with_save_hook(move |_, chunk| {
            save.lock().expect("nothing panicked").push(chunk.coord);
            Ok(())
        })
    });
    edited.rig.stream_mut().budget = ApplyBudget::time(Duration::from_millis(1));
    edited.land().edit = 1;
    edited.refresh(&[A, B]);
    edited.settle_in_step(&[A, B]);
    assert_eq!(edited.seen(&[A, B]), [1, 1]);
    assert_eq!(*saved.lock().expect("nothing panicked"), [A, B]);
}

#[test]
fn one_that_fails_for_good_is_not_waited_for() {
    let mut edited = Edited::new();
    *edited.land() = Land {
        edit: 1,
        failing: Some(B),
        ..Land::default()
    };
    edited.refresh(&[A, B, C]);
    edited.settle_in_step(&[A, C]);
    assert_eq!(edited.seen(&[A, B, C]), [1, 0, 1]);
    assert_eq!(edited.rig.stream().quarantined().collect::<Vec<_>>(), [B]);
}

#[test]
fn a_finished_version_is_shown_although_a_newer_one_failed_while_it_waited() {
    let mut edited = Edited::new();
    edited.land().edit = 1;
    edited.land().slow = vec![(B, FRAME * 9)];
    edited.refresh(&[A, B]);
    edited.frame();
    edited.frame();
    edited.land().failing = Some(A);
    assert!(edited.rig.stream_mut().refresh(A));
    edited.settle_in_step(&[A, B]);
    assert_eq!(edited.seen(&[A, B]), [1, 1]);
    assert_eq!(edited.rig.stream().quarantined().collect::<Vec<_>>(), [A]);
}

#[test]
fn one_that_is_no_longer_wanted_is_not_waited_for() {
    let mut edited = Edited::new();
    let edge = ChunkCoord::planar(-3, 0);
    edited.land().slow = vec![(edge, FRAME * 1_000)];
    edited.land().edit = 1;
    edited.refresh(&[A, edge]);
    edited.frame();
    let world = edited.rig.app.world_mut();
    let mut viewers = world.query::<&mut Transform>();
    for mut place in viewers.iter_mut(world) {
        if *place == middle_of(0, 0) {
            *place = middle_of(3, 0);
        }
    }
    edited.settle();
    assert_eq!(edited.seen(&[A]), [1]);
    assert!(!edited.rig.index().contains(edge));
}

#[test]
fn groups_with_a_common_chunk_are_swapped_one_after_the_other_at_any_rate_of_edits() {
    let mut edited = Edited::new();
    edited.land().slow = vec![(A, FRAME * 3), (B, FRAME * 2)];
    let mut updates = [0; 3];
    let mut before = edited.seen(&[A, B, C]);
    for edit in 1..=100 {
        edited.land().edit = edit;
        edited.refresh(if edit % 2 == 0 { &[A, B] } else { &[B, C] });
        edited.frame();
        let now = edited.seen(&[A, B, C]);
        for (at, count) in updates.iter_mut().enumerate() {
            assert!(
                before[at] <= now[at],
                "nothing older replaces something newer"
            );
            *count += usize::from(before[at] != now[at]);
        }
        before = now;
    }
    assert!(updates.iter().all(|count| *count >= 10), "{updates:?}");
    edited.settle();
    assert!(edited.seen(&[A, B, C]).iter().all(|edit| *edit >= 99));
    assert_eq!(edited.seen(&[A, B]), [100, 100]);
}

#[test]
fn a_refresh_of_one_of_them_meanwhile_does_not_part_them() {
    let mut edited = Edited::new();
    *edited.land() = Land {
        edit: 1,
        slow: vec![(B, FRAME * 20)],
        ..Land::default()
    };
    edited.refresh(&[A, B]);
    for _ in 0..15 {
        edited.frame();
        assert!(edited.rig.stream_mut().refresh(A));
        assert_eq!(edited.seen(&[A, B]), [0, 0]);
    }
    edited.settle_in_step(&[A, B]);
    assert_eq!(edited.seen(&[A, B]), [1, 1]);
}

#[test]
fn more_than_may_wait_for_each_other_are_not_waited_for() {
    let mut config = config();
    config.scheduler.backlog_capacity = 4;
    config.scheduler.completed_capacity = 4;
    config.scheduler.urgent_reserve = 0;
    let mut edited = Edited::with(config, |plugin| plugin);
    edited.land().edit = 1;
    let all: Vec<_> = edited.rig.stream().wanted().iter().collect();
    assert_eq!(all.len(), 29);
    edited.refresh(&all);
    edited.settle();
    assert!(edited.seen(&all).iter().all(|edit| *edit == 1));
}

#[test]
fn a_reset_ends_every_group() {
    for reset in [Reset::Save, Reset::Discard] {
        let mut edited = Edited::new();
        edited.land().slow = vec![(B, FRAME * 4)];
        edited.refresh(&[A, B]);
        edited.refresh(&[B, C]);
        edited.frame();
        edited.land().edit = 1;
        let report = ChunkStream::<Pieces>::reset(edited.rig.app.world_mut(), reset);
        assert!(report.is_ok());
        edited.settle();
        assert_eq!(edited.seen(&[A, B, C]), [1, 1, 1]);
        assert!(!edited.rig.stream().is_swapping(A));
    }
}

#[test]
fn neighbours_are_those_along_the_axes_of_the_grid_that_are_wanted() {
    let mut rig = Rig::new();
    rig.viewer(0, 0);
    rig.settle();
    assert_eq!(rig.stream_mut().refresh_around(A, 1), 9);
    assert_eq!(rig.stream_mut().refresh_around(A, 0), 1);
    assert_eq!(
        rig.stream_mut().refresh_around(ChunkCoord::planar(3, 0), 1),
        4
    );
    assert_eq!(rig.stream_mut().refresh_around(A, 200), 29);
    let far = ChunkCoord::new(i32::MAX, 0, i32::MIN);
    assert_eq!(rig.stream_mut().refresh_around(far, 1), 0);
    assert_eq!(rig.stream_mut().refresh_together([]), 0);
    assert_eq!(rig.stream_mut().refresh_together([A, A]), 1);
    rig.settle();
}

#[test]
fn refreshing_the_neighbours_of_each_chunk_that_is_loaded_settles() {
    let mut rig = Rig::with(
        crate::rig::generator(),
        spawner(),
        StreamingConfig {
            budget: ApplyBudget::time(Duration::from_millis(1)),
            ..config()
        },
    );
    let refresh = |mut loaded: MessageReader<ChunkLoaded<Pieces>>,
                   mut stream: ResMut<ChunkStream<Pieces>>| {
        for chunk in loaded.read().filter(|chunk| chunk.is_first()) {
            stream.refresh_around(chunk.coord, 1);
        }
    };
    rig.app.add_systems(bevy_app::Last, refresh);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.move_to(viewer, 2, 0);
    rig.settle();
    let counters = rig.stream().scheduler().counters();
    assert!(counters.applied < 29 * 20, "{}", counters.applied);
}

fn impatient() -> StreamingConfig {
    StreamingConfig {
        gate_patience: FRAME * 20,
        saving: SavePolicy {
            give_up_after: std::num::NonZeroU32::new(2),
            first_delay: FRAME,
            max_delay: FRAME,
            ..SavePolicy::default()
        },
        ..config()
    }
}

/// Frames in which the group stays as it is, and then a few more.
fn expect_parted(edited: &mut Edited, together: &[ChunkCoord]) {
    for _ in 0..19 {
        edited.frame();
        assert!(edited.seen(together).iter().all(|edit| *edit == 0));
    }
    for _ in 0..5 {
        edited.frame();
        let seen = edited.seen(together);
        assert!(seen.iter().all(|edit| *edit == seen[0]), "{seen:?}");
    }
    assert!(edited.seen(together).iter().all(|edit| *edit == 1));
}

#[test]
fn one_that_cannot_be_made_in_time_is_not_waited_for() {
    let mut edited = Edited::with(impatient(), |plugin| plugin);
    edited.land().edit = 1;
    edited.land().not_yet = Some(B);
    edited.refresh(&[A, B, C]);
    expect_parted(&mut edited, &[A, C]);
    assert_eq!(edited.seen(&[B]), [0]);
    edited.land().not_yet = None;
    edited.settle();
    assert_eq!(edited.seen(&[A, B, C]), [1, 1, 1]);
}

#[test]
fn one_whose_save_never_succeeds_is_not_waited_for() {
    for gives_up in [false, true] {
        let mut config = impatient();
        if !gives_up {
            config.saving.give_up_after = None;
        }
        let mut edited = Edited::with(config, |plugin| {
            plugin.with_save_hook(|_, chunk| match chunk.coord {
                B => Err("the disk is full".into()),
                _ => Ok(()),
            })
        });
        edited.land().edit = 1;
        edited.land().slow = vec![(B, FRAME * 50)];
        edited.refresh(&[A, B, C]);
        if gives_up {
            // It leaves the group at once, and is made without a save.
            for _ in 0..8 {
                edited.frame();
            }
            assert_eq!(edited.seen(&[A, B, C]), [1, 0, 1]);
            edited.settle();
            assert_eq!(edited.seen(&[B]), [1]);
        } else {
            expect_parted(&mut edited, &[A, C]);
            assert!(edited.rig.stream_mut().skip_save(B));
            edited.settle();
            assert_eq!(edited.seen(&[B]), [1]);
        }
    }
}

#[test]
fn calls_for_all_neighbours_end_in_groups_that_half_the_backlog_has_room_for() {
    let mut config = config();
    config.scheduler.backlog_capacity = 20;
    config.scheduler.completed_capacity = 20;
    let mut edited = Edited::with(config, |plugin| plugin);
    edited.land().edit = 1;
    let all: Vec<_> = edited.rig.stream().wanted().iter().collect();
    for coord in &all {
        edited.rig.stream_mut().refresh_around(*coord, 1);
    }
    // One group a frame.
    edited.rig.stream_mut().budget = ApplyBudget {
        chunks: Some(1),
        ..ApplyBudget::unlimited()
    };
    let mut most = 0;
    let mut before = edited.seen(&all);
    while !edited.rig.stream().is_settled() {
        edited.frame();
        let now = edited.seen(&all);
        let swapped = before
            .iter()
            .zip(&now)
            .filter(|(before, now)| before != now);
        most = most.max(swapped.count());
        before = now;
    }
    assert!(edited.seen(&all).iter().all(|edit| *edit == 1));
    assert!(most <= 10, "{most} in one frame");
}
