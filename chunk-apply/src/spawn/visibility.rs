//! Hides a chunk that is not whole. Without the feature `visibility` this does nothing.

use bevy_ecs::{entity::Entity, world::World};

#[cfg(feature = "visibility")]
use bevy_camera::visibility::Visibility;

/// Makes the chunk under this root invisible.
pub(crate) fn hide(world: &mut World, root: Entity) {
    #[cfg(feature = "visibility")]
    if let Some(mut visibility) = world.get_mut::<Visibility>(root) {
        *visibility = Visibility::Hidden;
    }
    #[cfg(not(feature = "visibility"))]
    let _ = (world, root);
}

/// Makes the chunk under this root visible.
pub(crate) fn show(world: &mut World, root: Entity) {
    #[cfg(feature = "visibility")]
    if let Some(mut visibility) = world.get_mut::<Visibility>(root) {
        *visibility = Visibility::Inherited;
    }
    #[cfg(not(feature = "visibility"))]
    let _ = (world, root);
}
