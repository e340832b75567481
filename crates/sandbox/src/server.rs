//! The sandbox behind a socket, so that the AWS CLI, boto3 and anything else that speaks to AWS can use it.
//!
//! **Invariants.** Only loopback addresses are served: nothing here checks a signature. Everything has a
//! limit: connections, headers, bodies, and the time that each may take. A connection on which nothing is being answered
//! makes room when others wait for a place. Prints nothing.

use crate::decode::decode;
use crate::remote;
use crate::sandbox::Sandbox;
use crate::wire::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, Id, JoinSet};
use tokio::time::Instant;

/// Connections at once; more wait in the operating system's queue until one ends or makes room.
const CONNECTIONS_MAX: usize = 256;
/// How long a connection may be without a request that is being answered before it has to make room for others.
const IDLE_TIME: Duration = Duration::from_secs(1);
/// Bytes of one request body.
const BODY_MAX: usize = 64 << 20;
/// Bytes of a request's line and headers.
const HEADERS_MAX: usize = 64 << 10;
/// For the headers of a request, and between two requests of a connection.
const HEADERS_TIME: Duration = Duration::from_secs(30);
const BODY_TIME: Duration = Duration::from_secs(60);
/// For requests under way when the listener stops.
const STOP_TIME: Duration = Duration::from_secs(5);

/// One request that was served, for whoever wants to show it. No payload is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub method: String,
    pub region: String,
    pub service: String,
    pub operation: String,
    /// `None` when the connection was broken on purpose.
    pub status: Option<u16>,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}:{} ", self.method, self.region, self.service, self.operation)?;
        match self.status {
            Some(status) => write!(f, "{status}"),
            None => f.write_str("connection reset"),
        }
    }
}

/// A socket that is bound and not served yet.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Binds `address`; port 0 takes any free port.
    ///
    /// # Errors
    /// `InvalidInput` unless the address is a loopback address, and what the operating system says.
    pub async fn bind(address: SocketAddr) -> io::Result<Listener> {
        if !address.ip().is_loopback() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "the sandbox listens only on this machine (loopback addresses), not on {}",
                    address.ip()
                ),
            ));
        }
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Listener { listener, address })
    }

    /// Where it listens, with the port that was taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves the sandbox until `stop` completes, then lets requests under way end for a few seconds.
    /// `seen` is told of every request after its answer is known.
    ///
    /// # Errors
    /// What the operating system says when it accepts no more connections at all.
    pub async fn serve(
        self,
        sandbox: Sandbox,
        stop: impl Future<Output = ()>,
        seen: impl Fn(&Line) + Send + Sync + 'static,
    ) -> io::Result<()> {
        let seen: Seen = Arc::new(seen);
        let clock = auroraml_clock::Clock::real();
        let mut connections = JoinSet::new();
        let mut guests: BTreeMap<Id, Guest> = BTreeMap::new();
        tokio::pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                Some(ended) = connections.join_next_with_id() => {
                    guests.remove(&ended.map_or_else(|error| error.id(), |(id, ())| id));
                    continue;
                }
                accepted = self.listener.accept(), if guests.len() < CONNECTIONS_MAX => accepted,
                () = clock.sleep(IDLE_TIME / 4), if guests.len() >= CONNECTIONS_MAX => {
                    make_room(&guests);
                    continue;
                }
            };
            match accepted {
                Ok((stream, _)) => {
                    let idle = Idle::default();
                    let served = connection(stream, sandbox.clone(), Arc::clone(&seen), idle.clone());
                    let handle = connections.spawn(served);
                    guests.insert(handle.id(), Guest { idle, handle });
                }
                // Out of file descriptors, say: trying again at once would only spin.
                Err(error) if is_passing(&error) => clock.sleep(Duration::from_millis(50)).await,
                Err(error) => return Err(error),
            }
        }
        drop(self.listener);
        // What is being answered may end; nobody waits for more requests.
        for guest in guests.values().filter(|guest| guest.idle.since().is_some()) {
            guest.handle.abort();
        }
        let all = async { while connections.join_next().await.is_some() {} };
        // What has not ended by then is dropped with the set.
        let _ = tokio::time::timeout(STOP_TIME, all).await;
        Ok(())
    }
}

/// A connection from outside.
struct Guest {
    idle: Idle,
    handle: AbortHandle,
}

/// Since when a connection has no request that is being answered: it is between two requests, or sends one.
#[derive(Clone)]
struct Idle(Arc<Mutex<Option<Instant>>>);

impl Default for Idle {
    fn default() -> Idle {
        Idle(Arc::new(Mutex::new(Some(Instant::now()))))
    }
}

impl Idle {
    fn since(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, since: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }
}

/// Ends the connections that have been idle for longest, if that is long enough: several, because as many may wait.
fn make_room(guests: &BTreeMap<Id, Guest>) {
    let idle = guests.values().filter_map(|guest| Some((guest.idle.since()?.elapsed(), guest)));
    let mut idle: Vec<_> = idle.filter(|(time, _)| *time >= IDLE_TIME).collect();
    idle.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
    for (_, guest) in idle.into_iter().take(CONNECTIONS_MAX / 4) {
        guest.handle.abort();
    }
}

/// Serves `sandbox` on `address` until `stop` completes: [`Listener::bind`] and [`Listener::serve`].
///
/// # Errors
/// As [`Listener::bind`].
pub async fn listen(
    sandbox: Sandbox,
    address: SocketAddr,
    stop: impl Future<Output = ()>,
    seen: impl Fn(&Line) + Send + Sync + 'static,
) -> io::Result<()> {
    Listener::bind(address).await?.serve(sandbox, stop, seen).await
}

type Seen = Arc<dyn Fn(&Line) + Send + Sync>;

/// Errors of one connection, or of a shortage that ends.
fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    // ENFILE and EMFILE have no kind of their own.
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
        || matches!(error.raw_os_error(), Some(23 | 24))
}

async fn connection(stream: TcpStream, sandbox: Sandbox, seen: Seen, idle: Idle) {
    // Small answers should leave at once; without it they merely leave later.
    let _ = stream.set_nodelay(true);
    let service =
        service_fn(move |request| answer(request, sandbox.clone(), Arc::clone(&seen), idle.clone()));
    // A broken connection, ours or the client's, concerns nobody else.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_TIME)
        .max_buf_size(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// An error makes hyper drop the connection without an answer.
async fn answer(
    request: hyper::Request<Incoming>,
    sandbox: Sandbox,
    seen: Seen,
    idle: Idle,
) -> Result<hyper::Response<Full<Bytes>>, io::Error> {
    let request = match tokio::time::timeout(BODY_TIME, read(request)).await {
        Ok(Ok(request)) => request,
        Ok(Err(status)) => return Ok(plain(status)),
        Err(_) => return Ok(plain(408)),
    };
    idle.set(None);
    let answer = respond(request, &sandbox, &seen).await;
    idle.set(Some(Instant::now()));
    answer
}

async fn respond(
    request: Request,
    sandbox: &Sandbox,
    seen: &Seen,
) -> Result<hyper::Response<Full<Bytes>>, io::Error> {
    let head = request.method == "HEAD";
    if request.path == remote::CLOCK_PATH {
        return write(remote::tell(&sandbox.clock()), head);
    }
    let call = decode(request, sandbox.clock().now_ms());
    let response = sandbox.carry_out(&call).await;
    seen(&Line {
        method: call.request.method,
        region: call.region,
        service: call.service,
        operation: call.operation,
        status: response.as_ref().ok().map(|response| response.status),
    });
    match response {
        Ok(response) => write(response, head),
        // However it was to break: here the socket does, and hyper says what that is to the other side.
        Err(_) => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
    }
}

fn plain(status: u16) -> hyper::Response<Full<Bytes>> {
    let mut response = hyper::Response::new(Full::default());
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    // The rest of the body was not read: the connection cannot be used again.
    response
        .headers_mut()
        .insert(hyper::header::CONNECTION, hyper::header::HeaderValue::from_static("close"));
    response
}

/// The request, or the status with which it is refused.
async fn read(request: hyper::Request<Incoming>) -> Result<Request, u16> {
    let (head, body) = request.into_parts();
    // A body that says it is too long is refused before it is sent.
    if body.size_hint().lower() > BODY_MAX as u64 {
        return Err(413);
    }
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(name.as_str().to_string())
            .and_modify(|present| {
                present.push(',');
                present.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    let body = match Limited::new(body, BODY_MAX).collect().await {
        Ok(body) => body.to_bytes().to_vec(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => return Err(413),
        Err(_) => return Err(400),
    };
    Ok(Request {
        method: head.method.as_str().to_string(),
        path: head.uri.path().to_string(),
        query: head.uri.query().unwrap_or_default().to_string(),
        headers,
        body,
    })
}

fn write(response: Response, head: bool) -> Result<hyper::Response<Full<Bytes>>, io::Error> {
    let mut builder = hyper::Response::builder().status(response.status);
    for (name, value) in response.headers {
        // The length is hyper's to say, except where the body is left out and its length is the answer.
        if head || !name.eq_ignore_ascii_case("content-length") {
            builder = builder.header(name, value);
        }
    }
    let body = if head { Vec::new() } else { response.body };
    builder.body(Full::new(Bytes::from(body))).map_err(io::Error::other)
}
