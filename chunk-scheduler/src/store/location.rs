//! Where a store in a folder or a bucket is, and what its objects are called.

use super::{
    disk::{create_folder, kind_of, kind_of_opening, parent, sync_folder},
    error::{StoreError, StoreErrorKind},
};
use crate::sync::Arc;
use object_store::{
    Error, ObjectStore,
    local::LocalFileSystem,
    path::{Path, PathPart},
};
use std::{error::Error as _, fmt, io, path::PathBuf};
use url::Url;

/// The object that says that what is beside it is ours. No value has its name, because theirs end with [`END`].
pub(super) const MARK: &str = "chunk-scheduler-store";
/// What the object of a value ends with and no part of a name does, so that a value can have the name of a folder.
const END: &str = "=";

pub(super) struct Location {
    /// As the user wrote it.
    pub(super) address: String,
    pub(super) objects: Arc<dyn ObjectStore>,
    /// What the paths of all objects begin with.
    pub(super) prefix: Path,
    /// Where they are on a disk, if they are.
    pub(super) folder: Option<PathBuf>,
}

/// What was tried, which says what it means that it was not permitted or that what it needs is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Open,
    Read,
    Write,
}

impl Location {
    pub(super) fn new(
        address: &str,
        settings: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, StoreError> {
        let refuse = |what: &dyn fmt::Display| {
            let message = format!("{address:?} {what}");
            Err(StoreError::new(StoreErrorKind::Setting, message))
        };
        let scheme = address.split_once(':').map(|(scheme, _)| scheme);
        // A drive of Windows is one letter.
        let is_scheme = |text: &&str| {
            let mut letters = text.chars();
            text.len() > 1
                && letters.all(|it| it.is_ascii_alphanumeric() || matches!(it, '+' | '-' | '.'))
        };
        match scheme.filter(is_scheme) {
            None if address.is_empty() => refuse(&"is no address"),
            None => Self::in_folder(address, PathBuf::from(address)),
            Some("file") if address.starts_with("file://") => {
                match Url::parse(address).map(|url| url.to_file_path()) {
                    Ok(Ok(folder)) => Self::in_folder(address, folder),
                    Ok(Err(())) => refuse(&"has no absolute path of this machine"),
                    Err(error) => refuse(&error),
                }
            }
            #[cfg(feature = "s3")]
            Some("s3" | "s3a") => {
                let (objects, prefix) = super::s3::bucket(address, settings)?;
                Ok(Self {
                    address: address.to_owned(),
                    objects,
                    prefix,
                    folder: None,
                })
            }
            #[cfg(not(feature = "s3"))]
            Some("s3" | "s3a") => {
                drop(settings.into_iter());
                refuse(&"needs the feature `s3` of chunk-scheduler")
            }
            Some(_) => refuse(&"is neither a path, nor file:///path, nor s3://bucket/prefix"),
        }
    }

    fn in_folder(address: &str, folder: PathBuf) -> Result<Self, StoreError> {
        let refuse = |error: io::Error| {
            let message = format!("{address}: {error}");
            StoreError::new(kind_of_opening(&error), message)
        };
        create_folder(&folder).map_err(refuse)?;
        let folder = folder.canonicalize().map_err(refuse)?;
        let files = LocalFileSystem::new_with_prefix(&folder).map_err(|error| {
            let message = format!("{address}: {error}");
            StoreError::new(StoreErrorKind::Setting, message)
        })?;
        Ok(Self {
            address: address.to_owned(),
            // By itself it leaves to the system when a file reaches the disk.
            objects: Arc::new(files.with_fsync(true)),
            prefix: Path::default(),
            folder: Some(folder),
        })
    }

    pub(super) fn mark(&self) -> Path {
        self.prefix.clone().join(MARK)
    }

    /// The object of a value.
    pub(super) fn path(&self, name: &str) -> Path {
        // As parts, `.` and `..` are names as well.
        let name = format!("{name}{END}");
        self.prefix
            .parts()
            .chain(name.split('/').map(PathPart::from))
            .collect()
    }

    /// The value of an object; `None` for any other object.
    pub(super) fn name(&self, path: &Path) -> Option<String> {
        let parts: Vec<_> = path.prefix_match(&self.prefix)?.collect();
        let parts: Vec<_> = parts.iter().map(PathPart::as_ref).collect();
        let name = parts.join("/").replace("%2E", ".");
        Some(name.strip_suffix(END)?.to_owned())
    }

    /// The folder that all objects are in whose names begin so.
    pub(super) fn folder_of(&self, prefix: &str) -> Path {
        let folders = prefix.rsplit_once('/').map(|(folders, _)| folders);
        let folders = folders.into_iter().flat_map(|folders| folders.split('/'));
        self.prefix
            .parts()
            .chain(folders.map(PathPart::from))
            .collect()
    }

    /// Makes it durable that an object is gone.
    pub(super) async fn sync_folder_of(&self, path: Path) -> Result<(), StoreError> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        let file = folder.join(path.as_ref());
        let synced = tokio::task::spawn_blocking(move || sync_folder(parent(&file))).await;
        let synced = synced.unwrap_or_else(|panic| Err(io::Error::other(panic)));
        match synced {
            // Nothing was ever in it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            synced => synced.map_err(|error| self.about(kind_of(&error), &error)),
        }
    }

    /// Whether an error says that there is no such object.
    pub(super) fn is_absent(&self, error: &Error) -> bool {
        // That a bucket is not there, or that a proxy does not know the service, are the same error.
        matches!(error, Error::NotFound { .. })
            && (self.folder.is_some() || has_code(error, "NoSuchKey"))
    }

    pub(super) fn error(&self, access: Access, error: &Error) -> StoreError {
        let mut cause = error.source();
        while let Some(error) = cause {
            // What is wrong with a disk. A network has errors of this type too, with kinds of their own.
            if self.folder.is_some()
                && let Some(error) = error.downcast_ref::<io::Error>()
            {
                let kind = match (access, kind_of(error)) {
                    (Access::Open, _) => kind_of_opening(error),
                    // Permission may come back, and a value that may not be read is not one that may not be written.
                    (Access::Read, StoreErrorKind::ReadOnly) => StoreErrorKind::Unavailable,
                    (_, kind) => kind,
                };
                return self.about(kind, error);
            }
            cause = error.source();
        }
        let kind = match error {
            Error::PermissionDenied { .. } if access == Access::Write => StoreErrorKind::ReadOnly,
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. }
                if access == Access::Open =>
            {
                StoreErrorKind::Setting
            }
            error if access == Access::Open && has_code(error, "NoSuchBucket") => {
                StoreErrorKind::Setting
            }
            Error::InvalidPath { .. }
            | Error::NotImplemented { .. }
            | Error::NotSupported { .. }
            | Error::UnknownConfigurationKey { .. } => StoreErrorKind::Setting,
            _ => StoreErrorKind::Unavailable,
        };
        self.about(kind, error)
    }

    fn about(&self, kind: StoreErrorKind, cause: &dyn fmt::Display) -> StoreError {
        StoreError::new(kind, format!("{}: {cause}", self.address))
    }
}

/// Whether a service has answered with this code, for which object_store has no error of its own.
fn has_code(error: &Error, code: &str) -> bool {
    // No name of an object has these characters.
    error.to_string().contains(&format!("<Code>{code}</Code>"))
}
