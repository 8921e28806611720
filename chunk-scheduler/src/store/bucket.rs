//! A store in a folder or in a bucket, which many processes share.

use super::{
    error::{StoreError, StoreErrorKind},
    location::{Access, Location, MARK},
    store_trait::{Store, StoreFuture},
};
use crate::sync::{AtomicBool, Ordering};
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutPayload, path::Path};
use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::runtime::{Builder, Handle, Runtime};

/// What a mark says, before the version.
const VERSION_PREFIX: &str = "chunk-scheduler store, version ";
const VERSION: u32 = 1;
/// How many values of a batch are written at once.
const PARALLEL: usize = 16;

/// A store in a folder or in a bucket of S3 or of what understands the same protocol, one object for each value. Any number of
/// processes and machines can have it open at the same time; of those that [`create`](Store::create) the same value at once,
/// one does.
///
/// The value `chunks/0,0,0` is the object `chunks/0,0,0=` below the folder or prefix. In a folder each value is a file of its
/// own, and is synchronised with the disk: a [`RedbStore`](super::RedbStore) saves many times as many values in a second. On
/// Windows and macOS, file names that differ only in case are one file; so are such values.
///
/// It runs tokio on a thread of its own, so any executor may poll what it returns. A request is tried again when it fails. A
/// service that does not answer is an error after at most about 30 s.
///
/// ```
/// use chunk_scheduler::store::{Archive, ArchiveConfig, BucketStore, Postcard};
/// use chunk_scheduler::Runtime;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir().join(format!("chunk-scheduler-bucket-{}", std::process::id()));
/// # let folder = folder.to_str().ok_or("a folder with another name")?;
/// // Or `s3://bucket/worlds/7`, with the feature `s3`.
/// let store = BucketStore::open(&format!("{folder}/worlds/7"))?;
/// let archive: Archive<u32, String> =
///     Archive::new(store, Postcard::new(), ArchiveConfig::default(), Runtime::default());
/// archive.save(7, "a tower".to_owned());
/// archive.flush_within(std::time::Duration::from_secs(10))?;
/// # std::fs::remove_dir_all(folder)?;
/// # Ok(())
/// # }
/// ```
pub struct BucketStore {
    location: Location,
    /// Whether the mark is there, for all that is known.
    is_claimed: AtomicBool,
    /// `None` while it is dropped.
    runtime: Option<Runtime>,
}

impl BucketStore {
    /// Opens the store at this address: a path of a folder, `file:///path`, or `s3://bucket/prefix` with the feature `s3`. A
    /// folder is made where it is missing. It blocks the thread.
    ///
    /// Credentials, region and endpoint of a bucket are those of the usual environment variables, such as `AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT`, and `AWS_ALLOW_HTTP=true` for an endpoint that is not encrypted;
    /// [`AmazonS3ConfigKey`](https://docs.rs/object_store/latest/object_store/aws/enum.AmazonS3ConfigKey.html) has all of them.
    /// They must allow it to get and list objects and, to save, to put and delete them: without listing, S3 does not say that an
    /// object is absent.
    ///
    /// The first that is written here is a mark, the object `chunk-scheduler-store`.
    ///
    /// # Errors
    ///
    /// When it is no such address; when it cannot be reached; and when something is there and no mark of this library, or that
    /// of a newer one.
    pub fn open(address: &str) -> Result<Self, StoreError> {
        let variables = std::env::vars_os();
        let variables = variables.filter_map(|(name, value)| {
            let (name, value) = (name.into_string().ok()?, value.into_string().ok()?);
            name.starts_with("AWS_").then_some((name, value))
        });
        Self::open_with(address, variables)
    }

    /// Opens the store at this address with these settings in place of the environment variables.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub fn open_with(
        address: &str,
        settings: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, StoreError> {
        let location = Location::new(address, settings)?;
        // With a thread, because nobody else runs what sockets and timers need.
        let mut builder = Builder::new_multi_thread();
        let builder = builder.worker_threads(1).thread_name("chunk-store");
        let runtime = builder.enable_all().build().map_err(|error| {
            let message = format!("no thread could be started: {error}");
            StoreError::new(StoreErrorKind::Unavailable, message)
        })?;
        let store = Self {
            location,
            is_claimed: AtomicBool::new(false),
            runtime: Some(runtime),
        };
        bevy_tasks::block_on(store.with_tokio(store.look()))?;
        Ok(store)
    }

    /// Makes sure that what is there is ours or nothing.
    async fn look(&self) -> Result<(), StoreError> {
        let Location {
            objects, prefix, ..
        } = &self.location;
        if let Some(mark) = self.read(Access::Open, &self.location.mark()).await? {
            return self.check(&mark);
        }
        match objects.list(Some(prefix)).next().await {
            None => Ok(()),
            Some(Ok(object)) => {
                // Another process may have written the first since.
                if let Some(mark) = self.read(Access::Open, &self.location.mark()).await? {
                    return self.check(&mark);
                }
                let message = format!(
                    "there is {} at {}, and no mark of this library beside it",
                    object.location, self.location.address
                );
                Err(StoreError::new(StoreErrorKind::Foreign, message))
            }
            Some(Err(error)) => Err(self.location.error(Access::Open, &error)),
        }
    }

    fn check(&self, mark: &[u8]) -> Result<(), StoreError> {
        let text = String::from_utf8_lossy(mark);
        let version = text.trim_end().strip_prefix(VERSION_PREFIX);
        let what = match version.and_then(|version| version.parse::<u32>().ok()) {
            Some(VERSION) => {
                self.is_claimed.store(true, Ordering::Release);
                return Ok(());
            }
            Some(version) => format!("has version {version}, and {VERSION} is the newest known"),
            None => format!("has an object {MARK} that is not a mark of this library"),
        };
        let message = format!("{} {what}", self.location.address);
        Err(StoreError::new(StoreErrorKind::Foreign, message))
    }

    /// Before the first that is written.
    async fn claim(&self) -> Result<(), StoreError> {
        if self.is_claimed.load(Ordering::Acquire) {
            return self.check_mounted().await;
        }
        let mark = format!("{VERSION_PREFIX}{VERSION}\n");
        let path = self.location.mark();
        if self.put_new(&path, mark.as_bytes()).await? && self.put_new(&path, b"").await? {
            // Then two processes would both believe that what they made is what everyone has.
            let address = &self.location.address;
            let message = format!("{address} replaces objects although it was asked not to");
            return Err(StoreError::new(StoreErrorKind::Setting, message));
        }
        match self.read(Access::Read, &path).await? {
            Some(mark) => self.check(&mark),
            None => Err(self.vanished()),
        }
    }

    /// A disk that is no longer mounted leaves an empty folder, or none: nothing may be written into it, and what it does not
    /// have is not absent.
    async fn check_mounted(&self) -> Result<(), StoreError> {
        if self.location.folder.is_none() || !self.is_claimed.load(Ordering::Acquire) {
            return Ok(());
        }
        match self.location.objects.head(&self.location.mark()).await {
            Ok(_) => Ok(()),
            Err(error) if self.location.is_absent(&error) => Err(self.vanished()),
            Err(error) => Err(self.location.error(Access::Read, &error)),
        }
    }

    /// Puts an object where none is. Returns whether that was so.
    async fn put_new(&self, path: &Path, bytes: &[u8]) -> Result<bool, StoreError> {
        let bytes = PutPayload::from(bytes.to_vec());
        match (self.location.objects)
            .put_opts(path, bytes, PutMode::Create.into())
            .await
        {
            Ok(_) => Ok(true),
            Err(Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(self.location.error(Access::Write, &error)),
        }
    }

    async fn put(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.location.path(name);
        let put = self.location.objects.put(&path, bytes.to_vec().into());
        let result = put.await;
        result.map_err(|error| self.location.error(Access::Write, &error).of(name))?;
        Ok(())
    }

    async fn read(&self, access: Access, path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
        let bytes = match self.location.objects.get(path).await {
            Ok(object) => object.bytes().await,
            Err(error) => Err(error),
        };
        match bytes {
            Ok(bytes) => Ok(Some(bytes.into())),
            Err(error) if self.location.is_absent(&error) => Ok(None),
            Err(error) => Err(self.location.error(access, &error)),
        }
    }

    fn vanished(&self) -> StoreError {
        let message = format!("what was at {} is gone", self.location.address);
        StoreError::new(StoreErrorKind::Unavailable, message)
    }

    fn with_tokio<'a, T>(
        &'a self,
        future: impl Future<Output = Result<T, StoreError>> + Send + 'a,
    ) -> StoreFuture<'a, T> {
        let runtime = self.runtime.as_ref().expect("only dropping takes it");
        Box::pin(WithTokio {
            runtime: runtime.handle().clone(),
            future: Some(Box::pin(future)),
        })
    }
}

impl Store for BucketStore {
    fn load<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<Vec<u8>>> {
        self.with_tokio(async move {
            let found = self.read(Access::Read, &self.location.path(name)).await;
            let found = found.map_err(|error| error.of(name))?;
            if found.is_none() {
                self.check_mounted().await?;
            }
            Ok(found)
        })
    }

    fn save<'a>(&'a self, batch: &'a [(String, Vec<u8>)]) -> StoreFuture<'a, ()> {
        self.with_tokio(async move {
            self.claim().await?;
            let puts = batch.iter().map(|(name, bytes)| Ok(self.put(name, bytes)));
            let puts = stream::iter(puts);
            puts.try_for_each_concurrent(PARALLEL, |put| put).await
        })
    }

    fn create<'a>(&'a self, name: &'a str, bytes: &'a [u8]) -> StoreFuture<'a, Option<Vec<u8>>> {
        self.with_tokio(async move {
            self.claim().await?;
            let path = self.location.path(name);
            // More than once where the object goes between the two requests, and where S3 wants another try.
            for _ in 0..3 {
                if self.put_new(&path, bytes).await? {
                    return Ok(None);
                }
                if let Some(there) = self.read(Access::Read, &path).await? {
                    return Ok(Some(there));
                }
            }
            let message = format!(
                "{} says in turn that it is and is not there",
                self.location.address
            );
            Err(StoreError::new(StoreErrorKind::Unavailable, message).of(name))
        })
    }

    fn remove<'a>(&'a self, name: &'a str) -> StoreFuture<'a, ()> {
        self.with_tokio(async move {
            self.claim().await?;
            let path = self.location.path(name);
            match self.location.objects.delete(&path).await {
                Ok(()) => self.location.sync_folder_of(path).await,
                // Who removed it may have been interrupted before this.
                Err(error) if self.location.is_absent(&error) => {
                    self.location.sync_folder_of(path).await
                }
                Err(error) => Err(self.location.error(Access::Write, &error).of(name)),
            }
        })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<String>> {
        self.with_tokio(async move {
            // What is searched are folders, so that of a half name all in its folder are.
            let objects = self
                .location
                .objects
                .list(Some(&self.location.folder_of(prefix)));
            let paths = objects.map_ok(|object| object.location);
            let paths: Vec<_> = paths
                .try_collect()
                .await
                .map_err(|error| self.location.error(Access::Read, &error))?;
            let names = paths.iter().filter_map(|path| self.location.name(path));
            let mut names: Vec<_> = names.filter(|name| name.starts_with(prefix)).collect();
            names.sort_unstable();
            if names.is_empty() {
                self.check_mounted().await?;
            }
            Ok(names)
        })
    }

    fn max_writes(&self) -> usize {
        4
    }
}

impl Drop for BucketStore {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Anything else panics inside of another runtime of tokio.
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for BucketStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BucketStore")
            .field(&self.location.address)
            .finish()
    }
}

/// A future that finds the runtime of a store, whoever polls or drops it.
struct WithTokio<F> {
    runtime: Handle,
    /// `None` while it is dropped.
    future: Option<Pin<Box<F>>>,
}

impl<F: Future> Future for WithTokio<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        let _entered = this.runtime.enter();
        let future = this.future.as_mut().expect("only dropping takes it");
        future.as_mut().poll(context)
    }
}

impl<F> Drop for WithTokio<F> {
    fn drop(&mut self) {
        let _entered = self.runtime.enter();
        self.future = None;
    }
}
