//! Simulated KMS: keys, aliases and grants. Nothing is encrypted here; other services ask whether a key is
//! usable.
//!
//! Facts: fact book, section 6.4.

mod grants;

use crate::account::ACCOUNT;
use crate::call::Call;
use crate::random::{Mood, Random};
use crate::wire::{Fault, Reply};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const DAY_MS: u64 = 86_400_000;

/// Services whose AWS managed key exists: `alias/aws/<service>`.
const AWS_KEYS: &[&str] = &["ebs", "rds", "s3", "secretsmanager", "sagemaker"];

type Answer = Result<Value, Fault>;

/// The keys of one region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Kms {
    keys: BTreeMap<String, Key>,
    /// Key id by alias name, `alias/` included.
    aliases: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Key {
    arn: String,
    description: String,
    created: u64,
    enabled: bool,
    /// When a scheduled deletion happens.
    deletion: Option<u64>,
    /// The service of an AWS managed key.
    managed_for: Option<String>,
    spec: String,
    usage: String,
    multi_region: bool,
    rotation: bool,
    policy: String,
    tags: BTreeMap<String, String>,
    grants: BTreeMap<String, Grant>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Grant {
    token: String,
    name: Option<String>,
    grantee: String,
    retiring: Option<String>,
    operations: Vec<String>,
    created: u64,
}

impl Key {
    fn state(&self) -> &'static str {
        match (self.deletion, self.enabled) {
            (Some(_), _) => "PendingDeletion",
            (None, true) => "Enabled",
            (None, false) => "Disabled",
        }
    }

    fn metadata(&self, id: &str) -> Value {
        let mut shown = json!({
            "AWSAccountId": ACCOUNT,
            "KeyId": id,
            "Arn": self.arn,
            "CreationDate": seconds(self.created),
            "Enabled": self.state() == "Enabled",
            "Description": self.description,
            "KeyUsage": self.usage,
            "KeyState": self.state(),
            "Origin": "AWS_KMS",
            "KeyManager": if self.managed_for.is_some() { "AWS" } else { "CUSTOMER" },
            "KeySpec": self.spec,
            "CustomerMasterKeySpec": self.spec,
            "MultiRegion": self.multi_region,
        });
        if self.usage == "ENCRYPT_DECRYPT" {
            shown["EncryptionAlgorithms"] = json!(["SYMMETRIC_DEFAULT"]);
        }
        if let Some(at) = self.deletion {
            shown["DeletionDate"] = seconds(at);
        }
        shown
    }
}

/// What other services need of KMS.
impl Kms {
    /// Whether a key, given by id, ARN, alias name or alias ARN, can encrypt at `now`.
    pub fn usable(&self, key: &str, now: u64) -> bool {
        let alias = key.rsplit_once(":alias/").map_or(key.strip_prefix("alias/"), |(_, name)| Some(name));
        if alias.and_then(|alias| alias.strip_prefix("aws/")).is_some_and(|name| AWS_KEYS.contains(&name)) {
            return true;
        }
        self.find(key, now).is_ok_and(|id| self.keys.get(&id).is_some_and(|key| key.state() == "Enabled"))
    }

    /// A customer's key that was there before.
    pub fn add_key(&mut self, id: &str, region: &str, now: u64) {
        let (_, key) = new_key(region, "A key of one's own", &mut Random::new(0, Mood::Calm), now);
        let arn = format!("arn:aws:kms:{region}:{ACCOUNT}:key/{id}");
        self.keys.insert(id.to_string(), Key { arn, ..key });
    }

    /// The ARN of a customer's own key that is here; none of one that AWS manages.
    pub fn customers(&self, key: &str, now: u64) -> Option<String> {
        let key = self.find(key, now).ok().and_then(|id| self.keys.get(&id))?;
        key.managed_for.is_none().then(|| key.arn.clone())
    }

    /// The ARN of a service's AWS managed key (`rds`, `s3`, …), which exists from its first use.
    pub fn managed_key(&mut self, service: &str, region: &str, random: &mut Random, now: u64) -> String {
        let alias = format!("alias/aws/{service}");
        if let Some(key) = self.aliases.get(&alias).and_then(|id| self.keys.get(id)) {
            return key.arn.clone();
        }
        let description = format!("Default key that protects my {service} data when no other key is defined");
        let (id, key) = new_key(region, &description, random, now);
        let arn = key.arn.clone();
        self.keys.insert(id.clone(), Key { managed_for: Some(service.to_string()), ..key });
        self.aliases.insert(alias, id);
        arn
    }

    /// The ARN of a key given in any form.
    pub fn key_arn(&self, key: &str, now: u64) -> Option<String> {
        self.find(key, now).ok().and_then(|id| self.keys.get(&id)).map(|key| key.arn.clone())
    }

    /// Tags that nobody but AWS can set.
    pub(crate) fn mark(&mut self, id: &str, tags: &[(String, String)]) {
        if let Some(key) = self.keys.get_mut(id) {
            key.tags.extend(tags.iter().cloned());
        }
    }

    /// The id of a key given by id, ARN, alias name or alias ARN.
    fn find(&self, key: &str, now: u64) -> Result<String, Fault> {
        let wanted = key.splitn(6, ':').nth(5).filter(|_| key.starts_with("arn:")).unwrap_or(key);
        let id = match wanted.strip_prefix("key/") {
            Some(id) => id.to_string(),
            None if wanted.starts_with("alias/") => self
                .aliases
                .get(wanted)
                .cloned()
                .ok_or_else(|| not_found(format!("Alias {key} is not found.")))?,
            None => wanted.to_string(),
        };
        match self.keys.get(&id) {
            Some(found)
                if found.deletion.is_none_or(|at| now < at)
                    && (!key.starts_with("arn:") || key.contains(":alias/") || key == found.arn) =>
            {
                Ok(id)
            }
            _ => Err(not_found(format!("Key '{key}' does not exist"))),
        }
    }

    fn settle(&mut self, now: u64) {
        self.keys.retain(|_, key| key.deletion.is_none_or(|at| now < at));
        let keys = &self.keys;
        self.aliases.retain(|_, id| keys.contains_key(id));
    }

    /// The key that `KeyId` names.
    fn named(&mut self, call: &Call) -> Result<(String, &mut Key), Fault> {
        let id = self.find(need(call, "KeyId")?, call.now)?;
        match self.keys.get_mut(&id) {
            Some(key) => Ok((id, key)),
            None => Err(not_found(format!("Key '{id}' does not exist"))),
        }
    }

    /// The key that `KeyId` names, for a change that the customer may make to their own keys only, and not
    /// while it is being deleted.
    fn own(&mut self, call: &Call) -> Result<(String, &mut Key), Fault> {
        let (id, key) = self.named(call)?;
        if key.managed_for.is_some() {
            return Err(Fault::bad(
                "AccessDeniedException",
                format!("The key {} is managed by AWS and cannot be changed", key.arn),
            ));
        }
        if key.deletion.is_some() {
            return Err(Fault::bad("KMSInvalidStateException", format!("{} is pending deletion.", key.arn)));
        }
        Ok((id, key))
    }
}

fn new_key(region: &str, description: &str, random: &mut Random, now: u64) -> (String, Key) {
    let id = [8, 4, 4, 4, 12].map(|length| random.hex(length)).join("-");
    let policy = json!({
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [{
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": {"AWS": format!("arn:aws:iam::{ACCOUNT}:root")},
            "Action": "kms:*",
            "Resource": "*",
        }],
    });
    let key = Key {
        arn: format!("arn:aws:kms:{region}:{ACCOUNT}:key/{id}"),
        description: description.to_string(),
        created: now,
        enabled: true,
        deletion: None,
        managed_for: None,
        spec: "SYMMETRIC_DEFAULT".into(),
        usage: "ENCRYPT_DECRYPT".into(),
        multi_region: false,
        rotation: false,
        policy: policy.to_string(),
        tags: BTreeMap::new(),
        grants: BTreeMap::new(),
    };
    (id, key)
}

fn checked_policy(policy: &str) -> Result<String, Fault> {
    match serde_json::from_str::<Value>(policy).is_ok_and(|p| p.get("Statement").is_some()) {
        true => Ok(policy.to_string()),
        false => Err(Fault::bad("MalformedPolicyDocumentException", "Invalid JSON in the key policy")),
    }
}

fn not_found(message: String) -> Fault {
    Fault::bad("NotFoundException", message)
}

fn text<'a>(call: &'a Call, member: &str) -> Option<&'a str> {
    call.json.get(member).and_then(Value::as_str)
}

fn need<'a>(call: &'a Call, member: &str) -> Result<&'a str, Fault> {
    text(call, member).ok_or_else(|| {
        Fault::bad(
            "ValidationException",
            format!(
                "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
            ),
        )
    })
}

fn seconds(at_ms: u64) -> Value {
    json!(at_ms as f64 / 1000.0)
}

pub(crate) fn handle(call: &Call, kms: &mut Kms, random: &mut Random) -> Reply {
    kms.settle(call.now);
    for service in AWS_KEYS {
        kms.managed_key(service, &call.region, random, call.now);
    }
    let answer = match call.operation.as_str() {
        "CreateKey" => kms.create_key(call, random),
        "DescribeKey" => kms.named(call).map(|(id, key)| json!({"KeyMetadata": key.metadata(&id)})),
        "ListKeys" => kms.list_keys(call),
        "EnableKey" => kms.own(call).map(|(_, key)| {
            key.enabled = true;
            json!({})
        }),
        "DisableKey" => kms.own(call).map(|(_, key)| {
            key.enabled = false;
            json!({})
        }),
        "EnableKeyRotation" => kms.own(call).map(|(_, key)| {
            key.rotation = true;
            json!({})
        }),
        "DisableKeyRotation" => kms.own(call).map(|(_, key)| {
            key.rotation = false;
            json!({})
        }),
        "GetKeyRotationStatus" => kms.named(call).map(
            |(id, key)| json!({"KeyRotationEnabled": key.rotation || key.managed_for.is_some(), "KeyId": id}),
        ),
        "GetKeyPolicy" => {
            kms.named(call).map(|(_, key)| json!({"Policy": key.policy, "PolicyName": "default"}))
        }
        "PutKeyPolicy" => kms.put_policy(call),
        "UpdateKeyDescription" => kms.update_description(call),
        "ScheduleKeyDeletion" => kms.schedule_deletion(call),
        "CancelKeyDeletion" => kms.cancel_deletion(call),
        "CreateAlias" => kms.create_alias(call),
        "UpdateAlias" => kms.update_alias(call),
        "DeleteAlias" => kms.delete_alias(call),
        "ListAliases" => kms.list_aliases(call),
        "CreateGrant" => kms.create_grant(call, random),
        "ListGrants" => kms.list_grants(call),
        "RevokeGrant" | "RetireGrant" => kms.remove_grant(call),
        "TagResource" => kms.tag(call),
        "UntagResource" => kms.untag(call),
        "ListResourceTags" => kms.list_tags(call),
        _ => return Err(call.unknown()),
    };
    answer.map(Into::into)
}

impl Kms {
    fn create_key(&mut self, call: &Call, random: &mut Random) -> Answer {
        let (id, mut key) =
            new_key(&call.region, text(call, "Description").unwrap_or_default(), random, call.now);
        let spec = text(call, "KeySpec").or(text(call, "CustomerMasterKeySpec"));
        key.spec = spec.unwrap_or("SYMMETRIC_DEFAULT").to_string();
        key.usage = text(call, "KeyUsage").unwrap_or("ENCRYPT_DECRYPT").to_string();
        key.multi_region = call.json.get("MultiRegion").and_then(Value::as_bool) == Some(true);
        key.tags = merge_tags(&key.tags, call)?;
        if let Some(policy) = text(call, "Policy") {
            key.policy = checked_policy(policy)?;
        }
        let answer = json!({"KeyMetadata": key.metadata(&id)});
        self.keys.insert(id, key);
        Ok(answer)
    }

    fn list_keys(&self, call: &Call) -> Answer {
        let (keys, marker) = page(call, &self.keys, |(id, _)| id.to_string())?;
        let shown: Vec<Value> =
            keys.iter().map(|(id, key)| json!({"KeyId": id, "KeyArn": key.arn})).collect();
        Ok(paged("Keys", shown, marker))
    }

    fn put_policy(&mut self, call: &Call) -> Answer {
        // There is one policy, and this is its name (PutKeyPolicy).
        text(call, "PolicyName");
        call.json.get("BypassPolicyLockoutSafetyCheck");
        let policy = checked_policy(need(call, "Policy")?)?;
        self.own(call)?.1.policy = policy;
        Ok(json!({}))
    }

    fn update_description(&mut self, call: &Call) -> Answer {
        let description = need(call, "Description")?;
        self.own(call)?.1.description = description.to_string();
        Ok(json!({}))
    }

    fn schedule_deletion(&mut self, call: &Call) -> Answer {
        let days = match call.json.get("PendingWindowInDays") {
            None | Some(Value::Null) => 30,
            Some(days) => days.as_u64().filter(|days| (7..=30).contains(days)).ok_or_else(|| {
                Fault::bad(
                    "ValidationException",
                    "1 validation error detected: Value at 'pendingWindowInDays' failed to satisfy constraint: 7 to 30",
                )
            })?,
        };
        let (_, key) = self.own(call)?;
        let at = call.now + days * DAY_MS;
        key.deletion = Some(at);
        Ok(json!({
            "KeyId": key.arn,
            "DeletionDate": seconds(at),
            "KeyState": key.state(),
            "PendingWindowInDays": days,
        }))
    }

    /// The key comes back disabled.
    fn cancel_deletion(&mut self, call: &Call) -> Answer {
        let (_, key) = self.named(call)?;
        if key.deletion.take().is_none() {
            return Err(Fault::bad(
                "KMSInvalidStateException",
                format!("{} is not pending deletion.", key.arn),
            ));
        }
        key.enabled = false;
        Ok(json!({"KeyId": key.arn}))
    }

    fn create_alias(&mut self, call: &Call) -> Answer {
        let name = alias_name(call)?.to_string();
        if self.aliases.contains_key(&name) {
            return Err(Fault::bad(
                "AlreadyExistsException",
                format!("An alias with the name arn:aws:kms:{}:{ACCOUNT}:{name} already exists", call.region),
            ));
        }
        self.point(call, name)
    }

    fn update_alias(&mut self, call: &Call) -> Answer {
        let name = alias_name(call)?.to_string();
        if !self.aliases.contains_key(&name) {
            return Err(not_found(format!("Alias {name} is not found.")));
        }
        self.point(call, name)
    }

    fn point(&mut self, call: &Call, name: String) -> Answer {
        let target = need(call, "TargetKeyId")?;
        let id = self.find(target, call.now)?;
        if self.keys.get(&id).is_some_and(|key| key.deletion.is_some()) {
            return Err(Fault::bad("KMSInvalidStateException", format!("{target} is pending deletion.")));
        }
        self.aliases.insert(name, id);
        Ok(json!({}))
    }

    fn delete_alias(&mut self, call: &Call) -> Answer {
        let name = alias_name(call)?;
        match self.aliases.remove(name) {
            Some(_) => Ok(json!({})),
            None => Err(not_found(format!("Alias {name} is not found."))),
        }
    }

    fn list_aliases(&self, call: &Call) -> Answer {
        let only = text(call, "KeyId").map(|key| self.find(key, call.now)).transpose()?;
        let aliases = self.aliases.iter().filter(|(_, id)| only.as_ref().is_none_or(|only| only == *id));
        let (aliases, marker) = page(call, aliases, |(name, _)| name.to_string())?;
        let shown = aliases.iter().map(|(name, id)| {
            json!({
                "AliasName": name,
                "AliasArn": format!("arn:aws:kms:{}:{ACCOUNT}:{name}", call.region),
                "TargetKeyId": id,
            })
        });
        Ok(paged("Aliases", shown.collect(), marker))
    }
}

/// The name of a customer's alias.
fn alias_name(call: &Call) -> Result<&str, Fault> {
    let name = need(call, "AliasName")?;
    let rest = name.strip_prefix("alias/").unwrap_or_default();
    let valid = !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || "/_-".contains(c));
    if !valid || rest.starts_with("aws/") {
        return Err(Fault::bad(
            if valid { "NotAuthorizedException" } else { "ValidationException" },
            format!("The alias name {name} must begin with alias/, and not with alias/aws/"),
        ));
    }
    Ok(name)
}

/// One page of a list sorted by `key`; the marker is the key of the last member shown.
fn page<T>(
    call: &Call,
    members: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
) -> Result<(Vec<T>, Option<String>), Fault> {
    let size = match call.json.get("Limit") {
        None | Some(Value::Null) => 100,
        Some(size) => size
            .as_u64()
            .filter(|size| (1..=1000).contains(size))
            .ok_or_else(|| Fault::bad("ValidationException", "Limit must be between 1 and 1000"))?,
    } as usize;
    let after = text(call, "Marker");
    let mut members: Vec<T> =
        members.into_iter().filter(|member| after.is_none_or(|after| key(member).as_str() > after)).collect();
    let more = members.len() > size;
    members.truncate(size);
    let marker = members.last().filter(|_| more).map(&key);
    Ok((members, marker))
}

fn paged(name: &str, shown: Vec<Value>, marker: Option<String>) -> Value {
    let mut answer = json!({name: shown, "Truncated": marker.is_some()});
    if let Some(marker) = marker {
        answer["NextMarker"] = json!(marker);
    }
    answer
}

fn merge_tags(present: &BTreeMap<String, String>, call: &Call) -> Result<BTreeMap<String, String>, Fault> {
    let mut merged = present.clone();
    for tag in call.json.get("Tags").and_then(Value::as_array).into_iter().flatten() {
        let key = tag.get("TagKey").and_then(Value::as_str).unwrap_or_default();
        if key.is_empty() || key.len() > 128 || key.to_lowercase().starts_with("aws:") {
            return Err(Fault::bad("TagException", format!("The tag key {key:?} is not valid")));
        }
        let value = tag.get("TagValue").and_then(Value::as_str).unwrap_or_default();
        merged.insert(key.to_string(), value.to_string());
    }
    if merged.len() > 50 {
        return Err(Fault::bad("LimitExceededException", "Too many tags"));
    }
    Ok(merged)
}
