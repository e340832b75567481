//! Simulated CloudWatch: alarms. Nothing is measured here, so an alarm stays at `INSUFFICIENT_DATA`, where AWS starts it.
//!
//! Members, limits and errors: botocore's model of `cloudwatch`, whose first protocol that botocore speaks is JSON 1.0 in
//! the compatibility mode of query (`x-amzn-query-mode`). Which members go together: API Reference, "PutMetricAlarm".

use crate::account::ACCOUNT;
use crate::call::Call;
use crate::wire::{Fault, Reply};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The alarms of one region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CloudWatch {
    /// By name.
    pub alarms: BTreeMap<String, Alarm>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Alarm {
    /// Milliseconds since the Unix epoch.
    pub created: u64,
    pub updated: u64,
    /// What PutMetricAlarm said, as DescribeAlarms tells it.
    pub settings: Value,
    /// Pairs, and no map: a world is searched for objects by the tags that they have.
    pub tags: Vec<(String, String)>,
}

/// What is kept of a request, beside name and tags.
const SETTINGS: &[&str] = &[
    "ActionsEnabled",
    "AlarmActions",
    "AlarmDescription",
    "ComparisonOperator",
    "DatapointsToAlarm",
    "Dimensions",
    "EvaluateLowSampleCountPercentile",
    "EvaluationPeriods",
    "ExtendedStatistic",
    "InsufficientDataActions",
    "MetricName",
    "Metrics",
    "Namespace",
    "OKActions",
    "Period",
    "Statistic",
    "Threshold",
    "ThresholdMetricId",
    "TreatMissingData",
    "Unit",
];
/// The members of an alarm on one metric, which one on an expression must not have (PutMetricAlarm, `Metrics`).
const OF_ONE_METRIC: &[&str] =
    &["Dimensions", "ExtendedStatistic", "MetricName", "Namespace", "Period", "Statistic", "Unit"];
const OPERATORS: &[&str] = &[
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "GreaterThanUpperThreshold",
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "LessThanOrEqualToThreshold",
    "LessThanThreshold",
];
const STATISTICS: &[&str] = &["Average", "Maximum", "Minimum", "SampleCount", "Sum"];
const MISSING_DATA: &[&str] = &["breaching", "ignore", "missing", "notBreaching"];
/// "CloudWatch service quotas": alarms of a region, dimensions of a metric, and names of a request.
const ALARMS_MAX: usize = 5_000;
const DIMENSIONS_MAX: usize = 30;
const NAMES_MAX: usize = 100;
const TAGS_MAX: usize = 50;

/// The ARN of an alarm.
pub(crate) fn arn(region: &str, name: &str) -> String {
    format!("arn:aws:cloudwatch:{region}:{ACCOUNT}:alarm:{name}")
}

fn invalid(text: impl Into<String>) -> Fault {
    Fault::bad("ValidationError", text)
}

pub(crate) fn handle(call: &Call, own: &mut CloudWatch) -> Reply {
    match call.operation.as_str() {
        "PutMetricAlarm" => own.put(call),
        "DescribeAlarms" => own.describe(call),
        "DeleteAlarms" => own.delete(call),
        "TagResource" => own.tag(call),
        "UntagResource" => own.untag(call),
        "ListTagsForResource" => own.list_tags(call),
        _ => Err(call.unknown()),
    }
}

impl CloudWatch {
    /// Tags of an alarm, for whoever judges a request.
    pub(crate) fn tags_of(&self, name: &str) -> Option<BTreeMap<String, String>> {
        self.alarms.get(name).map(|alarm| alarm.tags.iter().cloned().collect())
    }

    /// Sets tags that nobody else can set.
    pub(crate) fn mark(&mut self, name: &str, tags: &[(String, String)]) {
        if let Some(alarm) = self.alarms.get_mut(name) {
            retagged(&mut alarm.tags, tags.to_vec());
        }
    }

    fn put(&mut self, call: &Call) -> Reply {
        let name = text(call, "AlarmName").filter(|name| (1..=255).contains(&name.chars().count()));
        let name = name.ok_or_else(|| invalid("The value of AlarmName must have 1 to 255 characters"))?;
        let settings = call.json.keep(SETTINGS);
        check(&settings)?;
        let tags = pairs(&call.json["Tags"]);
        if tags.len() > TAGS_MAX {
            return Err(invalid(format!("An alarm can have at most {TAGS_MAX} tags")));
        }
        let is_new = !self.alarms.contains_key(&name);
        if is_new && self.alarms.len() >= ALARMS_MAX {
            return Err(Fault::bad(
                "LimitExceeded",
                format!("The maximum limit of {ALARMS_MAX} alarms was reached"),
            ));
        }
        let alarm = self.alarms.entry(name).or_default();
        alarm.settings = settings;
        alarm.updated = call.now;
        // "If you are using this operation to update an existing alarm, any tags you specify in this parameter are
        // ignored" (PutMetricAlarm, `Tags`).
        if is_new {
            alarm.created = call.now;
            alarm.tags = tags;
        }
        Ok(json!({}).into())
    }

    fn describe(&self, call: &Call) -> Reply {
        let names = texts(&call.json["AlarmNames"]);
        let prefix = text(call, "AlarmNamePrefix");
        if names.len() > NAMES_MAX {
            return Err(invalid(format!("AlarmNames can have at most {NAMES_MAX} members")));
        }
        if !names.is_empty() && prefix.is_some() {
            return Err(Fault::bad(
                "InvalidParameterCombination",
                "AlarmNames and AlarmNamePrefix cannot be specified together",
            ));
        }
        let kinds = texts(&call.json["AlarmTypes"]);
        let state = text(call, "StateValue");
        let action = text(call, "ActionPrefix");
        let limit = match call.json["MaxRecords"].as_u64() {
            None if call.json["MaxRecords"].is_null() => 50,
            Some(limit @ 1..=100) => usize::try_from(limit).unwrap_or(100),
            _ => return Err(invalid("MaxRecords must be from 1 to 100")),
        };
        let after = text(call, "NextToken").unwrap_or_default();
        if !after.is_empty() && !self.alarms.contains_key(&after) {
            return Err(Fault::bad("InvalidNextToken", "The next token is not valid"));
        }
        let acts = |alarm: &Alarm, start: &str| {
            let lists = ["AlarmActions", "InsufficientDataActions", "OKActions"];
            lists.iter().flat_map(|list| texts(&alarm.settings[*list])).any(|one| one.starts_with(start))
        };
        let found: Vec<(&String, &Alarm)> = self
            .alarms
            .iter()
            .filter(|(name, _)| names.is_empty() || names.contains(name))
            .filter(|(name, _)| prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix)))
            .filter(|_| kinds.is_empty() || kinds.iter().any(|kind| kind == "MetricAlarm"))
            .filter(|_| state.as_deref().is_none_or(|state| state == STATE))
            .filter(|(_, alarm)| action.as_ref().is_none_or(|action| acts(alarm, action)))
            .filter(|(name, _)| after.is_empty() || **name > after)
            .collect();
        let shown = found.iter().take(limit).map(|(name, alarm)| shown(&call.region, name, alarm));
        let mut answer = json!({"MetricAlarms": shown.collect::<Vec<_>>(), "CompositeAlarms": []});
        if let (true, Some((last, _))) = (found.len() > limit, found.get(limit - 1)) {
            answer["NextToken"] = json!(last);
        }
        Ok(answer.into())
    }

    /// One name that is not there, and nothing is deleted (DeleteAlarms: "If you specify an alarm that does not exist, no
    /// alarms are deleted" is told of composite ones alone; botocore's model has `ResourceNotFound`).
    fn delete(&mut self, call: &Call) -> Reply {
        let names = texts(&call.json["AlarmNames"]);
        if names.is_empty() || names.len() > NAMES_MAX {
            return Err(invalid(format!("AlarmNames must have 1 to {NAMES_MAX} members")));
        }
        if let Some(other) = names.iter().find(|name| !self.alarms.contains_key(*name)) {
            return Err(Fault::new(404, "ResourceNotFound", format!("Alarm {other} does not exist")));
        }
        self.alarms.retain(|name, _| !names.contains(name));
        Ok(json!({}).into())
    }

    fn by_arn(&mut self, call: &Call) -> Result<&mut Alarm, Fault> {
        let given = text(call, "ResourceARN").unwrap_or_default();
        let name = given.strip_prefix(&arn(&call.region, "")).unwrap_or_default();
        self.alarms.get_mut(name).ok_or_else(|| {
            Fault::new(404, "ResourceNotFoundException", format!("The resource {given} does not exist"))
        })
    }

    fn tag(&mut self, call: &Call) -> Reply {
        let tags = pairs(&call.json["Tags"]);
        if let Some((key, _)) = tags.iter().find(|(key, _)| key.to_lowercase().starts_with("aws:")) {
            return Err(Fault::bad("InvalidParameterValue", format!("The tag key {key} is reserved")));
        }
        retagged(&mut self.by_arn(call)?.tags, tags);
        Ok(json!({}).into())
    }

    fn untag(&mut self, call: &Call) -> Reply {
        let keys = texts(&call.json["TagKeys"]);
        self.by_arn(call)?.tags.retain(|(key, _)| !keys.contains(key));
        Ok(json!({}).into())
    }

    fn list_tags(&mut self, call: &Call) -> Reply {
        let tags = self.by_arn(call)?.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value}));
        Ok(json!({"Tags": tags.collect::<Vec<_>>()}).into())
    }
}

const STATE: &str = "INSUFFICIENT_DATA";

fn shown(region: &str, name: &str, alarm: &Alarm) -> Value {
    let mut shown = alarm.settings.clone();
    let seconds = |ms: u64| json!(ms as f64 / 1_000.0);
    for list in ["AlarmActions", "Dimensions", "InsufficientDataActions", "OKActions"] {
        if shown[list].is_null() {
            shown[list] = json!([]);
        }
    }
    if shown["ActionsEnabled"].is_null() {
        shown["ActionsEnabled"] = json!(true);
    }
    shown["AlarmName"] = json!(name);
    shown["AlarmArn"] = json!(arn(region, name));
    shown["AlarmConfigurationUpdatedTimestamp"] = seconds(alarm.updated);
    shown["StateValue"] = json!(STATE);
    shown["StateReason"] = json!("Unchecked: Initial alarm creation");
    shown["StateUpdatedTimestamp"] = seconds(alarm.created);
    shown["StateTransitionedTimestamp"] = seconds(alarm.created);
    shown
}

/// PutMetricAlarm: which members there must be, and which values they take.
fn check(settings: &Value) -> Result<(), Fault> {
    let missing = |name: &str| {
        Fault::bad("MissingParameter", format!("The request must contain the parameter {name}."))
    };
    let one_of = |name: &str, allowed: &[&str]| match settings[name].as_str() {
        Some(given) if !allowed.contains(&given) => Err(invalid(format!(
            "1 validation error detected: Value '{given}' at '{name}' failed to satisfy constraint: Member must satisfy enum value set: [{}]",
            allowed.join(", ")
        ))),
        _ => Ok(()),
    };
    one_of("ComparisonOperator", OPERATORS)?;
    one_of("Statistic", STATISTICS)?;
    one_of("TreatMissingData", MISSING_DATA)?;
    for name in ["ComparisonOperator", "EvaluationPeriods"] {
        if settings[name].is_null() {
            return Err(missing(name));
        }
    }
    let is_expression = settings["Metrics"].as_array().is_some_and(|metrics| !metrics.is_empty());
    if is_expression {
        if let Some(other) = OF_ONE_METRIC.iter().find(|name| !settings[**name].is_null()) {
            return Err(Fault::bad(
                "InvalidParameterCombination",
                format!("{other} and Metrics cannot be specified together"),
            ));
        }
    } else {
        for name in ["MetricName", "Namespace", "Period"] {
            if settings[name].is_null() {
                return Err(missing(name));
            }
        }
        match (settings["Statistic"].is_null(), settings["ExtendedStatistic"].is_null()) {
            (true, true) => return Err(missing("Statistic")),
            (false, false) => {
                return Err(Fault::bad(
                    "InvalidParameterCombination",
                    "Statistic and ExtendedStatistic cannot be specified together",
                ));
            }
            _ => {}
        }
    }
    if settings["Threshold"].is_null() && settings["ThresholdMetricId"].is_null() {
        return Err(missing("Threshold"));
    }
    if let Some(period) = settings["Period"].as_u64()
        && ![10, 20, 30].contains(&period)
        && (period == 0 || period % 60 != 0)
    {
        return Err(invalid("Period must be 10, 20, 30 or a multiple of 60"));
    }
    let (periods, points) = (settings["EvaluationPeriods"].as_u64(), settings["DatapointsToAlarm"].as_u64());
    if periods == Some(0) || points == Some(0) || points > periods {
        return Err(invalid("DatapointsToAlarm must be from 1 to EvaluationPeriods"));
    }
    let dimensions = settings["Dimensions"].as_array().cloned().unwrap_or_default();
    if dimensions.len() > DIMENSIONS_MAX {
        return Err(invalid(format!("A metric can have at most {DIMENSIONS_MAX} dimensions")));
    }
    let is_good = |one: &Value| ["Name", "Value"].iter().all(|part| one[*part].as_str() > Some(""));
    if !dimensions.iter().all(is_good) {
        return Err(invalid("Each of Dimensions must have a Name and a Value"));
    }
    Ok(())
}

fn text(call: &Call, member: &str) -> Option<String> {
    call.json[member].as_str().filter(|text| !text.is_empty()).map(str::to_string)
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_string).collect()
}

fn pairs(value: &Value) -> Vec<(String, String)> {
    let pair = |tag: &Value| Some((tag["Key"].as_str()?.to_string(), tag["Value"].as_str()?.to_string()));
    value.as_array().into_iter().flatten().filter_map(pair).collect()
}

fn retagged(tags: &mut Vec<(String, String)>, new: Vec<(String, String)>) {
    tags.retain(|(key, _)| !new.iter().any(|(other, _)| other == key));
    tags.extend(new);
}

#[cfg(test)]
mod tests {
    use crate::random::Mood;
    use crate::wire::Request;
    use crate::world::World;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    /// As botocore 1.43 sends it.
    fn ask(world: &mut World, operation: &str, body: &Value) -> (u16, Value, Option<String>) {
        let headers = [
            ("x-amz-target", format!("GraniteServiceVersion20100801.{operation}")),
            ("content-type", "application/x-amz-json-1.0".to_string()),
            ("x-amzn-query-mode", "true".to_string()),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=a/20261122/us-east-1/monitoring/aws4_request, SignedHeaders=host, Signature=0".to_string(),
            ),
        ];
        let request = Request {
            method: "POST".into(),
            path: "/".into(),
            query: String::new(),
            headers: headers
                .into_iter()
                .map(|(name, value)| (name.to_string(), value))
                .collect::<BTreeMap<_, _>>(),
            body: body.to_string().into_bytes(),
        };
        let response = world.answer(&crate::decode::decode(request, 1_000));
        let code = response.headers.iter().find(|(name, _)| name == "x-amzn-query-error");
        (
            response.status,
            serde_json::from_slice(&response.body).unwrap_or_default(),
            code.map(|(_, value)| value.clone()),
        )
    }

    fn latency() -> Value {
        json!({
            "AlarmName": "churn-latency", "MetricName": "ModelLatency", "Namespace": "AWS/SageMaker",
            "Statistic": "Average", "Dimensions": [{"Name": "EndpointName", "Value": "churn"}],
            "Period": 60, "EvaluationPeriods": 3, "Threshold": 250_000.5,
            "ComparisonOperator": "GreaterThanThreshold", "Tags": [{"Key": "team", "Value": "data"}],
        })
    }

    #[test]
    fn an_alarm_lives_and_goes() {
        let mut world = World::new(1, Mood::Calm);
        assert_eq!(ask(&mut world, "PutMetricAlarm", &latency()).0, 200);
        let (_, found, _) = ask(&mut world, "DescribeAlarms", &json!({"AlarmNames": ["churn-latency"]}));
        let alarm = &found["MetricAlarms"][0];
        let arn = alarm["AlarmArn"].as_str().unwrap().to_string();
        assert!(arn.ends_with(":alarm:churn-latency"), "{arn}");
        assert_eq!(
            (&alarm["Threshold"], &alarm["StateValue"]),
            (&json!(250_000.5), &json!("INSUFFICIENT_DATA"))
        );
        // Tags of a second request are passed over.
        let mut again = latency();
        again["Tags"] = json!([{"Key": "team", "Value": "other"}]);
        again["Threshold"] = json!(1);
        assert_eq!(ask(&mut world, "PutMetricAlarm", &again).0, 200);
        let tag = json!({"ResourceARN": arn, "Tags": [{"Key": "more", "Value": "yes"}]});
        assert_eq!(ask(&mut world, "TagResource", &tag).0, 200);
        let (_, tags, _) = ask(&mut world, "ListTagsForResource", &json!({"ResourceARN": arn}));
        assert_eq!(tags["Tags"], json!([{"Key": "team", "Value": "data"}, {"Key": "more", "Value": "yes"}]));
        let untag = json!({"ResourceARN": arn, "TagKeys": ["team"]});
        assert_eq!(ask(&mut world, "UntagResource", &untag).0, 200);
        assert_eq!(ask(&mut world, "DeleteAlarms", &json!({"AlarmNames": ["churn-latency"]})).0, 200);
        let (status, _, code) = ask(&mut world, "DeleteAlarms", &json!({"AlarmNames": ["churn-latency"]}));
        assert_eq!((status, code.as_deref()), (404, Some("ResourceNotFound;Sender")));
        assert_eq!(world.unknown, BTreeMap::new());
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        let mut world = World::new(1, Mood::Calm);
        for (member, value, told) in [
            ("Period", json!(45), "Period must be 10, 20, 30 or a multiple of 60"),
            ("ExtendedStatistic", json!("p99"), "cannot be specified together"),
            ("DatapointsToAlarm", json!(4), "from 1 to EvaluationPeriods"),
            ("ComparisonOperator", json!("Above"), "enum value set"),
            ("Namespace", Value::Null, "parameter Namespace"),
            ("Metrics", json!([{"Id": "a"}]), "and Metrics cannot be specified together"),
            ("EvaluationInterval", json!(10), "The sandbox does not model EvaluationInterval"),
        ] {
            let mut body = latency();
            body[member] = value;
            let (status, answer, _) = ask(&mut world, "PutMetricAlarm", &body);
            let message = answer["message"].as_str().unwrap_or_default();
            assert!(status == 400 && message.contains(told), "{member}: {status} {message}");
        }
        assert!(world.regions["us-east-1"].cloudwatch.alarms.is_empty());
    }

    #[test]
    fn pages_end() {
        let mut world = World::new(1, Mood::Calm);
        for name in ["a", "b", "c"] {
            let mut body = latency();
            body["AlarmName"] = json!(name);
            ask(&mut world, "PutMetricAlarm", &body);
        }
        let (_, first, _) = ask(&mut world, "DescribeAlarms", &json!({"MaxRecords": 2}));
        let next = json!({"MaxRecords": 2, "NextToken": first["NextToken"]});
        let (_, second, _) = ask(&mut world, "DescribeAlarms", &next);
        let names = |page: &Value| -> Vec<String> {
            let alarms = page["MetricAlarms"].as_array().unwrap().iter();
            alarms.map(|alarm| alarm["AlarmName"].as_str().unwrap().to_string()).collect()
        };
        assert_eq!((names(&first), names(&second)), (vec!["a".into(), "b".into()], vec!["c".to_string()]));
        assert!(second["NextToken"].is_null());
    }
}
