//! A renderer that draws for nobody, so that what a frame costs can be measured.

use std::sync::Arc;

use bevy_app::App;
use bevy_asset::Assets;
use bevy_camera::RenderTarget;
use bevy_ecs::{entity::Entity, world::World};
use bevy_image::Image;
use bevy_math::Vec3;
use bevy_render::RenderApp;
use bevy_render::mesh::allocator::MeshAllocatorSettings;
use bevy_render::pipelined_rendering::PipelinedRenderingPlugin;
use bevy_render::render_resource::TextureFormat;
use bevy_render::renderer::{
    RenderAdapter, RenderAdapterInfo, RenderDevice, RenderInstance, RenderQueue, WgpuWrapper,
};
use bevy_render::settings::RenderCreation;
use bevy_render::slab_allocator::SlabAllocatorSettings;
use bevy_tasks::block_on;
use bevy_transform::components::Transform;
use wgpu::{
    BackendOptions, Backends, DeviceDescriptor, Instance, InstanceDescriptor, Limits,
    NoopBackendOptions, RequestAdapterOptions,
};

use super::plugins::{add_basics, add_renderer, renderer};
use super::scene::{ScenePlugin, camera, haze};
use super::sky::Sky;
use crate::harness::Settings;

/// Storage buffers that a shader may read: as many as common devices have. wgpu's own default is too few for Bevy's meshes.
const STORAGE_BUFFERS: u32 = 16;
/// The bytes of a buffer of meshes.
const SLAB: u64 = 128 << 20;
/// The width and height of what is drawn, in pixels.
const SIZE: [u32; 2] = [1920, 1080];

/// Bevy's renderer without a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Renderer {
    /// What it draws on.
    pub device: Device,
    /// Whether a frame is drawn while the main world is at the next one, as in games by default. Otherwise one follows the other.
    pub is_pipelined: bool,
}

/// What draws.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// A device that does nothing, so that a frame takes what it costs the processor.
    #[default]
    Noop,
    /// This machine's [adapter](super::adapter::find).
    Adapter,
}

/// An app whose every frame is prepared, encoded and submitted by Bevy's renderer, and seen by nobody.
///
/// # Panics
///
/// If it is to draw on this machine's adapter, and there is none.
pub fn app(drawn: Renderer) -> App {
    let mut app = App::new();
    add_basics(&mut app, None);
    let mut plugin = renderer(true);
    if drawn.device == Device::Noop {
        plugin.render_creation = noop_device();
    }
    add_renderer(&mut app, plugin);
    if drawn.is_pipelined {
        app.add_plugins(PipelinedRenderingPlugin);
    }
    if let Some(renderer) = app.get_sub_app_mut(RenderApp)
        && drawn.device == Device::Noop
    {
        // Once one mesh is there, none of these grows any more: this device would copy in the processor's memory what another
        // copies in its own.
        let slab_allocator_settings = SlabAllocatorSettings {
            min_slab_size: SLAB,
            max_slab_size: SLAB,
            ..SlabAllocatorSettings::default()
        };
        renderer.insert_resource(MeshAllocatorSettings {
            slab_allocator_settings,
            ..MeshAllocatorSettings::default()
        });
    }
    app
}

/// Adds sky, sun, and ground where the world has none. Add [`ChunkAssetsPlugin`](chunk_assets::ChunkAssetsPlugin) before.
pub fn add_scene(app: &mut App, settings: &Settings) {
    let sky = Sky::clear_day();
    app.add_plugins(ScenePlugin::of(sky, settings));
}

/// Puts a camera on an entity. It looks along x and a little down, which is where most scenarios fly.
pub fn look_from(world: &mut World, viewer: Entity, settings: &Settings) {
    let [width, height] = SIZE;
    let target = Image::new_target_texture(width, height, TextureFormat::Rgba8UnormSrgb, None);
    let target = world.resource_mut::<Assets<Image>>().add(target);
    let eye = camera(
        &Sky::clear_day(),
        haze(settings.chunk_size, settings.radius),
    );
    let ahead = Transform::default().looking_to(Vec3::new(1.0, -0.22, 0.0), Vec3::Y);
    (world.entity_mut(viewer)).insert((eye, RenderTarget::Image(target.into()), ahead));
}

/// Bevy's renderer on wgpu's backend `noop`, with the limits of a common device: the backend's own are endless, and Bevy
/// allocates by them.
fn noop_device() -> RenderCreation {
    let instance = Instance::new(InstanceDescriptor {
        backends: Backends::NOOP,
        backend_options: BackendOptions {
            noop: NoopBackendOptions { enable: true },
            ..BackendOptions::default()
        },
        ..InstanceDescriptor::new_without_display_handle()
    });
    let adapter = block_on(instance.request_adapter(&RequestAdapterOptions::default()))
        .expect("the feature `render` has wgpu's backend `noop`, which always has an adapter");
    let required_limits = Limits {
        max_storage_buffers_per_shader_stage: STORAGE_BUFFERS,
        ..Limits::default()
    };
    let descriptor = DeviceDescriptor {
        required_limits,
        ..DeviceDescriptor::default()
    };
    let (device, queue) =
        block_on(adapter.request_device(&descriptor)).expect("its limits are higher than these");
    RenderCreation::manual(
        RenderDevice::from(device),
        RenderQueue(Arc::new(WgpuWrapper::new(queue))),
        RenderAdapterInfo(WgpuWrapper::new(adapter.get_info())),
        RenderAdapter(Arc::new(WgpuWrapper::new(adapter))),
        RenderInstance(Arc::new(WgpuWrapper::new(instance))),
    )
}
