//! A 2-D game: a camera flies over a map of tiles without end and zooms out and in, and as much of the map is there as the
//! screen shows. `cargo run -p chunk-demo --example tiles`

use bevy_app::{App, TaskPoolPlugin, Update};
use bevy_ecs::prelude::*;
use bevy_math::{IVec2, Vec2, Vec3};
use bevy_transform::prelude::*;
use chunk_apply::prelude::*;
use std::time::{Duration, Instant};

/// World units along a tile, tiles along a chunk, and the world units of a chunk.
const TILE: f32 = 16.0;
const TILES: i32 = 16;
const CHUNK: f32 = TILE * TILES as f32;

/// What the screen shows at zoom 1, in world units.
const SCREEN: Vec2 = Vec2::new(640.0, 360.0);

/// How long the camera flies at each zoom.
const FRAMES: usize = 100;

/// On each tile: what grows there. A game with a renderer puts a `Sprite` beside it.
#[derive(Component, Clone, Copy, Debug, PartialEq)]
enum Tile {
    Water,
    Grass,
    Forest,
}

/// The map, everywhere.
fn tile_at(at: IVec2) -> Tile {
    let [x, y] = [at.x as f32, at.y as f32];
    match (x / 9.0).sin() + (y / 7.0).cos() + ((x - y) / 31.0).sin() {
        ..-0.7 => Tile::Water,
        ..0.9 => Tile::Grass,
        _ => Tile::Forest,
    }
}

/// The tiles of a chunk, row by row.
struct Tiles(Vec<Tile>);

/// How many world units a pixel shows: `OrthographicProjection::scale` of a `Camera2d`.
#[derive(Component)]
struct Zoom(f32);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let generator = Generator::new(|job: &Job<ChunkCoord>| {
        let corner = IVec2::new(job.key().x, job.key().y) * TILES;
        let tile = |n| tile_at(corner + IVec2::new(n % TILES, n / TILES));
        Tiles((0..TILES * TILES).map(tile).collect())
    });
    let spawner = Spawner::new(|_coord, tiles: Tiles, writer| {
        let place = |n: usize| {
            let (x, y) = (n as i32 % TILES, n as i32 / TILES);
            Vec3::new(x as f32 + 0.5, y as f32 + 0.5, 0.0) * TILE
        };
        let tile = move |(n, tile)| (tile, Transform::from_translation(place(n)));
        writer.spawn_batch(tiles.0.into_iter().enumerate().map(tile));
    });
    let mut app = App::new();
    app.add_plugins((TaskPoolPlugin::default(), TransformPlugin))
        .add_plugins(ChunkStreamingPlugin::new(
            ChunkGrid::planar_xy(CHUNK)?,
            generator,
            spawner,
        ))
        .add_systems(Update, load_what_is_seen.before(StreamingSystems::Scan));
    // A 2-D camera stands in front of the map; its z does not count.
    let camera = Transform::from_xyz(-0.1, -0.1, 999.9);
    let camera = (app.world_mut())
        .spawn((ChunkViewer::default(), camera, Zoom(1.0)))
        .id();
    let mut most = 0;
    for (zoom, way) in [(1.0, Vec2::X), (3.0, Vec2::NEG_Y), (0.5, Vec2::NEG_ONE)] {
        (app.world_mut().entity_mut(camera)).insert(Zoom(zoom));
        let mut holes = 0;
        for _ in 0..FRAMES {
            let mut transform = app.world_mut().get_mut::<Transform>(camera);
            let place = transform.as_mut().expect("the camera stays");
            place.translation += way.extend(0.0) * 8.0;
            app.update();
            holes += usize::from(!is_the_screen_full(&app, camera));
        }
        settle(&mut app);
        assert!(is_the_screen_full(&app, camera), "a hole stays");
        is_the_tile_right(&mut app, camera);
        let chunks = app.world().resource::<ChunkIndex<Tiles>>().len();
        println!("zoom {zoom}: {chunks} chunks, holes on the screen in {holes} of {FRAMES} frames");
        if zoom < 1.0 {
            assert!(chunks < most, "zooming in unloads");
        }
        most = most.max(chunks);
    }
    Ok(())
}

/// Loads the chunks that the screen touches, whenever the zoom changes, and keeps one more to each side.
fn load_what_is_seen(mut cameras: Query<(&Zoom, &mut ChunkViewer), Changed<Zoom>>) {
    for (zoom, mut viewer) in &mut cameras {
        let half = (SCREEN * zoom.0 / 2.0 / CHUNK).ceil().as_uvec2();
        let range = ViewRange::cuboid([half.x, half.y, 0], [half.x + 1, half.y + 1, 0]);
        viewer.range = Some(range.expect("one more is not less"));
    }
}

/// Whether every chunk is there that the screen touches.
fn is_the_screen_full(app: &App, camera: Entity) -> bool {
    let world = app.world();
    let (Some(place), Some(zoom)) = (world.get::<Transform>(camera), world.get::<Zoom>(camera))
    else {
        return false;
    };
    let half = SCREEN * zoom.0 / 2.0;
    let at = place.translation.truncate();
    let [low, high] = [at - half, at + half].map(|corner| (corner / CHUNK).floor().as_ivec2());
    let index = world.resource::<ChunkIndex<Tiles>>();
    (low.y..=high.y)
        .flat_map(|y| (low.x..=high.x).map(move |x| ChunkCoord::planar_xy(x, y)))
        .all(|coord| index.contains(coord))
}

/// Waits until all is there.
fn settle(app: &mut App) {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        app.update();
        if app.world().resource::<ChunkStream<Tiles>>().is_settled() {
            return;
        }
        assert!(Instant::now() < end, "the map is never there");
        std::thread::yield_now();
    }
}

/// Asserts that the tile under the camera is that of the map, and that there is one alone.
fn is_the_tile_right(app: &mut App, camera: Entity) {
    let world = app.world_mut();
    let camera = world.get::<Transform>(camera).expect("the camera stays");
    let at = (camera.translation.truncate() / TILE).floor().as_ivec2();
    let mut tiles = world.query::<(&Tile, &GlobalTransform)>();
    let here: Vec<_> = (tiles.iter(world))
        .filter(|(_, place)| {
            let place = place.translation().truncate() / TILE;
            place.floor().as_ivec2() == at
        })
        .map(|(tile, _)| *tile)
        .collect();
    assert_eq!(here, [tile_at(at)], "at {at}");
}
