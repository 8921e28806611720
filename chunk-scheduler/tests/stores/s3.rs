//! The store in a bucket of a server.

use crate::{
    folder::Folder,
    s3_server::{self, S3Server},
    suite::{Place, suite},
};
use bevy_tasks::block_on;
use chunk_scheduler::store::{BucketStore, Store, StoreError, StoreErrorKind};
use std::{
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener},
    thread,
};

struct OnServer {
    server: S3Server,
    _folder: Folder,
}

impl Place for OnServer {
    type Store = BucketStore;

    fn new(test: &'static str) -> Self {
        let folder = Folder::new(&format!("s3-{test}"));
        Self {
            server: s3_server::start(&folder.join("")),
            _folder: folder,
        }
    }

    fn open(&self) -> BucketStore {
        let address = format!("{}/worlds/7", self.server.address());
        BucketStore::open_with(&address, self.server.variables()).unwrap()
    }
}

suite!(OnServer);

fn server(test: &str) -> (S3Server, Folder) {
    let folder = Folder::new(&format!("s3-{test}"));
    (s3_server::start(&folder.join("")), folder)
}

fn open(server: &S3Server, prefix: &str) -> Result<BucketStore, StoreError> {
    let address = format!("{}{prefix}", server.address());
    BucketStore::open_with(&address, server.variables())
}

fn batch(text: &str) -> [(String, Vec<u8>); 1] {
    [("chunks/0,0,0".to_owned(), text.into())]
}

#[test]
fn prefixes_are_stores_of_their_own() {
    let (server, _folder) = server("prefixes");
    let prefixes = ["/worlds/7", "/worlds/70", "/worlds/8/", ""];
    // The last would find what is not its own, if it were opened later.
    let stores = prefixes.map(|prefix| open(&server, prefix).unwrap());
    for (store, prefix) in stores.iter().zip(prefixes) {
        block_on(store.save(&batch(prefix))).unwrap();
    }
    for (store, prefix) in stores[..3].iter().zip(prefixes) {
        assert_eq!(block_on(store.list("")).unwrap(), ["chunks/0,0,0"]);
        let found = block_on(store.load("chunks/0,0,0")).unwrap();
        assert_eq!(found.unwrap(), prefix.as_bytes());
    }
}

#[test]
fn a_server_that_is_gone_is_an_error_and_then_the_store_goes_on() {
    let (first, folder) = server("gone");
    let store = open(&first, "").unwrap();
    block_on(store.save(&batch("one"))).unwrap();
    let at = first.at();
    drop(first);
    let error = block_on(store.load("chunks/0,0,0")).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}");
    let _server = s3_server::start_at(&folder.join(""), at);
    assert_eq!(
        block_on(store.load("chunks/0,0,0")).unwrap().unwrap(),
        b"one"
    );
    block_on(store.save(&batch("two"))).unwrap();
}

#[test]
fn credentials_that_are_wrong_and_buckets_that_are_not_there_are_refused() {
    let (server, _folder) = server("wrong");
    let wrong = |name: &str, value: &str| {
        let variables = server.variables().into_iter();
        let variables = variables.map(|(key, given)| match key == name {
            true => (key, value.to_owned()),
            false => (key, given),
        });
        BucketStore::open_with(&server.address(), variables).unwrap_err()
    };
    for error in [
        wrong("AWS_SECRET_ACCESS_KEY", "another"),
        wrong("AWS_ACCESS_KEY_ID", "another"),
        wrong("AWS_ALLOW_HTTP", "perhaps"),
        BucketStore::open_with("s3://absent/a", server.variables()).unwrap_err(),
    ] {
        assert_eq!(error.kind, StoreErrorKind::Setting, "{error}");
        assert!(error.message.contains("s3://"), "{error}");
    }
}

#[test]
fn a_bucket_of_something_else_is_refused() {
    let (server, folder) = server("other");
    fs::write(folder.join("bucket/letter.txt"), "Dear").unwrap();
    let error = open(&server, "").unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Foreign, "{error}");
    open(&server, "/worlds").unwrap();
}

#[test]
fn a_server_that_does_not_know_conditions_is_refused_before_anything_is_lost() {
    let folder = Folder::new("s3-conditions");
    let at = (Ipv4Addr::LOCALHOST, 0).into();
    let mark = folder.join("bucket/chunk-scheduler-store");
    let server = s3_server::start_with(&folder.join(""), at, move |request| {
        if request.method() == "PUT" {
            let _ = fs::remove_file(&mark);
        }
    });
    let store = open(&server, "").unwrap();
    let error = block_on(store.create("a", b"one")).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Setting, "{error}");
    assert_eq!(block_on(store.load("a")).unwrap(), None);
}

#[test]
fn what_does_not_know_the_store_says_nothing_about_its_values() {
    // As a proxy does, or the server of something else.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let _ = connection.read(&mut [0; 4096]);
            let _ = connection.write_all(b"HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n");
        }
    });
    let (server, _folder) = server("unknown");
    let variables = server.variables().into_iter();
    let variables = variables.map(|(key, given)| match &*key {
        "AWS_ENDPOINT" => (key, endpoint.clone()),
        _ => (key, given),
    });
    let error = BucketStore::open_with(&server.address(), variables).unwrap_err();
    assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}");
    assert!(error.message.contains("404"), "{error}");
}

#[test]
fn a_bucket_that_another_process_marks_in_the_meantime_is_not_refused() {
    let folder = Folder::new("s3-marked");
    let at = (Ipv4Addr::LOCALHOST, 0).into();
    let mark = folder.join("bucket/chunk-scheduler-store");
    let server = s3_server::start_with(&folder.join(""), at, move |request| {
        if request
            .uri()
            .query()
            .is_some_and(|it| it.contains("list-type"))
        {
            fs::write(&mark, "chunk-scheduler store, version 1\n").unwrap();
        }
    });
    let store = open(&server, "").unwrap();
    block_on(store.save(&batch("one"))).unwrap();
}

#[test]
fn what_refuses_or_does_not_find_an_open_store_is_an_outage() {
    let answers = [
        ("403 Forbidden", "<Error><Code>AccessDenied</Code></Error>"),
        (
            "401 Unauthorized",
            "<Error><Code>ExpiredToken</Code></Error>",
        ),
        ("404 Not Found", "<Error><Code>NoSuchBucket</Code></Error>"),
    ];
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let mark = ("200 OK", "chunk-scheduler store, version 1\n");
        let answers = std::iter::once(mark).chain(answers);
        for (connection, (status, body)) in listener.incoming().zip(answers) {
            let mut connection = connection.unwrap();
            let _ = connection.read(&mut [0; 4096]);
            let answer = format!(
                "HTTP/1.1 {status}\r\nconnection: close\r\netag: \"1\"\r\n\
                 last-modified: Thu, 01 Jan 2026 00:00:00 GMT\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let _ = connection.write_all(answer.as_bytes());
        }
    });
    let variables = [
        ("AWS_ENDPOINT", &*endpoint),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "a"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let store = BucketStore::open_with("s3://bucket", variables).unwrap();
    for (status, _) in answers {
        let error = block_on(store.load("chunks/0,0,0")).unwrap_err();
        assert_eq!(error.kind, StoreErrorKind::Unavailable, "{error}");
        assert!(error.message.contains("bucket"), "{status}: {error}");
    }
}
