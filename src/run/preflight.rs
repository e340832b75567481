//! Checks before anything is created: quotas, names of parameters, model artifacts.
//!
//! Each is something that would otherwise be found minutes into an apply, with half a stack standing. A check
//! that may not be made (no permission to read quotas, say) is left out and said in a note; it never stops a
//! plan that AWS might accept.

use crate::aws::{Aws, Class, During, Failure};
use auroraml_core::base::To;
use auroraml_core::kinds::{endpoint_config, model, notebook};
use auroraml_core::model::Preflight;
use auroraml_core::plan::{Plan, Step};
use auroraml_core::resource::{Action, Graph};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Pages of a listing, of 100 names each: no family has a tenth of it.
const PAGES_MAX: usize = 50;

/// What the checks found.
#[derive(Debug, Default)]
pub struct Findings {
    pub problems: Vec<Preflight>,
    pub notes: Vec<String>,
}

impl Findings {
    fn problem(&mut self, what: impl Into<String>, why: impl Into<String>, hint: impl Into<String>) {
        self.problems.push(Preflight { what: what.into(), why: why.into(), hint: hint.into() });
    }

    /// Keeps the answer; turns a refusal to answer into a note.
    fn take<T>(&mut self, what: &str, answer: Result<T, Failure>) -> Option<T> {
        match answer {
            Ok(answer) => Some(answer),
            Err(failure) => {
                self.notes.push(format!("{what} could not be checked beforehand: {failure}"));
                None
            }
        }
    }
}

/// Looks at what the plan would create. Asks AWS nothing when it creates none of what is checked.
pub async fn check(aws: &Aws, graph: &Graph, plan: &Plan) -> Findings {
    let created: Vec<&Step> = plan.work().filter(|step| step.action == Action::Create).collect();
    let (network, parameters, machine_learning, artifacts) = tokio::join!(
        network(aws, &created),
        parameters(aws, graph, plan),
        machine_learning(aws, graph, &created),
        artifacts(aws, graph, &created),
    );
    let mut all = Findings::default();
    for findings in [network, parameters, machine_learning, artifacts] {
        all.problems.extend(findings.problems);
        all.notes.extend(findings.notes);
    }
    all
}

fn properties<P: serde::de::DeserializeOwned>(
    graph: &Graph,
    created: &[&Step],
    kind: &str,
) -> Vec<(String, P)> {
    created
        .iter()
        .filter(|step| step.id.kind == kind)
        .filter_map(|step| {
            let props = graph.resources.get(&step.id)?.props.clone();
            Some((step.id.to_string(), serde_json::from_value(props).ok()?))
        })
        .collect()
}

/// VPCs and Elastic IP addresses: five of each in a new account (fact book, section 5.4).
async fn network(aws: &Aws, created: &[&Step]) -> Findings {
    let mut findings = Findings::default();
    let count = |kind: &str| created.iter().filter(|step| step.id.kind == kind).count();
    for (kind, what, code, service) in
        [("vpc", "VPCs", "L-F678F1CE", "vpc"), ("elastic_ip", "Elastic IP addresses", "L-0263D0A3", "ec2")]
    {
        let wanted = count(kind);
        if wanted == 0 {
            continue;
        }
        let there = async {
            match kind {
                "vpc" => {
                    let pages = aws.ec2.describe_vpcs().into_paginator().items().send();
                    let all = pages.collect::<Result<Vec<_>, _>>().await.during("DescribeVpcs")?;
                    Ok(all.len())
                }
                _ => {
                    let answer = aws.ec2.describe_addresses().send().await.during("DescribeAddresses")?;
                    Ok::<_, Failure>(answer.addresses().len())
                }
            }
        };
        let quota = async {
            let request = aws.servicequotas.get_service_quota().service_code(service).quota_code(code);
            let answer = request.send().await.during("GetServiceQuota")?;
            Ok::<_, Failure>(answer.quota().and_then(|quota| quota.value()).unwrap_or(f64::MAX))
        };
        let both = tokio::try_join!(there, quota);
        if let Some((there, quota)) = findings.take(&format!("the quota of {what}"), both)
            && (there + wanted) as f64 > quota
        {
            findings.problem(
                what,
                format!(
                    "{there} exist in {}, {wanted} more are needed, and the quota is {quota}",
                    aws.place.region
                ),
                format!("delete unused ones, or raise the quota {code} in Service Quotas"),
            );
        }
    }
    findings
}

/// Whether AWS has the parameters that the plan sets, where auroraml does not know them: new ones come with minor
/// versions.
async fn parameters(aws: &Aws, graph: &Graph, plan: &Plan) -> Findings {
    let mut findings = Findings::default();
    for step in plan.work().filter(|step| step.id.kind == "parameter_group") {
        let Some(family) = graph.resources.get(&step.id).and_then(|r| r.props["family"].as_str()) else {
            continue;
        };
        let known: BTreeSet<&str> = aws.scope.engine.parameters.of(family).collect();
        let set = step.changes.iter().filter(|change| change.to != To::Value(Value::Null));
        let unknown: Vec<&str> = set
            .filter_map(|change| change.path.strip_prefix("parameters."))
            .filter(|name| !known.contains(name) && !aws.scope.engine.role_parameters().contains(name))
            .collect();
        if unknown.is_empty() {
            continue;
        }
        let Some(offered) = findings.take("the names of parameters", offered(aws, family).await) else {
            continue;
        };
        for name in unknown {
            let why = match offered.get(name) {
                Some(true) => continue,
                Some(false) => format!("AWS does not let anyone change it in {family}"),
                None => format!("AWS has no such parameter in {family}"),
            };
            let hint = "correct its name or remove the line; `auroraml validate` guesses what was meant";
            findings.problem(format!("aurora.parameters.{name}"), why, hint);
        }
    }
    findings
}

/// The parameters that a cluster group of this family has, and whether each can be changed. AWS lists the
/// cluster-level ones; the instance-level ones, which such a group has as well, it lists elsewhere (fact book,
/// section 1.2).
async fn offered(aws: &Aws, family: &str) -> Result<BTreeMap<String, bool>, Failure> {
    let mut all = BTreeMap::new();
    for operation in ["DescribeEngineDefaultParameters", "DescribeEngineDefaultClusterParameters"] {
        let mut marker: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let defaults = if operation.contains("Cluster") {
                let request = aws.rds.describe_engine_default_cluster_parameters();
                let request = request.db_parameter_group_family(family).set_marker(marker);
                request.send().await.during(operation)?.engine_defaults
            } else {
                let request = aws.rds.describe_engine_default_parameters();
                let request = request.db_parameter_group_family(family).set_marker(marker);
                request.send().await.during(operation)?.engine_defaults
            };
            let Some(defaults) = defaults else { break };
            let listed = defaults.parameters.unwrap_or_default().into_iter();
            all.extend(listed.filter_map(|p| Some((p.parameter_name?, p.is_modifiable.unwrap_or(true)))));
            marker = defaults.marker.filter(|marker| !marker.is_empty());
            if marker.is_none() {
                break;
            }
        }
    }
    Ok(all)
}

/// Many `ml.*` quotas are zero in a new account (fact book, section 4.6).
async fn machine_learning(aws: &Aws, graph: &Graph, created: &[&Step]) -> Findings {
    let mut findings = Findings::default();
    let mut needed: BTreeMap<String, i32> = BTreeMap::new();
    for (_, config) in properties::<endpoint_config::Props>(graph, created, "endpoint_config") {
        if let Some(instance) = config.instance {
            *needed.entry(format!("{instance} for endpoint usage")).or_default() += config.count.unwrap_or(1);
        }
    }
    for (_, notebook) in properties::<notebook::Props>(graph, created, "notebook") {
        *needed.entry(format!("{} for notebook instance usage", notebook.instance)).or_default() += 1;
    }
    if needed.is_empty() {
        return findings;
    }
    let pages =
        aws.servicequotas.list_service_quotas().service_code("sagemaker").into_paginator().items().send();
    let answer = pages.collect::<Result<Vec<_>, _>>().await.during("ListServiceQuotas");
    let Some(quotas) = findings.take("SageMaker's quotas", answer) else { return findings };
    for (name, count) in needed {
        let quota = quotas.iter().find(|quota| quota.quota_name() == Some(&name));
        let Some(value) = quota.and_then(|quota| quota.value()) else { continue };
        if f64::from(count) > value {
            let code = quota.and_then(|quota| quota.quota_code()).unwrap_or_default();
            findings.problem(
                format!("SageMaker quota \"{name}\""),
                format!("it is {value} in {}, and {count} are needed", aws.place.region),
                format!("raise the quota {code} in Service Quotas, or choose another instance"),
            );
        }
    }
    findings
}

/// An endpoint whose model archive is missing fails after minutes.
async fn artifacts(aws: &Aws, graph: &Graph, created: &[&Step]) -> Findings {
    let mut findings = Findings::default();
    for (id, model) in properties::<model::Props>(graph, created, "model") {
        let Some((bucket, key)) = model
            .artifact
            .as_deref()
            .and_then(|uri| uri.strip_prefix("s3://"))
            .and_then(|path| path.split_once('/'))
        else {
            continue;
        };
        let answer = aws.s3.head_object().bucket(bucket).key(key).send().await.during("HeadObject");
        match answer {
            Err(failure) if failure.is(Class::NotFound) => findings.problem(
                id,
                format!("there is no s3://{bucket}/{key}"),
                "upload the model archive, or correct `artifact`",
            ),
            answer => drop(findings.take(&format!("the artifact of {id}"), answer)),
        }
    }
    findings
}
