//! Grants and tags of keys.

use super::{Answer, Grant, Key, Kms, merge_tags, need, not_found, page, paged, seconds, text};
use crate::call::Call;
use crate::random::Random;
use crate::wire::Fault;
use serde_json::{Value, json};

const GRANTS_MAX: usize = 50_000;

impl Kms {
    pub(super) fn create_grant(&mut self, call: &Call, random: &mut Random) -> Answer {
        let grantee = need(call, "GranteePrincipal")?.to_string();
        let operations = call.json.get("Operations").and_then(Value::as_array);
        let operations: Vec<String> =
            operations.into_iter().flatten().filter_map(Value::as_str).map(str::to_string).collect();
        if operations.is_empty() {
            return Err(Fault::bad("ValidationException", "Operations must name at least one operation"));
        }
        let (_, key) = self.named(call)?;
        if key.state() != "Enabled" {
            return Err(Fault::bad("KMSInvalidStateException", format!("{} is not enabled.", key.arn)));
        }
        if key.grants.len() >= GRANTS_MAX {
            return Err(Fault::bad("LimitExceededException", "Too many grants on the key"));
        }
        let grant = Grant {
            token: random.letters(64),
            name: text(call, "Name").map(str::to_string),
            grantee,
            retiring: text(call, "RetiringPrincipal").map(str::to_string),
            operations,
            created: call.now,
        };
        // With a name, the same grant asked for again is the same grant.
        let same = |other: &Grant| {
            grant.name.is_some()
                && other.name == grant.name
                && other.grantee == grant.grantee
                && other.operations == grant.operations
        };
        if let Some((id, present)) = key.grants.iter().find(|(_, other)| same(other)) {
            return Ok(json!({"GrantId": id, "GrantToken": present.token}));
        }
        let id = random.hex(64);
        let answer = json!({"GrantId": id, "GrantToken": grant.token});
        key.grants.insert(id, grant);
        Ok(answer)
    }

    pub(super) fn list_grants(&mut self, call: &Call) -> Answer {
        let (_, key) = self.named(call)?;
        let key: &Key = key;
        let (grants, marker) = page(call, &key.grants, |(id, _)| id.to_string())?;
        let shown = grants.iter().map(|(id, grant)| {
            let mut shown = json!({
                "KeyId": key.arn,
                "GrantId": id,
                "GranteePrincipal": grant.grantee,
                "Operations": grant.operations,
                "CreationDate": seconds(grant.created),
            });
            if let Some(name) = &grant.name {
                shown["Name"] = json!(name);
            }
            if let Some(retiring) = &grant.retiring {
                shown["RetiringPrincipal"] = json!(retiring);
            }
            shown
        });
        Ok(paged("Grants", shown.collect(), marker))
    }

    pub(super) fn remove_grant(&mut self, call: &Call) -> Answer {
        if let Some(token) = text(call, "GrantToken") {
            let found = self.keys.values_mut().find_map(|key| {
                let id = key.grants.iter().find(|(_, grant)| grant.token == token)?.0.clone();
                key.grants.remove(&id)
            });
            return found.map(|_| json!({})).ok_or_else(|| not_found("Grant is not found.".into()));
        }
        let id = need(call, "GrantId")?;
        let (_, key) = self.named(call)?;
        key.grants.remove(id).map(|_| json!({})).ok_or_else(|| not_found(format!("Grant {id} is not found.")))
    }

    pub(super) fn tag(&mut self, call: &Call) -> Answer {
        let (_, key) = self.own(call)?;
        key.tags = merge_tags(&key.tags, call)?;
        Ok(json!({}))
    }

    pub(super) fn untag(&mut self, call: &Call) -> Answer {
        let keys = call.json.get("TagKeys").and_then(Value::as_array);
        let (_, key) = self.own(call)?;
        for tag in keys.into_iter().flatten().filter_map(Value::as_str) {
            key.tags.remove(tag);
        }
        Ok(json!({}))
    }

    pub(super) fn list_tags(&mut self, call: &Call) -> Answer {
        let (_, key) = self.named(call)?;
        let shown = key.tags.iter().map(|(name, value)| json!({"TagKey": name, "TagValue": value}));
        Ok(paged("Tags", shown.collect(), None))
    }
}
