//! A game that saves: what the player builds is there when the player comes back, and when the game is started again.
//! `cargo run -p chunk-demo --features saves --example saved`

use bevy_app::{App, AppExit, ScheduleRunnerPlugin, TaskPoolPlugin, Update};
use bevy_ecs::prelude::*;
use bevy_transform::prelude::*;
use chunk_apply::prelude::*;
use chunk_scheduler::Runtime;
use chunk_scheduler::store::{Archive, ArchiveConfig, Postcard, RedbStore};
use serde::{Deserialize, Serialize};
use std::{error::Error, path::Path, sync::Arc, time::Duration};

/// What a chunk is made of. There is none until the player builds it.
struct Plot {
    tower: Option<Tower>,
}

/// Built by the player, a child of its chunk's root.
#[derive(Component, Serialize, Deserialize, Clone, Debug, PartialEq)]
struct Tower {
    floors: i32,
}

/// How the game goes on.
#[derive(Resource, Default)]
struct Walk {
    /// Whether there are no towers yet.
    builds: bool,
    /// In which direction the player goes, in chunks.
    step: i32,
    /// How many towers the player found.
    found: i32,
}

const CHUNK: f32 = 16.0;
/// How many chunks the player goes from the origin before coming back, farther than what is kept around it.
const WAY: i32 = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("saved-{}", std::process::id()));
    let file = folder.join("world.redb");
    println!("a new game:");
    play(&file, true)?;
    println!("the next day:");
    play(&file, false)?;
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

/// Plays from the start to the exit.
fn play(file: &Path, builds: bool) -> Result<(), Box<dyn Error>> {
    let archive: Archive<ChunkCoord, Tower> = Archive::new(
        RedbStore::open(file)?,
        Postcard::new(),
        ArchiveConfig::default(),
        Runtime::default(),
    );
    // Made from what was saved last, in an earlier game or a moment ago.
    let generator = archive.generator(|_job, saved: Option<Arc<Tower>>| {
        let tower = saved.map(Arc::unwrap_or_clone);
        Ok::<_, String>(Plot { tower })
    });
    let spawner = Spawner::new(|_coord, plot: Plot, writer| writer.spawn_batch(plot.tower));
    let stream = ChunkStreamingPlugin::new(ChunkGrid::planar(CHUNK)?, generator, spawner)
        .with_config(StreamingConfig {
            range: Some(ViewRange::disc(3, 4)?),
            ..StreamingConfig::default()
        })
        // Takes what is to be saved of a chunk that was changed. Workers write it.
        .with_archive(archive, |world, chunk| {
            let children = world.get::<Children>(chunk.root);
            let tower = |child: &Entity| world.get::<Tower>(*child).cloned();
            let tower = children.into_iter().flatten().find_map(tower);
            tower.ok_or_else(|| "only chunks with a tower are changed".into())
        });
    let walk = Walk {
        builds,
        step: 1,
        found: 0,
    };
    let mut app = App::new();
    app.add_plugins((TaskPoolPlugin::default(), TransformPlugin, stream))
        .add_plugins(ScheduleRunnerPlugin::run_loop(Duration::from_millis(1)))
        .insert_resource(walk)
        .add_systems(Update, visit.before(StreamingSystems::Scan));
    let player = Transform::from_xyz(CHUNK / 2.0, 0.0, CHUNK / 2.0);
    app.world_mut().spawn((ChunkViewer::default(), player));
    // It ends when all is durable.
    assert_eq!(app.run(), AppExit::Success);
    Ok(())
}

/// Visits one chunk after the other as soon as each is there.
fn visit(
    mut commands: Commands,
    mut player: Single<&mut Transform, With<ChunkViewer>>,
    mut walk: ResMut<Walk>,
    mut stream: ResMut<ChunkStream<Plot>>,
    plots: Res<ChunkIndex<Plot>>,
    children: Query<&Children>,
    towers: Query<&Tower>,
    mut exit: MessageWriter<AppExit>,
) -> Result<(), BevyError> {
    let here = stream.coord_at(player.translation)?;
    let Some(root) = plots.root(here) else {
        return Ok(());
    };
    let tower = Tower { floors: here.x + 1 };
    let mut built = children.get(root).into_iter().flatten();
    if let Some(built) = built.find_map(|child| towers.get(*child).ok()) {
        assert_eq!(*built, tower, "somebody else built here");
        walk.found += 1;
    } else {
        assert!(walk.builds && walk.step > 0, "the tower at {here} is gone");
        commands.entity(root).with_child(tower);
        // What is changed and not marked is not saved.
        stream.mark_dirty(&plots, here);
    }
    if here.x == WAY && walk.step > 0 {
        assert!(!plots.contains(ChunkCoord::ORIGIN), "it was left behind");
        walk.step = -1;
    } else if here.x == 0 && walk.step < 0 {
        // Each was passed twice, and those of a new game were only built the first time.
        let passed = 2 * (WAY + 1) - 1;
        println!("{} towers found on {passed} visits", walk.found);
        let built = if walk.builds { WAY + 1 } else { 0 };
        assert_eq!(walk.found, passed - built);
        exit.write(AppExit::Success);
        return Ok(());
    }
    player.translation.x += CHUNK * walk.step as f32;
    Ok(())
}
