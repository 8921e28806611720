//! `chunk-demo bake`: makes chunks of the city ahead of time.

use crate::args::Baking;

/// Makes what is not there yet. Returns whether all is there then, or why nothing was made.
#[cfg(feature = "shared-store")]
pub(crate) fn run(args: &Baking) -> Result<bool, String> {
    use core::ops::ControlFlow;
    use std::sync::Arc;

    use chunk_demo::bake::{Bake, Baked, CityStore, Region, Shard};
    use chunk_demo::city::{CityConfig, CityPlan};
    use chunk_demo::{SettingsError, WorldKind};
    use chunk_scheduler::Runtime;
    use indicatif::{HumanCount, HumanDuration};

    use crate::interrupt::Interrupt;
    use crate::log;
    use crate::output::print;
    use crate::progress::Meter;

    if args.world != WorldKind::City {
        return Err(
            "--world must be city or left out: chunks of the other worlds cannot be saved"
                .to_owned(),
        );
    }
    let of_option = |option: &str, text: &str, error: &dyn core::fmt::Display| {
        format!("--{option} cannot be `{text}`: {error}")
    };
    let region = args.region.parse::<Region>();
    let region = region.map_err(|error| of_option("region", &args.region, &error))?;
    let shard = args.shard.as_deref().map(str::parse::<Shard>);
    let shard = shard
        .transpose()
        .map_err(|error| of_option("shard", args.shard.as_deref().unwrap_or_default(), &error))?;
    let shard = shard.unwrap_or(Shard::ALL);
    let standard = CityConfig::default();
    let config = CityConfig {
        seed: args.seed.unwrap_or(standard.seed),
        density: args.density.unwrap_or(standard.density),
        ..standard
    };
    let city = CityPlan::new(config).map_err(|error| SettingsError::from(error).to_string())?;

    log::start(false);
    let store = CityStore::open_at(&args.store, &config, Runtime::default());
    let store = store.map_err(|error| of_option("store", &args.store, &error))?;
    let bake = Bake {
        city: Arc::new(city),
        store,
        region,
        shard,
    };
    let mut interrupt = Interrupt::listen();
    let mut meter = Meter::new("bake");
    let since = std::time::Instant::now();
    let per_second = |baked: &Baked| baked.done() as f64 / since.elapsed().as_secs_f64().max(1e-3);
    let mut was_interrupted = false;
    let baked = bake.run(Runtime::default(), |baked| {
        meter.show(baked.done(), baked.chunks, || {
            let left = since
                .elapsed()
                .mul_f64((baked.chunks - baked.done()) as f64 / baked.done().max(1) as f64);
            format!(
                "{:.0} chunks/s, {} left",
                per_second(baked),
                HumanDuration(left)
            )
        });
        was_interrupted = interrupt.is_new();
        if was_interrupted {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    meter.finish();
    print(&format!(
        "{} chunks, shard {shard}: {} made, {} found there, {} made elsewhere at the same time, {} failed; {:.0} chunks/s",
        HumanCount(baked.chunks),
        baked.made,
        baked.found,
        baked.made_elsewhere,
        baked.failed,
        per_second(&baked),
    ));
    if let Some((coord, why)) = &baked.failure {
        eprintln!("chunk {coord} is not there: {why}");
    }
    if !baked.is_complete() {
        let left = baked.chunks - baked.in_the_store();
        let why = if was_interrupted { "Interrupted: " } else { "" };
        print(&format!(
            "{why}{left} chunks are left; the same command goes on with them"
        ));
    }
    Ok(baked.is_complete())
}

/// Says how to get a build that has stores.
#[cfg(not(feature = "shared-store"))]
pub(crate) fn run(_args: &Baking) -> Result<bool, String> {
    Err("this build cannot bake: `cargo xtask bake` makes one that can, and so does `--features shared-store` with cargo's \
         own commands".to_owned())
}
