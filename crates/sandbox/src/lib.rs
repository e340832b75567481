//! A simulated AWS that lives in memory, behind the SDK's own HTTP interface.
//!
//! Its contract is the fact book's "minimum contract of a realistic fake": the awkward parts of AWS
//! included. It speaks the wire protocols, so that the real SDK, the AWS CLI and boto3 can all talk to
//! it, and it shares no code with the kinds it is there to judge.
//!
//! **Invariants.** Nothing here imports an SDK crate, `kinds`, `model` or `plan`. All state is in
//! [`World`], which can be cloned, saved and restored at any request. All randomness comes from
//! [`random::Random`], all time from the [`Clock`] it is given. Statuses are derived from times when a
//! request arrives; nothing runs in the background.

pub mod cloudformation;
mod decode;
pub mod ec2;
pub mod faults;
pub mod file;
pub mod iam;
pub mod kms;
pub mod random;
pub mod rds;
pub mod s3;
pub mod sagemaker;
pub mod secretsmanager;
pub mod server;
pub mod servicequotas;
pub mod sts;
pub mod wire;

use auroraml_clock::Clock;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use decode::{decode, protocol};
use faults::{Faults, Injected};
use http_body_util::BodyExt;
use random::{Mood, Random};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use wire::{Fault, Params, Protocol, Reply, Request, Response};

/// The account that the sandbox plays.
pub const ACCOUNT: &str = "111122223333";
/// Requests remembered in [`World::log`]; older ones are dropped.
const LOG_MAX: usize = 20_000;
/// 2026-11-20T00:00:00Z in milliseconds since the Unix epoch, where a new world's clock starts.
pub const BIRTH_MS: u64 = 1_795_132_800_000;

/// Everything that exists in the simulated account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct World {
    /// The time of the last request, milliseconds since the Unix epoch.
    pub now: u64,
    pub global: Global,
    pub regions: BTreeMap<String, Region>,
    /// What was asked, without any payload: no secret can be in it.
    pub log: Vec<Entry>,
    /// Operations that were asked for and do not exist here, with how often.
    pub unknown: BTreeMap<String, u64>,
}

/// What is not regional, and what all services share.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Global {
    pub random: Random,
    pub iam: iam::Iam,
    pub s3: s3::S3,
    /// Aurora global databases, which span regions.
    #[serde(default)]
    pub global_databases: rds::GlobalDatabases,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Region {
    pub cloudformation: cloudformation::CloudFormation,
    pub ec2: ec2::Ec2,
    pub rds: rds::Rds,
    pub sagemaker: sagemaker::SageMaker,
    pub secretsmanager: secretsmanager::SecretsManager,
    pub kms: kms::Kms,
    pub servicequotas: servicequotas::ServiceQuotas,
}

/// One line of the request log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub at: u64,
    pub region: String,
    pub service: String,
    pub operation: String,
    pub mutating: bool,
    /// The error code, if it was refused.
    pub code: Option<String>,
    /// Access key id of the signature; empty without one.
    #[serde(default)]
    pub caller: String,
}

/// One decoded request, as a service sees it.
#[derive(Clone)]
pub struct Call {
    pub service: String,
    pub operation: String,
    pub region: String,
    /// Access key id of the signature; empty without one.
    pub caller: String,
    /// Milliseconds since the Unix epoch.
    pub now: u64,
    /// Parameters of a query request; empty for the other protocols.
    pub params: Params,
    /// Body of a JSON request; null for the other protocols.
    pub json: serde_json::Value,
    pub request: Request,
}

impl Call {
    /// The protocol's answer to an operation that the sandbox does not have.
    pub fn unknown(&self) -> Fault {
        let text = format!("the sandbox has no operation {}:{}", self.service, self.operation);
        match protocol(self) {
            Protocol::Json | Protocol::RestJson => Fault::bad("UnknownOperationException", text),
            Protocol::RestXml => Fault::new(501, "NotImplemented", text),
            _ => Fault::bad("InvalidAction", text),
        }
    }
}

impl World {
    pub fn new(seed: u64, mood: Mood) -> World {
        World {
            now: BIRTH_MS,
            global: Global {
                random: Random::new(seed, mood),
                iam: iam::Iam::default(),
                s3: s3::S3::default(),
                global_databases: rds::GlobalDatabases::default(),
            },
            regions: BTreeMap::new(),
            log: Vec::new(),
            unknown: BTreeMap::new(),
        }
    }

    /// The requests that changed or tried to change something.
    pub fn mutations(&self) -> impl Iterator<Item = &Entry> {
        self.log.iter().filter(|entry| entry.mutating)
    }

    /// Carries one call out and writes it into the log.
    fn answer(&mut self, call: &Call) -> Response {
        self.now = call.now;
        let region = self.regions.entry(call.region.clone()).or_default();
        // Other services ask EC2 about subnets and groups without telling it the time.
        region.ec2.settle(call.now);
        let global = &mut self.global;
        let reply: Reply = match call.service.as_str() {
            "cloudformation" => cloudformation::handle(call, region, global),
            "ec2" => ec2::handle(call, region, global),
            "iam" => iam::handle(call, region, global),
            "kms" => kms::handle(call, region, global),
            "rds" => rds::handle(call, region, global),
            "rds-data" => rds::handle_data(call, region, global),
            "s3" => s3::handle(call, region, global),
            "sagemaker" => sagemaker::handle(call, region, global),
            "secretsmanager" => secretsmanager::handle(call, region, global),
            "servicequotas" => servicequotas::handle(call, region, global),
            "sts" => sts::handle(call, region, global),
            // Neither a signature nor a presigned address: AWS refuses before it looks at anything else.
            "" => Err(match protocol(call) {
                Protocol::RestXml => Fault::new(403, "AccessDenied", "Access Denied"),
                _ => Fault::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token"),
            }),
            _ => Err(call.unknown()),
        };
        rds::tell_other_regions(&mut self.regions, &mut self.global);
        let code = reply.as_ref().err().map(|fault| fault.code.clone());
        if let Some("InvalidAction" | "UnknownOperationException" | "NotImplemented") = code.as_deref() {
            *self.unknown.entry(format!("{}:{}", call.service, call.operation)).or_default() += 1;
        }
        if self.log.len() >= LOG_MAX {
            self.log.drain(..LOG_MAX / 10);
        }
        self.log.push(Entry {
            at: call.now,
            region: call.region.clone(),
            service: call.service.clone(),
            operation: call.operation.clone(),
            mutating: is_mutating(call),
            code,
            caller: call.caller.clone(),
        });
        let request_id = format!("{:08x}-sandbox", self.log.len());
        respond(call, &request_id, reply)
    }
}

/// The answer on the wire, with the headers that AWS adds to every answer.
fn respond(call: &Call, request_id: &str, reply: Reply) -> Response {
    let mut response = wire::respond(protocol(call), &call.operation, request_id, reply);
    let name = match protocol(call) {
        Protocol::RestXml => "x-amz-request-id",
        _ => "x-amzn-RequestId",
    };
    response.headers.push((name.into(), request_id.into()));
    if call.request.method == "HEAD" {
        response.body.clear();
    }
    response
}

fn is_mutating(call: &Call) -> bool {
    if call.service == "s3" {
        return !matches!(call.request.method.as_str(), "GET" | "HEAD");
    }
    // The Data API answers `SHOW` alone here.
    !matches!(call.service.as_str(), "sts" | "rds-data")
        && !["Describe", "List", "Get", "Simulate"].iter().any(|prefix| call.operation.starts_with(prefix))
}

/// The world at one mutating request, for tests that start again from there.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub operation: String,
    pub before: World,
    pub after: World,
}

/// A handle on one simulated account; clones share it.
#[derive(Clone)]
pub struct Sandbox {
    shared: Arc<Mutex<Shared>>,
    clock: Clock,
    crashed: Arc<tokio::sync::Notify>,
}

type Observer = Box<dyn Fn(&World) + Send>;

struct Shared {
    world: World,
    faults: Faults,
    recording: Option<Vec<Snapshot>>,
    /// Told of the world after every request that changed it (to save it in a file).
    observer: Option<Observer>,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sandbox")
    }
}

impl Sandbox {
    /// A sandbox over `world`, whose clock starts where the world left off and runs at `speed` times
    /// tokio's clock.
    pub fn new(world: World, speed: f64) -> Sandbox {
        // The SDK draws the jitter between its retries from this thread's generator: seeded with the world,
        // the same world gives the same requests.
        fastrand::seed(world.global.random.clone().draw());
        Sandbox {
            clock: Clock::starting_at(world.now, speed),
            shared: Arc::new(Mutex::new(Shared {
                world,
                faults: Faults::default(),
                recording: None,
                observer: None,
            })),
            crashed: Arc::default(),
        }
    }

    /// The clock that the SDK, the executor and the sandbox must share.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// The simulated AWS as the SDK's HTTP client.
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    pub fn set_faults(&self, faults: Faults) {
        self.lock().faults = faults;
    }

    pub fn set_observer(&self, observer: impl Fn(&World) + Send + 'static) {
        self.lock().observer = Some(Box::new(observer));
    }

    /// Completes when [`Faults::crash`] has struck.
    pub async fn crashed(&self) {
        self.crashed.notified().await;
    }

    /// Reads or changes the world directly: for tests, and for `sandbox` commands.
    pub fn with<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.lock().world)
    }

    /// A copy of the world, at the present time.
    pub fn world(&self) -> World {
        let mut world = self.lock().world.clone();
        world.now = self.clock.now_ms();
        world
    }

    /// From now on, keep the world before and after every mutating request.
    pub fn record(&self) {
        self.lock().recording = Some(Vec::new());
    }

    pub fn recorded(&self) -> Vec<Snapshot> {
        self.lock().recording.take().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        // A panic while the lock is held can only come from a service handler; the world is still the
        // best account there is of what happened.
        self.shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Answers one request; `None` means that the connection breaks without an answer.
    pub async fn serve(&self, request: Request) -> Option<Response> {
        self.carry_out(&decode(request, self.clock.now_ms())).await
    }

    async fn carry_out(&self, call: &Call) -> Option<Response> {
        let (outcome, latency_ms) = self.lock().outcome(call);
        self.clock.sleep(Duration::from_millis(latency_ms)).await;
        match outcome {
            Outcome::Answer(response) => Some(response),
            Outcome::Reset => None,
            Outcome::Crash => {
                self.crashed.notify_one();
                std::future::pending().await
            }
        }
    }
}

enum Outcome {
    Answer(Response),
    Reset,
    Crash,
}

impl Shared {
    fn outcome(&mut self, call: &Call) -> (Outcome, u64) {
        let mutating = is_mutating(call);
        // Time for the request itself: fact book, section 8.2 ("each API").
        let latency = if mutating {
            self.world.global.random.duration(0.3, 0.6, 1.5)
        } else {
            self.world.global.random.duration(0.04, 0.08, 0.25)
        };
        let injected = self.faults.draw(mutating, protocol(call), &call.service);
        match injected {
            Some(Injected::CrashBefore) => return (Outcome::Crash, 0),
            Some(Injected::ResetBefore) => return (Outcome::Reset, latency),
            Some(Injected::Refuse(fault)) => {
                return (Outcome::Answer(respond(call, "injected", Err(fault))), latency);
            }
            Some(Injected::CrashAfter | Injected::ResetAfter) | None => {}
        }
        let before = (mutating && self.recording.is_some()).then(|| {
            let mut world = self.world.clone();
            world.now = call.now;
            world
        });
        let response = self.world.answer(call);
        if let (Some(before), Some(recording)) = (before, self.recording.as_mut()) {
            recording.push(Snapshot {
                operation: format!("{}:{}", call.service, call.operation),
                before,
                after: self.world.clone(),
            });
        }
        if mutating && let Some(observer) = &self.observer {
            observer(&self.world);
        }
        match injected {
            Some(Injected::CrashAfter) => (Outcome::Crash, 0),
            Some(Injected::ResetAfter) => (Outcome::Reset, latency),
            _ => (Outcome::Answer(response), latency),
        }
    }
}

impl HttpClient for Sandbox {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Sandbox {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let sandbox = self.clone();
        HttpConnectorFuture::new(async move {
            let request = read(request).await?;
            match sandbox.serve(request).await {
                Some(response) => {
                    let status = response
                        .status
                        .try_into()
                        .map_err(|_| ConnectorError::other("not an HTTP status".into(), None))?;
                    let mut answer = HttpResponse::new(status, response.body.into());
                    for (name, value) in response.headers {
                        answer.headers_mut().append(name, value);
                    }
                    Ok(answer)
                }
                None => Err(ConnectorError::io("connection reset by the sandbox".into())),
            }
        })
    }
}

async fn read(request: HttpRequest) -> Result<Request, ConnectorError> {
    let uri = request.uri().to_string();
    let rest = uri.split_once("://").map_or(uri.as_str(), |(_, rest)| rest);
    let (host, path) = rest.find('/').map_or((rest, "/"), |i| rest.split_at(i));
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut headers: BTreeMap<String, String> =
        request.headers().iter().map(|(k, v)| (k.to_ascii_lowercase(), v.to_string())).collect();
    headers.entry("host".into()).or_insert_with(|| host.to_string());
    let (path, query, method) = (path.to_string(), query.to_string(), request.method().to_string());
    let body = request.into_body().collect().await.map_err(ConnectorError::io)?.to_bytes().to_vec();
    Ok(Request { method, path, query, headers, body })
}
