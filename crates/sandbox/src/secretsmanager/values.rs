//! Secrets and their versions: create, read, change, delete, restore.

use super::input::{Answer, invalid_parameter, text};
use super::{
    Content, DAY_MS, Deletion, Hidden, Secret, SecretsManager, VALUE_MAX, Version, managed_by, merge_tags,
    missing, seconds, uuid,
};
use crate::account::ACCOUNT;
use crate::call::Call;
use crate::random::Random;
use crate::wire::Fault;
use serde_json::{Value, json};

/// Versions kept (believed, not in the fact book); beyond, those without a label go first.
const VERSIONS_MAX: usize = 100;
const RECOVERY_DAYS: u64 = 30;

/// What a caller is told whose name is still taken by a deleted secret.
const STILL_LEAVING: &str =
    "You can't create this secret because a secret with this name is already scheduled for deletion.";

impl Secret {
    /// Adds a version and moves the labels to it; the version that was `AWSCURRENT` becomes `AWSPREVIOUS`.
    pub(super) fn put(&mut self, id: String, content: Content, stages: &[String], now: u64) {
        let new = self.versions.entry(id.clone());
        new.or_insert(Version { content, stages: Vec::new(), created: now });
        for stage in stages {
            self.move_stage(stage, &id);
        }
        self.changed = now;
        while self.versions.len() > VERSIONS_MAX {
            let unlabelled = self.versions.iter().filter(|(_, version)| version.stages.is_empty());
            let Some(oldest) =
                unlabelled.min_by_key(|(_, version)| version.created).map(|(id, _)| id.clone())
            else {
                return;
            };
            self.versions.remove(&oldest);
        }
    }

    pub(super) fn move_stage(&mut self, stage: &str, id: &str) {
        let holder = self.staged(stage).map(|(holder, _)| holder.clone());
        if holder.as_deref() == Some(id) {
            return;
        }
        for version in self.versions.values_mut() {
            version.stages.retain(|other| other != stage);
        }
        if let Some(version) = self.versions.get_mut(id) {
            version.stages.push(stage.to_string());
        }
        if let (Some(holder), "AWSCURRENT") = (holder, stage) {
            self.move_stage("AWSPREVIOUS", &holder);
            if let Some(version) = self.versions.get_mut(id) {
                version.stages.retain(|other| other != "AWSPREVIOUS");
            }
        }
    }
}

impl SecretsManager {
    pub(super) fn create(&mut self, call: &Call, random: &mut Random) -> Answer {
        let name = text(call, "Name").ok_or_else(|| missing("name"))?;
        let valid = |c: char| c.is_ascii_alphanumeric() || "-/_+=.@!".contains(c);
        if name.is_empty() || name.len() > 512 || !name.chars().all(valid) {
            return Err(Fault::bad(
                "ValidationException",
                "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
            ));
        }
        let content = content(call)?;
        let token = token(call, random)?;
        if self.leaving.contains_key(name) {
            return Err(Fault::bad("InvalidRequestException", STILL_LEAVING));
        }
        if let Some(present) = self.secrets.get(name) {
            if present.deletion.is_some() {
                return Err(Fault::bad("InvalidRequestException", STILL_LEAVING));
            }
            let same = present.versions.get(&token).map(|version| &version.content);
            if same.is_some() && same == content.as_ref() {
                return Ok(json!({"ARN": present.arn, "Name": name, "VersionId": token}));
            }
            return Err(Fault::bad(
                "ResourceExistsException",
                format!("The operation failed because the secret {name} already exists."),
            ));
        }
        let mut secret = Secret {
            description: text(call, "Description").map(str::to_string),
            kms_key_id: text(call, "KmsKeyId").map(str::to_string),
            tags: merge_tags(&Default::default(), call)?,
            // "ListSecrets lags up to 5 min": fact book, section 6.2.
            listed: call.now + random.duration(1.0, 15.0, 120.0).min(300_000),
            ..Secret::new(name, &call.region, random, call.now)
        };
        let mut answer = json!({"ARN": secret.arn, "Name": name});
        if let Some(content) = content {
            secret.put(token.clone(), content, &["AWSCURRENT".into()], call.now);
            answer["VersionId"] = json!(token);
        }
        self.secrets.insert(name.to_string(), secret);
        Ok(answer)
    }

    pub(super) fn get_value(&mut self, call: &Call) -> Answer {
        let (id, stage) = (text(call, "VersionId"), text(call, "VersionStage"));
        let secret = self.find_live(call)?;
        let found = match id {
            Some(id) => secret
                .versions
                .get_key_value(id)
                .filter(|(_, v)| stage.is_none_or(|stage| v.stages.iter().any(|other| other == stage))),
            None => secret.staged(stage.unwrap_or("AWSCURRENT")),
        };
        let Some((id, version)) = found else {
            let what = match id {
                Some(id) => format!("VersionId: {id}"),
                None => format!("staging label: {}", stage.unwrap_or("AWSCURRENT")),
            };
            return Err(Fault::bad(
                "ResourceNotFoundException",
                format!("Secrets Manager can't find the specified secret value for {what}"),
            ));
        };
        let mut answer = json!({
            "ARN": secret.arn,
            "Name": secret.name,
            "VersionId": id,
            "VersionStages": version.stages,
            "CreatedDate": seconds(version.created),
        });
        match &version.content {
            Content::Text(Hidden(text)) => answer["SecretString"] = json!(text),
            Content::Binary(Hidden(base64)) => answer["SecretBinary"] = json!(base64),
        }
        secret.accessed = Some(call.now - call.now % DAY_MS);
        Ok(answer)
    }

    pub(super) fn put_value(&mut self, call: &Call, random: &mut Random) -> Answer {
        let content = content(call)?
            .ok_or_else(|| invalid_parameter("You must provide either SecretString or SecretBinary."))?;
        let token = token(call, random)?;
        let secret = self.find_own(call)?;
        check_token(secret, &token, &content)?;
        let stages = match call.json.get("VersionStages").and_then(Value::as_array) {
            None => vec!["AWSCURRENT".to_string()],
            Some(stages) => stages.iter().filter_map(Value::as_str).map(str::to_string).collect(),
        };
        secret.put(token.clone(), content, &stages, call.now);
        let stages = secret.versions.get(&token).map(|version| version.stages.clone());
        Ok(json!({"ARN": secret.arn, "Name": secret.name, "VersionId": token, "VersionStages": stages}))
    }

    pub(super) fn update(&mut self, call: &Call, random: &mut Random) -> Answer {
        let content = content(call)?;
        let token = token(call, random)?;
        let secret = self.find_own(call)?;
        if let Some(content) = &content {
            check_token(secret, &token, content)?;
        }
        if let Some(description) = text(call, "Description") {
            secret.description = Some(description.to_string());
        }
        if let Some(key) = text(call, "KmsKeyId") {
            secret.kms_key_id = Some(key.to_string());
        }
        secret.changed = call.now;
        let mut answer = json!({"ARN": secret.arn, "Name": secret.name});
        if let Some(content) = content {
            secret.put(token.clone(), content, &["AWSCURRENT".into()], call.now);
            answer["VersionId"] = json!(token);
        }
        Ok(answer)
    }

    pub(super) fn update_version_stage(&mut self, call: &Call) -> Answer {
        let stage = text(call, "VersionStage").ok_or_else(|| missing("versionStage"))?;
        let (from, to) = (text(call, "RemoveFromVersionId"), text(call, "MoveToVersionId"));
        let secret = self.find_own(call)?;
        let holder = secret.staged(stage).map(|(id, _)| id.clone());
        if to.is_some_and(|to| !secret.versions.contains_key(to)) {
            return Err(Fault::bad(
                "ResourceNotFoundException",
                "Secrets Manager can't find the specified secret version.",
            ));
        }
        if holder.is_some() && holder.as_deref() != to && from != holder.as_deref() {
            return Err(invalid_parameter(
                "The parameter RemoveFromVersionId can't be empty or different. The staging label is currently attached to another version.",
            ));
        }
        match to {
            Some(to) => secret.move_stage(stage, to),
            None if stage == "AWSCURRENT" => {
                return Err(invalid_parameter(
                    "You can only move the staging label AWSCURRENT, not remove it.",
                ));
            }
            None => {
                for version in secret.versions.values_mut() {
                    version.stages.retain(|other| other != stage);
                }
            }
        }
        Ok(json!({"ARN": secret.arn, "Name": secret.name}))
    }

    pub(super) fn list_version_ids(&mut self, call: &Call) -> Answer {
        let all = call.json.get("IncludeDeprecated").and_then(Value::as_bool) == Some(true);
        let secret = self.find(call)?;
        let versions: Vec<Value> = secret
            .versions
            .iter()
            .filter(|(_, version)| all || !version.stages.is_empty())
            .map(|(id, version)| {
                let mut shown = json!({"VersionId": id, "CreatedDate": seconds(version.created)});
                // Without stages it is deprecated: the list has one member at least (API_SecretVersionsListEntry).
                if !version.stages.is_empty() {
                    shown["VersionStages"] = json!(version.stages);
                }
                shown
            })
            .collect();
        Ok(json!({"ARN": secret.arn, "Name": secret.name, "Versions": versions}))
    }

    pub(super) fn delete(&mut self, call: &Call, random: &mut Random) -> Answer {
        let force = call.json.get("ForceDeleteWithoutRecovery").and_then(Value::as_bool) == Some(true);
        let days = match call.json.get("RecoveryWindowInDays") {
            None | Some(Value::Null) => None,
            Some(_) if force => {
                return Err(invalid_parameter(
                    "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
                ));
            }
            Some(days) => Some(days.as_u64().filter(|days| (7..=30).contains(days)).ok_or_else(|| {
                invalid_parameter("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).")
            })?),
        };
        let id = text(call, "SecretId").ok_or_else(|| missing("secretId"))?;
        let secret = match self.find(call) {
            Ok(secret) => secret,
            // Forced, a missing secret is no error: fact book, section 6.2.
            Err(_) if force => {
                let arn = match id.starts_with("arn:") {
                    true => id.to_string(),
                    false => format!("arn:aws:secretsmanager:{}:{ACCOUNT}:secret:{id}", call.region),
                };
                return Ok(json!({"ARN": arn, "Name": id, "DeletionDate": seconds(call.now)}));
            }
            Err(fault) => return Err(fault),
        };
        if let Some(owner) = &secret.owner {
            return Err(managed_by(owner));
        }
        let mut answer = json!({"ARN": secret.arn, "Name": secret.name});
        if force {
            let name = secret.name.clone();
            self.secrets.remove(&name);
            // "Immediate re-create can fail for seconds to minutes": fact book, section 6.2.
            self.leaving.insert(name, call.now + random.duration(2.0, 5.0, 60.0));
            answer["DeletionDate"] = seconds(call.now);
        } else {
            let secret = self.find_live(call)?;
            let final_at = call.now + days.unwrap_or(RECOVERY_DAYS) * DAY_MS;
            secret.deletion = Some(Deletion { asked: call.now, final_at });
            answer["DeletionDate"] = seconds(final_at);
        }
        Ok(answer)
    }

    pub(super) fn restore(&mut self, call: &Call) -> Answer {
        let secret = self.find(call)?;
        secret.deletion = None;
        Ok(json!({"ARN": secret.arn, "Name": secret.name}))
    }

    pub(super) fn resource_policy(&mut self, call: &Call) -> Answer {
        let secret = self.find(call)?;
        let mut answer = json!({"ARN": secret.arn, "Name": secret.name});
        if let Some(policy) = &secret.policy {
            answer["ResourcePolicy"] = json!(policy);
        }
        Ok(answer)
    }

    pub(super) fn put_resource_policy(&mut self, call: &Call) -> Answer {
        let policy = text(call, "ResourcePolicy").ok_or_else(|| missing("resourcePolicy"))?;
        let parsed = serde_json::from_str::<Value>(policy).ok();
        if parsed.is_none_or(|policy| policy.get("Statement").is_none()) {
            return Err(Fault::bad(
                "MalformedPolicyDocumentException",
                "This resource policy contains invalid Json",
            ));
        }
        let secret = self.find_own(call)?;
        secret.policy = Some(policy.to_string());
        Ok(json!({"ARN": secret.arn, "Name": secret.name}))
    }

    pub(super) fn delete_resource_policy(&mut self, call: &Call) -> Answer {
        let secret = self.find_own(call)?;
        secret.policy = None;
        Ok(json!({"ARN": secret.arn, "Name": secret.name}))
    }
}

/// The value in a request, if there is one.
fn content(call: &Call) -> Result<Option<Content>, Fault> {
    let content = match (text(call, "SecretString"), text(call, "SecretBinary")) {
        (Some(_), Some(_)) => {
            return Err(invalid_parameter(
                "You can't specify both a binary secret value and a string secret value in the same secret.",
            ));
        }
        (Some(text), None) => Content::Text(Hidden(text.to_string())),
        (None, Some(base64)) => Content::Binary(Hidden(base64.to_string())),
        (None, None) => return Ok(None),
    };
    let bytes = match &content {
        Content::Text(Hidden(text)) => text.len(),
        Content::Binary(Hidden(base64)) => base64.len() / 4 * 3,
    };
    if bytes > VALUE_MAX {
        return Err(Fault::bad(
            "ValidationException",
            format!(
                "1 validation error detected: the secret value failed to satisfy constraint: Member must have length less than or equal to {VALUE_MAX}"
            ),
        ));
    }
    Ok(Some(content))
}

/// The client's token is the version's id.
fn token(call: &Call, random: &mut Random) -> Result<String, Fault> {
    match text(call, "ClientRequestToken") {
        None => Ok(uuid(random)),
        Some(token) if (32..=64).contains(&token.len()) => Ok(token.to_string()),
        Some(_) => Err(invalid_parameter(
            "The ClientRequestToken parameter must be between 32 and 64 characters long.",
        )),
    }
}

/// A version cannot be changed: the same token with the same content is a repetition, with another it is
/// refused.
fn check_token(secret: &Secret, token: &str, content: &Content) -> Result<(), Fault> {
    match secret.versions.get(token) {
        Some(version) if version.content != *content => Err(Fault::bad(
            "ResourceExistsException",
            "You can't use ClientRequestToken because that value is already in use for a version of this secret.",
        )),
        _ => Ok(()),
    }
}
