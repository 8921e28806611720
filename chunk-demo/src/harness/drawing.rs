//! What draws the frames of a run.

use bevy_app::App;
use bevy_ecs::entity::Entity;
use bevy_ecs::world::World;

use super::app::headless;
use super::settings::Settings;
#[cfg(feature = "render")]
use crate::render::measured;

/// What draws the frames of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Drawing {
    /// Nothing: a frame is what a server does.
    #[default]
    None,
    /// Bevy's renderer: a frame is all that it costs the processor, in the main world and in the render world, with a camera at
    /// the first viewer and a sun with three shadow cascades.
    #[cfg(feature = "render")]
    Unseen(measured::Renderer),
}

impl Drawing {
    /// An app with the plugins that a stream needs.
    pub(super) fn app(self) -> App {
        match self {
            Self::None => headless(),
            #[cfg(feature = "render")]
            Self::Unseen(renderer) => measured::app(renderer),
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
            Self::Unseen(_) => measured::add_scene(app, settings),
        }
    }

    /// How many meshes the scene adds.
    pub(super) fn scenery(self) -> usize {
        match self {
            Self::None => 0,
            #[cfg(feature = "render")]
            Self::Unseen(_) => crate::render::scene::MESHES,
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
            (Self::Unseen(_), Some(viewer)) => measured::look_from(world, *viewer, settings),
            _ => {}
        }
    }
}
