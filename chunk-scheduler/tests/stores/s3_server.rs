//! A server on this machine that understands S3, for tests. Those of other crates share this file.
#![allow(dead_code, reason = "each test binary uses a part of this")]

use hyper::{
    Method, Request, body::Incoming, server::conn::http1, service::Service, service::service_fn,
};
use hyper_util::rt::TokioIo;
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::Path,
    sync::Arc,
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::Mutex,
};

const BUCKET: &str = "bucket";
const NAME: &str = "a-name-for-tests";
const SECRET: &str = "a-secret-for-tests";

/// A running server with one bucket. It ends when this is dropped; what it has been given stays in its folder.
pub(crate) struct S3Server {
    at: SocketAddr,
    runtime: Option<Runtime>,
}

/// Starts a server on a free port that keeps its objects in this folder.
pub(crate) fn start(folder: &Path) -> S3Server {
    start_at(folder, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
}

/// Starts a server at the address of one that has ended.
pub(crate) fn start_at(folder: &Path, at: SocketAddr) -> S3Server {
    start_with(folder, at, |_: &Request<Incoming>| {})
}

/// Starts a server that calls `before` with each request.
pub(crate) fn start_with(
    folder: &Path,
    at: SocketAddr,
    before: impl Fn(&Request<Incoming>) + Send + Sync + 'static,
) -> S3Server {
    fs::create_dir_all(folder.join(BUCKET)).expect("the folder can be written");
    let mut service = S3ServiceBuilder::new(FileSystem::new(folder).expect("the folder exists"));
    service.set_auth(SimpleAuth::from_single(NAME, SECRET));
    let service = service.build();
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads can be started");
    let listener = TcpListener::bind(at).expect("the port is free");
    let at = listener.local_addr().expect("it is bound");
    listener
        .set_nonblocking(true)
        .expect("a socket can be non-blocking");
    // s3s-fs looks whether an object is there, and then writes. S3 does both at once.
    let one_at_a_time = Arc::new(Mutex::new(()));
    let before = Arc::new(before);
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).expect("it is non-blocking");
        while let Ok((connection, _)) = listener.accept().await {
            let (service, one_at_a_time) = (service.clone(), Arc::clone(&one_at_a_time));
            let before = Arc::clone(&before);
            let service = service_fn(move |request: Request<Incoming>| {
                before(&request);
                let (service, one_at_a_time) = (service.clone(), Arc::clone(&one_at_a_time));
                async move {
                    let _turn = match *request.method() {
                        Method::PUT => Some(one_at_a_time.lock().await),
                        _ => None,
                    };
                    Service::call(&service, request).await
                }
            });
            // Otherwise the kernel holds back the end of an answer for up to 40 ms.
            let _ = connection.set_nodelay(true);
            let connection = TokioIo::new(connection);
            tokio::spawn(http1::Builder::new().serve_connection(connection, service));
        }
    });
    S3Server {
        at,
        runtime: Some(runtime),
    }
}

impl S3Server {
    /// Where it listens.
    pub(crate) fn at(&self) -> SocketAddr {
        self.at
    }

    /// The address of its bucket, to which `/prefix` can be added.
    pub(crate) fn address(&self) -> String {
        format!("s3://{BUCKET}")
    }

    /// The environment variables with which a store finds it, for `BucketStore::open_with` and for other processes.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let endpoint = format!("http://{}", self.at);
        let variables = [
            ("AWS_ENDPOINT", &*endpoint),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", NAME),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        variables.into()
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
