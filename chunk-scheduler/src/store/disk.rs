//! What the stores on a disk share: folders that survive a power cut, and what an error of the disk means.

use super::error::StoreErrorKind;
use std::{
    fs,
    io::{self, ErrorKind},
    path::Path,
};

/// Makes a folder and those above it where they are missing, so that they are still there after a power cut.
pub(super) fn create_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let above = parent(folder);
    if above == folder {
        let message = format!("there is no folder {folder:?}");
        return Err(io::Error::new(ErrorKind::NotFound, message));
    }
    create_folder(above)?;
    match fs::create_dir(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        // Or another process was faster.
        _ if folder.is_dir() => sync_folder(above),
        _ => {
            let message = format!("{folder:?} is no folder");
            Err(io::Error::new(ErrorKind::NotADirectory, message))
        }
    }
}

/// Makes durable which files are in a folder. Only Unix can and needs to.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        fs::File::open(folder)?.sync_all()
    } else {
        Ok(())
    }
}

/// The folder that a file or folder is in.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

/// What an error of the disk means to who opens a store.
pub(super) fn kind_of_opening(error: &io::Error) -> StoreErrorKind {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => StoreErrorKind::Setting,
        _ => kind_of(error),
    }
}

/// What an error of the disk means to who saves and loads. That something is missing which was there when the store was opened
/// is an outage.
pub(super) fn kind_of(error: &io::Error) -> StoreErrorKind {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            StoreErrorKind::Full
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => StoreErrorKind::ReadOnly,
        ErrorKind::IsADirectory
        | ErrorKind::AlreadyExists
        | ErrorKind::InvalidFilename
        | ErrorKind::InvalidInput => StoreErrorKind::Setting,
        _ => StoreErrorKind::Unavailable,
    }
}
