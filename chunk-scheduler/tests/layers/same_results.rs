//! What a chunk contains does not depend on order, threads or what is kept.

use crate::{
    common::{FRAME, Near, apply, in_flight, inline, pool, scheduler},
    graph::{Graph, graph},
};
use chunk_scheduler::{Generator, Job, Runtime, Simulation};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const KEYS: std::ops::Range<i32> = -8..8;

/// Makes all chunks, and returns them with how often layers made a value.
fn make(
    graph: &Graph,
    max_bytes: usize,
    runtime: Runtime,
    simulation: Option<&Simulation>,
) -> (BTreeMap<i32, u64>, Vec<chunk_scheduler::LayerReport>) {
    let built = graph.build(max_bytes);
    let layers = built.layers.clone();
    let generator = Generator::fallible(move |job: &Job<i32>| built.chunk(job));
    let mut scheduler = scheduler(in_flight(8), generator, runtime, Near(0));
    for key in KEYS {
        scheduler.request(key);
    }
    let (mut made, mut frame) = (BTreeMap::new(), 0);
    while scheduler.depths().live() > 0 {
        frame += 1;
        scheduler.tick(FRAME * frame);
        if let Some(simulation) = simulation {
            simulation.run();
        }
        let mut ready = Vec::new();
        scheduler.drain(usize::MAX, |result| ready.push(result));
        for result in ready {
            made.insert(result.key, result.content);
            assert!(scheduler.applied(result.key, result.version));
        }
    }
    assert_eq!(apply(&mut scheduler), [0; 0]);
    assert_eq!(scheduler.failures().count(), 0);
    (made, layers.report())
}

fn check(graph: &Graph, max_bytes: usize, is_enough: bool, seed: u64) {
    let expected: BTreeMap<i32, u64> = KEYS
        .map(|key| (key, graph.chunk(&Default::default(), key)))
        .collect();
    let mut read = BTreeSet::new();
    for key in KEYS {
        read.extend(graph.sources(key));
    }
    let simulation = Simulation::new(seed);
    let runs = [
        make(graph, max_bytes, Runtime::pool(pool(1)), None),
        make(graph, max_bytes, Runtime::pool(pool(2)), None),
        make(graph, max_bytes, Runtime::pool(pool(8)), None),
        make(graph, max_bytes, inline(), None),
        make(graph, max_bytes, simulation.runtime(), Some(&simulation)),
    ];
    for (made, reports) in runs {
        assert_eq!(made, expected);
        for (number, report) in reports.iter().enumerate() {
            let keys = read.iter().filter(|(layer, _)| *layer == number).count();
            assert!(report.bytes <= max_bytes, "{report:?}");
            assert_eq!(report.bytes, report.values * 8);
            assert!(
                report.made - report.repeats == keys as u64,
                "{report:?}, {keys} keys"
            );
            assert!(!is_enough || report.repeats == 0, "{report:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_runtime_makes_the_same_and_no_value_twice_while_all_fit(graph in graph(), seed: u64) {
        check(&graph, 1 << 20, true, seed);
    }

    #[test]
    fn a_layer_that_keeps_hardly_anything_makes_the_same(graph in graph(), seed: u64) {
        check(&graph, Graph::fewest_bytes(), false, seed);
    }
}
