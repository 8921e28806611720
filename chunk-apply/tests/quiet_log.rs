//! What a stream with its defaults writes to the log. A program of its own, because a process has one log.
#![cfg(feature = "streaming")]

use bevy_app::{App, TaskPoolPlugin};
use bevy_transform::TransformPlugin;
use chunk_apply::prelude::*;
use std::{
    io::{self, Write},
    mem::take,
    sync::Mutex,
};

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().expect("nothing panicked").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn logged() -> String {
    let bytes = take(&mut *LOG.lock().expect("nothing panicked"));
    String::from_utf8(bytes).expect("it is text")
}

struct Rocks;
struct Trees;

fn stream<T: Send + Sync + 'static>(content: fn() -> T) -> ChunkStreamingPlugin<T> {
    ChunkStreamingPlugin::new(
        ChunkGrid::planar(16.0).expect("16 is a size"),
        Generator::new(move |_: &Job<ChunkCoord>| content()),
        Spawner::new(|_, _, _| {}),
    )
}

fn run(mut app: App) {
    app.finish();
    app.cleanup();
    app.world_mut().spawn(ChunkViewer::default());
    while app.world().resource::<ChunkIndex<Rocks>>().len() < 441 {
        app.update();
    }
}

#[test]
fn nothing_is_logged_by_default_and_missing_transforms_are_once() {
    let subscriber = tracing_subscriber::fmt().with_writer(|| Log);
    tracing::subscriber::set_global_default(subscriber.with_ansi(false).finish())
        .expect("the process has none yet");

    let mut app = App::new();
    app.add_plugins((TaskPoolPlugin::default(), TransformPlugin));
    app.add_plugins((stream(|| Rocks), stream(|| Trees)));
    run(app);
    assert_eq!(logged(), "");

    let mut app = App::new();
    app.add_plugins((stream(|| Rocks), stream(|| Trees)));
    run(app);
    let logged = logged();
    assert_eq!(logged.lines().count(), 1, "{logged}");
    assert!(logged.contains("TransformPlugin"), "{logged}");
}
