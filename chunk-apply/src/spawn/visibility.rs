//! Hides a chunk that is not whole. Without the feature `visibility` this does nothing.

use bevy_ecs::{entity::Entity, world::World};

#[cfg(feature = "visibility")]
use bevy_camera::visibility::Visibility;

/// What hiding a root replaced: the visibility that the user gave it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub(crate) struct Hidden {
    #[cfg(feature = "visibility")]
    own: Option<Visibility>,
}

impl Hidden {
    /// Gives the root its own visibility back, unless somebody gave it another meanwhile.
    pub(crate) fn show(self, world: &mut World, root: Entity) {
        #[cfg(feature = "visibility")]
        if let Some(own) = self.own
            && let Some(mut visibility) = world.get_mut::<Visibility>(root)
            && *visibility == Visibility::Hidden
            && own != Visibility::Hidden
        {
            *visibility = own;
        }
        #[cfg(not(feature = "visibility"))]
        let _ = (world, root);
    }
}

/// Makes the chunk under this root invisible.
pub(crate) fn hide(world: &mut World, root: Entity) -> Hidden {
    #[cfg(feature = "visibility")]
    if let Some(mut visibility) = world.get_mut::<Visibility>(root) {
        let own = Some(*visibility);
        if *visibility != Visibility::Hidden {
            *visibility = Visibility::Hidden;
        }
        return Hidden { own };
    }
    #[cfg(not(feature = "visibility"))]
    let _ = (world, root);
    Hidden::default()
}
