//! Runs on one stack exclude each other: sixteen at once, one that is killed, one that wakes up too late.

use crate::cli::{Place, Ran, SPEC, in_sandbox, with_orders};
use crate::harness::{Account, spec};
use crate::listener::Listening;
use crate::process::Process;
use crate::support::config;
use auroraml::aws::{During, Failure};
use auroraml::run::lease::{Lease, NoLease};
use auroraml::stack::Stack;
use auroraml_core::lease::{LAPSES_SECONDS, Owner, Record, State};
use auroraml_core::spec::Address;
use auroraml_sandbox::file::FileSandbox;
use auroraml_sandbox::random::Mood;
use std::future::pending;
use std::time::Duration;

const ADDRESS: &str = "s3://operations-of-ours/leases";

fn owner(run: &str) -> Owner {
    Owner { name: format!("somebody@{run}"), run: run.into(), command: "apply".into() }
}

/// Takes the lease as `run`, without waiting.
async fn hold(stack: &Stack, run: &str) -> Result<Lease, NoLease> {
    let address = Address::parse(ADDRESS).unwrap();
    Lease::hold(&stack.aws, &address, owner(run), Duration::ZERO, |_| (), pending()).await
}

/// An account with the bucket, and as many connections to it.
async fn connected<const N: usize>(seed: u64) -> (Account, [Stack; N]) {
    let account = Account::new(seed, Mood::Calm);
    let s3 = aws_sdk_s3::Client::new(&config(&account.sandbox));
    s3.create_bucket().bucket("operations-of-ours").send().await.unwrap();
    let mut all = Vec::new();
    while all.len() < N {
        all.push(account.administrator(&spec(NET)).await);
    }
    (account, all.try_into().unwrap_or_else(|_| unreachable!()))
}

/// Something that would change the stack, if it were there: whether it was sent.
async fn change(stack: &Stack) -> Result<(), Failure> {
    match stack.aws.ec2.delete_vpc().vpc_id("vpc-1").send().await.during("DeleteVpc") {
        Err(failure) if failure.code == "InvalidVpcID.NotFound" => Ok(()),
        Err(failure) => Err(failure),
        Ok(_) => panic!("there is no such VPC"),
    }
}

async fn sleep(stack: &Stack, seconds: u64) {
    stack.aws.clock.sleep(Duration::from_secs(seconds)).await;
}

async fn kept(stack: &Stack) -> Record {
    let key = "leases/111122223333/us-east-1/net.json";
    let entry = stack.aws.ledger.read("operations-of-ours", key).await.unwrap();
    Record::parse(&entry.unwrap().text).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_for_as_long_as_it_is_held() {
    let (_account, [one, two]) = connected(1).await;
    let first = hold(&one, "one").await.unwrap();
    assert!(!first.was_clean() && first.fencing() == 1);
    // Three hours, in which every renewal counts.
    for _ in 0..180 {
        sleep(&one, 60).await;
        change(&one).await.unwrap();
        let Err(NoLease::Held(record, left)) = hold(&two, "two").await else { panic!("it is held") };
        assert_eq!((record.run.as_str(), record.fencing), ("one", 1));
        assert!((40..=LAPSES_SECONDS).contains(&left), "{left}");
    }
    first.release(Some(true)).await.unwrap();
    let record = kept(&two).await;
    assert!(record.state == State::Free && record.clean, "{record:?}");
    let refused = change(&one).await.unwrap_err();
    assert!(refused.message.contains("given its lease back"), "{refused}");
    let second = hold(&two, "two").await.unwrap();
    assert!(second.was_clean() && second.fencing() == 2);
    change(&two).await.unwrap();
    // It changed nothing that mattered: what was known of the run before stays so.
    second.release(None).await.unwrap();
    assert!(hold(&one, "three").await.is_err(), "this connection has given its lease back for good");
}

/// A holder that dies renews nothing: the next one waits no longer than the lease lasts.
#[tokio::test(start_paused = true)]
async fn a_dead_holder_s_lease_lapses_by_itself() {
    let (_account, [one, two]) = connected(2).await;
    let first = hold(&one, "one").await.unwrap();
    sleep(&one, 100).await;
    // Its process is gone, and so is whatever renewed the lease.
    drop(first);
    let began = two.aws.clock.now_ms();
    let address = Address::parse(ADDRESS).unwrap();
    let patience = Duration::from_secs(300);
    let told = std::cell::Cell::new(0);
    let waiting = |record: &Record| {
        assert_eq!(record.run, "one");
        told.set(told.get() + 1);
    };
    let second = Lease::hold(&two.aws, &address, owner("two"), patience, waiting, pending()).await.unwrap();
    let waited = (two.aws.clock.now_ms() - began) / 1000;
    println!("the lease of a dead holder was taken over after {waited} s");
    assert!((50..=LAPSES_SECONDS + 10).contains(&waited), "{waited}");
    assert!(second.fencing() == 2 && !second.was_clean(), "nobody knows what the first has left");
    assert_eq!(told.get(), 1, "who waits is told once for whom");
}

/// A machine that slept, and a holder whose lease was taken over: neither changes anything any more, and both know why.
#[tokio::test(start_paused = true)]
async fn a_holder_that_wakes_up_late_changes_nothing() {
    let (account, [one, two]) = connected(3).await;
    let first = hold(&one, "one").await.unwrap();
    change(&one).await.unwrap();
    let before = account.sandbox.with(|world| world.mutations().count());
    one.aws.clock.suspend(Duration::from_secs(3_600));
    // Before any timer of the run has noticed.
    let refused = change(&one).await.unwrap_err();
    assert!(refused.message.contains("lease expired") && refused.code == "auroraml", "{refused}");
    let second = hold(&two, "two").await.unwrap();
    assert_eq!(second.fencing(), 2);
    let lost = tokio::time::timeout(Duration::from_secs(60), first.lost()).await.unwrap();
    assert!(lost.contains("lease expired"), "{lost}");
    change(&one).await.unwrap_err();
    first.release(Some(true)).await.unwrap();
    assert_eq!(kept(&two).await.run, "two", "what is another's is not given back");
    let ours = |entry: &&auroraml_sandbox::Entry| entry.service != "s3";
    let after = account.sandbox.with(|world| world.mutations().skip(before).filter(ours).count());
    assert_eq!(after, 0);

    // Somebody takes it over although it is renewed, by hand.
    let stolen = Record { run: "thief".into(), owner: "thief@night".into(), ..kept(&two).await };
    let key = "leases/111122223333/us-east-1/net.json";
    let put =
        aws_sdk_s3::Client::new(&config(&account.sandbox)).put_object().bucket("operations-of-ours").key(key);
    put.body(stolen.to_text().into_bytes().into()).send().await.unwrap();
    let lost = tokio::time::timeout(Duration::from_secs(60), second.lost()).await.unwrap();
    assert!(lost.contains("another run took over this run's lease: thief@night"), "{lost}");
    let refused = change(&two).await.unwrap_err();
    assert!(refused.message.contains("took over"), "{refused}");
}

/// Of any number that try at the same moment one is first, each time; nobody is told twice of a count.
#[tokio::test(start_paused = true)]
async fn of_many_one_is_first() {
    let (account, []) = connected(4).await;
    let mut last = 0;
    for round in 0..10 {
        let account = &account;
        let tries = (0..16).map(|n| async move {
            let address = Address::parse(ADDRESS).unwrap();
            // A new connection for each round: a gate closes for good.
            let fresh = account.administrator(&spec(NET)).await;
            let run = format!("{round}-{n}");
            let held =
                Lease::hold(&fresh.aws, &address, owner(&run), Duration::ZERO, |_| (), pending()).await;
            (run, held)
        });
        let all = futures_util::future::join_all(tries).await;
        let (won, lost): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, held)| held.is_ok());
        let [(winner, lease)] =
            <[_; 1]>::try_from(won).unwrap_or_else(|won| panic!("{} are first", won.len()));
        for (_, other) in lost {
            let Err(NoLease::Held(record, _)) = other else { panic!("{other:?}") };
            assert_eq!(record.run, winner);
        }
        let lease = lease.unwrap();
        assert_eq!(lease.fencing(), last + 1);
        last = lease.fencing();
        lease.release(Some(true)).await.unwrap();
    }
}

/// A bucket that cannot be used is told as what it is, and nothing is changed.
#[test]
fn a_bucket_that_cannot_be_used() {
    let place = Place::new();
    place.write("net.yaml", NET);
    let apply = |lease: &str| place.run(&in_sandbox(&["apply", "net.yaml", "--yes", "--lease", lease]));
    let missing = apply("s3://nobody-has-this/x");
    assert!(
        missing.code == 1 && missing.err.contains("bucket nobody-has-this does not exist"),
        "{missing:?}"
    );
    let foreign = apply("s3://sagemaker-sample-files/x");
    assert!(foreign.code == 1 && foreign.err.contains("s3:GetObject and s3:PutObject on"), "{foreign:?}");
    let folder = apply("missing/lease.json");
    assert!(folder.code == 1 && folder.err.contains("cannot use missing/lease.json"), "{folder:?}");
    for wrong in ["s3://NO", "https://x.y"] {
        let usage = apply(wrong);
        assert!(usage.code == 1 && usage.err.contains("--lease"), "{usage:?}");
    }
    place.write("own.yaml", &format!("{NET}bucket: {{}}\n"));
    let own = "s3://net-sagemaker-111122223333-us-east-1/x";
    let own = place.run(&in_sandbox(&["apply", "own.yaml", "--yes", "--lease", own]));
    assert!(own.code == 1 && own.err.contains("which is deleted with the stack"), "{own:?}");
    let plan = place.run(&in_sandbox(&["plan", "net.yaml", "--detailed-exitcode"]));
    assert_eq!(plan.code, 2, "nothing was changed: {plan:?}");
    assert_eq!(apply("none").code, 0);
}

const NET: &str = "stack: net\nregion: us-east-1\nnetwork: { cidr: 10.0.0.0/16 }\n";

/// What the lease knows spares the quiet minute before a restart; without it a run makes sure that none is on its way.
#[tokio::test(start_paused = true)]
async fn a_clean_end_spares_the_quiet_minute() {
    for (lease, spares) in [("lease.json", true), ("none", false)] {
        let place = with_orders(2).await;
        place.write("never.yaml", &SPEC.replace("existing: orders", "existing: orders, restart: never"));
        let apply = |spec: &str, more: &[&str]| -> Ran {
            let args = ["apply", spec, "--yes", "--lease", lease, "--events", "events.jsonl"];
            place.run(&in_sandbox(&[&args[..], more].concat()))
        };
        // Members are left pending by a run that has done all of what it was to do.
        let left = apply("never.yaml", &["--accept-pending"]);
        assert_eq!(left.code, 0, "{left:?}");
        let restarted = apply("shop.yaml", &["--allow", "failover"]);
        assert_eq!(restarted.code, 0, "{restarted:?}");
        let waited = place.read("events.jsonl").contains("no restart of an earlier run is still in progress");
        assert_eq!(waited, !spares, "--lease {lease}");
    }
}

/// A lease on the listener: whoever has it, and what is left of it.
fn kept_at(listening: &Listening) -> Option<Record> {
    let answer = listening
        .ask("s3", "GET", "/operations-of-ours/leases/111122223333/us-east-1/shop.json", b"")
        .unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    head.starts_with("HTTP/1.1 200")
        .then(|| Record::parse(body).unwrap_or_else(|why| panic!("{why}: {answer}")))
}

/// What time it is in the sandbox, in milliseconds since the Unix epoch: S3 says it.
fn time_at(listening: &Listening) -> u64 {
    let answer = listening.ask("s3", "GET", "/operations-of-ours?location", b"").unwrap();
    let date = answer.lines().find_map(|line| line.strip_prefix("date: ")).expect(&answer);
    let at = jiff::fmt::rfc2822::parse(date).unwrap().timestamp();
    u64::try_from(at.as_millisecond()).unwrap()
}

/// A place with a cluster of others, a listener over it at this speed, and the bucket.
async fn listening_at(speed: &str) -> (Place, Listening) {
    let place = with_orders(2).await;
    let serve =
        ["sandbox", "--listen", "127.0.0.1:0", "--sandbox=world.json", "--sandbox-speed", speed, "--quiet"];
    let listening = Listening::of(place.command(&serve));
    let made = listening.ask("s3", "PUT", "/operations-of-ours", b"").unwrap();
    assert!(made.starts_with("HTTP/1.1 200"), "{made}");
    (place, listening)
}

/// An apply on the listener, with its lease in the bucket.
fn apply(place: &Place, listening: &Listening, more: &[&str]) -> Process {
    let url = listening.url();
    let args = ["apply", "shop.yaml", "--yes", "--allow", "failover", "--lease", ADDRESS, &url];
    Process::start(&mut place.command(&[&args[..], more].concat()))
}

#[expect(clippy::disallowed_methods, reason = "other processes take real time")]
fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..1_200 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("not after two minutes: {what}");
}

/// Interrupted before anything was changed.
fn is_early(code: i32, said: &str) -> bool {
    code == 1 && said.contains("nothing was changed: interrupted")
}

/// Sixteen processes at once, on the real binary: one works, and fifteen say who.
#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn sixteen_processes_race() {
    let (place, listening) = listening_at("3").await;
    for round in 1..=3 {
        let mut running: Vec<Process> = (0..16).map(|_| apply(&place, &listening, &[])).collect();
        let mut ended = Vec::new();
        wait_until("fifteen have ended", || {
            let (done, rest) = std::mem::take(&mut running).into_iter().fold(
                (Vec::new(), Vec::new()),
                |(mut done, mut rest), mut one| {
                    if one.has_ended() {
                        done.push(one)
                    } else {
                        rest.push(one)
                    }
                    (done, rest)
                },
            );
            ended.extend(done);
            running = rest;
            running.len() <= 1
        });
        let winner = running.pop().unwrap_or_else(|| panic!("nobody is at work"));
        let record = kept_at(&listening).unwrap();
        assert_eq!((record.state, record.fencing), (State::Held, round), "one acquisition a round");
        assert!(record.owner.contains(&format!("process {}", winner.id())), "{record:?}");
        for one in ended {
            let (code, said) = one.end();
            assert_eq!(code, 4, "{said}");
            let who = format!("apply of shop by {}, since {}", record.owner, record.since);
            assert!(said.contains(&who) && said.contains("--wait-for-lease 10m"), "{who}: {said}");
        }
        winner.signal("-TERM");
        let (code, said) = winner.end();
        // Half way, or before it had begun.
        assert!(code == 7 || is_early(code, &said), "{code}: {said}");
        assert_eq!(kept_at(&listening).unwrap().state, State::Free);
    }
    listening.stop();
}

/// A run that is ended at whatever moment, from the first instruction on, leaves no lease behind.
#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_run_that_is_ended_early_leaves_no_lease() {
    let (place, listening) = listening_at("3").await;
    let mut by_signal = 0;
    for round in 0..60 {
        let one = apply(&place, &listening, &[]);
        match round % 2 {
            // The moment at which others see the lease is one at which its owner may still wait for the answer.
            0 => wait_until("the lease is held", || {
                kept_at(&listening).is_some_and(|record| record.state == State::Held)
            }),
            _ => pause(Duration::from_millis(round * 10)),
        }
        one.signal("-TERM");
        let (code, said) = one.end();
        // Before it listens it has asked for nothing, and ends as any process does.
        by_signal += u32::from(code == -1);
        assert!(
            code == 7 || code == -1 && round % 2 == 1 || is_early(code, &said),
            "round {round}, {code}: {said}"
        );
        let record = kept_at(&listening);
        assert!(record.is_none_or(|record| record.state == State::Free), "round {round}, {code}: {said}");
    }
    println!("of 60 runs {by_signal} ended before they listened");
    // Whoever waits for another run does not wait any more.
    let first = apply(&place, &listening, &[]);
    wait_until("the lease is held", || kept_at(&listening).is_some_and(|record| record.state == State::Held));
    let mut second = apply(&place, &listening, &["--wait-for-lease", "1h"]);
    let mut said = second.says_until("Waiting for apply of shop by");
    second.signal("-INT");
    let (code, rest) = second.end();
    said.push_str(&rest);
    assert!(is_early(code, &said), "{code}: {said}");
    first.signal("-TERM");
    let (code, said) = first.end();
    assert!(code == 7 || is_early(code, &said), "{code}: {said}");
    listening.stop();
}

/// A holder that is killed: whoever comes next is told, and whoever waits goes on when the lease has lapsed.
#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_killed_holder_is_followed_within_the_expiry() {
    let (place, listening) = listening_at("10").await;
    let first = apply(&place, &listening, &[]);
    wait_until("the lease is held", || kept_at(&listening).is_some());
    wait_until("something is made", || {
        listening.query("iam", "Action=ListRoles").unwrap().contains("shop-us-east-1")
    });
    first.signal("-KILL");
    let killed = time_at(&listening);
    let (code, said) = apply(&place, &listening, &[]).end();
    assert!(code == 4 && said.contains("if that run is dead, its lease expires in"), "{said}");
    let second = apply(&place, &listening, &["--wait-for-lease", "5m"]);
    wait_until("it goes on", || kept_at(&listening).unwrap().fencing == 2);
    let waited = time_at(&listening).saturating_sub(killed) / 1000;
    println!("the next run went on {waited} s after its predecessor was killed");
    assert!(waited <= LAPSES_SECONDS + 30, "{waited}");
    let (code, said) = second.end();
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("Waiting for apply of shop by"), "{said}");
    let record = kept_at(&listening).unwrap();
    assert!(record.state == State::Free && record.clean, "{record:?}");
    listening.stop();
}

/// A holder that was stopped for longer than its lease lasts, and goes on: it changes nothing any more, whether or not
/// another run has worked meanwhile.
#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn a_stopped_holder_changes_nothing_when_it_goes_on() {
    let mut random = fastrand::Rng::with_seed(7);
    for taken_over in [false, true, false] {
        let (place, listening) = listening_at("15").await;
        let first = apply(&place, &listening, &[]);
        wait_until("something is made", || {
            listening.query("iam", "Action=ListRoles").unwrap().contains("shop-us-east-1")
        });
        pause(Duration::from_millis(random.u64(0..1_500)));
        first.signal("-STOP");
        let stopped = time_at(&listening);
        if taken_over {
            let (code, said) = apply(&place, &listening, &["--wait-for-lease", "5m"]).end();
            assert_eq!(code, 0, "{said}");
        } else {
            wait_until("its lease is over", || time_at(&listening) > stopped + LAPSES_SECONDS * 1000);
        }
        // S3's dates are whole seconds: what the other run did in this one is not the first's.
        let other = time_at(&listening);
        wait_until("the next second", || time_at(&listening) > other);
        let resumed = time_at(&listening);
        first.signal("-CONT");
        let (code, said) = first.end();
        assert_eq!(code, 7, "{said}");
        assert!(said.contains("lease: this run's lease"), "{said}");
        listening.stop();
        let file = FileSandbox::open(&place.path("world.json"), 1.0, 1, Mood::Calm).unwrap();
        let late: Vec<String> = file.sandbox().with(|world| {
            // S3 tells whole seconds.
            let late = world.mutations().filter(|entry| entry.at >= resumed);
            late.map(|entry| format!("{} {}:{}", entry.at, entry.service, entry.operation)).collect()
        });
        assert_eq!(late, Vec::<String>::new(), "taken over: {taken_over}, resumed at {resumed}: {said}");
        let before =
            file.sandbox().with(|world| world.mutations().filter(|entry| entry.at < resumed).count());
        assert!(before > 5, "it was at work: {before}");
    }
}

#[expect(clippy::disallowed_methods, reason = "other processes take real time")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Without a bucket, runs on one machine exclude each other by a file of the user's.
#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn without_a_bucket_a_file_keeps_others_off() {
    let (place, listening) = listening_at("10").await;
    let url = listening.url();
    let args = ["apply", "shop.yaml", "--yes", "--allow", "failover", &url];
    let first = Process::start(&mut place.command(&args));
    let host = listening.address.replace(':', "-");
    let file = format!(".local/state/auroraml/leases/http---{host}/111122223333/us-east-1/shop.json");
    wait_until("the lease is held", || place.path(&file).exists());
    let second = place.run(&args);
    assert_eq!(second.code, 4, "{second:?}");
    assert!(second.err.contains(&format!("process {}", first.id())), "{second:?}");
    // The lock ends with its process, at once.
    first.signal("-KILL");
    drop(first);
    let done = place.run(&args);
    assert_eq!(done.code, 0, "{done:?}");
    let record = Record::parse(&place.read(&file)).unwrap();
    assert_eq!((record.state, record.fencing), (State::Free, 2));
    // In another place the folder may be told by the variable, and a folder that cannot be made is no obstacle.
    let mut command = place.command(&args);
    let told = command.env("XDG_STATE_HOME", "/proc/nothing").output().unwrap();
    let said = String::from_utf8_lossy(&told.stderr);
    assert!(told.status.success() && said.contains("warning: no lease, because /proc/nothing"), "{said}");
    listening.stop();
}

/// What a lease costs: a request to read, one to take, one to give back.
#[tokio::test(start_paused = true)]
async fn a_lease_costs_three_requests() {
    let (account, [stack]) = connected(5).await;
    let before = account.sandbox.requests();
    let address = Address::parse(ADDRESS).unwrap();
    let lease =
        Lease::hold(&stack.aws, &address, owner("a"), Duration::ZERO, |_| (), pending()).await.unwrap();
    lease.release(None).await.unwrap();
    assert_eq!(account.sandbox.requests() - before, 3);
}
