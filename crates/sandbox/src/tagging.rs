//! Simulated Resource Groups Tagging API: everything of a region that has tags, in one list that is late.
//!
//! Members, limits and errors: botocore's model of `resourcegroupstaggingapi`. That the list is behind what the services
//! themselves say is in no document with a figure; "tagged or previously tagged resources" (GetResources) is what says
//! that deleted ones show. The delays are assumed.

use crate::account::ACCOUNT;
use crate::call::Call;
use crate::wire::{Fault, Reply};
use crate::world::{Global, Region};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How late what is new shows, and how long what is gone still does. Assumed.
const NEW_MS: u64 = 20_000;
const GONE_MS: u64 = 300_000;

type Tags = BTreeMap<String, String>;

/// What the list knows, from the first time that somebody asks for it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tagging {
    listed: Option<BTreeMap<String, Listed>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Listed {
    /// Pairs, and no map: a world is searched for objects by the tags that they have.
    tags: Vec<(String, String)>,
    shows_from: u64,
    shows_until: Option<u64>,
}

impl Tagging {
    /// Takes note of what there is now.
    pub(crate) fn note(&mut self, there: BTreeMap<String, Tags>, now: u64) {
        let is_first = self.listed.is_none();
        let listed = self.listed.get_or_insert_default();
        listed.retain(|_, known| known.shows_until.is_none_or(|until| now < until));
        for (arn, known) in listed.iter_mut() {
            if !there.contains_key(arn) {
                known.shows_until.get_or_insert(now + GONE_MS);
            }
        }
        for (arn, tags) in there {
            let tags: Vec<(String, String)> = tags.into_iter().collect();
            let shows_from = if is_first { now } else { now + NEW_MS };
            match listed.get_mut(&arn) {
                Some(known) => {
                    known.shows_until = None;
                    known.tags = tags;
                }
                None => {
                    listed.insert(arn, Listed { tags, shows_from, shows_until: None });
                }
            }
        }
    }

    /// Whether anybody has asked for the list yet.
    pub(crate) fn is_kept(&self) -> bool {
        self.listed.is_some()
    }
}

/// Everything of the region that has tags, by ARN. IAM's roles are not among them ("Supported resource types", IAM).
pub(crate) fn there(name: &str, region: &Region, global: &Global) -> BTreeMap<String, Tags> {
    let arn = |service: &str, resource: String| format!("arn:aws:{service}:{name}:{ACCOUNT}:{resource}");
    let ec2 = region.ec2.tagged().into_iter();
    let ec2 = ec2.map(|(kind, id, tags)| (arn("ec2", format!("{kind}/{id}")), tags));
    let rds = region.rds.tagged().into_iter();
    let rds = rds.map(|(kind, id, tags)| (arn("rds", format!("{kind}:{id}")), tags));
    let models = region.sagemaker.tags.clone().into_iter();
    let secrets = region.secretsmanager.tagged().into_iter();
    let buckets = global.s3.buckets.iter().filter(|(_, bucket)| bucket.region == name);
    let buckets = buckets.map(|(name, bucket)| (format!("arn:aws:s3:::{name}"), bucket.tags.clone()));
    let alarms = region.cloudwatch.alarms.iter();
    let alarms = alarms.map(|(alarm, about)| {
        (crate::cloudwatch::arn(name, alarm), about.tags.iter().cloned().collect::<Tags>())
    });
    let all = ec2.chain(rds).chain(models).chain(secrets).chain(buckets).chain(alarms);
    all.filter(|(_, tags)| !tags.is_empty()).collect()
}

pub(crate) fn handle(call: &Call, tagging: &mut Tagging, there: BTreeMap<String, Tags>) -> Reply {
    match call.operation.as_str() {
        "GetResources" => {
            tagging.note(there, call.now);
            resources(call, tagging)
        }
        _ => Err(call.unknown()),
    }
}

fn invalid(text: impl Into<String>) -> Fault {
    Fault::bad("InvalidParameterException", text)
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn resources(call: &Call, tagging: &Tagging) -> Reply {
    let filters = call.json["TagFilters"].as_array().cloned().unwrap_or_default();
    if filters.len() > 50 {
        return Err(invalid("A request can include up to 50 keys"));
    }
    let types = call.json["ResourceTypeFilters"].clone();
    let types = texts(&types);
    let size = match call.json.get("ResourcesPerPage").filter(|size| !size.is_null()) {
        None => 50,
        Some(size) => match size.as_u64() {
            Some(size @ 1..=100) => usize::try_from(size).unwrap_or(100),
            _ => return Err(invalid("ResourcesPerPage must be from 1 to 100")),
        },
    };
    let token = call.json["PaginationToken"].as_str().unwrap_or_default();
    let from = match token {
        "" => 0,
        token => token.parse().map_err(|_| invalid("The specified pagination token is not valid"))?,
    };
    let has = |tags: &[(String, String)], filter: &Value| {
        let values = texts(&filter["Values"]);
        tags.iter().any(|(key, value)| {
            filter["Key"] == key.as_str() && (values.is_empty() || values.contains(&value.as_str()))
        })
    };
    let found: Vec<(&String, &Listed)> = tagging
        .listed
        .iter()
        .flatten()
        .filter(|(_, known)| known.shows_from <= call.now)
        .filter(|(_, known)| filters.iter().all(|filter| has(&known.tags, filter)))
        .filter(|(arn, _)| types.is_empty() || types.iter().any(|wanted| is_of(arn, wanted)))
        .collect();
    let page = found.iter().skip(from).take(size).map(|(arn, known)| {
        let tags = known.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value}));
        json!({"ResourceARN": arn, "Tags": tags.collect::<Vec<_>>()})
    });
    let page: Vec<Value> = page.collect();
    let next = if from + size < found.len() { (from + size).to_string() } else { String::new() };
    Ok(json!({"ResourceTagMappingList": page, "PaginationToken": next}).into())
}

/// Whether an ARN is of a type such as `rds` or `rds:cluster`.
fn is_of(arn: &str, wanted: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let (service, resource) = (parts.get(2).unwrap_or(&""), parts.get(5).unwrap_or(&""));
    let kind = resource.split([':', '/']).next().unwrap_or_default();
    match wanted.split_once(':') {
        None => wanted == *service,
        Some((of, "")) => of == *service,
        Some((of, name)) => of == *service && (name == kind || of == "s3"),
    }
}
