//! Digging and building in the voxel world.

use std::collections::VecDeque;

use bevy_app::{App, Update};
use bevy_ecs::prelude::*;
use bevy_input::ButtonInput;
use bevy_input::keyboard::KeyCode;
use bevy_input::mouse::MouseButton;
use bevy_math::IVec3;
use bevy_transform::components::Transform;
use chunk_apply::{ChunkStream, ChunkViewer, StreamingSystems};

use super::controls::Asked;
use crate::voxels::{Block, VoxelChunk, VoxelWorld};

/// How far one reaches, in metres.
const REACH: f32 = 60.0;

/// Lets the keys dig, if the app's world is one of voxels.
pub(super) fn add(app: &mut App) {
    if !app.world().contains_resource::<VoxelWorld>() {
        return;
    }
    app.world_mut().resource_mut::<Asked>().digs = true;
    app.add_systems(Update, dig.before(StreamingSystems::Scan));
}

/// What is to be dug or built. One edit waits while an earlier one is not shown yet that touches the same chunk: both
/// sides of a border are made from the same voxels.
fn dig(
    mut edits: Local<VecDeque<(IVec3, Block)>>,
    buttons: Res<ButtonInput<MouseButton>>,
    keys: Res<ButtonInput<KeyCode>>,
    eye: Single<&Transform, With<ChunkViewer>>,
    world: Res<VoxelWorld>,
    mut stream: ResMut<ChunkStream<VoxelChunk>>,
) {
    let digs = buttons.just_pressed(MouseButton::Left) || keys.just_pressed(KeyCode::KeyG);
    let builds = buttons.just_pressed(MouseButton::Middle) || keys.just_pressed(KeyCode::KeyB);
    let look = || world.look(eye.translation, *eye.forward(), REACH);
    if let Some(hit) = (digs || builds).then(look).flatten() {
        if digs {
            edits.push_back((hit.voxel, Block::Air));
        } else if hit.before != eye.translation.floor().as_ivec3() {
            edits.push_back((hit.before, Block::Brick));
        }
    }
    while let Some((voxel, block)) = edits.front().copied()
        && !VoxelWorld::touched_by(voxel).any(|chunk| stream.is_swapping(chunk))
    {
        world.set(voxel, block, &mut stream);
        edits.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use bevy_math::Vec3;
    use chunk_apply::ChunkIndex;

    use super::*;
    use crate::harness::{Settings, Workload, WorldKind, add_world, headless, ready};

    #[test]
    fn the_keys_dig_and_build_what_the_cross_is_on() {
        let mut settings = Settings::default();
        WorldKind::Voxels.adjust(&mut settings);
        let settings = Settings {
            radius: 1,
            unload_radius: 2,
            half_height: 1,
            ..settings
        };
        let (mut app, world) = (headless(), VoxelWorld::new(1));
        let workload = Workload::voxels(world.clone());
        add_world(&mut app, &settings, &workload).expect("the settings make sense");
        app.insert_resource(Asked::new(&settings))
            .init_resource::<ButtonInput<MouseButton>>()
            .init_resource::<ButtonInput<KeyCode>>();
        add(&mut app);
        ready(&mut app);
        assert!(app.world().resource::<Asked>().digs);
        let from = Vec3::new(3.5, 90.0, 3.5);
        let eye = Transform::from_translation(from).looking_to(Vec3::NEG_Y, Vec3::X);
        app.world_mut().spawn((ChunkViewer::default(), eye));
        while app.world().resource::<ChunkIndex<VoxelChunk>>().len() < 15 {
            app.update();
        }

        let ground = world
            .look(from, Vec3::NEG_Y, 99.0)
            .expect("there is ground")
            .voxel;
        // An edit waits until the one before it is shown.
        let press = |app: &mut App, key| {
            let mut keys = app.world_mut().resource_mut::<ButtonInput<KeyCode>>();
            keys.press(key);
            app.update();
            app.world_mut()
                .resource_mut::<ButtonInput<KeyCode>>()
                .reset_all();
            while !(app.world().resource::<ChunkStream<VoxelChunk>>()).is_settled() {
                app.update();
            }
            app.update();
        };
        press(&mut app, KeyCode::KeyG);
        assert_eq!(world.block_at(ground), Block::Air);
        press(&mut app, KeyCode::KeyB);
        assert_eq!(world.block_at(ground), Block::Brick);
        press(&mut app, KeyCode::KeyB);
        assert_eq!(world.block_at(ground + IVec3::Y), Block::Brick);
        press(&mut app, KeyCode::KeyQ);
        assert_eq!(world.block_at(ground + 2 * IVec3::Y), Block::Air);
    }
}
