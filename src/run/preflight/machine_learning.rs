//! Quotas of SageMaker.

use super::{Check, Findings, PAGES_MAX, raise};
use crate::aws::{Aws, During, Failure};
use crate::kinds::absent_ok;
use auroraml_core::base::Id;
use auroraml_core::kinds::{endpoint_config, notebook, training_job, tuning_job};
use auroraml_core::model::Code;
use aws_sdk_servicequotas::types::ServiceQuota;
use futures_util::future::join_all;
use std::collections::BTreeMap;

/// Many `ml.*` quotas are zero in a new account (fact book, section 4.6).
pub(super) async fn instances(of: Check<'_>) -> Findings {
    let aws = of.aws;
    let mut findings = Findings::default();
    let mut needed: BTreeMap<(String, Usage), i32> = BTreeMap::new();
    let configs = of.created::<endpoint_config::Props>("endpoint_config");
    let serving = join_all(configs.iter().map(|(_, config)| serving(of, &config.endpoint))).await;
    for ((_, config), serving) in configs.into_iter().zip(serving) {
        let what = format!("the instances behind {}", config.endpoint);
        let serving = findings.take(&what, serving).unwrap_or_default();
        let added = config.instance.map(|instance| (instance, config.count.unwrap_or(1)));
        for (instance, count) in serving.into_iter().chain(added) {
            *needed.entry((instance, Usage::Endpoint)).or_default() += count;
        }
    }
    for (_, notebook) in of.created::<notebook::Props>("notebook") {
        *needed.entry((notebook.instance, Usage::Notebook)).or_default() += 1;
    }
    for (_, job) in of.created::<training_job::Props>("training_job") {
        *needed.entry((job.instance, Usage::training(job.spot))).or_default() += 1;
    }
    for (_, job) in of.created::<tuning_job::Props>("tuning_job") {
        *needed.entry((job.training.instance, Usage::training(job.training.spot))).or_default() +=
            job.parallel;
    }
    // What an old fleet alone takes it has.
    needed.retain(|(instance, usage), _| *usage != Usage::Endpoint || adds(of, instance));
    let answers = needed.into_iter().map(|((instance, usage), count)| async move {
        let name = format!("{instance} for {} usage", usage.name());
        let answer = match usage.code(&instance) {
            Some(code) => {
                sagemaker_quota(aws, &name, code).await.map(|value| value.map(|value| (value, code)))
            }
            None => Err(Failure::refused("GetServiceQuota", "auroraml does not know its code")),
        };
        (usage.quota(), name, count, answer)
    });
    for (code_of_it, name, count, answer) in join_all(answers).await {
        let what = format!("SageMaker quota \"{name}\"");
        let Some(Some((value, code))) = findings.take(&format!("the {what}"), answer) else { continue };
        if f64::from(count) > value {
            findings.problem(
                code_of_it,
                what,
                format!("it is {value} in {}, and this stack needs {count}", aws.place.region),
                format!("raise the quota {code} in Service Quotas, or choose another instance"),
            );
        }
    }
    findings
}

/// Types and numbers of the instances that serve an endpoint which moves to another configuration: both fleets run until
/// the new one is healthy (fact book, section 4.4). What a configuration is no plan asks (docs/decisions/0005).
async fn serving(of: Check<'_>, endpoint: &str) -> Result<Vec<(String, i32)>, Failure> {
    let live = of.observed.get(&Id::new("endpoint", endpoint)).filter(|live| !live.state.is_leaving());
    let Some(config) = live.and_then(|live| live.props["config"].as_str()) else { return Ok(Vec::new()) };
    let request = of.aws.sagemaker.describe_endpoint_config().endpoint_config_name(config);
    let found = absent_ok(request.send().await.during("DescribeEndpointConfig"))?;
    let variants = found.and_then(|found| found.production_variants).unwrap_or_default().into_iter();
    let fleet = variants.filter_map(|variant| {
        Some((variant.instance_type?.as_str().to_string(), variant.initial_instance_count.unwrap_or(1)))
    });
    Ok(fleet.collect())
}

/// Whether the plan adds instances of this type to an endpoint.
fn adds(of: Check<'_>, instance: &str) -> bool {
    let added = of.created::<endpoint_config::Props>("endpoint_config");
    added.iter().any(|(_, config)| config.instance.as_deref() == Some(instance))
}

/// Names and codes of the quotas that count all instances together, whatever their type, as ListServiceQuotas gives them
/// to others who keep them in public.
const NOTEBOOKS: (&str, &str) = ("Total number of notebook instances", "L-04CE2E67");
const ENDPOINT_INSTANCES: (&str, &str) = ("Number of instances across active endpoints", "L-7A3DF611");

/// The quotas that count whatever the type is.
pub(super) async fn totals(of: Check<'_>) -> Findings {
    let mut findings = Findings::default();
    let notebooks = of.creates("notebook").count();
    let configs = of.created::<endpoint_config::Props>("endpoint_config");
    let fleet: i32 =
        configs.iter().filter(|(_, c)| c.instance.is_some()).map(|(_, c)| c.count.unwrap_or(1)).sum();
    let there = async {
        if notebooks == 0 {
            return Ok(None);
        }
        let listing = async {
            let mut pages =
                of.aws.sagemaker.list_notebook_instances().max_results(100).into_paginator().send();
            let mut count = 0;
            for _ in 0..PAGES_MAX {
                let Some(page) = pages.next().await else { break };
                count += page.during("ListNotebookInstances")?.notebook_instances().len();
            }
            Ok::<_, Failure>(count)
        };
        let (name, code) = NOTEBOOKS;
        tokio::try_join!(listing, sagemaker_quota(of.aws, name, code)).map(Some)
    };
    let most = async {
        let (name, code) = ENDPOINT_INSTANCES;
        if fleet == 0 { Ok(None) } else { sagemaker_quota(of.aws, name, code).await }
    };
    let (there, most) = tokio::join!(there, most);
    let what = |name: &str| format!("SageMaker quota \"{name}\"");
    if let Some(Some((there, Some(most)))) = findings.take(&format!("the {}", what(NOTEBOOKS.0)), there)
        && (there + notebooks) as f64 > most
    {
        let why =
            format!("{there} in use in {}, {notebooks} more needed, and the quota is {most}", of.region());
        findings.problem(Code::NotebookTotalQuota, what(NOTEBOOKS.0), why, raise(NOTEBOOKS.1));
    }
    if let Some(Some(most)) = findings.take(&format!("the {}", what(ENDPOINT_INSTANCES.0)), most)
        && f64::from(fleet) > most
    {
        let why = format!("it is {most} in {}, and this stack needs {fleet}", of.region());
        findings.problem(
            Code::EndpointTotalQuota,
            what(ENDPOINT_INSTANCES.0),
            why,
            raise(ENDPOINT_INSTANCES.1),
        );
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

    fn quota(self) -> Code {
        match self {
            Usage::Endpoint => Code::EndpointInstanceQuota,
            Usage::Notebook => Code::NotebookInstanceQuota,
            Usage::Training => Code::TrainingInstanceQuota,
            Usage::SpotTraining => Code::SpotInstanceQuota,
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
