//! Tints on screen, to the last bit: surfaces without light show exactly the colour that they were given.

use bevy_asset::{Asset, Assets, Handle, uuid_handle};
use bevy_color::{Color, LinearRgba, Mix, Srgba};
use bevy_math::Vec3;
use bevy_mesh::{Mesh, Mesh3d, MeshTag};
use bevy_pbr::{
    ExtendedMaterial, MaterialExtension, MaterialPlugin, MeshMaterial3d, StandardMaterial,
};
use bevy_reflect::TypePath;
use bevy_render::render_resource::AsBindGroup;
use bevy_shader::{Shader, ShaderRef};
use bevy_transform::components::Transform;
use chunk_assets::{ChunkMaterial, Instance, SharedAssets, Tint, matt_material};
use chunk_demo::render::OffscreenApp;

const SIZE: u32 = 64;
/// In front of four places, a quarter of the picture each.
const EYE: Vec3 = Vec3::new(0.0, 0.0, 5.0);

/// At one of the four places: to the left or right, above or below.
fn at(x: f32, y: f32) -> Transform {
    Transform::from_xyz(x, y, 0.0)
}

/// The colours at the four places: above left, above right, below left, below right.
fn seen(offscreen: &mut OffscreenApp) -> [[u8; 3]; 4] {
    let image = offscreen
        .take(Transform::from_translation(EYE))
        .expect("there is an adapter");
    let [low, high] = [SIZE / 4, 3 * SIZE / 4];
    [(low, low), (high, low), (low, high), (high, high)].map(|(x, y)| {
        let [red, green, blue, _] = image.get_pixel(x, y).0;
        [red, green, blue]
    })
}

/// The adapter rounds once, and so does the calculation.
#[track_caller]
fn assert_near(seen: [u8; 3], expected: [u8; 3]) {
    let is_near = (0..3).all(|channel| seen[channel].abs_diff(expected[channel]) <= 1);
    assert!(is_near, "{seen:?} is not {expected:?}");
}

fn materials(
    offscreen: &mut OffscreenApp,
) -> bevy_ecs::change_detection::Mut<'_, Assets<ChunkMaterial>> {
    let world = offscreen.app_mut().world_mut();
    world.resource_mut::<Assets<ChunkMaterial>>()
}

/// Lets a material shine, so that its colour is all that is seen.
fn shine(offscreen: &mut OffscreenApp, material: &Handle<ChunkMaterial>) {
    let mut materials = materials(offscreen);
    let mut material = materials.get_mut(material).expect("it is there");
    material.base.unlit = true;
}

fn offscreen_app() -> (OffscreenApp, SharedAssets) {
    let mut offscreen = OffscreenApp::empty([SIZE; 2], |_app| {});
    let shared = offscreen
        .app_mut()
        .world()
        .resource::<SharedAssets>()
        .clone();
    shine(&mut offscreen, &shared.building);
    shine(&mut offscreen, &shared.tree);
    (offscreen, shared)
}

const BUILDING: [u8; 3] = [200, 200, 196];
const TREE: [u8; 3] = [70, 110, 60];

#[test]
fn every_instance_has_its_own_colour_of_one_material() {
    if !super::can_draw() {
        return;
    }
    let (mut offscreen, shared) = offscreen_app();
    let copper = matt_material(Color::srgb_u8(90, 160, 140), 0.6);
    let copper = materials(&mut offscreen).add(copper);
    shine(&mut offscreen, &copper);
    let over = Tint::srgb(200, 40, 0).with_strength(128);
    offscreen.app_mut().world_mut().spawn_batch([
        shared.building_at(at(-1.0, 1.0), Tint::srgb(178, 84, 60)),
        shared.building_at(at(1.0, 1.0), Tint::srgb(3, 250, 17)),
        shared.tree_at(at(-1.0, -1.0), Tint::OWN),
        // A palette of one's own, half covered.
        Instance::new(shared.cube.clone(), copper, at(1.0, -1.0), over),
    ]);
    let [brick, lime, tree, roof] = seen(&mut offscreen);
    assert_near(brick, [178, 84, 60]);
    assert_near(lime, [3, 250, 17]);
    assert_near(tree, TREE);
    let own = LinearRgba::from(Color::srgb_u8(90, 160, 140));
    let mixed = own.mix(&LinearRgba::from(Color::srgb_u8(200, 40, 0)), 128.0 / 255.0);
    let Srgba {
        red, green, blue, ..
    } = Srgba::from(mixed);
    assert_near(
        roof,
        [red, green, blue].map(|channel| (channel * 255.0).round() as u8),
    );
    assert_eq!(offscreen.batches().single, 0);
}

#[test]
fn a_restored_asset_is_drawn_again() {
    if !super::can_draw() {
        return;
    }
    let (mut offscreen, shared) = offscreen_app();
    offscreen.app_mut().world_mut().spawn_batch([
        shared.building_at(at(-1.0, 1.0), Tint::OWN),
        shared.tree_at(at(1.0, 1.0), Tint::OWN),
        shared.building_at(at(-1.0, -1.0), Tint::srgb(9, 99, 199)),
    ]);
    let before = seen(&mut offscreen);
    let world = offscreen.app_mut().world_mut();
    world.resource_mut::<Assets<Mesh>>().remove(&shared.cube);
    materials(&mut offscreen).remove(&shared.tree);
    offscreen.app_mut().update();
    // As chunk-assets makes it, it needs light.
    shine(&mut offscreen, &shared.tree);
    let after = seen(&mut offscreen);
    assert_eq!(after, before);
    assert_near(after[0], BUILDING);
    assert_near(after[1], TREE);
    assert_near(after[2], [9, 99, 199]);
    assert_near(after[3], [0, 0, 0]);
}

/// A team's own extension of Bevy's material, whose shader takes the tint and nothing else from this workspace.
#[derive(Asset, AsBindGroup, TypePath, Clone, Debug, Default)]
struct Negative {}

const NEGATIVE: Handle<Shader> = uuid_handle!("2c2f62a3-7d3f-4a83-b0cb-7c54f4cf2b55");
const NEGATIVE_SOURCE: &str = "
#import bevy_pbr::forward_io::VertexOutput
#import chunk_assets::tint::tinted

@fragment
fn fragment(in: VertexOutput) -> @location(0) vec4<f32> {
    let tinted = tinted(vec4(1.0, 1.0, 1.0, 1.0), in.instance_index);
    return vec4(1.0 - tinted.rgb, 1.0);
}
";

impl MaterialExtension for Negative {
    fn fragment_shader() -> ShaderRef {
        ShaderRef::Handle(NEGATIVE)
    }
}

#[test]
fn a_shader_of_ones_own_can_import_the_tint() {
    if !super::can_draw() {
        return;
    }
    type Material = ExtendedMaterial<StandardMaterial, Negative>;
    let mut offscreen = OffscreenApp::empty([SIZE; 2], |app| {
        app.add_plugins(MaterialPlugin::<Material>::default());
    });
    let app = offscreen.app_mut();
    let cube = app.world().resource::<SharedAssets>().cube.clone();
    let world = app.world_mut();
    world
        .resource_mut::<Assets<Shader>>()
        .insert(
            &NEGATIVE,
            Shader::from_wgsl(NEGATIVE_SOURCE, "negative.wgsl"),
        )
        .expect("the id is a UUID");
    let material = world
        .resource_mut::<Assets<Material>>()
        .add(Material::default());
    let tag: MeshTag = Tint::srgb(255, 0, 255).into();
    world.spawn((Mesh3d(cube), MeshMaterial3d(material), tag, at(-1.0, 1.0)));
    let [green, nothing, ..] = seen(&mut offscreen);
    assert_near(green, [0, 255, 0]);
    assert_near(nothing, [0, 0, 0]);
}
