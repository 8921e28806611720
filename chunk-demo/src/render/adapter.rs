//! Whether this machine can draw, and with what.

use bevy_render::settings::WgpuSettings;
use bevy_tasks::block_on;
use wgpu::{Backends, DeviceType, Instance, InstanceDescriptor, RequestAdapterOptions};

use super::error::RenderError;

/// Finds the adapter that Bevy would draw with, and describes it for people. Bevy would end the process if there were
/// none.
///
/// Like Bevy it follows `WGPU_BACKEND`, `WGPU_POWER_PREF`, `WGPU_FORCE_FALLBACK_ADAPTER` and `WGPU_ADAPTER_NAME`; a
/// name that no adapter has is ignored.
///
/// # Errors
///
/// [`RenderError::NoAdapter`] if there is none.
pub fn find() -> Result<String, RenderError> {
    let settings = WgpuSettings::default();
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let is_fallback_forced = variable("WGPU_FORCE_FALLBACK_ADAPTER")
        .map_or(settings.force_fallback_adapter, |value| {
            value != "0" && value != "false"
        });
    find_among(
        settings.backends.unwrap_or(Backends::empty()),
        variable("WGPU_ADAPTER_NAME").or(settings.adapter_name),
        &RequestAdapterOptions {
            power_preference: settings.power_preference,
            force_fallback_adapter: is_fallback_forced,
            ..RequestAdapterOptions::default()
        },
    )
}

fn find_among(
    backends: Backends,
    name: Option<String>,
    options: &RequestAdapterOptions<'_, '_>,
) -> Result<String, RenderError> {
    let descriptor = InstanceDescriptor {
        backends,
        ..InstanceDescriptor::new_without_display_handle_from_env()
    };
    let instance = Instance::new(descriptor);
    let named = name.and_then(|name| {
        let name = name.to_lowercase();
        let mut all = block_on(instance.enumerate_adapters(backends)).into_iter();
        all.find(|adapter| adapter.get_info().name.to_lowercase().contains(&name))
    });
    let adapter = match named {
        Some(adapter) => adapter,
        None => block_on(instance.request_adapter(options))
            .map_err(|error| RenderError::NoAdapter(error.to_string()))?,
    };
    let info = adapter.get_info();
    let is_software = info.device_type == DeviceType::Cpu;
    let software = if is_software { ", in software" } else { "" };
    Ok(format!("{} ({}{software})", info.name, info.backend))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_an_adapter_says_so() {
        for name in [None, Some("any".to_owned())] {
            let error = find_among(Backends::empty(), name, &RequestAdapterOptions::default())
                .expect_err("nothing draws without an interface");
            assert!(matches!(error, RenderError::NoAdapter(_)), "{error}");
        }
    }
}
