//! A stream together with the viewers as they are now.

use super::{index::ChunkIndex, stream::ChunkStream, viewer::LiveViewers};
use bevy_ecs::{
    query::QueryFilter,
    system::{Res, SystemParam},
};
use core::fmt;

/// The stream of the content type `T` together with the viewers of this moment, for systems that must not be told that
/// everything is there just before a scan notices a teleport. Costs a look at each viewer.
///
/// `F` is the filter of the stream's viewers, as in [`for_viewers`](crate::ChunkStreamingPlugin::for_viewers).
///
/// ```
/// use bevy_app::{App, Update};
/// use bevy_ecs::prelude::*;
/// use chunk_apply::{ChunkStreamNow, chunks_are_settled};
///
/// struct Rocks; // the stream's content type
///
/// fn lift_the_curtain(stream: ChunkStreamNow<Rocks>) {
///     assert!(stream.is_settled());
/// }
///
/// # let mut app = App::new();
/// app.add_systems(Update, lift_the_curtain.run_if(chunks_are_settled::<Rocks>));
/// # app.update();
/// ```
#[derive(SystemParam)]
pub struct ChunkStreamNow<'w, 's, T: Send + Sync + 'static, F: QueryFilter + 'static = ()> {
    stream: Option<Res<'w, ChunkStream<T>>>,
    index: Option<Res<'w, ChunkIndex<T>>>,
    viewers: LiveViewers<'w, 's, F>,
}

impl<T: Send + Sync + 'static, F: QueryFilter + 'static> ChunkStreamNow<'_, '_, T, F> {
    /// Whether nothing is left to do for the viewers of this moment: [`ChunkStream::is_settled`], and no viewer came, went or
    /// changed its chunk or range since the last scan, and no root was despawned that is yet to be noticed. False in an app
    /// without the stream, and, with an error in the log, where `F` is not the filter of the stream.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let (Some(stream), Some(index)) = (&self.stream, &self.index) else {
            return false;
        };
        stream.is_settled() && !index.has_orphaned() && stream.has_seen(&self.viewers)
    }
}

impl<T: Send + Sync + 'static, F: QueryFilter + 'static> fmt::Debug
    for ChunkStreamNow<'_, '_, T, F>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkStreamNow")
            .field("stream", &self.stream.as_deref())
            .field("is_settled", &self.is_settled())
            .finish_non_exhaustive()
    }
}

/// A run condition: [`ChunkStreamNow::is_settled`]. A function has no default for a type parameter, so this one is for
/// streams without a filter. For others, write it as a closure:
///
/// ```
/// use bevy_app::{App, Update};
/// use bevy_ecs::prelude::*;
/// use chunk_apply::ChunkStreamNow;
///
/// # struct Rocks;
/// #[derive(Component)]
/// struct Underground;
///
/// fn lift_the_curtain() {}
///
/// # let mut app = App::new();
/// app.add_systems(
///     Update,
///     lift_the_curtain.run_if(|caves: ChunkStreamNow<Rocks, With<Underground>>| caves.is_settled()),
/// );
/// # app.update();
/// ```
#[must_use]
pub fn chunks_are_settled<T: Send + Sync + 'static>(stream: ChunkStreamNow<'_, '_, T>) -> bool {
    stream.is_settled()
}
