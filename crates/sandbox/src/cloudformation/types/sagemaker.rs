//! SageMaker: notebook instances, lifecycle configurations, models, endpoint configurations and endpoints.

use super::dropped;
use crate::cloudformation::work::{Outcome, Step, Work, text};
use crate::wire::Fault;
use serde_json::{Map, Value, json};

/// What each is called, and the members that its creation takes: all properties but the name and the tags.
struct Named {
    create: &'static str,
    name: &'static str,
    arn: &'static str,
    delete: &'static str,
}

fn named(kind: &str) -> Named {
    let (create, name, arn, delete) = match kind {
        "AWS::SageMaker::NotebookInstance" => (
            "CreateNotebookInstance",
            "NotebookInstanceName",
            "NotebookInstanceArn",
            "DeleteNotebookInstance",
        ),
        "AWS::SageMaker::NotebookInstanceLifecycleConfig" => (
            "CreateNotebookInstanceLifecycleConfig",
            "NotebookInstanceLifecycleConfigName",
            "NotebookInstanceLifecycleConfigArn",
            "DeleteNotebookInstanceLifecycleConfig",
        ),
        "AWS::SageMaker::Model" => ("CreateModel", "ModelName", "ModelArn", "DeleteModel"),
        "AWS::SageMaker::EndpointConfig" => {
            ("CreateEndpointConfig", "EndpointConfigName", "EndpointConfigArn", "DeleteEndpointConfig")
        }
        _ => ("CreateEndpoint", "EndpointName", "EndpointArn", "DeleteEndpoint"),
    };
    Named { create, name, arn, delete }
}

/// Numbers and flags may come as texts from a template; the service wants them as what they are.
fn typed(name: &str, value: &Value) -> Value {
    match value {
        Value::Object(map) if name == "Environment" => {
            map.iter().map(|(name, value)| (name.clone(), json!(text(value)))).collect::<Map<_, _>>().into()
        }
        Value::Object(map) => {
            map.iter().map(|(name, value)| (name.clone(), typed(name, value))).collect::<Map<_, _>>().into()
        }
        Value::Array(all) => all.iter().map(|one| typed(name, one)).collect(),
        Value::String(word) => match name {
            "InitialInstanceCount"
            | "VolumeSizeInGB"
            | "MemorySizeInMB"
            | "MaxConcurrency"
            | "InitialSamplingPercentage" => word.parse::<u64>().map_or_else(|_| value.clone(), Value::from),
            "InitialVariantWeight" => word.parse::<f64>().map_or_else(|_| value.clone(), Value::from),
            "EnableNetworkIsolation"
            | "EnableCapture"
            | "RetainAllVariantProperties"
            | "RetainDeploymentConfig" => word.parse::<bool>().map_or_else(|_| value.clone(), Value::from),
            _ => value.clone(),
        },
        // One type of metadata version is a text to the service.
        Value::Number(_) if name == "MinimumInstanceMetadataServiceVersion" => json!(value.to_string()),
        other => other.clone(),
    }
}

/// The members of a request: properties that have another name in the API, or are no member of it, are not among them.
fn body(work: &Work<'_>, leave: &[&str]) -> Map<String, Value> {
    let given = work.wanted.as_object().into_iter().flatten();
    given
        .filter(|(name, _)| *name != "Tags" && !leave.contains(&name.as_str()))
        .map(|(name, value)| {
            let member = match (work.resource.kind.as_str(), name.as_str()) {
                ("AWS::SageMaker::NotebookInstance", "LifecycleConfigName") => "LifecycleConfigName",
                (_, name) => name,
            };
            (member.to_string(), typed(name, value))
        })
        .collect()
}

pub(super) fn create(work: &mut Work<'_>) -> Outcome {
    let named = named(&work.resource.kind);
    if work.stage == 0 {
        let name = work.property(named.name).unwrap_or_else(|| work.name.clone());
        let leave =
            ["ExcludeRetainedVariantProperties", "RetainAllVariantProperties", "RetainDeploymentConfig"];
        let mut request = body(work, &leave);
        request.insert(named.name.into(), json!(name));
        let tags: Vec<Value> =
            work.tags().into_iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
        request.insert("Tags".into(), json!(tags));
        let answer = work.json("sagemaker", named.create, &request.into())?;
        // What Ref gives is the ARN of all of them.
        work.resource.physical = text(&answer[named.arn]).unwrap_or_default();
        work.set(named.name, name);
        return Ok(Step::Next);
    }
    wait(work)
}

fn wait(work: &mut Work<'_>) -> Outcome {
    let (operation, name, status, good) = match work.resource.kind.as_str() {
        "AWS::SageMaker::NotebookInstance" => {
            ("DescribeNotebookInstance", "NotebookInstanceName", "NotebookInstanceStatus", "InService")
        }
        "AWS::SageMaker::Endpoint" => ("DescribeEndpoint", "EndpointName", "EndpointStatus", "InService"),
        "AWS::SageMaker::EndpointConfig" => {
            let request = json!({"EndpointConfigName": work.attribute("EndpointConfigName")});
            work.json("sagemaker", "DescribeEndpointConfig", &request)?;
            return Ok(Step::Done);
        }
        _ => return Ok(Step::Done),
    };
    let answer = work.json("sagemaker", operation, &json!({name: work.attribute(name)}))?;
    match answer[status].as_str().unwrap_or_default() {
        now if now == good => Ok(Step::Done),
        "Failed" | "UpdateRollbackFailed" => {
            let why = text(&answer["FailureReason"]).unwrap_or_default();
            Err(Fault::bad("NotStabilized", format!("{} failed: {why}", work.resource.physical)))
        }
        _ => Ok(Step::Later),
    }
}

fn retag(work: &mut Work<'_>) -> Result<(), Fault> {
    let arn = work.resource.physical.clone();
    let tags: Vec<Value> =
        work.tags().into_iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    if !tags.is_empty() {
        work.json("sagemaker", "AddTags", &json!({"ResourceArn": arn, "Tags": tags}))?;
    }
    let gone = dropped(work);
    if !gone.is_empty() {
        work.json("sagemaker", "DeleteTags", &json!({"ResourceArn": arn, "TagKeys": gone}))?;
    }
    Ok(())
}

pub(super) fn update(work: &mut Work<'_>) -> Outcome {
    if work.stage == 0 {
        retag(work)?;
        return Ok(Step::Next);
    }
    match work.resource.kind.as_str() {
        "AWS::SageMaker::NotebookInstance" => update_notebook(work),
        "AWS::SageMaker::NotebookInstanceLifecycleConfig" => {
            let mut request = body(work, &["NotebookInstanceLifecycleConfigName"]);
            let name = work.attribute("NotebookInstanceLifecycleConfigName");
            for hook in ["OnCreate", "OnStart"] {
                request.entry(hook).or_insert_with(|| json!([]));
            }
            request.insert("NotebookInstanceLifecycleConfigName".into(), json!(name));
            work.json("sagemaker", "UpdateNotebookInstanceLifecycleConfig", &request.into())?;
            Ok(Step::Done)
        }
        "AWS::SageMaker::Endpoint" => update_endpoint(work),
        _ => Ok(Step::Done),
    }
}

fn update_endpoint(work: &mut Work<'_>) -> Outcome {
    if !work.is_changed("EndpointConfigName") {
        return Ok(Step::Done);
    }
    if work.stage == 1 {
        let mut request = body(work, &["EndpointName"]);
        request.insert("EndpointName".into(), json!(work.attribute("EndpointName")));
        work.json("sagemaker", "UpdateEndpoint", &request.into())?;
        return Ok(Step::Pause);
    }
    let done = wait(work)?;
    if done == Step::Done {
        // SageMaker rolls back by itself, and says so nowhere but here.
        let request = json!({"EndpointName": work.attribute("EndpointName")});
        let answer = work.json("sagemaker", "DescribeEndpoint", &request)?;
        if answer["EndpointConfigName"] != work.wanted["EndpointConfigName"] {
            let why = text(&answer["FailureReason"]).unwrap_or_default();
            return Err(Fault::bad(
                "NotStabilized",
                format!("The update of the endpoint was rolled back: {why}"),
            ));
        }
    }
    Ok(done)
}

/// "Stop, update, start" (AWS::SageMaker::NotebookInstance, "Update requires: Some interruptions").
fn update_notebook(work: &mut Work<'_>) -> Outcome {
    let name = json!({"NotebookInstanceName": work.attribute("NotebookInstanceName")});
    let changed = work.wanted.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let all = changed.chain(work.before.as_object().into_iter().flatten().map(|(name, _)| name.as_str()));
    if !all.filter(|name| *name != "Tags").any(|name| work.is_changed(name)) {
        return Ok(Step::Done);
    }
    let status = |work: &mut Work<'_>| -> Result<String, Fault> {
        let answer = work.json("sagemaker", "DescribeNotebookInstance", &name)?;
        Ok(text(&answer["NotebookInstanceStatus"]).unwrap_or_default())
    };
    match work.stage {
        1 => {
            if status(work)? == "InService" {
                work.json("sagemaker", "StopNotebookInstance", &name)?;
            }
            Ok(Step::Next)
        }
        2 | 4 => Ok(if status(work)? == "Stopped" { Step::Next } else { Step::Later }),
        3 => {
            let fixed =
                ["DirectInternetAccess", "KmsKeyId", "NotebookInstanceName", "SecurityGroupIds", "SubnetId"];
            let mut request = body(work, &fixed);
            if work.wanted["LifecycleConfigName"].is_null() && !work.before["LifecycleConfigName"].is_null() {
                request.insert("DisassociateLifecycleConfig".into(), json!(true));
            }
            request.insert("NotebookInstanceName".into(), name["NotebookInstanceName"].clone());
            work.json("sagemaker", "UpdateNotebookInstance", &request.into())?;
            Ok(Step::Next)
        }
        5 => {
            work.json("sagemaker", "StartNotebookInstance", &name)?;
            Ok(Step::Pause)
        }
        _ => match wait(work)? {
            // "Start sometimes does not take": it is asked for again.
            Step::Later if status(work)? == "Stopped" => {
                work.json("sagemaker", "StartNotebookInstance", &name)?;
                Ok(Step::Later)
            }
            other => Ok(other),
        },
    }
}

pub(super) fn delete(work: &mut Work<'_>) -> Outcome {
    let named = named(&work.resource.kind);
    let attribute = work.attribute(named.name);
    // An object that was taken in has its name at the end of the ARN.
    let own = work.resource.physical.rsplit('/').next().unwrap_or_default().to_string();
    let name = json!({named.name: if attribute.is_empty() { own } else { attribute }});
    match (work.resource.kind.as_str(), work.stage) {
        ("AWS::SageMaker::NotebookInstance", 0) => {
            let answer = work.json("sagemaker", "DescribeNotebookInstance", &name)?;
            match answer["NotebookInstanceStatus"].as_str().unwrap_or_default() {
                "InService" => {
                    work.json("sagemaker", "StopNotebookInstance", &name)?;
                    Ok(Step::Later)
                }
                "Stopped" | "Failed" => Ok(Step::Next),
                _ => Ok(Step::Later),
            }
        }
        ("AWS::SageMaker::NotebookInstance", 1) | ("AWS::SageMaker::Endpoint", 0) => {
            work.json("sagemaker", named.delete, &name)?;
            Ok(Step::Next)
        }
        ("AWS::SageMaker::NotebookInstance", _) => {
            work.json("sagemaker", "DescribeNotebookInstance", &name)?;
            Ok(Step::Later)
        }
        ("AWS::SageMaker::Endpoint", _) => {
            work.json("sagemaker", "DescribeEndpoint", &name)?;
            Ok(Step::Later)
        }
        _ => {
            work.json("sagemaker", named.delete, &name)?;
            Ok(Step::Done)
        }
    }
}
