//! A store in one file, for one process.

use super::{
    disk::{create_folder, kind_of, kind_of_opening, parent, sync_folder},
    error::{StoreError, StoreErrorKind},
    store_trait::{Store, StoreFuture},
};
use crate::{
    job::panics,
    sync::{Arc, RwLock},
};
use redb::{
    Builder, Database, DatabaseError, Error, ReadOnlyDatabase, ReadTransaction, ReadableDatabase,
    ReadableTable, Table, TableDefinition, TableError, TransactionError,
};
use std::{
    fmt, fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

/// Says that a file is ours, and in which version of these tables.
const MARK: TableDefinition<'_, &str, u32> = TableDefinition::new("chunk-scheduler");
const VALUES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("values");
const VERSION: u32 = 1;
/// What redb may keep of the file in memory. It would take 1 GiB by itself.
const CACHE_BYTES: usize = 64 << 20;

/// A store in one file, a [redb](https://docs.rs/redb) database, which one process at a time can have open.
///
/// Each call of [`save`](Store::save) is one transaction: all of its values or, after an error or a power cut, none. Writing
/// happens on threads of its own. Loading reads on the thread that polls, from up to 64 MiB that are kept in memory or from
/// the file.
///
/// When a write failed, because the disk is full for example, the file is opened anew with the next call, so that the store
/// goes on when there is room.
///
/// Dropping it waits until what it is writing is written, and closes the file.
///
/// ```
/// use chunk_scheduler::store::{Archive, ArchiveConfig, Postcard, RedbStore};
/// use chunk_scheduler::Runtime;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("chunk-scheduler-doc-{}", std::process::id()));
/// let store = RedbStore::open(folder.join("saves/world.redb"))?;
/// let archive: Archive<u32, String> =
///     Archive::new(store, Postcard::new(), ArchiveConfig::default(), Runtime::default());
/// archive.save(7, "a tower".to_owned());
/// archive.flush_within(std::time::Duration::from_secs(10))?;
/// # drop(archive);
/// # std::fs::remove_dir_all(folder)?;
/// # Ok(())
/// # }
/// ```
pub struct RedbStore(Arc<Shared>);

struct Shared {
    path: PathBuf,
    /// Is told whether it is the first time.
    open: Box<dyn Fn(bool) -> Result<Opened, DatabaseError> + Send + Sync>,
    /// Locked for reading by each call, and for writing to open the file anew.
    current: RwLock<Current>,
}

struct Current {
    /// `None` where it could not be opened anew, and when the store is dropped.
    opened: Option<Opened>,
    /// How many times it was opened.
    times: u64,
    /// Nothing opens it again.
    is_dropped: bool,
}

enum Opened {
    Writable(Database),
    ReadOnly(ReadOnlyDatabase),
}

/// Why a call has no result.
enum Refused {
    /// For reading only.
    ReadOnly,
    /// The file was not made by this library, or by a newer one.
    Foreign(String),
    /// After an error that leaves redb unusable, or where nothing is open: it must be opened anew.
    Closed(Option<Error>),
    Redb(Error),
    Panicked(String),
}

impl RedbStore {
    /// Opens the store in this file. The file, and the folders that it is in, are made where they are missing. It blocks the
    /// thread; after a crash or a power cut for about a second for each 200 MB of the file, all of which is checked.
    ///
    /// # Errors
    ///
    /// When the path is that of a folder, or of a file that cannot be read and written, is in use, is damaged, or was not made
    /// by this library or by a newer one.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref().to_owned();
        let folder = parent(&path);
        create_folder(folder).map_err(|error| about(&path, kind_of_opening(&error), &error))?;
        let file = path.clone();
        let open = move |is_first| {
            let mut builder = Builder::new();
            builder.set_cache_size(CACHE_BYTES);
            // A file that has gone since, with its disk for example, must not become an empty world.
            let database = match is_first {
                true => builder.create(&file)?,
                false => builder.open(&file)?,
            };
            Ok(Opened::Writable(database))
        };
        let store = Self::new(path.clone(), open)?;
        // Also of a file that is there: who made it may have been interrupted before this.
        sync_folder(folder).map_err(|error| about(&path, kind_of_opening(&error), &error))?;
        Ok(store)
    }

    /// Opens the store in this file, only to load and to list; it is not changed in any way. Several processes can do so at
    /// the same time, as long as none has it open to write.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open), and when there is no such file or the program that wrote it last crashed: then `open`
    /// repairs it.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref().to_owned();
        fs::metadata(&path).map_err(|error| about(&path, kind_of_opening(&error), &error))?;
        let file = path.clone();
        let open = move |_is_first| {
            let mut builder = Builder::new();
            let database = builder.set_cache_size(CACHE_BYTES).open_read_only(&file)?;
            Ok(Opened::ReadOnly(database))
        };
        Self::new(path, open)
    }

    fn new(
        path: PathBuf,
        open: impl Fn(bool) -> Result<Opened, DatabaseError> + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        if path.is_dir() {
            let message = format!("{} is a folder", path.display());
            return Err(StoreError::new(StoreErrorKind::Setting, message));
        }
        let current = Current {
            opened: None,
            times: 0,
            is_dropped: false,
        };
        let shared = Shared {
            path,
            open: Box::new(open),
            current: RwLock::new(current),
        };
        shared.open_anew(0)?;
        Ok(Self(Arc::new(shared)))
    }

    /// Runs a call on a thread where it may block.
    fn unblock<T: Send + 'static>(
        &self,
        call: impl Fn(&Opened) -> Result<T, Refused> + Send + 'static,
    ) -> StoreFuture<'static, T> {
        let shared = Arc::clone(&self.0);
        Box::pin(blocking::unblock(move || shared.run(call)))
    }
}

impl Shared {
    /// Runs a call. Where redb is unusable after an earlier error, the file is opened anew first.
    fn run<T>(&self, call: impl Fn(&Opened) -> Result<T, Refused>) -> Result<T, StoreError> {
        let (result, times) = self.try_run(&call);
        let result = match result {
            Err(Refused::Closed(_)) => {
                self.open_anew(times)?;
                self.try_run(&call).0
            }
            result => result,
        };
        result.map_err(|refused| self.error(refused))
    }

    /// The result of a call, and how many times the file had been opened.
    fn try_run<T>(
        &self,
        call: &impl Fn(&Opened) -> Result<T, Refused>,
    ) -> (Result<T, Refused>, u64) {
        let current = self.current.read();
        (current.run(call), current.times)
    }

    /// Opens the file, unless the store is dropped or another call has done so since it had been opened so many times.
    fn open_anew(&self, times: u64) -> Result<(), StoreError> {
        let mut current = self.current.write();
        if current.is_dropped || current.times != times {
            return Ok(());
        }
        // Its lock on the file goes first.
        current.opened = None;
        let opened = panics::guard(|| {
            let opened = (self.open)(times == 0).map_err(Error::from)?;
            opened.claim()?;
            Ok(opened)
        });
        let opened = opened.unwrap_or_else(|panic| Err(Refused::Panicked(panic)));
        current.opened = Some(opened.map_err(|refused| self.error(refused))?);
        current.times += 1;
        Ok(())
    }

    fn error(&self, refused: Refused) -> StoreError {
        let path = self.path.display();
        match refused {
            Refused::ReadOnly => {
                let message = format!("{path} was opened only to be read");
                StoreError::new(StoreErrorKind::ReadOnly, message)
            }
            Refused::Foreign(what) => {
                StoreError::new(StoreErrorKind::Foreign, format!("{path} {what}"))
            }
            // redb checks no page that it reads, so a damaged one makes it panic.
            Refused::Panicked(message) => about(&self.path, StoreErrorKind::Damaged, &message),
            Refused::Closed(None) => {
                StoreError::new(StoreErrorKind::Unavailable, format!("{path} is closed"))
            }
            Refused::Closed(Some(error)) | Refused::Redb(error) => self.error_of_redb(&error),
        }
    }

    fn error_of_redb(&self, error: &Error) -> StoreError {
        let path = self.path.display();
        let kind = match error {
            // Only opening says so.
            Error::Io(io) if io.kind() == ErrorKind::InvalidData => {
                let message = format!("{path} is not a redb database");
                return StoreError::new(StoreErrorKind::Foreign, message);
            }
            Error::Io(io) => kind_of(io),
            Error::DatabaseAlreadyOpen | Error::LockProtocolMismatch => {
                let message = format!("{path} is already open, in this process or another one");
                return StoreError::new(StoreErrorKind::Unavailable, message);
            }
            Error::Corrupted(_) => StoreErrorKind::Damaged,
            Error::UpgradeRequired(_) => StoreErrorKind::Foreign,
            Error::ValueTooLarge(_) => StoreErrorKind::Setting,
            _ => StoreErrorKind::Unavailable,
        };
        about(&self.path, kind, error)
    }
}

/// An error about this file.
fn about(path: &Path, kind: StoreErrorKind, cause: &dyn fmt::Display) -> StoreError {
    StoreError::new(kind, format!("{}: {cause}", path.display()))
}

impl Current {
    fn run<T>(&self, call: &impl Fn(&Opened) -> Result<T, Refused>) -> Result<T, Refused> {
        let Some(opened) = &self.opened else {
            return Err(Refused::Closed(None));
        };
        panics::guard(|| call(opened)).unwrap_or_else(|panic| Err(Refused::Panicked(panic)))
    }
}

impl Opened {
    fn begin_read(&self) -> Result<ReadTransaction, TransactionError> {
        match self {
            Self::Writable(database) => database.begin_read(),
            Self::ReadOnly(database) => database.begin_read(),
        }
    }

    /// Runs `change` in a transaction that is durable when this returns.
    fn write<T>(
        &self,
        change: impl FnOnce(&mut Table<'_, &'static str, &'static [u8]>) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let Self::Writable(database) = self else {
            return Err(Refused::ReadOnly);
        };
        let transaction = database.begin_write()?;
        let result = change(&mut transaction.open_table(VALUES)?)?;
        transaction.commit()?;
        Ok(result)
    }

    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, Refused> {
        let values = self.begin_read()?.open_table(VALUES)?;
        Ok(values.get(name)?.map(|bytes| bytes.value().to_vec()))
    }

    /// Makes sure that the file is one of ours, and makes it one if it is empty.
    fn claim(&self) -> Result<(), Refused> {
        let reading = self.begin_read()?;
        let foreign = |what: String| Err(Refused::Foreign(what));
        match reading.open_table(MARK) {
            Ok(mark) => match mark.get("version")?.map(|version| version.value()) {
                Some(VERSION) => Ok(()),
                Some(found) => foreign(format!(
                    "has version {found}, and {VERSION} is the newest known"
                )),
                None => foreign("has no version".to_owned()),
            },
            Err(TableError::TableDoesNotExist(_)) => {
                let tables =
                    reading.list_tables()?.count() + reading.list_multimap_tables()?.count();
                drop(reading);
                match self {
                    Self::Writable(database) if tables == 0 => {
                        let transaction = database.begin_write()?;
                        transaction.open_table(MARK)?.insert("version", VERSION)?;
                        transaction.open_table(VALUES)?;
                        transaction.commit()?;
                        Ok(())
                    }
                    _ => foreign("is a redb database of another program".to_owned()),
                }
            }
            Err(TableError::Storage(error)) => Err(Refused::from(Error::from(error))),
            Err(error) => foreign(format!("is a redb database of another program: {error}")),
        }
    }
}

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        match error.into() {
            error @ (Error::PreviousIo | Error::DatabaseClosed | Error::LockPoisoned(_)) => {
                Self::Closed(Some(error))
            }
            error => Self::Redb(error),
        }
    }
}

impl Store for RedbStore {
    fn load<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            // On this thread: the way to another one and back takes longer than a read does.
            let current = self.0.current.try_read();
            let result = current.map(|current| current.run(&|opened: &Opened| opened.load(name)));
            match result {
                // It is being opened anew, or must be.
                None | Some(Err(Refused::Closed(_))) => {
                    let name = name.to_owned();
                    self.unblock(move |opened| opened.load(&name)).await
                }
                Some(result) => result.map_err(|refused| self.0.error(refused)),
            }
        })
    }

    fn save<'a>(&'a self, batch: &'a [(String, Vec<u8>)]) -> StoreFuture<'a, ()> {
        let batch = batch.to_vec();
        self.unblock(move |opened| {
            opened.write(|values| {
                for (name, bytes) in &batch {
                    values.insert(&**name, &**bytes)?;
                }
                Ok(())
            })
        })
    }

    fn create<'a>(&'a self, name: &'a str, bytes: &'a [u8]) -> StoreFuture<'a, Option<Vec<u8>>> {
        let (name, bytes) = (name.to_owned(), bytes.to_vec());
        self.unblock(move |opened| {
            opened.write(|values| {
                let there = values.get(&*name)?.map(|bytes| bytes.value().to_vec());
                if there.is_none() {
                    values.insert(&*name, &*bytes)?;
                }
                Ok(there)
            })
        })
    }

    fn remove<'a>(&'a self, name: &'a str) -> StoreFuture<'a, ()> {
        let name = name.to_owned();
        self.unblock(move |opened| {
            opened.write(|values| {
                values.remove(&*name)?;
                Ok(())
            })
        })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<String>> {
        let prefix = prefix.to_owned();
        self.unblock(move |opened| {
            let values = opened.begin_read()?.open_table(VALUES)?;
            let mut names = Vec::new();
            for entry in values.range(&*prefix..)? {
                let name = entry?.0.value().to_owned();
                if !name.starts_with(&prefix) {
                    break;
                }
                names.push(name);
            }
            Ok(names)
        })
    }

    fn max_writes(&self) -> usize {
        // One is encoded while another is written.
        2
    }
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        // A call whose future was dropped may still be at work; the file must be free when this returns.
        let mut current = self.0.current.write();
        current.opened = None;
        // One that has not begun yet must not open it again.
        current.is_dropped = true;
    }
}

impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedbStore").field(&self.0.path).finish()
    }
}

#[cfg(test)]
#[path = "redb_tests.rs"]
mod tests;
