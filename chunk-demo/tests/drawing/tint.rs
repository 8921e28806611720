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
use chunk_demo::chart::Canvas;
use chunk_demo::render::Studio;

const SIZE: usize = 64;
/// In front of four places, a quarter of the picture each.
const EYE: Vec3 = Vec3::new(0.0, 0.0, 5.0);

/// At one of the four places: to the left or right, above or below.
fn at(x: f32, y: f32) -> Transform {
    Transform::from_xyz(x, y, 0.0)
}

/// The colours at the four places: above left, above right, below left, below right.
fn seen(studio: &mut Studio) -> [[u8; 3]; 4] {
    let canvas: Canvas = studio
        .take(Transform::from_translation(EYE))
        .expect("there is an adapter");
    let [low, high] = [SIZE / 4, 3 * SIZE / 4];
    [(low, low), (high, low), (low, high), (high, high)].map(|(x, y)| {
        let [red, green, blue, _] = canvas.dot(x, y).expect("the dot is inside");
        [red, green, blue]
    })
}

/// The adapter rounds once, and so does the calculation.
#[track_caller]
fn assert_near(seen: [u8; 3], expected: [u8; 3]) {
    let is_near = (0..3).all(|channel| seen[channel].abs_diff(expected[channel]) <= 1);
    assert!(is_near, "{seen:?} is not {expected:?}");
}

fn materials(studio: &mut Studio) -> bevy_ecs::change_detection::Mut<'_, Assets<ChunkMaterial>> {
    let world = studio.app_mut().world_mut();
    world.resource_mut::<Assets<ChunkMaterial>>()
}

/// Lets a material shine, so that its colour is all that is seen.
fn shine(studio: &mut Studio, material: &Handle<ChunkMaterial>) {
    let mut materials = materials(studio);
    let mut material = materials.get_mut(material).expect("it is there");
    material.base.unlit = true;
}

fn studio() -> (Studio, SharedAssets) {
    let mut studio = Studio::empty([SIZE as u32; 2]);
    let shared = studio.app_mut().world().resource::<SharedAssets>().clone();
    shine(&mut studio, &shared.building);
    shine(&mut studio, &shared.tree);
    (studio, shared)
}

const BUILDING: [u8; 3] = [200, 200, 196];
const TREE: [u8; 3] = [70, 110, 60];

#[test]
fn every_instance_has_its_own_colour_of_one_material() {
    if !super::can_draw() {
        return;
    }
    let (mut studio, shared) = studio();
    let copper = matt_material(Color::srgb_u8(90, 160, 140), 0.6);
    let copper = materials(&mut studio).add(copper);
    shine(&mut studio, &copper);
    let over = Tint::srgb(200, 40, 0).with_strength(128);
    studio.app_mut().world_mut().spawn_batch([
        shared.building_at(at(-1.0, 1.0), Tint::srgb(178, 84, 60)),
        shared.building_at(at(1.0, 1.0), Tint::srgb(3, 250, 17)),
        shared.tree_at(at(-1.0, -1.0), Tint::OWN),
        // A palette of one's own, half covered.
        Instance::new(shared.cube.clone(), copper, at(1.0, -1.0), over),
    ]);
    let [brick, lime, tree, roof] = seen(&mut studio);
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
    assert_eq!(studio.batches().single, 0);
}

#[test]
fn a_restored_asset_is_drawn_again() {
    if !super::can_draw() {
        return;
    }
    let (mut studio, shared) = studio();
    studio.app_mut().world_mut().spawn_batch([
        shared.building_at(at(-1.0, 1.0), Tint::OWN),
        shared.tree_at(at(1.0, 1.0), Tint::OWN),
        shared.building_at(at(-1.0, -1.0), Tint::srgb(9, 99, 199)),
    ]);
    let before = seen(&mut studio);
    let world = studio.app_mut().world_mut();
    world.resource_mut::<Assets<Mesh>>().remove(&shared.cube);
    materials(&mut studio).remove(&shared.tree);
    studio.app_mut().update();
    // As chunk-assets makes it, it needs light.
    shine(&mut studio, &shared.tree);
    let after = seen(&mut studio);
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
    let mut studio = Studio::empty_with([SIZE as u32; 2], |app| {
        app.add_plugins(MaterialPlugin::<Material>::default());
    });
    let app = studio.app_mut();
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
    let [green, nothing, ..] = seen(&mut studio);
    assert_near(green, [0, 255, 0]);
    assert_near(nothing, [0, 0, 0]);
}
