//! Listens to the spans of the workspace's crates.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterFn};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

use super::tape::{Fields, Tape};

/// A recording under way. Clones share the tape.
#[derive(Clone, Debug)]
pub(crate) struct Recording {
    start: Instant,
    tape: Arc<Mutex<Tape>>,
}

impl Recording {
    /// Nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            tape: Arc::default(),
        }
    }

    /// Records all threads from now on, and shows warnings on standard error by the given directives, which `RUST_LOG`
    /// overrides. Works once in a process.
    pub(crate) fn listen(&self, warnings: &str) -> Result<(), String> {
        let shown = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(warnings));
        let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let subscriber = self.subscriber().with(log.with_filter(shown));
        tracing::subscriber::set_global_default(subscriber)
            .map_err(|error| format!("nothing can be recorded: {error}"))
    }

    fn subscriber(&self) -> impl Subscriber + for<'a> LookupSpan<'a> + use<> {
        let ours = FilterFn::new(is_a_stage).with_max_level_hint(LevelFilter::DEBUG);
        Registry::default().with(self.clone().with_filter(ours))
    }

    /// What was recorded so far. Who holds it holds up every thread.
    pub(crate) fn tape(&self) -> MutexGuard<'_, Tape> {
        self.tape.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_a_stage(metadata: &Metadata<'_>) -> bool {
    metadata.is_span()
        && *metadata.level() <= Level::DEBUG
        && metadata.target().starts_with("chunk_")
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recording {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Written::default();
        attributes.record(&mut fields);
        if fields.0.is_empty() {
            return;
        }
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Arc::new(fields.0));
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let fields = span.extensions().get::<Arc<Fields>>().cloned();
            let now = || self.start.elapsed();
            self.tape().enter(span.name(), fields, now);
        }
    }

    fn on_exit(&self, _id: &Id, _context: Context<'_, S>) {
        let now = self.start.elapsed();
        self.tape().leave(now);
    }
}

/// Fields, written out.
#[derive(Default)]
struct Written(Fields);

impl Visit for Written {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_our_crates_are_recorded_with_their_fields_and_no_others() {
        let recording = Recording::new();
        tracing::subscriber::with_default(recording.subscriber(), || {
            let _outer = tracing::debug_span!("outer").entered();
            tracing::debug_span!(target: "somebody", "else").in_scope(|| ());
            tracing::trace_span!("finer").in_scope(|| ());
            tracing::warn!("no span");
            tracing::debug_span!("inner", key = ?[1, 2], attempt = 3).in_scope(|| ());
        });
        let tape = recording.tape();
        let [track] = tape.tracks() else {
            panic!("one thread did everything");
        };
        let paths: Vec<_> = (0..track.nodes.len())
            .map(|node| track.path(node))
            .collect();
        assert_eq!(paths, [vec!["outer"], vec!["outer", "inner"]]);
        let fields = track.calls[0].fields.as_ref().expect("it has fields");
        let written: Vec<_> = fields
            .iter()
            .map(|(key, text)| (*key, text.as_str()))
            .collect();
        assert_eq!(written, [("attempt", "3"), ("key", "[1, 2]")]);
    }
}
