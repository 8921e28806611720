//! The tests that draw: the only ones that compile a renderer, and that need a driver to draw with.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::failure::{Outcome, Verdict};
use crate::shell;
use crate::workspace::Workspace;

/// What a machine may lack. The first is looked for before anything is compiled for it.
const PACKAGES: &str = "On Debian and Ubuntu install what draws in software, and a display that nobody sees: \
                        `apt-get install mesa-vulkan-drivers xvfb`.";

pub(super) fn run(workspace: &Workspace) -> Verdict {
    if !cfg!(target_os = "linux") {
        return Ok(Outcome::Skipped(
            "pictures are compared on Linux, where every machine can have the same software renderer."
                .to_owned(),
        ));
    }
    if let Some(what) = missing() {
        return Ok(Outcome::Skipped(format!("{what} {PACKAGES}")));
    }
    let mut command = shell::cargo(workspace);
    // Both crates at once, because each alone would compile Bevy with other features.
    command.args([
        "test",
        "--package",
        "chunk-assets",
        "--package",
        "chunk-demo",
    ]);
    command.args(["--features", "chunk-assets/render,chunk-demo/render"]);
    command.args(["--lib", "--test", "headless", "--test", "drawing"]);
    shell::run(
        &mut command,
        &format!("Look at the pictures in target/tmp, and mend what they lack. {PACKAGES}"),
    )?;
    Ok(Outcome::Done)
}

/// What these tests lack here.
fn missing() -> Option<String> {
    let has_driver = drivers().iter().any(|folder| has_manifest(folder));
    let path = env::var_os("PATH").unwrap_or_default();
    let has_display = env::split_paths(&path).any(|folder| folder.join("Xvfb").is_file());
    match (has_driver, has_display) {
        (false, _) => Some("There is no Vulkan driver to draw with.".to_owned()),
        (true, false) => Some("There is no Xvfb to open a window on.".to_owned()),
        (true, true) => None,
    }
}

/// Where the Vulkan loader looks: files that it was told of, or folders.
fn drivers() -> Vec<PathBuf> {
    let told = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];
    if let Some(files) = told.iter().find_map(env::var_os) {
        return env::split_paths(&files).collect();
    }
    let folder = |base: OsString| PathBuf::from(base).join("vulkan/icd.d");
    let mut folders: Vec<_> = ["/etc", "/usr/share", "/usr/local/share"]
        .map(|base| folder(base.into()))
        .into();
    folders.extend(env::var_os("XDG_DATA_HOME").map(folder));
    folders.extend(
        env::var_os("HOME").map(|home| folder(Path::new(&home).join(".local/share").into())),
    );
    folders
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
        assert!(!has_manifest(&here.join("src")));
        assert!(!has_manifest(&here.join("Cargo.toml")));
        assert!(!has_manifest(&here.join("no-such-folder")));
        let folder = env::temp_dir().join(format!("xtask-drivers-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("driver.json"), "{}").unwrap();
        assert!(has_manifest(&folder));
        assert!(has_manifest(&folder.join("driver.json")));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
