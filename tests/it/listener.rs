//! The listener as a process: killed, on a full disk, used by auroraml with its clock; and auroraml itself, killed while
//! it uses it.

use crate::cli::{Place, Ran, SPEC, with_orders};
use crate::harness::{Account, copy_files, spec, spec_file};
use crate::lifecycle::stays;
use crate::support::stopwatch;
use auroraml_sandbox::file::FileSandbox;
use auroraml_sandbox::random::Mood;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A listener over `world.json` of a place, as a process of its own.
pub struct Listening {
    pub child: Child,
    pub address: String,
}

impl Listening {
    pub fn start(place: &Place, address: &str) -> Listening {
        let args =
            ["sandbox", "--listen", address, "--sandbox=world.json", "--sandbox-speed", "100", "--quiet"];
        Listening::of(place.command(&args))
    }

    pub fn of(mut command: Command) -> Listening {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("export AWS_ENDPOINT_URL=http://").expect(&line).to_string();
        Listening { child, address }
    }

    /// What only SIGKILL does: the process has no chance to save anything. `Drop` does no more.
    fn kill(self) {}

    pub fn stop(mut self) {
        assert!(
            Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap().success()
        );
        assert!(self.child.wait().unwrap().success());
    }

    pub fn url(&self) -> String {
        format!("--sandbox=http://{}", self.address)
    }

    /// One request of a client that is not ours; the whole answer.
    pub fn ask(&self, service: &str, method: &str, path: &str, body: &[u8]) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\nContent-Length: {}\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKID/20261120/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        match answer.is_empty() {
            true => Err(std::io::ErrorKind::UnexpectedEof.into()),
            false => Ok(answer),
        }
    }

    pub fn query(&self, service: &str, form: &str) -> std::io::Result<String> {
        self.ask(service, "POST", "/", form.as_bytes())
    }

    fn make_role(&self, name: &str) -> std::io::Result<String> {
        let trust = "%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22rds.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D";
        self.query("iam", &format!("Action=CreateRole&RoleName={name}&AssumeRolePolicyDocument={trust}"))
    }

    /// The roles that are listed, once all of `made` are: IAM lists a new one some seconds late.
    fn roles_with(&self, made: &BTreeSet<String>) -> BTreeSet<String> {
        let tries = std::iter::repeat_with(|| self.roles()).take(200);
        let mut last = BTreeSet::new();
        for roles in tries {
            last = roles;
            if last.is_superset(made) {
                break;
            }
        }
        last
    }

    fn roles(&self) -> BTreeSet<String> {
        let told = self.query("iam", "Action=ListRoles&MaxItems=1000").unwrap();
        told.split("<RoleName>").skip(1).map(|rest| rest.split('<').next().unwrap().to_string()).collect()
    }
}

impl Drop for Listening {
    /// A test that fails leaves no process behind.
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The status in RDS's answer, once for the cluster and once for each member.
fn statuses(answer: &str) -> Vec<&str> {
    let after = |tag| answer.split(tag).skip(1).map(|rest: &str| rest.split('<').next().unwrap());
    after("<Status>").chain(after("<DBInstanceStatus>")).collect()
}

/// What a client was told stays so when the listener is killed and started again: what was made is there, and who was
/// told that a thing is past `creating` is never told `creating` again. A role is made and the database asked for all
/// the time; the kills hit at any moment.
#[tokio::test(start_paused = true)]
async fn a_killed_listener_takes_nothing_back() {
    // An empty place, whose database is made over the wire.
    let place = with_orders(0).await;
    let mut random = fastrand::Rng::with_seed(8);
    let mut listening = Listening::start(&place, "127.0.0.1:0");
    let address = listening.address.clone();
    let made = listening.query(
        "rds",
        "Action=CreateDBInstance&DBInstanceIdentifier=one&DBClusterIdentifier=orders&Engine=aurora-mysql&DBInstanceClass=db.r6g.large",
    );
    assert!(made.unwrap().starts_with("HTTP/1.1 200"));
    let (mut roles, mut begun, mut ready) = (BTreeSet::new(), 0, false);
    const KILLS: usize = 15;
    let mut kill = 0;
    // A machine with other work gives a listener less time to live.
    while kill < KILLS || !ready {
        assert!(kill < 10 * KILLS, "the member comes up meanwhile");
        kill += 1;
        let killer = {
            let id = listening.child.id().to_string();
            let patience = Duration::from_millis(random.u64(20..600));
            let (_never, until) = channel::<()>();
            std::thread::spawn(move || {
                let _ = until.recv_timeout(patience);
                drop(_never);
                Command::new("kill").args(["-KILL", &id]).status().unwrap()
            })
        };
        loop {
            begun += 1;
            let name = format!("role-{begun}");
            match listening.make_role(&name) {
                Ok(answer) if answer.starts_with("HTTP/1.1 200") => roles.insert(name),
                // The connection broke, or broke in the middle of the answer.
                _ => break,
            };
            let Ok(answer) = listening.query("rds", "Action=DescribeDBInstances") else { break };
            let told = statuses(&answer);
            if told.is_empty() {
                break;
            }
            assert!(!(ready && told == ["creating"]), "kill {kill}: it was past that");
            ready |= told != ["creating"];
        }
        assert!(killer.join().unwrap().success());
        listening.child.wait().unwrap();
        listening = Listening::start(&place, &address);
        let there = listening.roles_with(&roles);
        let lost: Vec<_> = roles.difference(&there).collect();
        assert!(lost.is_empty(), "kill {kill}: {lost:?} were made");
    }
    println!("{kill} kills, {} roles of {begun} were answered for", roles.len());
    listening.stop();
}

/// What is no request is kept as well: an account that was bare when its first requests came is bare when they are
/// carried out again.
#[test]
fn a_killed_bare_account_stays_bare() {
    let place = Place::new();
    let listen = ["sandbox", "--listen", "127.0.0.1:0", "--sandbox=world.json", "--quiet"];
    let vpcs = |listening: &Listening| {
        let told = listening.query("ec2", "Action=DescribeVpcs").unwrap();
        assert!(told.starts_with("HTTP/1.1 200"), "{told}");
        told.matches("<vpcId>").count()
    };
    let listening = Listening::of(place.command(&[&listen[..], &["--bare"]].concat()));
    assert_eq!(vpcs(&listening), 0);
    listening.kill();
    let listening = Listening::of(place.command(&listen));
    assert_eq!(vpcs(&listening), 0);
    listening.stop();
}

/// A limit on the size of files stands for a full disk: the request that meets it is told so and has no effect, and what
/// was answered before is kept.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_of_the_request_that_meets_it() {
    let place = Place::new();
    let mut command = Command::new("sh");
    let script =
        "trap '' XFSZ; ulimit -f 60; exec \"$0\" sandbox --listen 127.0.0.1:0 --sandbox=world.json --quiet";
    command.args(["-c", script, env!("CARGO_BIN_EXE_auroraml")]).current_dir(place.path(""));
    let listening = Listening::of(command);
    listening.ask("s3", "PUT", "/kept", b"").unwrap();
    let large = listening.ask("s3", "PUT", "/kept/large", &vec![b'x'; 200_000]).unwrap();
    assert!(large.starts_with("HTTP/1.1 507") && large.contains("<Code>SandboxNotSaved</Code>"), "{large}");
    assert!(large.contains("cannot write"), "{large}");
    let missing = listening.ask("s3", "GET", "/kept/large", b"").unwrap();
    assert!(missing.starts_with("HTTP/1.1 404"), "it does not go on in memory: {missing}");
    let mut kept = BTreeSet::new();
    let refused = loop {
        let name = format!("role-{}", kept.len());
        let answer = listening.make_role(&name).unwrap();
        match answer.starts_with("HTTP/1.1 200") {
            true => kept.insert(name),
            false => break answer,
        };
        assert!(kept.len() < 1_000, "the limit does not bite");
    };
    assert!(refused.starts_with("HTTP/1.1 507") && refused.contains("SandboxNotSaved"), "{refused}");
    listening.kill();
    let listening = Listening::start(&place, "127.0.0.1:0");
    assert_eq!(listening.roles_with(&kept), kept);
    assert!(listening.make_role("one-more").unwrap().starts_with("HTTP/1.1 200"), "there is room again");
    listening.stop();
}

#[test]
fn a_forbidden_address_is_told_as_what_it_is() {
    let place = Place::new();
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for (address, expected) in [
        (busy.local_addr().unwrap().to_string(), "another process already uses this port"),
        ("0.0.0.0:4599".into(), "only on this machine"),
        ("127.0.0.1:".into(), "such as localhost:4599"),
        ("127.0.0.1:99999".into(), "such as localhost:4599"),
        ("example.com:4599".into(), "such as localhost:4599"),
    ] {
        let ran = place.run(&["sandbox", "--listen", &address]);
        assert!(ran.code == 1 && ran.err.contains(expected), "{address}: {ran:?}");
        assert!(ran.err.contains(&address), "{ran:?}");
        assert!(!place.path(".auroraml").exists(), "no sandbox is made for nothing");
    }
    let busy = place.run(&["sandbox", "--listen", &busy.local_addr().unwrap().to_string()]);
    assert!(busy.err.contains("use another port"), "{busy:?}");
}

#[test]
fn a_sandbox_elsewhere_is_not_taken_for_a_file() {
    let place = Place::new();
    place.write("shop.yaml", SPEC);
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = other.local_addr().unwrap();
    drop(other);
    for (sandbox, expected) in [
        (format!("http://{free}"), "nothing listens there"),
        ("http://192.0.2.1:4599".into(), "is not an address of this machine"),
        ("http://example.com:4599".into(), "such as localhost:4599"),
        ("https://127.0.0.1:4599".into(), "write http://ADDRESS:PORT, not https://"),
        ("http://127.0.0.1".into(), "such as localhost:4599"),
    ] {
        for command in ["plan", "apply", "destroy", "status", "verify"] {
            let ran = place.run(&[command, "shop.yaml", &format!("--sandbox={sandbox}")]);
            assert!(ran.code == 1 && ran.err.contains(expected), "{command} {sandbox}: {ran:?}");
        }
    }
    let started =
        place.run(&["plan", "shop.yaml", &format!("--sandbox=http://{free}"), "--sandbox-speed", "9"]);
    assert!(started.code == 1 && started.err.contains("already has its speed and seed"), "{started:?}");
    for args in [["sandbox", "--reset"], ["sandbox", "--listen=127.0.0.1:0"]] {
        let ran = place.run(&[args[0], args[1], &format!("--sandbox=http://{free}")]);
        assert!(ran.code == 1 && ran.err.contains("is already being served"), "{ran:?}");
    }
    let names: Vec<_> = std::fs::read_dir(place.path("")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["shop.yaml"], "no file was made");
}

/// Wiring a cluster of three took 362 s of real waiting against a listener at speed 100 (`AWS_ENDPOINT_URL`, on 2
/// cores), because only its clock was fast.
#[tokio::test(start_paused = true)]
async fn a_listener_is_used_with_its_clock() {
    let place = with_orders(3).await;
    let listening = Listening::start(&place, "127.0.0.1:0");
    let url = listening.url();
    let run = |args: &[&str]| -> Ran { place.run(&[args, &[&url]].concat()) };
    let started = stopwatch();
    let applied = run(&["apply", "shop.yaml", "--yes", "--allow", "restart"]);
    let took = started.elapsed();
    println!("a cluster of three was wired in {took:?}");
    assert_eq!(applied.code, 0, "{}", applied.err);
    assert!(applied.err.contains("its clock runs 100 times as fast as real time"), "{}", applied.err);
    assert!(took < Duration::from_secs(40), "{took:?}");
    let plan = run(&["plan", "shop.yaml", "--detailed-exitcode"]);
    assert_eq!(plan.code, 0, "{plan:?}");
    let verified = run(&["verify", "shop.yaml"]);
    assert_eq!(verified.code, 0, "{verified:?}");
    let destroyed = run(&["destroy", "shop.yaml", "--yes", "--allow", "restart"]);
    assert_eq!(destroyed.code, 0, "{}", destroyed.err);
    listening.stop();
}

/// The first signal lets what is under way come to its end; a second one does not wait for AWS.
#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_second_signal_ends_a_run_at_once() {
    let place = with_orders(1).await;
    // Slow enough that no request is given up meanwhile.
    let serve =
        ["sandbox", "--listen", "127.0.0.1:0", "--sandbox=world.json", "--sandbox-speed", "1", "--quiet"];
    let listening = Listening::of(place.command(&serve));
    let signal = |signal: &str, process: &Child| {
        let sent = Command::new("kill").args([signal, &process.id().to_string()]).status().unwrap();
        assert!(sent.success());
    };
    let apply = ["apply", "shop.yaml", "--yes", "--allow", "restart", &listening.url()];
    let mut run = place.command(&apply).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(run.stderr.take().unwrap()).lines();
    let mut until = |text: &str| lines.by_ref().map(|line| line.unwrap()).any(|line| line.contains(text));
    assert!(until("role.comprehend: creating"));
    // From here on nothing is answered.
    signal("-STOP", &listening.child);
    signal("-TERM", &run);
    assert!(until("interrupt again to exit at once"));
    let started = stopwatch();
    signal("-TERM", &run);
    assert_eq!(run.wait().unwrap().code(), Some(7));
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

/// auroraml as a process whose end somebody else waits for.
struct Running {
    child: Child,
    ended: Receiver<String>,
}

impl Running {
    fn start(place: &Place, args: &[&str]) -> Running {
        let mut child = place.command(args).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let (end, ended) = channel();
        let mut stderr = child.stderr.take().unwrap();
        std::thread::spawn(move || {
            let mut said = Vec::new();
            let _ = stderr.read_to_end(&mut said);
            // Nobody listens when the test has failed.
            let _ = end.send(String::from_utf8_lossy(&said).into_owned());
        });
        Running { child, ended }
    }

    /// Its exit code and what it said; or `None` if it still ran after `patience` and was killed.
    fn end(mut self, patience: Duration) -> Option<(i32, String)> {
        if let Ok(said) = self.ended.recv_timeout(patience) {
            return Some((self.child.wait().unwrap().code().unwrap(), said));
        }
        self.child.kill().unwrap();
        // No code: the signal ended it, it had not ended by itself meanwhile.
        let code = self.child.wait().unwrap().code();
        code.map(|code| (code, self.ended.recv().unwrap_or_default()))
    }
}

/// The whole binary, killed at random moments of real time: the same command finishes what it was at, without leave to
/// interrupt the writer of a cluster that nobody uses yet, and after destroy nothing is left. `SEED=9 cargo test --test it -- killed_at_random` tries other moments.
#[tokio::test(start_paused = true)]
async fn killed_at_random_moments_the_same_command_finishes() {
    let seed: u64 = std::env::var_os("SEED").map_or(1, |seed| seed.to_str().unwrap().parse().unwrap());
    println!("SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let place = Place::new();
    let text = spec_file("churn.yaml");
    place.write("churn.yaml", &text);
    copy_files(&spec(&text), &place.path(""));
    let listening = Listening::start(&place, "127.0.0.1:0");
    let url = listening.url();
    const KILLS: usize = 50;
    const KILLS_OF_ONE: usize = 20;
    let (mut kills, mut lives) = (0, 0);
    let started = stopwatch();
    while kills < KILLS {
        for args in
            [&["apply", "churn.yaml", "--yes"][..], &["destroy", "churn.yaml", "--yes", "--unprotect"]]
        {
            let args = [args, &[&url]].concat();
            let mut kills_here = 0;
            let (code, said) = loop {
                let patience = match kills_here < KILLS_OF_ONE && kills < KILLS {
                    true => Duration::from_millis(random.u64(30..1_800)),
                    false => Duration::from_secs(120),
                };
                match Running::start(&place, &args).end(patience) {
                    Some(ended) => break ended,
                    None => (kills, kills_here) = (kills + 1, kills_here + 1),
                }
            };
            assert_eq!(code, 0, "SEED={seed}: {args:?} after {kills} kills:\n{said}");
            let wanted = if args[0] == "apply" { 0 } else { 2 };
            let plan = place.run(&["plan", "churn.yaml", "--detailed-exitcode", &url]);
            assert_eq!(plan.code, wanted, "SEED={seed}: after {} and {kills} kills: {plan:?}", args[0]);
        }
        lives += 1;
        assert!(lives < 10, "SEED={seed}: {kills} kills only");
    }
    println!("{kills} kills of a running process in {lives} lives, {:?}", started.elapsed());
    listening.stop();
    let spec = spec(&text);
    let file = FileSandbox::open(&place.path("world.json"), 1.0, 1, Mood::Real).unwrap();
    let left: Vec<String> = Account::of(file.sandbox().clone()).traces(&spec);
    let left: Vec<String> = left.into_iter().filter(|path| !stays(&spec, path)).collect();
    assert_eq!(left, Vec::<String>::new(), "SEED={seed}");
}
