//! Simulated CloudWatch Logs: log groups, which services make by themselves and nobody deletes for them.
//!
//! Members, limits and errors: botocore's model of `logs`. Which groups appear: SageMaker Developer Guide, "CloudWatch
//! Logs for Amazon SageMaker AI" (`/aws/sagemaker/Endpoints/NAME`, `/aws/sagemaker/NotebookInstances`,
//! `/aws/sagemaker/TrainingJobs`). Aurora's (`/aws/rds/cluster/NAME/…`) appear where a cluster exports its logs; what the
//! sandbox's clusters do not, tests put there.

use crate::account::ACCOUNT;
use crate::call::Call;
use crate::wire::{Fault, Reply};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The log groups of one region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Logs {
    /// By name.
    pub groups: BTreeMap<String, Group>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Group {
    /// Milliseconds since the Unix epoch.
    pub created: u64,
    pub bytes: u64,
    pub retention_days: Option<u32>,
}

/// How long after the request the container behind it writes its first line. Assumed.
const FIRST_LINE_MS: u64 = 60_000;

impl Logs {
    /// A service writes into a group, and makes it if need be.
    pub fn written(&mut self, name: impl Into<String>, at: u64) {
        let group = self.groups.entry(name.into()).or_insert(Group { created: at, ..Group::default() });
        group.bytes += 1_024;
    }

    /// What an accepted request to SageMaker has its containers write.
    pub(crate) fn follow(&mut self, call: &Call) {
        let at = call.now + FIRST_LINE_MS;
        match call.operation.as_str() {
            "CreateEndpoint" => {
                let name = call.json["EndpointName"].as_str().unwrap_or_default();
                self.written(format!("/aws/sagemaker/Endpoints/{name}"), at);
            }
            "CreateNotebookInstance" => self.written("/aws/sagemaker/NotebookInstances", at),
            "CreateTrainingJob" | "CreateHyperParameterTuningJob" | "CreateAutoMLJobV2" => {
                self.written("/aws/sagemaker/TrainingJobs", at);
            }
            _ => {}
        }
    }
}

pub(crate) fn handle(call: &Call, logs: &mut Logs) -> Reply {
    match call.operation.as_str() {
        "DescribeLogGroups" => describe(call, logs),
        "CreateLogGroup" => create(call, logs),
        "PutRetentionPolicy" => retain(call, logs),
        "DeleteRetentionPolicy" => retain(call, logs),
        "DeleteLogGroup" => delete(call, logs),
        _ => Err(call.unknown()),
    }
}

fn describe(call: &Call, logs: &Logs) -> Reply {
    let prefix = call.json["logGroupNamePrefix"].as_str().unwrap_or_default();
    let limit = match call.json.get("limit").filter(|limit| !limit.is_null()).map(Value::as_u64) {
        None => 50,
        Some(Some(limit @ 1..=50)) => usize::try_from(limit).unwrap_or(50),
        Some(_) => {
            return Err(Fault::bad(
                "InvalidParameterException",
                "1 validation error detected: Value at 'limit' failed to satisfy constraint: Member must have value less than or equal to 50",
            ));
        }
    };
    let after = call.json["nextToken"].as_str().unwrap_or_default();
    let found: Vec<(&String, &Group)> = logs
        .groups
        .iter()
        .filter(|(name, group)| {
            name.starts_with(prefix) && name.as_str() > after && group.created <= call.now
        })
        .collect();
    let page = found.iter().take(limit).map(|(name, group)| {
        let arn = format!("arn:aws:logs:{}:{ACCOUNT}:log-group:{name}", call.region);
        let mut shown = json!({
            "logGroupName": name, "arn": format!("{arn}:*"), "logGroupArn": arn, "creationTime": group.created,
            "storedBytes": group.bytes, "metricFilterCount": 0, "logGroupClass": "STANDARD",
        });
        if let Some(days) = group.retention_days {
            shown["retentionInDays"] = days.into();
        }
        shown
    });
    let mut answer = json!({"logGroups": page.collect::<Vec<_>>()});
    if let (true, Some((last, _))) = (found.len() > limit, found.get(limit - 1)) {
        answer["nextToken"] = json!(last);
    }
    Ok(answer.into())
}

fn create(call: &Call, logs: &mut Logs) -> Reply {
    let name = call.json["logGroupName"].as_str().unwrap_or_default();
    let legal = |c: char| c.is_ascii_alphanumeric() || "-._/#".contains(c);
    if name.is_empty() || name.len() > 512 || !name.chars().all(legal) {
        return Err(Fault::bad("InvalidParameterException", "The name of the log group is not valid"));
    }
    if logs.groups.contains_key(name) {
        return Err(Fault::bad("ResourceAlreadyExistsException", "The specified log group already exists"));
    }
    logs.groups.insert(name.to_string(), Group { created: call.now, ..Group::default() });
    Ok(json!({}).into())
}

/// The days that PutRetentionPolicy takes, and none for DeleteRetentionPolicy.
fn retain(call: &Call, logs: &mut Logs) -> Reply {
    let days = match call.operation.as_str() {
        "PutRetentionPolicy" => {
            let days = call.json["retentionInDays"].as_u64().and_then(|days| u32::try_from(days).ok());
            let known = days.filter(|days| RETENTIONS.contains(days));
            Some(known.ok_or_else(|| Fault::bad("InvalidParameterException", "Invalid retention value"))?)
        }
        _ => None,
    };
    let name = call.json["logGroupName"].as_str().unwrap_or_default();
    let group = logs.groups.get_mut(name).filter(|group| group.created <= call.now);
    let group = group
        .ok_or_else(|| Fault::bad("ResourceNotFoundException", "The specified log group does not exist."))?;
    group.retention_days = days;
    Ok(json!({}).into())
}

/// PutRetentionPolicy, `retentionInDays`.
const RETENTIONS: &[u32] = &[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

fn delete(call: &Call, logs: &mut Logs) -> Reply {
    let name = call.json["logGroupName"].as_str().unwrap_or_default();
    let is_there = logs.groups.get(name).is_some_and(|group| group.created <= call.now);
    match is_there.then(|| logs.groups.remove(name)) {
        Some(_) => Ok(json!({}).into()),
        None => Err(Fault::bad("ResourceNotFoundException", "The specified log group does not exist.")),
    }
}
