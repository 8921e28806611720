//! What draws the frames of a run.

use bevy_app::App;
use bevy_ecs::entity::Entity;
use bevy_ecs::world::World;

use super::app::headless;
use super::settings::Settings;

/// What draws the frames of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Drawing {
    /// Nothing: a frame is what a server does.
    #[default]
    None,
    /// Bevy's renderer on a device that does nothing: a frame is all that it costs the processor, in the main world and then
    /// in the render world, with a camera at the first viewer and a sun with three shadow cascades.
    #[cfg(feature = "render")]
    Noop,
}

impl Drawing {
    /// An app with the plugins that a stream needs.
    pub(super) fn app(self) -> App {
        match self {
            Self::None => headless(),
            #[cfg(feature = "render")]
            Self::Noop => crate::render::noop::app(),
        }
    }

    /// Adds sky, sun and ground, if anything is drawn. What is drawn of a chunk must be in the app by now.
    #[cfg_attr(
        not(feature = "render"),
        expect(unused_variables, reason = "nothing is drawn")
    )]
    pub(super) fn add_scene(self, app: &mut App, settings: &Settings) {
        match self {
            Self::None => {}
            #[cfg(feature = "render")]
            Self::Noop => crate::render::noop::add_scene(app, settings),
        }
    }

    /// How many meshes the scene adds.
    pub(super) fn scenery(self) -> usize {
        match self {
            Self::None => 0,
            #[cfg(feature = "render")]
            Self::Noop => crate::render::scene::MESHES,
        }
    }

    /// Puts a camera on the viewer.
    #[cfg_attr(
        not(feature = "render"),
        expect(unused_variables, reason = "nothing is drawn")
    )]
    pub(super) fn look_from(self, world: &mut World, viewer: Option<&Entity>, settings: &Settings) {
        match (self, viewer) {
            #[cfg(feature = "render")]
            (Self::Noop, Some(viewer)) => crate::render::noop::look_from(world, *viewer, settings),
            _ => {}
        }
    }
}
