//! How AWS is asked for the connection fields in the stack's secret.

use super::kind::{Calls, Deletion, Seen, Update};
use super::secret::{FIELDS_TAG, is_ours, live, put, read, tags_of, update_tags};
use crate::aws::{Aws, Failure, Look, SecretText};
use auroraml_core::base::{Outputs, State};
use auroraml_core::kinds::secret_attachment::{Props, SecretAttachment, decode, encode, texts};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

impl Calls for SecretAttachment {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let found = live(look).await?;
        let Some(found) = found.as_ref() else { return Ok(Vec::new()) };
        let tags = tags_of(found.tags());
        let Some(tag) = tags.get(FIELDS_TAG) else { return Ok(Vec::new()) };
        let (fields, hash) = decode(tag);
        Ok(vec![Seen {
            name: "master".into(),
            owned: is_ours(look.aws, &tags),
            props: Props { secret: found.arn().unwrap_or_default().into(), fields, hash },
            outputs: Outputs::new(),
            state: State::Ready,
        }])
    }

    async fn create(&self, aws: &Aws, _: &str, want: &Props) -> Result<(), Failure> {
        write(aws, want).await
    }

    async fn update(&self, aws: &Aws, _: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        write(aws, &update.want).await
    }

    /// Takes the fields out again, where the secret stays. The user name belongs to the password and stays too.
    async fn delete(&self, aws: &Aws, _: &str, deletion: Deletion<'_, Props>) -> Result<(), Failure> {
        let secret = deletion.live.secret.get();
        let mut value = read(aws, secret).await?;
        let before = value.len();
        let named = deletion.live.fields.keys().map(String::as_str);
        for name in named.chain(["engine", "host", "port", "dbname", "dbClusterIdentifier"]) {
            if name != "username" {
                value.remove(name);
            }
        }
        if value.len() != before {
            put(aws, secret, &SecretText::new(Value::Object(value).to_string())).await?;
        }
        let live = BTreeMap::from([(FIELDS_TAG.to_string(), String::new())]);
        update_tags(aws, secret, &BTreeMap::new(), &live).await
    }
}

async fn write(aws: &Aws, want: &Props) -> Result<(), Failure> {
    let (secret, fields) = (want.secret.get(), texts(&want.fields));
    let mut value = read(aws, secret).await?;
    // A version for every run would exhaust the secret's versions (fact book, section 6.2).
    if merge(&mut value, &fields) {
        put(aws, secret, &SecretText::new(Value::Object(value).to_string())).await?;
    }
    let tag = BTreeMap::from([(FIELDS_TAG.to_string(), encode(&fields))]);
    update_tags(aws, secret, &tag, &BTreeMap::new()).await
}

/// Puts the fields into the secret's value; says whether anything was different.
fn merge(value: &mut Map<String, Value>, fields: &BTreeMap<String, String>) -> bool {
    let mut is_changed = false;
    for (name, text) in fields {
        let wanted = match text.parse::<u16>() {
            // As Secrets Manager's own rotation functions write it.
            Ok(port) if name == "port" => Some(json!(port)),
            _ if text.is_empty() => None,
            _ => Some(json!(text)),
        };
        if value.get(name) != wanted.as_ref() {
            is_changed = true;
            match wanted {
                Some(wanted) => value.insert(name.clone(), wanted),
                None => value.remove(name),
            };
        }
    }
    is_changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(host: &str) -> BTreeMap<String, String> {
        [("host", host), ("port", "3306"), ("dbname", "")].map(|(k, v)| (k.into(), v.into())).into()
    }

    #[test]
    fn only_what_differs_is_merged() {
        let mut value = Map::from_iter([("password".to_string(), json!("p")), ("dbname".into(), json!("d"))]);
        assert!(merge(&mut value, &fields("h")));
        assert_eq!(Value::Object(value.clone()), json!({"password": "p", "host": "h", "port": 3306}));
        assert!(!merge(&mut value, &fields("h")));
    }
}
