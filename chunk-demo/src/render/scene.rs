//! What is in the picture besides the city: sky, sun, fog, ground and camera.

use bevy_app::{App, Plugin, PostUpdate};
use bevy_asset::Assets;
use bevy_camera::visibility::NoFrustumCulling;
use bevy_camera::{Camera3d, PerspectiveProjection, Projection};
use bevy_color::Color;
use bevy_core_pipeline::tonemapping::Tonemapping;
use bevy_ecs::prelude::*;
use bevy_light::{
    CascadeShadowConfigBuilder, DirectionalLight, DirectionalLightShadowMap, GlobalAmbientLight,
    NotShadowCaster, NotShadowReceiver,
};
use bevy_math::{Vec3, primitives::Sphere};
use bevy_mesh::{Mesh, Mesh3d};
use bevy_pbr::{DistanceFog, FogFalloff, MeshMaterial3d, StandardMaterial};
use bevy_transform::TransformSystems;
use bevy_transform::components::Transform;
use chunk_assets::{SharedAssets, Tint};

use super::sky::Sky;
use crate::city::spawn::{WholeWithin, fade_anew};

/// Puts sky, sun and ground around every camera made of [`camera`]. Add it after Bevy's render plugins and
/// [`ChunkAssetsPlugin`](chunk_assets::ChunkAssetsPlugin).
#[derive(Clone, Copy, Debug)]
pub struct ScenePlugin {
    /// What the air looks like.
    pub sky: Sky,
}

/// On everything that goes where the camera goes: how far below or above it stays, in metres, or at which height it
/// stays.
#[derive(Component, Clone, Copy, Debug)]
enum Backdrop {
    /// So far from the camera.
    Around(Vec3),
    /// At this height.
    At(f32),
}

/// How far the eye reaches, in metres. The dome is a little nearer.
const FAR: f32 = 12_000.0;
/// Towards the light of a sun that stands high; what is white and faces it is nearly white in the picture.
const SUN_LUX: f32 = 6_800.0;
/// What the sky gives to what the sun does not reach, in candela a square metre.
const SKY_LIGHT: f32 = 900.0;

impl Plugin for ScenePlugin {
    fn build(&self, app: &mut App) {
        app.insert_resource(GlobalAmbientLight {
            color: Color::srgb_u8(196, 214, 244),
            brightness: SKY_LIGHT,
            ..GlobalAmbientLight::default()
        })
        .insert_resource(DirectionalLightShadowMap { size: 2048 })
        .add_systems(
            PostUpdate,
            (
                follow_camera.before(TransformSystems::Propagate),
                fade_anew.run_if(resource_exists_and_changed::<WholeWithin>),
            ),
        );
        let world = app.world_mut();
        light(world, &self.sky);
        backdrop(world, &self.sky);
    }
}

/// How far one sees, in metres: the haze hides the end of what is loaded within a radius in chunks, and little else.
#[must_use]
pub fn haze(chunk_size: f32, radius: u32) -> f32 {
    1.15 * chunk_size * radius as f32
}

/// A camera that sees the scene, with fog up to `sight` metres: farther, everything has the colour of the horizon.
#[must_use]
pub fn camera(sky: &Sky, sight: f32) -> impl Bundle {
    (
        Camera3d::default(),
        // Needs no table, and leaves all but the brightest colours as they are.
        Tonemapping::KhronosPbrNeutral,
        Projection::Perspective(PerspectiveProjection {
            fov: 0.9,
            near: 0.5,
            far: FAR,
            ..PerspectiveProjection::default()
        }),
        DistanceFog {
            color: sky.horizon,
            falloff: FogFalloff::from_visibility_squared(sight),
            ..DistanceFog::default()
        },
    )
}

fn light(world: &mut World, sky: &Sky) {
    let cascades = CascadeShadowConfigBuilder {
        num_cascades: 3,
        minimum_distance: 1.0,
        first_cascade_far_bound: 120.0,
        maximum_distance: 1_200.0,
        ..CascadeShadowConfigBuilder::default()
    };
    world.spawn((
        DirectionalLight {
            color: Color::srgb_u8(255, 244, 226),
            illuminance: SUN_LUX,
            shadow_maps_enabled: true,
            ..DirectionalLight::default()
        },
        cascades.build(),
        Transform::from_translation(sky.sun).looking_at(Vec3::ZERO, Vec3::Y),
    ));
}

fn backdrop(world: &mut World, sky: &Sky) {
    let mut meshes = world.resource_mut::<Assets<Mesh>>();
    let [dome, disc] = [meshes.add(sky.dome()), meshes.add(Sphere::new(1.0))];
    let mut materials = world.resource_mut::<Assets<StandardMaterial>>();
    // The dome's colours are its vertices'.
    let [air, sun] = [Color::WHITE, Color::srgb_u8(255, 250, 236)].map(|base_color| {
        materials.add(StandardMaterial {
            base_color,
            unlit: true,
            fog_enabled: false,
            cull_mode: None,
            ..StandardMaterial::default()
        })
    });
    let unseen_by_light = || (NotShadowCaster, NotShadowReceiver, NoFrustumCulling);
    world.spawn((
        Mesh3d(dome),
        MeshMaterial3d(air),
        Transform::from_scale(Vec3::splat(FAR * 0.9)),
        Backdrop::Around(Vec3::ZERO),
        unseen_by_light(),
    ));
    world.spawn((
        Mesh3d(disc),
        MeshMaterial3d(sun),
        Transform::from_scale(Vec3::splat(FAR * 0.008)),
        Backdrop::Around(sky.sun * FAR * 0.8),
        unseen_by_light(),
    ));
    let shared = world.resource::<SharedAssets>().clone();
    let size = Vec3::new(2.0 * FAR, 1.0, 2.0 * FAR);
    world.spawn((
        shared.building_at(Transform::from_scale(size), GROUND),
        Backdrop::At(-0.52),
        NotShadowCaster,
        NoFrustumCulling,
    ));
}

/// Dry grass and dust.
const GROUND: Tint = Tint::srgb(128, 136, 104);

fn follow_camera(
    // The camera of an overlay has no fog.
    cameras: Query<&Transform, (With<DistanceFog>, Without<Backdrop>)>,
    mut backdrops: Query<(&mut Transform, &Backdrop)>,
) {
    let Some(camera) = cameras.iter().next() else {
        return;
    };
    for (mut transform, backdrop) in &mut backdrops {
        let place = match backdrop {
            Backdrop::Around(offset) => camera.translation + *offset,
            Backdrop::At(height) => camera.translation.with_y(*height),
        };
        transform.set_if_neq(Transform {
            translation: place,
            ..*transform
        });
    }
}
