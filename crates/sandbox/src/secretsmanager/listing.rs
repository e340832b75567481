//! What Secrets Manager tells about secrets without their values, and their tags.

use super::input::{Answer, invalid_parameter, text};
use super::{Secret, SecretsManager, merge_tags, seconds};
use crate::call::Call;
use crate::wire::Fault;
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl Secret {
    /// The members that DescribeSecret and a list entry have in common.
    fn shown(&self) -> Value {
        let mut shown = json!({
            "ARN": self.arn,
            "Name": self.name,
            "CreatedDate": seconds(self.created),
            "LastChangedDate": seconds(self.changed),
            "Tags": self.tags.iter().map(|(k, v)| json!({"Key": k, "Value": v})).collect::<Vec<_>>(),
        });
        let optional = [
            ("Description", self.description.as_ref().map(|text| json!(text))),
            ("KmsKeyId", self.kms_key_id.as_ref().map(|key| json!(key))),
            ("LastAccessedDate", self.accessed.map(seconds)),
            ("DeletedDate", self.deletion.map(|deletion| seconds(deletion.asked))),
            ("OwningService", self.owner.as_ref().map(|owner| json!(owner))),
            // A managed secret is rotated by its owner, every 7 days: fact book, section 1.12.
            ("RotationEnabled", self.owner.as_ref().map(|_| json!(true))),
            ("RotationRules", self.owner.as_ref().map(|_| json!({"AutomaticallyAfterDays": 7}))),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                shown[name] = value;
            }
        }
        shown
    }

    fn stages(&self) -> BTreeMap<&String, &Vec<String>> {
        let labelled = self.versions.iter().filter(|(_, version)| !version.stages.is_empty());
        labelled.map(|(id, version)| (id, &version.stages)).collect()
    }

    /// Whether one filter accepts the secret: any of its values, by prefix; `!` negates.
    fn passes(&self, key: &str, values: &[&str]) -> Result<bool, Fault> {
        let any = |texts: &[&str], fold: bool| {
            values.iter().any(|value| {
                let (negated, value) = value.strip_prefix('!').map_or((false, *value), |rest| (true, rest));
                let starts = |text: &&str| {
                    if fold {
                        text.to_lowercase().starts_with(&value.to_lowercase())
                    } else {
                        text.starts_with(value)
                    }
                };
                texts.iter().any(starts) != negated
            })
        };
        let keys: Vec<&str> = self.tags.keys().map(String::as_str).collect();
        let tags: Vec<&str> = self.tags.values().map(String::as_str).collect();
        let description = self.description.as_deref().unwrap_or_default();
        Ok(match key {
            "name" => any(&[&self.name], false),
            "description" => any(&[description], true),
            "tag-key" => any(&keys, false),
            "tag-value" => any(&tags, false),
            "owning-service" => any(&[self.owner.as_deref().unwrap_or_default()], false),
            "primary-region" => any(&[self.arn.split(':').nth(3).unwrap_or_default()], false),
            "all" => {
                let words: Vec<&str> =
                    [self.name.as_str(), description].into_iter().chain(keys).chain(tags).collect();
                any(&words, true)
            }
            _ => return Err(invalid_parameter("Invalid filter key.")),
        })
    }
}

impl SecretsManager {
    pub(super) fn describe(&mut self, call: &Call) -> Answer {
        let secret = self.find(call)?;
        let mut shown = secret.shown();
        if !secret.versions.is_empty() {
            shown["VersionIdsToStages"] = json!(secret.stages());
        }
        Ok(shown)
    }

    pub(super) fn list(&self, call: &Call) -> Answer {
        let planned = call.json.get("IncludePlannedDeletion").and_then(Value::as_bool) == Some(true);
        let size = match call.json.get("MaxResults") {
            None | Some(Value::Null) => 100,
            Some(size) => size
                .as_u64()
                .filter(|size| (1..=100).contains(size))
                .ok_or_else(|| invalid_parameter("MaxResults must be between 1 and 100."))?,
        } as usize;
        let mut found = Vec::new();
        'secrets: for secret in self.secrets.values() {
            if call.now < secret.listed || (secret.deletion.is_some() && !planned) {
                continue;
            }
            for filter in call.json.get("Filters").and_then(Value::as_array).into_iter().flatten() {
                let key = filter.get("Key").and_then(Value::as_str).unwrap_or_default();
                let values = filter.get("Values").and_then(Value::as_array);
                let values: Vec<&str> = values.into_iter().flatten().filter_map(Value::as_str).collect();
                if !secret.passes(key, &values)? {
                    continue 'secrets;
                }
            }
            found.push(secret);
        }
        found.sort_by(|a, b| (a.created, &a.name).cmp(&(b.created, &b.name)));
        if text(call, "SortOrder") != Some("asc") {
            found.reverse();
        }
        // The token is the ARN of the last secret shown.
        let start = match text(call, "NextToken") {
            None => 0,
            Some(token) => match found.iter().position(|secret| secret.arn == token) {
                Some(index) => index + 1,
                None => {
                    return Err(Fault::bad("InvalidNextTokenException", "The NextToken value is invalid."));
                }
            },
        };
        let shown = found.iter().skip(start).take(size).map(|secret| {
            let mut entry = secret.shown();
            entry["SecretVersionsToStages"] = json!(secret.stages());
            entry
        });
        let mut answer = json!({"SecretList": shown.collect::<Vec<_>>()});
        if found.len() > start + size {
            answer["NextToken"] = json!(found[start + size - 1].arn);
        }
        Ok(answer)
    }

    pub(super) fn tag(&mut self, call: &Call) -> Answer {
        let secret = self.find_live(call)?;
        secret.tags = merge_tags(&secret.tags, call)?;
        Ok(json!({}))
    }

    pub(super) fn untag(&mut self, call: &Call) -> Answer {
        let keys = call.json.get("TagKeys").and_then(Value::as_array);
        let secret = self.find_live(call)?;
        for key in keys.into_iter().flatten().filter_map(Value::as_str) {
            if !key.starts_with("aws:") {
                secret.tags.remove(key);
            }
        }
        Ok(json!({}))
    }
}
