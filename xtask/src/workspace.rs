//! What `cargo metadata` says about this workspace.

use std::path::{Path, PathBuf};
use std::{env, fs};

use cargo_metadata::{Metadata, MetadataCommand, Package, TargetKind};

use crate::failure::Failure;

/// Features that compile a renderer: minutes of a cold build on two cores. They are checked
/// in one place and left out everywhere else.
pub(crate) const HEAVY_FEATURES: [&str; 1] = ["render"];

/// The members of the workspace, without their dependencies' own metadata.
#[derive(Debug)]
pub(crate) struct Workspace {
    metadata: Metadata,
}

impl Workspace {
    /// Reads the workspace that this program was built from.
    pub(crate) fn load() -> Result<Self, Failure> {
        // Set by `cargo run`; otherwise where it was compiled.
        let own = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let metadata = MetadataCommand::new()
            .manifest_path(own.join("Cargo.toml"))
            .no_deps()
            .exec()
            .map_err(|error| {
                Failure::new(
                    format!("`cargo metadata` does not understand the workspace: {error}"),
                    "Mend the Cargo.toml that it names.",
                )
            })?;
        Ok(Self { metadata })
    }

    /// The folder of the workspace's Cargo.toml.
    pub(crate) fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }

    /// Where cargo puts what it builds.
    pub(crate) fn target_folder(&self) -> &Path {
        self.metadata.target_directory.as_std_path()
    }

    /// All crates, by name.
    pub(crate) fn packages(&self) -> Vec<&Package> {
        let mut packages = self.metadata.workspace_packages();
        packages.sort_by(|a, b| a.name.cmp(&b.name));
        packages
    }

    /// The crates that are published, by name.
    pub(crate) fn libraries(&self) -> Vec<&Package> {
        let mut packages = self.packages();
        packages.retain(|package| package.publish.is_none());
        packages
    }

    /// Every feature of every crate but the heavy ones, as cargo's arguments; the default ones are
    /// there anyway. With the same features in each step, what one step compiled serves the next.
    pub(crate) fn light_features(&self) -> Vec<String> {
        let features: Vec<_> = self
            .packages()
            .into_iter()
            .flat_map(|package| {
                let names = package.features.keys();
                names.map(move |name| (package.name.as_str(), name.as_str()))
            })
            .filter(|(_, feature)| *feature != "default" && !HEAVY_FEATURES.contains(feature))
            .map(|(package, feature)| format!("{package}/{feature}"))
            .collect();
        if features.is_empty() {
            return Vec::new();
        }
        vec!["--features".to_owned(), features.join(",")]
    }

    /// Names of the targets of one kind that `package` has.
    pub(crate) fn targets(package: &Package, kind: TargetKind) -> Vec<&str> {
        let targets = package.targets.iter();
        targets
            .filter(|target| target.is_kind(kind.clone()))
            .map(|target| target.name.as_str())
            .collect()
    }
}

/// The folder of a crate.
pub(crate) fn folder(package: &Package) -> &Path {
    let manifest = package.manifest_path.as_std_path();
    manifest.parent().unwrap_or(manifest)
}

/// Every file below `folder` with this extension, in order of its path; hidden folders, links and
/// `target` are left out.
pub(crate) fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if kind.is_dir() && name != "target" && !name.to_string_lossy().starts_with('.') {
                folders.push(path);
            } else if kind.is_file() && path.extension().is_some_and(|it| it == extension) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}
