//! Simulated Service Quotas: AWS's default for everybody, and what is applied to this account.

use crate::account::ACCOUNT;
use crate::call::Call;
use crate::wire::{Fault, Reply};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The quotas of one region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ServiceQuotas {
    /// Applied values that differ from the sandbox's own, by `service/code` or `service/name`
    /// (`sagemaker/ml.m5.large for endpoint usage`).
    pub overrides: BTreeMap<String, f64>,
}

struct Quota {
    service: &'static str,
    code: String,
    name: String,
    /// AWS's default for everybody.
    default: f64,
    /// What the sandbox's account has, unless overridden.
    applied: f64,
}

/// Service, code, name, default. The values of the network, the roles and the parameter groups: fact book,
/// sections 1.2, 1.8, 3 and 5.4; other codes and values are from memory and stand for no source.
const FIXED: &[(&str, &str, &str, f64)] = &[
    ("vpc", "L-F678F1CE", "VPCs per Region", 5.0),
    ("vpc", "L-A4707A72", "Internet gateways per Region", 5.0),
    ("vpc", "L-FE5A380F", "NAT gateways per Availability Zone", 5.0),
    ("vpc", "L-407747CB", "Subnets per VPC", 200.0),
    ("vpc", "L-E79EC296", "VPC security groups per Region", 2500.0),
    ("vpc", "L-0EA8095F", "Inbound or outbound rules per security group", 60.0),
    ("vpc", "L-2AFB9258", "Security groups per network interface", 5.0),
    ("vpc", "L-29B6F2EB", "Interface VPC endpoints per VPC", 50.0),
    ("vpc", "L-1B52E74A", "Gateway VPC endpoints per Region", 20.0),
    ("vpc", "L-DF5E4CA3", "Network interfaces per Region", 5000.0),
    ("ec2", "L-0263D0A3", "EC2-VPC Elastic IPs", 5.0),
    ("rds", "L-952B80B8", "DB clusters", 40.0),
    ("rds", "L-7B6409FD", "DB instances", 40.0),
    ("rds", "L-E4C808A8", "DB cluster parameter groups", 50.0),
    ("rds", "L-DE55804A", "Parameter groups", 50.0),
    ("rds", "L-48C6BF61", "DB subnet groups", 50.0),
    ("rds", "L-E094F43D", "IAM roles per DB cluster", 5.0),
    ("rds", "L-9B510759", "Manual DB cluster snapshots", 100.0),
    ("iam", "L-FE177D64", "Roles per account", 1000.0),
    ("iam", "L-0DA4ABF3", "Managed policies per role", 10.0),
    ("iam", "L-E95E4862", "Customer managed policies per account", 1500.0),
    ("s3", "L-DC2B2D3D", "General purpose buckets", 10_000.0),
];

/// Quotas of SageMaker that count instances of a type: type, codes for endpoints and notebooks (as ListServiceQuotas
/// gave them to others: gruntwork-io/terraform-aws-utilities, docs/quotas.md), then default and applied value for
/// endpoints, notebooks and training jobs. In a young account nearly all defaults are 0 (fact book, section 4.6).
type PerType = (&'static str, [&'static str; 2], [f64; 2], [f64; 2], [f64; 2]);
const SAGEMAKER: &[PerType] = &[
    ("ml.t2.medium", ["L-29C181D7", "L-7B2FD69B"], [2.0, 2.0], [0.0, 20.0], [0.0, 0.0]),
    ("ml.t3.medium", ["", "L-E17566B7"], [0.0, 0.0], [2.0, 20.0], [0.0, 20.0]),
    ("ml.t3.large", ["", "L-8E454C05"], [0.0, 0.0], [0.0, 20.0], [0.0, 20.0]),
    ("ml.t3.xlarge", ["", "L-E5884D25"], [0.0, 0.0], [0.0, 20.0], [0.0, 20.0]),
    ("ml.m4.xlarge", ["L-97CF11BE", "L-E1249695"], [0.0, 4.0], [0.0, 8.0], [0.0, 8.0]),
    ("ml.m5.large", ["L-614B09FD", ""], [0.0, 4.0], [0.0, 8.0], [0.0, 8.0]),
    ("ml.m5.xlarge", ["L-2F737F8D", "L-76AB2C05"], [0.0, 4.0], [0.0, 8.0], [0.0, 8.0]),
    ("ml.m5.2xlarge", ["L-C88C8F13", "L-95E39457"], [0.0, 2.0], [0.0, 4.0], [0.0, 4.0]),
    ("ml.m5.4xlarge", ["L-E2649D46", "L-862C1E14"], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]),
    ("ml.m6g.large", ["L-C1E62DF0", ""], [2.0, 4.0], [0.0, 0.0], [0.0, 0.0]),
    ("ml.m6g.xlarge", ["L-2D2AAC6C", ""], [1.0, 2.0], [0.0, 0.0], [0.0, 0.0]),
    ("ml.c5.large", ["L-4D27DFDD", ""], [0.0, 4.0], [0.0, 0.0], [0.0, 0.0]),
    ("ml.c5.xlarge", ["L-E9EE5599", "L-39F5FD98"], [0.0, 4.0], [0.0, 4.0], [0.0, 4.0]),
    ("ml.g4dn.xlarge", ["L-B67CFA0C", "L-D8B97089"], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]),
    ("ml.g5.xlarge", ["L-1928E07B", "L-E8917BB7"], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]),
];

/// Codes of the quotas of training and spot training jobs by type: gruntwork-io/terraform-aws-utilities,
/// modules/request-quota-increase.
const TRAINING: &[(&str, [&str; 2])] = &[
    ("ml.t3.large", ["L-B95AAE44", "L-4C7F99A0"]),
    ("ml.t3.xlarge", ["L-823DAB46", "L-8CD1FE93"]),
    ("ml.m4.xlarge", ["L-A373146E", "L-2ECAA15F"]),
    ("ml.m5.large", ["L-611FA074", "L-29688C85"]),
    ("ml.m5.xlarge", ["L-CCE2AFA6", "L-4CEE6BA6"]),
    ("ml.m5.2xlarge", ["L-AD0A282D", "L-4A823FAB"]),
    ("ml.m5.4xlarge", ["L-AFB011B4", "L-2A6ACFF7"]),
    ("ml.c5.xlarge", ["L-E2BB44FE", "L-6FA0D387"]),
    ("ml.g4dn.xlarge", ["L-3F53BF0F", "L-944F78BB"]),
    ("ml.g5.xlarge", ["L-B6D80D9C", "L-DE07CBDF"]),
];

fn quotas() -> impl Iterator<Item = Quota> {
    let fixed = FIXED.iter().map(|(service, code, name, value)| Quota {
        service,
        code: code.to_string(),
        name: name.to_string(),
        default: *value,
        applied: *value,
    });
    let per_type =
        SAGEMAKER.iter().flat_map(|(kind, [endpoint_code, notebook_code], endpoint, notebook, training)| {
            let name = |usage: &str| format!("{kind} for {usage}");
            let codes = TRAINING.iter().find(|(known, _)| known == kind);
            let [job_code, spot_code] = codes.map_or(["", ""], |(_, codes)| *codes);
            [
                coded(endpoint_code, name("endpoint usage"), endpoint),
                coded(notebook_code, name("notebook instance usage"), notebook),
                coded(job_code, name("training job usage"), training),
                coded(spot_code, name("spot training job usage"), training),
            ]
        });
    let totals = [
        total("L-04CE2E67", "Total number of notebook instances", 4.0, 20.0),
        total("L-7A3DF611", "Number of instances across active endpoints", 4.0, 20.0),
        sagemaker(
            "Maximum total concurrency that can be allocated across all serverless endpoints".into(),
            10.0,
            200.0,
        ),
        sagemaker("Maximum number of serverless endpoints".into(), 5.0, 50.0),
    ];
    fixed.chain(per_type.flatten()).chain(totals)
}

/// A quota of SageMaker under its own code, if AWS has it: no code, no quota.
fn coded(code: &str, name: String, [default, applied]: &[f64; 2]) -> Option<Quota> {
    let quota = sagemaker(name, *default, *applied);
    (!code.is_empty()).then(|| Quota { code: code.to_string(), ..quota })
}

/// A quota of SageMaker whose code others keep in public, as ListServiceQuotas gave it to them.
fn total(code: &str, name: &str, default: f64, applied: f64) -> Quota {
    Quota { code: code.into(), ..sagemaker(name.into(), default, applied) }
}

/// A quota of SageMaker whose code nobody here knows: AWS publishes no list of them, and this one is the sandbox's
/// own, made from the name.
fn sagemaker(name: String, default: f64, applied: f64) -> Quota {
    let digest = Sha256::digest(name.as_bytes());
    let code = digest.iter().take(4).map(|byte| format!("{byte:02X}")).collect::<String>();
    Quota { service: "sagemaker", code: format!("L-{code}"), name, default, applied }
}

impl ServiceQuotas {
    /// The applied value of a quota, found by code or by name; `None` if the sandbox has no such quota.
    pub fn value(&self, service: &str, code_or_name: &str) -> Option<f64> {
        let quota = quotas().find(|quota| {
            quota.service == service && (quota.code == code_or_name || quota.name == code_or_name)
        })?;
        Some(self.applied(&quota))
    }

    fn applied(&self, quota: &Quota) -> f64 {
        let by = |key: &str| self.overrides.get(&format!("{}/{key}", quota.service)).copied();
        by(&quota.code).or_else(|| by(&quota.name)).unwrap_or(quota.applied)
    }
}

pub(crate) fn handle(call: &Call, servicequotas: &ServiceQuotas) -> Reply {
    let applied = |quota: &Quota| servicequotas.applied(quota);
    let default = |quota: &Quota| quota.default;
    match call.operation.as_str() {
        "GetServiceQuota" => one(call, applied),
        "GetAWSDefaultServiceQuota" => one(call, default),
        "ListServiceQuotas" => list(call, applied),
        "ListAWSDefaultServiceQuotas" => list(call, default),
        "ListServices" => {
            let services: Vec<Value> =
                NAMES.iter().map(|(code, name)| json!({"ServiceCode": code, "ServiceName": name})).collect();
            Ok(json!({"Services": services}).into())
        }
        _ => Err(call.unknown()),
    }
}

const NAMES: &[(&str, &str)] = &[
    ("vpc", "Amazon Virtual Private Cloud (Amazon VPC)"),
    ("ec2", "Amazon Elastic Compute Cloud (Amazon EC2)"),
    ("rds", "Amazon Relational Database Service (Amazon RDS)"),
    ("iam", "AWS Identity and Access Management (IAM)"),
    ("s3", "Amazon Simple Storage Service (Amazon S3)"),
    ("sagemaker", "Amazon SageMaker"),
];

fn need<'a>(call: &'a Call, member: &str) -> Result<&'a str, Fault> {
    call.json.get(member).and_then(Value::as_str).filter(|text| !text.is_empty()).ok_or_else(|| {
        Fault::bad("IllegalArgumentException", format!("The request must contain the parameter {member}"))
    })
}

fn one(call: &Call, value: impl Fn(&Quota) -> f64) -> Reply {
    let (service, code) = (need(call, "ServiceCode")?, need(call, "QuotaCode")?);
    match quotas().find(|quota| quota.service == service && quota.code == code) {
        Some(quota) => Ok(json!({"Quota": shown(call, &quota, value(&quota))}).into()),
        None => Err(Fault::bad(
            "NoSuchResourceException",
            "The request failed because the specified service or quota does not exist.",
        )),
    }
}

/// The token of a page is the number of quotas shown so far: the list never changes.
fn list(call: &Call, value: impl Fn(&Quota) -> f64) -> Reply {
    let service = need(call, "ServiceCode")?;
    if !NAMES.iter().any(|(code, _)| *code == service) {
        return Err(Fault::bad(
            "NoSuchResourceException",
            format!("The request failed because the specified service does not exist: {service}"),
        ));
    }
    let size = match call.json.get("MaxResults") {
        None | Some(Value::Null) => 100,
        Some(size) => size
            .as_u64()
            .filter(|size| (1..=100).contains(size))
            .ok_or_else(|| Fault::bad("IllegalArgumentException", "MaxResults must be between 1 and 100"))?,
    } as usize;
    let start = match call.json.get("NextToken").and_then(Value::as_str) {
        None => 0,
        Some(token) => token
            .parse::<usize>()
            .map_err(|_| Fault::bad("InvalidPaginationTokenException", "Invalid token was used."))?,
    };
    let found: Vec<Quota> = quotas().filter(|quota| quota.service == service).collect();
    let page: Vec<Value> =
        found.iter().skip(start).take(size).map(|quota| shown(call, quota, value(quota))).collect();
    let end = start.saturating_add(size);
    let mut answer = json!({"Quotas": page});
    if end < found.len() {
        answer["NextToken"] = json!(end.to_string());
    }
    Ok(answer.into())
}

fn shown(call: &Call, quota: &Quota, value: f64) -> Value {
    let global = quota.service == "iam" || quota.service == "s3";
    let name = NAMES.iter().find(|(code, _)| *code == quota.service).map_or("", |(_, name)| name);
    let region = if global { "" } else { call.region.as_str() };
    json!({
        "ServiceCode": quota.service,
        "ServiceName": name,
        "QuotaArn": format!("arn:aws:servicequotas:{region}:{ACCOUNT}:{}/{}", quota.service, quota.code),
        "QuotaCode": quota.code,
        "QuotaName": quota.name,
        "Value": value,
        "Unit": "None",
        "Adjustable": true,
        "GlobalQuota": global,
    })
}
