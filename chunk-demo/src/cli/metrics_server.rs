//! A page of text for whoever asks over HTTP: as much of a server as Prometheus needs, and no more.
#![cfg_attr(
    not(any(test, feature = "metrics")),
    expect(dead_code, reason = "nothing is served without the feature")
)]

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long somebody who asks may wait until the server looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How often the page's source is called when nobody asks.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);
/// Somebody who takes longer to ask, or to take the answer, goes without.
const PATIENCE: Duration = Duration::from_secs(1);
/// No question is longer.
const LONGEST_QUESTION: usize = 8 * 1024;

/// Serves until it is dropped, on a thread of its own.
#[derive(Debug)]
pub(crate) struct MetricsServer {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl MetricsServer {
    /// Listens at `address`. The page is what `page(true)` returns; `page(false)` is called now and then when nobody
    /// asks.
    pub(crate) fn start(
        address: &str,
        page: impl Fn(bool) -> String + Send + 'static,
    ) -> Result<Self, String> {
        let parsed: SocketAddr = address.parse().map_err(|_| {
            format!(
                "--metrics-addr cannot be `{address}`: it must be an address and a port, such as 127.0.0.1:9100"
            )
        })?;
        let cannot =
            |error: io::Error| format!("--metrics-addr {address} cannot be listened on: {error}");
        let listener = TcpListener::bind(parsed).map_err(cannot)?;
        listener.set_nonblocking(true).map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let is_over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&is_over);
        let thread = thread::Builder::new()
            .name("metrics".to_owned())
            .spawn(move || serve(&listener, &seen, &page))
            .map_err(cannot)?;
        Ok(Self {
            address,
            is_over,
            thread: Some(thread),
        })
    }

    /// Where it listens, with the port that it got.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for MetricsServer {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // What it panicked with is on standard error already.
            let _ = thread.join();
        }
    }
}

fn serve(listener: &TcpListener, is_over: &AtomicBool, page: &impl Fn(bool) -> String) {
    let mut last = Instant::now();
    while !is_over.load(Ordering::Acquire) {
        match listener.accept() {
            // Somebody who asks wrongly, or hangs up, is no reason to stop.
            Ok((asker, _)) => {
                let _ = answer(asker, page);
            }
            Err(_) => thread::park_timeout(LOOK_EVERY),
        }
        if last.elapsed() >= UPKEEP_EVERY {
            last = Instant::now();
            page(false);
        }
    }
}

fn answer(mut asker: TcpStream, page: &impl Fn(bool) -> String) -> io::Result<()> {
    asker.set_nonblocking(false)?;
    asker.set_read_timeout(Some(PATIENCE))?;
    asker.set_write_timeout(Some(PATIENCE))?;
    let question = question(&mut asker)?;
    let mut words = question.split(' ');
    let (status, text) = match (words.next(), words.next()) {
        (Some("GET"), Some("/" | "/metrics")) => ("200 OK", page(true)),
        (Some("GET"), _) => ("404 Not Found", "The figures are at /metrics.\n".to_owned()),
        _ => (
            "405 Method Not Allowed",
            "Only GET is answered.\n".to_owned(),
        ),
    };
    write!(
        asker,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{text}",
        text.len()
    )?;
    asker.flush()
}

/// The question with its headers, which nobody looks at; they must be read, or hanging up would reset the connection.
fn question(asker: &mut TcpStream) -> io::Result<String> {
    let start = Instant::now();
    let mut question = Vec::new();
    let mut part = [0; 1024];
    while !question.windows(4).any(|end| end == b"\r\n\r\n") {
        if question.len() > LONGEST_QUESTION || start.elapsed() > PATIENCE {
            return Err(ErrorKind::InvalidData.into());
        }
        match asker.read(&mut part)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            read => question.extend_from_slice(&part[..read]),
        }
    }
    Ok(String::from_utf8_lossy(&question).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(address: SocketAddr, question: &str) -> io::Result<String> {
        let mut asker = TcpStream::connect(address)?;
        write!(asker, "{question} HTTP/1.1\r\nHost: here\r\n\r\n")?;
        let mut answer = String::new();
        asker.read_to_string(&mut answer)?;
        Ok(answer)
    }

    #[test]
    fn it_answers_until_it_is_dropped() {
        let server = MetricsServer::start("127.0.0.1:0", |_| "chunk_loaded 3\n".to_owned());
        let server = server.expect("some port is free");
        let address = server.address();
        assert_ne!(address.port(), 0);
        let answer = |question| ask(address, question).expect("it listens");
        let page = answer("GET /metrics");
        assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
        assert!(page.contains("Content-Length: 15\r\n"), "{page}");
        assert!(page.ends_with("\r\n\r\nchunk_loaded 3\n"), "{page}");
        assert!(answer("GET /other").starts_with("HTTP/1.1 404 "));
        assert!(answer("PUT /metrics").starts_with("HTTP/1.1 405 "));
        // Somebody who hangs up at once does not end it.
        drop(TcpStream::connect(address).expect("it listens"));
        assert!(answer("GET /").starts_with("HTTP/1.1 200 "));
        drop(server);
        assert!(ask(address, "GET /").is_err(), "nobody listens any more");
    }

    #[test]
    fn an_address_that_is_none_or_taken_is_refused_in_a_sentence() {
        let refused = |address: &str| MetricsServer::start(address, |_| String::new()).err();
        let error = refused("nowhere").expect("it has no port");
        assert!(
            error.starts_with("--metrics-addr cannot be `nowhere`: "),
            "{error}"
        );
        let other = TcpListener::bind("127.0.0.1:0").expect("some port is free");
        let taken = other.local_addr().expect("it has an address").to_string();
        let error = refused(&taken).expect("it is taken");
        assert!(error.contains("cannot be listened on"), "{error}");
    }
}
