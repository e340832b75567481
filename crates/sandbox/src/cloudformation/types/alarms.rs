//! CloudWatch.

use super::dropped;
use crate::cloudformation::work::{Outcome, Step, Work, text};
use crate::wire::Fault;
use serde_json::{Map, Value, json};

const NUMBERS: &[&str] = &["DatapointsToAlarm", "EvaluationPeriods", "Period", "Threshold"];

/// What PutMetricAlarm is sent: the properties have its members' names, and numbers and flags may be texts.
fn request(work: &Work<'_>, name: &str) -> Result<Value, Fault> {
    let mut request = Map::new();
    for (property, value) in work.wanted.as_object().into_iter().flatten() {
        let plain = text(value);
        let value = match (property.as_str(), plain) {
            ("Tags", _) => continue,
            ("ActionsEnabled", Some(flag)) => json!(flag == "true"),
            (name, Some(number)) if NUMBERS.contains(&name) => {
                let wrong =
                    || Fault::bad("ValidationError", format!("{name} must be a number, not {number}"));
                match number.parse::<u64>() {
                    Ok(whole) => json!(whole),
                    Err(_) => json!(number.parse::<f64>().map_err(|_| wrong())?),
                }
            }
            _ => value.clone(),
        };
        request.insert(property.clone(), value);
    }
    request.insert("AlarmName".into(), json!(name));
    Ok(request.into())
}

fn tags(work: &Work<'_>) -> Value {
    work.tags().into_iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

pub(super) fn create(work: &mut Work<'_>) -> Outcome {
    let name = work.property("AlarmName").unwrap_or_else(|| work.name.clone());
    // What is there already would be changed by the same request, so the handler looks first.
    let found = work.json("monitoring", "DescribeAlarms", &json!({"AlarmNames": [name]}))?;
    if found["MetricAlarms"].as_array().is_some_and(|alarms| !alarms.is_empty()) {
        return Err(Fault::bad("AlreadyExistsException", format!("{name} already exists")));
    }
    let mut request = request(work, &name)?;
    request["Tags"] = tags(work);
    work.json("monitoring", "PutMetricAlarm", &request)?;
    let arn = crate::cloudwatch::arn(work.region, &name);
    work.resource.physical = name;
    work.set("Arn", arn);
    Ok(Step::Done)
}

pub(super) fn update(work: &mut Work<'_>) -> Outcome {
    let name = work.resource.physical.clone();
    let request = request(work, &name)?;
    work.json("monitoring", "PutMetricAlarm", &request)?;
    let (arn, wanted, gone) = (work.attribute("Arn"), tags(work), dropped(work));
    if !work.tags().is_empty() {
        work.json("monitoring", "TagResource", &json!({"ResourceARN": arn, "Tags": wanted}))?;
    }
    if !gone.is_empty() {
        work.json("monitoring", "UntagResource", &json!({"ResourceARN": arn, "TagKeys": gone}))?;
    }
    Ok(Step::Done)
}

pub(super) fn delete(work: &mut Work<'_>) -> Outcome {
    let name = work.resource.physical.clone();
    work.json("monitoring", "DeleteAlarms", &json!({"AlarmNames": [name]}))?;
    Ok(Step::Done)
}
