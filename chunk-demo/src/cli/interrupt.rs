//! Ctrl-C: the first ends the scenario, with the figures so far; the second ends the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// How often the user pressed Ctrl-C, and how often that was seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt {
    pressed: Arc<AtomicU32>,
    seen: u32,
}

/// The status that a shell reports for a program that Ctrl-C ended.
const STATUS_OF_CTRL_C: i32 = 130;

impl Interrupt {
    /// Listens from now on. Where that is not possible Ctrl-C ends the program at once, as usual.
    pub(crate) fn listen() -> Self {
        let interrupt = Self::default();
        let pressed = Arc::clone(&interrupt.pressed);
        let listening = ctrlc::set_handler(move || {
            if pressed.fetch_add(1, Ordering::Relaxed) >= 1 {
                std::process::exit(STATUS_OF_CTRL_C);
            }
        });
        if let Err(error) = listening {
            eprintln!("warning: Ctrl-C will end the demo without its table: {error}");
        }
        interrupt
    }

    /// Whether the user pressed Ctrl-C since the last call.
    pub(crate) fn is_new(&mut self) -> bool {
        let pressed = self.pressed.load(Ordering::Relaxed);
        let is_new = pressed > self.seen;
        self.seen = pressed;
        is_new
    }
}
