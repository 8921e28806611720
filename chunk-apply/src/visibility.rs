//! Hides a chunk that is not whole. Without the `visibility` feature there is nothing to hide.

use bevy_ecs::{entity::Entity, world::World};

#[cfg(feature = "visibility")]
use bevy_camera::visibility::Visibility;

/// Makes the chunk under this root invisible, however many entities it has.
pub(crate) fn hide(world: &mut World, root: Entity) {
    #[cfg(feature = "visibility")]
    if let Some(mut visibility) = world.get_mut::<Visibility>(root) {
        *visibility = Visibility::Hidden;
    }
    #[cfg(not(feature = "visibility"))]
    let _ = (world, root);
}

/// Lets the chunk under this root be seen.
pub(crate) fn show(world: &mut World, root: Entity) {
    #[cfg(feature = "visibility")]
    if let Some(mut visibility) = world.get_mut::<Visibility>(root) {
        *visibility = Visibility::Inherited;
    }
    #[cfg(not(feature = "visibility"))]
    let _ = (world, root);
}
