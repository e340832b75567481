//! A cluster that others own: what is set where, what is said, and what stands in the way.

use crate::graphs::{described, fresh, problems};
use crate::{VERSION, golden, place_of};
use auroraml_core::base::Id;
use auroraml_core::model::facts::{ExistingFacts, Facts};
use auroraml_core::model::{self, Intent};
use auroraml_core::spec;
use std::fmt::Write;

const NONE: &str = "";
const SAGEMAKER: &str = "sagemaker: { endpoints: [churn] }";
const BOTH: &str = "sagemaker: { endpoints: [churn] }, bedrock: { models: [amazon.titan-text-lite-v1] }";

/// The role of a stack, and one that somebody made by hand.
fn role_of(stack: &str, name: &str) -> String {
    format!("arn:aws:iam::111122223333:role/auroraml/{stack}/us-east-1/{stack}-us-east-1-{name}")
}
fn by_hand(name: &str) -> String {
    format!("arn:aws:iam::111122223333:role/{name}")
}

/// What the wiring of a cluster like this comes to, in words.
fn outcome(wish: &str, version: &str, intent: Intent, change: &dyn Fn(&mut ExistingFacts)) -> String {
    let text = format!(
        "stack: shop\nregion: us-east-1\n\
         aurora: {{ existing: Orders, restart: {{ strategy: failover, writer: Orders-2 }} }}\n\
         machine_learning: {{ {wish} }}\nendpoints: {{ churn: {{ managed_by: notebook }} }}\n"
    );
    let spec = spec::parse(text.as_bytes()).unwrap_or_else(|problems| panic!("{problems:?}"));
    let mut facts = fresh(&spec);
    facts.live_engine_version = Some(version.into());
    if let Some(live) = &mut facts.existing {
        change(live);
        if live.status == "missing" {
            facts.existing = None;
        }
    }
    match model::build(&spec, &place_of(&spec), &facts, intent) {
        Ok(graph) => {
            let group = graph.resources.get(&Id::new("parameter_group", "main"));
            let copied = group.map(|group| format!("values of the group: {}\n", group.props["copy_of"]));
            described(&graph, false) + &copied.unwrap_or_default()
        }
        Err(said) => problems(&said),
    }
}

/// A name that is nearly that of a cluster of the region was meant to be it; nobody who names one wants another made.
#[test]
fn a_misspelt_cluster_is_recognised() {
    let hint = |existing: &str| {
        let text = format!(
            "stack: shop\nregion: us-east-1\naurora: {{ existing: {existing} }}\nmachine_learning: {{ comprehend: true }}\n"
        );
        let spec = spec::parse(text.as_bytes()).unwrap_or_else(|problems| panic!("{problems:?}"));
        let clusters = ["billing", "database-aurora-ml"].map(String::from).into();
        let facts = Facts { existing: None, clusters, ..fresh(&spec) };
        let said = model::build(&spec, &place_of(&spec), &facts, Intent::Apply).unwrap_err();
        assert_eq!(said.len(), 1, "{said:?}");
        said[0].hint.clone()
    };
    assert_eq!(hint("database-arora-ml"), "did you mean `database-aurora-ml`?");
    assert_eq!(hint("Biling"), "did you mean `billing`?");
    let other = hint("orders");
    assert!(
        other.contains("describe-db-clusters --region us-east-1") && !other.contains("remove"),
        "{other}"
    );
}

#[test]
fn clusters_of_others_are_wired_as_was_reviewed() {
    type Change = fn(&mut ExistingFacts);
    // For one ability.
    let wired: [(&str, Change); 26] = [
        ("a custom group that nobody shares", |_| {}),
        ("there is no such cluster", |live| live.status = "missing".into()),
        ("it is stopped", |live| live.status = "stopped".into()),
        ("another engine", |live| live.engine = "aurora-postgresql".into()),
        ("a default group", |live| live.parameter_group = "default.aurora-mysql8.0".into()),
        ("a shared group", |live| live.sharers = vec!["billing".into(), "stock".into()]),
        ("somebody else's role is set", |live| {
            live.role_parameters.insert("aws_default_sagemaker_role".into(), by_hand("ml"));
            live.roles = vec![by_hand("ml")];
        }),
        ("somebody else's role is set for what is not wanted", |live| {
            live.role_parameters.insert("aws_default_s3_role".into(), by_hand("load"));
            live.roles = vec![by_hand("load")];
        }),
        ("somebody else's role is set and not associated", |live| {
            live.role_parameters.insert("aws_default_s3_role".into(), by_hand("load"));
        }),
        ("somebody else's role is associated and not set", |live| live.roles = vec![by_hand("load")]),
        ("ours is associated and not set", |live| live.roles = vec![role_of("shop", "sagemaker")]),
        ("another stack's role is set", |live| {
            live.role_parameters.insert("aws_default_sagemaker_role".into(), role_of("till", "sagemaker"));
            live.roles = vec![role_of("till", "sagemaker")];
        }),
        ("ours is set", |live| {
            live.role_parameters.insert("aws_default_sagemaker_role".into(), role_of("shop", "sagemaker"));
            live.roles = vec![role_of("shop", "sagemaker")];
            live.apply_types = [("aws_default_sagemaker_role", "static"), ("binlog_format", "static")]
                .map(|(name, how)| (name.into(), how.into()))
                .into();
        }),
        ("ours is set, and others share the group now", |live| {
            live.role_parameters.insert("aws_default_sagemaker_role".into(), role_of("shop", "sagemaker"));
            live.roles = vec![role_of("shop", "sagemaker")];
            live.sharers = vec!["billing".into()];
        }),
        ("ours is set for another ability, and somebody else's for this one", |live| {
            live.role_parameters.insert("aws_default_s3_role".into(), role_of("shop", "s3"));
            live.role_parameters.insert("aws_default_sagemaker_role".into(), by_hand("ml"));
            live.roles = vec![role_of("shop", "s3"), by_hand("ml")];
        }),
        ("our group is attached", |live| {
            live.parameter_group = "shop".into();
            live.original_group = Some("theirs".into());
            live.roles = vec![by_hand("load")];
        }),
        ("our group is attached, made from a default one", |live| {
            live.parameter_group = "shop".into();
            live.original_group = Some("default.aurora-mysql8.0".into());
        }),
        ("our group is attached and does not say what it was made from", |live| {
            live.parameter_group = "shop".into();
        }),
        ("our group was made from the one that is attached", |live| {
            live.sharers = vec!["billing".into()];
            live.original_group = Some("theirs".into());
        }),
        ("our group was made from another one than is attached", |live| {
            live.sharers = vec!["billing".into()];
            live.original_group = Some("earlier".into());
        }),
        ("a member of a global database", |live| live.global_cluster = Some("world".into())),
        ("CloudFormation made it", |live| {
            live.cloudformation = Some(("orders-stack".into(), "UPDATE_COMPLETE".into()));
        }),
        ("CloudFormation is at work on it", |live| {
            live.cloudformation = Some(("orders-stack".into(), "UPDATE_IN_PROGRESS".into()));
        }),
        ("as many roles as AWS allows with ours", |live| {
            live.roles = (1..5).map(|n| by_hand(&format!("other-{n}"))).collect();
            live.role_parameters = [("aws_default_s3_role".to_string(), by_hand("other-1"))].into();
        }),
        ("as many roles as AWS allows, ours among them", |live| {
            live.roles = (1..5).map(|n| by_hand(&format!("other-{n}"))).collect();
            live.roles.push(role_of("shop", "sagemaker"));
        }),
        ("one role more than AWS allows", |live| {
            live.roles = (1..6).map(|n| by_hand(&format!("other-{n}"))).collect();
        }),
    ];
    let mut out = String::from("# What becomes of the cluster `orders` of others, case by case.\n");
    let mut add = |title: &str, text: String| write!(out, "\n## {title}\n{text}").unwrap();
    for (title, change) in wired {
        add(title, outcome(SAGEMAKER, VERSION, Intent::Apply, &change));
    }
    let full = |live: &mut ExistingFacts| {
        live.roles = (1..5).map(|n| by_hand(&format!("other-{n}"))).collect();
        live.roles.push(role_of("shop", "s3"));
    };
    add("the place of a role that goes is wanted", outcome(SAGEMAKER, VERSION, Intent::Apply, &full));
    let global = |live: &mut ExistingFacts| live.global_cluster = Some("world".into());
    let older = outcome(SAGEMAKER, "8.0.mysql_aurora.3.05.2", Intent::Apply, &global);
    add("a member of a global database of an older version", older);
    for version in ["5.7.mysql_aurora.2.11.1", "8.0.mysql_aurora.3.05.2", "8.0.mysql_aurora.3.06.0"] {
        add(&format!("SageMaker and Bedrock on {version}"), outcome(BOTH, version, Intent::Apply, &global));
    }
    // Nothing is wanted any more, or the stack is destroyed.
    let left: [(&str, Change); 10] = [
        ("nothing is there", |_| {}),
        ("only others' roles are there", |live| {
            live.roles = vec![by_hand("load")];
            live.role_parameters.insert("aws_default_s3_role".into(), by_hand("load"));
        }),
        ("the role is associated", |live| live.roles = vec![role_of("shop", "sagemaker")]),
        ("the role is set", |live| {
            live.role_parameters.insert("aws_default_sagemaker_role".into(), role_of("shop", "sagemaker"));
        }),
        ("the role is set, and others share the group", |live| {
            live.role_parameters.insert("aws_default_sagemaker_role".into(), role_of("shop", "sagemaker"));
            live.sharers = vec!["billing".into()];
        }),
        ("the role is associated, and others share the group", |live| {
            live.roles = vec![role_of("shop", "sagemaker")];
            live.sharers = vec!["billing".into()];
        }),
        ("our group is attached", |live| {
            live.parameter_group = "shop".into();
            live.original_group = Some("theirs".into());
        }),
        ("our group is attached, and others share it", |live| {
            live.parameter_group = "shop".into();
            live.original_group = Some("theirs".into());
            live.sharers = vec!["billing".into()];
        }),
        ("our group is attached, and the earlier one is gone", |live| {
            live.parameter_group = "shop".into();
            live.original_group = Some("theirs".into());
            live.original_group_gone = true;
        }),
        ("our group is attached and the cluster is stopped", |live| {
            live.parameter_group = "shop".into();
            live.status = "stopped".into();
        }),
    ];
    for (title, change) in left {
        add(&format!("no longer wanted: {title}"), outcome(NONE, VERSION, Intent::Apply, &change));
        let destroyed = outcome(SAGEMAKER, VERSION, Intent::Destroy { unprotect: false }, &change);
        add(&format!("destroyed: {title}"), destroyed);
    }
    golden("tests/data/graphs/cases-of-existing-clusters.txt", &out);
}
