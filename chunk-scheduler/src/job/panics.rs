//! Panics of user code, turned into text.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::sync::Once;

/// Runs `work`; a panic comes back as its message.
pub(crate) fn guard<R>(work: impl FnOnce() -> R) -> Result<R, String> {
    // Unwind safety: whatever the closure touched belongs to the job that failed, or is user state
    // that the user shares between jobs and must guard anyway.
    catch_unwind(AssertUnwindSafe(work)).map_err(text_of)
}

/// Drops user data that nobody wants; a panicking destructor comes back as its message.
pub(crate) fn discard<T>(value: T) -> Result<(), String> {
    guard(move || drop(value))
}

fn text_of(payload: Box<dyn Any + Send>) -> String {
    let text = if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic whose payload is not text".to_owned()
    };
    // A payload is user data too, and dropping it can panic again; nothing more can be said then.
    let _ = catch_unwind(AssertUnwindSafe(move || drop(payload)));
    text
}

/// Says once per process what the `abort` strategy takes away.
pub(crate) fn warn_if_panics_abort() {
    static ONCE: Once = Once::new();
    if cfg!(panic = "abort") {
        ONCE.call_once(|| {
            tracing::warn!(
                "built with panic = \"abort\": a panicking generator ends the process; \
                 retry and quarantine only see errors that generators return"
            );
        });
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::panic::panic_any;

    #[test]
    fn every_kind_of_payload_becomes_text() {
        assert_eq!(guard(|| panic!("plain")), Err::<(), _>("plain".to_owned()));
        assert_eq!(
            guard(|| panic!("chunk {}", 3)),
            Err::<(), _>("chunk 3".to_owned())
        );
        assert_eq!(
            guard(|| panic_any(42_u8)),
            Err::<(), _>("a panic whose payload is not text".to_owned())
        );
    }

    #[test]
    fn a_payload_that_panics_when_dropped_is_contained() {
        struct Spiteful;
        impl Drop for Spiteful {
            fn drop(&mut self) {
                panic!("again");
            }
        }
        assert!(guard(|| panic_any(Spiteful)).is_err());
        assert_eq!(discard(Spiteful), Err("again".to_owned()));
    }
}
