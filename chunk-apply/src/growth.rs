//! When a table is full, Bevy gives it twice the room and moves everything in it, in the middle of spawning one
//! entity. That takes a millisecond or more for some ten thousand rows, and all of what it leaves behind was memory that
//! had to be had from the system. So a table that is full grows at once to what is expected of it, and because that
//! takes a while too, it is planned for like any other piece that cannot be divided.

use crate::costs::Kind;
use bevy_ecs::{
    bundle::{Bundle, NoBundleEffect},
    entity::Entity,
    storage::{Table, TableId},
    world::World,
};
use core::marker::PhantomData;
use smallvec::SmallVec;

/// Tables with fewer rows grow in less time than it is worth to plan.
const FEWEST_ROWS: usize = 512;
/// Nanoseconds that moving a row takes until it was measured: a few hundred bytes, to memory that was never touched.
const UNKNOWN: f64 = 100.0;
/// Making room takes as long as moving so many rows, however much it is: every column gets new memory, and so does Bevy's
/// list of all entities.
const MAKING_ROOM: usize = 5_000;
/// Rows of room that take as long as one that moves: each is an entity's number that is taken and given back.
const ROOM_A_MOVE: usize = 16;
/// The most rows that a table is given room for at once, whatever is expected; and how many for each that moves.
const MOST_ROOM: usize = 65_536;
const MOST_ROOM_A_ROW: usize = 8;
/// Room that is made too small moves everything again, and what is too large is never touched.
const MARGIN: f64 = 1.125;
/// An estimate moves by no more than this factor at once: one that is far off was interrupted.
const MOST_CORRECTION: f64 = 4.0;
/// Frames that growing waits for one with the time for it; there may be none.
const PATIENCE: u32 = 3;
/// Nothing costs less.
const LEAST: f64 = 1.0;

/// The tables that entities of each kind go to, and what it costs when those grow.
#[derive(Debug, Default)]
pub(crate) struct Growth {
    known: SmallVec<[Destination; 8]>,
    /// Chunks that were begun, ever.
    chunks: u64,
    /// Chunks that are still to come.
    expected: usize,
}

#[derive(Debug)]
struct Destination {
    kind: Kind,
    table: TableId,
    /// Entities that went there, ever.
    entities: u64,
    /// A row that has to move.
    nanos: f64,
    /// Whether room that was made for this kind was made elsewhere: an observer adds to these entities.
    is_elsewhere: bool,
    /// How often growing was put off since it was last done.
    put_off: u32,
}

/// What growing a table now comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Plan {
    rows: usize,
    /// The room to make before the next entity is spawned, in rows.
    pub(crate) room: usize,
    /// The estimate.
    pub(crate) nanos: f64,
}

impl Growth {
    /// Notes how many chunks are still to come.
    pub(crate) fn expect(&mut self, chunks: usize) {
        self.expected = chunks;
    }

    /// Notes that a chunk is begun.
    pub(crate) fn begin_chunk(&mut self) {
        self.chunks += 1;
    }

    /// How many entities of this kind can be spawned before their table grows.
    pub(crate) fn room(&self, kind: Kind, world: &World) -> usize {
        let table = self.find(kind).and_then(|known| table(known, world));
        match table {
            Some(table) if table.entity_capacity() >= FEWEST_ROWS => {
                table.entity_capacity() - table.entity_count() as usize
            }
            _ => usize::MAX,
        }
    }

    /// How the table of this kind should grow now, with so many entities promised by who spawns them.
    pub(crate) fn plan(&self, kind: Kind, promised: usize, world: &World) -> Plan {
        let Some(known) = self.find(kind) else {
            return Plan::default();
        };
        let rows = table(known, world).map_or(0, |table| table.entity_count() as usize);
        let room = if known.is_elsewhere {
            0
        } else {
            // The chunk that is being spawned is not whole yet.
            let of_each = known.entities as f64 / self.chunks.saturating_sub(1).max(1) as f64;
            let expected = (self.expected as f64 * of_each * MARGIN) as usize;
            (expected.max(promised)).min(MOST_ROOM.max(rows.saturating_mul(MOST_ROOM_A_ROW)))
        };
        // Bevy makes so much by itself.
        let room = if room <= rows { 0 } else { room };
        let nanos = known.nanos * moves(rows, room) as f64;
        Plan { rows, room, nanos }
    }

    /// Whether growing may be put off because it does not fit into this frame, and notes that it is.
    pub(crate) fn put_off(&mut self, kind: Kind) -> bool {
        let known = self.known.iter_mut().find(|known| known.kind == kind);
        known.is_some_and(|known| {
            known.put_off += 1;
            known.put_off <= PATIENCE
        })
    }

    /// Notes that so many entities of this kind were spawned, and where the last of them went.
    pub(crate) fn went_to(&mut self, kind: Kind, entities: usize, last: Entity, world: &World) {
        let Ok(last) = world.get_entity(last) else {
            return;
        };
        let table = last.location().table_id;
        let at = (self.known.iter().position(|known| known.kind == kind)).unwrap_or_else(|| {
            self.known.push(Destination {
                kind,
                table,
                entities: 0,
                nanos: UNKNOWN,
                is_elsewhere: false,
                put_off: 0,
            });
            self.known.len() - 1
        });
        let known = &mut self.known[at];
        (known.table, known.entities) = (table, known.entities + entities as u64);
    }

    /// Learns how long it took to grow so, and whether it helped.
    pub(crate) fn learn(&mut self, kind: Kind, plan: Plan, nanos: f64, world: &World) {
        if let Some(known) = self.known.iter_mut().find(|known| known.kind == kind) {
            let measured = nanos / moves(plan.rows, plan.room).max(1) as f64;
            let measured = measured.min(known.nanos * MOST_CORRECTION);
            known.nanos = f64::midpoint(known.nanos, measured).max(LEAST);
            let capacity = table(known, world).map_or(0, Table::entity_capacity);
            known.put_off = 0;
            known.is_elsewhere |= capacity < plan.rows + plan.room;
        }
    }

    fn find(&self, kind: Kind) -> Option<&Destination> {
        self.known.iter().find(|known| known.kind == kind)
    }
}

/// What growing is counted in: rows that move.
fn moves(rows: usize, room: usize) -> usize {
    let made = if room == 0 {
        0
    } else {
        MAKING_ROOM + room / ROOM_A_MOVE
    };
    rows + made
}

fn table<'w>(known: &Destination, world: &'w World) -> Option<&'w Table> {
    world.storages().tables.get(known.table)
}

/// Makes room for so many entities of this bundle in the table where they will be.
#[cold]
#[inline(never)]
pub(crate) fn make_room<B: Bundle<Effect: NoBundleEffect>>(world: &mut World, rows: usize) {
    // Bevy makes room for as many as it is promised, whatever comes.
    drop(world.spawn_batch(Promise::<B> {
        rows,
        bundle: PhantomData,
    }));
}

/// Promises bundles, and has none.
struct Promise<B> {
    rows: usize,
    bundle: PhantomData<fn() -> B>,
}

impl<B> Iterator for Promise<B> {
    type Item = B;

    fn next(&mut self) -> Option<B> {
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.rows, Some(self.rows))
    }
}

#[cfg(test)]
mod tests;
