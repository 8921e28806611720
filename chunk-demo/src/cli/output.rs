//! What the program writes. Places for files are checked before a run, so that no figures are lost after it.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write, stdout};
use std::path::{Path, PathBuf};

use serde::Serialize;

/// The status of a command line that makes no sense.
pub(crate) const REFUSED: u8 = 2;

/// Writes a line to standard output. Nobody reading is no reason to panic.
pub(crate) fn print(text: &str) {
    let _ = writeln!(stdout(), "{text}");
}

/// The file that `--json` names. It is opened before the run, and keeps its old content until the new figures are there.
#[derive(Debug)]
pub(crate) struct JsonFile {
    path: PathBuf,
    file: File,
}

impl JsonFile {
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        let mut options = OpenOptions::new();
        let options = options.create(true).write(true).truncate(false);
        let file = options
            .open(path)
            .map_err(|error| unwritable("--json", path, &error))?;
        let path = path.to_owned();
        Ok(Self { path, file })
    }

    /// Replaces the file's content.
    pub(crate) fn write(mut self, value: &impl Serialize) -> Result<(), String> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| format!("the figures are no JSON: {error}"))?;
        let written = self
            .file
            .set_len(0)
            .and_then(|()| self.file.rewind())
            .and_then(|()| writeln!(self.file, "{text}"));
        written.map_err(|error| unwritable("--json", &self.path, &error))
    }
}

/// Makes the folder that `--report` names if need be, and checks that a file can be made in it.
pub(crate) fn check_folder(folder: &Path) -> Result<(), String> {
    let file = folder.join(format!(".chunk-demo-{}", std::process::id()));
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&file, ""))
        .and_then(|()| std::fs::remove_file(&file))
        .map_err(|error| unwritable("--report", folder, &error))
}

pub(crate) fn unwritable(option: &str, path: &Path, error: &io::Error) -> String {
    format!("{option} {} cannot be written: {error}", path.display())
}
