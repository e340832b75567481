//! Managed policies and their versions, the account's and AWS's.

use super::documents::{self, Kind};
use super::evaluate::{Context, Decision};
use super::{
    Answer, Iam, Policy, PolicyVersion, date, invalid, limit, merge_tags, need, need_name, no_such, page,
    path, remove_tags, tag_list, unique_id, write_marker, write_tags,
};
use crate::account::ACCOUNT;
use crate::call::Call;
use crate::random::Random;
use crate::wire::{Fault, Xml};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Characters of a managed policy.
const MANAGED_MAX: usize = 6_144;
const VERSIONS_MAX: usize = 5;
const POLICIES_MAX: usize = 1500;

/// AWS managed policies of the services that Aurora machine learning touches, as AWS publishes them (the AWS Managed
/// Policy Reference Guide, by way of moto 5.2.1's copy). Others cannot be attached: nothing is made up.
static AWS_MANAGED: LazyLock<Vec<Managed>> = LazyLock::new(|| {
    // The file is part of the program, and a test reads it.
    serde_json::from_str(include_str!("managed.json")).unwrap_or_default()
});

#[derive(Deserialize)]
struct Managed {
    name: String,
    path: String,
    version: String,
    created: String,
    updated: String,
    document: Value,
}

/// The policy of AWS with this ARN.
fn aws_managed(arn: &str) -> Option<&'static Managed> {
    AWS_MANAGED.iter().find(|policy| aws_arn(&policy.path, &policy.name) == arn)
}

fn aws_arn(path: &str, name: &str) -> String {
    format!("arn:aws:iam::aws:policy{path}{name}")
}

impl Policy {
    fn arn(&self) -> String {
        format!("arn:aws:iam::{ACCOUNT}:policy{}{}", self.path, self.name)
    }
}

pub(super) fn no_policy(arn: &str) -> Fault {
    no_such(format!("Policy {arn} does not exist or is not attachable."))
}

fn version_number(text: &str) -> Option<u64> {
    text.strip_prefix('v')?.parse().ok()
}

impl Iam {
    /// The default version's document of a managed policy, the account's or AWS's.
    pub(super) fn default_document(&self, arn: &str) -> Option<String> {
        match aws_managed(arn) {
            Some(managed) => Some(managed.document.to_string()),
            None => {
                let policy = self.policies.values().find(|policy| policy.arn() == arn)?;
                Some(policy.versions.get(&policy.default)?.document.clone())
            }
        }
    }

    fn policy(&self, arn: &str) -> Result<&Policy, Fault> {
        self.policies.values().find(|policy| policy.arn() == arn).ok_or_else(|| no_policy(arn))
    }

    fn policy_mut(&mut self, arn: &str) -> Result<&mut Policy, Fault> {
        if aws_managed(arn).is_some() {
            return Err(Fault::new(
                403,
                "AccessDenied",
                format!("Policy {arn} is managed by AWS and cannot be changed"),
            ));
        }
        self.policies.values_mut().find(|policy| policy.arn() == arn).ok_or_else(|| no_policy(arn))
    }

    /// The names of the roles that a managed policy is attached to.
    fn attached_to(&self, arn: &str) -> Vec<&str> {
        let has = |attached: &[String]| attached.iter().any(|other| other == arn);
        self.roles.values().filter(|role| has(&role.attached)).map(|role| role.name.as_str()).collect()
    }

    pub(super) fn list_entities_for_policy(&self, call: &Call) -> Answer {
        let arn = need(call, "PolicyArn")?;
        if self.default_document(arn).is_none() {
            return Err(no_policy(arn));
        }
        let (names, marker) = page(call, self.attached_to(arn), |name| name.to_string())?;
        let mut xml = Xml::new();
        xml.element("PolicyGroups", |_| {});
        xml.element("PolicyUsers", |_| {});
        xml.list("PolicyRoles", "member", names, |x, name| {
            x.text("RoleName", name);
            x.optional("RoleId", self.role(name).ok().map(|role| &role.id));
        });
        write_marker(&mut xml, marker);
        Ok(xml)
    }

    pub(super) fn create_policy(&mut self, call: &Call, random: &mut Random) -> Answer {
        let name = need_name(call, "PolicyName", 128)?;
        let document = managed_document(call)?;
        let key = name.to_lowercase();
        if self.policies.contains_key(&key) {
            return Err(Fault::new(
                409,
                "EntityAlreadyExists",
                format!("A policy called {name} already exists. Duplicate names are not allowed."),
            ));
        }
        if self.policies.len() >= POLICIES_MAX {
            return Err(limit(format!("Cannot exceed quota for PoliciesPerAccount: {POLICIES_MAX}")));
        }
        let policy = Policy {
            name: name.to_string(),
            path: path(call)?,
            id: unique_id("ANPA", random),
            description: call.params.get("Description").map(str::to_string),
            created: call.now,
            updated: call.now,
            versions: BTreeMap::from([(1, PolicyVersion { document, created: call.now })]),
            default: 1,
            latest: 1,
            tags: merge_tags(&BTreeMap::new(), &call.params)?,
        };
        let mut xml = Xml::new();
        xml.element("Policy", |x| self.write_policy(x, &policy, false));
        self.policies.insert(key, policy);
        Ok(xml)
    }

    fn write_policy(&self, x: &mut Xml, policy: &Policy, whole: bool) {
        x.text("PolicyName", &policy.name);
        x.text("PolicyId", &policy.id);
        x.text("Arn", policy.arn());
        x.text("Path", &policy.path);
        x.text("DefaultVersionId", format!("v{}", policy.default));
        x.text("AttachmentCount", self.attached_to(&policy.arn()).len());
        x.text("PermissionsBoundaryUsageCount", 0);
        x.text("IsAttachable", true);
        x.text("CreateDate", date(policy.created));
        x.text("UpdateDate", date(policy.updated));
        if whole {
            x.optional("Description", policy.description.as_ref());
            if !policy.tags.is_empty() {
                write_tags(x, &policy.tags);
            }
        }
    }

    fn write_managed(&self, x: &mut Xml, policy: &Managed) {
        let arn = aws_arn(&policy.path, &policy.name);
        x.text("PolicyName", &policy.name);
        x.text("PolicyId", managed_id(&policy.name));
        x.text("AttachmentCount", self.attached_to(&arn).len());
        x.text("Arn", arn);
        x.text("Path", &policy.path);
        x.text("DefaultVersionId", &policy.version);
        x.text("PermissionsBoundaryUsageCount", 0);
        x.text("IsAttachable", true);
        x.text("CreateDate", &policy.created);
        x.text("UpdateDate", &policy.updated);
    }

    pub(super) fn get_policy(&self, call: &Call) -> Answer {
        let arn = need(call, "PolicyArn")?;
        let mut xml = Xml::new();
        if let Some(managed) = aws_managed(arn) {
            xml.element("Policy", |x| self.write_managed(x, managed));
        } else {
            let policy = self.policy(arn)?;
            xml.element("Policy", |x| self.write_policy(x, policy, true));
        }
        Ok(xml)
    }

    pub(super) fn delete_policy(&mut self, call: &Call) -> Answer {
        let arn = need(call, "PolicyArn")?;
        let policy = self.policy_mut(arn)?;
        let (key, versions) = (policy.name.to_lowercase(), policy.versions.len());
        let boundary = |role: &super::Role| role.boundary.as_deref() == Some(arn);
        let conflict = if !self.attached_to(arn).is_empty() || self.roles.values().any(boundary) {
            "Cannot delete a policy attached to entities."
        } else if versions > 1 {
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy."
        } else {
            self.policies.remove(&key);
            return Ok(Xml::new());
        };
        Err(Fault::new(409, "DeleteConflict", conflict))
    }

    pub(super) fn list_policies(&self, call: &Call) -> Answer {
        let scope = call.params.get("Scope").unwrap_or("All");
        let prefix = call.params.get("PathPrefix").unwrap_or("/");
        let only_attached = call.params.flag("OnlyAttached") == Some(true);
        let mut entries: Vec<(String, String)> = Vec::new();
        if scope != "AWS" {
            entries.extend(self.policies.values().map(|p| (p.arn(), p.path.clone())));
        }
        if scope != "Local" {
            let all = AWS_MANAGED.iter();
            entries.extend(all.map(|policy| (aws_arn(&policy.path, &policy.name), policy.path.clone())));
        }
        entries.retain(|(arn, path)| {
            path.starts_with(prefix) && (!only_attached || !self.attached_to(arn).is_empty())
        });
        let (entries, marker) = page(call, entries, |(arn, _)| arn.clone())?;
        let mut xml = Xml::new();
        xml.list("Policies", "member", entries, |x, (arn, _)| match (aws_managed(&arn), self.policy(&arn)) {
            (Some(managed), _) => self.write_managed(x, managed),
            (None, Ok(policy)) => self.write_policy(x, policy, false),
            (None, Err(_)) => {}
        });
        write_marker(&mut xml, marker);
        Ok(xml)
    }

    pub(super) fn create_policy_version(&mut self, call: &Call) -> Answer {
        let document = managed_document(call)?;
        let policy = self.policy_mut(need(call, "PolicyArn")?)?;
        if policy.versions.len() >= VERSIONS_MAX {
            return Err(limit(format!(
                "A managed policy can have up to {VERSIONS_MAX} versions. Before you create a new version, you must delete an existing version."
            )));
        }
        policy.latest += 1;
        policy.updated = call.now;
        policy.versions.insert(policy.latest, PolicyVersion { document, created: call.now });
        if call.params.flag("SetAsDefault") == Some(true) {
            policy.default = policy.latest;
        }
        let mut xml = Xml::new();
        xml.element("PolicyVersion", |x| write_version(x, policy, policy.latest, false));
        Ok(xml)
    }

    pub(super) fn get_policy_version(&self, call: &Call) -> Answer {
        let (arn, version) = (need(call, "PolicyArn")?, need(call, "VersionId")?);
        let mut xml = Xml::new();
        if let Some(managed) = aws_managed(arn).filter(|managed| version == managed.version) {
            xml.element("PolicyVersion", |x| {
                x.text("Document", documents::encode(&managed.document.to_string()));
                x.text("VersionId", &managed.version);
                x.text("IsDefaultVersion", true);
                x.text("CreateDate", &managed.updated);
            });
            return Ok(xml);
        }
        let policy = self.policy(arn)?;
        let number = existing_version(policy, version)?;
        xml.element("PolicyVersion", |x| write_version(x, policy, number, true));
        Ok(xml)
    }

    pub(super) fn list_policy_versions(&self, call: &Call) -> Answer {
        let arn = need(call, "PolicyArn")?;
        let mut xml = Xml::new();
        if let Some(managed) = aws_managed(arn) {
            // The older ones are not known here.
            xml.list("Versions", "member", [managed], |x, managed| {
                x.text("VersionId", &managed.version);
                x.text("IsDefaultVersion", true);
                x.text("CreateDate", &managed.updated);
            });
        } else {
            let policy = self.policy(arn)?;
            xml.list("Versions", "member", policy.versions.keys().rev(), |x, number| {
                write_version(x, policy, *number, false);
            });
        }
        xml.text("IsTruncated", false);
        Ok(xml)
    }

    pub(super) fn delete_policy_version(&mut self, call: &Call) -> Answer {
        let policy = self.policy_mut(need(call, "PolicyArn")?)?;
        let number = existing_version(policy, need(call, "VersionId")?)?;
        if number == policy.default {
            return Err(Fault::new(409, "DeleteConflict", "Cannot delete the default version of a policy."));
        }
        policy.versions.remove(&number);
        Ok(Xml::new())
    }

    pub(super) fn set_default_policy_version(&mut self, call: &Call) -> Answer {
        let policy = self.policy_mut(need(call, "PolicyArn")?)?;
        policy.default = existing_version(policy, need(call, "VersionId")?)?;
        policy.updated = call.now;
        Ok(Xml::new())
    }

    pub(super) fn tag_policy(&mut self, call: &Call) -> Answer {
        let policy = self.policy_mut(need(call, "PolicyArn")?)?;
        policy.tags = merge_tags(&policy.tags, &call.params)?;
        Ok(Xml::new())
    }

    pub(super) fn untag_policy(&mut self, call: &Call) -> Answer {
        remove_tags(&mut self.policy_mut(need(call, "PolicyArn")?)?.tags, &call.params);
        Ok(Xml::new())
    }

    pub(super) fn list_policy_tags(&self, call: &Call) -> Answer {
        tag_list(&self.policy(need(call, "PolicyArn")?)?.tags)
    }

    /// The sandbox's user may do everything; a role may do what its policies say.
    pub(super) fn simulate_principal_policy(&self, call: &Call) -> Answer {
        let arn = need(call, "PolicySourceArn")?;
        let is_user = arn == crate::sts::user_arn();
        if !is_user && !self.role_exists(arn) {
            return Err(no_such(format!("Invalid Entity Arn: {arn} does not exist.")));
        }
        let actions = call.params.list("ActionNames");
        if actions.is_empty() {
            return Err(invalid(
                "Value at 'actionNames' failed to satisfy constraint: Member must not be null",
            ));
        }
        let mut resources = call.params.list("ResourceArns");
        if resources.is_empty() {
            resources.push("*".into());
        }
        // Keys that policies ask for and the request does not give are told, and the decision is made without them (API
        // reference, EvaluationResult). Whoever gives no context at all is told what is allowed if all conditions hold:
        // more than AWS does.
        let context: Option<Context> = call
            .params
            .items("ContextEntries")
            .iter()
            .map(|entry| {
                // Values are texts here, of whatever type.
                entry.get("ContextKeyType")?;
                Some((entry.get("ContextKeyName")?.to_lowercase(), entry.list("ContextKeyValues")))
            })
            .collect::<Option<Context>>()
            .filter(|context| !context.is_empty());
        let pairs = actions.iter().flat_map(|a| resources.iter().map(move |r| (a.as_str(), r.as_str())));
        let mut xml = Xml::new();
        xml.list("EvaluationResults", "member", pairs, |x, (action, resource)| {
            let (decision, missing) = match &context {
                _ if is_user => (Decision::Allowed, Vec::new()),
                Some(context) => self.simulated(arn, action, resource, context),
                None if self.allows(arn, action, resource) => (Decision::Allowed, Vec::new()),
                None => (Decision::Unsaid, Vec::new()),
            };
            let decision = match decision {
                Decision::Allowed => "allowed",
                Decision::Denied => "explicitDeny",
                Decision::Unsaid => "implicitDeny",
            };
            x.text("EvalActionName", action)
                .text("EvalResourceName", resource)
                .text("EvalDecision", decision);
            x.element("MatchedStatements", |_| {});
            x.texts("MissingContextValues", "member", missing);
        });
        xml.text("IsTruncated", false);
        Ok(xml)
    }
}

/// The unique id of an AWS managed policy: the same in every world.
fn managed_id(name: &str) -> String {
    let letters: String = name.to_uppercase().chars().filter(char::is_ascii_alphanumeric).take(17).collect();
    format!("ANPA{letters:0<17}")
}

fn managed_document(call: &Call) -> Result<String, Fault> {
    let document = need(call, "PolicyDocument")?;
    documents::validate(document, Kind::Identity)?;
    if documents::size(document) > MANAGED_MAX {
        return Err(limit(format!("Cannot exceed quota for PolicySize: {MANAGED_MAX}")));
    }
    Ok(document.to_string())
}

fn existing_version(policy: &Policy, version: &str) -> Result<u64, Fault> {
    version_number(version).filter(|number| policy.versions.contains_key(number)).ok_or_else(|| {
        no_such(format!("Policy {} version {version} does not exist or is not attachable.", policy.arn()))
    })
}

fn write_version(x: &mut Xml, policy: &Policy, number: u64, with_document: bool) {
    let Some(version) = policy.versions.get(&number) else { return };
    if with_document {
        x.text("Document", documents::encode(&version.document));
    }
    x.text("VersionId", format!("v{number}"));
    x.text("IsDefaultVersion", number == policy.default);
    x.text("CreateDate", date(version.created));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_of_aws_grant_what_they_do_there() {
        assert!(AWS_MANAGED.len() >= 15, "the file is read");
        for policy in AWS_MANAGED.iter() {
            documents::validate(&policy.document.to_string(), Kind::Identity).unwrap();
        }
        let access = aws_managed("arn:aws:iam::aws:policy/AmazonSageMakerFullAccess").unwrap();
        let text = access.document.to_string();
        // Names and tags bound what it may do with objects (fact book, appendix F, item 12).
        assert!(text.contains("arn:aws:s3:::*SageMaker*") && text.contains("s3:ExistingObjectTag/SageMaker"));
        assert!(
            aws_managed("arn:aws:iam::aws:policy/ReadOnlyAccess").is_none(),
            "not known, so not attachable"
        );
    }
}
