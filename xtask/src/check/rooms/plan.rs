//! The table: each crate and what it may depend on. The same is said in ARCHITECTURE.md, in words.

/// What one crate may depend on: of this workspace, of Bevy, and of everything else.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) name: &'static str,
    pub(super) siblings: Allowed,
    pub(super) bevy: Allowed,
    pub(super) others: Allowed,
}

#[derive(Debug)]
pub(super) enum Allowed {
    All,
    /// Each name with the only feature that may switch it on; none where it is always there.
    Only(&'static [(&'static str, Option<&'static str>)]),
}

pub(super) const ROOMS: [Room; 6] = [
    Room {
        name: "chunk-coord",
        siblings: Allowed::Only(&[]),
        bevy: Allowed::Only(&[
            ("bevy_math", None),
            ("bevy_ecs", Some("bevy_ecs")),
            // The clock, which a browser has another of.
            ("bevy_platform", None),
            ("bevy_reflect", Some("bevy_reflect")),
        ]),
        others: Allowed::Only(&[
            ("ahash", None),
            ("hashbrown", None),
            ("serde", Some("serde")),
            ("smallvec", None),
        ]),
    },
    Room {
        name: "chunk-scheduler",
        siblings: Allowed::Only(&[]),
        bevy: Allowed::Only(&[
            ("bevy_tasks", None),
            ("bevy_platform", None),
            ("bevy_ecs", Some("bevy_ecs")),
            ("bevy_reflect", Some("bevy_reflect")),
        ]),
        others: Allowed::Only(&[
            ("ahash", None),
            ("hashbrown", None),
            ("loom", None),
            ("smallvec", None),
            ("tracing", None),
        ]),
    },
    Room {
        name: "chunk-assets",
        siblings: Allowed::Only(&[]),
        bevy: Allowed::Only(&[
            ("bevy_app", None),
            ("bevy_asset", None),
            ("bevy_camera", None),
            ("bevy_color", None),
            ("bevy_ecs", None),
            ("bevy_math", None),
            ("bevy_mesh", None),
            ("bevy_reflect", None),
            ("bevy_transform", None),
            ("bevy_pbr", Some("render")),
            ("bevy_render", Some("render")),
            ("bevy_shader", Some("render")),
        ]),
        others: Allowed::Only(&[("tracing", None)]),
    },
    Room {
        name: "chunk-apply",
        siblings: Allowed::Only(&[
            ("chunk-coord", Some("streaming")),
            ("chunk-scheduler", Some("streaming")),
        ]),
        bevy: Allowed::Only(&[
            ("bevy_app", Some("streaming")),
            ("bevy_diagnostic", Some("streaming")),
            ("bevy_ecs", None),
            ("bevy_math", Some("streaming")),
            ("bevy_platform", None),
            ("bevy_reflect", Some("bevy_reflect")),
            ("bevy_tasks", Some("streaming")),
            ("bevy_time", Some("streaming")),
            ("bevy_transform", Some("streaming")),
            ("bevy_camera", Some("visibility")),
        ]),
        others: Allowed::Only(&[
            ("ahash", Some("streaming")),
            ("metrics", Some("metrics")),
            ("smallvec", None),
            ("tracing", None),
        ]),
    },
    Room {
        name: "chunk-demo",
        siblings: Allowed::All,
        bevy: Allowed::All,
        others: Allowed::All,
    },
    Room {
        name: "xtask",
        siblings: Allowed::Only(&[]),
        bevy: Allowed::Only(&[]),
        others: Allowed::All,
    },
];
