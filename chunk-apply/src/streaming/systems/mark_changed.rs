//! The system that marks chunks as dirty by change detection.

use crate::streaming::{
    index::{ChunkIndex, RootOf},
    stream::ChunkStream,
};
use bevy_ecs::{
    change_detection::{DetectChanges, DetectChangesMut, Ref},
    component::Component,
    hierarchy::ChildOf,
    query::Changed,
    system::{Query, Res, ResMut},
};

/// A system that [marks](ChunkStream::mark_dirty) each chunk of the content `T` as dirty of which a child has a component `C`
/// that was changed after it was added. Add it once for each component that players change, after the systems that change
/// them and before [`StreamingSystems::Scan`](crate::StreamingSystems::Scan), so that no chunk leaves before it is marked.
///
/// It sees direct children of a chunk's root alone. What is spawned, given a component, or despawned is not a change of that
/// component, so that a chunk which was just made is clean: call [`mark_dirty`](ChunkStream::mark_dirty) where the game builds
/// or demolishes something. Choose a component that nothing but the game's edits change, and that the save hook does not.
///
/// Each frame it looks at the change ticks of every entity that has `C`, about a nanosecond for each, in chunks or not. With
/// hundreds of thousands of them, mark chunks yourself.
///
/// ```
/// use bevy_app::{App, Update};
/// use bevy_ecs::prelude::*;
/// use chunk_apply::{StreamingSystems, mark_changed_chunks};
///
/// struct Rocks; // the stream's content type
///
/// #[derive(Component)]
/// struct Health(u32);
///
/// fn hit(mut rocks: Query<&mut Health>) {
///     for mut rock in &mut rocks {
///         rock.0 -= 1;
///     }
/// }
///
/// # let mut app = App::new();
/// app.add_systems(
///     Update,
///     (hit, mark_changed_chunks::<Rocks, Health>).chain().before(StreamingSystems::Scan),
/// );
/// # app.update();
/// ```
pub fn mark_changed_chunks<T: Send + Sync + 'static, C: Component>(
    stream: Option<ResMut<'_, ChunkStream<T>>>,
    index: Option<Res<'_, ChunkIndex<T>>>,
    changed: Query<'_, '_, (&ChildOf, Ref<'_, C>), Changed<C>>,
    roots: Query<'_, '_, &RootOf<T>>,
) {
    let (Some(mut stream), Some(index)) = (stream, index) else {
        return;
    };
    let state = &mut stream.bypass_change_detection().state;
    let mut last = None;
    for (parent, component) in &changed {
        let root = parent.parent();
        // Those of one chunk follow each other.
        if component.last_changed() == component.added() || last == Some(root) {
            continue;
        }
        if let Ok(of) = roots.get(root) {
            state.mark_dirty(&index, of.coord, Some(root));
            last = Some(root);
        }
    }
}
