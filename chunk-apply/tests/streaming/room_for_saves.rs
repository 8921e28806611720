//! Saves that wait for room: nothing fails, nothing is lost, and what waits is bounded.

use crate::rig::{PIECES, Pieces, Rig, config, generator, grid, spawner};
#[cfg(feature = "visibility")]
use bevy_camera::visibility::Visibility;
use chunk_apply::{
    ChunkRoot, ChunkStatus, ChunkStream, ChunkStreamingPlugin, ManualClock, SavePolicy, SaveReason,
    StreamingConfig,
};
use chunk_coord::ChunkCoord;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// A stream that saves each chunk into one of a number of places.
struct Room {
    rig: Rig,
    places: Arc<AtomicUsize>,
    asked: Arc<AtomicUsize>,
}

fn room(max_kept: usize) -> Room {
    let (places, asked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (taken, free, count) = (places.clone(), places.clone(), asked.clone());
    let saving = SavePolicy {
        max_kept,
        ..SavePolicy::default()
    };
    let plugin = ChunkStreamingPlugin::new(grid(), generator(), spawner())
        .with_config(StreamingConfig { saving, ..config() })
        .with_save_hook(move |_, chunk| {
            if chunk.reason != SaveReason::SaveAll {
                let before = taken.fetch_sub(1, Ordering::Relaxed);
                assert!(before > 0, "{chunk:?} is saved without room");
            }
            Ok(())
        })
        .with_room_for_saves(move || {
            count.fetch_add(1, Ordering::Relaxed);
            free.load(Ordering::Relaxed) > 0
        });
    let rig = Rig::build(ManualClock::default(), plugin);
    Room { rig, places, asked }
}

impl Room {
    fn roots(&mut self) -> usize {
        let world = self.rig.app.world_mut();
        world.query::<&ChunkRoot>().iter(world).count()
    }

    fn unsaved(&self) -> usize {
        self.rig.stream().snapshot(self.rig.index()).unsaved_chunks
    }
}

#[test]
fn what_leaves_waits_hidden_until_there_is_room_and_nothing_has_failed() {
    let mut room = room(1_024);
    let viewer = room.rig.viewer(0, 0);
    room.rig.settle();
    let asked = room.asked.load(Ordering::Relaxed);
    assert_eq!(asked, 0, "nothing was to be saved");
    let root = room.rig.index().root(ChunkCoord::ORIGIN).expect("loaded");
    room.rig.app.world_mut().despawn(viewer);
    room.rig.frames(100);
    assert!(room.rig.app.world().get_entity(root).is_ok());
    #[cfg(feature = "visibility")]
    assert_eq!(
        room.rig.app.world().get::<Visibility>(root),
        Some(&Visibility::Hidden)
    );
    assert_eq!((room.unsaved(), room.rig.stream().unloading()), (29, 29));
    assert_eq!(room.rig.stream().totals().save_failures, 0);
    let pending = room.rig.stream().pending_save(ChunkCoord::ORIGIN);
    let pending = pending.expect("it waits");
    assert!(pending.waits_for_room && pending.failures == 0);
    let status = room
        .rig
        .stream()
        .explain(room.rig.index(), ChunkCoord::ORIGIN);
    assert_eq!(status, ChunkStatus::Unsaved(pending));
    assert!(status.to_string().contains("no room"), "{status}");
    assert!(!room.rig.stream().is_settled());
    room.places.store(10, Ordering::Relaxed);
    room.rig.frames(3);
    assert_eq!((room.unsaved(), room.rig.stream().totals().saved), (19, 10));
    room.places.store(19, Ordering::Relaxed);
    room.rig.settle();
    assert_eq!((room.roots(), room.unsaved()), (0, 0));
}

#[test]
fn a_chunk_that_waits_for_room_is_taken_back_as_it_is() {
    let mut room = room(1_024);
    let viewer = room.rig.viewer(0, 0);
    room.rig.settle();
    let root = room.rig.index().root(ChunkCoord::ORIGIN);
    room.rig.move_to(viewer, 50, 0);
    room.rig.frames(10);
    assert_eq!(room.rig.index().len(), 29, "it loads beside what waits");
    room.rig.move_to(viewer, 0, 0);
    room.rig.frames(10);
    assert_eq!(room.rig.index().root(ChunkCoord::ORIGIN), root);
    assert_eq!(room.rig.stream().totals().saved, 0);
}

#[test]
fn a_chunk_that_is_to_be_made_anew_stands_until_there_is_room() {
    let mut room = room(1_024);
    room.rig.viewer(0, 0);
    room.rig.settle();
    assert!(room.rig.stream_mut().refresh(ChunkCoord::ORIGIN));
    room.rig.frames(50);
    let version = |room: &Room| {
        room.rig
            .index()
            .chunk(ChunkCoord::ORIGIN)
            .expect("it stands")
    };
    let before = version(&room);
    assert_eq!(
        room.rig.stream().scheduler().state(ChunkCoord::ORIGIN),
        None
    );
    assert_eq!(room.unsaved(), 0, "it is not one of those that left");
    room.places.store(1, Ordering::Relaxed);
    room.rig.settle();
    assert!(version(&room).version > before.version);
    assert_eq!(room.rig.pieces(), 29 * PIECES);
}

#[test]
fn a_slow_disk_slows_loading_down_and_memory_stays_bounded() {
    for places in [0, 1, 3] {
        let mut room = room(60);
        let viewer = room.rig.viewer(0, 0);
        for step in 0..300 {
            room.rig.move_to(viewer, step, 0);
            room.places.store(places, Ordering::Relaxed);
            room.rig.frame();
            // What was loaded when the bound was met leaves later.
            let most = 60 + 29 + 20;
            assert!(room.roots() <= most, "{} with {places}", room.roots());
        }
        assert!(room.unsaved() >= 60 - places, "{}", room.unsaved());
        room.places.store(10_000, Ordering::Relaxed);
        room.rig.settle();
        let loaded = room.rig.index().len();
        assert!((29..=49).contains(&loaded), "{loaded}");
        assert_eq!(room.roots(), loaded);
    }
}

#[test]
fn saving_everything_does_not_wait_for_room() {
    let mut room = room(1_024);
    room.rig.viewer(0, 0);
    room.rig.settle();
    let report = ChunkStream::<Pieces>::save_all(room.rig.app.world_mut());
    assert_eq!((report.saved, report.failed.len()), (29, 0));
}
