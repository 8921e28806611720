//! What `cargo metadata` says about this workspace, and a shell in its root.

use std::path::{Path, PathBuf};
use std::{env, fs};

use cargo_metadata::{Metadata, MetadataCommand, Package};
use xshell::Shell;

use crate::verdict::{Advise, Verdict};

/// Features that compile a renderer: minutes of a cold build on two cores. They are checked in one place and left out
/// everywhere else.
pub(crate) const HEAVY_FEATURES: [&str; 1] = ["render"];

/// The members of the workspace, without their dependencies' own metadata.
#[derive(Debug)]
pub(crate) struct Workspace {
    metadata: Metadata,
    shell: Shell,
}

impl Workspace {
    /// Reads the workspace that this program was built from.
    pub(crate) fn load() -> Verdict<Self> {
        // Set by `cargo run`; otherwise where it was compiled.
        let own = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let metadata = MetadataCommand::new()
            .manifest_path(own.join("Cargo.toml"))
            .no_deps()
            .exec()
            .advise("Fix the Cargo.toml that it names.")?;
        let shell = Shell::new().advise("Run this in a folder that exists.")?;
        shell.change_dir(&metadata.workspace_root);
        Ok(Self { metadata, shell })
    }

    /// Runs commands in the root.
    pub(crate) fn sh(&self) -> &Shell {
        &self.shell
    }

    /// The folder of the workspace's Cargo.toml.
    pub(crate) fn root(&self) -> &Path {
        self.metadata.workspace_root.as_std_path()
    }

    /// A path as it reads from the root.
    pub(crate) fn short<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(self.root()).unwrap_or(path).display()
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
        packages.retain(|package| is_library(package));
        packages
    }

    /// Every feature of every crate but the heavy ones. With the same features in each step, what one step compiled serves
    /// the next.
    pub(crate) fn light_features(&self) -> String {
        light_features(&self.packages())
    }

    /// All published crates, as arguments of cargo.
    pub(crate) fn library_packages(&self) -> Vec<String> {
        let argument = |library: &Package| format!("--package={}", library.name);
        self.libraries().into_iter().map(argument).collect()
    }
}

/// Every feature of these crates but the heavy ones, as an argument of cargo; the default ones are there anyway.
pub(crate) fn light_features(packages: &[&Package]) -> String {
    let is_light = |name: &&String| *name != "default" && !HEAVY_FEATURES.contains(&name.as_str());
    let features = packages.iter().flat_map(|package| {
        let names = package.features.keys().filter(is_light);
        names.map(|name| format!("{}/{name}", package.name))
    });
    format!("--features={}", features.collect::<Vec<_>>().join(","))
}

/// Whether a crate is published.
pub(crate) fn is_library(package: &Package) -> bool {
    package.publish.is_none()
}

/// The folder of a crate.
pub(crate) fn folder(package: &Package) -> &Path {
    let manifest = package.manifest_path.as_std_path();
    manifest.parent().unwrap_or(manifest)
}

/// Every file below `folder` with this extension and its text, in order of its path; hidden folders, links and `target`
/// are left out.
pub(crate) fn files_below(folder: &Path, extension: &str) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let is_hidden = name == "target" || name.to_string_lossy().starts_with('.');
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !is_hidden => files.extend(files_below(&path, extension)),
            Ok(kind) if kind.is_file() && path.extension().is_some_and(|it| it == extension) => {
                let text = fs::read_to_string(&path).unwrap_or_default();
                files.push((path, text));
            }
            _ => {}
        }
    }
    files.sort();
    files
}

/// A crate as `cargo metadata` describes it.
#[cfg(test)]
pub(crate) fn example(
    name: &str,
    dependencies: Vec<serde_json::Value>,
    features: serde_json::Value,
) -> Package {
    let package = serde_json::json!({
        "name": name, "version": "0.1.0", "id": name, "dependencies": dependencies, "targets": [],
        "features": features, "manifest_path": "/x/Cargo.toml",
    });
    serde_json::from_value(package).unwrap()
}
