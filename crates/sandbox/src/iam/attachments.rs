//! The policies of a role: inline documents and attached managed policies.

use super::documents::{self, Kind};
use super::policies::no_policy;
use super::{Answer, Iam, limit, need, need_name, no_such, page, write_marker};
use crate::call::Call;
use crate::wire::{Fault, Xml};

/// Managed policies on one role.
const ATTACHED_MAX: usize = 10;
/// Characters of all inline policies of a role together.
const INLINE_MAX: usize = 10_240;

impl Iam {
    pub(super) fn put_role_policy(&mut self, call: &Call) -> Answer {
        let name = need_name(call, "PolicyName", 128)?;
        let document = need(call, "PolicyDocument")?;
        let role = self.role_mut(need(call, "RoleName")?)?;
        documents::validate(document, Kind::Identity)?;
        let others: usize = role
            .inline
            .iter()
            .filter(|(other, _)| *other != name)
            .map(|(_, document)| documents::size(document))
            .sum();
        if others + documents::size(document) > INLINE_MAX {
            return Err(limit(format!(
                "Maximum policy size of {INLINE_MAX} bytes exceeded for role {}",
                role.name
            )));
        }
        role.inline.insert(name.to_string(), document.to_string());
        Ok(Xml::new())
    }

    pub(super) fn get_role_policy(&self, call: &Call) -> Answer {
        let (role, name) = (self.role(need(call, "RoleName")?)?, need(call, "PolicyName")?);
        let document = role.inline.get(name).ok_or_else(|| no_inline(name))?;
        let mut xml = Xml::new();
        xml.text("RoleName", &role.name);
        xml.text("PolicyName", name);
        xml.text("PolicyDocument", documents::encode(document));
        Ok(xml)
    }

    pub(super) fn delete_role_policy(&mut self, call: &Call) -> Answer {
        let name = need(call, "PolicyName")?;
        let role = self.role_mut(need(call, "RoleName")?)?;
        role.inline.remove(name).map(|_| Xml::new()).ok_or_else(|| no_inline(name))
    }

    pub(super) fn list_role_policies(&self, call: &Call) -> Answer {
        let role = self.role(need(call, "RoleName")?)?;
        let (names, marker) = page(call, role.inline.keys(), |name| name.to_string())?;
        let mut xml = Xml::new();
        xml.texts("PolicyNames", "member", names);
        write_marker(&mut xml, marker);
        Ok(xml)
    }

    pub(super) fn attach_role_policy(&mut self, call: &Call) -> Answer {
        let arn = need(call, "PolicyArn")?.to_string();
        if !arn.starts_with("arn:") {
            return Err(Fault::bad("InvalidInput", format!("ARN {arn} is not valid.")));
        }
        let exists = self.default_document(&arn).is_some();
        let role = self.role_mut(need(call, "RoleName")?)?;
        if !exists {
            return Err(no_policy(&arn));
        }
        if !role.attached.contains(&arn) {
            if role.attached.len() >= ATTACHED_MAX {
                return Err(limit(format!("Cannot exceed quota for PoliciesPerRole: {ATTACHED_MAX}")));
            }
            role.attached.push(arn);
        }
        Ok(Xml::new())
    }

    pub(super) fn detach_role_policy(&mut self, call: &Call) -> Answer {
        let arn = need(call, "PolicyArn")?;
        let role = self.role_mut(need(call, "RoleName")?)?;
        match role.attached.iter().position(|other| other == arn) {
            Some(index) => {
                role.attached.remove(index);
                Ok(Xml::new())
            }
            None => Err(no_such(format!("Policy {arn} was not found."))),
        }
    }

    pub(super) fn list_attached_role_policies(&self, call: &Call) -> Answer {
        let role = self.role(need(call, "RoleName")?)?;
        let (arns, marker) = page(call, &role.attached, |arn| arn.to_string())?;
        let mut xml = Xml::new();
        xml.list("AttachedPolicies", "member", arns, |x, arn| {
            x.text("PolicyName", arn.rsplit('/').next().unwrap_or_default());
            x.text("PolicyArn", arn);
        });
        write_marker(&mut xml, marker);
        Ok(xml)
    }
}

fn no_inline(name: &str) -> Fault {
    no_such(format!("The role policy with name {name} cannot be found."))
}
