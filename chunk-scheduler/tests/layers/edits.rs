//! What an edit reaches, and that nothing old stays.

use crate::{
    common::{FRAME, Near, in_flight, scheduler},
    graph::{Built, Graph, graph},
};
use chunk_scheduler::{Generator, Job, Scheduler, Simulation, Sources};
use proptest::{collection::vec, prelude::*, sample::Index};
use std::collections::{BTreeMap, BTreeSet};

const KEYS: std::ops::Range<i32> = -5..6;

#[derive(Clone, Debug)]
enum Step {
    Request(i32),
    /// A value of a layer.
    Edit(Index, i32),
    /// Several values of a layer, together.
    EditAll(Index, i32),
    Tick,
    Run(usize),
    Apply,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => KEYS.prop_map(Step::Request),
        2 => (any::<Index>(), -8..8_i32).prop_map(|(layer, key)| Step::Edit(layer, key)),
        1 => (any::<Index>(), -8..8_i32).prop_map(|(layer, key)| Step::EditAll(layer, key)),
        3 => Just(Step::Tick),
        6 => (1..12_usize).prop_map(Step::Run),
        2 => Just(Step::Apply),
    ]
}

struct Game {
    simulation: Simulation,
    built: Built,
    scheduler: Scheduler<i32, u64, Near>,
    /// What was applied last.
    standing: BTreeMap<i32, (u64, Option<Sources>)>,
}

impl Game {
    fn new(graph: &Graph, max_bytes: usize, seed: u64) -> Self {
        let (simulation, built) = (Simulation::new(seed), graph.build(max_bytes));
        let reader = built.clone();
        // It waits while it has read a part, so that edits come between.
        let generator = Generator::from_async(move |job: Job<i32>| {
            let built = reader.clone();
            async move {
                let mut value = 0;
                for part in 0..built.reads() {
                    value = built.read(&job, job.key(), value, part..part + 1)?;
                    job.checkpoint().await;
                }
                Ok::<_, chunk_scheduler::GenerateError>(value)
            }
        });
        let scheduler = scheduler(in_flight(3), generator, simulation.runtime(), Near(0));
        Self {
            simulation,
            built,
            scheduler,
            standing: BTreeMap::new(),
        }
    }

    fn edit(&mut self, layer: usize, keys: &[i32]) {
        for key in keys {
            self.built.edits.edit(layer, *key);
        }
        let invalidated = self.built.each[layer].invalidate_all(keys.iter().copied());
        let is_made_from = |chunk: &i32| {
            let sources = self.built.graph.sources(*chunk);
            keys.iter().any(|key| sources.contains(&(layer, *key)))
        };
        let under_way = self.scheduler.made_from(&invalidated);
        assert!(under_way.iter().all(is_made_from));
        let standing = self
            .standing
            .iter()
            .filter(|(_, (_, sources))| sources.as_ref().is_some_and(|it| invalidated.reaches(it)));
        let standing: BTreeSet<i32> = standing.map(|(key, _)| *key).collect();
        let expected = self.standing.keys().copied().filter(is_made_from);
        assert_eq!(standing, expected.collect());
        for key in standing.into_iter().chain(under_way) {
            self.scheduler.refresh(key);
        }
    }

    fn tick(&mut self) {
        self.simulation.advance(FRAME);
        self.scheduler.tick(self.simulation.now());
    }

    fn apply(&mut self) {
        let mut ready = Vec::new();
        self.scheduler
            .drain(usize::MAX, |result| ready.push(result));
        for result in ready {
            let sources = self.scheduler.sources(result.version);
            if self.scheduler.applied(result.key, result.version) {
                self.standing.insert(result.key, (result.content, sources));
            }
            assert_eq!(self.scheduler.sources(result.version), None);
        }
    }

    fn take(&mut self, step: Step) {
        let layers = self.built.graph.layers();
        match step {
            Step::Request(key) => _ = self.scheduler.request(key),
            Step::Edit(layer, key) => self.edit(layer.index(layers), &[key]),
            Step::EditAll(layer, key) => self.edit(layer.index(layers), &[key, key + 1, key + 3]),
            Step::Tick => self.scheduler.tick(self.simulation.now()),
            Step::Run(steps) => {
                for _ in 0..steps {
                    self.simulation.step();
                }
            }
            Step::Apply => self.apply(),
        }
    }

    fn settle(&mut self) {
        while self.scheduler.depths().live() > 0 {
            self.tick();
            self.simulation.run();
            self.apply();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn an_edit_reaches_exactly_what_was_made_from_it_and_nothing_old_stays(
        graph in graph(),
        steps in vec(step(), 1..80),
        is_tight: bool,
        seed: u64,
    ) {
        let max_bytes = if is_tight { Graph::fewest_bytes() } else { 1 << 20 };
        let mut game = Game::new(&graph, max_bytes, seed);
        for step in steps {
            game.take(step);
        }
        game.settle();
        for (key, (content, _)) in &game.standing {
            prop_assert_eq!(*content, graph.chunk(&game.built.edits, *key));
        }
        // A last edit of everything reaches all that stands and reads anything.
        let keys: Vec<i32> = (-20..20).collect();
        for layer in 0..graph.layers() {
            game.edit(layer, &keys);
        }
        game.settle();
        for (key, (content, _)) in &game.standing {
            prop_assert_eq!(*content, graph.chunk(&game.built.edits, *key));
        }
    }
}
