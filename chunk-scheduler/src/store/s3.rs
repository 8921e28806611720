//! A store in a bucket of S3, or of what understands the same protocol.

use super::error::{StoreError, StoreErrorKind};
use crate::sync::Arc;
use object_store::{
    BackoffConfig, ClientConfigKey, ObjectStore, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey},
    path::Path,
};
use std::{fmt, time::Duration};
use url::Url;

/// How long a request may take. With the other two it is the longest that a caller waits.
const TIMEOUT: Duration = Duration::from_secs(15);
/// How long after the first attempt the wait for another one may begin.
const RETRY_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest wait for another attempt.
const MAX_WAIT: Duration = Duration::from_secs(2);
/// A server that is gone is an error within half a minute.
const _: () = assert!(TIMEOUT.as_secs() + RETRY_TIMEOUT.as_secs() + MAX_WAIT.as_secs() <= 30);

/// A bucket, and what the paths in it begin with.
pub(super) fn bucket(
    address: &str,
    settings: impl IntoIterator<Item = (String, String)>,
) -> Result<(Arc<dyn ObjectStore>, Path), StoreError> {
    let refuse = |cause: &dyn fmt::Display| {
        StoreError::new(StoreErrorKind::Setting, format!("{address}: {cause}"))
    };
    let url = Url::parse(address).map_err(|error| refuse(&error))?;
    let prefix = Path::from_url_path(url.path()).map_err(|error| refuse(&error))?;
    // Where the program has chosen another implementation of TLS, it is used.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let retry = RetryConfig {
        retry_timeout: RETRY_TIMEOUT,
        backoff: BackoffConfig {
            max_backoff: MAX_WAIT,
            ..BackoffConfig::default()
        },
        ..RetryConfig::default()
    };
    let timeout = AmazonS3ConfigKey::Client(ClientConfigKey::Timeout);
    let mut builder = AmazonS3Builder::new()
        .with_url(address)
        .with_retry(retry)
        .with_config(timeout, format!("{} seconds", TIMEOUT.as_secs()));
    for (name, value) in settings {
        // Others read some that this does not know.
        if let Ok(key) = name.to_ascii_lowercase().parse() {
            builder = builder.with_config(key, value);
        }
    }
    let objects = builder.build().map_err(|error| refuse(&error))?;
    Ok((Arc::new(objects), prefix))
}
