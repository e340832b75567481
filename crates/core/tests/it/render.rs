//! Plans, progress and stacks as text, from values made by hand.

use auroraml_core::base::diff;
use auroraml_core::base::{Id, Live, State};
use auroraml_core::events::{Event, PlannedStep};
use auroraml_core::members::restart::{Member, Strategy, Topology};
use auroraml_core::members::{Impact, Interruption, Seconds};
use auroraml_core::plan::{Blocked, LeftAlone, Plan, Step};
use auroraml_core::render::basis::{Basis, Fields};
use auroraml_core::render::{self, Form, Subject, json::Document, progress::Progress, status::Stack};
use auroraml_core::resource::Action;
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn golden(name: &str, text: &str) {
    crate::golden(&format!("tests/data/render/{name}"), text);
}

fn subject(destroy: bool) -> Subject {
    Subject {
        stack: "churn".into(),
        account: "111122223333".into(),
        region: "us-east-1".into(),
        destroy,
        allow: Impact::Readers,
        allow_is_final: false,
        has_window: false,
    }
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn step(kind: &'static str, name: &str, action: Action, want: Value, live: Value) -> Step {
    Step { changes: diff(&want, &live), ..Step::new(Id::new(kind, name), action) }
}

fn tags(id: &str) -> Value {
    json!({"project": "churn", "auroraml:stack": "churn", "auroraml:resource": id})
}

fn policy() -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["sagemaker:InvokeEndpoint"],
         "Resource": ["arn:aws:sagemaker:us-east-1:111122223333:endpoint/churn"]},
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]},
    ]})
}

/// Something of everything.
fn mixed() -> Plan {
    let reference = |id: &str, output: &str| json!({"$ref": id, "output": output});
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "rds.amazonaws.com"}, "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": "111122223333"},
            "ArnLike": {"aws:SourceArn": "arn:aws:rds:us-east-1:111122223333:cluster:churn"}},
    }]});
    let none = Value::Null;
    let mut role = step(
        "role",
        "sagemaker",
        Action::Create,
        json!({"trust": trust, "policy": policy(), "tags": tags("role.sagemaker")}),
        none.clone(),
    );
    role.predicted.insert(
        "arn".into(),
        "arn:aws:iam::111122223333:role/auroraml/churn/us-east-1/churn-sagemaker".into(),
    );
    let mut group = step(
        "subnet_group",
        "main",
        Action::Create,
        json!({"subnets": [reference("subnet.private-1", "id"), "subnet-0a"], "description": "", "extra": null}),
        none.clone(),
    );
    group.needs.insert(Id::new("subnet", "private-1"));
    let security = step(
        "security_group",
        "aurora",
        Action::Create,
        json!({"vpc": reference("vpc.main", "id"), "ingress": [
            {"protocol": "tcp", "from_port": 3306, "to_port": 3306, "peer": "10.192.20.0/24"},
            {"protocol": "tcp", "from_port": 3306, "to_port": 3306, "peer": reference("security_group.notebook", "id")},
        ], "egress": []}),
        none.clone(),
    );
    let script = step(
        "notebook_config",
        "main",
        Action::Create,
        json!({"on_create": "#!/bin/bash\nset -eu\necho hello\n", "on_start": "#!/bin/bash\n"}),
        none,
    );
    let mut old = policy();
    old["Statement"][1]["Action"] = json!(["s3:GetObject"]);
    let mut new_tags = tags("role.s3");
    new_tags["project"] = "more churn".into();
    let changed = step(
        "role",
        "s3",
        Action::Update,
        json!({"policy": policy(), "tags": new_tags}),
        json!({"policy": old, "tags": {"old": "1", "auroraml:stack": "churn", "auroraml:resource": "role.s3"}}),
    );
    let parameters = step(
        "parameter_group",
        "main",
        Action::Update,
        json!({"parameters": {"aws_default_sagemaker_role": "arn:aws:iam::1:role/x", "max_connections": "500"}}),
        json!({"parameters": {"max_connections": "1000", "time_zone": "UTC"}}),
    );
    let mut sync = step(
        "parameter_sync",
        "main",
        Action::Update,
        json!({"pending": []}),
        json!({"pending": ["churn-1", "churn-2"]}),
    );
    sync.impact = Impact::Failover;
    let seconds = |usually, at_worst| Seconds { usually, at_worst };
    sync.interruptions = vec![
        Interruption {
            impact: Impact::Readers,
            what: "restart reader churn-2 (tier 1, db.r6g.large, us-east-1b)".into(),
            why: "its parameters are pending-reboot".into(),
            members: vec!["churn-2".into()],
            seconds: seconds(60, 180),
        },
        Interruption {
            impact: Impact::Failover,
            what: "fail over from churn-1 to churn-2 (tier 1, db.r6g.large, us-east-1b)".into(),
            why: "the writer's parameters are pending-reboot, and this reader is in-sync".into(),
            members: vec!["churn-1".into(), "churn-2".into()],
            seconds: seconds(30, 60),
        },
    ];
    let mut wait = step("instance", "1", Action::Recheck, json!({}), json!({}));
    wait.reason = Some("rebooting".into());
    let mut nat = step("nat_gateway", "1", Action::Recreate, json!({}), json!({}));
    nat.reason = Some("failed: Elastic IP is gone".into());
    let still = step("vpc", "main", Action::NoOp, json!({}), json!({}));
    let mut cluster = step("cluster", "main", Action::Delete, json!({}), json!({}));
    cluster.impact = Impact::DataLoss;
    cluster.options.insert("final_snapshot".into(), "churn-final-20261120-000000".into());
    let gone = step("cluster_role", "s3", Action::Vanish, json!({}), json!({}));
    Plan {
        left_alone: Vec::new(),
        steps: vec![
            still, group, role, changed, security, script, parameters, sync, wait, nat, cluster, gone,
        ],
        blocked: Vec::new(),
        notes: vec!["bucket.main is kept, as the spec says".into()],
        ..Plan::default()
    }
}

/// What the plans of these tests rest on.
fn basis() -> Basis {
    let fields = |path: &str, hash: &str| Fields::from([(path.to_string(), hash.to_string())]);
    Basis {
        version: "1.2.3".into(),
        spec_sha256: "0".repeat(64),
        spec: fields("aurora.port", "0f0f0f0f"),
        live: [("cluster.main".to_string(), fields("port", "f0f0f0f0"))].into(),
    }
}

fn blocked() -> Plan {
    let mut plan = Plan {
        steps: vec![step(
            "cluster",
            "main",
            Action::Update,
            json!({"username": "b"}),
            json!({"username": "a"}),
        )],
        ..Plan::default()
    };
    plan.blocked.push(Blocked {
        id: Id::new("cluster", "main"),
        why: "username cannot change from \"a\" to \"b\": the master user is chosen when the cluster is created".into(),
        hint: "restore username in the spec, or use another stack for the new value".into(),
    });
    plan
}

#[test]
fn a_plan_in_every_form() {
    let (subject, plan) = (subject(false), mixed());
    golden("plan.txt", &plain(&render::text::plan(&subject, &plan)));
    let verbose = Form { width: None, verbose: true };
    golden("plan-verbose.txt", &plain(&render::text::plan_in(verbose, &subject, &plan)));
    golden("plan.md", &render::markdown::plan(&subject, &plan));
    golden("plan.json", &Document::new(&subject, &basis(), &plan).to_text());
}

#[test]
fn a_blocked_plan_says_why() {
    golden("blocked.txt", &plain(&render::text::plan(&subject(false), &blocked())));
    golden("blocked.md", &render::markdown::plan(&subject(false), &blocked()));
}

#[test]
fn an_empty_plan_says_so() {
    let text = |destroy| plain(&render::text::plan(&subject(destroy), &Plan::default()));
    assert_eq!(text(false), "Nothing to do: everything is as the spec says.\n");
    assert_eq!(text(true), "Nothing to do: nothing of this stack is left to delete.\n");
}

#[test]
fn colour_is_decoration() {
    let text = render::text::plan(&subject(false), &mixed());
    assert!(text.contains("\u{1b}["), "styled");
    let plain = plain(&text);
    assert!(!plain.contains('\u{1b}'));
    for line in plain.lines() {
        assert_eq!(line, line.trim_end(), "a line ends with a space");
    }
}

#[test]
fn markdown_cannot_be_broken_out_of() {
    let mut plan = mixed();
    plan.steps[1].changes = diff(&json!({"text": "``` </details> <script>"}), &Value::Null);
    plan.steps[1].reason = Some("<b>*bold*</b>".into());
    let text = render::markdown::plan(&subject(false), &plan);
    assert!(text.contains("````text\ntext: ``` </details> <script>\n````"), "{text}");
    assert!(text.contains("&lt;b&gt;&#42;bold&#42;&lt;/b&gt;"), "{text}");
}

/// GitHub refuses a comment of more than 65,536 characters. Whatever is in the plan, whole elements are left out, with
/// a count, and none is left open.
#[test]
fn a_comment_is_never_too_long() {
    let mut random = fastrand::Rng::with_seed(10);
    let pieces = [
        "<b>",
        "</details>",
        "```",
        "@octocat",
        "ä",
        "😀",
        "\n",
        "#12",
        "word ",
        "https://x.y",
        "</summary>",
    ];
    let mut cut = 0;
    for round in 0..60 {
        let mut text = |most: usize| -> String {
            let count = random.usize(0..=most);
            (0..count).map(|_| *random.choice(pieces.iter()).unwrap()).collect()
        };
        let mut plan = mixed();
        let size = [0, 3, 40, 200, 600][round % 5];
        for n in 0..size {
            let mut more =
                step("role", &format!("more-{n}"), Action::Create, json!({"policy": text(60)}), json!({}));
            more.reason = Some(text(20));
            plan.steps.push(more);
            plan.notes.push(text(30));
        }
        for n in 0..size / 10 {
            let (id, why, hint) = (Id::new("vpc", format!("main#{n}")), text(50), text(3_000));
            plan.left_alone.push(LeftAlone { id, why, hint });
        }
        if round % 3 == 0 {
            plan.steps[7].interruptions = (0..size)
                .map(|_| Interruption { what: text(40), ..plan.steps[7].interruptions[0].clone() })
                .chain(plan.steps[7].interruptions.clone())
                .collect();
            plan.steps[1].changes =
                diff(&json!({"large": (0..50).map(|_| text(3_000)).collect::<Vec<_>>()}), &Value::Null);
        }
        let comment = render::markdown::plan(&subject(false), &plan);
        assert!(comment.len() <= 65_536, "{} bytes", comment.len());
        for (open, close) in [("<details>", "</details>"), ("<summary>", "</summary>"), ("<code>", "</code>")]
        {
            let lines =
                comment.lines().filter(|line| !line.starts_with("text: ") && !line.contains("policy: "));
            let text: String = lines.filter(|line| line.starts_with('<')).collect();
            assert_eq!(text.matches(open).count(), text.matches(close).count(), "{open}");
        }
        assert!(comment.contains("**Plan: "), "the numbers come first");
        if comment.contains("**Left out, because") {
            cut += 1;
            assert!(
                comment.trim_end().ends_with("and so does `--format json`."),
                "{}",
                &comment[comment.len() - 300..]
            );
        } else {
            assert!(size <= 200, "{} steps fit", size);
        }
    }
    assert!((10..60).contains(&cut), "{cut}");
}

#[test]
fn a_stale_plan_is_told_by_its_first_difference() {
    let saved = Document::new(&subject(false), &basis(), &mixed()).to_value();
    assert_eq!(render::json::difference(&saved, &saved), None);
    let differs = |change: fn(&mut Plan)| {
        let mut plan = mixed();
        change(&mut plan);
        let now = Document::new(&subject(false), &basis(), &plan).to_value();
        render::json::difference(&saved, &now).expect("differs")
    };
    assert_eq!(
        differs(|plan| plan.steps[8].action = Action::Update),
        "update instance.1 was recheck instance.1"
    );
    assert_eq!(
        differs(|plan| plan.steps[6].changes.clear()),
        "the step update parameter_group.main has different changes"
    );
    assert_eq!(
        differs(|plan| plan.steps[10].options.clear()),
        "the step delete cluster.main has different options"
    );
    assert_eq!(differs(|plan| plan.steps[0].action = Action::Create), "new step: create vpc.main");
    assert_eq!(
        differs(|plan| plan.steps[1].action = Action::NoOp),
        "this step is no longer needed: create subnet_group.main"
    );
    let with = |change: fn(&mut Basis)| {
        let mut basis = basis();
        change(&mut basis);
        let now = Document::new(&subject(false), &basis, &mixed()).to_value();
        render::json::difference(&saved, &now).expect("differs")
    };
    assert_eq!(
        with(|basis| basis.spec_sha256 = "1".repeat(64)),
        "the spec file changed since the plan was saved, but none of its fields"
    );
    let changed = with(|basis| {
        basis.spec_sha256 = "1".repeat(64);
        basis.spec.insert("aurora.port".into(), "b".into());
        basis.version = "2.0.0".into();
    });
    assert_eq!(
        changed,
        "`aurora.port` in the spec changed since the plan was saved (saved by auroraml 1.2.3, this is 2.0.0)"
    );
    let field = |basis: &mut Basis, path: &str| {
        basis.live.get_mut("cluster.main").unwrap().insert(path.into(), "b".into());
    };
    assert_eq!(
        with(|basis| basis.live.clear()),
        "cluster.main, which is gone, changed since the plan was saved"
    );
    let mut moved = basis();
    ["a", "b", "c", "d", "port"].iter().for_each(|path| field(&mut moved, path));
    let now = Document::new(&subject(false), &moved, &mixed()).to_value();
    assert_eq!(
        render::json::difference(&saved, &now).unwrap(),
        "`a` of cluster.main, `b` of cluster.main, `c` of cluster.main and 2 more fields changed since the plan was saved"
    );
    let mut old = saved.clone();
    old["format"] = 1.into();
    old.as_object_mut().unwrap().remove("version");
    assert_eq!(
        render::json::difference(&old, &saved).unwrap(),
        "it was saved by auroraml of an older version in format 1, but this is 1.2.3 with format 2"
    );
}

#[test]
fn the_schema_of_saved_plans_is_fresh() {
    let text = render::json::schema();
    crate::golden("schema/plan.schema.json", &text);
    crate::golden("schema/drift.schema.json", &auroraml_core::render::drift::schema());
    // What is left out of a plan when it is empty cannot be required.
    let schema: Value = serde_json::from_str(&text).unwrap();
    let required = &schema["$defs"]["Step"]["required"];
    assert_eq!(*required, json!(["id", "action", "changes", "impact", "needs"]));
}

/// A run of four steps, half way.
fn events() -> Vec<(u64, Event)> {
    let id = |kind, name: &str| Id::new(kind, name);
    let plan =
        |id: Id, action, needs: &[Id]| PlannedStep { id, action, needs: needs.iter().cloned().collect() };
    let (group, cluster, role) = (id("parameter_group", "main"), id("cluster", "main"), id("role", "s3"));
    let (one, sync) = (id("instance", "1"), id("parameter_sync", "main"));
    vec![
        (
            0,
            Event::Planned {
                steps: vec![
                    plan(role.clone(), Action::Create, &[]),
                    plan(group.clone(), Action::Update, &[]),
                    plan(cluster.clone(), Action::Create, &[role.clone(), group.clone()]),
                    plan(one.clone(), Action::Create, std::slice::from_ref(&cluster)),
                    plan(sync.clone(), Action::Recheck, &[group.clone(), cluster.clone(), one]),
                ],
            },
        ),
        (0, Event::Started { id: role.clone(), action: Action::Create }),
        (0, Event::Started { id: group.clone(), action: Action::Update }),
        (500, Event::Acted { id: role.clone(), what: "create" }),
        (2_000, Event::Finished { id: role, seconds: 2 }),
        (6_000, Event::Failed { id: group, why: "said at the end".into() }),
        (6_000, Event::Started { id: cluster.clone(), action: Action::Create }),
        (7_000, Event::Waiting { id: cluster.clone(), why: "creating".into() }),
        (40_000, Event::Waiting { id: cluster, why: "backing-up".into() }),
        (41_000, Event::Note { text: "a note".into() }),
        (50_000, Event::Stopping),
    ]
}

#[test]
fn progress_on_a_pipe() {
    let mut progress = Progress::default();
    let mut text = String::new();
    for (at, event) in events() {
        progress.tell(at, &event);
        if let Some(line) = progress.said(at, &event) {
            text.push_str(&format!("{line}\n"));
        }
    }
    // What has changed is told once, and after that there is a sign of life.
    for at in [60_000, 120_000] {
        progress.changes(at).iter().for_each(|line| text.push_str(&format!("{line}\n")));
    }
    text.push_str(&format!("{}\n", progress.sign_of_life(3_725_000).unwrap()));
    text.push_str(&format!("\n{}", progress.finish("Stopped", 3_725, "", true)));
    golden("progress-pipe.txt", &text);
}

#[test]
fn progress_on_a_terminal() {
    let mut progress = Progress::default();
    let mut text = String::new();
    for (at, event) in events() {
        progress.tell(at, &event);
        text.push_str(&format!("--- {at}\n{}\n", plain(&progress.lines(at, 90, 20).join("\n"))));
    }
    golden("progress-terminal.txt", &text);
}

#[test]
fn progress_fits_whatever_the_terminal_is() {
    let mut progress = Progress::default();
    let ids: Vec<Id> = (0..60).map(|n| Id::new("role", format!("role-with-a-long-name-{n}"))).collect();
    let steps =
        ids.iter().map(|id| PlannedStep { id: id.clone(), action: Action::Create, needs: BTreeSet::new() });
    progress.tell(0, &Event::Planned { steps: steps.collect() });
    for id in &ids[..20] {
        progress.tell(1_000, &Event::Started { id: id.clone(), action: Action::Create });
    }
    for id in &ids[..10] {
        progress.tell(2_000, &Event::Finished { id: id.clone(), seconds: 1 });
    }
    for (width, height) in [(80, 24), (20, 5), (200, 100), (1, 1), (0, 0)] {
        let lines = progress.lines(9_000, width, height);
        assert!(lines.len() <= height.max(1), "{} lines of {height}", lines.len());
        for line in &lines {
            assert!(plain(line).chars().count() <= width.max(3), "{line:?} in {width}");
        }
    }
    // What is at work comes first, and what is done is a number.
    let lines = plain(&progress.lines(9_000, 80, 8).join("\n"));
    assert!(lines.starts_with("10/60 done, 10 running, 40 waiting · 9s\n"), "{lines}");
    assert_eq!(lines.matches('▸').count(), 6, "{lines}");
    assert!(lines.ends_with("… and 44 more"), "{lines}");
}

#[test]
fn a_stack_as_a_table_and_as_json() {
    let live = |kind, name: &str, state, outputs: &[(&str, &str)]| Live {
        id: Id::new(kind, name),
        props: Value::Null,
        outputs: outputs.iter().map(|(key, value)| (key.to_string(), (*value).into())).collect(),
        state,
        owned: name != "theirs",
    };
    let host = "churn.cluster-c1.us-east-1.rds.amazonaws.com";
    let observed = [
        live("role", "s3", State::Ready, &[("arn", "arn:aws:iam::1:role/s3")]),
        live("role", "theirs", State::Ready, &[]),
        live("cluster", "main", State::Ready, &[("id", "churn"), ("arn", "arn:c"), ("endpoint", host)]),
        live("instance", "1", State::Busy("rebooting".into()), &[("id", "churn-1"), ("arn", "arn:i")]),
        live("endpoint", "churn", State::Failed("Failed: no image".into()), &[("arn", "arn:e")]),
        live("secret", "master", State::Ready, &[("arn", "arn:aws:secretsmanager:s")]),
    ];
    let observed = observed.into_iter().map(|live| (live.id.clone(), live)).collect();
    let member = |name: &str, writer, status: &str| Member {
        name: name.into(),
        writer,
        status: "available".into(),
        parameter_status: status.into(),
        own_parameter_status: "in-sync".into(),
        promotion_tier: 1,
        class: "db.r6g.large".into(),
        zone: "us-east-1a".into(),
    };
    let topology = Topology {
        members: vec![member("churn-1", true, "pending-reboot"), member("churn-10", false, "in-sync")],
        status: "available".into(),
        ..Topology::default()
    };
    let stack = Stack::new(&subject(false), &observed, Some(&topology), Strategy::Never);
    let narrow = Form { width: Some(80), verbose: false };
    let fits = plain(&stack.to_text_in(narrow));
    assert!(fits.lines().all(|line| line.chars().count() <= 80), "{fits}");
    golden("status.txt", &plain(&stack.to_text()));
    golden("status.json", &stack.to_json());
    let nothing = Stack::new(&subject(false), &Default::default(), None, Strategy::Rolling);
    assert!(nothing.to_text().contains("Nothing of this stack exists."));
}
