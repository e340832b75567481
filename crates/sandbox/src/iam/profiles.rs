//! Instance profiles: the containers in which EC2 takes a role.

use super::roles::write_role_fields;
use super::{
    Answer, Iam, InstanceProfile, date, limit, merge_tags, need, need_name, no_such, page, path, remove_tags,
    tag_list, unique_id, write_marker, write_tags,
};
use crate::call::Call;
use crate::random::Random;
use crate::wire::{Fault, Xml};
use std::collections::BTreeMap;

const PROFILES_MAX: usize = 1000;

fn no_profile(name: &str) -> Fault {
    no_such(format!("Instance Profile {name} cannot be found."))
}

impl Iam {
    fn profile(&self, name: &str) -> Result<&InstanceProfile, Fault> {
        self.profiles.get(&name.to_lowercase()).ok_or_else(|| no_profile(name))
    }

    fn profile_mut(&mut self, name: &str) -> Result<&mut InstanceProfile, Fault> {
        self.profiles.get_mut(&name.to_lowercase()).ok_or_else(|| no_profile(name))
    }

    fn write_profile(&self, x: &mut Xml, profile: &InstanceProfile, whole: bool) {
        x.text("Path", &profile.path);
        x.text("InstanceProfileName", &profile.name);
        x.text("InstanceProfileId", &profile.id);
        x.text("Arn", profile.arn());
        x.text("CreateDate", date(profile.created));
        let role = profile.role.as_ref().and_then(|key| self.roles.get(key));
        x.list("Roles", "member", role, |x, role| write_role_fields(x, role, self, false));
        if whole && !profile.tags.is_empty() {
            write_tags(x, &profile.tags);
        }
    }

    pub(super) fn create_instance_profile(&mut self, call: &Call, random: &mut Random) -> Answer {
        let name = need_name(call, "InstanceProfileName", 128)?;
        let key = name.to_lowercase();
        if self.profiles.contains_key(&key) {
            return Err(Fault::new(
                409,
                "EntityAlreadyExists",
                format!("Instance Profile {name} already exists."),
            ));
        }
        if self.profiles.len() >= PROFILES_MAX {
            return Err(limit(format!("Cannot exceed quota for InstanceProfilesPerAccount: {PROFILES_MAX}")));
        }
        let profile = InstanceProfile {
            name: name.to_string(),
            path: path(call)?,
            id: unique_id("AIPA", random),
            created: call.now,
            role: None,
            tags: merge_tags(&BTreeMap::new(), &call.params)?,
        };
        let mut xml = Xml::new();
        xml.element("InstanceProfile", |x| self.write_profile(x, &profile, true));
        self.profiles.insert(key, profile);
        Ok(xml)
    }

    pub(super) fn get_instance_profile(&self, call: &Call) -> Answer {
        let profile = self.profile(need(call, "InstanceProfileName")?)?;
        let mut xml = Xml::new();
        xml.element("InstanceProfile", |x| self.write_profile(x, profile, true));
        Ok(xml)
    }

    pub(super) fn delete_instance_profile(&mut self, call: &Call) -> Answer {
        let name = need(call, "InstanceProfileName")?;
        if self.profile(name)?.role.is_some() {
            return Err(Fault::new(
                409,
                "DeleteConflict",
                "Cannot delete entity, must remove roles from instance profile first.",
            ));
        }
        self.profiles.remove(&name.to_lowercase());
        Ok(Xml::new())
    }

    pub(super) fn list_instance_profiles(&self, call: &Call) -> Answer {
        let prefix = call.params.get("PathPrefix").unwrap_or("/");
        self.list_profiles(call, |profile| profile.path.starts_with(prefix))
    }

    pub(super) fn list_instance_profiles_for_role(&self, call: &Call) -> Answer {
        let key = self.role(need(call, "RoleName")?)?.name.to_lowercase();
        self.list_profiles(call, |profile| profile.role.as_ref() == Some(&key))
    }

    fn list_profiles(&self, call: &Call, shown: impl Fn(&InstanceProfile) -> bool) -> Answer {
        let profiles = self.profiles.values().filter(|profile| shown(profile));
        let (profiles, marker) = page(call, profiles, |profile| profile.name.to_lowercase())?;
        let mut xml = Xml::new();
        xml.list("InstanceProfiles", "member", profiles, |x, profile| self.write_profile(x, profile, false));
        write_marker(&mut xml, marker);
        Ok(xml)
    }

    pub(super) fn add_role_to_instance_profile(&mut self, call: &Call) -> Answer {
        let key = self.role_mut(need(call, "RoleName")?)?.name.to_lowercase();
        let profile = self.profile_mut(need(call, "InstanceProfileName")?)?;
        if profile.role.is_some() {
            return Err(limit("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1".into()));
        }
        profile.role = Some(key);
        Ok(Xml::new())
    }

    pub(super) fn remove_role_from_instance_profile(&mut self, call: &Call) -> Answer {
        let role = need(call, "RoleName")?;
        let profile = self.profile_mut(need(call, "InstanceProfileName")?)?;
        if profile.role.as_ref() != Some(&role.to_lowercase()) {
            return Err(no_such(format!("The role with name {role} cannot be found.")));
        }
        profile.role = None;
        Ok(Xml::new())
    }

    pub(super) fn tag_instance_profile(&mut self, call: &Call) -> Answer {
        let profile = self.profile_mut(need(call, "InstanceProfileName")?)?;
        profile.tags = merge_tags(&profile.tags, &call.params)?;
        Ok(Xml::new())
    }

    pub(super) fn untag_instance_profile(&mut self, call: &Call) -> Answer {
        remove_tags(&mut self.profile_mut(need(call, "InstanceProfileName")?)?.tags, &call.params);
        Ok(Xml::new())
    }

    pub(super) fn list_instance_profile_tags(&self, call: &Call) -> Answer {
        tag_list(&self.profile(need(call, "InstanceProfileName")?)?.tags)
    }
}
