//! Simulated Secrets Manager: names that stay reserved, lists that lag, ARNs that never come back.
//!
//! Facts: fact book, section 6.2, and 1.12 for secrets that RDS owns. Not in it, and believed: the limits of
//! names, tags and versions, the wording of refusals, resource policies and random passwords.

mod input;
mod listing;
mod password;
mod values;

use crate::account::ACCOUNT;
use crate::call::Call;
use crate::kms::Kms;
use crate::random::Random;
use crate::wire::{Fault, Reply};
use input::{invalid_parameter, text};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const DAY_MS: u64 = 86_400_000;
/// Bytes of a secret value.
const VALUE_MAX: usize = 65_536;

/// The secrets of one region.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SecretsManager {
    secrets: BTreeMap<String, Secret>,
    /// Names of force-deleted secrets, and until when they cannot be used again.
    leaving: BTreeMap<String, u64>,
}

/// A text that `Debug` does not show. It is saved with the world: that file is the sandbox's own storage.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Hidden(String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}

/// What a version holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Content {
    Text(Hidden),
    /// Base64, as it came.
    Binary(Hidden),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Version {
    content: Content,
    stages: Vec<String>,
    created: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Secret {
    arn: String,
    name: String,
    description: Option<String>,
    kms_key_id: Option<String>,
    tags: BTreeMap<String, String>,
    versions: BTreeMap<String, Version>,
    created: u64,
    changed: u64,
    /// Day of the last read of a value; AWS truncates it to the day.
    accessed: Option<u64>,
    deletion: Option<Deletion>,
    policy: Option<String>,
    /// The AWS service that owns it and alone may change it, such as `rds`.
    owner: Option<String>,
    /// When `ListSecrets` begins to show it.
    listed: u64,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Deletion {
    asked: u64,
    /// End of the recovery window.
    final_at: u64,
}

/// What other services need of Secrets Manager.
impl SecretsManager {
    /// Creates a secret that the service `owner` (`rds`) owns, or gives it a new value if it exists, and
    /// returns its ARN. Customers can read it, and neither change nor delete it.
    pub fn put_managed(
        &mut self,
        owner: &str,
        name: &str,
        value: String,
        region: &str,
        random: &mut Random,
        now: u64,
    ) -> String {
        let secret = self.secrets.entry(name.to_string()).or_insert_with(|| Secret {
            owner: Some(owner.to_string()),
            tags: BTreeMap::from([("aws:secretsmanager:owningService".into(), owner.to_string())]),
            ..Secret::new(name, region, random, now)
        });
        secret.put(uuid(random), Content::Text(Hidden(value)), &["AWSCURRENT".into()], now);
        secret.arn.clone()
    }

    /// A tag that the owner sets, and nobody else may.
    pub fn tag_managed(&mut self, name: &str, key: &str, value: &str) {
        if let Some(secret) = self.secrets.get_mut(name) {
            secret.tags.insert(key.to_string(), value.to_string());
        }
    }

    /// Tags that nobody but AWS can set.
    pub(crate) fn mark(&mut self, id: &str, tags: &[(String, String)]) {
        if let Some(secret) = self.secrets.values_mut().find(|secret| secret.is(id)) {
            secret.tags.extend(tags.iter().cloned());
        }
    }

    /// The owner's deletion: at once, without a recovery window.
    pub fn remove_managed(&mut self, name: &str) {
        self.secrets.remove(name);
    }

    /// The current text of a secret found by name, ARN or partial ARN, for a service that reads it.
    pub fn current_text(&self, id: &str) -> Option<&str> {
        let secret = self.secrets.values().find(|secret| secret.is(id))?;
        if secret.deletion.is_some() {
            return None;
        }
        match &secret.staged("AWSCURRENT")?.1.content {
            Content::Text(Hidden(text)) => Some(text),
            Content::Binary(_) => None,
        }
    }

    /// Forgets what time has ended.
    fn settle(&mut self, now: u64) {
        self.secrets.retain(|_, secret| secret.deletion.is_none_or(|deletion| now < deletion.final_at));
        self.leaving.retain(|_, until| now < *until);
    }

    /// ARN and tags of every secret, also of those that can still be restored.
    pub(crate) fn tagged(&self) -> Vec<(String, BTreeMap<String, String>)> {
        let all = self.secrets.values();
        all.map(|secret| (secret.arn.clone(), secret.tags.clone())).collect()
    }

    /// ARN and tags of the secret that a name or an ARN means.
    pub(crate) fn described(&self, id: &str) -> Option<(String, BTreeMap<String, String>)> {
        let secret = self.secrets.values().find(|secret| secret.is(id))?;
        Some((secret.arn.clone(), secret.tags.clone()))
    }

    /// The key of a secret, where one was named.
    pub(crate) fn key_of(&self, id: &str) -> Option<String> {
        self.secrets.values().find(|secret| secret.is(id))?.kms_key_id.clone()
    }

    fn find(&mut self, call: &Call) -> Result<&mut Secret, Fault> {
        let id = text(call, "SecretId").ok_or_else(|| missing("secretId"))?;
        self.secrets.values_mut().find(|secret| secret.is(id)).ok_or_else(not_found)
    }

    /// A secret that is not on its way out.
    fn find_live(&mut self, call: &Call) -> Result<&mut Secret, Fault> {
        let secret = self.find(call)?;
        match secret.deletion {
            None => Ok(secret),
            Some(_) => Err(Fault::bad(
                "InvalidRequestException",
                "You can't perform this operation on the secret because it was marked for deletion.",
            )),
        }
    }

    /// A live secret that belongs to the customer.
    fn find_own(&mut self, call: &Call) -> Result<&mut Secret, Fault> {
        let secret = self.find_live(call)?;
        match &secret.owner {
            None => Ok(secret),
            Some(owner) => Err(managed_by(owner)),
        }
    }
}

fn managed_by(owner: &str) -> Fault {
    Fault::bad(
        "InvalidRequestException",
        format!(
            "You can't perform this operation on the secret because it's managed by the service {owner}."
        ),
    )
}

fn not_found() -> Fault {
    Fault::bad("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

fn missing(member: &str) -> Fault {
    Fault::bad(
        "ValidationException",
        format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        ),
    )
}

impl Secret {
    fn new(name: &str, region: &str, random: &mut Random, now: u64) -> Secret {
        Secret {
            arn: format!("arn:aws:secretsmanager:{region}:{ACCOUNT}:secret:{name}-{}", random.letters(6)),
            name: name.to_string(),
            description: None,
            kms_key_id: None,
            tags: BTreeMap::new(),
            versions: BTreeMap::new(),
            created: now,
            changed: now,
            accessed: None,
            deletion: None,
            policy: None,
            owner: None,
            listed: now,
        }
    }

    /// Whether `id` is its name, its ARN, or its ARN without the random suffix.
    fn is(&self, id: &str) -> bool {
        id == self.name || id == self.arn || self.arn.get(..self.arn.len() - 7).is_some_and(|arn| arn == id)
    }

    fn staged(&self, stage: &str) -> Option<(&String, &Version)> {
        self.versions.iter().find(|(_, version)| version.stages.iter().any(|other| other == stage))
    }
}

pub(crate) fn handle(
    call: &Call,
    secretsmanager: &mut SecretsManager,
    kms: &Kms,
    random: &mut Random,
) -> Reply {
    secretsmanager.settle(call.now);
    if let Some(key) = text(call, "KmsKeyId")
        && matches!(call.operation.as_str(), "CreateSecret" | "UpdateSecret")
        && !kms.usable(key, call.now)
    {
        return Err(Fault::bad(
            "EncryptionFailure",
            "Secrets Manager can't encrypt the protected secret text using the provided KMS key.",
        ));
    }
    let answer = match call.operation.as_str() {
        "CreateSecret" => secretsmanager.create(call, random),
        "DescribeSecret" => secretsmanager.describe(call),
        "GetSecretValue" => secretsmanager.get_value(call),
        "PutSecretValue" => secretsmanager.put_value(call, random),
        "UpdateSecret" => secretsmanager.update(call, random),
        "UpdateSecretVersionStage" => secretsmanager.update_version_stage(call),
        "ListSecretVersionIds" => secretsmanager.list_version_ids(call),
        "DeleteSecret" => secretsmanager.delete(call, random),
        "RestoreSecret" => secretsmanager.restore(call),
        "ListSecrets" => secretsmanager.list(call),
        "TagResource" => secretsmanager.tag(call),
        "UntagResource" => secretsmanager.untag(call),
        "GetResourcePolicy" => secretsmanager.resource_policy(call),
        "PutResourcePolicy" => secretsmanager.put_resource_policy(call),
        "DeleteResourcePolicy" => secretsmanager.delete_resource_policy(call),
        "GetRandomPassword" => password::generate(call, random),
        _ => return Err(call.unknown()),
    };
    answer.map(Into::into)
}

/// Times in JSON are seconds.
fn seconds(at_ms: u64) -> Value {
    json!(at_ms as f64 / 1000.0)
}

/// A random identifier in the usual form.
pub(super) fn uuid(random: &mut Random) -> String {
    [8, 4, 4, 4, 12].map(|length| random.hex(length)).join("-")
}

/// The new value of the tags when those in the request are added.
fn merge_tags(present: &BTreeMap<String, String>, call: &Call) -> Result<BTreeMap<String, String>, Fault> {
    let mut merged = present.clone();
    for tag in call.json.get("Tags").and_then(Value::as_array).into_iter().flatten() {
        let key = tag.get("Key").and_then(Value::as_str).unwrap_or_default();
        let value = tag.get("Value").and_then(Value::as_str).unwrap_or_default();
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(invalid_parameter("A tag key has 1 to 128 characters, a tag value at most 256."));
        }
        if key.to_lowercase().starts_with("aws:") {
            return Err(invalid_parameter("Tag keys that begin with aws: are reserved."));
        }
        merged.insert(key.to_string(), value.to_string());
    }
    if merged.keys().filter(|key| !key.starts_with("aws:")).count() > 50 {
        return Err(invalid_parameter("The number of tags exceeds the maximum of 50."));
    }
    Ok(merged)
}
