//! Ctrl-C: once ends the scenario, with the figures so far; twice the program.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// How often the user asked to stop, and how often somebody has followed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt {
    asked: Arc<AtomicU32>,
    seen: u32,
}

/// What a shell reports for a program that Ctrl-C ended.
const STATUS_OF_CTRL_C: i32 = 130;

impl Interrupt {
    /// Listens from now on. Where that is not possible Ctrl-C ends the program at once, as usual.
    pub(crate) fn listen() -> Self {
        let interrupt = Self::default();
        let asked = Arc::clone(&interrupt.asked);
        let listening = ctrlc::set_handler(move || {
            if asked.fetch_add(1, Ordering::Relaxed) >= 1 {
                std::process::exit(STATUS_OF_CTRL_C);
            }
        });
        if let Err(error) = listening {
            eprintln!("warning: Ctrl-C will end the demo without its table: {error}");
        }
        interrupt
    }

    /// Whether the user asked since this was last called.
    pub(crate) fn is_new(&mut self) -> bool {
        let asked = self.asked.load(Ordering::Relaxed);
        let is_new = asked > self.seen;
        self.seen = asked;
        is_new
    }
}
