//! All roles with their policies at once (IAM API Reference, GetAccountAuthorizationDetails; shapes as in botocore).

use super::{Answer, Iam, date, documents, page, write_marker, write_tags};
use crate::call::Call;
use crate::wire::Xml;

impl Iam {
    /// Of what the operation can tell only the roles are kept here: who does not filter for them is told so.
    pub(super) fn authorization_details(&self, call: &Call) -> Answer {
        if call.params.list("Filter") != ["Role"] {
            return Err(call.unmodelled("Filter"));
        }
        // It lags as ListRoles does.
        let roles = self.roles.values().filter(|role| call.now >= role.listed);
        let (roles, marker) = page(call, roles, |role| role.name.to_lowercase())?;
        let mut xml = Xml::new();
        xml.list("RoleDetailList", "member", roles, |x, role| {
            x.text("Path", &role.path);
            x.text("RoleName", &role.name);
            x.text("RoleId", &role.id);
            x.text("Arn", role.arn());
            x.text("CreateDate", date(role.created));
            x.text("AssumeRolePolicyDocument", documents::encode(&self.shown_trust(&role.trust)));
            let key = role.name.to_lowercase();
            let profiles = self.profiles.values().filter(|profile| profile.role.as_ref() == Some(&key));
            x.list("InstanceProfileList", "member", profiles, |x, profile| {
                x.text("InstanceProfileName", &profile.name);
                x.text("InstanceProfileId", &profile.id);
                x.text("Path", &profile.path);
                x.text("Arn", profile.arn());
                x.text("CreateDate", date(profile.created));
                x.list("Roles", "member", [(); 0], |_, ()| {});
            });
            x.list("RolePolicyList", "member", &role.inline, |x, (name, document)| {
                x.text("PolicyName", name);
                x.text("PolicyDocument", documents::encode(document));
            });
            x.list("AttachedManagedPolicies", "member", &role.attached, |x, arn| {
                x.text("PolicyName", arn.rsplit('/').next().unwrap_or_default());
                x.text("PolicyArn", arn);
            });
            if let Some(boundary) = &role.boundary {
                x.element("PermissionsBoundary", |x| {
                    x.text("PermissionsBoundaryType", "Policy");
                    x.text("PermissionsBoundaryArn", boundary);
                });
            }
            write_tags(x, &role.tags);
        });
        write_marker(&mut xml, marker);
        Ok(xml)
    }
}
