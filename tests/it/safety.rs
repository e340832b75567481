//! What keeps a user safe whatever others set: where requests may go, and who can read what is written.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

const SPEC: &str = "stack: shop\nregion: us-east-1\nbucket: { on_destroy: empty }\n";

struct Place(TempDir);

impl Place {
    fn new() -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        fs::write(place.0.path().join("shop.yaml"), SPEC).unwrap();
        place
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Exit code, and all that was said.
    fn run(&self, args: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_auroraml"));
        command.args(args).current_dir(self.path()).env_clear().stdin(Stdio::null());
        command.env("HOME", self.path()).env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("AWS_ACCESS_KEY_ID", "AKIDSANDBOX").env("AWS_SECRET_ACCESS_KEY", "none");
        let output = command.envs(variables.iter().copied()).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(text).unwrap())
    }
}

/// A port on which nothing listens: what is sent there fails at once, and otherwise than what is not sent.
const NOWHERE: &str = "http://127.0.0.1:9";

/// Wherever the endpoint was set: for all services, for one, in the profile.
#[test]
fn plain_http_to_another_machine_is_refused() {
    let place = Place::new();
    let refused = |variables: &[(&str, &str)], more: &[&str]| {
        let (code, text) = place.run(&[&["plan", "shop.yaml"], more].concat(), variables);
        assert_eq!(code, 1, "{text}");
        text
    };
    for variable in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS"] {
        let text = refused(&[(variable, "http://emulator.invalid:4566")], &[]);
        assert!(
            text.contains("nothing was sent") && text.contains("http://emulator.invalid is not encrypted"),
            "{text}"
        );
        // Asked for by name, and no other name.
        let text = refused(&[(variable, "http://emulator.invalid:4566")], &["--plain-http", "other.invalid"]);
        assert!(text.contains("nothing was sent"), "{text}");
    }
    let config = place.path().join("config");
    fs::write(&config, "[default]\nendpoint_url = http://emulator.invalid\n").unwrap();
    let text = refused(&[("AWS_CONFIG_FILE", config.to_str().unwrap())], &[]);
    assert!(text.contains("nothing was sent"), "{text}");
    let services =
        "[default]\nservices = ours\n[services ours]\nsts =\n  endpoint_url = http://emulator.invalid\n";
    fs::write(&config, services).unwrap();
    let text = refused(&[("AWS_CONFIG_FILE", config.to_str().unwrap())], &[]);
    assert!(text.contains("nothing was sent"), "{text}");
    // This machine needs no permission.
    let text = refused(&[("AWS_ENDPOINT_URL", NOWHERE)], &[]);
    assert!(!text.contains("nothing was sent"), "{text}");
}

/// The account answers; one service was sent elsewhere.
#[tokio::test(start_paused = true)]
async fn plain_http_is_refused_for_one_service_alone() {
    use auroraml::aws::{Connection, SecretText, simulated_config};
    use std::sync::Arc;
    let account = crate::harness::Account::new(1, auroraml_sandbox::random::Mood::Calm);
    let spec = crate::harness::spec(SPEC);
    let clock = account.sandbox.clock();
    let connect = |plain_http: Option<&str>| {
        let config = simulated_config(&spec.region, account.sandbox.http_client(), &clock);
        // What the SDK makes of AWS_ENDPOINT_URL, without the environment of this process.
        let config = config.into_builder().endpoint_url("http://emulator.invalid").build();
        let connection = Connection {
            config,
            plain_http: plain_http.map(String::from),
            clock: clock.clone(),
            files: Arc::new(|_| Err(std::io::ErrorKind::NotFound.into())),
            passwords: Arc::new(|_| Some(SecretText::new("none".into()))),
        };
        auroraml::stack::Stack::connect(spec.clone(), connection)
    };
    let asked = || account.sandbox.with(|world| world.log.len());
    let failure = connect(None).await.err().unwrap();
    assert!(failure.to_string().contains("http://emulator.invalid is not encrypted"), "{failure}");
    assert_eq!(asked(), 0, "a request was sent");
    let stack = connect(Some("emulator.invalid")).await.unwrap();
    let _ = stack.aws.s3.list_buckets().send().await;
    assert_eq!(asked(), 2);
}

#[cfg(unix)]
#[test]
fn plans_and_events_are_their_owner_s_alone() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let sandbox = ["--sandbox", "--sandbox-speed", "max"];
    let run = |args: &[&str]| {
        let (code, text) = place.run(&[args, &sandbox].concat(), &[]);
        assert_eq!(code, 0, "{text}");
    };
    run(&["plan", "shop.yaml", "--out", "plan.json"]);
    run(&["apply", "shop.yaml", "--plan", "plan.json", "--yes", "--events", "events.jsonl"]);
    run(&["destroy", "shop.yaml", "--yes", "--events", "more.jsonl"]);
    for name in ["plan.json", "events.jsonl", "more.jsonl"] {
        let file = fs::metadata(place.path().join(name)).unwrap();
        assert!(file.len() > 0, "{name}");
        assert_eq!(file.permissions().mode() & 0o777, 0o600, "{name}");
    }
}

/// Whoever may set a tag can write into every plan that shows the object: only text comes of it. EC2's XML carries all
/// of this but ESC.
#[tokio::test(start_paused = true)]
async fn a_tag_cannot_speak_for_us() {
    use auroraml_core::members::Impact;
    use auroraml_core::render::{self, Subject, json::Document, status::Stack};
    const ILL: &str = "x\u{9b}31m\u{202e}\nPlan: 0 to delete.\n</code></summary><img src=x> @octocat `y`";
    let text = "stack: shop\nregion: us-east-1\nnetwork: { cidr: 10.0.0.0/16 }\n";
    let spec = crate::harness::spec(text);
    let account = crate::harness::Account::new(1, auroraml_sandbox::random::Mood::Calm);
    account.apply(&spec).await;
    let ec2 = aws_sdk_ec2::Client::new(&crate::support::config(&account.sandbox));
    let vpcs = ec2.describe_vpcs().send().await.unwrap();
    let ours =
        |vpc: &&aws_sdk_ec2::types::Vpc| vpc.tags().iter().any(|tag| tag.key() == Some("auroraml:stack"));
    let vpc = vpcs.vpcs().iter().find(ours).and_then(|vpc| vpc.vpc_id()).unwrap();
    let tag = |key: &str, value: &str| aws_sdk_ec2::types::Tag::builder().key(key).value(value).build();
    let tags = aws_sdk_ec2::types::TagSpecification::builder()
        .resource_type(aws_sdk_ec2::types::ResourceType::SecurityGroup)
        .tags(tag("auroraml:stack", "shop"))
        .tags(tag("auroraml:resource", &format!("security_group.{ILL}")));
    let make = ec2.create_security_group().group_name("stray").description("stray").vpc_id(vpc);
    make.tag_specifications(tags.build()).send().await.unwrap();
    account.sandbox.clock().sleep(std::time::Duration::from_secs(120)).await;

    let prepared = account.prepare(&spec, auroraml_core::model::Intent::Apply).await.unwrap();
    let subject = Subject {
        stack: spec.stack.clone(),
        account: "111122223333".into(),
        region: spec.region.clone(),
        destroy: false,
        allow: Impact::None,
        allow_is_final: false,
        has_window: false,
    };
    let stack = Stack::new(&subject, &prepared.observed, None, Default::default());
    let markdown = render::markdown::plan(&subject, &prepared.plan);
    let catalog = auroraml_core::kinds::catalog();
    let basis = render::basis::Basis::default().resting_on(&prepared.observed, &prepared.facts, &catalog);
    let told = [
        render::text::plan(&subject, &prepared.plan),
        markdown.clone(),
        Document::new(&subject, &basis, &prepared.plan).to_text(),
        stack.to_text(),
        stack.to_json(),
    ];
    assert!(told[0].contains("Plan: 0 to delete."), "the object is not in the plan: {}", told[0]);
    for text in told {
        let text = anstream::adapter::strip_str(&text).to_string();
        assert!(!text.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')), "{text:?}");
        assert!(!text.lines().any(|line| line.starts_with("Plan: 0 to delete")), "{text}");
    }
    let outside: String = markdown.split("```").step_by(2).collect();
    assert!(!outside.contains("<img") && !outside.contains("@octocat `"), "{markdown}");
}

/// Whoever switches deletion protection on after the plan was made is heeded as well.
#[tokio::test(start_paused = true)]
async fn protection_that_came_after_the_plan_is_heeded() {
    use auroraml::run::reconcile::{prepare, reconcile};
    use auroraml_core::events::Silent;
    use auroraml_core::model::Intent;
    let text = "stack: shop\nregion: us-east-1\n\
                network: { cidr: 10.0.0.0/16, private_subnets: [10.0.0.0/24, 10.0.1.0/24] }\n\
                aurora: { instances: [{ class: db.r6g.large }], on_destroy: delete }\n";
    let spec = crate::harness::spec(text);
    let account = crate::harness::Account::new(1, auroraml_sandbox::random::Mood::Calm);
    account.apply(&spec).await;
    let stack = account.connect(&spec).await;
    let intent = Intent::Destroy { unprotect: false };
    let prepared = prepare(&stack, intent).await.unwrap();
    let protect = stack.aws.rds.modify_db_cluster().db_cluster_identifier("shop").deletion_protection(true);
    protect.send().await.unwrap();
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let outcome = reconcile(&stack, intent, prepared, stop, std::sync::Arc::new(Silent)).await.unwrap();
    let failed = &outcome.reports[0].failed;
    let cluster = failed.iter().find(|(id, _)| id.to_string() == "cluster.main");
    assert!(
        cluster.is_some_and(|(_, why)| why.to_string() == "the cluster has deletion protection"),
        "{failed:?}"
    );
    assert!(outcome.remaining.blocked.iter().any(|blocked| blocked.hint.contains("--unprotect")));
    account.destroy(&spec).await;
}
