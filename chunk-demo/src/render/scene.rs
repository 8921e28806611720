//! What a picture shows besides the city: sky, sun, fog, ground and the camera itself.

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
use crate::city::spawn::{SHADOWS_WITHIN, WholeWithin, fade_anew};
use crate::harness::Settings;
use crate::scenario::{Scenario, place};

/// Puts sky, sun and, where the world is a plane, ground around every camera made of [`camera`]. Add it after Bevy's render plugins and
/// [`ChunkAssetsPlugin`](chunk_assets::ChunkAssetsPlugin).
#[derive(Clone, Copy, Debug)]
pub struct ScenePlugin {
    /// The colours of the sky, and where the sun is.
    pub sky: Sky,
    /// Whether there is ground as far as one sees. A world with a land of its own needs none.
    pub has_ground: bool,
}

impl ScenePlugin {
    /// What fits the world of these settings.
    #[must_use]
    pub fn of(sky: Sky, settings: &Settings) -> Self {
        Self {
            sky,
            has_ground: !settings.has_land,
        }
    }
}

/// On everything that follows the camera.
#[derive(Component, Clone, Copy, Debug)]
enum Backdrop {
    /// At this offset from the camera, in metres.
    Around(Vec3),
    /// Below the camera, at this height in metres.
    At(f32),
}

/// Meshes of the scene itself: the dome of the sky and the sun.
pub(crate) const MESHES: usize = 2;
/// The camera's far plane, in metres. The dome is a little nearer.
const FAR: f32 = 12_000.0;
/// The sun's light. With it a white surface that faces the sun is nearly white in the picture.
const SUN_LUX: f32 = 6_800.0;
/// The light of the sky where the sun does not reach, in candela a square metre.
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
        if self.has_ground {
            ground(world);
        }
    }
}

/// How far one sees through the haze, in metres. It hides the border of what is loaded within a radius in chunks.
#[must_use]
pub fn haze(chunk_size: f32, radius: u32) -> f32 {
    1.15 * chunk_size * radius as f32
}

/// A camera that sees the scene through fog. Beyond `sight` metres everything has the colour of the horizon.
#[must_use]
pub fn camera(sky: &Sky, sight: f32) -> impl Bundle {
    (
        Camera3d::default(),
        // This one needs no lookup table, and changes only the brightest colours.
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

/// The view from where the scenario's first viewer is, towards where it flies and a little down.
pub(super) fn view_ahead(scenario: &dyn Scenario, seconds: f64, settings: &Settings) -> Transform {
    let at = |seconds| place(scenario, 0, seconds, settings);
    let course = (at(seconds + 0.5) - at(seconds)).with_y(0.0);
    let course = course.try_normalize().unwrap_or(Vec3::X);
    Transform::from_translation(at(seconds)).looking_to(course - 0.22 * Vec3::Y, Vec3::Y)
}

fn light(world: &mut World, sky: &Sky) {
    let cascades = CascadeShadowConfigBuilder {
        num_cascades: 3,
        minimum_distance: 1.0,
        first_cascade_far_bound: 120.0,
        maximum_distance: SHADOWS_WITHIN,
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
    let backdrop: [_; MESHES] = [sky.dome(), Sphere::new(1.0).into()];
    let [dome, disc] = backdrop.map(|mesh: Mesh| meshes.add(mesh));
    let mut materials = world.resource_mut::<Assets<StandardMaterial>>();
    // The dome gets its colours from its vertices.
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
}

fn ground(world: &mut World) {
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
    // Only the world's camera has fog. That of the overlay has none.
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
