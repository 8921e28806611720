//! The layers that listen to the spans of the workspace's crates.

use std::io::Write;

use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata, Subscriber};
use tracing_chrome::{ChromeLayerBuilder, FlushGuard};
use tracing_subscriber::filter::{EnvFilter, FilterFn};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};

use super::span_costs::SpanCosts;

/// A recording in progress.
pub(crate) struct Recording {
    costs: SpanCosts,
    /// Dropping it writes the end of the trace.
    trace: FlushGuard,
}

impl Recording {
    /// Records all threads from now on, and shows warnings on standard error by the given directives, which `RUST_LOG`
    /// overrides. Every call is written to `trace` as Chrome's JSON, which Perfetto opens and Tracy imports. Works once
    /// in a process.
    pub(crate) fn start(
        trace: impl Write + Send + 'static,
        warnings: &str,
    ) -> Result<Self, String> {
        let shown = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(warnings));
        let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let (recording, subscriber) = Self::with_subscriber(trace);
        tracing::subscriber::set_global_default(subscriber.with(log.with_filter(shown)))
            .map_err(|error| format!("nothing can be recorded: {error}"))?;
        Ok(recording)
    }

    fn with_subscriber(
        trace: impl Write + Send + 'static,
    ) -> (Self, impl Subscriber + for<'a> LookupSpan<'a>) {
        let costs = SpanCosts::default();
        let (layer, trace) = ChromeLayerBuilder::new()
            .writer(trace)
            .include_args(true)
            .include_locations(false)
            .build();
        let ours = FilterFn::new(is_recorded).with_max_level_hint(LevelFilter::DEBUG);
        let layers = layer.and_then(costs.clone()).with_filter(ours);
        (Self { costs, trace }, Registry::default().with(layers))
    }

    /// Finishes the trace, and returns what the spans cost.
    pub(crate) fn finish(self) -> SpanCosts {
        drop(self.trace);
        self.costs
    }
}

fn is_recorded(metadata: &Metadata<'_>) -> bool {
    metadata.is_span()
        && *metadata.level() <= Level::DEBUG
        && metadata.target().starts_with("chunk_")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn spans_of_our_crates_are_recorded_with_their_fields_and_no_others() {
        // The trace is shorter than what a pipe holds.
        let (file, writer) = std::io::pipe().expect("the system has pipes");
        let (recording, subscriber) = Recording::with_subscriber(writer);
        tracing::subscriber::with_default(subscriber, || {
            let _outer = tracing::debug_span!("outer").entered();
            tracing::debug_span!(target: "somebody", "else").in_scope(|| ());
            tracing::trace_span!("finer").in_scope(|| ());
            tracing::warn!("no span");
            tracing::debug_span!("inner", key = ?[1, 2], attempt = 3).in_scope(|| ());
        });
        let costs = recording.finish();
        let trace: Vec<Value> = serde_json::from_reader(file).expect("it is a list in JSON");
        let begun: Vec<_> = (trace.iter())
            .filter(|event| event["ph"] == "B")
            .map(|event| (&event["name"], &event["args"]))
            .collect();
        let inner = json!({"key": "[1, 2]", "attempt": "3"});
        assert_eq!(
            begun,
            [(&json!("outer"), &Value::Null), (&json!("inner"), &inner)]
        );
        let stacks = costs.folded();
        assert_eq!(stacks.len(), 2, "{stacks:?}");
        assert!(stacks[1].contains(";outer;inner "), "{stacks:?}");
    }
}
