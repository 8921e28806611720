//! Meshes of chunks, and handles that workers reserve, in an app without a renderer.

use bevy_app::{App, TaskPoolPlugin};
use bevy_asset::{AssetApp, AssetPlugin, Assets, Handle, RenderAssetUsages};
use bevy_camera::primitives::MeshAabb;
use bevy_mesh::{
    Indices, Mesh, Mesh3d, MeshVertexAttribute, PrimitiveTopology, VertexAttributeValues,
    VertexFormat,
};
use chunk_assets::{
    AssetHandles, ChunkAssetsPlugin, ChunkMesh, ChunkMeshError, PreparedMeshes,
    PreparedMeshesPlugin, asset_count,
};

/// A square of two triangles.
fn square() -> Mesh {
    let corners = vec![[0.0; 3], [1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [1.0, 2.0, -3.0]];
    Mesh::new(
        PrimitiveTopology::TriangleList,
        RenderAssetUsages::default(),
    )
    .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, corners)
    .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, vec![[0.0, 0.0, 1.0]; 4])
    .with_inserted_indices(Indices::U16(vec![0, 1, 2, 1, 3, 2]))
}

fn of(topology: PrimitiveTopology, vertices: usize) -> Mesh {
    Mesh::new(topology, RenderAssetUsages::default())
        .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, vec![[1.0; 3]; vertices])
}

fn checked(mesh: Mesh) -> ChunkMesh {
    let mesh = ChunkMesh::new(mesh).expect("there is nothing wrong with it");
    mesh.expect("it has vertices")
}

fn refused(mesh: Mesh) -> ChunkMeshError {
    ChunkMesh::new(mesh).expect_err("something is wrong with it")
}

fn app() -> App {
    let mut app = App::new();
    app.add_plugins((TaskPoolPlugin::default(), AssetPlugin::default()))
        .init_asset::<Mesh>();
    app
}

fn meshes(app: &App) -> &Assets<Mesh> {
    app.world().resource::<Assets<Mesh>>()
}

#[test]
fn a_mesh_knows_its_bounds_and_its_bytes_and_is_for_the_renderer_alone() {
    let mesh = checked(square());
    assert_eq!(mesh.bytes(), 4 * (12 + 12) + 6 * 2);
    assert_eq!(Some(mesh.bounds()), square().compute_aabb());
    assert_eq!(mesh.mesh().asset_usage, RenderAssetUsages::RENDER_WORLD);
    let kept = mesh.kept();
    assert_eq!(kept.mesh().asset_usage, RenderAssetUsages::default());
}

#[test]
fn nothing_to_draw_is_no_mesh() {
    let empty = Mesh::new(
        PrimitiveTopology::TriangleList,
        RenderAssetUsages::default(),
    );
    let no_vertices = of(PrimitiveTopology::TriangleList, 0);
    let no_indices = square().with_inserted_indices(Indices::U32(Vec::new()));
    for mesh in [
        empty,
        no_vertices
            .clone()
            .with_inserted_indices(Indices::U32(Vec::new())),
        no_vertices,
        no_indices,
    ] {
        assert!(matches!(ChunkMesh::new(mesh.clone()), Ok(None)), "{mesh:?}");
    }
}

#[test]
fn a_mesh_without_positions_is_refused() {
    let normals = square().with_removed_attribute(Mesh::ATTRIBUTE_POSITION);
    assert_eq!(refused(normals), ChunkMeshError::NoPositions);

    let id = Mesh::ATTRIBUTE_POSITION;
    let flat = MeshVertexAttribute::new(id.name, 0, VertexFormat::Float32x2);
    assert_eq!(flat.id, id.id, "positions go by this number");
    let flat = square().with_inserted_attribute(flat, vec![[0.0_f32; 2]; 4]);
    let format = ChunkMeshError::PositionFormat(VertexFormat::Float32x2);
    assert_eq!(refused(flat), format);
}

#[test]
fn a_position_that_is_nowhere_is_named() {
    for nowhere in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut mesh = square();
        let Some(VertexAttributeValues::Float32x3(positions)) =
            mesh.attribute_mut(Mesh::ATTRIBUTE_POSITION)
        else {
            panic!("a square has positions");
        };
        positions[2][1] = nowhere;
        let error = refused(mesh);
        let ChunkMeshError::NotFinite { vertex, position } = error else {
            panic!("{error}");
        };
        assert_eq!((vertex, position[0]), (2, 0.0));
        assert_eq!(position[1].to_bits(), nowhere.to_bits());
    }
}

#[test]
fn attributes_of_different_lengths_are_refused() {
    let short = square().with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, vec![[0.0; 3]; 3]);
    let error = ChunkMeshError::AttributeLength {
        attribute: "Vertex_Normal",
        values: 3,
        vertices: 4,
    };
    assert_eq!(refused(short), error);
    let none = square().with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, Vec::<[f32; 3]>::new());
    assert!(matches!(
        refused(none),
        ChunkMeshError::AttributeLength { vertices: 0, .. }
    ));
}

#[test]
fn an_index_without_a_vertex_is_named() {
    let outside = square().with_inserted_indices(Indices::U32(vec![0, 1, 2, 1, 4, u32::MAX]));
    let error = ChunkMeshError::IndexOutOfRange {
        at: 4,
        index: 4,
        vertices: 4,
    };
    assert_eq!(refused(outside), error);
    let nothing = of(PrimitiveTopology::TriangleList, 0);
    let nothing = nothing.with_inserted_indices(Indices::U16(vec![0, 1, 2]));
    assert!(matches!(
        refused(nothing),
        ChunkMeshError::IndexOutOfRange {
            at: 0,
            vertices: 0,
            ..
        }
    ));
}

#[test]
fn only_whole_points_lines_and_triangles_are_a_mesh() {
    use PrimitiveTopology::{LineList, LineStrip, PointList, TriangleList, TriangleStrip};
    for (topology, wrong, right) in [
        (PointList, &[][..], &[1, 2][..]),
        (LineList, &[1, 3], &[2, 4]),
        (LineStrip, &[1], &[2, 3]),
        (TriangleList, &[1, 2, 4], &[3, 6]),
        (TriangleStrip, &[1, 2], &[3, 4]),
    ] {
        for &count in wrong {
            let error = ChunkMeshError::IncompletePrimitive { topology, count };
            assert_eq!(refused(of(topology, count)), error);
            let indexed = of(topology, 9).with_inserted_indices(Indices::U32(vec![0; count]));
            assert_eq!(refused(indexed), error);
        }
        for &count in right {
            assert_eq!(checked(of(topology, count)).bytes(), count * 12);
        }
    }
}

#[test]
fn a_strip_may_begin_again() {
    let indices = Indices::U16(vec![0, 1, 2, u16::MAX, 1, 2, 0]);
    let strips = of(PrimitiveTopology::TriangleStrip, 3).with_inserted_indices(indices.clone());
    checked(strips);
    let list = of(PrimitiveTopology::LineList, 3).with_inserted_indices(indices);
    assert!(matches!(
        refused(list),
        ChunkMeshError::IndexOutOfRange {
            at: 3,
            index: 65_535,
            ..
        }
    ));
}

#[test]
fn a_mesh_whose_vertices_are_gone_is_refused() {
    let mut mesh = square();
    mesh.take_gpu_data().expect("the vertices are there");
    assert_eq!(refused(mesh), ChunkMeshError::Extracted);
}

#[test]
fn a_refusal_is_a_sentence_with_the_value() {
    let error = ChunkMeshError::IndexOutOfRange {
        at: 7,
        index: 9,
        vertices: 4,
    };
    let sentence = "index 7 of the mesh is 9, and it has 4 vertices";
    assert_eq!(error.to_string(), sentence);
}

/// Where the positions of a mesh lie in memory.
fn address(mesh: &Mesh) -> *const [f32; 3] {
    let positions = mesh.attribute(Mesh::ATTRIBUTE_POSITION);
    let positions = positions.and_then(VertexAttributeValues::as_float3);
    positions.expect("it has positions").as_ptr()
}

#[test]
fn inserting_moves_the_vertices_and_copies_none() {
    let mut app = app();
    let (first, second) = (checked(square()), checked(square()));
    let (before_first, before_second) = (address(first.mesh()), address(second.mesh()));
    let handles = AssetHandles::of(meshes(&app));
    let reserved = handles.reserve();

    let handle = first.insert(app.world_mut());
    second.insert_at(&reserved, app.world_mut());

    let at = |handle: &Handle<Mesh>| meshes(&app).get(handle).map(address);
    assert_eq!(at(&handle), Some(before_first));
    assert_eq!(at(&reserved), Some(before_second));
}

#[test]
fn a_mesh_goes_with_the_last_entity_that_shows_it() {
    let mut app = app();
    let handles = AssetHandles::of(meshes(&app));
    let reserved = std::thread::spawn(move || handles.reserve());
    let reserved = reserved.join().expect("a worker may reserve");
    let entities: Vec<_> = [reserved.clone(), reserved.clone()]
        .map(|handle| app.world_mut().spawn(Mesh3d(handle)).id())
        .into();
    checked(square()).insert_at(&reserved, app.world_mut());
    drop(reserved);
    for entity in entities {
        app.update();
        assert_eq!(meshes(&app).len(), 1);
        app.world_mut().despawn(entity);
    }
    app.update();
    assert_eq!(meshes(&app).len(), 0);
}

#[test]
fn a_handle_that_was_reserved_in_vain_gives_its_place_back() {
    let mut app = app();
    let handles = AssetHandles::of(meshes(&app));
    for _ in 0..100 {
        drop(handles.reserve());
        app.update();
    }
    assert_eq!(meshes(&app).len(), 0);
    let names: Vec<_> = (0..3).map(|_| handles.reserve()).collect();
    let places: Vec<u32> = names.iter().filter_map(place).collect();
    assert_eq!(places.len(), 3);
    assert!(places.iter().all(|place| *place <= 3), "{places:?}");
}

/// The place that a handle names in its collection.
fn place(handle: &Handle<Mesh>) -> Option<u32> {
    match handle.id() {
        bevy_asset::AssetId::Index { index, .. } => Some(index.to_bits() as u32),
        bevy_asset::AssetId::Uuid { .. } => None,
    }
}

#[test]
fn without_a_renderer_every_mesh_counts_as_prepared() {
    let mut app = app();
    app.add_plugins(PreparedMeshesPlugin);
    let handle = meshes(&app).reserve_handle();
    assert!(app.world().resource::<PreparedMeshes>().contains(&handle));
    // The four shared assets are not part of it, and bring it too.
    assert_eq!(asset_count(app.world()), 0);
    app.add_plugins((ChunkAssetsPlugin, PreparedMeshesPlugin));
    assert!(app.world().resource::<PreparedMeshes>().contains(&handle));
}
