//! What happened to chunks, for systems that want to know.

use bevy_ecs::{entity::Entity, message::Message};
use chunk_coord::ChunkCoord;
use core::{fmt, marker::PhantomData, time::Duration};

macro_rules! message {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        ///
        /// The parameter is the stream's content type, which tells several streams apart.
        #[derive(Message)]
        pub struct $name<T: Send + Sync + 'static> {
            $($(#[$field_doc])* pub $field: $type,)*
            stream: PhantomData<fn() -> T>,
        }

        impl<T: Send + Sync + 'static> $name<T> {
            pub(crate) fn new($($field: $type),*) -> Self {
                Self { $($field,)* stream: PhantomData }
            }
        }

        // Derived, it would ask for a content that can be shown.
        impl<T: Send + Sync + 'static> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    $(.field(stringify!($field), &self.$field))*
                    .finish()
            }
        }
    };
}

message! {
    /// A chunk is whole and may be seen; also when a new version replaced an older one.
    ChunkLoaded {
        /// Which chunk.
        coord: ChunkCoord,
        /// The parent of its entities.
        root: Entity,
        /// How many entities were spawned under the root.
        entities: usize,
        /// Time since it became wanted; for one that replaced another, since it was last asked for anew.
        latency: Duration,
    }
}

message! {
    /// A chunk is no longer wanted, or somebody despawned its root. It is hidden already; its
    /// entities go within the budgets of the coming frames.
    ChunkUnloaded {
        /// Which chunk.
        coord: ChunkCoord,
    }
}

message! {
    /// A generator or a spawner failed at a chunk.
    ChunkFailed {
        /// Which chunk.
        coord: ChunkCoord,
        /// What the error or the panic said.
        message: String,
        /// How often it was tried.
        attempts: u32,
        /// Whether it will be tried again; if not, it is quarantined until asked for again.
        will_retry: bool,
    }
}
