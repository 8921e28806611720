//! With a policy that saves dirty chunks alone, the hook sees what was marked and nothing else, and no mark is lost.

use crate::rig::{PIECES, Piece, Pieces, Rig, config, grid, spawner};
use bevy_app::Update;
use bevy_ecs::prelude::*;
use chunk_apply::{
    ApplyBudget, ChunkIndex, ChunkLevels, ChunkLoaded, ChunkStream, ChunkStreamingPlugin,
    ChunkToSave, ManualClock, Reset, SavePolicy, SaveReason, SavedChunks, StreamingConfig,
    StreamingSystems, mark_changed_chunks,
};
use chunk_coord::{ChunkCoord, ChunkGrid, LevelRings};
use chunk_scheduler::{Generator, Job};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

const HERE: ChunkCoord = ChunkCoord::ORIGIN;
const NEXT: ChunkCoord = ChunkCoord::planar(1, 0);

#[derive(Resource, Default)]
struct Calls(Vec<ChunkToSave>);

/// Chunks that the hook marks while it is called with them.
#[derive(Resource, Default)]
struct MarkedByHook(Vec<ChunkCoord>);

/// A stream that saves the number of pieces of each dirty chunk, and makes as many as were saved.
struct Dirty {
    rig: Rig,
    disk: Arc<Mutex<BTreeMap<ChunkCoord, usize>>>,
    is_full: Arc<AtomicBool>,
}

fn dirty() -> Dirty {
    dirty_with(|plugin| plugin)
}

fn dirty_with(
    change: impl FnOnce(ChunkStreamingPlugin<Pieces>) -> ChunkStreamingPlugin<Pieces>,
) -> Dirty {
    let disk = Arc::<Mutex<BTreeMap<ChunkCoord, usize>>>::default();
    let is_full = Arc::new(AtomicBool::new(false));
    let (reading, writing, broken) = (disk.clone(), disk.clone(), is_full.clone());
    let generator = Generator::new(move |job: &Job<ChunkCoord>| {
        let disk = reading.lock().expect("no panic holds it");
        Pieces(disk.get(&job.key()).copied().unwrap_or(PIECES))
    });
    let saving = SavePolicy {
        chunks: Some(SavedChunks::Dirty),
        ..SavePolicy::default()
    };
    let plugin = ChunkStreamingPlugin::new(grid(), generator, spawner())
        .with_config(StreamingConfig { saving, ..config() })
        .with_save_hook(move |world, chunk| {
            world.resource_mut::<Calls>().0.push(chunk);
            if world.resource::<MarkedByHook>().0.contains(&chunk.coord) {
                assert!(mark(world, chunk.coord), "{chunk:?}");
            }
            if broken.load(Ordering::Relaxed) {
                return Err("the disk is full".into());
            }
            let pieces = world.get::<Children>(chunk.root);
            let mut disk = writing.lock().expect("no panic holds it");
            disk.insert(chunk.coord, pieces.map_or(0, |pieces| pieces.len()));
            Ok(())
        });
    let mut rig = Rig::build(ManualClock::default(), change(plugin));
    rig.app.init_resource::<Calls>();
    rig.app.init_resource::<MarkedByHook>();
    Dirty { rig, disk, is_full }
}

fn mark(world: &mut World, coord: ChunkCoord) -> bool {
    world.resource_scope(|world, index: Mut<ChunkIndex<Pieces>>| {
        (world.resource_mut::<ChunkStream<Pieces>>()).mark_dirty(&index, coord)
    })
}

impl Dirty {
    fn mark(&mut self, coord: ChunkCoord) -> bool {
        mark(self.rig.app.world_mut(), coord)
    }

    /// A player puts one more piece into a chunk that stands, and the game marks it.
    fn build(&mut self, coord: ChunkCoord) {
        let root = self.rig.index().root(coord).expect("loaded");
        self.rig.app.world_mut().spawn(ChildOf(root));
        assert!(self.mark(coord));
    }

    /// The calls of the hook since the last look.
    fn calls(&mut self) -> Vec<(ChunkCoord, SaveReason)> {
        let calls = &mut self.rig.app.world_mut().resource_mut::<Calls>().0;
        calls
            .drain(..)
            .map(|chunk| (chunk.coord, chunk.reason))
            .collect()
    }

    fn saved(&self, coord: ChunkCoord) -> Option<usize> {
        let disk = self.disk.lock().expect("no panic holds it");
        disk.get(&coord).copied()
    }

    fn children(&self, coord: ChunkCoord) -> usize {
        let root = self.rig.index().root(coord).expect("loaded");
        let pieces = self.rig.app.world().get::<Children>(root);
        pieces.map_or(0, |pieces| pieces.len())
    }

    fn dirty(&self) -> usize {
        let stream = self.rig.stream();
        let snapshot = stream.snapshot(self.rig.index());
        assert_eq!(snapshot.dirty_chunks, stream.dirty());
        stream.dirty()
    }

    fn set_chunks(&mut self, chunks: Option<u32>) {
        self.rig.stream_mut().budget = ApplyBudget {
            chunks,
            ..ApplyBudget::unlimited()
        };
    }
}

#[test]
fn only_dirty_chunks_are_saved_when_they_leave_and_are_clean_then() {
    let mut dirty = dirty();
    let viewer = dirty.rig.viewer(0, 0);
    dirty.rig.settle();
    assert_eq!(
        (dirty.dirty(), dirty.rig.stream().is_dirty(HERE)),
        (0, false)
    );
    assert!(!dirty.mark(ChunkCoord::planar(50, 0)), "nothing is there");
    dirty.build(HERE);
    dirty.build(HERE);
    dirty.build(NEXT);
    assert_eq!(
        (dirty.dirty(), dirty.rig.stream().is_dirty(HERE)),
        (2, true)
    );
    dirty.rig.move_to(viewer, 50, 0);
    dirty.rig.settle();
    let mut calls = dirty.calls();
    calls.sort_unstable_by_key(|(coord, _)| *coord);
    let reason = SaveReason::Unloaded;
    assert_eq!(calls, [(HERE, reason), (NEXT, reason)]);
    assert_eq!(dirty.dirty(), 0);
    dirty.rig.move_to(viewer, 0, 0);
    dirty.rig.settle();
    assert_eq!((dirty.children(HERE), dirty.children(NEXT)), (7, 6));
    // What was loaded as it was saved is clean.
    dirty.rig.move_to(viewer, 50, 0);
    dirty.rig.settle();
    assert_eq!(dirty.calls(), []);
}

#[test]
fn a_clean_chunk_is_made_anew_at_once_and_a_dirty_one_when_it_is_saved() {
    let mut dirty = dirty();
    dirty.rig.viewer(0, 0);
    dirty.rig.settle();
    // Nothing is saved in this time.
    dirty.set_chunks(Some(0));
    dirty.build(HERE);
    for coord in [HERE, NEXT] {
        assert!(dirty.rig.stream_mut().refresh(coord));
    }
    let scheduler = dirty.rig.stream().scheduler();
    assert!(scheduler.state(NEXT).is_some(), "it is requested at once");
    assert_eq!(scheduler.state(HERE), None);
    dirty.set_chunks(None);
    dirty.rig.settle();
    assert_eq!(dirty.calls(), [(HERE, SaveReason::Replaced)]);
    assert_eq!((dirty.dirty(), dirty.children(HERE)), (0, PIECES + 1));
}

#[test]
fn a_chunk_whose_save_fails_stays_dirty() {
    let mut dirty = dirty();
    let viewer = dirty.rig.viewer(0, 0);
    dirty.rig.settle();
    dirty.build(HERE);
    dirty.is_full.store(true, Ordering::Relaxed);
    let report = ChunkStream::<Pieces>::save_all(dirty.rig.app.world_mut());
    assert_eq!((report.saved, report.failed.len()), (0, 1));
    assert!(dirty.rig.stream().is_dirty(HERE));
    dirty.rig.stream_mut().refresh(HERE);
    dirty.rig.frames(5);
    assert!(dirty.rig.stream().is_dirty(HERE));
    dirty.rig.move_to(viewer, 50, 0);
    dirty.rig.frames(5);
    assert!(dirty.rig.stream().is_dirty(HERE));
    assert_eq!(dirty.dirty(), 1);
    dirty.is_full.store(false, Ordering::Relaxed);
    dirty.rig.settle();
    assert_eq!((dirty.saved(HERE), dirty.dirty()), (Some(PIECES + 1), 0));
}

#[test]
fn a_chunk_that_is_marked_after_it_left_is_saved_before_it_is_despawned() {
    let mut dirty = dirty();
    let viewer = dirty.rig.viewer(0, 0);
    dirty.rig.settle();
    let root = dirty.rig.index().root(HERE).expect("loaded");
    dirty.set_chunks(Some(0));
    dirty.rig.move_to(viewer, 50, 0);
    dirty.rig.frames(3);
    assert!(!dirty.rig.index().contains(HERE));
    dirty.rig.app.world_mut().spawn(ChildOf(root));
    assert!(dirty.mark(HERE) && dirty.mark(HERE));
    assert!(dirty.rig.stream().is_dirty(HERE));
    assert_eq!(dirty.rig.stream().unloading(), 29, "counted once");
    dirty.set_chunks(None);
    dirty.rig.settle();
    assert_eq!(dirty.calls(), [(HERE, SaveReason::Unloaded)]);
    assert_eq!(dirty.saved(HERE), Some(PIECES + 1));
    assert!(!dirty.mark(HERE), "it is gone");
}

#[test]
fn a_dirty_chunk_that_is_taken_back_unsaved_is_as_dirty_as_before() {
    let mut dirty = dirty();
    let viewer = dirty.rig.viewer(0, 0);
    dirty.rig.settle();
    let root = dirty.rig.index().root(HERE);
    dirty.build(HERE);
    dirty.set_chunks(Some(0));
    dirty.rig.move_to(viewer, 50, 0);
    dirty.rig.frames(3);
    assert!(dirty.rig.stream().is_dirty(HERE) && dirty.rig.stream().pending_save(HERE).is_some());
    dirty.rig.move_to(viewer, 0, 0);
    dirty.rig.frames(3);
    assert_eq!(dirty.rig.index().root(HERE), root);
    assert_eq!((dirty.dirty(), dirty.calls()), (1, vec![]));
    dirty.set_chunks(None);
    dirty.rig.move_to(viewer, 50, 0);
    dirty.rig.settle();
    assert_eq!(dirty.calls(), [(HERE, SaveReason::Unloaded)]);
}

#[test]
fn a_new_version_is_clean_unless_the_old_one_was_marked_while_it_was_under_way() {
    // Whether everything is saved meanwhile, which the version that is under way does not have.
    for is_saved in [false, true] {
        let mut dirty = dirty();
        dirty.rig.viewer(0, 0);
        dirty.rig.settle();
        // What the game does to lose nothing.
        dirty.rig.app.add_observer(
            |loaded: On<ChunkLoaded<Pieces>>,
             stream: Res<ChunkStream<Pieces>>,
             lists: Query<&Children>,
             mut commands: Commands| {
                if let Some(old) = loaded.replaced
                    && stream.is_dirty(loaded.coord)
                    && let Ok(children) = lists.get(old)
                {
                    let built = children.iter().skip(PIECES).collect::<Vec<_>>();
                    commands.entity(loaded.root).add_children(&built);
                }
            },
        );
        dirty.rig.stream_mut().refresh(HERE);
        // The version is made, and not shown.
        dirty.rig.frame();
        dirty.build(HERE);
        if is_saved {
            let report = ChunkStream::<Pieces>::save_all(dirty.rig.app.world_mut());
            assert_eq!((report.saved, dirty.calls().len()), (1, 1));
        }
        dirty.rig.settle();
        let unsaved = usize::from(!is_saved);
        assert_eq!((dirty.dirty(), dirty.children(HERE)), (unsaved, PIECES + 1));
        assert_eq!(dirty.calls(), []);
        dirty.rig.stream_mut().refresh(HERE);
        dirty.rig.settle();
        assert_eq!(dirty.calls(), vec![(HERE, SaveReason::Replaced); unsaved]);
        assert_eq!((dirty.dirty(), dirty.children(HERE)), (0, PIECES + 1));
    }
}

#[test]
fn what_is_saved_while_a_version_is_under_way_is_made_once_more_and_not_overwritten() {
    let mut dirty = dirty();
    let viewer = dirty.rig.viewer(0, 0);
    dirty.rig.settle();
    dirty.rig.stream_mut().refresh(HERE);
    // The version is made, and not shown.
    dirty.rig.frame();
    dirty.build(HERE);
    let report = ChunkStream::<Pieces>::save_all(dirty.rig.app.world_mut());
    assert_eq!(report.saved, 1);
    dirty.rig.settle();
    assert_eq!((dirty.dirty(), dirty.children(HERE)), (0, PIECES + 1));
    dirty.rig.move_to(viewer, 50, 0);
    dirty.rig.settle();
    assert_eq!(dirty.calls(), [(HERE, SaveReason::SaveAll)]);
    assert_eq!(dirty.saved(HERE), Some(PIECES + 1));
}

#[test]
fn a_mark_made_while_the_hook_runs_is_another_one() {
    let mut dirty = dirty();
    let viewer = dirty.rig.viewer(0, 0);
    dirty.rig.settle();
    let set = |dirty: &mut Dirty, marked: &[ChunkCoord]| {
        dirty.rig.app.world_mut().resource_mut::<MarkedByHook>().0 = marked.to_vec();
    };
    set(&mut dirty, &[HERE]);
    dirty.build(HERE);
    let report = ChunkStream::<Pieces>::save_all(dirty.rig.app.world_mut());
    assert_eq!((report.saved, dirty.dirty()), (1, 1));
    // The same of a chunk that leaves: it is saved once more, and not in the same frame.
    dirty.calls();
    dirty.rig.move_to(viewer, 50, 0);
    dirty.rig.frame();
    assert_eq!(dirty.calls(), [(HERE, SaveReason::Unloaded)]);
    assert!(dirty.rig.stream().is_dirty(HERE));
    set(&mut dirty, &[]);
    dirty.rig.settle();
    assert_eq!(dirty.calls(), [(HERE, SaveReason::Unloaded)]);
    assert_eq!(dirty.dirty(), 0);
}

#[test]
fn chunks_of_which_some_are_dirty_are_swapped_together() {
    let mut dirty = dirty();
    dirty.rig.viewer(0, 0);
    dirty.rig.settle();
    dirty.build(HERE);
    dirty.rig.loaded();
    assert_eq!(dirty.rig.stream_mut().refresh_around(HERE, 1), 9);
    while dirty.rig.index().chunk(NEXT).expect("it stands").version <= 29 {
        dirty.rig.frame();
    }
    assert_eq!(dirty.rig.loaded().len(), 9, "in one frame");
    assert_eq!(dirty.calls(), [(HERE, SaveReason::Replaced)]);
    assert_eq!(dirty.children(HERE), PIECES + 1);
}

#[test]
fn another_level_of_detail_is_made_when_a_dirty_chunk_is_saved() {
    let levels = ChunkLevels::new(LevelRings::new([1, 2], 0).expect("rings"));
    let mut dirty = dirty_with(|plugin| plugin.with_levels(levels));
    let viewer = dirty.rig.viewer(0, 0);
    dirty.rig.settle();
    dirty.build(HERE);
    dirty.rig.move_to(viewer, 2, 0);
    dirty.rig.settle();
    assert_eq!(dirty.calls(), [(HERE, SaveReason::Replaced)]);
    assert_eq!((dirty.dirty(), dirty.children(HERE)), (0, PIECES + 1));
}

#[test]
fn a_dirty_chunk_of_the_former_grid_is_saved_and_not_marked_by_the_new_coordinates() {
    let mut dirty = dirty();
    dirty.rig.viewer(0, 0);
    dirty.rig.settle();
    dirty.set_chunks(Some(0));
    dirty.build(HERE);
    let grid = ChunkGrid::planar(40.0).expect("40 is a size");
    dirty.rig.stream_mut().set_grid(grid);
    dirty.rig.frames(3);
    assert_eq!(dirty.dirty(), 1);
    // They are hidden, and of the grid before.
    assert!(!dirty.mark(HERE) && !dirty.mark(NEXT));
    dirty.set_chunks(None);
    dirty.rig.settle();
    assert_eq!(dirty.calls(), [(HERE, SaveReason::Unloaded)]);
    assert_eq!((dirty.dirty(), dirty.saved(HERE)), (0, Some(PIECES + 1)));
}

#[test]
fn a_reset_saves_dirty_chunks_alone_and_leaves_no_mark() {
    for how in [Reset::Save, Reset::Discard] {
        let mut dirty = dirty();
        dirty.rig.viewer(0, 0);
        dirty.rig.settle();
        dirty.build(HERE);
        let report = ChunkStream::<Pieces>::reset(dirty.rig.app.world_mut(), how);
        let saved = report.expect("the disk has room").saved;
        assert_eq!((saved, dirty.dirty()), (usize::from(how == Reset::Save), 0));
        dirty.rig.settle();
        assert_eq!((dirty.dirty(), dirty.calls().len()), (0, saved));
        assert_eq!(dirty.children(HERE), PIECES + saved);
    }
}

#[test]
fn what_is_let_go_unsaved_is_clean() {
    let mut dirty = dirty();
    let viewer = dirty.rig.viewer(0, 0);
    dirty.rig.settle();
    dirty.is_full.store(true, Ordering::Relaxed);
    // One that stands, and one that left.
    for is_loaded in [true, false] {
        dirty.build(HERE);
        if is_loaded {
            dirty.rig.stream_mut().refresh(HERE);
        } else {
            dirty.rig.move_to(viewer, 50, 0);
        }
        dirty.rig.frames(5);
        assert_eq!(dirty.dirty(), 1);
        assert!(dirty.rig.stream_mut().skip_save(HERE));
        assert_eq!(dirty.dirty(), 0);
        dirty.rig.settle();
        assert_eq!(dirty.dirty(), 0);
    }
}

#[test]
fn the_mark_of_a_chunk_whose_root_is_despawned_goes_with_it() {
    let mut dirty = dirty();
    dirty.rig.viewer(0, 0);
    dirty.rig.settle();
    dirty.build(HERE);
    let root = dirty.rig.index().root(HERE).expect("loaded");
    dirty.rig.app.world_mut().despawn(root);
    assert!(!dirty.mark(HERE));
    dirty.rig.settle();
    assert_eq!(dirty.dirty(), 0);
    dirty.rig.stream_mut().refresh(HERE);
    dirty.rig.settle();
    assert!(dirty.rig.index().contains(HERE) && !dirty.rig.stream().is_dirty(HERE));
    assert_eq!(dirty.calls(), []);
}

#[test]
fn all_that_is_dirty_can_be_saved_at_once_or_in_the_coming_frames() {
    for at_once in [true, false] {
        let mut dirty = dirty();
        dirty.rig.viewer(0, 0);
        dirty.rig.settle();
        dirty.build(NEXT);
        dirty.build(HERE);
        let world = dirty.rig.app.world_mut();
        let count = if at_once {
            ChunkStream::<Pieces>::save_all(world).saved
        } else {
            world.resource_scope(|world, index: Mut<ChunkIndex<Pieces>>| {
                let mut stream = world.resource_mut::<ChunkStream<Pieces>>();
                stream.start_saving_all(&index)
            })
        };
        dirty.rig.settle();
        let reason = SaveReason::SaveAll;
        assert_eq!(dirty.calls(), [(HERE, reason), (NEXT, reason)]);
        assert_eq!((count, dirty.dirty()), (2, 0));
    }
}

#[test]
fn a_component_that_changes_marks_its_chunk_and_one_that_is_spawned_does_not() {
    let mut dirty = dirty();
    let system = mark_changed_chunks::<Pieces, Piece>;
    (dirty.rig.app).add_systems(Update, system.before(StreamingSystems::Scan));
    let viewer = dirty.rig.viewer(0, 0);
    dirty.rig.settle();
    assert_eq!(dirty.dirty(), 0);
    let change = |dirty: &mut Dirty, root: Entity| {
        let world = dirty.rig.app.world_mut();
        let piece = world.get::<Children>(root).expect("it has pieces")[0];
        world.get_mut::<Piece>(piece).expect("a piece").0 += 1;
    };
    let [here, next] = [HERE, NEXT].map(|coord| dirty.rig.index().root(coord).expect("loaded"));
    change(&mut dirty, here);
    dirty.rig.frame();
    assert!(dirty.rig.stream().is_dirty(HERE));
    assert_eq!(dirty.dirty(), 1);
    // Also where it is on its way out.
    dirty.set_chunks(Some(0));
    dirty.rig.move_to(viewer, 50, 0);
    dirty.rig.frame();
    change(&mut dirty, next);
    dirty.rig.frame();
    assert_eq!(dirty.dirty(), 2);
    dirty.set_chunks(None);
    dirty.rig.settle();
    assert_eq!(dirty.calls().len(), 2);
    // Pieces of a chunk that came back as it was.
    dirty.rig.move_to(viewer, 0, 0);
    dirty.rig.settle();
    assert_eq!(dirty.dirty(), 0);
}

#[test]
fn a_chunk_that_stands_is_clean_when_it_was_saved_after_a_failure() {
    let mut dirty = dirty();
    dirty.rig.viewer(0, 0);
    dirty.rig.settle();
    dirty.build(HERE);
    dirty.is_full.store(true, Ordering::Relaxed);
    assert!(dirty.rig.stream_mut().refresh(HERE));
    dirty.rig.frames(3);
    assert_eq!((dirty.saved(HERE), dirty.rig.stream().dirty()), (None, 1));
    dirty.is_full.store(false, Ordering::Relaxed);
    let report = ChunkStream::<Pieces>::save_all(dirty.rig.app.world_mut());
    assert_eq!((report.saved, report.failed.len()), (1, 0));
    let stream = dirty.rig.stream();
    assert!(!stream.is_dirty(HERE) && stream.dirty() == 0);
    dirty.calls();
    dirty.rig.frames(500);
    assert_eq!(dirty.saved(HERE), Some(PIECES + 1));
}
