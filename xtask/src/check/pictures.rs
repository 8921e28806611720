//! The tests that draw: the only ones that compile a renderer, and that need a driver to draw with.

use std::env;
use std::path::{Path, PathBuf};

use xshell::cmd;

use crate::verdict::{Advise, Stop, Verdict};
use crate::workspace::Workspace;

/// What a machine may lack.
const PACKAGES: &str = "On Debian and Ubuntu install a software renderer and a virtual display: \
                        `apt-get install mesa-vulkan-drivers xvfb`.";

pub(super) fn run(workspace: &Workspace) -> Verdict {
    if !cfg!(target_os = "linux") {
        let why = "pictures are compared on Linux, where every machine can have the same software renderer.";
        return Err(Stop::Skipped(why.to_owned()));
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let has_display = env::split_paths(&path).any(|folder| folder.join("Xvfb").is_file());
    // Before anything is compiled for it.
    if !has_display || !drivers().iter().any(|path| has_manifest(path)) {
        let why = "there is no Vulkan driver to draw with, or no Xvfb to open a window on.";
        return Err(Stop::Skipped(format!("{why} {PACKAGES}")));
    }
    // Both crates at once, because each alone would compile Bevy with other features.
    let test = cmd!(
        workspace.sh(),
        "cargo test --package chunk-assets --package chunk-demo --lib --test headless --test drawing
         --features chunk-assets/render,chunk-demo/render,chunk-demo/saves,chunk-demo/voxels"
    );
    let advice = "Look at the pictures in target/tmp, and fix what is missing in them.";
    test.run().advise(format!("{advice} {PACKAGES}"))
}

/// Where the Vulkan loader looks: files that it was told of, or folders.
fn drivers() -> Vec<PathBuf> {
    let told = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];
    if let Some(files) = told.iter().find_map(env::var_os) {
        return env::split_paths(&files).collect();
    }
    let home = env::var_os("HOME").map(|home| Path::new(&home).join(".local/share"));
    let own = env::var_os("XDG_DATA_HOME").map(PathBuf::from);
    let system = ["/etc", "/usr/share", "/usr/local/share"].map(PathBuf::from);
    let folders = system.into_iter().chain(own).chain(home);
    folders.map(|folder| folder.join("vulkan/icd.d")).collect()
}

/// Whether this is a driver's description, or a folder with one.
fn has_manifest(path: &Path) -> bool {
    let is_json = |path: &Path| path.extension().is_some_and(|it| it == "json");
    let mut entries = path.read_dir().into_iter().flatten().flatten();
    (path.is_file() && is_json(path)) || entries.any(|entry| is_json(&entry.path()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_is_a_json_file_or_in_a_folder_of_them() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        for none in ["src", "Cargo.toml", "no-such-folder"] {
            assert!(!has_manifest(&here.join(none)), "{none}");
        }
        let sh = xshell::Shell::new().unwrap();
        let folder = sh.create_temp_dir().unwrap();
        let driver = folder.path().join("driver.json");
        sh.write_file(&driver, "{}").unwrap();
        assert!(has_manifest(folder.path()) && has_manifest(&driver));
    }
}
