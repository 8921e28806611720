//! The file that `--json` names.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

/// A file that can be written to. It is opened before the run, so that nobody waits for figures that have no place to
/// go; what was in it stays until the new figures are there.
#[derive(Debug)]
pub(crate) struct JsonFile {
    path: PathBuf,
    file: File,
}

impl JsonFile {
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        let file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(path)
            .map_err(|error| cannot_write(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
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
        written.map_err(|error| cannot_write(&self.path, &error))
    }
}

fn cannot_write(path: &Path, error: &io::Error) -> String {
    format!("--json {} cannot be written: {error}", path.display())
}
