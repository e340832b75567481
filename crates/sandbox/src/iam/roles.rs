//! Roles: their trust, their tags, and when other services see them.

use super::documents::{self, Kind};
use super::{
    Answer, Iam, Role, Trust, date, invalid, limit, merge_tags, need, need_name, no_such, page, path,
    remove_tags, tag_list, unique_id, write_marker, write_tags,
};
use crate::account::ACCOUNT;
use crate::call::Call;
use crate::random::Random;
use crate::wire::{Fault, Xml};
use std::collections::BTreeMap;

const ROLES_MAX: usize = 1000;
const NAME_MAX: usize = 64;
/// Characters of a trust policy, white space not counted.
const TRUST_MAX: usize = 2048;

fn write_role(xml: &mut Xml, name: &str, role: &Role, iam: &Iam, whole: bool) {
    xml.element(name, |x| write_role_fields(x, role, iam, whole));
}

/// The fields of a role. Lists leave out tags and boundary (`whole` false), as AWS does.
pub(super) fn write_role_fields(x: &mut Xml, role: &Role, iam: &Iam, whole: bool) {
    x.text("Path", &role.path);
    x.text("RoleName", &role.name);
    x.text("RoleId", &role.id);
    x.text("Arn", role.arn());
    x.text("CreateDate", date(role.created));
    x.text("AssumeRolePolicyDocument", documents::encode(&iam.shown_trust(&role.trust)));
    x.optional("Description", role.description.as_ref());
    x.text("MaxSessionDuration", role.max_session_seconds);
    if whole {
        if let Some(boundary) = &role.boundary {
            x.element("PermissionsBoundary", |x| {
                x.text("PermissionsBoundaryType", "Policy");
                x.text("PermissionsBoundaryArn", boundary);
            });
        }
        if !role.tags.is_empty() {
            write_tags(x, &role.tags);
        }
        x.element("RoleLastUsed", |_| {});
    }
}

impl Iam {
    /// The trust document as IAM shows it: a principal whose role is gone, or was deleted and made again,
    /// appears as the unique id it once had (fact book, trap 36).
    pub(super) fn shown_trust(&self, trust: &Trust) -> String {
        let mut document = trust.document.clone();
        for (arn, id) in &trust.principals {
            if !self.roles.values().any(|role| role.arn() == *arn && role.id == *id) {
                document = document.replace(&format!("\"{arn}\""), &format!("\"{id}\""));
            }
        }
        document
    }

    /// Validates a trust document and looks its principals up. A role made moments ago is not a valid
    /// principal yet (fact book, section 3).
    fn read_trust(&self, document: &str, now: u64) -> Result<Trust, Fault> {
        let parsed = documents::validate(document, Kind::Trust)?;
        if documents::size(document) > TRUST_MAX {
            return Err(limit(format!("Cannot exceed quota for ACLSizePerRole: {TRUST_MAX}")));
        }
        let mut principals = BTreeMap::new();
        for arn in documents::aws_principals(&parsed) {
            if !arn.starts_with(&format!("arn:aws:iam::{ACCOUNT}:role/")) {
                continue;
            }
            let role = self.roles.values().find(|role| role.arn() == arn);
            match role.filter(|role| role.trust_before.is_some() || now >= role.usable) {
                Some(role) => principals.insert(arn, role.id.clone()),
                None => {
                    return Err(documents::malformed(format!(
                        "Invalid principal in policy: \"AWS\":\"{arn}\""
                    )));
                }
            };
        }
        Ok(Trust { document: document.to_string(), principals })
    }

    pub(super) fn create_role(&mut self, call: &Call, random: &mut Random) -> Answer {
        let name = need_name(call, "RoleName", NAME_MAX)?;
        let document = need(call, "AssumeRolePolicyDocument")?;
        let path = path(call)?;
        if path.starts_with("/aws-service-role/") {
            return Err(invalid("The path /aws-service-role/ is reserved for service-linked roles."));
        }
        let trust = self.read_trust(document, call.now)?;
        let role = Role {
            name: name.to_string(),
            path,
            id: unique_id("AROA", random),
            created: call.now,
            // Rare, and only in the list: IAM's own replicas disagree for a moment.
            listed: call.now + if random.chance(0.1) { random.duration(0.5, 2.0, 10.0) } else { 0 },
            found: call.now + late(random),
            description: description(call)?,
            max_session_seconds: session_seconds(call)?.unwrap_or(3600),
            boundary: self.boundary(call)?,
            trust,
            trust_before: None,
            usable: call.now + propagation(random),
            inline: BTreeMap::new(),
            attached: Vec::new(),
            tags: merge_tags(&BTreeMap::new(), &call.params)?,
        };
        self.add_role(role)
    }

    fn add_role(&mut self, role: Role) -> Answer {
        let key = role.name.to_lowercase();
        if self.roles.contains_key(&key) {
            return Err(Fault::new(
                409,
                "EntityAlreadyExists",
                format!("Role with name {} already exists.", role.name),
            ));
        }
        if self.roles.len() >= self.most_roles() {
            return Err(limit(format!("Cannot exceed quota for RolesPerAccount: {}", self.most_roles())));
        }
        let mut xml = Xml::new();
        write_role(&mut xml, "Role", &role, self, true);
        self.roles.insert(key, role);
        Ok(xml)
    }

    pub(super) fn get_role(&self, call: &Call) -> Answer {
        let role = self.role(need(call, "RoleName")?)?;
        let mut xml = Xml::new();
        write_role(&mut xml, "Role", role, self, true);
        Ok(xml)
    }

    pub(super) fn delete_role(&mut self, call: &Call) -> Answer {
        let name = need(call, "RoleName")?;
        let key = name.to_lowercase();
        let role = self.role_mut(name)?;
        let (attached, inline) = (!role.attached.is_empty(), !role.inline.is_empty());
        let conflict = if self.profiles.values().any(|profile| profile.role.as_ref() == Some(&key)) {
            "Cannot delete entity, must remove roles from instance profile first."
        } else if attached {
            "Cannot delete entity, must detach all policies first."
        } else if inline {
            "Cannot delete entity, must delete policies first."
        } else {
            self.roles.remove(&key);
            return Ok(Xml::new());
        };
        Err(Fault::new(409, "DeleteConflict", conflict))
    }

    pub(super) fn update_role(&mut self, call: &Call) -> Answer {
        let (description, seconds) = (description(call)?, session_seconds(call)?);
        let role = self.role_mut(need(call, "RoleName")?)?;
        if description.is_some() {
            role.description = description;
        }
        role.max_session_seconds = seconds.unwrap_or(role.max_session_seconds);
        Ok(Xml::new())
    }

    pub(super) fn update_role_description(&mut self, call: &Call) -> Answer {
        let description = description(call)?;
        let name = need(call, "RoleName")?;
        self.role_mut(name)?.description = description;
        let mut xml = Xml::new();
        write_role(&mut xml, "Role", self.role(name)?, self, true);
        Ok(xml)
    }

    pub(super) fn update_assume_role_policy(&mut self, call: &Call, random: &mut Random) -> Answer {
        let trust = self.read_trust(need(call, "PolicyDocument")?, call.now)?;
        let role = self.role_mut(need(call, "RoleName")?)?;
        let old = std::mem::replace(&mut role.trust, trust);
        if call.now >= role.usable {
            role.trust_before = Some(old);
        }
        role.usable = call.now + propagation(random);
        Ok(Xml::new())
    }

    fn most_roles(&self) -> usize {
        self.roles_max.unwrap_or(ROLES_MAX)
    }

    /// What there is in the account, and can be: IAM API Reference, GetAccountSummary. Only what concerns roles.
    pub(super) fn account_summary(&self) -> Answer {
        let all = [("Roles", self.roles.len()), ("RolesQuota", self.most_roles())];
        let mut xml = Xml::new();
        xml.list("SummaryMap", "entry", all, |x, (key, value)| {
            x.text("key", key).text("value", value);
        });
        Ok(xml)
    }

    pub(super) fn list_roles(&self, call: &Call) -> Answer {
        let prefix = call.params.get("PathPrefix").unwrap_or("/");
        let roles =
            self.roles.values().filter(|role| role.path.starts_with(prefix) && call.now >= role.listed);
        let (roles, marker) = page(call, roles, |role| role.name.to_lowercase())?;
        let mut xml = Xml::new();
        xml.list("Roles", "member", roles, |x, role| write_role_fields(x, role, self, false));
        write_marker(&mut xml, marker);
        Ok(xml)
    }

    pub(super) fn put_role_permissions_boundary(&mut self, call: &Call) -> Answer {
        need(call, "PermissionsBoundary")?;
        let boundary = self.boundary(call)?;
        self.role_mut(need(call, "RoleName")?)?.boundary = boundary;
        Ok(Xml::new())
    }

    pub(super) fn delete_role_permissions_boundary(&mut self, call: &Call) -> Answer {
        let name = need(call, "RoleName")?;
        match self.role_mut(name)?.boundary.take() {
            Some(_) => Ok(Xml::new()),
            None => Err(no_such(format!("Role {name} does not have a permissions boundary"))),
        }
    }

    fn boundary(&self, call: &Call) -> Result<Option<String>, Fault> {
        match call.params.get("PermissionsBoundary") {
            Some(arn) if self.default_document(arn).is_none() => {
                Err(no_such(format!("Scope ARN: {arn} does not exist or is not attachable.")))
            }
            boundary => Ok(boundary.map(str::to_string)),
        }
    }

    pub(super) fn tag_role(&mut self, call: &Call) -> Answer {
        let role = self.role_mut(need(call, "RoleName")?)?;
        role.tags = merge_tags(&role.tags, &call.params)?;
        Ok(Xml::new())
    }

    pub(super) fn untag_role(&mut self, call: &Call) -> Answer {
        remove_tags(&mut self.role_mut(need(call, "RoleName")?)?.tags, &call.params);
        Ok(Xml::new())
    }

    pub(super) fn list_role_tags(&self, call: &Call) -> Answer {
        tag_list(&self.role(need(call, "RoleName")?)?.tags)
    }

    pub(super) fn create_service_linked_role(&mut self, call: &Call, random: &mut Random) -> Answer {
        let service = need(call, "AWSServiceName")?;
        let suffix = service_suffix(service).ok_or_else(|| {
            let text = format!("The sandbox knows no service-linked role for {service}.");
            Fault::bad("InvalidInput", text)
        })?;
        let name = format!("AWSServiceRoleFor{suffix}");
        if self.roles.contains_key(&name.to_lowercase()) {
            return Err(Fault::bad(
                "InvalidInput",
                format!(
                    "Service role name {name} has been taken in this account, please try a different suffix."
                ),
            ));
        }
        let mut role = service_role(name, service, unique_id("AROA", random), call.now);
        role.description = call.params.get("Description").map(str::to_string);
        role.usable = call.now + propagation(random);
        self.add_role(role)
    }

    /// A service makes its role in the account when it is first used (RDS User Guide, "Using service-linked roles").
    pub(crate) fn make_service_role(&mut self, service: &str, now: u64) {
        let Some(suffix) = service_suffix(service) else { return };
        let name = format!("AWSServiceRoleFor{suffix}");
        self.roles.entry(name.to_lowercase()).or_insert_with(|| {
            // Not drawn: what comes after must not depend on whether this was the first use.
            let id =
                format!("AROA{:0<17}", suffix.to_uppercase().replace('_', "").get(..17).unwrap_or(suffix));
            service_role(name, service, id.to_uppercase(), now)
        });
    }
}

/// The names that the services here give; a service may have any.
fn service_suffix(service: &str) -> Option<&'static str> {
    Some(match service {
        "rds.amazonaws.com" => "RDS",
        "ec2.amazonaws.com" => "EC2",
        "sagemaker.amazonaws.com" => "AmazonSageMakerNotebooks",
        "sagemaker.application-autoscaling.amazonaws.com" => "ApplicationAutoScaling_SageMakerEndpoint",
        "guardduty.amazonaws.com" => "AmazonGuardDuty",
        _ => return None,
    })
}

fn service_role(name: String, service: &str, id: String, now: u64) -> Role {
    let document = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}],
    });
    Role {
        name,
        path: format!("/aws-service-role/{service}/"),
        id,
        created: now,
        listed: now,
        found: now,
        description: None,
        max_session_seconds: 3600,
        boundary: None,
        trust: Trust { document: document.to_string(), principals: BTreeMap::new() },
        trust_before: None,
        usable: now,
        inline: BTreeMap::new(),
        attached: Vec::new(),
        tags: BTreeMap::new(),
    }
}

/// For how long calls that name a new role may be answered with `NoSuchEntity`: IAM's own control plane has replicas
/// (IAM User Guide, "Changes that I make are not always immediately visible"; Terraform's provider repeats on it).
/// Drawn beside the sequence, which stays what it was.
fn late(random: &Random) -> u64 {
    let mut beside = random.clone();
    if beside.chance(0.25) { beside.duration(0.5, 2.0, 6.0) } else { 0 }
}

/// "IAM role usable by RDS/SageMaker": fact book, section 8.2.
fn propagation(random: &mut Random) -> u64 {
    random.duration(5.0, 12.0, 40.0)
}

fn description(call: &Call) -> Result<Option<String>, Fault> {
    match call.params.get("Description") {
        Some(text) if text.chars().count() > 1000 => Err(invalid(
            "1 validation error detected: Value at 'description' failed to satisfy constraint: Member must have length less than or equal to 1000",
        )),
        text => Ok(text.map(str::to_string)),
    }
}

fn session_seconds(call: &Call) -> Result<Option<u64>, Fault> {
    let Some(text) = call.params.get("MaxSessionDuration") else { return Ok(None) };
    match text.parse() {
        Ok(seconds) if (3600..=43_200).contains(&seconds) => Ok(Some(seconds)),
        _ => Err(invalid(
            "1 validation error detected: Value at 'maxSessionDuration' failed to satisfy constraint: 3600 to 43200",
        )),
    }
}
