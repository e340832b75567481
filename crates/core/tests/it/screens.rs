//! What people see, on terminals of several sizes, on a pipe and in ASCII: each screen is a file under
//! tests/data/render/screens.

use crate::graphs::existing;
use crate::screen::Screen;
use crate::{facts_for, golden, place_of, spec_named};
use auroraml_core::base::{Id, Live, Observed, State};
use auroraml_core::events::{Event, PlannedStep};
use auroraml_core::kinds::catalog;
use auroraml_core::members::restart::{Member, Topology};
use auroraml_core::members::{Impact, Interruption, Seconds};
use auroraml_core::model::facts::{Facts, Reached};
use auroraml_core::model::{self, Intent};
use auroraml_core::plan::{Plan, plan};
use auroraml_core::render::access::{Access, Known};
use auroraml_core::render::canvas::{Canvas, room};
use auroraml_core::render::progress::Progress;
use auroraml_core::render::status::{Next, Stack};
use auroraml_core::render::{self, Form, Subject, ascii};
use auroraml_core::resource::Action;
use auroraml_core::spec::Strategy;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Terminals; none is a pipe.
const SIZES: [Option<(usize, usize)>; 4] = [Some((80, 24)), Some((100, 30)), Some((160, 50)), None];

fn subject(stack: &str, destroy: bool) -> Subject {
    Subject {
        stack: stack.into(),
        account: "111122223333".into(),
        region: "us-east-1".into(),
        destroy,
        allow: Impact::Readers,
        allow_is_final: false,
        has_window: false,
    }
}

/// The plan of an example in an empty account.
fn fresh(name: &str) -> Plan {
    let spec = spec_named(name);
    let graph = model::build(&spec, &place_of(&spec), &facts_for(&spec), Intent::Apply).unwrap();
    plan(&graph, &Observed::new(), &catalog())
}

/// Writes a text at each size, on a pipe and in ASCII, and compares with what it was.
fn everywhere(name: &str, text: impl Fn(Form) -> String) {
    for size in SIZES {
        let form = Form { width: size.map(|(width, _)| width), verbose: false };
        let written = text(form);
        match size {
            Some((width, height)) => {
                let mut screen = Screen::new(width, height);
                screen.write(&written);
                compare(&format!("{name}-{width}x{height}"), &screen.all());
            }
            None => {
                let plain = anstream::adapter::strip_str(&written).to_string();
                compare(&format!("{name}-pipe"), &plain);
                let plain = ascii(&plain);
                assert!(plain.is_ascii(), "{plain}");
                compare(&format!("{name}-ascii"), &plain);
            }
        }
    }
}

fn compare(name: &str, text: &str) {
    golden(&format!("tests/data/render/screens/{name}.txt"), text);
}

#[test]
fn the_plan() {
    let plan = fresh("churn.yaml");
    everywhere("plan", |form| render::text::plan_in(form, &subject("churn", false), &plan));
    // One line for each resource that is made: what is more has to be asked for.
    let text = render::text::plan(&subject("churn", false), &plan);
    assert!(text.lines().count() < plan.work().count() + 40, "{}", text.lines().count());
}

/// A cluster of others whose members have to restart, and may not.
fn refused() -> Plan {
    let spec = spec_named("existing-cluster.yaml");
    let facts = Facts {
        existing: Some(existing()),
        live_engine_version: Some("8.0.mysql_aurora.3.08.0".into()),
        ..facts_for(&spec)
    };
    let graph = model::build(&spec, &place_of(&spec), &facts, Intent::Apply).unwrap();
    let mut plan = plan(&graph, &Observed::new(), &catalog());
    let sync = plan.steps.iter_mut().find(|step| step.id.kind == "parameter_sync").unwrap();
    let restart = |impact, what: &str, members: &[&str], usually, at_worst| Interruption {
        impact,
        what: what.into(),
        why: "its parameters are pending-reboot".into(),
        members: members.iter().map(|member| (*member).to_string()).collect(),
        seconds: Seconds { usually, at_worst },
    };
    sync.action = Action::Recheck;
    sync.changes.clear();
    sync.reason = Some("group_parameters.main changes; members then wait for a restart".into());
    sync.impact = Impact::Failover;
    sync.interruptions = vec![
        restart(
            Impact::Readers,
            "restart reader orders-2 (tier 1, db.r6g.large, us-east-1b)",
            &["orders-2"],
            60,
            180,
        ),
        restart(
            Impact::Failover,
            "fail over from orders-1 to orders-2 (tier 1, db.r6g.large, us-east-1b)",
            &["orders-1", "orders-2"],
            30,
            60,
        ),
    ];
    plan
}

#[test]
fn a_refusal() {
    let plan = refused();
    everywhere("refusal", |form| render::text::plan_in(form, &subject("shop", false), &plan));
    let text = anstream::adapter::strip_str(&render::text::plan(&subject("shop", false), &plan)).to_string();
    for way in ["--allow failover", "`window`", "`restart: never`", "--accept-pending"] {
        assert!(text.contains(way), "{way} is not named: {text}");
    }
    assert!(text.contains("! restart members") && !text.contains("? wait"), "{text}");
}

/// Where a person is asked next, a yes is one of the ways, unless the spec has the last word. What interrupts is the last that is
/// read, and long names break nowhere within.
#[test]
fn a_yes_is_a_way() {
    let mut plan = refused();
    plan.notes.push("a long note about the networks of the cluster, ".repeat(20));
    for interruption in plan.steps.iter_mut().flat_map(|step| &mut step.interruptions) {
        interruption.what = interruption.what.replace("orders", "database-aurora-machine-learning");
    }
    let form = Form { width: Some(80), verbose: false };
    let said = |subject: &Subject| {
        let text = render::text::plan_asked(form, subject, &plan);
        anstream::adapter::strip_str(&text).to_string()
    };
    let asked = said(&subject("shop", false));
    let words = asked.split_whitespace().collect::<Vec<_>>().join(" ");
    let needs = "Needs your confirmation, or --allow failover; currently only reader restarts are allowed";
    assert!(words.contains(needs) && !words.contains("Not allowed"), "{asked}");
    assert!(asked.lines().all(|line| line.chars().count() <= 80), "{asked}");
    // Down to the question, a screen of 24 lines has all of it.
    let (_, last) = asked.split_once("\nInterruptions,").unwrap();
    assert!(last.lines().count() < 20 && !last.contains("note:"), "{asked}");
    let last_word = said(&Subject { allow_is_final: true, ..subject("shop", false) });
    assert!(
        last_word.contains("Not allowed: the spec's") && !last_word.contains("Needs your"),
        "{last_word}"
    );
}

/// How long a step takes in this run: as real ones do, and no two alike.
fn seconds(n: usize, kind: &str) -> u64 {
    let usual = match kind {
        "instance" => 412,
        "endpoint" => 301,
        "notebook" => 208,
        "training_job" => 231,
        "nat_gateway" => 106,
        "cluster" => 46,
        "cluster_role" => 31,
        _ => 1,
    };
    usual + n as u64 % 4
}

/// What is told while a plan is carried out: every step begins when all are done that it needs.
fn run(plan: &Plan) -> Vec<(u64, Event)> {
    let steps: Vec<_> = plan.work().collect();
    let planned = steps.iter().map(|step| PlannedStep {
        id: step.id.clone(),
        action: step.action,
        needs: step.needs.clone(),
    });
    let mut events = vec![(0, Event::Planned { steps: planned.collect() })];
    let mut ends: BTreeMap<Id, u64> = BTreeMap::new();
    for (n, step) in steps.iter().enumerate() {
        let id = || step.id.clone();
        let begins = step.needs.iter().map(|id| ends[id]).max().unwrap_or(0);
        let takes = seconds(n, step.id.kind);
        ends.insert(id(), begins + takes * 1_000);
        events.push((begins, Event::Started { id: id(), action: step.action }));
        if takes > 10 {
            events
                .push((begins + 5_000, Event::Waiting { id: id(), why: "waiting for AWS to begin".into() }));
        }
        events.push((begins + takes * 1_000, Event::Finished { id: id(), seconds: takes }));
    }
    // Stable: of one moment, in the order in which they were made.
    events.sort_by_key(|(at, _)| *at);
    events
}

/// The plan, the view while it is carried out, and what is left of it: the plan once and the result once.
#[test]
fn the_live_view() {
    let (subject, plan) = (subject("churn", false), fresh("churn.yaml"));
    for size in SIZES.into_iter().flatten().chain([(40, 24)]) {
        let (width, height) = size;
        let form = Form { width: Some(width), verbose: false };
        let (mut screen, mut canvas, mut progress) =
            (Screen::new(width, height), Canvas::default(), Progress::default());
        let before = render::text::plan_in(form, &subject, &plan);
        screen.write(&before);
        let (mut now, mut half_way) = (0, None);
        for (at, event) in run(&plan) {
            // Drawn five times a second; of a long wait a few frames will do.
            for frame in [now, now + (at - now) / 2] {
                let lines = progress.lines(frame, width, room(height));
                screen.write(&canvas.draw(&lines, size));
                assert!(lines.len() <= height / 2, "{} lines of {height}", lines.len());
            }
            if now <= 250_000 && at > 250_000 {
                half_way = Some(screen.shown());
            }
            progress.tell(at, &event);
            now = at;
        }
        let name = format!("{width}x{height}");
        compare(&format!("live-{name}"), &half_way.unwrap());
        screen.write(&canvas.clear(size));
        let result = format!("\n{}", progress.finish("Done", now / 1_000, "", false));
        screen.write(&result);
        compare(&format!("finish-{name}"), &screen.shown());
        let mut expected = Screen::new(width, height);
        expected.write(&before);
        expected.write(&result);
        assert_eq!(screen.history(), expected.history(), "something of the view is left");
    }
}

/// On a pipe: what begins and ends, what changes, and otherwise a sign of life each minute.
#[test]
fn the_live_view_on_a_pipe() {
    let plan = fresh("churn.yaml");
    let (mut progress, mut text, mut last) = (Progress::default(), String::new(), 0);
    for (at, event) in run(&plan) {
        while at > last + 60_000 {
            last += 60_000;
            progress.sign_of_life(last).iter().for_each(|line| text.push_str(&format!("{line}\n")));
        }
        progress.tell(at, &event);
        for line in progress.said(at, &event).into_iter().chain(progress.changes(at)) {
            text.push_str(&format!("{line}\n"));
            last = at;
        }
    }
    text.push_str(&format!("\n{}", progress.finish("Done", last / 1_000, "", false)));
    compare("live-pipe", &text);
    compare("live-ascii", &ascii(&text));
    assert!(ascii(&text).is_ascii());
    let mut view = Progress::default();
    run(&plan).iter().filter(|(at, _)| *at < 250_000).for_each(|(at, event)| view.tell(*at, event));
    let view = view.lines(250_000, 80, 12).join("\n");
    assert!(ascii(&view).is_ascii(), "{view}");
}

fn live(kind: &'static str, name: &str, props: serde_json::Value, outputs: &[(&str, &str)]) -> Live {
    Live {
        id: Id::new(kind, name),
        props,
        outputs: outputs.iter().map(|(key, value)| ((*key).to_string(), (*value).into())).collect(),
        state: State::Ready,
        owned: true,
    }
}

fn observed() -> Observed {
    let arn = "arn:aws:rds:us-east-1:111122223333:cluster:churn";
    let secret = "arn:aws:secretsmanager:us-east-1:111122223333:secret:auroraml/churn/master-vAVgQt";
    let props = json!({
        "port": 3306, "username": "admin", "database": "telecom_customer_churn", "data_api": true,
        "security_groups": ["sg-0a"], "running": true,
    });
    let ingress =
        |peer: &str, port: u16| json!({"protocol": "tcp", "from_port": port, "to_port": port, "peer": peer});
    let all = [
        live("vpc", "main", json!({}), &[("id", "vpc-0a")]),
        live(
            "security_group",
            "aurora",
            json!({"ingress": [ingress("sg-0b", 3306), ingress("10.0.0.0/8", 3306), ingress("0.0.0.0/0", 22)]}),
            &[("id", "sg-0a")],
        ),
        live("security_group", "notebook", json!({"ingress": []}), &[("id", "sg-0b")]),
        live(
            "bucket",
            "main",
            json!({}),
            &[
                ("name", "churn-sagemaker-111122223333-us-east-1"),
                ("arn", "arn:aws:s3:::churn-sagemaker-111122223333-us-east-1"),
            ],
        ),
        live(
            "role",
            "sagemaker",
            json!({}),
            &[("arn", "arn:aws:iam::111122223333:role/auroraml/churn/us-east-1/churn-us-east-1-sagemaker")],
        ),
        live("secret", "master", json!({}), &[("arn", secret), ("name", "auroraml/churn/master")]),
        live(
            "cluster",
            "main",
            props,
            &[
                ("id", "churn"),
                ("arn", arn),
                ("endpoint", "churn.cluster-cmr2gsjzmrih.us-east-1.rds.amazonaws.com"),
                ("reader_endpoint", "churn.cluster-ro-cmr2gsjzmrih.us-east-1.rds.amazonaws.com"),
            ],
        ),
        live(
            "instance",
            "1",
            json!({}),
            &[("id", "churn-1"), ("arn", "arn:aws:rds:us-east-1:111122223333:db:churn-1")],
        ),
        live(
            "endpoint",
            "churn",
            json!({}),
            &[("name", "churn"), ("arn", "arn:aws:sagemaker:us-east-1:111122223333:endpoint/churn")],
        ),
        live(
            "notebook",
            "main",
            json!({}),
            &[("name", "churn-notebook"), ("url", "https://churn-notebook.notebook.us-east-1.sagemaker.aws")],
        ),
    ];
    all.into_iter().map(|live| (live.id.clone(), live)).collect()
}

fn next(stack: &str) -> Vec<Next> {
    let next = |command: &str, what: &str| Next {
        command: format!("auroraml {command} {stack}.yaml"),
        what: what.into(),
    };
    vec![
        next("verify", "check that SQL can call the models"),
        next("destroy", "delete the stack and stop its costs"),
    ]
}

#[test]
fn the_status() {
    let (observed, subject) = (observed(), subject("churn", false));
    let member = Member {
        name: "churn-1".into(),
        writer: true,
        status: "available".into(),
        parameter_status: "in-sync".into(),
        own_parameter_status: "in-sync".into(),
        promotion_tier: 1,
        class: "db.r6g.large".into(),
        zone: "us-east-1a".into(),
    };
    let topology = Topology { members: vec![member], status: "available".into(), ..Topology::default() };
    let mut stack = Stack::new(&subject, &observed, Some(&topology), Strategy::Rolling);
    let flags = ["--profile".to_string(), "dev".to_string()];
    let known = Known { subject: &subject, observed: &observed, existing: None, secret: None, flags: &flags };
    stack.access = Access::of(known);
    stack.next = next("churn");
    everywhere("status", |form| stack.to_text_in(form));
    compare("status-json", &stack.to_json());
    let database = stack.access.database.unwrap();
    assert_eq!(
        database.reachable_from,
        ["10.0.0.0/8", "the notebook", "anywhere, through the Data API, with AWS credentials"]
    );
}

/// A cluster of others: the same facts, as far as they are known.
#[test]
fn the_use_of_an_existing_cluster() {
    let reached = Reached {
        arn: "arn:aws:rds:us-east-1:111122223333:cluster:orders".into(),
        host: "orders.cluster-c1.us-east-1.rds.amazonaws.com".into(),
        reader_host: "orders.cluster-ro-c1.us-east-1.rds.amazonaws.com".into(),
        port: 3307,
        user: "root".into(),
        database: Some("it's".into()),
        secret: None,
        data_api: true,
        security_groups: vec!["sg-0c".into()],
        private: Some(false),
    };
    let (subject, observed) = (subject("shop", false), Observed::new());
    let of = |reached: &Reached, secret| {
        let known =
            Known { subject: &subject, observed: &observed, existing: Some(reached), secret, flags: &[] };
        Access::of(known).database.unwrap()
    };
    let database = of(&reached, None);
    assert_eq!(
        database.mysql,
        r"mysql -h orders.cluster-c1.us-east-1.rds.amazonaws.com -P 3307 -u root -p 'it'\''s'"
    );
    assert_eq!((database.get_password, database.data_api), (None, None), "nobody knows its secret");
    assert_eq!(database.private, Some(false));
    let database = of(&reached, Some("arn:aws:secretsmanager:us-east-1:111122223333:secret:sql-abcdef"));
    assert!(database.data_api.unwrap().contains("--secret-arn arn:aws:secretsmanager"));
    assert!(database.get_password.unwrap().contains("secret:sql-abcdef --query SecretString"));
    let mut stack = Stack::new(&subject, &observed, None, Strategy::Rolling);
    let known =
        Known { subject: &subject, observed: &observed, existing: Some(&reached), secret: None, flags: &[] };
    stack.access = Access::of(known);
    stack.next = next("shop");
    everywhere("use-existing", |form| stack.use_text(form));
}

/// A plan that cannot be carried out ends with what is in its way, and has no numbers that somebody could take for what
/// will happen.
#[test]
fn a_blocked_plan_ends_with_why() {
    let mut plan = fresh("minimal.yaml");
    plan.blocked.push(auroraml_core::plan::Blocked {
        id: Id::new("parameter_group", "main"),
        why: "an object of this name exists and lacks the stack's tags".into(),
        hint: "if it is this stack's, tag minimal with auroraml:stack = minimal, then run again".into(),
    });
    everywhere("blocked", |form| render::text::plan_in(form, &subject("minimal", false), &plan));
    let text = render::text::plan(&subject("minimal", false), &plan);
    assert!(!text.contains("to create") && !text.contains("Time:") && !text.contains("Cost:"), "{text}");
    assert!(plain_last(&text).starts_with("Blocked by parameter_group.main"), "{text}");
    let every: BTreeSet<Action> = plan.work().map(|step| step.action).collect();
    assert!(every.contains(&Action::Create), "the plan itself is shown");
}

fn plain_last(text: &str) -> String {
    anstream::adapter::strip_str(text.lines().last().unwrap_or_default()).to_string()
}
