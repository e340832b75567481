//! Policies that callers are held to who are no role's session: as if they had these, and nothing else.

use crate::iam::{Context, Decision, decide_among, valid_policy};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Documents by the access key of whom they bind. They are part of the world, because what a request does depends on
/// them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, Vec<Value>>", into = "BTreeMap<String, Vec<Value>>")]
pub struct Enforced(BTreeMap<String, Arc<[Value]>>);

/// The key under which the documents stand that bind everybody else.
const EVERYBODY: &str = "";

impl From<BTreeMap<String, Vec<Value>>> for Enforced {
    fn from(all: BTreeMap<String, Vec<Value>>) -> Enforced {
        Enforced(all.into_iter().map(|(key, documents)| (key, documents.into())).collect())
    }
}

impl From<Enforced> for BTreeMap<String, Vec<Value>> {
    fn from(enforced: Enforced) -> BTreeMap<String, Vec<Value>> {
        enforced.0.into_iter().map(|(key, documents)| (key, documents.to_vec())).collect()
    }
}

impl Enforced {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Binds everybody to these documents; to nothing any more without any.
    ///
    /// # Errors
    /// What IAM says of a document that is no policy.
    pub fn everybody(&mut self, documents: Vec<Value>) -> Result<(), String> {
        self.caller(EVERYBODY, documents)
    }

    /// Binds whoever comes with this access key.
    ///
    /// # Errors
    /// What IAM says of a document that is no policy.
    pub fn caller(&mut self, access_key: &str, documents: Vec<Value>) -> Result<(), String> {
        for document in &documents {
            valid_policy(document)?;
        }
        match documents.is_empty() {
            true => drop(self.0.remove(access_key)),
            false => drop(self.0.insert(access_key.to_string(), documents.into())),
        }
        Ok(())
    }

    /// The documents that bind this caller, if any do.
    pub(crate) fn of(&self, access_key: &str) -> Option<&[Value]> {
        self.0.get(access_key).or_else(|| self.0.get(EVERYBODY)).map(|documents| &**documents)
    }
}

/// Why the documents do not allow this, if so: IAM User Guide, "Troubleshoot access denied error messages".
pub(crate) fn refusal(
    documents: &[Value],
    action: &str,
    resource: &str,
    context: &Context,
) -> Option<String> {
    match decide_among(documents, action, resource, context) {
        Decision::Allowed => None,
        Decision::Denied => Some("with an explicit deny in an identity-based policy".into()),
        Decision::Unsaid => Some(format!("because no identity-based policy allows the {action} action")),
    }
}
