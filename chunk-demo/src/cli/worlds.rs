//! The world that the options ask for, with what is kept of it.

use chunk_demo::{OnWorld, Settings};

use crate::args::Play;

/// Does something with that world, or says why there is none.
pub(crate) fn with<V: OnWorld>(
    args: &Play,
    settings: &Settings,
    visitor: V,
) -> Result<V::Output, String> {
    match (&args.store, &args.drawing.save) {
        (None, None) => (args.world.with(settings, visitor)).map_err(|error| error.to_string()),
        (Some(store), None) => with_store(store, args, settings, visitor),
        (None, Some(file)) => with_save(file, args, settings, visitor),
        (Some(_), Some(_)) => Err(
            "--save cannot be used with --store: the one is for the voxels, the other for the city"
                .to_owned(),
        ),
    }
}

/// The city, from a store and into it.
#[cfg(feature = "shared-store")]
fn with_store<V: OnWorld>(
    store: &str,
    args: &Play,
    settings: &Settings,
    visitor: V,
) -> Result<V::Output, String> {
    use chunk_demo::bake::CityStore;
    use chunk_demo::{SettingsError, Workload, WorldKind};
    use chunk_scheduler::Runtime;

    if args.world != WorldKind::City {
        return Err(
            "--store cannot be used with this --world: only chunks of the city can be kept"
                .to_owned(),
        );
    }
    let config = settings.city();
    let city =
        Workload::city_of(settings).map_err(|error| SettingsError::from(error).to_string())?;
    let kept = CityStore::open_at(store, &config, Runtime::default());
    let kept = kept.map_err(|error| format!("--store cannot be `{store}`: {error}"))?;
    Ok(visitor.on(city.kept_in(kept.archive().clone())))
}

#[cfg(not(feature = "shared-store"))]
fn with_store<V: OnWorld>(
    _store: &str,
    _args: &Play,
    _settings: &Settings,
    _visitor: V,
) -> Result<V::Output, String> {
    Err(
        "--store: this build has no stores; `cargo xtask demo --store PATH_OR_URL` makes one that has, and so does \
         `--features shared-store` with cargo's own commands"
            .to_owned(),
    )
}

/// The voxels, with what was changed in them. Waits until all further changes are durable.
#[cfg(all(feature = "saves", feature = "voxels"))]
fn with_save<V: OnWorld>(
    file: &std::path::Path,
    args: &Play,
    settings: &Settings,
    visitor: V,
) -> Result<V::Output, String> {
    use bevy_tasks::block_on;
    use chunk_demo::voxels::{Edits, VoxelWorld};
    use chunk_demo::{Workload, WorldKind};
    use chunk_scheduler::Runtime;
    use chunk_scheduler::store::{Archive, ArchiveConfig, Postcard, RedbStore};
    use std::time::Duration;

    if args.world != WorldKind::Voxels {
        return Err(NOTHING_CHANGES.to_owned());
    }
    let config = ArchiveConfig {
        world: settings.seed,
        prefix: "edits/".to_owned(),
        ..ArchiveConfig::default()
    };
    let edits = RedbStore::open(file).and_then(|store| {
        let archive = Archive::new(store, Postcard::new(), config, Runtime::default());
        block_on(Edits::saved_in(archive))
    });
    let edits = edits.map_err(|error| format!("--save cannot be `{}`: {error}", file.display()))?;
    let world = VoxelWorld::with(settings.seed, edits);
    let done = visitor.on(Workload::voxels(world.clone()));
    let close = |patience| {
        world
            .edits()
            .archive()
            .map_or(Ok(()), |archive| archive.flush_within(patience))
    };
    while let Err(unsaved) = close(Duration::from_secs(10)) {
        eprintln!("{unsaved}; this goes on trying, and a second Ctrl-C gives up");
    }
    Ok(done)
}

#[cfg(not(all(feature = "saves", feature = "voxels")))]
fn with_save<V: OnWorld>(
    _file: &std::path::Path,
    args: &Play,
    _settings: &Settings,
    _visitor: V,
) -> Result<V::Output, String> {
    use chunk_demo::WorldKind;

    if args.world != WorldKind::Voxels {
        return Err(NOTHING_CHANGES.to_owned());
    }
    Err(
        "--save: this build cannot save; `cargo xtask demo --world voxels --window --save FILE` makes one that can, and so \
         does `--features render,saves,voxels` with cargo's own commands"
            .to_owned(),
    )
}

const NOTHING_CHANGES: &str =
    "--save needs --world voxels: nothing can be changed in the other worlds";
