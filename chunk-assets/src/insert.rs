//! Inserts an asset where there is none.

use bevy_asset::{Asset, Assets, Handle};

/// Inserts the asset unless there is one. Returns whether it was inserted.
pub(crate) fn insert_if_absent<A: Asset>(
    assets: &mut Assets<A>,
    handle: &Handle<A>,
    stock: impl FnOnce() -> A,
) -> bool {
    !assets.contains(handle) && assets.insert(handle, stock()).is_ok()
}
