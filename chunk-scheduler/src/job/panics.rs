//! Catches panics of the user's code, and turns them into text.

use std::{
    any::Any,
    backtrace::Backtrace,
    cell::{Cell, RefCell},
    panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind},
};

use crate::sync::Once;

/// Runs `work`. A panic is returned as its message.
pub(crate) fn guard<R>(work: impl FnOnce() -> R) -> Result<R, String> {
    // Unwind safety: what the closure changed belongs to the job that failed, or is state that the user shares
    // between jobs and must guard anyway.
    catch_unwind(AssertUnwindSafe(work)).map_err(text_of)
}

/// Runs a generator as [`guard`] does, and without the lines and the backtrace that the process prints for a panic: the
/// scheduler says in one line what failed. The message ends with the place of the panic.
pub(crate) fn guard_generator<R>(work: impl FnOnce() -> R) -> Result<R, String> {
    PLACE.take();
    let was_reported = IS_REPORTED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    IS_REPORTED.set(was_reported);
    result.map_err(|payload| {
        // Before the payload is dropped, which may panic elsewhere.
        let place = PLACE.take();
        let message = text_of(payload);
        match place {
            Some(place) => format!("{message} ({place})"),
            None => message,
        }
    })
}

thread_local! {
    /// Whether the scheduler reports a panic of what runs on this thread.
    static IS_REPORTED: Cell<bool> = const { Cell::new(false) };
    /// Where the latest of these panics was.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Once per process: makes its panic hook leave out panics of generators. Where nobody sees warnings of the scheduler, it
/// prints them as before. Under `panic = "abort"` it warns that panics cannot be caught instead.
pub(crate) fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if cfg!(panic = "abort") {
            tracing::warn!(
                "built with panic = \"abort\": a panicking generator ends the process, \
                 and only errors that generators return are retried"
            );
        } else if cfg!(not(loom)) {
            leave_out_generators();
        }
    });
}

fn leave_out_generators() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if IS_REPORTED.get() {
            PLACE.set(panic.location().map(ToString::to_string));
            if tracing::enabled!(tracing::Level::WARN) {
                return show_first(panic);
            }
        }
        print(panic);
    }));
}

/// The first panic whole, for whoever looks for its cause.
fn show_first(panic: &PanicHookInfo<'_>) {
    static ONCE: Once = Once::new();
    if tracing::enabled!(tracing::Level::DEBUG) {
        ONCE.call_once(|| tracing::debug!("{panic}\n{}", Backtrace::force_capture()));
    }
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
