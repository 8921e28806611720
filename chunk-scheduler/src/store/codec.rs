//! How values become bytes.

use std::error::Error;

/// What a codec fails with: any error type, or a text, by `?` and `into`.
pub type CodecError = Box<dyn Error + Send + Sync>;

/// How values become bytes and come back, on workers. [`Postcard`](super::Postcard) is one for everything that serde can
/// serialize.
pub trait Codec<V>: Send + Sync + 'static {
    /// The format of what [`encode`](Self::encode) returns. It is saved with each value; raise it whenever
    /// values are encoded in another way.
    fn format(&self) -> u32;

    /// The value as bytes, less than 4 GiB.
    ///
    /// # Errors
    ///
    /// When this value cannot be encoded. It stays in memory then, and is tried again.
    fn encode(&self, value: &V) -> Result<Vec<u8>, CodecError>;

    /// The value of these bytes, which were encoded in this format, at most that of [`format`](Self::format): the place to
    /// migrate what older versions of a game saved.
    ///
    /// # Errors
    ///
    /// When the bytes are none. The value counts as damaged then.
    fn decode(&self, format: u32, bytes: &[u8]) -> Result<V, CodecError>;

    /// About how many bytes of memory the value takes while it waits to be written. Called on the thread that saves, so it
    /// should take nanoseconds. By default the size of its type; the archive counts a value at least as large as the
    /// largest one that was encoded so far.
    fn weigh(&self, value: &V) -> usize {
        size_of_val(value)
    }
}
