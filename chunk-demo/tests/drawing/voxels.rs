//! The voxel world on screen: ground under the sky, and a tower that was built in front of the camera.

use std::path::Path;

use bevy_math::{IVec3, Vec3};
use bevy_transform::components::Transform;
use chunk_apply::{ChunkStream, ChunkViewer};
use chunk_demo::render::OffscreenApp;
use chunk_demo::voxels::{Block, VoxelChunk, VoxelWorld};
use chunk_demo::{Settings, Workload, WorldKind};
use image::RgbaImage;

/// Which part of the pixels is so.
fn share(image: &RgbaImage, is_so: impl Fn([i32; 3]) -> bool) -> f64 {
    let hits = image.pixels().filter(|pixel| {
        let [red, green, blue, _] = pixel.0;
        is_so([red, green, blue].map(i32::from))
    });
    hits.count() as f64 / f64::from(image.width() * image.height())
}

#[test]
fn what_is_built_is_drawn_in_front_of_the_land() {
    if !super::can_draw() {
        return;
    }
    let mut settings = Settings::default();
    WorldKind::Voxels.adjust(&mut settings);
    let settings = Settings {
        radius: 4,
        unload_radius: 5,
        ..settings
    };
    let world = VoxelWorld::new(1);
    let workload = Workload::voxels(world.clone());
    let mut offscreen =
        OffscreenApp::of([320, 180], &settings, &workload).expect("the settings make sense");
    let ground = world.look(Vec3::new(0.5, 95.0, 0.5), Vec3::NEG_Y, 200.0);
    let ground = ground.expect("there is ground").before;
    let eye = Transform::from_translation(ground.as_vec3() + Vec3::new(-14.0, 22.0, -14.0));
    let eye = eye.looking_at(ground.as_vec3() + 8.0 * Vec3::Y, Vec3::Y);
    offscreen
        .app_mut()
        .world_mut()
        .spawn((ChunkViewer::default(), eye));
    let settle = |offscreen: &mut OffscreenApp| {
        offscreen.app_mut().update();
        while !offscreen
            .app_mut()
            .world()
            .resource::<ChunkStream<VoxelChunk>>()
            .is_settled()
        {
            offscreen.app_mut().update();
        }
    };
    settle(&mut offscreen);
    let is_brick = |[red, green, blue]: [i32; 3]| red > green + 50 && green > blue;
    let before = offscreen.take(eye).expect("there is an adapter");
    // Where a shader is missing, Bevy shows magenta.
    assert_eq!(
        share(&before, |[red, green, blue]| red > 180
            && blue > 180
            && green < 100),
        0.0
    );
    let is_green = |[red, green, blue]: [i32; 3]| green > red + 6 && green > blue + 18;
    assert!(share(&before, is_green) > 0.1, "there is grass");

    let mut stream = offscreen
        .app_mut()
        .world_mut()
        .resource_mut::<ChunkStream<VoxelChunk>>();
    for (x, y, z) in (0..3).flat_map(|x| (0..16).flat_map(move |y| (0..3).map(move |z| (x, y, z))))
    {
        world.set(ground + IVec3::new(x, y, z), Block::Brick, &mut stream);
    }
    settle(&mut offscreen);
    let after = offscreen.take(eye).expect("there is an adapter");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (name, image) in [("voxels-before.png", &before), ("voxels-after.png", &after)] {
        image.save(folder.join(name)).expect("the folder is there");
    }
    let [before, after] = [&before, &after].map(|image| share(image, is_brick));
    assert!(
        after > before + 0.02,
        "{before} of brick before, {after} after"
    );
}
