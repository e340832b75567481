//! Taking a stack over from CloudFormation: the spec that is written of it, and what is planned before, while and after
//! it hands over.

use crate::{VERSION, golden, place_of as place};
use auroraml_core::base::{Id, Live, Observed, Outputs, State, outputs, resolve};
use auroraml_core::engine::Offered;
use auroraml_core::kinds::{Kind, catalog};
use auroraml_core::model::facts::Facts;
use auroraml_core::model::{self, Intent};
use auroraml_core::plan::{Plan, plan};
use auroraml_core::resource::{Action, Catalog, Graph};
use auroraml_core::spec::Spec;
use auroraml_core::takeover::{
    Bucket, Cluster, Draft, Findings, Group, Handover, NatGateway, Notebook, Order, Origin, Part, Retention,
    Subnet, Table, VpcEndpoint, draft, object_name, written,
};
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const ARN: &str =
    "arn:aws:cloudformation:us-east-1:111122223333:stack/Insights/0a1b2c3d-0000-4000-8000-000000000000";

fn part(logical: &str, kind: &str, physical: &str) -> Part {
    let text = |text: &str| text.to_string();
    Part {
        logical: text(logical),
        kind: format!("AWS::{kind}"),
        physical: text(physical),
        object: object_name(&format!("AWS::{kind}"), physical),
        status: text("CREATE_COMPLETE"),
    }
}

/// What the article's stack comes to, as its services show it.
fn insights() -> Findings {
    let text = |text: &str| text.to_string();
    let role = |name: &str| format!("arn:aws:iam::111122223333:role/{name}");
    let resources = vec![
        part("VPC", "EC2::VPC", "vpc-0123456789abcdef0"),
        part("InternetGateway", "EC2::InternetGateway", "igw-0123456789abcdef0"),
        part("InternetGatewayAttachment", "EC2::VPCGatewayAttachment", "IGW|vpc-0123456789abcdef0"),
        Part {
            object: text("eipalloc-0123456789abcdef0"),
            ..part("NatGatewayEIP", "EC2::EIP", "203.0.113.7")
        },
        part("NatGateway", "EC2::NatGateway", "nat-0123456789abcdef0"),
        part("PublicSubnet", "EC2::Subnet", "subnet-00000000000000001"),
        part("PrivateSubnet1", "EC2::Subnet", "subnet-00000000000000002"),
        part("PrivateSubnet2", "EC2::Subnet", "subnet-00000000000000003"),
        part("PublicRouteTable", "EC2::RouteTable", "rtb-00000000000000001"),
        part("PrivateRouteTable1", "EC2::RouteTable", "rtb-00000000000000002"),
        part("PrivateRouteTable2", "EC2::RouteTable", "rtb-00000000000000003"),
        part("DefaultPublicRoute", "EC2::Route", "rtb-00000000000000001|0.0.0.0/0"),
        part("SageMakerSecurityGroup", "EC2::SecurityGroup", "sg-00000000000000001"),
        part("AuroraSecurityGroup", "EC2::SecurityGroup", "sg-00000000000000002"),
        part("EndpointSecurityGroup", "EC2::SecurityGroup", "sg-00000000000000003"),
        part("S3Endpoint", "EC2::VPCEndpoint", "vpce-00000000000000001"),
        part("SageMakerEndpointOfVpc", "EC2::VPCEndpoint", "vpce-00000000000000002"),
        part("DynamoEndpoint", "EC2::VPCEndpoint", "vpce-00000000000000003"),
        part("KMSKey", "KMS::Key", "12345678-1234-1234-1234-123456789012"),
        part("KMSKeyAlias", "KMS::Alias", "alias/blog"),
        part("S3Bucket", "S3::Bucket", "111122223333-s3-bucket-for-model-training-0a1b2c3d"),
        part(
            "AuroraDatabaseSecret",
            "SecretsManager::Secret",
            "arn:aws:secretsmanager:us-east-1:111122223333:secret:AuroraDatabaseSecret-0a1b2c3d4e5f-AbCdEf",
        ),
        part(
            "AuroraDatabaseSecretAttachment",
            "SecretsManager::SecretTargetAttachment",
            "arn:aws:secretsmanager:x",
        ),
        part("SageMakerExecutionRole", "IAM::Role", "Insights-SageMakerExecutionRole-1"),
        part("AuroraS3Role", "IAM::Role", "Insights-AuroraS3Role-1"),
        part("AuroraComprehendRole", "IAM::Role", "Insights-AuroraComprehendRole-1"),
        part("AuroraSageMakerRole", "IAM::Role", "Insights-AuroraSageMakerRole-1"),
        part("SageMakerModel", "SageMaker::Model", "Insights-SageMaker-Model"),
        part("SageMakerEndpointConfig", "SageMaker::EndpointConfig", "SageMakerEndpointConfig-1"),
        part("SageMakerEndpoint", "SageMaker::Endpoint", "Insights-SageMaker-Endpoint"),
        part(
            "SageMakerLifecycleConfig",
            "SageMaker::NotebookInstanceLifecycleConfig",
            "SageMakerLifecycleConfig-1",
        ),
        part(
            "SageMakerNotebookInstance",
            "SageMaker::NotebookInstance",
            "Insights-SageMakerNotebookInstance",
        ),
        part("AuroraDatabaseSubnetGroup", "RDS::DBSubnetGroup", "insights-group-1"),
        part("AuroraDatabaseClusterParameterGroup", "RDS::DBClusterParameterGroup", "insights-parameters-1"),
        part("AuroraDatabaseCluster", "RDS::DBCluster", "Insights-AuroraDatabaseCluster"),
        part("AuroraDatabaseInstance", "RDS::DBInstance", "Insights-AuroraDatabaseInstance"),
    ];
    let subnet = |n: u8, cidr: &str, zone: &str| Subnet {
        id: format!("subnet-0000000000000000{n}"),
        cidr: text(cidr),
        zone: text(zone),
    };
    let table = |n: u8, to: &str| Table {
        id: format!("rtb-0000000000000000{n}"),
        subnets: vec![format!("subnet-0000000000000000{n}")],
        default: Some(text(to)),
    };
    let set = [
        ("character_set_database", text("utf32")),
        ("aws_default_s3_role", role("Insights-AuroraS3Role-1")),
        ("aws_default_comprehend_role", role("Insights-AuroraComprehendRole-1")),
        ("aws_default_sagemaker_role", role("Insights-AuroraSageMakerRole-1")),
    ];
    Findings {
        region: text("us-east-1"),
        origin: Origin {
            name: text("Insights"),
            arn: text(ARN),
            status: text("CREATE_COMPLETE"),
            resources,
            ..Origin::default()
        },
        tags: [(text("StackName"), text("Insights"))].into(),
        vpcs: vec![(text("vpc-0123456789abcdef0"), text("10.192.0.0/16"))],
        subnets: vec![
            subnet(1, "10.192.10.0/24", "us-east-1a"),
            subnet(2, "10.192.20.0/24", "us-east-1a"),
            subnet(3, "10.192.21.0/24", "us-east-1b"),
        ],
        gateways: vec![text("igw-0123456789abcdef0")],
        addresses: vec![(text("eipalloc-0123456789abcdef0"), text("203.0.113.7"))],
        nat_gateways: vec![NatGateway {
            id: text("nat-0123456789abcdef0"),
            subnet: text("subnet-00000000000000001"),
            address: text("eipalloc-0123456789abcdef0"),
        }],
        tables: vec![
            table(1, "igw-0123456789abcdef0"),
            table(2, "nat-0123456789abcdef0"),
            table(3, "nat-0123456789abcdef0"),
        ],
        groups: vec![
            Group { id: text("sg-00000000000000001"), ingress: Vec::new(), all_egress: true },
            Group {
                id: text("sg-00000000000000002"),
                ingress: vec![(text("sg-00000000000000001"), Some(3306)), (text("192.0.2.0/24"), Some(3306))],
                all_egress: true,
            },
            Group {
                id: text("sg-00000000000000003"),
                ingress: vec![(text("10.192.0.0/16"), Some(443))],
                all_egress: true,
            },
        ],
        vpc_endpoints: vec![
            VpcEndpoint {
                id: text("vpce-00000000000000001"),
                service: text("com.amazonaws.us-east-1.s3"),
                gateway: true,
                ..VpcEndpoint::default()
            },
            VpcEndpoint {
                id: text("vpce-00000000000000002"),
                service: text("com.amazonaws.us-east-1.sagemaker.runtime"),
                security_groups: vec![text("sg-00000000000000003")],
                ..VpcEndpoint::default()
            },
            // A spec has none for this service.
            VpcEndpoint {
                id: text("vpce-00000000000000003"),
                service: text("com.amazonaws.us-east-1.dynamodb"),
                gateway: true,
                ..VpcEndpoint::default()
            },
        ],
        buckets: vec![Bucket {
            name: text("111122223333-s3-bucket-for-model-training-0a1b2c3d"),
            versioning: false,
            key: Some(text("arn:aws:kms:us-east-1:111122223333:key/12345678-1234-1234-1234-123456789012")),
        }],
        clusters: vec![Cluster {
            id: text("insights-auroradatabasecluster"),
            engine: text("aurora-mysql"),
            version: text(VERSION),
            username: text("admin"),
            parameter_group: text("insights-parameters-1"),
            subnet_group: text("insights-group-1"),
            security_groups: vec![text("sg-00000000000000002")],
            port: 3306,
            backup_days: 1,
            members: vec![(text("insights-auroradatabaseinstance"), text("db.r5.large"), 1, true)],
            ..Cluster::default()
        }],
        parameter_groups: vec![(
            text("insights-parameters-1"),
            set.into_iter().map(|(name, value)| (name.to_string(), value)).collect(),
        )],
        notebooks: vec![Notebook {
            name: text("Insights-SageMakerNotebookInstance"),
            instance: text("ml.m4.xlarge"),
            volume: 5,
            subnet: text("subnet-00000000000000001"),
            security_groups: vec![text("sg-00000000000000001")],
            role: role("Insights-SageMakerExecutionRole-1"),
            config: Some(text("SageMakerLifecycleConfig-1")),
            platform: text("notebook-al1-v1"),
        }],
        endpoints: vec![(text("Insights-SageMaker-Endpoint"), text("SageMakerEndpointConfig-1"))],
    }
}

fn drafted() -> (Draft, Spec) {
    let draft = draft(&insights(), "insights").unwrap();
    let spec = written(&draft, None).unwrap_or_else(|problems| panic!("{problems}")).spec;
    (draft, spec)
}

fn facts(origin: Option<Origin>, release: Option<Order>) -> Facts {
    let zones = ["us-east-1a", "us-east-1b"].map(String::from).to_vec();
    let offered = Offered { version: VERSION.into(), family: "aurora-mysql8.0".into() };
    Facts { zones, engine_versions: vec![offered], origin, release, ..Facts::default() }
}

fn graph(spec: &Spec, facts: &Facts) -> Graph {
    model::build(spec, &place(spec), facts, Intent::Apply).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// Everything that the spec takes over, as if it were what the spec says, without our tags.
fn live(spec: &Spec) -> Observed {
    let graph = graph(spec, &facts(None, None));
    let taken = &spec.taken_over.as_ref().unwrap().objects;
    let object = |id: &Id| taken.get(&id.to_string()).cloned();
    let own = |id: &Id| -> Option<Outputs> {
        let object = object(id)?;
        Some([("id".to_string(), object.clone().into()), ("name".into(), object.into())].into())
    };
    let known: BTreeMap<Id, Outputs> = graph
        .resources
        .values()
        .map(|one| (one.id.clone(), outputs(&one.predicted, own(&one.id).as_ref())))
        .collect();
    let found = graph.resources.values().filter_map(|resource| {
        let outputs = own(&resource.id)?;
        let mut props = resolve(&resource.props, &known);
        let same = props.clone();
        (catalog()[resource.id.kind].accept)(&mut props, &same);
        if let Some(tags) = props.get_mut("tags") {
            *tags = json!({"StackName": "Insights", "Name": "theirs", "Other": "stays"});
        }
        let live = Live { id: resource.id.clone(), props, outputs, state: State::Ready, owned: true };
        Some((resource.id.clone(), live))
    });
    found.collect()
}

fn kinds() -> Catalog {
    let steps = [(Retention::NAME, Retention::RULES), (Handover::NAME, Handover::RULES)];
    catalog().iter().map(|(name, rules)| (name, *rules)).chain(steps).collect()
}

#[test]
fn the_articles_stack_is_written() {
    let found = insights();
    let draft = draft(&found, "insights").unwrap();
    let written = written(&draft, None).unwrap_or_else(|problems| panic!("{problems}"));
    golden("tests/data/takeover/insights.yaml", &written.text);
    let taken = written.spec.taken_over.unwrap().objects;
    let objects: BTreeSet<&String> = taken.values().collect();
    assert_eq!(objects.len(), taken.len(), "nothing is taken twice");
    assert_eq!(taken.len(), 23);
}

#[test]
fn what_would_change_is_kept_as_it_was_found() {
    let (draft, spec) = drafted();
    let mut observed = live(&spec);
    let change =
        |observed: &mut Observed, id: (&'static str, &str), property: &str, to: serde_json::Value| {
            observed.get_mut(&Id::new(id.0, id.1)).unwrap().props[property] = to;
        };
    change(&mut observed, ("bucket", "main"), "policy", json!({}));
    change(&mut observed, ("security_group", "aurora"), "description", json!("Database"));
    change(&mut observed, ("notebook_config", "main"), "on_start", json!("wget\n"));
    let full = plan(&graph(&spec, &facts(None, None)), &observed, &catalog());
    let written = written(&draft, Some(&full)).unwrap_or_else(|problems| panic!("{problems}"));
    let kept = written.spec.taken_over.as_ref().unwrap().as_found.clone();
    let kept: Vec<(&str, String)> = kept.iter().map(|(id, all)| (id.as_str(), all.join(" "))).collect();
    let expected = [
        ("bucket.main", "policy"),
        ("notebook_config.main", "on_start"),
        ("secret_attachment.master", "*"),
        ("security_group.aurora", "description"),
    ];
    for (id, properties) in expected {
        assert!(kept.iter().any(|(one, all)| *one == id && all.contains(properties)), "{id}: {kept:?}");
    }
    let again = plan(&graph(&written.spec, &facts(None, None)), &observed, &catalog());
    let more: Vec<_> = again
        .work()
        .filter(|step| observed.contains_key(&step.id))
        .flat_map(|step| &step.changes)
        .filter(|change| !change.concerns("tags"))
        .collect();
    assert!(more.is_empty(), "{more:#?}");
}

#[test]
fn as_long_as_cloudformation_owns_them_only_tags_are_set() {
    let (_, spec) = drafted();
    let observed = live(&spec);
    let graph = graph(&spec, &facts(Some(insights().origin), None));
    let plan = plan(&graph, &observed, &kinds());
    assert!(plan.blocked.is_empty(), "{:?}", plan.blocked);
    assert!(plan.work().count() >= 15);
    for step in plan.work() {
        assert_eq!(step.action, Action::Update, "{}", step.id);
        assert!(
            step.changes.iter().all(|change| change.path.starts_with("tags.auroraml:")),
            "{:#?}",
            step.changes
        );
    }
    golden("tests/data/takeover/notes.txt", &(plan.notes.join("\n") + "\n"));
}

#[test]
fn the_stack_goes_last() {
    let (_, spec) = drafted();
    let unowned = ["KMSKeyAlias", "DynamoEndpoint"].map(String::from);
    let order = Order { unowned: unowned.into(), ..Order::default() };
    let mut observed = live(&spec);
    for (kind, props) in [
        (Retention::NAME, json!({"stack": ARN, "resources": all(), "retained": false})),
        (Handover::NAME, json!({"stack": ARN, "resources": all(), "deleted": []})),
    ] {
        let id = Id::new(kind, "main");
        let live = Live { id: id.clone(), props, outputs: Outputs::new(), state: State::Ready, owned: true };
        observed.insert(id, live);
    }
    let graph = graph(&spec, &facts(Some(insights().origin), Some(order.clone())));
    let Plan { steps, blocked, .. } = plan(&graph, &observed, &kinds());
    assert!(blocked.is_empty(), "{blocked:?}");
    assert_eq!(steps.first().unwrap().id.kind, Retention::NAME);
    let last = steps.last().unwrap();
    assert_eq!(last.id.kind, Handover::NAME);
    let tagged = steps.iter().filter(|step| step.changes.iter().any(|change| change.concerns("tags")));
    for step in tagged {
        assert!(
            last.needs.contains(&step.id) && step.needs.contains(&Id::new(Retention::NAME, "main")),
            "{}",
            step.id
        );
    }
    // Afterwards there is nothing to do in this run: what the spec wants comes with the next.
    let gone = Origin { status: "DELETE_COMPLETE".into(), ..insights().origin };
    let after = model::build(&spec, &place(&spec), &facts(Some(gone), Some(order)), Intent::Apply).unwrap();
    assert!(plan(&after, &observed, &kinds()).is_empty());
}

fn all() -> Vec<String> {
    let mut all: Vec<String> = insights().origin.resources.into_iter().map(|part| part.logical).collect();
    all.sort();
    all
}

#[test]
fn nothing_else_is_done_to_what_cloudformation_owns() {
    let (_, spec) = drafted();
    let facts = facts(Some(insights().origin), None);
    for intent in [Intent::Destroy { unprotect: true }, Intent::Pause { nat: true }] {
        let problems = model::build(&spec, &place(&spec), &facts, intent).unwrap_err();
        assert_eq!(problems[0].code.text(), "owned-by-cloudformation");
    }
    // It has let go of all that the spec takes, and keeps what it keeps.
    let mut origin = insights().origin;
    origin.resources.retain(|part| part.logical.starts_with("KMS"));
    let facts = Facts { origin: Some(origin), ..facts };
    assert!(model::build(&spec, &place(&spec), &facts, Intent::Destroy { unprotect: true }).is_ok());
}

#[test]
fn what_no_spec_can_say_is_refused() {
    let with = |change: &dyn Fn(&mut Findings)| {
        let mut found = insights();
        change(&mut found);
        draft(&found, "insights").unwrap_err().join("\n")
    };
    let mut out = String::new();
    for change in [
        &(|f: &mut Findings| f.clusters[0].version = "5.7.mysql_aurora.2.07.1".into())
            as &dyn Fn(&mut Findings),
        &|f| f.clusters[0].engine = "aurora-postgresql".into(),
        &|f| f.clusters.push(Cluster::default()),
        &|f| f.subnets[2].zone = "us-east-1a".into(),
        &|f| f.origin.resources.retain(|part| part.kind != "AWS::SecretsManager::Secret"),
        &|f| f.clusters[0].parameter_group = "default.aurora-mysql8.0".into(),
    ] {
        out.push_str(&with(change));
        out.push('\n');
    }
    golden("tests/data/takeover/refused.txt", &out);
}

proptest! {
    /// Whatever AWS's names and tags are: what is written is read by our own parser, and says what was found.
    #[test]
    fn what_is_written_parses(
        tags in prop::collection::btree_map("[a-zA-Z][a-zA-Z0-9 _.:/=+@-]{0,20}", "[a-zA-Z0-9 _.:/=+@-]{0,30}", 0..4),
        name in "[A-Za-z][A-Za-z0-9-]{0,30}",
        config in "\\PC{0,40}",
        platform in "\\PC{0,40}",
        logical in "[A-Za-z0-9]{1,30}",
        days in 1..35_i32,
        encrypted: bool,
    ) {
        let tags: BTreeMap<String, String> =
            tags.into_iter().filter(|(key, _)| !key.to_lowercase().starts_with("aws:")).collect();
        let mut found = insights();
        found.tags.clone_from(&tags);
        found.origin.name.clone_from(&name);
        found.notebooks[0].platform = platform;
        found.endpoints[0].1 = config;
        found.clusters[0].backup_days = days;
        found.clusters[0].encrypted = encrypted;
        found.origin.resources.push(part(&logical, "SNS::Topic", "arn:aws:sns:us-east-1:111122223333:topic"));
        let draft = draft(&found, "insights").unwrap();
        let written = written(&draft, None);
        prop_assert!(written.is_ok(), "{}", written.unwrap_err());
        prop_assert_eq!(&written.unwrap().spec.tags, &tags);
    }
}
