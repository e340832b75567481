//! The sandbox behind a socket; and clients that are not ours, which talk to the socket.

use crate::recording::{Who, recorded};
use crate::support::skipped;
use auroraml_sandbox::random::Mood;
use auroraml_sandbox::server::{Line, Listener, listen};
use auroraml_sandbox::{Sandbox, World};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// Simulated seconds in a second.
const SPEED: f64 = 600.0;

/// A sandbox that is being served.
pub struct Served {
    pub sandbox: Sandbox,
    pub address: SocketAddr,
    lines: Arc<Mutex<Vec<Line>>>,
    stop: oneshot::Sender<()>,
    served: tokio::task::JoinHandle<std::io::Result<()>>,
}

pub async fn serve() -> Served {
    serve_world(World::new(1, Mood::Calm), SPEED, Who::Other).await
}

pub async fn serve_world(world: World, speed: f64, who: Who) -> Served {
    let sandbox = recorded(Sandbox::new(world, speed), who);
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.address();
    let (stop, stopped) = oneshot::channel();
    let lines: Arc<Mutex<Vec<Line>>> = Arc::default();
    let (shared, seen) = (sandbox.clone(), Arc::clone(&lines));
    let served = tokio::spawn(async move {
        let stopped = async { stopped.await.unwrap_or_default() };
        listener.serve(shared, stopped, move |line| seen.lock().unwrap().push(line.clone())).await
    });
    Served { sandbox, address, lines, stop, served }
}

impl Served {
    /// Sends bytes and reads until the other side closes.
    pub async fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // A reset instead of an end is also an end.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub async fn stop(self) {
        self.stop.send(()).unwrap();
        self.served.await.unwrap().unwrap();
    }
}

/// The header of a signed request; the sandbox reads the scope and checks nothing.
pub fn signed(service: &str) -> String {
    format!(
        "Host: sandbox\r\nConnection: close\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKID/20261120/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n"
    )
}

#[tokio::test]
async fn a_signed_request_is_answered_and_told() {
    let served = serve().await;
    let body = "Action=GetCallerIdentity&Version=2011-06-15";
    let answer = served
        .raw(&format!("POST / HTTP/1.1\r\n{}Content-Length: {}\r\n\r\n{body}", signed("sts"), body.len()))
        .await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("<Account>111122223333</Account>"), "{answer}");
    assert!(answer.to_lowercase().contains("x-amzn-requestid: "), "{answer}");
    let lines: Vec<String> = served.lines.lock().unwrap().iter().map(Line::to_string).collect();
    assert_eq!(lines, ["POST us-east-1 sts:GetCallerIdentity 200"]);
    served.stop().await;
}

#[tokio::test]
async fn chunked_bodies_and_expect_continue() {
    let served = serve().await;
    let chunks = "10\r\nAction=GetCaller\r\n8\r\nIdentity\r\n0\r\n\r\n";
    let answer = served
        .raw(&format!("POST / HTTP/1.1\r\n{}Transfer-Encoding: chunked\r\n\r\n{chunks}", signed("sts")))
        .await;
    assert!(answer.contains("<Account>"), "{answer}");

    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let body = "Action=GetCallerIdentity";
    let head = format!(
        "POST / HTTP/1.1\r\n{}Expect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        signed("sts"),
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut go = [0; 25];
    stream.read_exact(&mut go).await.unwrap();
    assert_eq!(&go, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    served.stop().await;
}

#[tokio::test]
async fn requests_without_a_signature() {
    let served = serve().await;
    let end = "Host: sandbox\r\nConnection: close\r\n";
    for (request, expected) in [
        (format!("GET /some-bucket HTTP/1.1\r\n{end}\r\n"), "<Code>AccessDenied</Code>"),
        (
            format!("POST / HTTP/1.1\r\n{end}Content-Length: 17\r\n\r\nAction=ListRoles&"),
            "<Code>MissingAuthenticationToken</Code>",
        ),
        (
            format!(
                "POST / HTTP/1.1\r\n{end}X-Amz-Target: secretsmanager.ListSecrets\r\nContent-Length: 2\r\n\r\n{{}}"
            ),
            "\"__type\":\"MissingAuthenticationToken\"",
        ),
    ] {
        let answer = served.raw(&request).await;
        assert!(answer.starts_with("HTTP/1.1 403") && answer.contains(expected), "{request}\n{answer}");
    }
    let presigned =
        "GET /?Action=GetCallerIdentity&X-Amz-Credential=AKID%2F20261120%2Feu-west-1%2Fsts%2Faws4_request";
    let answer = served.raw(&format!("{presigned} HTTP/1.1\r\n{end}\r\n")).await;
    assert!(answer.contains("<Account>"), "{answer}");
    let unknown = format!("POST / HTTP/1.1\r\n{}Content-Length: 10\r\n\r\nAction=Foo", signed("sts"));
    assert!(served.raw(&unknown).await.contains("<Code>InvalidAction</Code>"));
    let target = "X-Amz-Target: AWSGlue.GetDatabases\r\nContent-Length: 2\r\n\r\n{}";
    let elsewhere = served.raw(&format!("POST / HTTP/1.1\r\n{}{target}", signed("glue"))).await;
    assert!(elsewhere.contains("\"__type\":\"UnknownOperationException\""), "{elsewhere}");
    let head = served.raw(&format!("HEAD /some-bucket HTTP/1.1\r\n{end}\r\n")).await;
    assert!(head.starts_with("HTTP/1.1 403") && head.ends_with("\r\n\r\n"), "no body: {head}");
    served.stop().await;
}

#[tokio::test]
async fn a_reset_breaks_the_connection() {
    let served = serve().await;
    let mut faults = auroraml_sandbox::faults::Faults::seeded(1);
    faults.reset_before = 1.0;
    served.sandbox.set_faults(faults);
    let body = "Action=GetCallerIdentity";
    let request = format!("POST / HTTP/1.1\r\n{}Content-Length: {}\r\n\r\n{body}", signed("sts"), body.len());
    assert_eq!(served.raw(&request).await, "");
    assert_eq!(served.lines.lock().unwrap()[0].status, None);
    served.stop().await;
}

/// As many connections as the listener takes, on which nothing or half a request was sent: who comes after them is
/// answered all the same, and the listener can stop.
#[tokio::test]
async fn idle_connections_keep_nobody_waiting() {
    let served = serve().await;
    let mut idle = Vec::new();
    for n in 0..300 {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        let sent = match n % 3 {
            0 => String::new(),
            1 => "POST / HTTP/1.1\r\nHost: san".to_string(),
            _ => format!("POST / HTTP/1.1\r\n{}Content-Length: 50\r\n\r\nAction=", signed("sts")),
        };
        stream.write_all(sent.as_bytes()).await.unwrap();
        idle.push(stream);
    }
    let started = crate::support::stopwatch();
    for _ in 0..3 {
        let body = "Action=GetCallerIdentity";
        let head = format!("POST / HTTP/1.1\r\n{}Content-Length: {}\r\n\r\n", signed("sts"), body.len());
        assert!(served.raw(&format!("{head}{body}")).await.contains("<Account>"));
    }
    served.stop().await;
    // Until then every place was taken for thirty seconds, and a half-sent body's for sixty.
    let took = started.elapsed();
    assert!(took < Duration::from_secs(15), "{took:?}");
    println!("behind {} idle connections: {took:?}", idle.len());
}

#[tokio::test]
async fn a_listener_tells_its_clock() {
    let served = serve().await;
    let clock = auroraml_sandbox::remote::clock_at(served.address).await.unwrap();
    assert!((clock.speed() - SPEED).abs() < f64::EPSILON);
    let apart = clock.now_ms().abs_diff(served.sandbox.clock().now_ms());
    // A second is ten minutes here.
    assert!(apart < 600_000, "{apart} ms apart");
    assert!(served.lines.lock().unwrap().is_empty(), "it is no request to AWS");
    served.stop().await;
}

#[tokio::test]
async fn what_is_no_listener_has_no_clock() {
    let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = other.local_addr().unwrap();
    let kind = |asked: std::io::Result<auroraml_clock::Clock>| asked.unwrap_err().kind();
    tokio::spawn(async move {
        for answer in
            ["", "HTTP/1.1 200 OK\r\n\r\n<html>", "HTTP/1.1 404 Not Found\r\n\r\n{\"now_ms\":1,\"speed\":1}"]
        {
            let (mut stream, _) = other.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    for _ in 0..3 {
        let asked = auroraml_sandbox::remote::clock_at(address).await;
        assert_eq!(kind(asked), std::io::ErrorKind::InvalidData);
    }
    let asked = auroraml_sandbox::remote::clock_at(address).await;
    assert_eq!(kind(asked), std::io::ErrorKind::ConnectionRefused, "nobody listens any more");
}

#[tokio::test]
async fn too_large_a_body_is_refused() {
    let served = serve().await;
    let answer =
        served.raw(&format!("POST / HTTP/1.1\r\n{}Content-Length: 67108865\r\n\r\n", signed("sts"))).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    served.stop().await;
}

#[tokio::test]
async fn only_loopback_is_served() {
    let sandbox = Sandbox::new(World::new(1, Mood::Calm), 1.0);
    let refused =
        listen(sandbox, "0.0.0.0:0".parse().unwrap(), std::future::pending(), |_| {}).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
}

/// The python that has boto3: `AURORAML_TEST_PYTHON`, or the one on the path. Without it the tests of
/// outside clients are skipped, but never in CI.
fn python() -> Option<PathBuf> {
    let python =
        std::env::var_os("AURORAML_TEST_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let found =
        Command::new(&python).args(["-c", "import boto3"]).output().is_ok_and(|out| out.status.success());
    found_or_skipped(found, "a python with boto3").then_some(python)
}

fn found_or_skipped(found: bool, what: &str) -> bool {
    assert!(found || std::env::var_os("CI").is_none(), "CI must have {what} (AURORAML_TEST_PYTHON or PATH)");
    if !found {
        skipped(&format!("there is no {what}"));
    }
    found
}

/// A client with no configuration but ours.
pub fn configure(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients"))
        .env("AWS_ACCESS_KEY_ID", "AKIDSANDBOX")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_CONFIG_FILE", "none")
        .env("AWS_SHARED_CREDENTIALS_FILE", "none")
        .env("NO_PROXY", "127.0.0.1");
}

/// Runs a client as a child process against a sandbox of its own.
async fn run(mut command: Command) {
    let served = serve().await;
    configure(&mut command);
    command.env("AWS_ENDPOINT_URL", format!("http://{}", served.address));
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let lines = served.lines.lock().unwrap().iter().map(Line::to_string).collect::<Vec<_>>().join("\n");
    assert!(
        output.status.success(),
        "{}\n{}\n{lines}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!lines.is_empty(), "the client talked to the sandbox");
    served.stop().await;
}

async fn boto(services: &[&str]) {
    let Some(python) = python() else { return };
    let served_at = "import os, runpy, sys; sys.argv = ['boto.py', os.environ['AWS_ENDPOINT_URL']] + sys.argv[1:]; runpy.run_path('boto.py', run_name='__main__')";
    let mut command = Command::new(python);
    command.args(["-c", served_at]).args(services);
    run(command).await;
}

#[tokio::test]
async fn boto3_finds_identity_secrets_keys_and_quotas() {
    boto(&["sts", "iam", "secretsmanager", "kms", "servicequotas"]).await;
}

#[tokio::test]
async fn boto3_finds_networks_buckets_databases_and_models() {
    boto(&["ec2", "s3", "rds", "sagemaker"]).await;
}

/// The AWS CLI: beside the python, or on the path.
pub fn command_line() -> Option<std::ffi::OsString> {
    let beside = std::env::var_os("AURORAML_TEST_PYTHON").map(PathBuf::from);
    let beside = beside.and_then(|python| python.parent().map(PathBuf::from));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(beside.into_iter().chain(std::env::split_paths(&path))).unwrap();
    let found = Command::new("sh").args(["-c", "aws --version"]).env("PATH", &path).output();
    found_or_skipped(found.is_ok_and(|out| out.status.success()), "AWS CLI").then_some(path)
}

#[tokio::test]
async fn the_command_line_makes_a_role() {
    let Some(path) = command_line() else { return };
    let script = r#"set -eu
        trust='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rds.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
        aws iam create-role --role-name auroraml-sagemaker-access --assume-role-policy-document "$trust"
        arn=$(aws iam list-roles --query 'Roles[?RoleName==`auroraml-sagemaker-access`].Arn' --output text)
        test "$arn" = arn:aws:iam::111122223333:role/auroraml-sagemaker-access"#;
    let mut command = Command::new("sh");
    command.args(["-c", script]).env("PATH", path);
    run(command).await;
}

#[tokio::test]
async fn the_command_line_follows_the_first_article() {
    let Some(path) = command_line() else { return };
    let mut command = Command::new("bash");
    command.arg("first_article.sh").env("PATH", path);
    run(command).await;
}

/// The same with auroraml, on clusters with two, one and four members.
#[test]
fn clusters_of_the_command_line_are_wired_and_given_back() {
    let Some(path) = command_line() else { return };
    let mut command = Command::new("bash");
    command.arg("existing.sh").env("PATH", path).env("AURORAML", env!("CARGO_BIN_EXE_auroraml"));
    configure(&mut command);
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_string();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(text(&output.stdout).matches(": as it was").count(), 3, "{}", text(&output.stdout));
}
