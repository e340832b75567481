//! The sandbox behind a socket, so that the AWS CLI, boto3 and anything else that speaks to AWS can use it.
//!
//! **Invariants.** Only loopback addresses are served: nothing here checks a signature. Everything has a
//! limit: connections, headers, bodies, and the time that each may take. Prints nothing.

use crate::decode::decode;
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
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Connections at once; more wait in the operating system's queue.
const CONNECTIONS_MAX: usize = 256;
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
                format!("the sandbox listens on loopback addresses only, and {} is none", address.ip()),
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
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let (stopping, stopped) = watch::channel(false);
        let mut connections = JoinSet::new();
        tokio::pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                Some(_) = connections.join_next() => continue,
                accepted = accept(&self.listener, &places) => accepted,
            };
            match accepted {
                Ok((stream, place)) => {
                    let served = connection(stream, sandbox.clone(), Arc::clone(&seen), stopped.clone());
                    connections.spawn(async move {
                        served.await;
                        drop(place);
                    });
                }
                Err(error) if is_passing(&error) => {
                    // Out of file descriptors, say: trying again at once would only spin.
                    auroraml_clock::Clock::real().sleep(Duration::from_millis(50)).await;
                }
                Err(error) => return Err(error),
            }
        }
        drop(self.listener);
        // Nobody listens if there is no connection.
        let _ = stopping.send(true);
        let all = async { while connections.join_next().await.is_some() {} };
        // What has not ended by then is dropped with the set.
        let _ = tokio::time::timeout(STOP_TIME, all).await;
        Ok(())
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

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

/// Errors of one connection, or of a shortage that ends.
fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    // ENFILE and EMFILE have no kind of their own.
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
        || matches!(error.raw_os_error(), Some(23 | 24))
}

async fn connection(stream: TcpStream, sandbox: Sandbox, seen: Seen, mut stopped: watch::Receiver<bool>) {
    // Small answers should leave at once; without it they merely leave later.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(request, sandbox.clone(), Arc::clone(&seen)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_TIME)
        .max_buf_size(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    // A broken connection, ours or the client's, concerns nobody else.
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// An error makes hyper drop the connection without an answer.
async fn answer(
    request: hyper::Request<Incoming>,
    sandbox: Sandbox,
    seen: Seen,
) -> Result<hyper::Response<Full<Bytes>>, io::Error> {
    let request = match tokio::time::timeout(BODY_TIME, read(request)).await {
        Ok(Ok(request)) => request,
        Ok(Err(status)) => return Ok(plain(status)),
        Err(_) => return Ok(plain(408)),
    };
    let head = request.method == "HEAD";
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
