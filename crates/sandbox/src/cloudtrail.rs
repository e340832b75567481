//! Simulated CloudTrail: the event history of management events, as LookupEvents shows it.
//!
//! Shapes: botocore's `cloudtrail` model of 2013-11-01. What it says of itself (AWS CloudTrail User Guide, "Working with
//! CloudTrail event history"): management events of the last 90 days, of one region; those of IAM are in us-east-1. An
//! event shows "on average about 5 minutes" after the call, at times after 15. Data events, such as PutObject and
//! statements of the Data API, are not there. Here neither are events that only read.

use crate::account::ACCOUNT;
use crate::call::Call;
use crate::random::Random;
use crate::sts::user_arn;
use crate::wire::{Fault, Reply};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Events that a region keeps; AWS keeps all of 90 days.
const EVENTS_MAX: usize = 2_000;
const HISTORY_MS: u64 = 90 * 24 * 3_600_000;

/// The events of one region, the oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CloudTrail {
    events: Vec<Event>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Event {
    id: String,
    at: u64,
    /// When LookupEvents begins to show it.
    shown: u64,
    source: String,
    name: String,
    /// ARN of the caller.
    who: String,
    key: String,
    agent: String,
    code: Option<String>,
    /// Names, ids and ARNs in the request; no other value of it, so that no secret can be here.
    resources: Vec<String>,
}

impl CloudTrail {
    /// Takes note of a request that could change something.
    pub(crate) fn record(&mut self, call: &Call, session: Option<String>, reply: &Reply, random: &Random) {
        if !is_management(call) {
            return;
        }
        // Drawn beside the sequence, which stays what it was.
        let delay = random.clone().duration_within(120.0, 300.0, 700.0, (60.0, 900.0));
        let agent = call.request.header("user-agent").or(call.request.header("x-amz-user-agent"));
        let text = format!("{}{}{}{}", call.now, call.service, call.operation, self.events.len());
        let id: String = Sha256::digest(text).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        self.events.push(Event {
            id,
            at: call.now,
            shown: call.now + delay,
            source: format!("{}.amazonaws.com", call.service),
            name: call.operation.clone(),
            who: session.unwrap_or_else(user_arn),
            key: call.caller.clone(),
            agent: agent.unwrap_or_default().to_string(),
            code: reply.as_ref().err().map(|fault| fault.code.clone()),
            resources: resources(call),
        });
        if self.events.len() > EVENTS_MAX {
            self.events.drain(..EVENTS_MAX / 10);
        }
    }
}

/// Whether it is about a resource itself, and not about what is in it.
fn is_management(call: &Call) -> bool {
    match call.service.as_str() {
        "s3" => call.operation.contains("Bucket") || call.operation.contains("PublicAccessBlock"),
        "rds-data" | "sagemaker-runtime" | "comprehend" | "cloudtrail" | "" => false,
        _ => true,
    }
}

/// What the request names.
fn resources(call: &Call) -> Vec<String> {
    let names = |name: &str| {
        let last = name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        ["Id", "Identifier", "Name", "Arn", "ARN"].iter().any(|end| last.ends_with(end))
    };
    let mut found: Vec<String> = match call.service.as_str() {
        "s3" => {
            let host = call.request.header("host").unwrap_or_default();
            let bucket = host.split_once(".s3.").map(|(bucket, _)| bucket);
            let path = call.request.path.trim_start_matches('/').split('/').next();
            bucket.or(path).filter(|name| !name.is_empty()).map(String::from).into_iter().collect()
        }
        _ => {
            let form = call.params.glance().filter(|(name, _)| names(name));
            let form = form.map(|(_, value)| value.to_string());
            let json = call.json.whole().as_object().into_iter().flatten().filter(|(name, _)| names(name));
            let json = json.filter_map(|(_, value)| value.as_str().map(String::from));
            form.chain(json).collect()
        }
    };
    found.sort();
    found.dedup();
    found
}

pub(crate) fn handle(call: &Call, trail: &CloudTrail) -> Reply {
    match call.operation.as_str() {
        "LookupEvents" => trail.lookup(call),
        _ => Err(call.unknown()),
    }
}

fn time(call: &Call, member: &str) -> Result<Option<u64>, Fault> {
    match call.json.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(seconds) => match seconds.as_f64() {
            Some(seconds) if seconds >= 0.0 => Ok(Some((seconds * 1000.0) as u64)),
            _ => Err(Fault::bad("SerializationException", format!("{member} is no time"))),
        },
    }
}

impl CloudTrail {
    fn lookup(&self, call: &Call) -> Reply {
        let attributes = call.json.get("LookupAttributes").and_then(Value::as_array);
        let attribute = match attributes.map(Vec::as_slice) {
            None | Some([]) => None,
            Some([one]) => Some((
                one["AttributeKey"].as_str().unwrap_or_default(),
                one["AttributeValue"].as_str().unwrap_or_default(),
            )),
            // "Currently the list can contain only one item" (API reference).
            Some(_) => {
                return Err(Fault::bad(
                    "InvalidLookupAttributesException",
                    "You can only specify one attribute.",
                ));
            }
        };
        let size = match call.json.get("MaxResults") {
            None | Some(Value::Null) => 50,
            Some(size) => size.as_u64().filter(|size| (1..=50).contains(size)).ok_or_else(|| {
                Fault::bad("InvalidMaxResultsException", "MaxResults must be between 1 and 50")
            })?,
        } as usize;
        let (start, end) = (time(call, "StartTime")?, time(call, "EndTime")?);
        if start.zip(end).is_some_and(|(start, end)| start > end) {
            return Err(Fault::bad("InvalidTimeRangeException", "The start time is after the end time."));
        }
        let start = start.unwrap_or_default().max(call.now.saturating_sub(HISTORY_MS));
        // The token is the id of the last event shown: what shows meanwhile shifts nothing.
        let after = call.json.get("NextToken").and_then(Value::as_str);
        let is = |event: &&Event| {
            let (key, value) = attribute.unwrap_or_default();
            let fits = match key {
                "" => true,
                "EventId" => event.id == value,
                "EventName" => event.name == value,
                "ReadOnly" => value == "false",
                "Username" => event.user() == value,
                "ResourceName" => event.resources.iter().any(|name| name == value),
                "EventSource" => event.source == value,
                "AccessKeyId" => event.key == value,
                _ => false,
            };
            fits && call.now >= event.shown && event.at >= start && end.is_none_or(|end| event.at <= end)
        };
        if let Some((key, _)) = attribute
            && !["EventId", "EventName", "ReadOnly", "Username", "ResourceName", "EventSource", "AccessKeyId"]
                .contains(&key)
        {
            // ResourceType is one of AWS's that the sandbox does not record.
            let text = format!("The sandbox does not model lookups by {key}.");
            return Err(Fault::bad("InvalidLookupAttributesException", text));
        }
        let all: Vec<&Event> = self.events.iter().rev().filter(is).collect();
        let from = match after {
            None => 0,
            Some(token) => match all.iter().position(|event| event.id == token) {
                Some(at) => at + 1,
                None => return Err(Fault::bad("InvalidNextTokenException", "Invalid NextToken.")),
            },
        };
        let page: Vec<&Event> = all.iter().skip(from).take(size).copied().collect();
        let mut answer = json!({ "Events": page.iter().map(|event| event.shown(call)).collect::<Vec<_>>() });
        if let Some(last) = page.last().filter(|_| all.len() > from + page.len()) {
            answer["NextToken"] = json!(last.id);
        }
        Ok(answer.into())
    }
}

impl Event {
    fn user(&self) -> &str {
        self.who.rsplit('/').next().unwrap_or_default()
    }

    fn shown(&self, call: &Call) -> Value {
        let time = jiff::Timestamp::from_millisecond(i64::try_from(self.at).unwrap_or_default());
        let time = time.unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let kind = if self.who.contains(":assumed-role/") { "AssumedRole" } else { "IAMUser" };
        let mut record = json!({
            "eventVersion": "1.11",
            "userIdentity": { "type": kind, "arn": self.who, "accountId": ACCOUNT, "accessKeyId": self.key },
            "eventTime": time,
            "eventSource": self.source,
            "eventName": self.name,
            "awsRegion": call.region,
            "userAgent": self.agent,
            "eventID": self.id,
            "readOnly": false,
            "eventType": "AwsApiCall",
            "managementEvent": true,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
        });
        if let Some(code) = &self.code {
            record["errorCode"] = json!(code);
        }
        let resources = self.resources.iter().map(|name| json!({ "ResourceName": name })).collect::<Vec<_>>();
        json!({
            "EventId": self.id,
            "EventName": self.name,
            "ReadOnly": "false",
            "AccessKeyId": self.key,
            "EventTime": self.at as f64 / 1000.0,
            "EventSource": self.source,
            "Username": self.user(),
            "Resources": resources,
            "CloudTrailEvent": record.to_string(),
        })
    }
}
