//! The system that tells which regions became ready.

use crate::streaming::{
    messages::ChunkRegionReady, region::ChunkRegion, stream_now::ChunkStreamNow,
};
use bevy_ecs::{
    change_detection::DetectChangesMut,
    entity::Entity,
    message::MessageWriter,
    query::QueryFilter,
    system::{Commands, Query},
};

/// Counts each region that somebody asks for.
pub(in crate::streaming) fn tell_ready<T: Send + Sync + 'static, F: QueryFilter + 'static>(
    stream: ChunkStreamNow<T, F>,
    mut regions: Query<(Entity, &mut ChunkRegion<T>)>,
    mut messages: MessageWriter<ChunkRegionReady<T>>,
    mut commands: Commands,
) {
    let Some(grid) = stream.grid() else {
        return;
    };
    for (entity, mut region) in &mut regions {
        let region = region.bypass_change_detection();
        let now = stream.region_of(entity, region.radius);
        let now = now.map(|region| (region.centre, stream.progress(region)));
        let Some((coord, progress)) = now.filter(|(_, progress)| progress.is_ready()) else {
            region.told = None;
            continue;
        };
        if region.told.replace(grid) != Some(grid) {
            let ready = ChunkRegionReady::new(entity, coord, progress);
            messages.write(ready.clone());
            commands.trigger(ready);
        }
    }
}
