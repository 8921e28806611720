//! A game with a menu: three worlds of three seeds, one after the other in one app, each behind a loading screen.
//! `cargo run -p chunk-demo --example menu`

use bevy_app::{App, AppExit, ScheduleRunnerPlugin, TaskPoolPlugin, Update};
use bevy_ecs::prelude::*;
use bevy_state::{app::StatesPlugin, prelude::*};
use bevy_transform::prelude::*;
use chunk_apply::{
    ChunkRegion, ChunkRegionReady, ChunkStreamNow, ChunkStreamSystemsPlugin, Reset,
    chunks_are_ready, prelude::*,
};
use std::time::Duration;

#[derive(States, Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Screen {
    #[default]
    MainMenu,
    Loading,
    Playing,
}

/// What a chunk is made of: stones, which know the seed of their world.
struct Rocks(Vec<Stone>);

#[derive(Component, Clone, Copy)]
struct Stone {
    seed: u64,
    at: f32,
}

/// What the player chose in the menu, and what was seen so far.
#[derive(Resource, Default)]
struct Game {
    seed: u64,
    steps: u32,
    saved: usize,
    stones: usize,
    ready: usize,
}

const SEEDS: u64 = 3;
/// So far around the player everything must be there before play begins.
const NEAR: u32 = 4;
const STEPS: u32 = 40;

fn main() -> AppExit {
    App::new()
        .add_plugins((TaskPoolPlugin::default(), TransformPlugin, StatesPlugin))
        // The systems are always there. The stream comes and goes.
        .add_plugins(ChunkStreamSystemsPlugin::<Rocks>::default())
        .add_plugins(ScheduleRunnerPlugin::run_loop(Duration::from_millis(2)))
        .init_resource::<Game>()
        .init_state::<Screen>()
        .add_observer(note)
        .add_systems(OnEnter(Screen::Loading), begin)
        .add_systems(OnEnter(Screen::Playing), (stand, lift_the_curtain).chain())
        .add_systems(
            OnEnter(Screen::MainMenu),
            end.run_if(resource_exists::<ChunkStream<Rocks>>),
        )
        .add_systems(
            Update,
            (
                choose.run_if(in_state(Screen::MainMenu)),
                draw_bar.run_if(in_state(Screen::Loading)),
                (|mut next: ResMut<NextState<Screen>>| next.set(Screen::Playing))
                    .run_if(in_state(Screen::Loading).and_then(chunks_are_ready::<Rocks>(NEAR))),
                walk.run_if(in_state(Screen::Playing)),
                look,
            )
                .before(StreamingSystems::Scan),
        )
        .run()
}

/// Nothing of a world may be left in the menu.
fn choose(
    mut game: ResMut<Game>,
    mut next: ResMut<NextState<Screen>>,
    mut exit: MessageWriter<AppExit>,
    left: Query<(), Or<(With<Stone>, With<ChunkRoot>)>>,
    stream: Option<Res<ChunkStream<Rocks>>>,
) {
    assert!(left.is_empty() && stream.is_none(), "a world is left");
    if game.seed < SEEDS {
        game.seed += 1;
        next.set(Screen::Loading);
        return;
    }
    assert_eq!(game.ready as u64, SEEDS, "each world is ready once");
    println!(
        "{} chunks of {SEEDS} worlds saved, {} stones seen",
        game.saved, game.stones
    );
    exit.write(AppExit::Success);
}

fn stones_of(seed: u64) -> usize {
    3 + seed as usize
}

/// Where the stones lie takes some computing, so that there is something to wait for.
fn make(seed: u64, chunk: ChunkCoord) -> Rocks {
    let start = seed ^ (u64::from(chunk.x as u32) << 32) ^ u64::from(chunk.z as u32);
    let mix = |h: u64, n: u64| (h ^ n).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23);
    let lie = |n: u64| (0..20_000).fold(start.wrapping_add(n), mix) % 16_000;
    let stone = |n: usize| Stone {
        seed,
        at: lie(n as u64) as f32 / 1_000.0,
    };
    Rocks((0..stones_of(seed)).map(stone).collect())
}

/// Each world has a generator of its own, and all of the machine until the player sees it.
fn begin(world: &mut World) -> Result<(), BevyError> {
    let seed = world.resource::<Game>().seed;
    ChunkStreamingPlugin::new(
        ChunkGrid::planar(16.0)?,
        Generator::new(move |job: &Job<ChunkCoord>| make(seed, job.key())),
        Spawner::new(|_, rocks: Rocks, writer| {
            let place = |stone: Stone| (stone, Transform::from_xyz(stone.at, 0.0, 8.0));
            writer.spawn_batch(rocks.0.into_iter().map(place));
        }),
    )
    .with_config(StreamingConfig {
        range: Some(ViewRange::disc(8, 10)?),
        budget: ApplyBudget::unlimited(),
        ..StreamingConfig::default()
    })
    .with_save_hook(move |world, chunk| {
        // A real game writes to the folder of this seed.
        let stones = world
            .get::<Children>(chunk.root)
            .map_or(0, |stones| stones.len());
        if stones == stones_of(seed) {
            Ok(())
        } else {
            Err(format!("{stones} stones, which are of another world").into())
        }
    })
    .start(world)?;
    world.spawn((
        ChunkViewer::default(),
        ChunkRegion::<Rocks>::new(NEAR),
        DespawnOnEnter(Screen::MainMenu),
    ));
    Ok(())
}

fn draw_bar(
    stream: ChunkStreamNow<Rocks>,
    player: Single<Entity, With<ChunkViewer>>,
    game: Res<Game>,
    mut last: Local<(u64, usize)>,
) {
    let progress = stream.progress_around(*player, NEAR);
    let filled = (10.0 * progress.fraction()) as usize;
    if (game.seed, filled) != *last {
        *last = (game.seed, filled);
        let bar = "#".repeat(filled);
        println!(
            "world {}: [{bar:<10}] {} of {}",
            game.seed, progress.loaded, progress.chunks
        );
    }
}

/// Nobody asks any more whether the surroundings are there once they were.
fn note(ready: On<ChunkRegionReady<Rocks>>, mut game: ResMut<Game>, mut commands: Commands) {
    game.ready += 1;
    (commands.entity(ready.entity)).remove::<ChunkRegion<Rocks>>();
}

/// Play begins on whole ground.
fn stand(stream: ChunkStreamNow<Rocks>, player: Single<Entity, With<ChunkViewer>>) {
    let progress = stream.progress_around(*player, NEAR);
    assert!(
        progress.is_loaded() && progress.chunks == 49,
        "{progress:?}"
    );
}

/// From now on frames must be short.
fn lift_the_curtain(mut stream: ResMut<ChunkStream<Rocks>>) {
    stream.budget = ApplyBudget::default();
}

/// After some steps the player has enough.
fn walk(
    mut game: ResMut<Game>,
    mut player: Single<&mut Transform, With<ChunkViewer>>,
    mut next: ResMut<NextState<Screen>>,
) {
    player.translation.x += 2.0;
    game.steps += 1;
    if game.steps.is_multiple_of(STEPS) {
        next.set(Screen::MainMenu);
    }
}

/// In every frame, on every screen, all stones are of the world that the player chose, and nothing has failed.
fn look(
    stones: Query<&Stone>,
    mut failures: MessageReader<ChunkFailed<Rocks>>,
    mut game: ResMut<Game>,
) {
    if let Some(failure) = failures.read().next() {
        panic!("{}: {}", failure.coord, failure.message);
    }
    for stone in &stones {
        assert_eq!(stone.seed, game.seed, "a stone of another world");
    }
    game.stones = game.stones.max(stones.iter().len());
}

/// Everything of the world goes, saved.
fn end(world: &mut World) -> Result<(), BevyError> {
    let report = ChunkStream::<Rocks>::stop(world, Reset::Save)?;
    println!(
        "world {}: {} chunks saved",
        world.resource::<Game>().seed,
        report.saved
    );
    world.resource_mut::<Game>().saved += report.saved;
    Ok(())
}
