//! The pure part: facts made by hand, and what is said of them.

use auroraml_core::base::names::Place;
use auroraml_core::engine::Wiring;
use auroraml_core::model;
use auroraml_core::spec::Strategy;
use auroraml_core::verify::facts::*;
use auroraml_core::verify::judge;
use auroraml_core::verify::{Check, Outcome, failed};
use serde_json::json;
use std::collections::BTreeMap;

const ROLE: &str = "arn:aws:iam::111122223333:role/ml";

/// One member, one role for SageMaker and Bedrock, all of it right.
fn facts() -> Facts {
    let text = "stack: shop\nregion: us-east-1\naurora: { existing: orders }\n\
        machine_learning: { sagemaker: { endpoints: [churn] }, bedrock: { models: [amazon.titan-text-lite-v1] } }\n\
        endpoints: { churn: { managed_by: notebook } }\n";
    let spec = auroraml_core::spec::parse(text.as_bytes()).unwrap();
    let place = Place::new("shop", "us-east-1", "111122223333");
    let set = || Parameter { value: ROLE.into(), apply_type: "static".into() };
    let rule =
        |peer: &str| Rule { protocol: "-1".into(), from_port: None, to_port: None, peers: vec![peer.into()] };
    let document = json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}});
    Facts {
        existing: true,
        strategy: Strategy::Rolling,
        abilities: model::abilities(&spec, &place),
        cluster: Cluster {
            id: "orders".into(),
            arn: place.cluster_arn("orders"),
            engine: "aurora-mysql".into(),
            version: "8.0.mysql_aurora.3.10.2".into(),
            status: "available".into(),
            parameter_group: "custom".into(),
            subnet_group: "private".into(),
            security_groups: vec!["sg-1".into()],
            associations: vec![Association {
                role: ROLE.into(),
                feature: String::new(),
                status: "ACTIVE".into(),
            }],
            members: vec![Member { name: "one".into(), writer: true, parameter_status: "in-sync".into() }],
            data_api: false,
            secret: None,
        },
        instances: Ok(vec![Instance {
            name: "one".into(),
            status: "available".into(),
            publicly_accessible: true,
            parameter_groups: vec![("own".into(), "in-sync".into())],
        }]),
        sharing: Ok(Vec::new()),
        parameters: Ok([
            ("aws_default_sagemaker_role".to_string(), set()),
            ("aws_default_bedrock_role".to_string(), set()),
        ]
        .into()),
        roles: [(
            ROLE.to_string(),
            Ok(Some(Role {
                name: "ml".into(),
                trust: json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
                    "Principal": {"Service": "rds.amazonaws.com"}, "Action": "sts:AssumeRole"}]}),
                policies: Ok(vec![("all".into(), document)]),
                boundary: None,
            })),
        )]
        .into(),
        endpoints: [(
            "churn".to_string(),
            Ok(Some(Endpoint {
                arn: place.endpoint_arn("churn"),
                status: "InService".into(),
                failure_reason: None,
            })),
        )]
        .into(),
        network: Ok(Network {
            vpc: "vpc-1".into(),
            subnets: vec!["subnet-1".into()],
            route_tables: vec![RouteTable {
                id: "rtb-1".into(),
                main: true,
                routes: vec![Route { destination: "0.0.0.0/0".into(), target: "igw-1".into(), active: true }],
                ..RouteTable::default()
            }],
            security_groups: [(
                "sg-1".to_string(),
                SecurityGroup { ingress: Vec::new(), egress: vec![rule("0.0.0.0/0")] },
            )]
            .into(),
            ..Network::default()
        }),
        database: None,
        place,
    }
}

/// The checks that are not all right after a change of the facts.
fn complaints(change: impl FnOnce(&mut Facts)) -> Vec<Check> {
    let mut facts = facts();
    change(&mut facts);
    let mut checks = judge(&facts);
    assert_eq!(failed(&checks), checks.iter().any(|check| check.outcome == Outcome::Failed));
    for check in &checks {
        assert_eq!(
            check.outcome == Outcome::Failed,
            check.fix.is_some() && check.outcome != Outcome::NotChecked
        );
    }
    checks.retain(|check| check.outcome != Outcome::Ok);
    checks
}

/// The one complaint, which must be of this outcome, as `check: found`.
fn complaint(outcome: Outcome, change: impl FnOnce(&mut Facts)) -> String {
    let checks = complaints(change);
    assert_eq!(checks.len(), 1, "{checks:#?}");
    assert_eq!(checks[0].outcome, outcome, "{checks:#?}");
    format!("{}: {}", checks[0].check, checks[0].found)
}

#[test]
fn all_is_right() {
    assert_eq!(complaints(|_| {}), []);
}

#[test]
fn versions_and_regions() {
    for (version, without) in [
        ("8.4.mysql_aurora.8.4.7", &[][..]),
        ("8.0.mysql_aurora.3.06.0", &[]),
        ("8.0.mysql_aurora.3.05.2", &["Bedrock"]),
        ("8.0.mysql_aurora.3.01.0", &["Bedrock"]),
        ("8.0.mysql_aurora.3.00.1", &["Bedrock", "SageMaker"]),
        ("5.7.mysql_aurora.2.07.10", &["Bedrock"]),
        ("5.7.mysql_aurora.2.06.0", &["Bedrock", "SageMaker"]),
        ("5.7.12", &["Bedrock", "SageMaker"]),
    ] {
        let found = complaints(|facts| facts.cluster.version = version.into());
        let found: Vec<&str> = found.iter().map(|check| check.found.rsplit(' ').next().unwrap()).collect();
        assert_eq!(found, without, "{version}");
    }
    let other = complaint(Outcome::Failed, |facts| facts.cluster.engine = "aurora-postgresql".into());
    assert!(other.starts_with("engine: aurora-postgresql"), "{other}");
    let region = complaints(|facts| facts.place.region = "eu-south-1".into());
    assert_eq!(region[0].found, "Aurora machine learning is not offered here");
}

#[test]
fn statuses() {
    for (status, fix) in [
        ("stopped", "start-db-cluster"),
        ("upgrading", "wait until it is available"),
        ("incompatible-parameters", "repair it"),
    ] {
        let found = complaints(|facts| facts.cluster.status = status.into());
        assert!(found[0].found.contains(status) && found[0].fix.iter().any(|f| f.contains(fix)), "{found:?}");
    }
    for (status, fix) in [
        ("pending-reboot", "auroraml apply restarts this writer"),
        ("applying", "wait a minute"),
        ("failed-to-apply", "describe-events --source-type db-instance --source-identifier one"),
        ("pending-database-upgrade", "wait until AWS has finished"),
    ] {
        let found = complaints(|facts| facts.cluster.members[0].parameter_status = status.into());
        assert!(found[0].found.contains(status) && found[0].fix.iter().any(|f| f.contains(fix)), "{found:?}");
    }
    let own = complaint(Outcome::Failed, |facts| {
        facts.instances.as_mut().unwrap()[0].parameter_groups[0].1 = "pending-reboot".into();
    });
    assert_eq!(own, "member: pending-reboot with its own DB parameter group own");
    let full = complaint(Outcome::Failed, |facts| {
        facts.instances.as_mut().unwrap()[0].status = "storage-full".into();
    });
    assert_eq!(full, "member: it is storage-full");
    let none = complaint(Outcome::Failed, |facts| facts.cluster.members.clear());
    assert!(none.contains("it has no members"), "{none}");
}

/// Who reads a fix knows before whom it interrupts, and where, and whether apply may do it.
#[test]
fn a_fix_says_whom_it_restarts() {
    let fixes = |strategy: Strategy, change: &dyn Fn(&mut Facts)| {
        let found = complaints(|facts| {
            let mut reader = facts.cluster.members[0].clone();
            (reader.name, reader.writer) = ("two".into(), false);
            facts.cluster.members.push(reader);
            facts.instances = Err("not asked".into());
            facts.strategy = strategy;
            change(facts);
        });
        let failed = found.into_iter().filter(|check| check.outcome == Outcome::Failed);
        failed.filter_map(|check| check.fix).collect::<Vec<String>>()
    };
    let pending = |facts: &mut Facts| {
        for member in &mut facts.cluster.members {
            member.parameter_status = "pending-reboot".into();
        }
    };
    let writer = "restart this writer at once, which interrupts writes: aws rds reboot-db-instance --db-instance-identifier one --region us-east-1";
    let reader = "restart this reader at once: aws rds reboot-db-instance --db-instance-identifier two --region us-east-1";
    for (strategy, of_writer, of_reader) in [
        (
            Strategy::Rolling,
            "auroraml apply fails over from this writer to a reader, if you allow it; or ",
            "auroraml apply restarts this reader; or ",
        ),
        (
            Strategy::WriterOnly,
            "auroraml apply restarts this writer, if you allow it; or ",
            "auroraml apply leaves this reader as it is (`restart: writer_only` in the spec); ",
        ),
        (
            Strategy::Never,
            "auroraml apply leaves this writer as it is (`restart: never` in the spec); ",
            "auroraml apply leaves this reader as it is (`restart: never` in the spec); ",
        ),
    ] {
        let wanted = [format!("{of_writer}{writer}"), format!("{of_reader}{reader}")];
        assert_eq!(fixes(strategy, &pending), wanted, "{strategy:?}");
    }
    let unset = |facts: &mut Facts| {
        facts.cluster.parameter_group = "default.aurora-mysql8.0".into();
        facts.parameters.as_mut().unwrap().get_mut("aws_default_sagemaker_role").unwrap().value.clear();
    };
    let own = "auroraml apply gives the cluster its own group, because a default group cannot be changed";
    for (strategy, then) in [
        (Strategy::Rolling, ", and restarts writer one, reader two"),
        (
            Strategy::WriterOnly,
            ", and restarts writer one (but `restart: writer_only` in the spec leaves the restart of reader two to you)",
        ),
        (
            Strategy::Never,
            " (but `restart: never` in the spec leaves the restart of writer one, reader two to you)",
        ),
    ] {
        assert_eq!(fixes(strategy, &unset), [format!("{own}{then}")], "{strategy:?}");
    }
}

#[test]
fn values_that_are_no_role_and_families_without_the_parameter() {
    let found = complaints(|facts| {
        let parameters = facts.parameters.as_mut().unwrap();
        parameters.get_mut("aws_default_sagemaker_role").unwrap().value = "ml".into();
        parameters.remove("aws_default_bedrock_role");
    });
    let found: Vec<&str> = found.iter().map(|check| check.found.as_str()).collect();
    assert!(found[0].contains("no parameter aws_default_bedrock_role"), "{found:?}");
    assert!(found[1].contains("aws_default_sagemaker_role is \"ml\", which is not a role ARN"), "{found:?}");
    // The role is associated still, and nobody names it any more.
    assert!(found[2].contains("no role parameter of its group uses it"), "{found:?}");
    // The command is told the role that is there for it, and the method that its type allows.
    let fix = complaints(|facts| {
        for parameter in facts.parameters.as_mut().unwrap().values_mut() {
            parameter.value.clear();
        }
    });
    let fix = fix[0].fix.as_ref().unwrap();
    assert!(
        fix.contains(&format!("ParameterValue={ROLE},ApplyMethod=pending-reboot --region us-east-1")),
        "{fix}"
    );
    assert!(fix.starts_with("auroraml apply, which restarts writer one; or aws rds"), "{fix}");
}

#[test]
fn roles_of_other_accounts_and_boundaries() {
    let found = complaints(|facts| facts.place.account = "999988887777".into());
    assert!(found.iter().all(|check| check.outcome == Outcome::NotChecked), "{found:?}");
    assert!(found[0].found.contains("another account, not 999988887777"), "{found:?}");
    let mut with = facts();
    if let Some(Ok(Some(role))) = with.roles.get_mut(ROLE) {
        role.boundary = Some("arn:aws:iam::111122223333:policy/limit".into());
    }
    let checks = judge(&with);
    let policy = checks.iter().find(|check| check.check == "sagemaker policy").unwrap();
    assert!(
        policy.outcome == Outcome::Ok && policy.found.contains("policy/limit was not checked"),
        "{policy:?}"
    );
}

#[test]
fn a_rolled_back_endpoint_serves_and_says_why() {
    let mut facts = facts();
    if let Some(Ok(Some(endpoint))) = facts.endpoints.get_mut("churn") {
        endpoint.failure_reason = Some("no capacity".into());
    }
    let checks = judge(&facts);
    let endpoint = checks.iter().find(|check| check.check == "endpoint").unwrap();
    assert_eq!(endpoint.found, "InService; its last update failed: \"no capacity\"");
}

#[test]
fn the_database_is_compared_with_the_group() {
    let values = |sagemaker: &str| {
        let all = [("aws_default_sagemaker_role", sagemaker), ("aws_default_bedrock_role", ROLE)];
        let all = all.map(|(name, value)| (name.to_string(), value.to_string()));
        Some(Database::Values(BTreeMap::from(all)))
    };
    assert_eq!(complaints(|facts| facts.database = values(ROLE)), []);
    let old = complaint(Outcome::Failed, |facts| facts.database = values(""));
    assert!(old.contains("it uses aws_default_sagemaker_role = nothing, but custom has arn:"), "{old}");
    let silent = complaint(Outcome::NotChecked, |facts| {
        facts.database =
            Some(Database::Silent { why: "the Data API is off".into(), fix: "turn it on".into() });
    });
    assert_eq!(silent, "database: the Data API is off");
}

#[test]
fn what_aws_does_not_say_is_not_checked_and_stops_nothing_else() {
    let why = || "GetX failed: AccessDenied".to_string();
    let found = complaints(|facts| {
        facts.instances = Err(why());
        facts.sharing = Err(why());
        facts.parameters = Err(why());
        facts.endpoints.insert("churn".into(), Err(why()));
        facts.network = Err(why());
    });
    let checks: Vec<&str> = found.iter().map(|check| check.check.as_str()).collect();
    let all = ["group", "bedrock parameter", "sagemaker parameter", "member", "endpoint"];
    assert_eq!(checks[..5], all, "{found:#?}");
    assert!(found.iter().all(|check| check.outcome == Outcome::NotChecked && check.found.contains("GetX")));
    let role = complaints(|facts| {
        facts.roles.insert(ROLE.into(), Err(why()));
    });
    assert_eq!(role.len(), 2, "{role:#?}");
}

/// An engine whose associations name a feature has no parameters to follow: the association says which role it is.
#[test]
fn a_role_that_is_associated_by_feature() {
    let mut facts = facts();
    for ability in &mut facts.abilities {
        ability.wiring = Wiring::Feature(if ability.name == "bedrock" { "Bedrock" } else { "SageMaker" });
    }
    facts.cluster.associations[0].feature = "SageMaker".into();
    let checks = judge(&facts);
    let role = |name: &str| checks.iter().find(|check| check.check == format!("{name} role")).unwrap();
    assert_eq!(role("sagemaker").outcome, Outcome::Ok, "{:?}", role("sagemaker"));
    assert_eq!(role("bedrock").outcome, Outcome::Failed);
    assert_eq!(role("bedrock").found, "no role is associated for the feature Bedrock");
    assert!(checks.iter().all(|check| !check.check.ends_with(" parameter")), "{checks:?}");
}
