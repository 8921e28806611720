//! One layer: look-up, making, invalidation.

use super::{
    reader::{LayerJob, Place, Reader, Reading},
    registry::{AnyLayer, LayerReport, Registry},
    slot::{Made, Slot},
    sources::Invalidated,
    table::{Found, Table},
};
use crate::{
    job::{GenerateError, Key, panics},
    sync::{Arc, Mutex, Ordering},
};
use std::fmt;

type Make<K, V> = dyn Fn(&LayerJob<'_>, K) -> Result<V, GenerateError> + Send + Sync;

/// Intermediate results of one kind, made when a generator or a later layer reads them, and shared. Clones are the same layer.
/// [`Layers::add`](super::Layers::add) makes one.
pub struct Layer<K: Key, V: Send + Sync + 'static> {
    core: Arc<Core<K, V>>,
}

impl<K: Key, V: Send + Sync + 'static> Layer<K, V> {
    /// The value of `key`. If it is not there it is made now, on this thread; if another thread makes it, this one waits for
    /// that, in an async generator too, and also if its job is cancelled meanwhile. Who waits takes over from a maker that fails
    /// or whose job is cancelled. As long as somebody holds the value it is not made again, unless it is invalidated.
    ///
    /// # Errors
    ///
    /// That of the maker; [`Transient`](GenerateError::Transient) where it panicked, or where the job is cancelled. The text
    /// names the layer and the key. It is [`Permanent`](GenerateError::Permanent) where
    ///
    /// - the value is larger than what the layer may keep,
    /// - the values of this layer that the reader has read, the job or the call of a maker, are so together: they could not
    ///   be kept while they are used, as when it asks for the whole world,
    /// - a layer reads itself, one that was made after it, or one of another [`Layers`](super::Layers),
    /// - this very thread is making the value already, see below.
    ///
    /// A maker reads with its own [`LayerJob`], and runs no tasks of the pool that it runs on (`TaskPool::scope` does): such a
    /// task may read what this thread is making, and then nobody would ever end it.
    pub fn read(&self, reader: &impl Reader, key: K) -> Result<Arc<V>, GenerateError> {
        let (core, reading) = (&*self.core, reader.reading());
        core.check_order(&reading)?;
        let id = core.id(&key);
        let (value, bytes) = loop {
            if reading.is_cancelled() {
                let error = GenerateError::Transient("the job was cancelled".to_owned());
                return Err(core.explain(&key, error));
            }
            let (mut unused, mut bytes) = (Vec::new(), 0);
            let mut table = core.table.lock();
            // Under the lock, so that whoever invalidates the value afterwards knows of this reader.
            let note = |made: &_| bytes = core.note(&reading, made);
            let found = table.look_up(key, id, note, &mut unused);
            if !matches!(found, Found::Value(_)) {
                reading.reads.begin(id);
            }
            drop(table);
            discard(unused);
            let made = match found {
                Found::Value(value) => break (value, bytes),
                Found::Missing(slot) => Some(core.make(reading, key, id, &slot)?),
                Found::Making(slot) if slot.is_made_here() => {
                    let text = "it is being made on this thread, by a maker that runs other tasks of the pool meanwhile or \
                                reads with another job than its own";
                    return Err(core.explain(&key, GenerateError::Permanent(text.to_owned())));
                }
                Found::Making(slot) => match slot.wait() {
                    None => None,
                    Some(made) => Some(made.map_err(|error| core.explain(&key, error))?),
                },
            };
            if let Some(made) = made {
                let bytes = core.note(&reading, &made);
                break (made.value, bytes);
            }
        };
        if bytes > core.max_bytes {
            let reader = reading.maker.map_or("a job", |maker| maker.place.name);
            let most = core.max_bytes;
            let text = format!("{reader} reads {bytes} bytes of it, and {most} may be kept");
            return Err(core.explain(&key, GenerateError::Permanent(text)));
        }
        Ok(value)
    }

    /// Takes the value of `key` away because what its maker reads has changed, and with it all values of later layers that were
    /// made from it. Each is made anew when it is read the next time, and those that are being made go only to who waits for
    /// them by now. What was made from any of them is to be made anew too: see [`Invalidated`].
    ///
    /// It looks at each value of all later layers, and drops those that it takes away, so it is for edits and not for each frame of each chunk. It waits for no maker.
    pub fn invalidate(&self, key: K) -> Invalidated {
        self.invalidate_all([key])
    }

    /// [Invalidates](Self::invalidate) several values, at the cost of one.
    pub fn invalidate_all(&self, keys: impl IntoIterator<Item = K>) -> Invalidated {
        let core = &self.core;
        let (mut invalidated, mut unused) = (Invalidated::default(), Vec::new());
        for key in keys {
            let id = core.id(&key);
            invalidated.edit(id);
            core.table.lock().invalidate(&key, id, &mut unused);
        }
        discard(unused);
        for layer in core.registry.after(core.number) {
            layer.invalidate_made_from(&mut invalidated);
        }
        invalidated
    }

    /// What happened so far.
    #[must_use]
    pub fn report(&self) -> LayerReport {
        AnyLayer::report(&*self.core)
    }
}

/// What clones of a layer share.
pub(super) struct Core<K: Key, V: Send + Sync + 'static> {
    name: String,
    number: usize,
    max_bytes: usize,
    bytes_of: Box<dyn Fn(&V) -> usize + Send + Sync>,
    make: Box<Make<K, V>>,
    table: Mutex<Table<K, V>>,
    registry: Arc<Registry>,
}

impl<K: Key, V: Send + Sync + 'static> Core<K, V> {
    fn place(&self) -> Place<'_> {
        Place {
            name: &self.name,
            number: self.number,
            world: self.registry.world(),
        }
    }

    fn id(&self, key: &K) -> u64 {
        self.registry.id(self.number, key)
    }

    /// An error with the names of the layer and the key.
    fn explain(&self, key: &K, error: GenerateError) -> GenerateError {
        let explain = |text| format!("layer {} at {key:?}: {text}", self.name);
        match error {
            GenerateError::Transient(text) => GenerateError::Transient(explain(text)),
            GenerateError::Permanent(text) => GenerateError::Permanent(explain(text)),
            GenerateError::NotYet(wait) => GenerateError::NotYet(wait),
        }
    }

    /// A thread waits only for layers that were made before the one that it makes a value of, so no two wait for each other.
    fn check_order(&self, reading: &Reading<'_>) -> Result<(), GenerateError> {
        let Some(upper) = reading.maker.map(|maker| maker.place) else {
            return Ok(());
        };
        let (name, reader) = (&self.name, upper.name);
        if upper.world != self.registry.world() {
            return Err(GenerateError::Permanent(format!(
                "layer {reader} cannot read layer {name}, which is of another world"
            )));
        }
        if upper.number <= self.number {
            return Err(GenerateError::Permanent(format!(
                "layer {reader} cannot read layer {name}, which was not made before it"
            )));
        }
        Ok(())
    }

    /// Notes what the reader has read. Returns how many bytes of this layer that are by now.
    fn note(&self, reading: &Reading<'_>, made: &Made<V>) -> usize {
        let layer = (self.registry.world(), self.number);
        (reading.reads).end(made.id, &made.sources, layer, made.bytes)
    }

    fn make(
        &self,
        reading: Reading<'_>,
        key: K,
        id: u64,
        slot: &Arc<Slot<V>>,
    ) -> Result<Made<V>, GenerateError> {
        let job = LayerJob::new(reading, &slot.reads, self.place());
        let made = panics::guard_generator(|| {
            let value = (self.make)(&job, key)?;
            // So that even values without bytes are bounded.
            let bytes = (self.bytes_of)(&value).max(1);
            Ok((Arc::new(value), bytes))
        });
        let made = made.unwrap_or_else(|message| Err(GenerateError::Transient(message)));
        let made = made.and_then(|(value, bytes)| {
            if job.saw_cancelled.load(Ordering::Relaxed) {
                discard(vec![value]);
                return Err("the job was cancelled".into());
            }
            let most = self.max_bytes;
            if bytes > most {
                discard(vec![value]);
                let text = format!("it takes {bytes} bytes, and {most} may be kept");
                return Err(GenerateError::Permanent(text));
            }
            Ok(Made {
                id,
                value,
                sources: slot.reads.sources(Some(id)),
                bytes,
            })
        });
        match made {
            Ok(made) => {
                let mut unused = Vec::new();
                (self.table.lock()).made(key, slot, &made, &mut unused);
                slot.finish(Some(Ok(made.clone())));
                discard(unused);
                Ok(made)
            }
            Err(error) => {
                self.table.lock().give_up(key, slot);
                // Whoever waits fails as well: made again, it would fail again. Only a cancelled job says nothing about the value.
                slot.finish((!reading.is_cancelled()).then(|| Err(error.clone())));
                Err(self.explain(&key, error))
            }
        }
    }
}

impl<K: Key, V: Send + Sync + 'static> AnyLayer for Core<K, V> {
    fn report(&self) -> LayerReport {
        let table = self.table.lock();
        let figures = table.figures;
        LayerReport {
            name: self.name.clone(),
            values: table.kept(),
            bytes: table.bytes(),
            max_bytes: self.max_bytes,
            hits: figures.hits,
            made: figures.made,
            repeats: figures.repeats,
            waits: figures.waits,
        }
    }

    fn invalidate_made_from(&self, invalidated: &mut Invalidated) {
        let mut unused = Vec::new();
        let mut table = self.table.lock();
        table.invalidate_made_from(|key| self.id(key), invalidated, &mut unused);
        drop(table);
        discard(unused);
    }
}

/// Drops values, which may be the last that hold them. Panics of their destructors are contained.
fn discard<V>(unused: Vec<Arc<V>>) {
    for value in unused {
        if let Err(message) = panics::discard(value) {
            tracing::warn!("dropping a value of a layer panicked: {message}");
        }
    }
}

impl<K: Key, V: Send + Sync + 'static> Layer<K, V> {
    pub(super) fn new(
        registry: Arc<Registry>,
        name: String,
        number: usize,
        max_bytes: usize,
        bytes_of: Box<dyn Fn(&V) -> usize + Send + Sync>,
        make: Box<Make<K, V>>,
    ) -> Self {
        let table = Mutex::new(Table::new(max_bytes));
        Self {
            core: Arc::new(Core {
                name,
                number,
                max_bytes,
                bytes_of,
                make,
                table,
                registry,
            }),
        }
    }

    pub(super) fn core(&self) -> &Arc<Core<K, V>> {
        &self.core
    }
}

impl<K: Key, V: Send + Sync + 'static> Clone for Layer<K, V> {
    fn clone(&self) -> Self {
        Self {
            core: Arc::clone(&self.core),
        }
    }
}

impl<K: Key, V: Send + Sync + 'static> fmt::Debug for Layer<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Layer").field(&self.report()).finish()
    }
}
