//! Simulated IAM: one control plane for all regions, eventually consistent for everybody but itself.
//!
//! Facts: fact book, section 3 (codes, quotas, deletion order, propagation) and traps 35 to 38.

mod attachments;
mod details;
mod documents;
mod evaluate;
mod policies;
mod profiles;
mod roles;
mod sessions;

pub(crate) use documents::valid_policy;
pub(crate) use evaluate::{Context, Decision, decide_among};

use crate::account::{ACCOUNT, BIRTH_MS};
use crate::call::Call;
use crate::random::Random;
use crate::wire::{Fault, Params, Reply, Xml};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Tags on one role, policy or instance profile (fact book, section 3).
const TAGS_MAX: usize = 50;

type Answer = Result<Xml, Fault>;

/// All of IAM in the account. Entities are keyed by their name in lower case, because names are unique
/// ignoring case.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Iam {
    roles: BTreeMap<String, Role>,
    /// How many roles the account may have, where that is not the usual thousand, for tests.
    #[serde(default)]
    pub roles_max: Option<usize>,
    policies: BTreeMap<String, Policy>,
    profiles: BTreeMap<String, InstanceProfile>,
    /// Sessions of roles by the access key that they were given. None ends: nobody here waits an hour for it.
    #[serde(default)]
    sessions: BTreeMap<String, Session>,
}

/// A role that somebody has assumed.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Session {
    /// Key of the role in [`Iam::roles`].
    role: String,
    name: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Role {
    name: String,
    path: String,
    id: String,
    created: u64,
    /// When `ListRoles` begins to show it.
    listed: u64,
    /// When what asks for it by name finds it.
    #[serde(default)]
    found: u64,
    description: Option<String>,
    max_session_seconds: u64,
    boundary: Option<String>,
    trust: Trust,
    /// Trust before the last change, which other services still see until `usable`.
    trust_before: Option<Trust>,
    /// When other services see the present trust policy.
    usable: u64,
    /// Inline policy documents by name.
    inline: BTreeMap<String, String>,
    /// ARNs of attached managed policies.
    attached: Vec<String>,
    tags: BTreeMap<String, String>,
}

/// A trust policy, and the unique ids that its role principals had when it was written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Trust {
    document: String,
    principals: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Policy {
    name: String,
    path: String,
    id: String,
    description: Option<String>,
    created: u64,
    updated: u64,
    /// Documents by version number.
    versions: BTreeMap<u64, PolicyVersion>,
    default: u64,
    /// The highest version number ever given; numbers are not used twice.
    latest: u64,
    tags: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct PolicyVersion {
    document: String,
    created: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct InstanceProfile {
    name: String,
    path: String,
    id: String,
    created: u64,
    /// The role in it, as a key of [`Iam::roles`].
    role: Option<String>,
    tags: BTreeMap<String, String>,
}

impl Role {
    fn arn(&self) -> String {
        format!("arn:aws:iam::{ACCOUNT}:role{}{}", self.path, self.name)
    }
}

impl InstanceProfile {
    fn arn(&self) -> String {
        format!("arn:aws:iam::{ACCOUNT}:instance-profile{}{}", self.path, self.name)
    }
}

/// What other services need of IAM.
impl Iam {
    /// Whether `service` (such as `rds.amazonaws.com`) can assume the role at `now`: it exists, trusts the
    /// service, and its creation has propagated.
    pub fn assumable(&self, arn: &str, service: &str, now: u64) -> bool {
        let Some(role) = self.roles.values().find(|role| role.arn() == arn) else { return false };
        let seen = if now >= role.usable { Some(&role.trust) } else { role.trust_before.as_ref() };
        seen.is_some_and(|trust| documents::trusts(&trust.document, service))
    }

    /// The longest session in seconds, if a user of this account can assume the role at `now`.
    pub(crate) fn assumable_by_user(
        &self,
        arn: &str,
        user: &str,
        external: Option<&str>,
        now: u64,
    ) -> Option<u64> {
        let role = self.roles.values().find(|role| role.arn() == arn)?;
        let seen = if now >= role.usable { Some(&role.trust) } else { role.trust_before.as_ref() };
        let trusted = seen.is_some_and(|trust| documents::trusts_user(&trust.document, user, external));
        trusted.then_some(role.max_session_seconds)
    }

    /// Tags that nobody but AWS can set, on a role.
    pub(crate) fn mark(&mut self, role: &str, tags: &[(String, String)]) {
        if let Some(role) = self.roles.get_mut(&role.to_lowercase()) {
            role.tags.extend(tags.iter().cloned());
        }
    }

    /// Whether the role exists at all.
    pub fn role_exists(&self, arn: &str) -> bool {
        self.roles.values().any(|role| role.arn() == arn)
    }

    /// Whether the role's policies allow `action` on `resource`, and its permissions boundary too. Conditions are taken
    /// to hold.
    pub fn allows(&self, arn: &str, action: &str, resource: &str) -> bool {
        let Some(role) = self.roles.values().find(|role| role.arn() == arn) else { return false };
        let verdicts: Vec<bool> = role
            .inline
            .values()
            .cloned()
            .chain(role.attached.iter().filter_map(|policy| self.default_document(policy)))
            .filter_map(|document| documents::verdict(&document, action, resource))
            .collect();
        let within = role.boundary.as_ref().is_none_or(|boundary| {
            let boundary = self.default_document(boundary).unwrap_or_default();
            documents::verdict(&boundary, action, resource) == Some(true)
        });
        within && !verdicts.is_empty() && verdicts.iter().all(|allowed| *allowed)
    }

    fn role(&self, name: &str) -> Result<&Role, Fault> {
        self.roles.get(&name.to_lowercase()).ok_or_else(|| no_role(name))
    }

    /// The role, for a change by the customer: service-linked roles are not theirs to change.
    fn role_mut(&mut self, name: &str) -> Result<&mut Role, Fault> {
        let role = self.roles.get_mut(&name.to_lowercase()).ok_or_else(|| no_role(name))?;
        if role.path.starts_with("/aws-service-role/") {
            return Err(Fault::bad(
                "UnmodifiableEntity",
                format!(
                    "Cannot perform the operation on the protected role '{}' - this role is only modifiable by AWS",
                    role.name
                ),
            ));
        }
        Ok(role)
    }
}

fn no_role(name: &str) -> Fault {
    no_such(format!("The role with name {name} cannot be found."))
}

pub(crate) fn handle(call: &Call, iam: &mut Iam, random: &mut Random) -> Reply {
    if let Some(name) = call.params.get("RoleName").filter(|_| call.operation != "CreateRole")
        && iam.roles.get(&name.to_lowercase()).is_some_and(|role| call.now < role.found)
    {
        return Err(no_role(name));
    }
    let answer = match call.operation.as_str() {
        "CreateRole" => iam.create_role(call, random),
        "GetRole" => iam.get_role(call),
        "DeleteRole" => iam.delete_role(call),
        "UpdateRole" => iam.update_role(call),
        "UpdateRoleDescription" => iam.update_role_description(call),
        "UpdateAssumeRolePolicy" => iam.update_assume_role_policy(call, random),
        "ListRoles" => iam.list_roles(call),
        "PutRolePermissionsBoundary" => iam.put_role_permissions_boundary(call),
        "DeleteRolePermissionsBoundary" => iam.delete_role_permissions_boundary(call),
        "TagRole" => iam.tag_role(call),
        "UntagRole" => iam.untag_role(call),
        "ListRoleTags" => iam.list_role_tags(call),
        "CreateServiceLinkedRole" => iam.create_service_linked_role(call, random),
        "PutRolePolicy" => iam.put_role_policy(call),
        "GetRolePolicy" => iam.get_role_policy(call),
        "DeleteRolePolicy" => iam.delete_role_policy(call),
        "ListRolePolicies" => iam.list_role_policies(call),
        "AttachRolePolicy" => iam.attach_role_policy(call),
        "DetachRolePolicy" => iam.detach_role_policy(call),
        "ListAttachedRolePolicies" => iam.list_attached_role_policies(call),
        "CreatePolicy" => iam.create_policy(call, random),
        "GetPolicy" => iam.get_policy(call),
        "DeletePolicy" => iam.delete_policy(call),
        "ListPolicies" => iam.list_policies(call),
        "ListEntitiesForPolicy" => iam.list_entities_for_policy(call),
        "CreatePolicyVersion" => iam.create_policy_version(call),
        "GetPolicyVersion" => iam.get_policy_version(call),
        "ListPolicyVersions" => iam.list_policy_versions(call),
        "DeletePolicyVersion" => iam.delete_policy_version(call),
        "SetDefaultPolicyVersion" => iam.set_default_policy_version(call),
        "TagPolicy" => iam.tag_policy(call),
        "UntagPolicy" => iam.untag_policy(call),
        "ListPolicyTags" => iam.list_policy_tags(call),
        "CreateInstanceProfile" => iam.create_instance_profile(call, random),
        "GetInstanceProfile" => iam.get_instance_profile(call),
        "DeleteInstanceProfile" => iam.delete_instance_profile(call),
        "ListInstanceProfiles" => iam.list_instance_profiles(call),
        "ListInstanceProfilesForRole" => iam.list_instance_profiles_for_role(call),
        "AddRoleToInstanceProfile" => iam.add_role_to_instance_profile(call),
        "RemoveRoleFromInstanceProfile" => iam.remove_role_from_instance_profile(call),
        "TagInstanceProfile" => iam.tag_instance_profile(call),
        "UntagInstanceProfile" => iam.untag_instance_profile(call),
        "ListInstanceProfileTags" => iam.list_instance_profile_tags(call),
        "GetAccountAuthorizationDetails" => iam.authorization_details(call),
        "GetUser" => get_user(call),
        "GetAccountSummary" => iam.account_summary(),
        "SimulatePrincipalPolicy" => iam.simulate_principal_policy(call),
        _ => return Err(call.unknown()),
    };
    answer.map(Into::into)
}

/// The caller is the account's only user, the one that STS names.
fn get_user(call: &Call) -> Answer {
    if let Some(name) = call.params.get("UserName").filter(|name| *name != "sandbox") {
        return Err(no_such(format!("The user with name {name} cannot be found.")));
    }
    let mut xml = Xml::new();
    xml.element("User", |x| {
        x.text("Path", "/");
        x.text("UserName", "sandbox");
        x.text("UserId", crate::sts::USER_ID);
        x.text("Arn", crate::sts::user_arn());
        x.text("CreateDate", date(BIRTH_MS));
    });
    Ok(xml)
}

fn no_such(message: String) -> Fault {
    Fault::new(404, "NoSuchEntity", message)
}

fn limit(message: String) -> Fault {
    Fault::new(409, "LimitExceeded", message)
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::bad("ValidationError", message)
}

/// A required parameter; IAM's answer to its absence is a `ValidationError`.
fn need<'a>(call: &'a Call, name: &str) -> Result<&'a str, Fault> {
    call.params.get(name).filter(|value| !value.is_empty()).ok_or_else(|| {
        let mut member = name.to_string();
        if let Some(first) = member.get_mut(..1) {
            first.make_ascii_lowercase();
        }
        invalid(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        ))
    })
}

/// A required name of an entity, of at most `length_max` letters, digits and `+=,.@_-`.
fn need_name<'a>(call: &'a Call, parameter: &str, length_max: usize) -> Result<&'a str, Fault> {
    let name = need(call, parameter)?;
    if name.len() > length_max {
        return Err(invalid(format!(
            "1 validation error detected: Value at '{parameter}' failed to satisfy constraint: Member must have length less than or equal to {length_max}"
        )));
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c)) {
        return Err(invalid(format!(
            "The specified value for {parameter} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
        )));
    }
    Ok(name)
}

/// The path of a new entity: `/`, or something between slashes.
fn path(call: &Call) -> Result<String, Fault> {
    let path = call.params.get("Path").unwrap_or("/");
    if path.starts_with('/') && path.ends_with('/') && path.len() <= 512 {
        Ok(path.to_string())
    } else {
        Err(invalid(
            "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
        ))
    }
}

/// A unique id such as `AROA…`: four letters of kind, then 17 upper-case letters and digits.
fn unique_id(kind: &str, random: &mut Random) -> String {
    format!("{kind}{}", random.letters(17).to_uppercase())
}

/// IAM shows whole seconds.
pub(crate) fn date(at_ms: u64) -> String {
    let seconds = i64::try_from(at_ms / 1000).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The new value of an entity's tags when those in the request are added. Keys are compared ignoring
/// case, and the case of the newest wins.
fn merge_tags(
    present: &BTreeMap<String, String>,
    params: &Params,
) -> Result<BTreeMap<String, String>, Fault> {
    let mut merged = present.clone();
    let mut seen = Vec::new();
    for tag in params.items("Tags") {
        let key = tag.get("Key").unwrap_or_default();
        let value = tag.get("Value").unwrap_or_default();
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(invalid(
                "1 validation error detected: Value at 'tags' failed to satisfy constraint: a key has 1 to 128 characters, a value at most 256",
            ));
        }
        if key.to_lowercase().starts_with("aws:") {
            return Err(Fault::bad(
                "InvalidInput",
                "Tag keys beginning with aws: are reserved for system use",
            ));
        }
        if seen.contains(&key.to_lowercase()) {
            return Err(Fault::bad(
                "InvalidInput",
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
        seen.push(key.to_lowercase());
        merged.retain(|old, _| !old.eq_ignore_ascii_case(key));
        merged.insert(key.to_string(), value.to_string());
    }
    if merged.len() > TAGS_MAX {
        return Err(limit("The number of tags has reached the maximum limit.".into()));
    }
    Ok(merged)
}

fn remove_tags(tags: &mut BTreeMap<String, String>, params: &Params) {
    for key in params.list("TagKeys") {
        tags.retain(|old, _| !old.eq_ignore_ascii_case(&key));
    }
}

fn write_tags(xml: &mut Xml, tags: &BTreeMap<String, String>) {
    xml.list("Tags", "member", tags, |x, (key, value)| {
        x.text("Key", key);
        x.text("Value", value);
    });
}

fn tag_list(tags: &BTreeMap<String, String>) -> Answer {
    let mut xml = Xml::new();
    write_tags(&mut xml, tags);
    xml.text("IsTruncated", false);
    Ok(xml)
}

/// One page of a list, its members sorted by `key`. The marker is the key of the last member shown, so
/// that what comes and goes between two pages shifts nothing.
fn page<T>(
    call: &Call,
    members: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> String,
) -> Result<(Vec<T>, Option<String>), Fault> {
    let size = match call.params.get("MaxItems") {
        None => 100,
        Some(text) => text
            .parse::<usize>()
            .ok()
            .filter(|size| (1..=1000).contains(size))
            .ok_or_else(|| invalid("Value at 'maxItems' failed to satisfy constraint: 1 to 1000"))?,
    };
    let after = match call.params.get("Marker") {
        None => None,
        Some(marker) => {
            let bytes = STANDARD.decode(marker).map_err(|_| invalid("Invalid Marker."))?;
            Some(String::from_utf8(bytes).map_err(|_| invalid("Invalid Marker."))?)
        }
    };
    let mut members: Vec<T> = members
        .into_iter()
        .filter(|member| after.as_ref().is_none_or(|after| key(member) > *after))
        .collect();
    members.sort_by_key(&key);
    let more = members.len() > size;
    members.truncate(size);
    let marker = members.last().filter(|_| more).map(|last| STANDARD.encode(key(last)));
    Ok((members, marker))
}

fn write_marker(xml: &mut Xml, marker: Option<String>) {
    xml.text("IsTruncated", marker.is_some());
    xml.optional("Marker", marker);
}
