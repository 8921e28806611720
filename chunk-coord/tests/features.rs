//! The optional features: what they write is read back, and what constructors refuse is not read.

#[cfg(feature = "serde")]
mod serde {
    use bevy_math::Vec3;
    use chunk_coord::{ChunkCoord, ChunkGrid, Footprint, ViewRange};
    use serde_json::{from_str, to_string};

    #[test]
    fn what_is_written_is_read_back() {
        let coord = ChunkCoord::new(i32::MIN, 0, i32::MAX);
        let text = to_string(&coord).unwrap();
        assert_eq!(text, r#"{"x":-2147483648,"y":0,"z":2147483647}"#);
        assert_eq!(from_str::<ChunkCoord>(&text).unwrap(), coord);

        for range in [
            ViewRange::disc(8, 10),
            ViewRange::sphere(3, 3),
            Ok(ViewRange::with_band(
                Footprint::Cylinder {
                    radius: 8,
                    half_height: 2,
                },
                2,
            )),
            ViewRange::disc(8, 10).map(|range| range.in_grid(&ChunkGrid::planar_xy(1.0).unwrap())),
            ViewRange::cuboid([1, 2, 3], [4, 5, 6]),
        ] {
            let range = range.unwrap();
            let text = to_string(&range).unwrap();
            assert_eq!(from_str::<ViewRange>(&text).unwrap(), range);
            let text = to_string(&range.load()).unwrap();
            assert_eq!(from_str::<Footprint>(&text).unwrap(), range.load());
        }

        for grid in [
            ChunkGrid::planar_rect(16.0, 0.1),
            ChunkGrid::planar_xy_rect(16.0, 0.1),
            ChunkGrid::volumetric(Vec3::new(0.1, 2.0, 1e9)),
        ] {
            let grid = grid.unwrap();
            let text = to_string(&grid).unwrap();
            assert_eq!(from_str::<ChunkGrid>(&text).unwrap(), grid);
        }
    }

    #[test]
    fn what_a_constructor_refuses_is_not_read() {
        let text = r#"{"load":{"Disc":{"radius":9}},"unload":{"Disc":{"radius":8}}}"#;
        let error = from_str::<ViewRange>(text).unwrap_err().to_string();
        assert!(error.contains("does not contain"), "{error}");
        let error = from_str::<ChunkGrid>(r#"{"x":16.0,"y":-1.0,"z":16.0}"#).unwrap_err();
        assert!(error.to_string().contains("along y, -1"), "{error}");
    }
}

#[cfg(feature = "bevy_reflect")]
mod reflect {
    use bevy_reflect::{FromReflect, GetPath, PartialReflect, Reflect, Typed};
    use chunk_coord::{ChunkCoord, ChunkGrid, Footprint, ViewRange};

    fn round_and_back<T: Reflect + FromReflect + Typed + Clone + PartialEq + core::fmt::Debug>(
        value: T,
    ) {
        let dynamic = value.to_dynamic();
        assert_eq!(
            T::from_reflect(dynamic.as_partial_reflect()),
            Some(value.clone())
        );
        let cloned = value.reflect_clone().unwrap().take::<T>().unwrap();
        assert_eq!(cloned, value);
    }

    #[test]
    fn values_go_through_reflection_unchanged() {
        round_and_back(ChunkCoord::new(1, -2, 3));
        round_and_back(Footprint::Cuboid {
            half_extents: [1, 2, 3],
        });
        round_and_back(ViewRange::with_band(
            Footprint::Cylinder {
                radius: 8,
                half_height: 2,
            },
            2,
        ));
        round_and_back(ChunkGrid::planar(16.0).unwrap());
        round_and_back(ChunkGrid::planar_xy(16.0).unwrap());
    }

    #[test]
    fn a_range_that_an_inspector_makes_invalid_unloads_where_it_loads() {
        let mut range = ViewRange::disc(8, 10).unwrap();
        *range.path_mut::<u32>("load.radius").unwrap() = 11;
        assert_eq!(range.load(), Footprint::Disc { radius: 11 });
        assert_eq!((range.unload(), range.unload_radius()), (range.load(), 11));
        *range.path_mut::<u32>("unload.radius").unwrap() = 12;
        assert_eq!(range, ViewRange::disc(11, 12).unwrap());
        assert_eq!(range.unload(), Footprint::Disc { radius: 12 });
    }

    #[test]
    fn reflection_cannot_make_a_grid_that_its_constructor_refuses() {
        let mut grid = ChunkGrid::planar(16.0).unwrap();
        let value: &mut dyn PartialReflect = &mut grid;
        assert!(value.reflect_mut().as_opaque().is_ok());
    }
}

#[cfg(feature = "bevy_ecs")]
#[test]
fn a_chunk_can_be_put_on_an_entity() {
    use chunk_coord::ChunkCoord;
    let mut world = bevy_ecs::world::World::new();
    let coord = ChunkCoord::new(1, 2, 3);
    let entity = world.spawn(coord).id();
    assert_eq!(world.get::<ChunkCoord>(entity), Some(&coord));
}

#[cfg(all(feature = "bevy_ecs", feature = "bevy_reflect"))]
#[test]
fn an_inspector_finds_the_component() {
    use bevy_ecs::reflect::ReflectComponent;
    use bevy_reflect::TypeRegistry;
    use chunk_coord::ChunkCoord;
    let mut registry = TypeRegistry::new();
    registry.register::<ChunkCoord>();
    let mut world = bevy_ecs::world::World::new();
    let entity = world.spawn(ChunkCoord::new(4, 5, 6)).id();
    let type_id = core::any::TypeId::of::<ChunkCoord>();
    let component = registry.get_type_data::<ReflectComponent>(type_id).unwrap();
    let reflected = component.reflect(world.entity(entity)).unwrap();
    assert_eq!(
        reflected.as_any().downcast_ref::<ChunkCoord>(),
        Some(&ChunkCoord::new(4, 5, 6))
    );
}
