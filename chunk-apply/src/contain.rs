//! Runs user code that gets the `World` so that a panic in it ends nothing but itself.

use crate::spawn::{SpawnError, visibility};
use bevy_ecs::{entity::Entity, hierarchy::ChildOf, world::World};

/// How often commands are flushed that a panic left behind, if they panic as well.
const FLUSHES: usize = 64;

/// Runs user code and turns a panic in it into an error. The commands that the panic left in the queue are applied as
/// well, so that none of them panics where nobody expects it.
pub(crate) fn contain<R>(
    world: &mut World,
    run: impl FnOnce(&mut World) -> R,
) -> Result<R, SpawnError> {
    SpawnError::catch(|| run(world)).inspect_err(|_| flush(world))
}

/// Applies the commands that a panic left behind. Each that panics is gone from the queue.
#[cold]
pub(crate) fn flush(world: &mut World) {
    for _ in 0..FLUSHES {
        if SpawnError::catch(|| world.flush()).is_ok() {
            return;
        }
    }
}

/// Despawns an entity with all of its descendants. `children` are those that it has.
///
/// # Errors
///
/// When an observer or a hook panicked. What is left of the entity and its children is [abandoned](abandon); what is
/// further down stays as Bevy leaves it.
pub(crate) fn despawn(
    world: &mut World,
    entity: Entity,
    children: &[Entity],
) -> Result<(), SpawnError> {
    let despawned = contain(world, |world| _ = world.try_despawn(entity));
    despawned.inspect_err(|_| {
        for left in children.iter().chain([&entity]) {
            let _ = abandon(world, *left);
        }
    })
}

/// Tries to despawn an entity after a panic, twice, because the panic may have been another's. Bevy cannot despawn it as
/// long as one of its hooks and observers panics: then it stays, hidden and without a parent. Returns whether it has none.
#[cold]
pub(crate) fn abandon(world: &mut World, entity: Entity) -> bool {
    for _ in 0..2 {
        if world.get_entity(entity).is_err() {
            return true;
        }
        let _ = contain(world, |world| world.try_despawn(entity));
    }
    let _ = visibility::hide(world, entity);
    let _ = contain(world, |world| {
        if let Ok(mut entity) = world.get_entity_mut(entity) {
            entity.remove::<ChildOf>();
        }
    });
    world.get::<ChildOf>(entity).is_none()
}
