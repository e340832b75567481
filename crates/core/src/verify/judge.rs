//! Answers of AWS to checks. Pure: the same facts give the same checks.

use super::checks::{Check, Judge, Outcome};
use super::facts::{Database, Facts, Instance, Member};
use super::paths::{Origin, Path, path, summary};
use super::wiring;
use crate::engine::Engine;
use crate::spec::{Strategy, WITHOUT_MACHINE_LEARNING};

/// The one check of a cluster that is not there.
pub fn no_cluster(cluster: &str, region: &str, existing: bool) -> Check {
    let fix = match existing {
        true => format!(
            "correct `aurora.existing` or `region` in the spec (aws rds describe-db-clusters --region {region} lists the clusters)"
        ),
        false => "auroraml apply".into(),
    };
    Check {
        check: "cluster".into(),
        object: format!("cluster {cluster}"),
        outcome: Outcome::Failed,
        found: format!("it does not exist in {region}"),
        fix: Some(fix),
    }
}

/// Every check, in the order of the chain.
pub fn judge(facts: &Facts) -> Vec<Check> {
    let mut judge = Judge { facts, checks: Vec::new() };
    region(&mut judge);
    engine_version(&mut judge);
    status(&mut judge);
    wiring::wiring(&mut judge);
    if facts.is_paused() {
        let why = "the stack is paused: endpoints and members can be checked after `auroraml resume`";
        judge.unknown("members", format!("cluster {}", facts.cluster.id), why);
        return judge.checks;
    }
    members(&mut judge);
    endpoints(&mut judge);
    network(&mut judge);
    database(&mut judge);
    judge.checks
}

/// What the wiring leads to, before it is made: the endpoints, and the network paths where others own them.
pub fn surroundings(facts: &Facts) -> Vec<Check> {
    let mut judge = Judge { facts, checks: Vec::new() };
    endpoints(&mut judge);
    if facts.existing {
        network(&mut judge);
    }
    judge.checks
}

fn region(judge: &mut Judge<'_>) {
    let region = &judge.facts.place.region;
    // Reading and writing S3 is older than machine learning and is there everywhere.
    let learns = judge.facts.abilities.iter().any(|ability| ability.name != "s3");
    if learns && WITHOUT_MACHINE_LEARNING.contains(&region.as_str()) {
        let found = "Aurora machine learning is not offered here";
        judge.failed(
            "region",
            region,
            found,
            "use a cluster in another region: cluster and services must be in the same region",
        );
    } else {
        judge.ok("region", region, "Aurora machine learning is offered here");
    }
}

fn engine_version(judge: &mut Judge<'_>) {
    let cluster = &judge.facts.cluster;
    let object = format!("cluster {}", cluster.id);
    let found = format!("{} {}", cluster.engine, cluster.version);
    let Some(engine) = Engine::named(&cluster.engine) else {
        let fix = "use an Aurora MySQL cluster: PostgreSQL has no role parameters";
        return judge.failed("engine", object, found, fix);
    };
    let known = judge.facts.abilities.iter().filter_map(|one| engine.ability(one.name));
    let (can, cannot): (Vec<_>, Vec<_>) = known.partition(|one| (one.available)(&cluster.version));
    if judge.facts.abilities.is_empty() {
        judge.ok("engine", &object, found);
        let found = "the spec's machine_learning is empty: there is nothing to check";
        return judge.note("engine", object, found);
    }
    if cannot.is_empty() {
        let titles: Vec<&str> = can.iter().map(|ability| ability.title).collect();
        return judge.ok("engine", object, format!("{found} has functions for {}", titles.join(", ")));
    }
    for ability in cannot {
        let title = ability.title;
        judge.failed(
            "engine",
            object.clone(),
            format!("{found} has no functions for {title}"),
            format!(
                "upgrade to {} {} or newer (aws rds modify-db-cluster --engine-version), which restarts the members",
                engine.title, ability.first
            ),
        );
    }
}

fn status(judge: &mut Judge<'_>) {
    let cluster = &judge.facts.cluster;
    let object = format!("cluster {}", cluster.id);
    match cluster.status.as_str() {
        // What AWS does by itself while the database serves.
        status @ ("available" | "backing-up" | "storage-optimization") => judge.ok("cluster", object, status),
        "stopped" if judge.facts.is_paused() => {
            judge.note(
                "cluster",
                object,
                "the stack is paused: it is stopped until `auroraml resume` starts it",
            );
        }
        "stopped" => judge.failed(
            "cluster",
            object,
            "it is stopped and cannot run SQL",
            format!(
                "aws rds start-db-cluster --db-cluster-identifier {} --region {}",
                cluster.id, judge.facts.place.region
            ),
        ),
        status => {
            let fix = later(status, &judge.facts.place.region);
            judge.failed("cluster", object, format!("it is {status}"), fix);
        }
    }
}

/// What to do about a cluster or an instance that is not available (fact book, section 1.5).
fn later(status: &str, region: &str) -> String {
    let needs_a_person = ["failed", "inaccessible", "incompatible", "insufficient", "error", "storage-full"];
    match needs_a_person.iter().any(|part| status.contains(part)) {
        true => {
            format!(
                "repair it; the events say why (aws rds describe-events --duration 1440 --region {region})"
            )
        }
        false => "wait until it is available, then verify again".into(),
    }
}

/// Restarts a member at once, whoever uses it.
fn reboot(facts: &Facts, member: &Member) -> String {
    let meanwhile = if member.writer { ", which interrupts writes" } else { "" };
    format!(
        "restart this {} at once{meanwhile}: aws rds reboot-db-instance --db-instance-identifier {} --region {}",
        member.role(),
        member.name,
        facts.place.region
    )
}

/// How a member that waits for a restart gets it: what apply does to it, unless the spec keeps it from that.
fn restart(facts: &Facts, member: &Member) -> String {
    let by_hand = reboot(facts, member);
    let role = member.role();
    if let Some(strategy) = facts.leaves_pending(member) {
        return format!(
            "auroraml apply leaves this {role} as it is (`restart: {strategy}` in the spec); {by_hand}"
        );
    }
    let has_readers = facts.cluster.members.iter().any(|member| !member.writer);
    let together = Engine::named(&facts.cluster.engine)
        .is_some_and(|engine| (engine.restarts_together)(&facts.cluster.version).is_some());
    let fails_over = match facts.strategy {
        Strategy::Rolling => has_readers && !together,
        Strategy::Failover => has_readers,
        Strategy::WriterOnly | Strategy::Never => false,
    };
    match (member.writer, fails_over) {
        (false, _) => format!("auroraml apply restarts this reader; or {by_hand}"),
        (true, true) => {
            format!("auroraml apply fails over from this writer to a reader, if you allow it; or {by_hand}")
        }
        (true, false) => format!("auroraml apply restarts this writer, if you allow it; or {by_hand}"),
    }
}

fn members(judge: &mut Judge<'_>) {
    let facts = judge.facts;
    let (cluster, group) = (&facts.cluster, &facts.cluster.parameter_group);
    if cluster.members.is_empty() {
        let region = &facts.place.region;
        let fix =
            format!("auroraml apply, if the stack owns it; or aws rds create-db-instance --region {region}");
        judge.failed("members", format!("cluster {}", cluster.id), "it has no members to run SQL", fix);
    }
    for member in &cluster.members {
        let name = &member.name;
        let object = format!("{} {name}", member.role());
        let (restart, reboot) = (restart(facts, member), reboot(facts, member));
        let check = "member parameters";
        match member.parameter_status.as_str() {
            "in-sync" => judge.ok(check, &object, format!("in-sync with {group}")),
            "pending-reboot" => judge.failed(
                check,
                &object,
                format!("pending-reboot: it does not use the values of {group} yet"),
                restart.clone(),
            ),
            "applying" => judge.failed(
                check,
                &object,
                format!("applying the values of {group}"),
                "wait a minute, then verify again",
            ),
            "failed-to-apply" => judge.failed(
                check,
                &object,
                format!("failed-to-apply: the engine rejected the values of {group}"),
                format!(
                    "aws rds describe-events --source-type db-instance --source-identifier {name} --region {} says which; correct it in {group}, then {reboot}",
                    facts.place.region
                ),
            ),
            other => {
                let found = format!("{other} with {group}, not in-sync");
                judge.failed(check, &object, found, "wait until AWS has finished, then verify again");
            }
        }
        match &facts.instances {
            Err(why) => judge.unknown("member", &object, why),
            Ok(instances) => match instances.iter().find(|instance| instance.name == *name) {
                None => {
                    let fix = later("creating", &facts.place.region);
                    judge.failed("member", &object, "it has no instance", fix);
                }
                Some(instance) => own(judge, &object, instance, (&restart, &reboot)),
            },
        }
    }
}

/// The member as an instance: its status, and its own DB parameter group, which has a state apart from the
/// cluster's (fact book, section 1.5).
fn own(judge: &mut Judge<'_>, object: &str, instance: &Instance, (restart, reboot): (&str, &str)) {
    let status = instance.status.as_str();
    if !matches!(status, "available" | "backing-up" | "storage-optimization" | "storage-config-upgrade") {
        let fix = later(status, &judge.facts.place.region);
        judge.failed("member", object, format!("it is {status}"), fix);
        return;
    }
    let behind: Vec<&(String, String)> =
        instance.parameter_groups.iter().filter(|(_, status)| status != "in-sync").collect();
    for (group, status) in &behind {
        let fix = match status.as_str() {
            "pending-reboot" => restart.to_string(),
            "failed-to-apply" => format!("correct its values, then {reboot}"),
            _ => "wait a minute, then verify again".into(),
        };
        judge.failed("member", object, format!("{status} with its own DB parameter group {group}"), fix);
    }
    if behind.is_empty() {
        let groups: Vec<&str> = instance.parameter_groups.iter().map(|(group, _)| group.as_str()).collect();
        judge.ok("member", object, format!("{status}, in-sync with its own {}", groups.join(", ")));
    }
}

/// SageMaker endpoints (fact book, section 4.4).
fn endpoints(judge: &mut Judge<'_>) {
    let facts = judge.facts;
    for (name, answer) in &facts.endpoints {
        let object = format!("endpoint {name}");
        let check = "endpoint";
        match answer {
            Err(why) => judge.unknown(check, object, why),
            Ok(None) => judge.failed(
                check,
                object,
                format!("it does not exist in {}", facts.place.region),
                "auroraml apply, if the stack manages it; otherwise deploy it under this name",
            ),
            Ok(Some(endpoint)) => {
                let reason = endpoint.failure_reason.as_ref();
                let reason = reason.map(|reason| format!(": \"{reason}\"")).unwrap_or_default();
                match endpoint.status.as_str() {
                    "InService" if reason.is_empty() => judge.ok(check, object, "InService"),
                    // The last change of it was rolled back.
                    "InService" => judge.ok(check, object, format!("InService; its last update failed{reason}")),
                    status @ ("Failed" | "OutOfService" | "UpdateRollbackFailed") => judge.failed(
                        check,
                        object,
                        format!("{status}{reason}"),
                        "fix the cause; then auroraml apply, if the stack manages it; otherwise deploy it again",
                    ),
                    // It serves while AWS maintains or updates it.
                    status @ ("Updating" | "SystemUpdating" | "RollingBack") => {
                        judge.ok(check, object, format!("{status}, and still serving"));
                    }
                    status => {
                        let found = format!("{status}{reason}");
                        judge.failed(check, object, found, "wait until it is InService, then verify again");
                    }
                }
            }
        }
    }
}

/// The name of each service in the names of its endpoints (fact book, section 1.15).
fn service(ability: &str) -> &'static str {
    match ability {
        "bedrock" => "bedrock-runtime",
        "comprehend" => "comprehend",
        "s3" => "s3",
        _ => "sagemaker.runtime",
    }
}

fn network(judge: &mut Judge<'_>) {
    let facts = judge.facts;
    let private: Option<Vec<String>> = facts.instances.as_ref().ok().map(|instances| {
        let private = instances.iter().filter(|instance| !instance.publicly_accessible);
        private.map(|instance| instance.name.clone()).collect()
    });
    let origin = Origin {
        security_groups: &facts.cluster.security_groups,
        private: private.as_deref(),
        region: &facts.place.region,
    };
    for ability in &facts.abilities {
        let (check, service) = (format!("{} network", ability.name), service(ability.name));
        let network = match &facts.network {
            Err(why) => {
                judge.unknown(check, format!("subnet group {}", facts.cluster.subnet_group), why);
                continue;
            }
            Ok(network) => network,
        };
        let object = format!("subnets of {}", facts.cluster.subnet_group);
        let (mut open, mut unknown, mut blocked, mut fixes) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for subnet in &network.subnets {
            match path(network, origin, subnet, service) {
                Path::Open(how) => open.push((subnet.clone(), how)),
                Path::Unknown(why) => unknown.push((subnet.clone(), why)),
                Path::Blocked { why, fix } => {
                    blocked.push((subnet.clone(), why));
                    if !fixes.contains(&fix) {
                        fixes.push(fix);
                    }
                }
            }
        }
        if !blocked.is_empty() {
            let found = format!("cannot reach {service} from {}", summary(&blocked, ": "));
            let fix = fixes.join("; ");
            let fix = if facts.existing { fix } else { format!("auroraml apply; or by hand: {fix}") };
            judge.failed(check, object, found, fix);
        } else if !unknown.is_empty() {
            judge.unknown(check, object, format!("{service} from {}", summary(&unknown, ": ")));
        } else {
            judge.ok(check, object, format!("to {service} from {}", summary(&open, " by ")));
        }
    }
}

/// What the writer runs with, against what the group says.
fn database(judge: &mut Judge<'_>) {
    let facts = judge.facts;
    let Some(database) = &facts.database else { return };
    let writer = facts.cluster.members.iter().find(|member| member.writer);
    let object = format!("writer {}", writer.map_or("", |member| member.name.as_str()));
    let values = match database {
        Database::Values(values) => values,
        Database::Silent { why, fix } => {
            let (check, found, fix) = ("database".to_string(), why.clone(), Some(fix.clone()));
            return judge.add(
                check,
                format!("cluster {}", facts.cluster.id),
                Outcome::NotChecked,
                found,
                fix,
            );
        }
    };
    for ability in &facts.abilities {
        let Some(name) = ability.wiring.parameter() else { continue };
        let check = format!("{} database", ability.name);
        let Ok(parameters) = &facts.parameters else {
            judge.unknown(check, &object, format!("it has {name}, but there is no value to compare with"));
            continue;
        };
        let wanted = parameters.get(name).map(|parameter| parameter.value.as_str()).unwrap_or_default();
        let running = values.get(name).map(String::as_str).unwrap_or_default();
        let group = &facts.cluster.parameter_group;
        match running {
            "" if wanted.is_empty() => {
                judge.failed(
                    check,
                    &object,
                    format!("{name} is empty, as in {group}"),
                    "set the parameter (see above)",
                );
            }
            running if running == wanted => {
                judge.ok(check, &object, format!("{name} is the same as in {group}"))
            }
            running => {
                let running = if running.is_empty() { "nothing" } else { running };
                judge.failed(
                    check,
                    &object,
                    format!("it uses {name} = {running}, but {group} has {wanted}"),
                    match writer {
                        Some(writer) if writer.parameter_status == "pending-reboot" => restart(facts, writer),
                        Some(writer) => reboot(facts, writer),
                        None => "wait until the cluster has a writer, then verify again".into(),
                    },
                );
            }
        }
    }
}
