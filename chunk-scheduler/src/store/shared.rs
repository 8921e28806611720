//! What the handles and the writers of an archive share: where values live, how they become bytes, and what waits.

use super::{
    codec::Codec,
    config::ArchiveConfig,
    envelope,
    error::{StoreError, StoreErrorKind},
    store_trait::Store,
    table::Table,
};
use crate::{
    job::{Key, panics},
    sync::{Arc, AtomicU64, Mutex, Ordering},
};
use std::{fmt::Display, str::FromStr};

/// A key whose text, with the characters that [`Store`] allows in names, is the name of a value.
pub trait StoreKey: Key + Display + FromStr {}

impl<K: Key + Display + FromStr> StoreKey for K {}

pub(super) struct Shared<K, V> {
    pub(super) store: Box<dyn Store>,
    pub(super) codec: Box<dyn Codec<V>>,
    pub(super) config: ArchiveConfig,
    pub(super) table: Arc<Mutex<Table<K, V>>>,
    pub(super) is_stepwise: bool,
    pub(super) loaded: AtomicU64,
    pub(super) set_aside: AtomicU64,
}

/// What [`Archive::load_or_create`](super::Archive::load_or_create) found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<V> {
    /// It was there.
    Loaded(Arc<V>),
    /// It was made here, and is durable.
    Made(Arc<V>),
    /// It was made here and somewhere else at the same time. This is the other one, which is durable.
    MadeElsewhere(Arc<V>),
}

impl<V> Found<V> {
    /// The value that everyone has.
    #[must_use]
    pub fn into_value(self) -> Arc<V> {
        match self {
            Self::Loaded(value) | Self::Made(value) | Self::MadeElsewhere(value) => value,
        }
    }
}

impl<K: StoreKey, V: Send + Sync + 'static> Shared<K, V> {
    pub(super) fn name(&self, key: K) -> String {
        format!("{}{key}", self.config.prefix)
    }

    /// The key of a name; `None` where something else has it.
    pub(super) fn key(&self, name: &str) -> Option<K> {
        name.strip_prefix(&self.config.prefix)?.parse().ok()
    }

    /// The bytes to be stored.
    pub(super) fn seal(&self, name: &str, value: &V) -> Result<Vec<u8>, StoreError> {
        let error =
            |message: &dyn Display| StoreError::new(StoreErrorKind::Codec, message).of(name);
        let encoded = panics::guard(|| self.codec.encode(value))
            .map_err(|panic| error(&panic))?
            .map_err(|cause| error(&cause))?;
        envelope::seal(name, self.config.world, self.codec.format(), &encoded)
    }

    pub(super) async fn open(&self, name: &str, sealed: &[u8]) -> Result<Arc<V>, StoreError> {
        let opened = envelope::open(name, self.config.world, sealed);
        let value = opened.and_then(|(format, encoded)| self.decode(name, format, &encoded));
        match value {
            Ok(value) => {
                self.loaded.fetch_add(1, Ordering::Relaxed);
                Ok(Arc::new(value))
            }
            Err(mut error) => {
                let is_damaged =
                    matches!(error.kind, StoreErrorKind::Damaged | StoreErrorKind::Codec);
                if is_damaged {
                    self.set_aside(name, sealed, &mut error).await;
                }
                Err(error)
            }
        }
    }

    fn decode(&self, name: &str, format: u32, encoded: &[u8]) -> Result<V, StoreError> {
        let known = self.codec.format();
        if format > known {
            let kind = StoreErrorKind::Newer {
                found: format,
                known,
            };
            return Err(StoreError::new(kind, "").of(name));
        }
        let error =
            |message: &dyn Display| StoreError::new(StoreErrorKind::Codec, message).of(name);
        panics::guard(|| self.codec.decode(format, encoded))
            .map_err(|panic| error(&panic))?
            .map_err(|cause| error(&cause))
    }

    /// Keeps a copy of what cannot be used, whatever is saved in its place.
    async fn set_aside(&self, name: &str, sealed: &[u8], error: &mut StoreError) {
        // The same damage has the same name, so that it is kept once.
        let aside = format!("aside/{name}-{:08x}", crc32fast::hash(sealed));
        match self.store.create(&aside, sealed).await {
            Ok(None) => {
                self.set_aside.fetch_add(1, Ordering::Relaxed);
                tracing::error!("{error}; a copy is kept as {aside}");
            }
            Ok(Some(_)) => {}
            Err(cause) => {
                let message = &mut error.message;
                *message = format!("{message}; no copy could be kept: {cause}");
            }
        }
    }

    pub(super) async fn create(&self, key: K, value: V) -> Result<Found<V>, StoreError> {
        let name = self.name(key);
        let sealed = self.seal(&name, &value)?;
        let there = self.store.create(&name, &sealed).await;
        match there.map_err(|error| error.of(&*name))? {
            None => Ok(Found::Made(Arc::new(value))),
            Some(there) => self.open(&name, &there).await.map(Found::MadeElsewhere),
        }
    }
}
