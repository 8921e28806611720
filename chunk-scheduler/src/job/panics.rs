//! Catches panics of the user's code, and turns them into text.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::sync::Once;

/// Runs `work`. A panic is returned as its message.
pub(crate) fn guard<R>(work: impl FnOnce() -> R) -> Result<R, String> {
    // Unwind safety: what the closure changed belongs to the job that failed, or is state that the user shares
    // between jobs and must guard anyway.
    catch_unwind(AssertUnwindSafe(work)).map_err(text_of)
}

/// Drops unwanted user data. A panic of its destructor is returned as its message.
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
    // The payload is user data too, so dropping it can panic again. That message is lost.
    let _ = catch_unwind(AssertUnwindSafe(move || drop(payload)));
    text
}

/// Warns once per process that panics cannot be caught under `panic = "abort"`.
pub(crate) fn warn_if_panics_abort() {
    static ONCE: Once = Once::new();
    if cfg!(panic = "abort") {
        ONCE.call_once(|| {
            tracing::warn!(
                "built with panic = \"abort\": a panicking generator ends the process, \
                 and only errors that generators return are retried"
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
        let message = |work: fn()| guard(work).expect_err("it panics");
        assert_eq!(message(|| panic!("plain")), "plain");
        assert_eq!(message(|| panic!("chunk {}", 3)), "chunk 3");
        let other = message(|| panic_any(42_u8));
        assert_eq!(other, "a panic whose payload is not text");
    }

    #[test]
    fn a_payload_that_panics_when_dropped_is_contained() {
        struct PanicsOnDrop;
        impl Drop for PanicsOnDrop {
            fn drop(&mut self) {
                panic!("again");
            }
        }
        assert!(guard(|| panic_any(PanicsOnDrop)).is_err());
        assert_eq!(discard(PanicsOnDrop), Err("again".to_owned()));
    }
}
