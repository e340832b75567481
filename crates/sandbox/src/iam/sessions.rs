//! Sessions of roles: who may take a role on with an identity from elsewhere, and what a session may do.

use super::documents::{statements, strings};
use super::evaluate::{Context, Decision, conditions_hold, decide, wanted_keys};
use super::{Iam, Role, Session};
use crate::account::ACCOUNT;
use crate::random::Random;
use serde_json::Value;
use std::collections::BTreeMap;

impl Iam {
    /// What AssumeRoleWithWebIdentity does for whoever has a token of `provider` (its ARN) with these claims, such as
    /// `("token.actions.githubusercontent.com:sub", "repo:a/b:pull_request")`: the access key of a new session, or
    /// nothing where the role's trust policy does not let them in. Requests with that key are those of the role, and
    /// its policies are enforced.
    pub fn assume_with_web_identity(
        &mut self,
        role_arn: &str,
        provider: &str,
        claims: &[(&str, &str)],
    ) -> Option<String> {
        let context: Context =
            claims.iter().map(|(key, value)| (key.to_lowercase(), vec![value.to_string()])).collect();
        let (key, role) = self.roles.iter().find(|(_, role)| role.arn() == role_arn)?;
        lets_in(role, provider, &context).then_some(())?;
        let key = key.clone();
        let access_key = format!("ASIASESSION{:09}", self.sessions.len());
        self.sessions.insert(access_key.clone(), Session { role: key, name: "session".into() });
        Some(access_key)
    }

    /// Makes a session of the role that somebody has assumed under this name: its access key.
    pub(crate) fn open_session(&mut self, role_arn: &str, name: &str, random: &mut Random) -> Option<String> {
        let (key, _) = self.roles.iter().find(|(_, role)| role.arn() == role_arn)?;
        let session = Session { role: key.clone(), name: name.into() };
        let access_key = format!("ASIA{}", random.letters(16).to_uppercase());
        self.sessions.insert(access_key.clone(), session);
        Some(access_key)
    }

    /// Unique id of the session, if the access key is that of one.
    pub(crate) fn session_id(&self, access_key: &str) -> Option<String> {
        let session = self.sessions.get(access_key)?;
        Some(format!("{}:{}", self.roles.get(&session.role)?.id, session.name))
    }

    /// ARN of the session, if the access key is that of one.
    pub(crate) fn session_arn(&self, access_key: &str) -> Option<String> {
        let Session { role, name } = self.sessions.get(access_key)?;
        let role = self.roles.get(role).map_or(role.as_str(), |role| &role.name);
        Some(format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}"))
    }

    /// Why the session may not do this, if so.
    pub(crate) fn refusal(
        &self,
        access_key: &str,
        action: &str,
        resource: &str,
        context: &Context,
    ) -> Option<String> {
        let role = self.sessions.get(access_key).and_then(|session| self.roles.get(&session.role));
        let role = match role {
            Some(role) => role,
            None => return Some(format!("because no identity-based policy allows the {action} action")),
        };
        let attached: Vec<String> =
            role.attached.iter().filter_map(|policy| self.default_document(policy)).collect();
        let identity = role.inline.values().chain(&attached).map(String::as_str);
        match decide(identity, action, resource, context) {
            Decision::Denied => return Some("with an explicit deny in an identity-based policy".into()),
            Decision::Unsaid => {
                return Some(format!("because no identity-based policy allows the {action} action"));
            }
            Decision::Allowed => {}
        }
        let boundary = role.boundary.as_ref().map(|arn| self.default_document(arn).unwrap_or_default())?;
        match decide([boundary.as_str()].into_iter(), action, resource, context) {
            Decision::Denied => Some("with an explicit deny in a permissions boundary".into()),
            Decision::Unsaid => Some(format!("because no permissions boundary allows the {action} action")),
            Decision::Allowed => None,
        }
    }

    /// What the simulator says of a role's request, and the keys that its policies ask for and the request does not have.
    pub(super) fn simulated(
        &self,
        arn: &str,
        action: &str,
        resource: &str,
        context: &Context,
    ) -> (Decision, Vec<String>) {
        let Some(role) = self.roles.values().find(|role| role.arn() == arn) else {
            return (Decision::Unsaid, Vec::new());
        };
        let attached = role.attached.iter().filter_map(|policy| self.default_document(policy));
        let identity: Vec<String> = role.inline.values().cloned().chain(attached).collect();
        let boundary = role.boundary.as_ref().map(|arn| self.default_document(arn).unwrap_or_default());
        let mut decision = decide(identity.iter().map(String::as_str), action, resource, context);
        if let (Decision::Allowed, Some(boundary)) = (decision, &boundary) {
            decision = decide([boundary.as_str()].into_iter(), action, resource, context);
        }
        let documents = identity.iter().chain(&boundary).map(String::as_str);
        let missing = wanted_keys(documents, action, resource).into_iter();
        let missing = missing.filter(|key| !context.contains_key(&key.to_lowercase()));
        (decision, missing.collect())
    }

    /// Roles, with their boundaries: for tests of what is made.
    pub fn boundaries(&self) -> impl Iterator<Item = (String, Option<&str>)> {
        self.roles.values().map(|role| (role.arn(), role.boundary.as_deref()))
    }

    /// Whether the account has a service-linked role of this service.
    pub(crate) fn is_linked(&self, service: &str) -> bool {
        let path = format!("/aws-service-role/{service}/");
        self.roles.values().any(|role| role.path == path)
    }

    /// ARN and tags of a role.
    pub(crate) fn described(&self, name: &str) -> Option<(String, BTreeMap<String, String>, Option<&str>)> {
        let role = self.roles.get(&name.to_lowercase())?;
        Some((role.arn(), role.tags.clone(), role.boundary.as_deref()))
    }
}

/// Whether the trust policy lets somebody in with a token of the provider.
fn lets_in(role: &Role, provider: &str, context: &Context) -> bool {
    let Ok(document) = serde_json::from_str::<Value>(&role.trust.document) else { return false };
    let mut allowed = false;
    for statement in statements(&document) {
        let principal = statement.get("Principal").and_then(|principal| principal.get("Federated"));
        let action = strings(statement.get("Action")).contains(&"sts:AssumeRoleWithWebIdentity");
        if action && strings(principal).contains(&provider) && conditions_hold(statement, context) {
            if statement.get("Effect").and_then(Value::as_str) == Some("Deny") {
                return false;
            }
            allowed = true;
        }
    }
    allowed
}
