//! Random layers that read each other, and what they make, computed by a naive recursion.

use chunk_scheduler::{GenerateError, Job, Layer, LayerJob, Layers, Reader};
use proptest::{collection::vec, prelude::*};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

/// A layer, and a key beside that of the reader.
type Read = (usize, i32);

/// The bytes of each value.
const BYTES: usize = 8;

/// What each layer reads of those before it, and what a chunk reads.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    layers: Vec<Vec<Read>>,
    reads: Vec<Read>,
}

pub(crate) fn graph() -> impl Strategy<Value = Graph> {
    let reads = |most| vec((any::<prop::sample::Index>(), -2..=2_i32), 0..=most);
    (vec(reads(3), 1..5), reads(4)).prop_map(|(layers, reads)| {
        let choose = |reads: &[(prop::sample::Index, i32)], below: usize| {
            let reads = reads.iter().filter(|_| below > 0);
            reads
                .map(|(layer, key)| (layer.index(below), *key))
                .collect()
        };
        let count = layers.len();
        let layers = layers.iter().enumerate();
        Graph {
            layers: layers.map(|(at, reads)| choose(reads, at)).collect(),
            reads: choose(&reads, count),
        }
    })
}

/// How often each value was edited, by layer and key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Edits(Arc<Mutex<BTreeMap<Read, u64>>>);

impl Edits {
    pub(crate) fn edit(&self, layer: usize, key: i32) {
        let mut edits = self.0.lock().expect("nothing panicked");
        *edits.entry((layer, key)).or_default() += 1;
    }

    fn of(&self, layer: usize, key: i32) -> u64 {
        let edits = self.0.lock().expect("nothing panicked");
        edits.get(&(layer, key)).copied().unwrap_or_default()
    }
}

fn mix(value: u64, with: u64) -> u64 {
    (value ^ with)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .rotate_left(23)
}

/// The layers of a graph.
#[derive(Clone)]
pub(crate) struct Built {
    pub(crate) graph: Graph,
    pub(crate) edits: Edits,
    pub(crate) layers: Layers,
    pub(crate) each: Vec<Layer<i32, u64>>,
}

impl Graph {
    pub(crate) fn layers(&self) -> usize {
        self.layers.len()
    }

    /// As few bytes as a layer must be able to keep.
    pub(crate) fn fewest_bytes() -> usize {
        4 * BYTES
    }

    pub(crate) fn build(&self, max_bytes: usize) -> Built {
        let (layers, edits) = (Layers::new(), Edits::default());
        let mut each: Vec<Layer<i32, u64>> = Vec::new();
        for (number, reads) in self.layers.iter().cloned().enumerate() {
            let (lower, edits) = (each.clone(), edits.clone());
            let make = move |job: &LayerJob<'_>, key: i32| {
                let mut value = mix(edits.of(number, key), number as u64);
                value = mix(value, u64::from(key.unsigned_abs()));
                for (layer, offset) in &reads {
                    std::thread::yield_now();
                    value = mix(value, *lower[*layer].read(job, key + offset)?);
                }
                Ok(value)
            };
            each.push(layers.add(format!("{number}"), max_bytes, |_: &u64| BYTES, make));
        }
        Built {
            graph: self.clone(),
            edits,
            layers,
            each,
        }
    }

    /// What the layer makes, without layers.
    fn value(&self, edits: &Edits, number: usize, key: i32) -> u64 {
        let value = mix(edits.of(number, key), number as u64);
        let value = mix(value, u64::from(key.unsigned_abs()));
        let reads = self.layers[number].iter();
        reads.fold(value, |value, (layer, offset)| {
            mix(value, self.value(edits, *layer, key + offset))
        })
    }

    /// What a chunk contains, without layers.
    pub(crate) fn chunk(&self, edits: &Edits, key: i32) -> u64 {
        let reads = self.reads.iter();
        reads.fold(0, |value, (layer, offset)| {
            mix(value, self.value(edits, *layer, key + offset))
        })
    }

    /// The values that a chunk is made from.
    pub(crate) fn sources(&self, key: i32) -> BTreeSet<Read> {
        let mut sources = BTreeSet::new();
        let mut open: Vec<Read> = (self.reads.iter())
            .map(|(layer, offset)| (*layer, key + offset))
            .collect();
        while let Some((layer, key)) = open.pop() {
            if sources.insert((layer, key)) {
                let reads = self.layers[layer].iter();
                open.extend(reads.map(|(layer, offset)| (*layer, key + offset)));
            }
        }
        sources
    }
}

impl Built {
    /// A part of what a chunk reads, from the `first` on.
    pub(crate) fn read(
        &self,
        reader: &impl Reader,
        key: i32,
        value: u64,
        parts: std::ops::Range<usize>,
    ) -> Result<u64, GenerateError> {
        let mut value = value;
        for (layer, offset) in &self.graph.reads[parts] {
            value = mix(value, *self.each[*layer].read(reader, key + offset)?);
        }
        Ok(value)
    }

    pub(crate) fn reads(&self) -> usize {
        self.graph.reads.len()
    }

    pub(crate) fn chunk(&self, job: &Job<i32>) -> Result<u64, GenerateError> {
        self.read(job, job.key(), 0, 0..self.reads())
    }
}
