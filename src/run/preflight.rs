//! Checks before anything is created: quotas, names of parameters, model artifacts.
//!
//! Each is something that would otherwise be found minutes into an apply, with half a stack standing. A check
//! that may not be made (no permission to read quotas, say) is left out and said in a note; it never stops a
//! plan that AWS might accept.

use crate::aws::{Aws, Class, During, Failure};
use auroraml_core::base::{Input, To};
use auroraml_core::kinds::{autopilot_job, endpoint_config, model, notebook, training_job, tuning_job};
use auroraml_core::model::Preflight;
use auroraml_core::plan::{Plan, Step};
use auroraml_core::resource::{Action, Graph};
use aws_sdk_servicequotas::types::ServiceQuota;
use futures_util::future::join_all;
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
    let created: Vec<&Step> =
        plan.work().filter(|step| matches!(step.action, Action::Create | Action::Run)).collect();
    let (network, parameters, machine_learning, artifacts, rows) = tokio::join!(
        network(aws, &created),
        parameters(aws, graph, plan),
        machine_learning(aws, graph, &created),
        artifacts(aws, graph, &created),
        rows(aws, graph, &created),
    );
    let mut all = Findings::default();
    for findings in [network, parameters, machine_learning, artifacts, rows] {
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
    let mut needed: BTreeMap<(String, Usage), i32> = BTreeMap::new();
    for (_, config) in properties::<endpoint_config::Props>(graph, created, "endpoint_config") {
        if let Some(instance) = config.instance {
            *needed.entry((instance, Usage::Endpoint)).or_default() += config.count.unwrap_or(1);
        }
    }
    for (_, notebook) in properties::<notebook::Props>(graph, created, "notebook") {
        *needed.entry((notebook.instance, Usage::Notebook)).or_default() += 1;
    }
    for (_, job) in properties::<training_job::Props>(graph, created, "training_job") {
        *needed.entry((job.instance, Usage::training(job.spot))).or_default() += 1;
    }
    for (_, job) in properties::<tuning_job::Props>(graph, created, "tuning_job") {
        *needed.entry((job.training.instance, Usage::training(job.training.spot))).or_default() +=
            job.parallel;
    }
    let answers = needed.into_iter().map(|((instance, usage), count)| async move {
        let name = format!("{instance} for {} usage", usage.name());
        let answer = match usage.code(&instance) {
            Some(code) => {
                sagemaker_quota(aws, &name, code).await.map(|value| value.map(|value| (value, code)))
            }
            None => Err(Failure::refused("GetServiceQuota", "its code is not known to auroraml")),
        };
        (name, count, answer)
    });
    for (name, count, answer) in join_all(answers).await {
        let what = format!("SageMaker quota \"{name}\"");
        let Some(Some((value, code))) = findings.take(&format!("the {what}"), answer) else { continue };
        if f64::from(count) > value {
            findings.problem(
                what,
                format!("it is {value} in {}, and {count} are needed", aws.place.region),
                format!("raise the quota {code} in Service Quotas, or choose another instance"),
            );
        }
    }
    findings
}

/// What instances are used for: SageMaker counts them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Usage {
    Endpoint,
    Notebook,
    Training,
    SpotTraining,
}

/// Lines of an instance type and the codes of its quotas. SageMaker has at least 1,600 quotas, which take 17 pages at
/// 10 calls a second to list (fact book, appendix F): what is needed is asked for by its code.
const QUOTA_CODES: &str = include_str!("quotas.txt");
const TRAINING_CODES: &str = include_str!("training_quotas.txt");

impl Usage {
    /// As quotas are named.
    fn name(self) -> &'static str {
        match self {
            Usage::Endpoint => "endpoint",
            Usage::Notebook => "notebook instance",
            Usage::Training => "training job",
            Usage::SpotTraining => "spot training job",
        }
    }

    fn training(spot: bool) -> Usage {
        if spot { Usage::SpotTraining } else { Usage::Training }
    }

    fn code(self, instance: &str) -> Option<&'static str> {
        let codes = match self {
            Usage::Endpoint | Usage::Notebook => QUOTA_CODES,
            Usage::Training | Usage::SpotTraining => TRAINING_CODES,
        };
        let line = codes.lines().find_map(|line| line.strip_prefix(instance)?.strip_prefix(' '))?;
        let (first, second) = line.split_once(' ')?;
        let code = match self {
            Usage::Endpoint | Usage::Training => first,
            Usage::Notebook | Usage::SpotTraining => second,
        };
        (code != "-").then_some(code)
    }
}

/// The value of a quota of SageMaker, if AWS gives it one.
async fn sagemaker_quota(aws: &Aws, name: &str, code: &'static str) -> Result<Option<f64>, Failure> {
    let request = aws.servicequotas.get_service_quota().service_code("sagemaker").quota_code(code);
    let answer = request.send().await.during("GetServiceQuota")?;
    value_of(answer.quota(), name, code)
}

/// The codes are not AWS's own publication: another quota's value would be worse than none.
fn value_of(quota: Option<&ServiceQuota>, name: &str, code: &str) -> Result<Option<f64>, Failure> {
    match quota.and_then(|quota| quota.quota_name()) {
        Some(found) if found != name => {
            Err(Failure::refused("GetServiceQuota", format!("its code {code} is that of \"{found}\"")))
        }
        _ => Ok(quota.and_then(|quota| quota.value())),
    }
}

/// An endpoint whose model archive is missing fails after minutes.
async fn artifacts(aws: &Aws, graph: &Graph, created: &[&Step]) -> Findings {
    let mut findings = Findings::default();
    for (id, model) in properties::<model::Props>(graph, created, "model") {
        let Some((bucket, key)) = model
            .artifact
            .as_ref()
            .and_then(|artifact| match artifact {
                Input::Known(uri) => Some(uri.as_str()),
                // What a job will leave.
                Input::Output { .. } => None,
            })
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

/// A job without rows fails after minutes, which are paid.
async fn rows(aws: &Aws, graph: &Graph, created: &[&Step]) -> Findings {
    let mut findings = Findings::default();
    let mut wanted: BTreeMap<String, String> = BTreeMap::new();
    let mut add = |id: &str, data: &Input, validation: Option<&Input>| {
        for rows in [Some(data), validation].into_iter().flatten() {
            if let Input::Known(uri) = rows {
                wanted.entry(uri.clone()).or_insert_with(|| id.to_string());
            }
        }
    };
    for (id, job) in properties::<training_job::Props>(graph, created, "training_job") {
        add(&id, &job.data, job.validation.as_ref());
    }
    for (id, job) in properties::<tuning_job::Props>(graph, created, "tuning_job") {
        add(&id, &job.training.data, job.training.validation.as_ref());
    }
    for (id, job) in properties::<autopilot_job::Props>(graph, created, "autopilot_job") {
        add(&id, &job.data, job.validation.as_ref());
    }
    let answers = wanted.into_iter().map(|(uri, id)| async move {
        let path = uri.trim_start_matches("s3://");
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        let request = aws.s3.list_objects_v2().bucket(bucket).prefix(prefix).max_keys(1);
        let answer = request.send().await.during("ListObjectsV2");
        (id, answer.map(|page| page.contents().is_empty()), uri)
    });
    for (id, is_empty, uri) in join_all(answers).await {
        let none = match is_empty {
            Ok(none) => none,
            Err(failure) if failure.is(Class::NotFound) => true,
            Err(failure) => {
                findings.take::<()>(&format!("the rows of {id}"), Err(failure));
                continue;
            }
        };
        if none {
            let hint = "upload the rows, or correct `data` and `validation`";
            findings.problem(id, format!("there is nothing under {uri}"), hint);
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_code_of_another_quota_tells_nothing() {
        let quota = ServiceQuota::builder().quota_name("ml.m5.large for endpoint usage").value(4.0).build();
        let found = |name| value_of(Some(&quota), name, "L-1").map_err(|failure| failure.to_string());
        assert_eq!(found("ml.m5.large for endpoint usage"), Ok(Some(4.0)));
        let other = "its code L-1 is that of \"ml.m5.large for endpoint usage\"";
        assert_eq!(found("ml.m5.large for notebook instance usage"), Err(other.to_string()));
        assert_eq!(value_of(None, "ml.m5.large for endpoint usage", "L-1"), Ok(None));
    }

    #[test]
    fn quotas_have_codes_of_their_own() {
        // Seen in others' accounts as well: an audit of a live account, and the answer to a learner's question.
        assert_eq!(Usage::Endpoint.code("ml.m5.large"), Some("L-614B09FD"));
        assert_eq!(Usage::Endpoint.code("ml.g5.xlarge"), Some("L-1928E07B"));
        assert_eq!(Usage::Notebook.code("ml.t3.medium"), Some("L-E17566B7"));
        assert_eq!(Usage::Endpoint.code("ml.t3.medium"), None, "AWS has no such quota");
        assert_eq!(Usage::Endpoint.code("ml.m5"), None, "a beginning is no type");
        assert_eq!(Usage::Training.code("ml.m5.large"), Some("L-611FA074"));
        assert_eq!(Usage::SpotTraining.code("ml.m5.large"), Some("L-29688C85"));
        let mut seen = BTreeSet::new();
        for line in QUOTA_CODES.lines().chain(TRAINING_CODES.lines()).filter(|line| !line.starts_with('#')) {
            let parts: Vec<&str> = line.split(' ').collect();
            assert_eq!(parts.len(), 3, "{line}");
            assert!(parts[0].starts_with("ml."), "{line}");
            for code in parts[1..].iter().filter(|code| **code != "-") {
                let digits = code.strip_prefix("L-").unwrap_or_default();
                assert!(digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_hexdigit()), "{line}");
                assert!(seen.insert(*code), "{code} stands there twice");
            }
        }
        assert_eq!(seen.len(), 458 + 262);
    }
}
