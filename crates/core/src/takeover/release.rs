//! What stands in the way of a hand-over. All of it is said before anything is called.

use super::origin::{Fate, Origin, Part, fate, roles};
use crate::base::counted;
use crate::engine::AURORA_MYSQL;
use crate::spec::{self, EndpointManager, Spec};
use crate::template::{LARGEST, LARGEST_INLINE};
use std::collections::BTreeSet;

/// What a person says of resources that the spec does not contain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// Logical ids that stay in the CloudFormation stack, which then stays with them.
    pub leave: BTreeSet<String>,
    /// Logical ids that stay at AWS and afterwards are nobody's.
    pub unowned: BTreeSet<String>,
    /// Bucket for a template that is too large for a request, in place of one that the spec takes over.
    pub bucket: Option<String>,
}

/// The bucket through which a template goes that is too large for a request. One of the spec's that is not there yet is
/// none.
pub fn template_bucket(spec: &Spec, order: &Order) -> Option<String> {
    let taken = || spec.taken_over.as_ref()?.objects.get("bucket.main").cloned();
    order.bucket.clone().or_else(taken)
}

/// Why the stack cannot hand over as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The stack, or one of its resources.
    pub what: String,
    pub why: String,
    pub hint: String,
}

/// IAM roles that a cluster can have (fact book, section 1.8).
const ROLES_PER_CLUSTER: usize = 5;
/// Statuses from which a stack can be updated (CloudFormation User Guide, "Stack status codes").
const AT_REST: [&str; 5] = [
    "CREATE_COMPLETE",
    "IMPORT_COMPLETE",
    "IMPORT_ROLLBACK_COMPLETE",
    "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE",
];

/// Everything that stands in the way.
pub fn refusals(spec: &Spec, origin: &Origin, order: &Order) -> Vec<Refusal> {
    let mut found = Vec::new();
    if !origin.stands() {
        return found;
    }
    status(origin, &mut found);
    whole_stack(origin, &mut found);
    template(spec, origin, order, &mut found);
    engine(origin, &mut found);
    resources(spec, origin, order, &mut found);
    let others = origin.cluster_roles.iter().filter(|arn| !roles(spec).contains(&arn.as_str())).count();
    let wanted = wanted_roles(spec);
    if !origin.cluster_roles.is_empty() && others + wanted > ROLES_PER_CLUSTER {
        found.push(Refusal {
            what: "roles".into(),
            why: format!(
                "the cluster has {} and needs {wanted} more: AWS allows {ROLES_PER_CLUSTER} on one cluster",
                counted(others, "role") + " that the spec does not list"
            ),
            hint: "list them under `roles`, or remove unused roles from the cluster".into(),
        });
    }
    found
}

/// Roles that the cluster is to have.
fn wanted_roles(spec: &Spec) -> usize {
    let wish = &spec.machine_learning;
    [
        wish.sagemaker.is_some(),
        wish.comprehend,
        wish.s3 != crate::spec::S3Access::Own(false),
        wish.bedrock.is_some(),
    ]
    .into_iter()
    .filter(|wants| *wants)
    .count()
}

fn status(origin: &Origin, found: &mut Vec<Refusal>) {
    let Origin { name, status, .. } = origin;
    let reason = origin.reason.as_deref().map(|reason| format!(": {}", reason.trim())).unwrap_or_default();
    let mut refuse =
        |why: String, hint: &str| found.push(Refusal { what: name.clone(), why, hint: hint.to_string() });
    match status.as_str() {
        rest if AT_REST.contains(&rest) => {}
        // Our own, of a run that was killed: it goes on where that one was.
        _ if origin.is_busy() && (origin.retained || origin.ours) => {}
        "DELETE_FAILED" if origin.retained => {}
        "REVIEW_IN_PROGRESS" => refuse(
            "the stack was never created (REVIEW_IN_PROGRESS)".into(),
            "execute its change set, or delete it with CloudFormation",
        ),
        _ if origin.is_busy() => refuse(
            format!("CloudFormation is still working on it ({status})"),
            "wait until it has finished, then run the command again",
        ),
        "UPDATE_ROLLBACK_FAILED" => refuse(
            format!("its last update could not be rolled back{reason}"),
            "continue the rollback (aws cloudformation continue-update-rollback), then run again",
        ),
        "CREATE_FAILED" | "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" => {
            refuse(format!("the stack was never created ({status}){reason}"), "delete it with CloudFormation")
        }
        _ => refuse(
            format!("a stack in the status {status} cannot hand over{reason}"),
            "bring it to CREATE_COMPLETE or UPDATE_COMPLETE with CloudFormation, then run again",
        ),
    }
}

fn whole_stack(origin: &Origin, found: &mut Vec<Refusal>) {
    let name = &origin.name;
    let mut refuse = |why: String, hint: String| found.push(Refusal { what: name.clone(), why, hint });
    if origin.termination_protection {
        refuse(
            "the stack has termination protection".into(),
            format!(
                "turn it off: aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name {name}"
            ),
        );
    }
    if let Some(parent) = &origin.parent {
        refuse(
            format!("it is nested in the stack {parent}, which would create it again"),
            "remove it from that stack's template first".into(),
        );
    }
    if origin.policy_denies {
        refuse(
            "it has a stack policy that denies updates".into(),
            "set a policy that allows Update:* on all resources (aws cloudformation set-stack-policy), then run again"
                .into(),
        );
    }
    for export in origin.exports.iter().filter(|export| !export.importers.is_empty()) {
        refuse(
            format!("it exports {}, imported by {}", export.name, export.importers.join(", ")),
            "replace the import in those stacks by the value, then run again".into(),
        );
    }
    // What follows is about an update, and there is one only while something is not retained.
    if origin.retained {
        return;
    }
    for parameter in &origin.read_anew {
        refuse(
            format!(
                "its parameter {parameter} is read from Systems Manager at every update, which could change more than the policies"
            ),
            "turn it into a plain parameter with its current value, update the stack, then run again".into(),
        );
    }
    for name in &origin.macros {
        refuse(
            format!("its template is rewritten by {name}, which could change more than the policies"),
            "update the stack with the processed template (aws cloudformation get-template --template-stage Processed), then run again"
                .into(),
        );
    }
}

/// A template has to get to CloudFormation, as long as something is not retained or something stays.
fn template(spec: &Spec, origin: &Origin, order: &Order, found: &mut Vec<Refusal>) {
    if origin.retained && order.leave.is_empty() {
        return;
    }
    let has = format!("its template has {} bytes with the policies", origin.bytes);
    let (why, hint) = match origin.bytes {
        bytes if bytes > LARGEST => (
            format!("{has}, and CloudFormation takes at most {LARGEST}"),
            "set DeletionPolicy and UpdateReplacePolicy to Retain on every resource with CloudFormation, then run again",
        ),
        bytes if bytes > LARGEST_INLINE && template_bucket(spec, order).is_none() => (
            format!("{has}; above {LARGEST_INLINE} it must lie in a bucket, and the spec takes none over"),
            "name a bucket in the stack's region for it: add --template-bucket NAME",
        ),
        _ => return,
    };
    found.push(Refusal { what: origin.name.clone(), why, hint: hint.into() });
}

/// What the first apply afterwards could only refuse.
fn engine(origin: &Origin, found: &mut Vec<Refusal>) {
    let Some((cluster, engine, version)) = &origin.engine else { return };
    if engine != AURORA_MYSQL.name || spec::family(version).is_none() {
        found.push(Refusal {
            what: cluster.clone(),
            why: format!("it runs {engine} {version}, which auroraml does not manage"),
            hint: "upgrade it to a version that AWS still supports, then run again".into(),
        });
    }
}

/// Why nobody would own it afterwards, and what can be done.
fn unknown(spec: &Spec, part: &Part) -> (String, String) {
    let Part { logical, kind, physical, object, .. } = part;
    let choose = format!(
        "--leave {logical} keeps it in the CloudFormation stack, which then stays; --unowned {logical} keeps it at AWS, where nobody owns it"
    );
    let of_spec = spec.endpoints.iter().find(|(name, _)| name.eq_ignore_ascii_case(object));
    match of_spec {
        // A notebook may have moved it: what the template says is not what it serves.
        Some((name, endpoint))
            if kind == "AWS::SageMaker::Endpoint" && endpoint.managed_by != EndpointManager::Notebook =>
        {
            (
                format!(
                    "the spec says what the endpoint {name} serves, and an endpoint cannot be taken over"
                ),
                format!(
                    "set managed_by: notebook in endpoints.{name}, or give the spec's endpoint another name"
                ),
            )
        }
        _ => {
            (format!("the spec does not contain {physical}: nobody would own it after the hand-over"), choose)
        }
    }
}

fn resources(spec: &Spec, origin: &Origin, order: &Order, found: &mut Vec<Refusal>) {
    // What is deleted is nobody's any more.
    for part in origin.resources.iter().filter(|part| part.status != "DELETE_COMPLETE") {
        let Part { logical, kind, physical, .. } = part;
        let said = order.leave.contains(logical) || order.unowned.contains(logical);
        let mut refuse = |why: String, hint: String| {
            found.push(Refusal { what: format!("{logical} ({kind})"), why, hint });
        };
        if kind == "AWS::CloudFormation::Stack" {
            refuse(
                format!("it is a nested stack: {physical}"),
                "take over the nested stack first, or move its resources into this one".into(),
            );
            continue;
        }
        match fate(spec, part) {
            Fate::Taken(resource) if order.leave.contains(logical) => refuse(
                format!("the spec takes it over as {resource}, so it cannot stay in CloudFormation"),
                format!("remove --leave {logical}, or remove {resource} from `taken_over`"),
            ),
            Fate::Taken(_) | Fate::Part | Fate::Used(_) => {}
            Fate::Unknown if said || physical.is_empty() => {}
            Fate::Unknown => {
                let (why, hint) = unknown(spec, part);
                refuse(why, hint);
            }
        }
    }
    for (one, other) in &origin.torn {
        found.push(Refusal {
            what: one.clone(),
            why: format!("it refers to {other}, which would no longer be in the CloudFormation stack"),
            hint: format!("keep it without an owner with --unowned {one}, or leave {other} in the stack too"),
        });
    }
    let known = |id: &&String| !origin.resources.iter().any(|part| part.logical == **id);
    // After an earlier run has taken most of them out, only what is left is known.
    if !origin.retained {
        for logical in order.leave.iter().chain(&order.unowned).filter(known) {
            found.push(Refusal {
                what: logical.clone(),
                why: format!("{} has no resource of this name", origin.name),
                hint: "use a logical id from the template".into(),
            });
        }
    }
}

/// What stays at AWS and is nobody's afterwards: each with where the spec names it, if it does.
pub fn unnamed<'o>(
    spec: &'o Spec,
    origin: &'o Origin,
    order: &'o Order,
) -> impl Iterator<Item = (&'o Part, Option<&'static str>)> {
    origin.resources.iter().filter_map(|part| match fate(spec, part) {
        _ if order.leave.contains(&part.logical) => None,
        Fate::Used(by) => Some((part, Some(by))),
        Fate::Unknown => Some((part, None)),
        Fate::Taken(_) | Fate::Part => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::parse;
    use crate::takeover::Export;

    fn spec() -> Spec {
        let text = "stack: insights\nregion: us-east-1\nnetwork: { cidr: 10.0.0.0/16 }\ntaken_over:\n  from_stack: arn:aws:cloudformation:us-east-1:111122223333:stack/Insights/0a\n  objects: { vpc.main: vpc-1 }\n";
        parse(text.as_bytes()).unwrap_or_else(|problems| panic!("{}", problems.render("spec", text)))
    }

    fn part(logical: &str, kind: &str, physical: &str) -> Part {
        let [logical, kind, physical] = [logical, kind, physical].map(String::from);
        Part { object: physical.clone(), logical, kind, physical, status: "CREATE_COMPLETE".into() }
    }

    fn origin() -> Origin {
        Origin {
            name: "Insights".into(),
            status: "CREATE_COMPLETE".into(),
            resources: vec![
                part("Vpc", "AWS::EC2::VPC", "vpc-1"),
                part("Route", "AWS::EC2::Route", "rtb-1|0.0.0.0/0"),
            ],
            ..Origin::default()
        }
    }

    fn said(origin: &Origin, order: &Order) -> String {
        let found = refusals(&spec(), origin, order);
        let lines = found.iter().map(|one| format!("{}: {}\n  help: {}\n", one.what, one.why, one.hint));
        lines.collect()
    }

    #[test]
    fn what_fits_is_not_refused() {
        assert_eq!(said(&origin(), &Order::default()), "");
        let gone = Origin { status: "DELETE_COMPLETE".into(), termination_protection: true, ..origin() };
        assert_eq!(said(&gone, &Order::default()), "");
    }

    #[test]
    fn every_refusal_has_its_words() {
        let with = |change: fn(&mut Origin)| {
            let mut origin = origin();
            change(&mut origin);
            said(&origin, &Order::default())
        };
        let mut out = String::new();
        for change in [
            (|o| o.status = "UPDATE_IN_PROGRESS".into()) as fn(&mut Origin),
            |o| o.status = "REVIEW_IN_PROGRESS".into(),
            |o| (o.status, o.reason) = ("ROLLBACK_COMPLETE".into(), Some("the bucket exists".into())),
            |o| (o.status, o.reason) = ("UPDATE_ROLLBACK_FAILED".into(), Some("no permission".into())),
            |o| o.status = "DELETE_FAILED".into(),
            |o| o.termination_protection = true,
            |o| o.parent = Some("Everything".into()),
            |o| o.policy_denies = true,
            |o| {
                o.exports =
                    vec![Export { name: "vpc-of-all".into(), importers: vec!["Shop".into(), "Pay".into()] }]
            },
            |o| o.read_anew = vec!["Image".into()],
            |o| o.macros = vec!["AWS::Serverless-2016-10-31".into()],
            |o| o.bytes = 60_000,
            |o| o.bytes = 1_100_000,
            |o| o.engine = Some(("shop".into(), "aurora-mysql".into(), "5.7.mysql_aurora.2.07.1".into())),
            |o| o.resources.push(part("Nested", "AWS::CloudFormation::Stack", "arn:aws:x")),
            |o| o.resources.push(part("Alias", "AWS::KMS::Alias", "alias/blog")),
            |o| o.cluster_roles = (1..=6).map(|n| format!("arn:aws:iam::111122223333:role/r{n}")).collect(),
        ] {
            out.push_str(&with(change));
        }
        let leave = Order {
            leave: ["Vpc".to_string()].into(),
            unowned: ["Nobody".to_string()].into(),
            ..Order::default()
        };
        out.push_str(&said(&origin(), &leave));
        let golden = include_str!("refusals.txt");
        assert_eq!(out, golden, "\n{out}");
    }

    #[test]
    fn a_killed_run_is_taken_up() {
        let ours = Origin { status: "UPDATE_IN_PROGRESS".into(), ours: true, ..origin() };
        assert_eq!(said(&ours, &Order::default()), "");
        for status in ["UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_FAILED", "UPDATE_COMPLETE"] {
            let origin = Origin { status: status.into(), retained: true, ..origin() };
            assert_eq!(said(&origin, &Order::default()), "", "{status}");
        }
    }

    #[test]
    fn what_is_nobodys_must_be_said() {
        let mut origin = origin();
        origin.resources.push(part("Alias", "AWS::KMS::Alias", "alias/blog"));
        let unowned = Order { unowned: ["Alias".to_string()].into(), ..Order::default() };
        assert_eq!(said(&origin, &unowned), "");
        let spec = spec();
        let left: Vec<_> =
            unnamed(&spec, &origin, &unowned).map(|(part, by)| (part.logical.as_str(), by)).collect();
        assert_eq!(left, [("Alias", None)]);
        let leave = Order { leave: ["Alias".to_string()].into(), ..Order::default() };
        assert_eq!(said(&origin, &leave), "");
        assert_eq!(unnamed(&spec, &origin, &leave).count(), 0);
    }
}
