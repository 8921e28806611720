//! This workspace: the ready-made plugin with its defaults, and the pool that it recommends.

use std::time::Duration;

use bevy_app::App;
use bevy_ecs::entity::Entity;
use bevy_transform::components::Transform;
use chunk_apply::{
    ChunkIndex, ChunkStream, ChunkStreamingPlugin, ChunkViewer, ChunkWriter, Spawner,
    StreamingConfig,
};
use chunk_coord::{ChunkCoord, ChunkGrid, ViewRange};
use chunk_demo::task_pools;
use chunk_scheduler::{Generator, Job};

use super::{HYSTERESIS, Item, SIZE, generate};
use crate::driver::{Chunk, Contestant, Maker, Workload};

struct Content(Vec<Item>);

pub(super) struct Ours {
    app: App,
    viewer: Option<Entity>,
}

impl Ours {
    pub(super) fn new(workload: &Workload, maker: &Maker) -> Self {
        let maker = maker.clone();
        let generator = Generator::new(move |job: &Job<ChunkCoord>| {
            let ChunkCoord { x, z, .. } = job.key();
            Content(generate(&maker, [x, z]))
        });
        let spawner = Spawner::new(|_, content: Content, writer: &mut ChunkWriter<'_, '_>| {
            writer.spawn_batch(content.0);
        });
        let grid = ChunkGrid::planar(SIZE).expect("32 is a size");
        let reach = |radius: i32| radius.unsigned_abs();
        let range = ViewRange::disc(reach(workload.radius), reach(workload.radius + HYSTERESIS));
        let plugin =
            ChunkStreamingPlugin::new(grid, generator, spawner).with_config(StreamingConfig {
                range: Some(range.expect("what is loaded is not unloaded at once")),
                ..StreamingConfig::default()
            });
        let mut app = App::new();
        app.add_plugins((task_pools(), plugin));
        app.finish();
        app.cleanup();
        Self { app, viewer: None }
    }
}

impl Contestant for Ours {
    fn frame(&mut self, viewer: Option<[f32; 2]>) {
        let world = self.app.world_mut();
        match (viewer, self.viewer) {
            (Some([x, z]), _) => {
                let place = Transform::from_xyz(x * SIZE, 0.0, z * SIZE);
                let entity = *self
                    .viewer
                    .get_or_insert_with(|| world.spawn(ChunkViewer::default()).id());
                world.entity_mut(entity).insert(place);
            }
            (None, Some(entity)) => {
                world.despawn(entity);
                self.viewer = None;
            }
            (None, None) => {}
        }
        self.app.update();
    }

    fn main_thread(&self) -> Duration {
        let stream = self.app.world().resource::<ChunkStream<Content>>();
        stream.last_frame().main_thread()
    }

    fn is_shown(&self, [x, z]: Chunk) -> bool {
        let index = self.app.world().resource::<ChunkIndex<Content>>();
        index.contains(ChunkCoord::new(x, 0, z))
    }

    fn entities(&self) -> usize {
        self.app.world().entity_count() as usize
    }
}
