//! The stream through the `metrics` facade.

use crate::{rig::Pieces, stats::eventful};
use bevy_diagnostic::DiagnosticsStore;
use chunk_apply::{StreamingDiagnosticsPlugin, StreamingMetricsPlugin};
use chunk_coord::ChunkCoord;
use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

/// Keeps the last value of everything, and how many values a histogram had.
#[derive(Clone, Default)]
struct Kept {
    values: Arc<Mutex<BTreeMap<String, Arc<AtomicU64>>>>,
    described: Arc<Mutex<Vec<String>>>,
}

struct Counted(Arc<AtomicU64>);

impl HistogramFn for Counted {
    fn record(&self, _value: f64) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Kept {
    fn cell(&self, key: &Key) -> Arc<AtomicU64> {
        let mut values = self.values.lock().expect("nobody panics");
        Arc::clone(values.entry(key.name().to_owned()).or_default())
    }

    fn bits(&self, name: &str) -> u64 {
        let values = self.values.lock().expect("nobody panics");
        let value = values.get(name).unwrap_or_else(|| panic!("no {name}"));
        value.load(Ordering::Relaxed)
    }

    fn describe(&self, name: KeyName) {
        let mut described = self.described.lock().expect("nobody panics");
        described.push(name.as_str().to_owned());
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.describe(name);
    }
    fn describe_gauge(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.describe(name);
    }
    fn describe_histogram(&self, name: KeyName, _: Option<Unit>, _: SharedString) {
        self.describe(name);
    }
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.cell(key))
    }
    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.cell(key))
    }
    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(Counted(self.cell(key))))
    }
}

#[test]
fn metrics_say_the_same_as_diagnostics_and_each_is_described_once() {
    let kept = Kept::default();
    // For the process and not the thread, because systems may run on others. No other test tells metrics.
    metrics::set_global_recorder(kept.clone()).expect("it is the first");
    let mut rig = eventful();
    rig.loaded();
    rig.app.add_plugins((
        bevy_diagnostic::DiagnosticsPlugin,
        StreamingDiagnosticsPlugin::<Pieces>::default(),
        StreamingMetricsPlugin::<Pieces>::default(),
    ));
    assert!(rig.stream_mut().refresh(ChunkCoord::ORIGIN));
    rig.frames(5);
    let store = rig.app.world().resource::<DiagnosticsStore>();
    let mut compared = 0;
    for path in StreamingDiagnosticsPlugin::<Pieces>::paths() {
        let diagnostic = store.get(&path).expect("it is registered");
        let measured = diagnostic.value().expect("it is measured");
        let name = path.as_str().replace('/', "_");
        let names = kept.values.lock().expect("nobody panics").clone();
        if names.contains_key(&format!("{name}_total")) {
            assert_eq!(
                kept.bits(&format!("{name}_total")),
                measured as u64,
                "{name}"
            );
        } else if diagnostic.suffix == "ms" {
            let told = f64::from_bits(kept.bits(&format!("{name}_seconds"))) * 1e3;
            assert_eq!(told, measured, "{name}");
        } else {
            assert_eq!(f64::from_bits(kept.bits(&name)), measured, "{name}");
        }
        compared += 1;
    }
    assert_eq!(kept.bits(StreamingMetricsPlugin::<Pieces>::LATENCY), 1);
    assert_eq!(kept.bits(StreamingMetricsPlugin::<Pieces>::FRAME), 5);
    let described = kept.described.lock().expect("nobody panics");
    assert_eq!(described.len(), compared + 2);
}
