//! What becomes of requests that AWS throttles, that break off, or that come too early: every run ends well, nothing
//! is made twice, and what cannot be read is told.

use crate::chaos::struggle;
use crate::harness::{Account, Recorder, spec, spec_file};
use crate::lifecycle::stays;
use auroraml::aws::{Aws, Class, Connection, During, Failure, served_config, simulated_config};
use auroraml::run::reconcile::{prepare, reconcile};
use auroraml_clock::Clock;
use auroraml_core::base::Id;
use auroraml_core::events::Event;
use auroraml_core::model::{Intent, Scope};
use auroraml_core::spec::Spec;
use auroraml_sandbox::faults::{Break, Faults, Rate};
use auroraml_sandbox::random::Mood;
use auroraml_sandbox::{BIRTH_MS, World};
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const DESTROY: Intent = Intent::Destroy { unprotect: true };

/// Requests of a plan of a settled stack, of the apply before it and of the destroy after it, each of which ends well
/// at the first try although this share of all requests is throttled.
async fn requests(spec: &Spec, seed: u64, share: f64) -> [usize; 3] {
    // Calm, so that AWS takes as long with refusals as without them.
    let account = Account::new(seed, Mood::Calm);
    let mut faults = Faults::seeded(seed);
    faults.throttle = share;
    account.sandbox.set_faults(faults);
    let calls = || account.sandbox.requests();
    let run = async |intent: Intent| {
        let before = calls();
        let recorder = Arc::new(Recorder::default());
        let outcome = account.try_run(spec, intent, recorder.clone()).await;
        let outcome = outcome.unwrap_or_else(|error| panic!("seed {seed}: {error:?}\n{}", recorder.text()));
        assert!(outcome.is_complete(), "seed {seed}: {:#?}\n{}", outcome.reports, recorder.text());
        calls() - before
    };
    let apply = run(Intent::Apply).await;
    let before = calls();
    assert!(account.plan(spec).await.is_empty(), "seed {seed}");
    let plan = calls() - before;
    account.assert_single(spec);
    let destroy = run(DESTROY).await;
    let left: Vec<String> = account.traces(spec).into_iter().filter(|path| !stays(spec, path)).collect();
    assert_eq!(left, Vec::<String>::new(), "seed {seed}");
    [plan, apply, destroy]
}

/// How many simulated accounts are tried; the measurement in the test's own words is made with `SEEDS=10`.
#[expect(clippy::disallowed_methods, reason = "a longer measurement is asked for by hand")]
fn seeds() -> u64 {
    std::env::var("SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(3)
}

async fn requests_of_all(spec: &Spec, share: f64) -> [usize; 3] {
    let mut sums = [0; 3];
    for seed in 0..seeds() {
        let counted = requests(spec, seed, share).await;
        for (sum, counted) in sums.iter_mut().zip(counted) {
            *sum += counted;
        }
    }
    let shown = sums.map(|sum| sum as f64 / seeds() as f64);
    println!(
        "{:.0} % throttled, {} seeds: {:.1} requests for a plan, {:.1} for an apply, {:.1} for a destroy",
        share * 100.0,
        seeds(),
        shown[0],
        shown[1],
        shown[2]
    );
    sums
}

/// Each request is sent 2.5 times at the least where six of ten are refused.
#[tokio::test(start_paused = true)]
async fn throttling_costs_requests_and_nothing_else() {
    let spec = spec(&spec_file("minimal.yaml"));
    let calm = requests_of_all(&spec, 0.0).await;
    for share in [0.2, 0.3, 0.6] {
        let throttled = requests_of_all(&spec, share).await;
        for (what, (calm, throttled)) in ["plan", "apply", "destroy"].iter().zip(calm.iter().zip(throttled)) {
            let ratio = throttled as f64 / *calm as f64;
            assert!(ratio <= 3.0, "{what} at {share}: {ratio:.2} times the requests");
        }
    }
}

/// EC2 as it meters requests: `CreateVpcEndpoint` has four at once and one more every three seconds.
#[tokio::test(start_paused = true)]
async fn ec2_meters_and_every_run_ends_well() {
    let all = "[s3, sagemaker_runtime, sagemaker_api, comprehend, bedrock_runtime, secretsmanager, rds_data, kms, logs, sts]";
    let text = spec_file("production.yaml").replace("[s3, sagemaker_runtime]", all);
    let spec = spec(&text);
    let account = Account::new(1, Mood::Calm);
    let mut faults = Faults::seeded(1);
    faults.rates = Rate::of_ec2();
    account.sandbox.set_faults(faults);
    account.apply(&spec).await;
    let (throttled, requests) = (account.sandbox.throttled(), account.sandbox.requests());
    println!("ten endpoints under EC2's own rates: {throttled} of the apply's {requests} requests throttled");
    assert!(throttled > 0, "nothing was metered");
    account.destroy(&spec).await;
}

/// A last look that is refused for minutes does not turn a destroy that has done everything into a failure.
#[tokio::test(start_paused = true)]
async fn a_last_look_waits_until_aws_answers() {
    let spec = spec(&spec_file("minimal.yaml"));
    for how in [Some(Break::Reset), None] {
        let account = Account::new(1, Mood::Calm);
        account.apply(&spec).await;
        let stack = account.connect(&spec).await;
        let prepared = prepare(&stack, DESTROY).await.unwrap();
        let deletions = prepared.plan.work().count();
        let recorder = Arc::new(Recorder::default());
        let (_keep, stop) = tokio::sync::watch::channel(false);
        let run = reconcile(&stack, DESTROY, prepared, stop, recorder.clone());
        let weather = async {
            let done = || {
                let events = recorder.0.lock().unwrap();
                let ends = events.iter().filter(|(_, event)| format!("{event:?}").starts_with("Finished"));
                ends.count()
            };
            while done() < deletions {
                account.sandbox.clock().sleep(Duration::from_secs(1)).await;
            }
            let mut faults = Faults::seeded(1);
            match how {
                Some(how) => (faults.reset_before, faults.breaks) = (1.0, vec![how]),
                None => faults.throttle = 1.0,
            }
            account.sandbox.set_faults(faults);
            account.sandbox.clock().sleep(Duration::from_secs(400)).await;
            account.sandbox.set_faults(Faults::default());
        };
        let (outcome, ()) = tokio::join!(run, weather);
        assert!(outcome.unwrap().is_complete(), "{}", recorder.text());
        account.assert_settled(&spec, DESTROY).await;
    }
}

/// Whoever stops a run is not kept waiting by requests that are throttled: until then a change is sent again by the SDK,
/// and once more at most after that.
#[tokio::test(start_paused = true)]
async fn a_run_that_is_throttled_can_be_stopped() {
    let spec = spec(&spec_file("minimal.yaml"));
    for seed in 1..=4 {
        let account = Account::new(seed, Mood::Calm);
        let stack = account.connect(&spec).await;
        let prepared = prepare(&stack, Intent::Apply).await.unwrap();
        let recorder = Arc::new(Recorder::default());
        let (order, stop) = tokio::sync::watch::channel(false);
        let mut faults = Faults::seeded(seed);
        faults.rates = vec![Rate::no_changes()];
        account.sandbox.set_faults(faults);
        let clock = account.sandbox.clock();
        let run = reconcile(&stack, Intent::Apply, prepared, stop, recorder.clone());
        let person = async {
            while account.sandbox.throttled() < 2 {
                clock.sleep(Duration::from_millis(100)).await;
            }
            order.send(true).unwrap();
            clock.now_ms()
        };
        let (outcome, asked) = tokio::join!(run, person);
        let (outcome, seconds) = (outcome.unwrap(), (clock.now_ms() - asked) / 1000);
        let vpc = Id::new("vpc", "main");
        let asked_for = recorder.0.lock().unwrap().clone();
        let acts =
            asked_for.iter().filter(|(_, event)| matches!(event, Event::Acted { id, .. } if *id == vpc));
        assert_eq!(acts.count(), 1, "to the executor it is one request\n{}", recorder.text());
        assert!(account.sandbox.throttled() <= 3, "sent {} times", account.sandbox.throttled());
        assert!(outcome.reports[0].interrupted.contains(&vpc), "{:#?}", outcome.reports);
        assert!(outcome.reports[0].failed.is_empty(), "{:#?}", outcome.reports);
        assert!(seconds <= 25, "{seconds} s after it was told to stop");
    }
}

/// Whoever stops a run is told what is left of it: its last look is as patient as those before.
#[tokio::test(start_paused = true)]
async fn the_last_look_of_a_stopped_run_is_patient() {
    let spec = spec(&spec_file("minimal.yaml"));
    let account = Account::new(1, Mood::Calm);
    let stack = account.connect(&spec).await;
    let prepared = prepare(&stack, Intent::Apply).await.unwrap();
    let (order, stop) = tokio::sync::watch::channel(false);
    let throttling = |throttle| {
        let mut faults = Faults::seeded(1);
        (faults.throttle, faults.rates) = (throttle, vec![Rate::no_changes()]);
        faults
    };
    account.sandbox.set_faults(throttling(0.0));
    let clock = account.sandbox.clock();
    let run = reconcile(&stack, Intent::Apply, prepared, stop, Arc::new(Recorder::default()));
    let person = async {
        while account.sandbox.throttled() < 2 {
            clock.sleep(Duration::from_millis(100)).await;
        }
        order.send(true).unwrap();
        account.sandbox.set_faults(throttling(0.5));
    };
    let outcome = tokio::join!(run, person).0.unwrap_or_else(|error| panic!("{error:?}"));
    assert!(!outcome.is_complete() && outcome.remaining.work().any(|step| step.id == Id::new("vpc", "main")));
}

/// What EC2 makes without a token, and how often it was made.
fn made(account: &Account) -> BTreeMap<String, usize> {
    let once =
        ["CreateVpc", "CreateSubnet", "CreateSecurityGroup", "CreateInternetGateway", "AllocateAddress"];
    let mut made = BTreeMap::new();
    account.sandbox.with(|world| {
        let accepted = world.log.iter().filter(|entry| entry.code.is_none());
        for entry in accepted.filter(|entry| once.contains(&entry.operation.as_str())) {
            *made.entry(entry.operation.clone()).or_default() += 1;
        }
    });
    made
}

/// A request whose answer does not come whole may have had its effect: it is not sent again before a look.
#[tokio::test(start_paused = true)]
async fn however_a_connection_breaks_nothing_is_made_twice() {
    let spec = spec(&spec_file("minimal.yaml"));
    let clean = Account::new(0, Mood::Calm);
    clean.apply(&spec).await;
    for how in Break::ALL {
        for seed in 0..2 {
            let faults = move |seed| {
                let mut faults = Faults::seeded(seed);
                (faults.reset_before, faults.reset_after, faults.breaks) = (0.02, 0.3, vec![how]);
                faults
            };
            let world = struggle(World::new(seed, Mood::Real), &spec, Intent::Apply, seed, faults).await;
            let account = Account::over(world.clone());
            account.assert_single(&spec);
            assert_eq!(made(&account), made(&clean), "{how:?}, seed {seed}");
            let world = struggle(world, &spec, DESTROY, seed, faults).await;
            let left = Account::over(world).traces(&spec).into_iter().filter(|path| !stays(&spec, path));
            assert_eq!(left.collect::<Vec<_>>(), Vec::<String>::new(), "{how:?}, seed {seed}");
        }
    }
}

/// What a server does with a request, in hyper's own hands: nothing here is the sandbox's idea of it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Server {
    Closes,
    Resets,
    ClosesAmidHeaders,
    SpeaksNoHttp,
    ClosesAmidBody,
    ClosesAmidChunks,
    SaysNothing,
    SendsHalfOfIt,
    SendsAPage,
    IsAway,
    IsFull,
}

/// The body of the next request of a connection.
async fn request(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                return Some(body.to_string());
            }
        }
        let mut part = [0; 4096];
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => return None,
            Ok(length) => read.extend_from_slice(&part[..length]),
        }
    }
}

async fn serve(mut stream: TcpStream, server: Server, seen: Arc<Mutex<BTreeMap<String, usize>>>) {
    while let Some(body) = request(&mut stream).await {
        let action = body.split('&').find_map(|part| part.strip_prefix("Action=")).unwrap_or("?").to_string();
        *seen.lock().unwrap().entry(action.clone()).or_default() += 1;
        let whole = |body: &str| {
            format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        if action == "GetCallerIdentity" {
            let identity = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>\
                            </GetCallerIdentityResult></GetCallerIdentityResponse>";
            stream.write_all(whole(identity).as_bytes()).await.unwrap();
            continue;
        }
        let half = "<CreateVpcResponse><vpc><vpcId>vpc-1";
        let answer = match server {
            Server::Closes => return,
            Server::Resets => {
                // An unread byte makes the system send a reset: so does this, without one.
                stream.set_zero_linger().unwrap();
                return;
            }
            Server::ClosesAmidHeaders => "HTTP/1.1 200 OK\r\ncontent-type: tex".to_string(),
            Server::SpeaksNoHttp => "SSH-2.0-OpenSSH_9.6\r\n\r\n\r\n".to_string(),
            Server::ClosesAmidBody => whole(&half.repeat(9)).replace(&half.repeat(9), half),
            Server::ClosesAmidChunks => {
                format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{half}\r\n", half.len())
            }
            Server::SaysNothing => return std::future::pending().await,
            Server::SendsHalfOfIt => whole(half),
            Server::IsAway => "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n".to_string(),
            Server::IsFull => whole(
                "<Response><Errors><Error><Code>LimitExceededException</Code><Message>No more</Message></Error>\
                 </Errors></Response>",
            )
            .replace("200 OK", "400 Bad Request"),
            Server::SendsAPage => {
                whole("<!DOCTYPE html>\n<html><title>Welcome to Hotel Aurora</title></html>")
            }
        };
        stream.write_all(answer.as_bytes()).await.unwrap();
        let whole = [Server::SendsHalfOfIt, Server::SendsAPage, Server::IsAway, Server::IsFull];
        if !whole.contains(&server) {
            return;
        }
    }
}

/// What comes of a change and of a look, and how often each was sent.
async fn asked_of(server: Server) -> ((Failure, usize), (Failure, usize)) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen: Arc<Mutex<BTreeMap<String, usize>>> = Arc::default();
    let shared = seen.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, server, shared.clone()));
        }
    });
    // Fast enough for the pauses between attempts, slow enough for an answer over the socket.
    let clock = Clock::starting_at(BIRTH_MS, 15.0);
    // Over a real socket, by hyper.
    let mut config = served_config("us-east-1", &format!("http://{address}"), &clock).into_builder();
    // Three seconds of the socket's time.
    let (patience, unhurried) = (Duration::from_secs(45), StalledStreamProtectionConfig::disabled());
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(patience).connect_timeout(patience);
    config.set_timeout_config(Some(timeouts.build()));
    config.set_stalled_stream_protection(Some(unhurried));
    let connection = Connection {
        config: config.build(),
        plain_http: None,
        clock,
        files: Arc::new(|_| Err(std::io::ErrorKind::NotFound.into())),
        passwords: Arc::new(|_| None),
    };
    let aws = Aws::connect(connection, "churn", Scope::default()).await.unwrap();
    let of = |action: &str| seen.lock().unwrap().get(action).copied().unwrap_or(0);
    let change = aws.ec2.create_vpc().cidr_block("10.0.0.0/16").send().await.during("CreateVpc").unwrap_err();
    let look = aws.ec2.describe_vpcs().send().await.during("DescribeVpcs").unwrap_err();
    ((change, of("CreateVpc")), (look, of("DescribeVpcs")))
}

#[tokio::test]
async fn whatever_hyper_reports_a_change_is_sent_once_and_looked_for() {
    let servers = [
        Server::Closes,
        Server::Resets,
        Server::ClosesAmidHeaders,
        Server::SpeaksNoHttp,
        Server::ClosesAmidBody,
        Server::ClosesAmidChunks,
        Server::SaysNothing,
        Server::SendsHalfOfIt,
        Server::SendsAPage,
        Server::IsAway,
        Server::IsFull,
    ];
    let asked = join_all(servers.map(asked_of)).await;
    for (server, ((change, sent), (look, looked))) in servers.into_iter().zip(asked) {
        println!("{server:?}: {change} · {looked} looks");
        let (class, looks) = match server {
            // The services recover, and what is on the way to them does not so soon.
            Server::IsAway => (Class::Ambiguous, 8),
            // To the SDK this is a code for throttling; to the services that use it, a quota (fact book, trap 67).
            Server::IsFull => (Class::Quota, 1),
            _ => (Class::Ambiguous, 4),
        };
        assert_eq!((change.class, sent), (class, 1), "{server:?}: {change}");
        assert_eq!((look.class, looked), (class, looks), "{server:?}: {look}");
        let text = change.to_string();
        match server {
            Server::SendsAPage => assert!(
                text.starts_with("CreateVpc failed: cannot read the response: ")
                    && text.ends_with("(HTTP 200, text/xml); it begins with \"<!DOCTYPE html>\""),
                "{text}"
            ),
            Server::ClosesAmidBody | Server::ClosesAmidChunks | Server::SendsHalfOfIt => {
                assert!(text.starts_with("CreateVpc failed: cannot read the response: "), "{text}");
            }
            Server::IsAway => assert_eq!(text, "CreateVpc failed: HTTP 503"),
            Server::IsFull => assert_eq!(text, "CreateVpc failed: LimitExceededException: No more"),
            _ => assert!(text.starts_with("CreateVpc failed: no response from AWS: "), "{text}"),
        }
    }
}

/// A request that never leaves is no mystery: nothing was done, and nothing is waited for.
#[tokio::test(start_paused = true)]
async fn a_request_without_credentials_was_not_sent() {
    let account = Account::new(1, Mood::Calm);
    let clock = account.sandbox.clock();
    let mut config = simulated_config("us-east-1", account.sandbox.http_client(), &clock).into_builder();
    config.set_credentials_provider(None);
    let connection = Connection {
        config: config.build(),
        plain_http: None,
        clock,
        files: Arc::new(|_| Err(std::io::ErrorKind::NotFound.into())),
        passwords: Arc::new(|_| None),
    };
    let failure = Aws::connect(connection, "churn", Scope::default()).await.err().unwrap();
    assert_eq!((failure.class, failure.code.as_str()), (Class::Refused, "NotSent"), "{failure}");
    assert_eq!(account.sandbox.requests(), 0);
}

/// What is asked of a role, a bucket or a model too early is refused as if it were not there, or wrong; it passes.
#[tokio::test(start_paused = true)]
async fn what_was_made_a_moment_ago_is_not_known_everywhere() {
    // A model that is there already: one that is trained first comes long after its role.
    let spec = spec(&spec_file("lean.yaml"));
    let mut met: BTreeMap<(String, String), usize> = BTreeMap::new();
    for seed in 0..8 {
        let account = Account::new(seed, Mood::Real);
        account.apply(&spec).await;
        account.assert_single(&spec);
        account.sandbox.with(|world| {
            for entry in world.log.iter().filter(|entry| entry.mutating) {
                let Some(code) = &entry.code else { continue };
                *met.entry((entry.operation.clone(), code.clone())).or_default() += 1;
            }
        });
    }
    println!("{met:#?}");
    for (operation, code) in [
        ("PutRolePolicy", "NoSuchEntity"),
        ("PutBucketPolicy", "NoSuchBucket"),
        ("CreateModel", "ValidationException"),
    ] {
        assert!(met.contains_key(&(operation.into(), code.into())), "{operation} never met {code}");
    }
}
