//! What a plan does not ask for and a drift report does: the content of what cannot change, settings that no field of a
//! spec is about, and what others hung on what is ours (docs/decisions/0005, docs/drift.md).
//!
//! Nothing here changes anything, and nothing here judges: [`auroraml_core::drift`] does.

mod bucket;
mod cluster;
mod network;
mod serving;

use super::{role, secret};
use crate::aws::{Class, Failure, Look};
use auroraml_core::base::{Id, Live, Observed};
use auroraml_core::drift::{Beyond, Foreign, Severity, Unread};
use futures_util::future::join_all;
use serde_json::Value;
use std::collections::BTreeMap;

/// Looks at everything that a plan leaves out, of what `observed` has. What may not be read is told of and hides nothing
/// else.
pub(crate) async fn gather(look: Look<'_>, observed: &Observed) -> Beyond {
    let mut found = Beyond::default();
    let parts = tokio::join!(
        Box::pin(network::gather(look, observed)),
        Box::pin(cluster::gather(look, observed)),
        Box::pin(serving::gather(look, observed)),
        Box::pin(bucket::gather(look, observed)),
        Box::pin(roles(look, observed)),
        Box::pin(own_secret(look, observed)),
    );
    for part in [parts.0, parts.1, parts.2, parts.3, parts.4, parts.5].into_iter().flatten() {
        found.add(part);
    }
    found.unread.sort();
    found.unread.dedup();
    found
}

/// What one question was about, and its answer.
pub(super) struct Part {
    what: String,
    answer: Result<Beyond, Failure>,
}

impl Part {
    fn new(what: impl Into<String>, answer: Result<Beyond, Failure>) -> Part {
        Part { what: what.into(), answer }
    }
}

trait Add {
    fn add(&mut self, part: Part);
    fn set(&mut self, id: &Id, path: &'static str, value: impl Into<Value>);
}

impl Add for Beyond {
    fn add(&mut self, Part { what, answer }: Part) {
        match answer {
            Ok(part) => {
                self.whole.extend(part.whole);
                for (id, settings) in part.settings {
                    self.settings.entry(id).or_default().extend(settings);
                }
                self.foreign.extend(part.foreign);
            }
            // It went while we looked.
            Err(failure) if failure.is(Class::NotFound) => {}
            Err(failure) => self.unread.push(Unread { what, why: failure.to_string() }),
        }
    }

    fn set(&mut self, id: &Id, path: &'static str, value: impl Into<Value>) {
        self.settings.entry(id.clone()).or_default().insert(path, value.into());
    }
}

/// The stack's own objects of a kind, with AWS's id or name of each.
fn ours<'o>(
    observed: &'o Observed,
    kind: &'static str,
    output: &'static str,
) -> impl Iterator<Item = (&'o Live, &'o str)> {
    let of_kind = observed.values().filter(move |live| live.id.kind == kind && live.owned);
    of_kind.filter_map(move |live| Some((live, live.output(output)?)))
}

/// Policies on the stack's roles that auroraml did not put there.
async fn roles(look: Look<'_>, observed: &Observed) -> Vec<Part> {
    let all = ours(observed, "role", "name").map(async |(live, name)| {
        let answer = role::other_policies(look, name).await.map(|policies| Beyond {
            foreign: policies
                .into_iter()
                .map(|policy| Foreign {
                    on: live.id.clone(),
                    what: policy,
                    severity: Severity::Security,
                    why: "the role is allowed more, or less, than the spec asks for".into(),
                })
                .collect(),
            ..Beyond::default()
        });
        Part::new(format!("policies of the role {name}"), answer)
    });
    join_all(all).await
}

/// The stack's own secret; nothing of its content.
async fn own_secret(look: Look<'_>, observed: &Observed) -> Vec<Part> {
    let id = Id::new("secret", "master");
    if !observed.get(&id).is_some_and(|live| live.owned) {
        return Vec::new();
    }
    let answer = secret::live(look).await.map(|found| {
        let mut beyond = Beyond::default();
        if let Some(secret) = found.as_ref() {
            beyond.set(&id, "rotation", secret.rotation_enabled().unwrap_or_default());
            // AWS's own key is not named, or is named by its alias.
            let key = secret.kms_key_id().filter(|key| !key.ends_with("alias/aws/secretsmanager"));
            // One that the spec names is a property of the secret.
            if look.aws.scope.kms_key.is_none() {
                beyond.set(&id, "kms_key", key.map_or(Value::Null, Value::from));
            }
        }
        beyond
    });
    vec![Part::new("the secret", answer)]
}

/// What belongs to nobody else's stack and was not seen as one of ours, by AWS's ids.
fn known(observed: &Observed) -> BTreeMap<&str, &Id> {
    observed.values().filter_map(|live| Some((live.output("id")?, &live.id))).collect()
}
