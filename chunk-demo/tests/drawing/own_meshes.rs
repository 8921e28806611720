//! Meshes of chunks with a renderer: the main world knows when they are on the GPU.

use bevy_asset::{Handle, RenderAssetUsages};
use bevy_mesh::{Mesh, Mesh3d, PrimitiveTopology};
use chunk_assets::{ChunkMesh, PreparedMeshes};
use chunk_demo::render::OffscreenApp;

/// Frames in which a mesh reaches the renderer, and in which the main world learns of it.
const FRAMES: usize = 3;

fn prepared(offscreen: &mut OffscreenApp, mesh: &Handle<Mesh>) -> bool {
    let world = offscreen.app_mut().world();
    world.resource::<PreparedMeshes>().contains(mesh)
}

#[test]
fn a_mesh_is_prepared_when_it_is_on_the_gpu_and_no_longer_when_it_is_gone() {
    if !super::can_draw() {
        return;
    }
    let mut offscreen = OffscreenApp::empty([64; 2], |_app| {});
    let triangle = Mesh::new(
        PrimitiveTopology::TriangleList,
        RenderAssetUsages::default(),
    );
    let corners = vec![[0.0; 3], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]];
    let triangle = triangle.with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, corners);
    let triangle = ChunkMesh::new(triangle).expect("nothing is wrong with it");
    let triangle = triangle.expect("it has vertices");
    let world = offscreen.app_mut().world_mut();
    let handle = triangle.insert(world);
    // Nobody sees it, as a chunk whose gate is not open.
    let entity = world.spawn(Mesh3d(handle.clone())).id();
    assert!(
        !prepared(&mut offscreen, &handle),
        "it is only among the meshes"
    );
    let is_prepared = (0..FRAMES).any(|_| {
        offscreen.app_mut().update();
        prepared(&mut offscreen, &handle)
    });
    assert!(is_prepared);

    let id = handle.id();
    offscreen.app_mut().world_mut().despawn(entity);
    drop(handle);
    let is_gone = (0..FRAMES).any(|_| {
        offscreen.app_mut().update();
        let world = offscreen.app_mut().world();
        !world.resource::<PreparedMeshes>().contains(id)
    });
    assert!(is_gone);
}
