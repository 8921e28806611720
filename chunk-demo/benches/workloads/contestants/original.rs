//! The original system, written anew from its description, with what is wrong with it.
//!
//! Once a frame: chunks far away are marked as unloading and four of them removed, the rest never again; what is
//! wanted and not there is sorted in full by distance, a chunk that waits to be applied among it; up to three tasks
//! are started; all are polled, so that a finished one holds its place until then; at most two results are applied.
//! The id of a chunk's generation starts at 1 again when the chunk is forgotten.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use bevy_ecs::entity::Entity;
use bevy_ecs::hierarchy::ChildOf;
use bevy_ecs::system::Commands;
use bevy_ecs::world::{CommandQueue, World};
use bevy_tasks::{Task, block_on, poll_once};

use super::{HYSTERESIS, Item, chunk_at, distance_sq, generate, pool, root};
use crate::driver::{Chunk, Contestant, Maker, Workload};

const MOST_TASKS: usize = 3;
const APPLIED_A_FRAME: usize = 2;
const REMOVED_A_FRAME: usize = 4;

#[derive(Clone, Copy, Debug)]
enum State {
    Wanted,
    Loaded(Entity),
    /// Removed in the frame in which it is marked, or never.
    Unloading,
}

struct Known {
    state: State,
    generation: u32,
}

struct Running {
    chunk: Chunk,
    generation: u32,
    task: Task<Vec<Item>>,
}

pub(super) struct Original {
    world: World,
    maker: Maker,
    disc: Vec<Chunk>,
    unload_sq: i32,
    known: HashMap<Chunk, Known>,
    running: Vec<Running>,
    ready: VecDeque<(Chunk, u32, Vec<Item>)>,
    took: Duration,
}

impl Original {
    pub(super) fn new(workload: &Workload, maker: &Maker) -> Self {
        Self {
            world: World::new(),
            maker: maker.clone(),
            disc: workload.disc(),
            unload_sq: (workload.radius + HYSTERESIS).pow(2),
            known: HashMap::new(),
            running: Vec::new(),
            ready: VecDeque::new(),
            took: Duration::ZERO,
        }
    }

    fn want(&mut self, [x, z]: Chunk) {
        for offset in &self.disc {
            let chunk = [x + offset[0], z + offset[1]];
            self.known.entry(chunk).or_insert(Known {
                state: State::Wanted,
                generation: 0,
            });
        }
    }

    fn unload(&mut self, centre: Option<Chunk>) {
        let is_far =
            |chunk: Chunk| centre.is_none_or(|centre| distance_sq(chunk, centre) > self.unload_sq);
        let mut far = Vec::new();
        self.known.retain(|chunk, known| match known.state {
            State::Wanted => !is_far(*chunk),
            State::Loaded(entity) => {
                if is_far(*chunk) {
                    known.state = State::Unloading;
                    far.push((*chunk, entity));
                }
                true
            }
            State::Unloading => true,
        });
        for (chunk, entity) in far.into_iter().take(REMOVED_A_FRAME) {
            self.world.despawn(entity);
            self.known.remove(&chunk);
        }
    }

    fn start(&mut self, centre: Chunk) {
        let is_running = |chunk: &Chunk| self.running.iter().any(|it| it.chunk == *chunk);
        let waiting = self.known.iter().filter_map(|(chunk, known)| {
            let waits = matches!(known.state, State::Wanted) && !is_running(chunk);
            waits.then_some(*chunk)
        });
        let mut waiting: Vec<Chunk> = waiting.collect();
        waiting.sort_by(|a, b| {
            let distance = |chunk| (distance_sq(chunk, centre) as f32).sqrt();
            distance(*a).total_cmp(&distance(*b))
        });
        for chunk in waiting.into_iter().take(MOST_TASKS - self.running.len()) {
            let Some(known) = self.known.get_mut(&chunk) else {
                continue;
            };
            known.generation += 1;
            let maker = self.maker.clone();
            self.running.push(Running {
                chunk,
                generation: known.generation,
                task: pool().spawn(async move { generate(&maker, chunk) }),
            });
        }
    }

    fn poll(&mut self) {
        self.running.retain_mut(|running| {
            let content = block_on(poll_once(&mut running.task));
            let is_done = content.is_some();
            let content = content.map(|content| (running.chunk, running.generation, content));
            self.ready.extend(content);
            !is_done
        });
    }

    fn apply(&mut self) {
        let mut queue = CommandQueue::default();
        let mut applied = 0;
        while applied < APPLIED_A_FRAME
            && let Some((chunk, generation, content)) = self.ready.pop_front()
        {
            let is_awaited = |known: &&mut Known| {
                matches!(known.state, State::Wanted) && known.generation == generation
            };
            let Some(known) = self.known.get_mut(&chunk).filter(is_awaited) else {
                continue;
            };
            let mut commands = Commands::new(&mut queue, &self.world);
            let entity = commands.spawn(root(chunk)).id();
            for item in content {
                commands.spawn((item, ChildOf(entity)));
            }
            known.state = State::Loaded(entity);
            applied += 1;
        }
        queue.apply(&mut self.world);
    }
}

impl Contestant for Original {
    fn frame(&mut self, viewer: Option<[f32; 2]>) {
        let start = Instant::now();
        let centre = viewer.map(chunk_at);
        if let Some(centre) = centre {
            self.want(centre);
        }
        self.unload(centre);
        if let Some(centre) = centre {
            self.start(centre);
        }
        self.poll();
        self.apply();
        self.took = start.elapsed();
    }

    fn main_thread(&self) -> Duration {
        self.took
    }

    fn is_shown(&self, chunk: Chunk) -> bool {
        let known = self.known.get(&chunk);
        known.is_some_and(|known| matches!(known.state, State::Loaded(_)))
    }

    fn entities(&self) -> usize {
        self.world.entity_count() as usize
    }
}
