//! The most that the machine can do: threads that do nothing but the generator, and `spawn_batch` with `ChildOf` for
//! whatever is ready, however long it takes. No budget, no order but the first one, no care for what changes.

use std::collections::{HashMap, VecDeque};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bevy_ecs::entity::Entity;
use bevy_ecs::hierarchy::ChildOf;
use bevy_ecs::world::World;

use super::{HYSTERESIS, Item, chunk_at, distance_sq, generate, root, threads};
use crate::driver::{Chunk, Contestant, GENERATING, Maker, Workload};

#[derive(Debug, Default)]
struct Queue {
    chunks: Mutex<VecDeque<Chunk>>,
    has_more: Condvar,
}

pub(super) struct Bare {
    world: World,
    disc: Vec<Chunk>,
    unload_sq: i32,
    centre: Option<Chunk>,
    /// `None` for what was asked for and is not there yet.
    known: HashMap<Chunk, Option<Entity>>,
    queue: Arc<Queue>,
    ready: Receiver<(Chunk, Vec<Item>)>,
    took: Duration,
}

impl Bare {
    pub(super) fn new(workload: &Workload, maker: &Maker) -> Self {
        let queue = Arc::new(Queue::default());
        let (sender, ready) = channel();
        for _ in 0..threads() {
            let (queue, sender, maker) = (Arc::clone(&queue), sender.clone(), maker.clone());
            let work = move || {
                loop {
                    let chunk = queue.next();
                    if sender.send((chunk, generate(&maker, chunk))).is_err() {
                        return;
                    }
                }
            };
            // They end with the process.
            let thread = thread::Builder::new().name(GENERATING.to_owned());
            thread.spawn(work).expect("a thread can be started");
        }
        let mut disc = workload.disc();
        disc.sort_by_key(|chunk| distance_sq(*chunk, [0, 0]));
        Self {
            world: World::new(),
            disc,
            unload_sq: (workload.radius + HYSTERESIS).pow(2),
            centre: None,
            known: HashMap::new(),
            queue,
            ready,
            took: Duration::ZERO,
        }
    }

    fn move_to(&mut self, centre: Option<Chunk>) {
        let is_far = |chunk: Chunk| centre.is_none_or(|it| distance_sq(chunk, it) > self.unload_sq);
        let world = &mut self.world;
        self.known.retain(|chunk, root| {
            let is_far = is_far(*chunk);
            if let Some(root) = root.filter(|_| is_far) {
                world.despawn(root);
            }
            !is_far
        });
        let (known, [x, z]) = (&mut self.known, centre.unwrap_or_default());
        let disc = self.disc.iter().filter(|_| centre.is_some());
        let wanted = disc.map(|offset| [x + offset[0], z + offset[1]]);
        let fresh: Vec<Chunk> = wanted.filter(|chunk| !known.contains_key(chunk)).collect();
        known.extend(fresh.iter().map(|chunk| (*chunk, None)));
        self.queue.replace(|chunk| known.contains_key(chunk), fresh);
    }
}

impl Queue {
    fn next(&self) -> Chunk {
        let mut chunks = self.chunks.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(chunk) = chunks.pop_front() {
                return chunk;
            }
            chunks = self
                .has_more
                .wait(chunks)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Drops what is not to be kept, and appends `fresh`.
    fn replace(&self, is_kept: impl Fn(&Chunk) -> bool, fresh: Vec<Chunk>) {
        let mut chunks = self.chunks.lock().unwrap_or_else(PoisonError::into_inner);
        chunks.retain(is_kept);
        chunks.extend(fresh);
        drop(chunks);
        self.has_more.notify_all();
    }
}

impl Contestant for Bare {
    fn frame(&mut self, viewer: Option<[f32; 2]>) {
        let start = Instant::now();
        let centre = viewer.map(chunk_at);
        if centre != self.centre {
            self.move_to(centre);
            self.centre = centre;
        }
        while let Ok((chunk, items)) = self.ready.try_recv() {
            // What was given up meanwhile, and what was asked for a second time.
            let Some(place) = self.known.get_mut(&chunk).filter(|place| place.is_none()) else {
                continue;
            };
            let root = self.world.spawn(root(chunk)).id();
            let items = items.into_iter().map(|item| (item, ChildOf(root)));
            self.world.spawn_batch(items);
            *place = Some(root);
        }
        self.took = start.elapsed();
    }

    fn main_thread(&self) -> Duration {
        self.took
    }

    fn is_shown(&self, chunk: Chunk) -> bool {
        self.known.get(&chunk).is_some_and(Option::is_some)
    }

    fn entities(&self) -> usize {
        self.world.entity_count() as usize
    }
}
