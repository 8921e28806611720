//! Whether this machine can draw, and with what.

use core::fmt;

use bevy_tasks::block_on;
use wgpu::{Backends, DeviceType, Instance, InstanceDescriptor, RequestAdapterOptions};

use super::RenderError;

/// What draws.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adapter {
    /// What the driver calls it.
    pub name: String,
    /// The interface it is reached by, such as Vulkan.
    pub interface: String,
    /// Whether the processor does the drawing.
    pub is_software: bool,
}

impl fmt::Display for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            interface,
            is_software,
        } = self;
        let kind = if *is_software { ", in software" } else { "" };
        write!(f, "{name} ({interface}{kind})")
    }
}

/// Finds what Bevy would draw with, and leaves it alone. Without one, Bevy would end the process.
///
/// # Errors
///
/// [`RenderError::NoAdapter`] if there is none.
pub fn find() -> Result<Adapter, RenderError> {
    find_among(Backends::from_env().unwrap_or(Backends::all()))
}

fn find_among(backends: Backends) -> Result<Adapter, RenderError> {
    let descriptor = InstanceDescriptor {
        backends,
        ..InstanceDescriptor::new_without_display_handle_from_env()
    };
    let instance = Instance::new(descriptor);
    let options = RequestAdapterOptions::default();
    let adapter = block_on(instance.request_adapter(&options))
        .map_err(|error| RenderError::NoAdapter(error.to_string()))?;
    let info = adapter.get_info();
    Ok(Adapter {
        name: info.name,
        interface: info.backend.to_string(),
        is_software: info.device_type == DeviceType::Cpu,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_an_adapter_says_so() {
        let error = find_among(Backends::empty()).expect_err("nothing draws without an interface");
        assert!(matches!(error, RenderError::NoAdapter(_)), "{error}");
    }
}
