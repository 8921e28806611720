//! A world with a generator that panics when a key asks for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bevy_app::App;
use bevy_ecs::prelude::*;
use chunk_coord::ChunkCoord;
use chunk_scheduler::Job;

use crate::harness::{Settings, SettingsError, Workload, add_world};

/// Whether every second chunk that is generated from now on panics. Workers share it.
#[derive(Resource, Clone, Debug, Default)]
pub(super) struct Panics(Arc<AtomicBool>);

impl Panics {
    pub(super) fn are_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn toggle(&self) {
        self.0.fetch_not(Ordering::Relaxed);
    }
}

/// Adds a workload's stream and [`Panics`] to an app.
pub(super) fn add_with_panics<T: Send + Sync + 'static>(
    app: &mut App,
    settings: &Settings,
    mut workload: Workload<T>,
) -> Result<(), SettingsError> {
    settings.validate()?;
    let panics = Panics::default();
    app.insert_resource(panics.clone());
    let make = workload.make.clone();
    workload.make = Arc::new(move |job: &Job<ChunkCoord>| {
        let coord = job.key();
        if panics.are_on() && (coord.x ^ coord.z) & 1 == 1 {
            // This skips the panic hook, which would print a backtrace for each.
            std::panic::resume_unwind(Box::new("injected panic"));
        }
        make(job)
    });
    add_world(app, settings, &workload)
}

/// The same with the city.
#[cfg(test)]
pub(super) fn add_city_with_panics(
    app: &mut App,
    settings: &Settings,
) -> Result<(), SettingsError> {
    add_with_panics(app, settings, Workload::city_of(settings)?)
}
