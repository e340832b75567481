//! A destroy without the spec, and stacks that are past their date: all of it from tags, paths and names.

use crate::bench::{KillPoint, KillPoints, kill_points};
use crate::crash::record;
use crate::harness::{Account, Recorder, spec, spec_file};
use crate::lifecycle::{make_foreign_cluster, stays};
use auroraml::aws::{Aws, Connection, SecretText, simulated_config_as};
use auroraml::run::found;
use auroraml::run::reconcile::{PrepareError, prepare, reconcile};
use auroraml::stack::Stack;
use auroraml_core::kinds::Kind;
use auroraml_core::model::{Intent, Scope};
use auroraml_core::plan::Plan;
use auroraml_core::policy::Purpose;
use auroraml_core::spec::Spec;
use auroraml_sandbox::random::Mood;
use std::sync::Arc;
use std::time::Duration;

const DESTROY: Intent = Intent::Destroy { unprotect: false };

/// A view of the region for an administrator who has a name and no spec.
async fn aws(account: &Account, stack: &str, region: &str) -> Aws {
    aws_as(account, &account.caller, stack, region).await
}

/// The same for whoever has the policy for a destroy of this spec.
pub async fn destroyer(account: &Account, of: &Spec) -> Aws {
    aws_as(account, &account.held(of, &[Purpose::Destroy]), &of.stack, &of.region).await
}

async fn aws_as(account: &Account, caller: &str, stack: &str, region: &str) -> Aws {
    let clock = account.sandbox.clock();
    let connection = Connection {
        config: simulated_config_as(caller, region, account.sandbox.http_client(), &clock),
        plain_http: None,
        clock,
        files: Arc::new(|_| Err(std::io::ErrorKind::NotFound.into())),
        passwords: Arc::new(|_| Some(SecretText::new(String::new()))),
    };
    Aws::connect(connection, stack, Scope::default()).await.unwrap()
}

/// The stack as its tags describe it.
async fn found(mut aws: Aws) -> Stack {
    let stack = aws.place.stack.clone();
    let (spec, scope) = found::spec_of(&aws, &stack).await.unwrap();
    aws.place.names.clone_from(&scope.names);
    aws.scope = scope;
    Stack {
        spec: Arc::new(spec),
        aws: Arc::new(aws),
        kinds: Default::default(),
        let_go: Default::default(),
        final_snapshot: None,
        change_sets: None,
        from_tags: true,
        origin: Default::default(),
        is_quiet: false,
    }
}

/// Destroys without the spec; returns the plan that was carried out.
pub async fn destroy(account: &Account, of: &Spec) -> Plan {
    let stack = found(destroyer(account, of).await).await;
    let prepared = prepare(&stack, DESTROY).await.unwrap();
    let plan = prepared.plan.clone();
    assert!(plan.blocked.is_empty(), "{:?}", plan.blocked);
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let recorder = Arc::new(Recorder::default());
    let outcome = reconcile(&stack, DESTROY, prepared, stop, recorder.clone()).await.unwrap();
    assert!(outcome.is_complete(), "{:#?}\n{}", outcome.reports, recorder.text());
    plan
}

fn left(account: &Account, spec: &Spec) -> Vec<String> {
    account.traces(spec).into_iter().filter(|path| !stays(spec, path)).collect()
}

#[tokio::test(start_paused = true)]
async fn every_example_goes_without_its_spec() {
    for name in ["churn.yaml", "production.yaml", "minimal.yaml", "existing-cluster.yaml"] {
        for mood in [Mood::Calm, Mood::Real] {
            let text = spec_file(name).replace("on_destroy: protect", "on_destroy: snapshot");
            let text = text.replace("deletion_protection: true", "deletion_protection: false");
            let spec = spec(&text);
            let account = Account::new(4, mood);
            if let Some(auroraml_core::spec::Aurora::Existing(existing)) = &spec.aurora {
                make_foreign_cluster(&account, &spec.region, &existing.existing, 2).await;
            }
            account.apply(&spec).await;
            let plan = destroy(&account, &spec).await;
            println!("{name} {mood:?}: {} steps", plan.work().count());
            assert_eq!(left(&account, &spec), Vec::<String>::new(), "{name}: {:?}", plan.notes);
            // What the spec would still find to do.
            account.assert_settled(&spec, DESTROY).await;
        }
    }
}

/// What the spec said of how things go is in their tags.
#[tokio::test(start_paused = true)]
async fn tags_say_how_things_go() {
    let text = crate::harness::hosting();
    assert!(text.contains("on_destroy: delete") && text.contains("on_destroy: empty"), "{text}");
    let snapshots = |account: &Account| {
        let world = account.sandbox.world().without_contents();
        serde_json::to_value(world.regions.get("us-east-1")).unwrap()["rds"]["snapshots"]
            .as_object()
            .map_or(0, |all| all.len())
    };
    for (cluster, bucket) in [("delete", "empty"), ("snapshot", "keep")] {
        let text = text
            .replace("on_destroy: delete", &format!("on_destroy: {cluster}"))
            .replace("on_destroy: empty", &format!("on_destroy: {bucket}"));
        let (account, spec) = (Account::new(2, Mood::Calm), spec(&text));
        account.apply(&spec).await;
        let _ = destroy(&account, &spec).await;
        assert_eq!(snapshots(&account), usize::from(cluster == "snapshot"));
        let buckets = account.sandbox.with(|world| world.global.s3.buckets.len());
        assert_eq!(buckets, usize::from(bucket == "keep"));
    }
    // Protected: nothing is called.
    let text = text.replace("on_destroy: delete", "on_destroy: protect");
    let (account, spec) = (Account::new(2, Mood::Calm), spec(&text));
    account.apply(&spec).await;
    let before = account.mutations();
    let prepared = prepare(&found(destroyer(&account, &spec).await).await, DESTROY).await.unwrap();
    assert!(!prepared.plan.blocked.is_empty());
    assert_eq!(account.mutations(), before);
}

/// Whoever may tag may not have a cluster or a bucket of others deleted.
#[tokio::test(start_paused = true)]
async fn tags_alone_delete_nothing() {
    let account = Account::new(1, Mood::Calm);
    make_foreign_cluster(&account, "us-east-1", "victim", 1).await;
    let aws = aws(&account, "victim", "us-east-1").await;
    let tag = |key: &str, value: &str| aws_sdk_rds::types::Tag::builder().key(key).value(value).build();
    let add =
        aws.rds.add_tags_to_resource().resource_name("arn:aws:rds:us-east-1:111122223333:cluster:victim");
    add.tags(tag("auroraml:stack", "victim"))
        .tags(tag("auroraml:resource", "cluster.main"))
        .tags(tag("auroraml:expires-after", "1m"))
        .tags(tag("auroraml:on-destroy", "delete"))
        .send()
        .await
        .unwrap();
    let s3 = &aws.s3;
    s3.create_bucket().bucket("their-data").send().await.unwrap();
    let tag =
        |key: &str, value: &str| aws_sdk_s3::types::Tag::builder().key(key).value(value).build().unwrap();
    let tags = aws_sdk_s3::types::Tagging::builder()
        .tag_set(tag("auroraml:stack", "victim"))
        .tag_set(tag("auroraml:resource", "bucket.main"))
        .tag_set(tag("auroraml:on-destroy", "empty"))
        .build()
        .unwrap();
    s3.put_bucket_tagging().bucket("their-data").tagging(tags).send().await.unwrap();
    account.sandbox.clock().sleep(Duration::from_secs(3600)).await;
    let before = account.mutations();
    let past = found::stacks(&aws, &[]).await.unwrap();
    assert!(past.iter().any(|found| found.stack == "victim" && found.expires.is_some()), "{past:?}");
    let stack = found(self::aws(&account, "victim", "us-east-1").await).await;
    let Err(PrepareError::Preflight(problems)) = prepare(&stack, DESTROY).await else { panic!("a plan") };
    assert!(problems[0].why.contains("only its tags"), "{problems:?}");
    assert_eq!(account.mutations(), before);
    // Without the cluster the bucket would be asked about: it stays.
    let rds = &aws.rds;
    rds.delete_db_instance().db_instance_identifier("victim-member-1").send().await.unwrap();
    rds.delete_db_cluster().db_cluster_identifier("victim").skip_final_snapshot(true).send().await.unwrap();
    account.sandbox.clock().sleep(Duration::from_secs(3600)).await;
    let plan = prepare(&stack, DESTROY).await.unwrap().plan;
    assert!(plan.work().next().is_none(), "{:?}", plan.steps);
    assert!(plan.kept.iter().any(|id| id.kind == auroraml_core::kinds::bucket::Bucket::NAME), "{plan:?}");
}

/// A run that was killed anywhere, and of which nobody has the spec any more.
#[tokio::test(start_paused = true)]
async fn a_half_built_stack_goes_without_its_spec() {
    let text = crate::harness::hosting();
    let spec = spec(&text);
    let account = Account::new(8, Mood::Real);
    let (snapshots, _) = record(account.sandbox.world(), &spec, Intent::Apply).await;
    let KillPoints { count, kept } = kill_points(snapshots);
    // Every fifth: each is a destroy of its own, and the others are met by `crash`.
    let mut points = 0;
    for KillPoint { what, mut world } in kept.into_iter().step_by(5) {
        world.now += 1_000;
        let account = Account::over(world);
        println!("{what}");
        account.sandbox.clock().sleep(Duration::from_secs(120)).await;
        let _ = destroy(&account, &spec).await;
        let left = left(&account, &spec);
        assert_eq!(left, Vec::<String>::new(), "{what}");
        points += 1;
    }
    println!("{points} of {count} kill points, destroyed without the spec");
    assert!(points >= 10, "{points}");
}

/// The date counts from the oldest object, and the longest age counts.
#[tokio::test(start_paused = true)]
async fn a_stack_is_past_its_date() {
    let text = crate::harness::hosting().replace("expires_after: 8h", "expires_after: 2h");
    let (account, spec) = (Account::new(3, Mood::Real), spec(&text));
    let began = account.sandbox.with(|world| world.now);
    account.apply(&spec).await;
    let network =
        "{ cidr: 10.1.0.0/16, public_subnets: [10.1.0.0/24], private_subnets: [10.1.16.0/20], nat: single }";
    let other = crate::harness::spec(&format!("stack: other\nregion: us-east-1\nnetwork: {network}\n"));
    account.apply(&other).await;
    let aws = aws(&account, "anything", &spec.region).await;
    account.sandbox.clock().sleep(Duration::from_secs(60)).await;
    let all = found::stacks(&aws, &[]).await.unwrap();
    assert_eq!(all.iter().map(|found| found.stack.as_str()).collect::<Vec<_>>(), ["churn", "other"]);
    assert_eq!((all[1].expires, all[1].ages.len()), (None, 0));
    assert!(all[1].created.is_some(), "a NAT gateway tells when it was made");
    let created = all[0].created.unwrap();
    assert!((began..began + 60_000).contains(&created), "{created} and {began}");
    assert_eq!(all[0].expires, Some(created + 2 * 3_600_000));
    assert_eq!(found::stacks(&aws, &["other".into()]).await.unwrap().len(), 1);
    // The spec changes its mind, and the tags of all follow.
    account.apply(&crate::harness::spec(&text.replace("expires_after: 2h", "expires_after: 3d"))).await;
    account.sandbox.clock().sleep(Duration::from_secs(60)).await;
    let all = found::stacks(&aws, &["churn".into()]).await.unwrap();
    assert_eq!(all[0].expires, Some(created + 3 * 86_400_000), "{:?}", all[0].ages);
}

/// By the command line, in a file: what is past its date goes, what is protected is named, and the rest stays.
#[test]
fn reap_by_the_command_line() {
    let text = crate::harness::hosting().replace("expires_after: 8h", "expires_after: 1m");
    let text = text.replace("on_destroy: empty", "on_destroy: keep");
    let place = crate::cli::Place::new();
    place.write("spec.yaml", &text);
    crate::harness::copy_files(&spec(&text), &place.path("."));
    let run = |words: &[&str]| place.run(&crate::cli::in_sandbox(words));
    assert_eq!(run(&["reap", "--region", "us-east-1", "--dry-run"]).code, 0);
    let ran = run(&["apply", "spec.yaml", "--yes"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = run(&["reap", "--region", "us-east-1", "--dry-run"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.out.contains("churn in us-east-1: expired since "), "{ran:?}");
    // Of a folder: the stacks of its specs and no others, also beside a spec that is none.
    std::fs::create_dir(place.path("others")).unwrap();
    place.write("others/other.yaml", &spec_file("minimal.yaml"));
    let ran = run(&["reap", "others", "--dry-run"]);
    assert!(ran.code == 0 && ran.err.contains("No stack has expired"), "{ran:?}");
    place.write("others/broken.yaml", "stack: [");
    let ran = run(&["reap", "others", "spec.yaml", "--dry-run"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("churn in us-east-1: expired since "), "{ran:?}");
    assert!(ran.err.contains("broken.yaml:1"), "{ran:?}");
    let ran = run(&["reap", "others", "--region", "us-east-1"]);
    assert!(ran.code == 1 && ran.err.contains("cannot be used with"), "{ran:?}");
    let ran = run(&["pause", "spec.yaml", "--yes"]);
    assert!(ran.code == 0 && ran.err.contains("AWS starts the cluster by itself at "), "{ran:?}");
    let ran = run(&["status", "spec.yaml"]);
    assert!(ran.code == 0 && ran.out.contains("It is paused"), "{ran:?}");
    let ran = run(&["verify", "spec.yaml"]);
    assert!(ran.code == 0 && ran.out.contains("the stack is paused"), "{ran:?}");
    let ran = run(&["resume", "spec.yaml", "--yes"]);
    assert!(ran.code == 0 && ran.err.contains("Resumed: the database responds"), "{ran:?}");
    let ran = run(&["reap", "--region", "us-east-1", "--yes"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.out.contains("This still costs money:") && ran.out.contains("aws s3 rb s3://churn-sagemaker-"),
        "{ran:?}"
    );
    let ran = run(&["destroy", "--all-tagged", "churn", "--region", "us-east-1", "--yes"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    // The name of the endpoint, and so of its log group, is the spec's to say once the stack is gone.
    let ran = run(&["destroy", "spec.yaml", "--sweep", "--yes"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("log-group//aws/sagemaker/Endpoints/churn"), "{ran:?}");
}
