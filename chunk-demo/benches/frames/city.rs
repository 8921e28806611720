//! The city, around a viewer that rests and flies.

use std::time::{Duration, Instant};

use bevy_app::Update;
use chunk_apply::{ApplyBudget, FrameTarget, Spawner};
use chunk_assets::ChunkAssetsPlugin;
use chunk_demo::render::measured::Renderer;
use chunk_demo::{Settings, Workload};

use super::cruise::{Cruise, Frames};

/// A city with a radius, at rest and then in flight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct City {
    pub(crate) renderer: Renderer,
    pub(crate) budget: ApplyBudget,
    /// In chunks.
    pub(crate) radius: u32,
    /// What the app's other systems take of each frame.
    pub(crate) work: Duration,
    /// Metres ahead at which the flight begins.
    pub(crate) jump: f64,
    /// How long the flight takes.
    pub(crate) seconds: f64,
}

impl City {
    /// With a budget that follows the frame.
    pub(crate) fn new(renderer: Renderer, radius: u32, seconds: f64) -> Self {
        Self {
            renderer,
            budget: ApplyBudget::following(FrameTarget::default()),
            radius,
            work: Duration::ZERO,
            jump: 0.0,
            seconds,
        }
    }

    /// So many metres a second.
    pub(crate) fn fly(self, speed: f64) -> Frames {
        let settings = self.settings();
        let city = Workload::city(settings.city()).expect("the defaults make a city");
        let city = city.prepared_by(move |app| {
            if !self.work.is_zero() {
                app.add_systems(Update, move || {
                    let start = Instant::now();
                    while start.elapsed() < self.work {
                        core::hint::spin_loop();
                    }
                });
            }
        });
        let cruise = Cruise {
            renderer: self.renderer,
            jump: self.jump,
            speed,
            seconds: self.seconds,
            ..Cruise::default()
        };
        cruise.fly(settings, city)
    }

    /// All of it in full detail, around a viewer that rests.
    pub(crate) fn in_full(self) -> Frames {
        let settings = Settings {
            full_detail: true,
            ..self.settings()
        };
        let city = Workload::city_of(&settings).expect("the defaults make a city");
        self.at_rest().fly(settings, city)
    }

    /// Chunks without any entities around a viewer that rests, so that a frame costs what it costs whatever is drawn.
    pub(crate) fn without_entities(self) -> Frames {
        let nothing = Workload::new(|_job| (), Spawner::new(|_, (), _| {}), |_| 0);
        // The ground has the shared assets.
        let nothing = nothing.prepared_by(|app| {
            app.add_plugins(ChunkAssetsPlugin);
        });
        self.at_rest().fly(self.settings(), nothing)
    }

    fn at_rest(self) -> Cruise {
        Cruise {
            renderer: self.renderer,
            ..Cruise::default()
        }
    }

    fn settings(self) -> Settings {
        Settings {
            budget: self.budget,
            radius: self.radius,
            unload_radius: self.radius + 2,
            ..Settings::default()
        }
    }
}
