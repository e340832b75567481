//! KMS, Secrets Manager and CloudWatch Logs.

use super::{document, dropped};
use crate::cloudformation::work::{Outcome, Query, Step, Work, text};
use crate::wire::Fault;
use serde_json::{Map, Value, json};

fn body(work: &Work<'_>, members: &[&str]) -> Map<String, Value> {
    let given = members.iter().filter(|name| !work.wanted[**name].is_null());
    given.map(|name| ((*name).to_string(), work.wanted[*name].clone())).collect()
}

/// KMS has names of its own for the parts of a tag.
fn tags(work: &Work<'_>, key: &str, value: &str) -> Value {
    work.tags().into_iter().map(|tag| json!({key: tag.0, value: tag.1})).collect()
}

pub(super) fn create(work: &mut Work<'_>) -> Outcome {
    match (work.resource.kind.as_str(), work.stage) {
        ("AWS::KMS::Key", 0) => {
            let mut request = body(work, &["Description", "KeySpec", "KeyUsage", "MultiRegion"]);
            request.extend(document(work, "KeyPolicy").map(|policy| ("Policy".into(), json!(policy))));
            request.insert("Tags".into(), tags(work, "TagKey", "TagValue"));
            let answer = work.json("kms", "CreateKey", &request.into())?;
            let about = &answer["KeyMetadata"];
            work.resource.physical = text(&about["KeyId"]).unwrap_or_default();
            let id = work.resource.physical.clone();
            work.set("KeyId", id);
            work.set("Arn", text(&about["Arn"]).unwrap_or_default());
            Ok(Step::Next)
        }
        ("AWS::KMS::Key", _) => key_switches(work),
        ("AWS::KMS::Alias", _) => {
            let request = body(work, &["AliasName", "TargetKeyId"]);
            work.json("kms", "CreateAlias", &request.into())?;
            work.resource.physical = work.need("AliasName");
            Ok(Step::Done)
        }
        ("AWS::SecretsManager::Secret", 0) => {
            let mut request = body(work, &["Description", "KmsKeyId"]);
            let name = work.property("Name").unwrap_or_else(|| work.name.clone());
            request.insert("Name".into(), json!(name));
            request.extend(secret_text(work)?.map(|secret| ("SecretString".into(), json!(secret))));
            request.insert("Tags".into(), tags(work, "Key", "Value"));
            let answer = work.json("secretsmanager", "CreateSecret", &request.into())?;
            work.resource.physical = text(&answer["ARN"]).unwrap_or_default();
            let arn = work.resource.physical.clone();
            work.set("Id", arn);
            Ok(Step::Done)
        }
        ("AWS::SecretsManager::SecretTargetAttachment", _) => attach(work),
        ("AWS::Logs::LogGroup", 0) => {
            let name = work.property("LogGroupName").unwrap_or_else(|| work.name.clone());
            work.json("logs", "CreateLogGroup", &json!({"logGroupName": name}))?;
            work.resource.physical.clone_from(&name);
            let arn = format!("arn:aws:logs:{}:{}:log-group:{name}:*", work.region, crate::account::ACCOUNT);
            work.set("Arn", arn);
            Ok(Step::Next)
        }
        ("AWS::Logs::LogGroup", _) => retention(work),
        _ => Err(super::unknown(work)),
    }
}

fn key_switches(work: &mut Work<'_>) -> Outcome {
    let id = json!({"KeyId": work.resource.physical});
    if work.is_changed("EnableKeyRotation") {
        let rotates = work.property("EnableKeyRotation").as_deref() == Some("true");
        if rotates || work.before["EnableKeyRotation"] == true {
            let operation = if rotates { "EnableKeyRotation" } else { "DisableKeyRotation" };
            work.json("kms", operation, &id)?;
        }
    }
    if work.is_changed("Enabled") {
        let operation =
            if work.property("Enabled").as_deref() == Some("false") { "DisableKey" } else { "EnableKey" };
        work.json("kms", operation, &id)?;
    }
    Ok(Step::Done)
}

/// What the secret is to hold: as it is given, or made up.
fn secret_text(work: &mut Work<'_>) -> Result<Option<String>, Fault> {
    let how = work.wanted["GenerateSecretString"].clone();
    let Some(how) = how.as_object() else { return Ok(work.property("SecretString")) };
    let mut request = Map::new();
    for (name, value) in how {
        match name.as_str() {
            "GenerateStringKey" | "SecretStringTemplate" => {}
            "PasswordLength" => {
                let length = text(value).and_then(|text| text.parse::<u64>().ok());
                request.insert(name.clone(), json!(length));
            }
            "ExcludeCharacters" => {
                request.insert(name.clone(), json!(text(value)));
            }
            _ => {
                request.insert(name.clone(), json!(text(value).as_deref() == Some("true")));
            }
        }
    }
    let answer = work.json("secretsmanager", "GetRandomPassword", &request.into())?;
    let password = answer["RandomPassword"].clone();
    let template = how.get("SecretStringTemplate").and_then(text);
    let (Some(template), Some(key)) = (template, how.get("GenerateStringKey").and_then(text)) else {
        return Ok(text(&password));
    };
    let mut secret: Value = serde_json::from_str(&template)
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| Fault::bad("InvalidRequest", "SecretStringTemplate must be a JSON object"))?;
    secret[key] = password;
    Ok(Some(secret.to_string()))
}

fn current(work: &mut Work<'_>, id: &str) -> Result<Value, Fault> {
    let answer = work.json("secretsmanager", "GetSecretValue", &json!({"SecretId": id}))?;
    let value = answer["SecretString"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    value
        .filter(Value::is_object)
        .ok_or_else(|| Fault::bad("InvalidRequest", "The secret must hold a JSON object to be attached"))
}

/// The members that an attachment writes (AWS::SecretsManager::SecretTargetAttachment).
const CONNECTION: &[&str] =
    &["dbClusterIdentifier", "dbInstanceIdentifier", "dbname", "engine", "host", "port"];

fn attach(work: &mut Work<'_>) -> Outcome {
    let (secret, target, kind) = (work.need("SecretId"), work.need("TargetId"), work.need("TargetType"));
    let (operation, identifier, path) = match kind.as_str() {
        "AWS::RDS::DBInstance" => ("DescribeDBInstances", "DBInstanceIdentifier", "DBInstances/DBInstance"),
        "AWS::RDS::DBCluster" => ("DescribeDBClusters", "DBClusterIdentifier", "DBClusters/DBCluster"),
        other => {
            let text = format!("The sandbox does not model the target type {other}.");
            return Err(Fault::bad("InvalidRequest", text));
        }
    };
    let found = work.query("rds", operation, Query::new(&[(identifier, &target)]).0)?;
    let get = |name: &str| found.text(&format!("{path}/{name}"));
    let mut value = current(work, &secret)?;
    value["engine"] = json!("mysql");
    let (host, port, own) = match kind.as_str() {
        "AWS::RDS::DBInstance" => (get("Endpoint/Address"), get("Endpoint/Port"), "dbInstanceIdentifier"),
        _ => (get("Endpoint"), get("Port"), "dbClusterIdentifier"),
    };
    value["host"] = json!(host);
    value["port"] = json!(port.parse::<u64>().unwrap_or_default());
    value[own] = json!(get(identifier));
    let database = if kind == "AWS::RDS::DBInstance" { get("DBName") } else { get("DatabaseName") };
    if !database.is_empty() {
        value["dbname"] = json!(database);
    }
    put(work, &secret, &value)?;
    work.resource.physical.clone_from(&secret);
    work.set("Id", secret);
    Ok(Step::Done)
}

fn put(work: &mut Work<'_>, secret: &str, value: &Value) -> Result<(), Fault> {
    let request = json!({"SecretId": secret, "SecretString": value.to_string()});
    work.json("secretsmanager", "PutSecretValue", &request).map(|_| ())
}

fn retention(work: &mut Work<'_>) -> Outcome {
    let name = work.resource.physical.clone();
    let days = work.property("RetentionInDays").and_then(|days| days.parse::<u64>().ok());
    match days {
        Some(days) => {
            let request = json!({"logGroupName": name, "retentionInDays": days});
            work.json("logs", "PutRetentionPolicy", &request)?;
        }
        None if !work.before["RetentionInDays"].is_null() => {
            work.json("logs", "DeleteRetentionPolicy", &json!({"logGroupName": name}))?;
        }
        None => {}
    }
    Ok(Step::Done)
}

pub(super) fn update(work: &mut Work<'_>) -> Outcome {
    let id = work.resource.physical.clone();
    match work.resource.kind.as_str() {
        "AWS::KMS::Key" => {
            if work.is_changed("Description") {
                let request = json!({"KeyId": id, "Description": work.need("Description")});
                work.json("kms", "UpdateKeyDescription", &request)?;
            }
            if let Some(policy) = document(work, "KeyPolicy").filter(|_| work.is_changed("KeyPolicy")) {
                work.json("kms", "PutKeyPolicy", &json!({"KeyId": id, "Policy": policy}))?;
            }
            let wanted = tags(work, "TagKey", "TagValue");
            if !work.tags().is_empty() {
                work.json("kms", "TagResource", &json!({"KeyId": id, "Tags": wanted}))?;
            }
            let gone = dropped(work);
            if !gone.is_empty() {
                work.json("kms", "UntagResource", &json!({"KeyId": id, "TagKeys": gone}))?;
            }
            key_switches(work)
        }
        "AWS::KMS::Alias" => {
            let request = body(work, &["AliasName", "TargetKeyId"]);
            work.json("kms", "UpdateAlias", &request.into())?;
            Ok(Step::Done)
        }
        "AWS::SecretsManager::Secret" => {
            let mut request = body(work, &["Description", "KmsKeyId"]);
            request.insert("SecretId".into(), json!(id));
            // Another way of making it up makes up another one ("GenerateSecretString", "Update requires").
            if work.is_changed("GenerateSecretString") || work.is_changed("SecretString") {
                request.extend(secret_text(work)?.map(|secret| ("SecretString".into(), json!(secret))));
            }
            work.json("secretsmanager", "UpdateSecret", &request.into())?;
            let wanted = tags(work, "Key", "Value");
            if !work.tags().is_empty() {
                work.json("secretsmanager", "TagResource", &json!({"SecretId": id, "Tags": wanted}))?;
            }
            let gone = dropped(work);
            if !gone.is_empty() {
                work.json("secretsmanager", "UntagResource", &json!({"SecretId": id, "TagKeys": gone}))?;
            }
            Ok(Step::Done)
        }
        "AWS::SecretsManager::SecretTargetAttachment" => attach(work),
        "AWS::Logs::LogGroup" => retention(work),
        _ => Err(super::unknown(work)),
    }
}

pub(super) fn delete(work: &mut Work<'_>) -> Outcome {
    let id = work.resource.physical.clone();
    match work.resource.kind.as_str() {
        "AWS::KMS::Key" => {
            let days = text(&work.resource.properties["PendingWindowInDays"]);
            let days = days.and_then(|days| days.parse::<u64>().ok()).unwrap_or(30);
            let request = json!({"KeyId": id, "PendingWindowInDays": days});
            match work.json("kms", "ScheduleKeyDeletion", &request) {
                // Somebody did it already.
                Err(fault) if fault.code == "KMSInvalidStateException" => {}
                other => drop(other?),
            }
        }
        "AWS::KMS::Alias" => drop(work.json("kms", "DeleteAlias", &json!({"AliasName": id}))?),
        "AWS::SecretsManager::Secret" => {
            // CloudFormation deletes it without a recovery window; there is no property for one (fact book on
            // CloudFormation, "Writing a template").
            let request = json!({"SecretId": id, "ForceDeleteWithoutRecovery": true});
            work.json("secretsmanager", "DeleteSecret", &request)?;
        }
        "AWS::SecretsManager::SecretTargetAttachment" => {
            let mut value = current(work, &id)?;
            if let Some(members) = value.as_object_mut() {
                members.retain(|name, _| !CONNECTION.contains(&name.as_str()));
            }
            put(work, &id, &value)?;
        }
        "AWS::Logs::LogGroup" => {
            work.json("logs", "DeleteLogGroup", &json!({"logGroupName": id}))?;
        }
        _ => return Err(super::unknown(work)),
    }
    Ok(Step::Done)
}
