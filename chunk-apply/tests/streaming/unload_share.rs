//! How loading and unloading divide a frame.

use crate::budget_costs::{Prices, rig};
use bevy_ecs::entity::Entity;
use chunk_apply::ApplyBudget;
use std::time::Duration;

#[test]
fn where_there_is_time_for_one_only_loading_and_unloading_take_turns() {
    let prices = Prices {
        spawn: 300,
        despawn: 300,
        ..Prices::default()
    };
    let mut rig = rig(1, 2, ApplyBudget::time(Duration::from_micros(400)), prices);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.move_to(viewer, 10, 0);
    rig.frames(2);
    let mut turns = Vec::new();
    while !rig.stream().is_settled() {
        rig.frame();
        let frame = rig.stream().last_frame().apply;
        assert!(frame.spent <= Duration::from_micros(400), "{frame:?}");
        turns.push((frame.spawned, frame.despawned));
    }
    // A frame may spawn a root alone, so that both are seen in any four frames in which both have work.
    for four in turns.windows(4).take(12) {
        let spawned: usize = four.iter().map(|turn| turn.0).sum();
        let despawned: usize = four.iter().map(|turn| turn.1).sum();
        assert!(spawned > 0 && despawned > 0, "{turns:?}");
    }
}

/// Pieces despawned in the first frame in which as much waits for loading as for unloading, and which
/// is long enough for a hundred of either.
fn despawned_while_busy(share: f32, loaded_elsewhere: bool) -> usize {
    let prices = Prices {
        spawn: 10,
        despawn: 10,
        ..Prices::default()
    };
    let budget = ApplyBudget {
        unload_share: share,
        ..ApplyBudget::unlimited()
    };
    let mut rig = rig(40, 3, budget, prices);
    let viewer = rig.viewer(0, 0);
    if loaded_elsewhere {
        for x in 1..=20 {
            rig.viewer(x * 100, 100);
        }
    }
    rig.settle();
    rig.stream_mut().budget.time = Some(Duration::from_millis(1));
    rig.move_to(viewer, 10, 0);
    rig.frame();
    rig.frame();
    let frame = rig.stream().last_frame().apply;
    assert!(
        frame.spawned > 0 && rig.stream().unloading() > 0,
        "{frame:?}"
    );
    assert!(rig.stream().backlog() > 0, "loading is busy");
    frame.despawned
}

#[test]
fn unloading_has_its_share_while_loading_is_busy() {
    for (share, expected) in [(0.2, 15..=20), (0.5, 44..=50)] {
        let despawned = despawned_while_busy(share, true);
        assert!(expected.contains(&despawned), "{share}: {despawned}");
    }
}

#[test]
fn unloading_has_more_than_its_share_while_more_waits_for_it_than_is_loaded() {
    let despawned = despawned_while_busy(0.2, false);
    assert!((70..=80).contains(&despawned), "{despawned}");
}

#[test]
fn roots_despawned_by_somebody_no_longer_count_as_loaded() {
    let prices = Prices {
        spawn: 10,
        despawn: 10,
        ..Prices::default()
    };
    let mut rig = rig(40, 3, ApplyBudget::unlimited(), prices);
    let viewer = rig.viewer(0, 0);
    for _ in 0..20 {
        rig.settle();
        let roots: Vec<Entity> = rig.index().iter().map(|(_, chunk)| chunk.root).collect();
        for root in roots {
            rig.app.world_mut().despawn(root);
        }
        rig.frame();
        for coord in rig.stream().wanted().iter().collect::<Vec<_>>() {
            rig.stream_mut().refresh(coord);
        }
    }
    rig.settle();
    rig.stream_mut().budget.time = Some(Duration::from_millis(1));
    rig.move_to(viewer, 10, 0);
    rig.frames(2);
    let despawned = rig.stream().last_frame().apply.despawned;
    assert!(
        (70..=80).contains(&despawned),
        "pressure is felt: {despawned}"
    );
}
