//! Very many chunks at once.

use bevy_math::Vec3;

use super::scenario_trait::{Scenario, apart};
use crate::harness::Settings;

/// A wide view that becomes wanted all at once.
#[derive(Clone, Copy, Debug)]
pub struct Dense {
    name: &'static str,
    radius: u32,
    density: u32,
}

impl Dense {
    /// 529 chunks of 500 entities.
    pub const HUNDREDS: Self = Self {
        name: "dense",
        radius: 13,
        density: 500,
    };
    /// 10,201 chunks of 60 entities.
    pub const THOUSANDS: Self = Self {
        name: "dense-10000",
        radius: 57,
        density: 60,
    };
}

impl Scenario for Dense {
    fn name(&self) -> &'static str {
        self.name
    }

    fn proves(&self) -> &'static str {
        "of hundreds or thousands of chunks wanted at once the near ones are loaded within a second, and all in the end"
    }

    fn adjust(&self, settings: &mut Settings) {
        settings.radius = self.radius;
        settings.unload_radius = self.radius + 2;
        settings.density = self.density;
    }

    fn place(&self, viewer: u32, _seconds: f64, settings: &Settings) -> Vec3 {
        apart(viewer, 0.0, 150.0, settings)
    }

    fn must_keep_up(&self) -> bool {
        true
    }
}
