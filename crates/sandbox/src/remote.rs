//! A sandbox that another process serves: where its clock stands, and how fast it runs.
//!
//! Whoever polls a sandbox waits in the sandbox's time, or waits for minutes where seconds are enough.

use crate::wire::Response;
use auroraml_clock::Clock;
use serde::{Deserialize, Serialize};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;

/// Where a listener tells its time. No bucket can have this name: an underscore is not allowed in one.
pub(crate) const CLOCK_PATH: &str = "/_auroraml/clock";
/// Bytes of the answer that are read.
const ANSWER_MAX: usize = 4 << 10;
const ANSWER_TIME: Duration = Duration::from_secs(10);

#[derive(Serialize, Deserialize)]
struct Told {
    /// Milliseconds since the Unix epoch.
    now_ms: u64,
    /// How many of its seconds pass in one of ours.
    speed: f64,
}

/// A listener's answer to who asks for its time.
pub(crate) fn tell(clock: &Clock) -> Response {
    let told = serde_json::json!(Told { now_ms: clock.now_ms(), speed: clock.speed() });
    Response::new(200, "application/json", told.to_string())
}

/// The clock of the sandbox that is served at `address`, running on with it.
///
/// # Errors
/// What the operating system says; `TimedOut` where there is no answer within ten seconds, and `InvalidData` where
/// whoever listens there is no sandbox.
pub async fn clock_at(address: SocketAddr) -> io::Result<Clock> {
    let no_sandbox =
        || io::Error::new(io::ErrorKind::InvalidData, "what listens there is not an auroraml sandbox");
    let answer = tokio::time::timeout(ANSWER_TIME, ask(address)).await?;
    let answer = answer.map_err(|error| match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => no_sandbox(),
        _ => error,
    })?;
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(no_sandbox)?;
    let told: Told = serde_json::from_str(body).map_err(|_| no_sandbox())?;
    if !(head.starts_with("HTTP/1.1 200 ") && told.speed.is_finite() && told.speed > 0.0) {
        return Err(no_sandbox());
    }
    Ok(Clock::starting_at(told.now_ms, told.speed))
}

async fn ask(address: SocketAddr) -> io::Result<Vec<u8>> {
    let stream = TcpStream::connect(address).await?;
    let request = format!("GET {CLOCK_PATH} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut rest = request.as_bytes();
    while !rest.is_empty() {
        stream.writable().await?;
        match stream.try_write(rest) {
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    let (mut answer, mut part) = (Vec::new(), [0; 1024]);
    while answer.len() < ANSWER_MAX {
        stream.readable().await?;
        match stream.try_read(&mut part) {
            Ok(0) => break,
            Ok(read) => answer.extend_from_slice(&part[..read]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(answer)
}
