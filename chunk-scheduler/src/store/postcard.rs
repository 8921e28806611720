//! The ready-made codec.

use super::codec::{Codec, CodecError};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt;

type Migrate<V> = dyn Fn(u32, &[u8]) -> Result<V, CodecError> + Send + Sync;

/// Encodes what serde can serialize in the [postcard](https://docs.rs/postcard) format, which is compact and leaves out the
/// names of fields: so every change of a type needs another format.
///
/// ```
/// use chunk_scheduler::store::{Postcard, from_postcard};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Blocks(Vec<u16>);
///
/// // The first version of the game saved bytes.
/// let codec = Postcard::with_migration(2, |_, bytes| {
///     let old: Vec<u8> = from_postcard(bytes)?;
///     Ok(Blocks(old.into_iter().map(u16::from).collect()))
/// });
/// # let _: Postcard<Blocks> = codec;
/// ```
pub struct Postcard<V> {
    format: u32,
    migrate: Box<Migrate<V>>,
}

impl<V> Postcard<V> {
    /// A codec of the first format, 1.
    #[must_use]
    pub fn new() -> Self {
        Self::with_migration(1, |_, _| Err("there is no such format".into()))
    }

    /// A codec of a later format. `migrate` decodes what was saved in an older one, whose number it is given.
    #[must_use]
    pub fn with_migration(
        format: u32,
        migrate: impl Fn(u32, &[u8]) -> Result<V, CodecError> + Send + Sync + 'static,
    ) -> Self {
        let migrate = Box::new(migrate);
        Self { format, migrate }
    }
}

/// Decodes a value that [`Postcard`] encoded, for migrations.
///
/// # Errors
///
/// When these bytes are not exactly one such value.
pub fn from_postcard<V: DeserializeOwned>(bytes: &[u8]) -> Result<V, CodecError> {
    match ::postcard::take_from_bytes(bytes)? {
        (value, []) => Ok(value),
        (_, rest) => Err(format!("{} bytes are left over", rest.len()).into()),
    }
}

impl<V: Serialize + DeserializeOwned + 'static> Codec<V> for Postcard<V> {
    fn format(&self) -> u32 {
        self.format
    }

    fn encode(&self, value: &V) -> Result<Vec<u8>, CodecError> {
        Ok(::postcard::to_stdvec(value)?)
    }

    fn decode(&self, format: u32, bytes: &[u8]) -> Result<V, CodecError> {
        if format == self.format {
            from_postcard(bytes)
        } else {
            (self.migrate)(format, bytes)
        }
    }
}

impl<V> Default for Postcard<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V> fmt::Debug for Postcard<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postcard")
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}
