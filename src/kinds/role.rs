//! How AWS is asked for IAM roles.

use super::kind::{Calls, Deletion, Seen, Update, absent_ok, already_ok, just_made};
use crate::aws::{Aws, Class, During, Failure, Look, owns_or, tag_changes, tag_map};
use auroraml_core::base::{State, policy};
use auroraml_core::kinds::role::{Props, Role};
use aws_sdk_iam::types::{AttachedPermissionsBoundary, EntityType, RoleDetail, Tag};
use futures_util::future::join_all;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A role under the stack's path.
pub(super) struct Known {
    pub name: String,
    /// All of it, where it came with the list.
    detail: Option<RoleDetail>,
}

/// The roles under the stack's path.
pub(super) async fn of_the_stack(look: Look<'_>) -> Result<Arc<Vec<Known>>, Failure> {
    let aws = look.aws;
    look.shared("ListRoles", async {
        let path = aws.place.role_path();
        if let Some(all) = look.for_all("GetAccountAuthorizationDetails", every_role(aws)).await? {
            let ours = all.iter().filter(|role| role.path() == Some(path.as_str()));
            let known = ours.filter_map(|role| {
                Some(Known { name: role.role_name()?.to_string(), detail: Some(role.clone()) })
            });
            return Ok(known.collect());
        }
        let pages = aws.iam.list_roles().path_prefix(path).into_paginator().items().send();
        let roles = pages.collect::<Result<Vec<_>, _>>().await.during("ListRoles")?;
        Ok(roles.into_iter().map(|role| Known { name: role.role_name, detail: None }).collect())
    })
    .await
}

/// Roles in one page of [`every_role`]: the most that IAM gives.
const PAGE: i32 = 1000;

/// All roles of the account with their policies.
async fn every_role(aws: &Aws) -> Result<Vec<RoleDetail>, Failure> {
    let request = aws.iam.get_account_authorization_details().filter(EntityType::Role).max_items(PAGE);
    let pages = request.into_paginator().send().collect::<Result<Vec<_>, _>>().await;
    let pages = pages.during("GetAccountAuthorizationDetails")?;
    Ok(pages.into_iter().flat_map(|page| page.role_detail_list.unwrap_or_default()).collect())
}

impl Calls for Role {
    async fn observe(&self, look: Look<'_>) -> Result<Vec<Seen<Props>>, Failure> {
        let aws = look.aws;
        let listed = of_the_stack(look).await?;
        let prefix = aws.place.role("");
        let ours = listed.iter().filter_map(|role| Some((role.name.strip_prefix(&prefix)?, role)));
        let ours = ours.filter(|(name, _)| look.wants(name));
        let details = join_all(ours.map(async |(name, role)| match &role.detail {
            Some(detail) => Ok(Some(whole(aws, name, detail))),
            None => detail(aws, name).await,
        }))
        .await;
        Ok(details.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    async fn create(&self, aws: &Aws, name: &str, want: &Props) -> Result<(), Failure> {
        let request = aws
            .iam
            .create_role()
            .role_name(aws.place.role(name))
            .path(aws.place.role_path())
            .assume_role_policy_document(want.trust.to_string())
            .description(format!("auroraml stack {}: {name}", aws.place.stack))
            .set_permissions_boundary(want.boundary.clone())
            .set_tags(tags(&want.tags)?);
        let made = request.send().await.during("CreateRole");
        if made.as_ref().is_err_and(|failure| failure.is(Class::Exists)) {
            not_of_others(aws, name).await?;
        }
        already_ok(made, Class::Exists)?;
        put_policy(aws, name, want).await
    }

    async fn update(&self, aws: &Aws, name: &str, update: Update<'_, Props>) -> Result<(), Failure> {
        let role = aws.place.role(name);
        // First: whoever may change only bounded roles may do nothing else to one that is not bounded yet.
        if let (true, Some(boundary)) = (update.changed("boundary"), &update.want.boundary) {
            let request =
                aws.iam.put_role_permissions_boundary().role_name(&role).permissions_boundary(boundary);
            request.send().await.during("PutRolePermissionsBoundary")?;
        }
        if update.changed("trust") {
            let document = update.want.trust.to_string();
            let request = aws.iam.update_assume_role_policy().role_name(&role).policy_document(document);
            just_made(request.send().await.during("UpdateAssumeRolePolicy"))?;
        }
        if update.changed("policy") {
            put_policy(aws, name, &update.want).await?;
        }
        let (set, remove) = tag_changes(&update.want.tags, &update.live.tags);
        if !set.is_empty() {
            let request = aws.iam.tag_role().role_name(&role).set_tags(tags(&set)?);
            just_made(request.send().await.during("TagRole"))?;
        }
        if !remove.is_empty() {
            let request = aws.iam.untag_role().role_name(&role).set_tag_keys(Some(remove));
            just_made(request.send().await.during("UntagRole"))?;
        }
        Ok(())
    }

    /// Detaches and deletes whatever hangs on the role, also what others put there, then the role.
    async fn delete(&self, aws: &Aws, name: &str, _: Deletion<'_, Props>) -> Result<(), Failure> {
        let role = aws.place.role(name);
        let inline = aws.iam.list_role_policies().role_name(&role).send().await.during("ListRolePolicies");
        for policy in absent_ok(inline)?.map(|found| found.policy_names).unwrap_or_default() {
            let request = aws.iam.delete_role_policy().role_name(&role).policy_name(policy);
            already_ok(request.send().await.during("DeleteRolePolicy"), Class::NotFound)?;
        }
        let attached = aws
            .iam
            .list_attached_role_policies()
            .role_name(&role)
            .send()
            .await
            .during("ListAttachedRolePolicies");
        for policy in absent_ok(attached)?.and_then(|found| found.attached_policies).unwrap_or_default() {
            let request = aws
                .iam
                .detach_role_policy()
                .role_name(&role)
                .policy_arn(policy.policy_arn().unwrap_or_default());
            already_ok(request.send().await.during("DetachRolePolicy"), Class::NotFound)?;
        }
        already_ok(aws.iam.delete_role().role_name(&role).send().await.during("DeleteRole"), Class::NotFound)
    }
}

/// Policies on a role of the stack, called by its name in AWS, that auroraml did not put there.
pub(super) async fn other_policies(look: Look<'_>, name: &str) -> Result<Vec<String>, Failure> {
    let aws = look.aws;
    let known = of_the_stack(look).await?;
    let whole = known.iter().find(|role| role.name == name).and_then(|role| role.detail.as_ref());
    let (inline, attached): (Vec<String>, Vec<String>) = match whole {
        Some(role) => (
            role.role_policy_list().iter().filter_map(|one| one.policy_name.clone()).collect(),
            role.attached_managed_policies().iter().filter_map(|one| one.policy_arn.clone()).collect(),
        ),
        None => {
            let inline = async {
                let pages = aws.iam.list_role_policies().role_name(name).into_paginator().items().send();
                pages.collect::<Result<Vec<_>, _>>().await.during("ListRolePolicies")
            };
            let attached = async {
                let request = aws.iam.list_attached_role_policies().role_name(name);
                let pages = request.into_paginator().items().send();
                pages.collect::<Result<Vec<_>, _>>().await.during("ListAttachedRolePolicies")
            };
            let (inline, attached) = tokio::try_join!(inline, attached)?;
            (inline, attached.into_iter().filter_map(|one| one.policy_arn).collect())
        }
    };
    let inline = inline.into_iter().filter(|name| name != POLICY).map(|name| format!("inline policy {name}"));
    Ok(inline.chain(attached.into_iter().map(|arn| format!("policy {arn}"))).collect())
}

/// Name of the one inline policy.
const POLICY: &str = "access";

async fn detail(aws: &Aws, name: &str) -> Result<Option<Seen<Props>>, Failure> {
    let role = aws.place.role(name);
    let get = async { aws.iam.get_role().role_name(&role).send().await.during("GetRole") };
    let policy = async {
        aws.iam.get_role_policy().role_name(&role).policy_name(POLICY).send().await.during("GetRolePolicy")
    };
    // The list has neither tags nor policies.
    let (found, policy) = tokio::join!(get, policy);
    let Some(found) = absent_ok(found)?.and_then(|found| found.role) else { return Ok(None) };
    let policy = absent_ok(policy)?.map(|found| found.policy_document);
    Ok(Some(seen(
        aws,
        name,
        Parts {
            arn: &found.arn,
            path: &found.path,
            trust: found.assume_role_policy_document(),
            policy: policy.as_deref(),
            boundary: found.permissions_boundary(),
            tags: found.tags(),
        },
    )))
}

/// A role as the list of all of them shows it.
fn whole(aws: &Aws, name: &str, role: &RoleDetail) -> Seen<Props> {
    let access = role.role_policy_list().iter().find(|policy| policy.policy_name() == Some(POLICY));
    let parts = Parts {
        arn: role.arn().unwrap_or_default(),
        path: role.path().unwrap_or_default(),
        trust: role.assume_role_policy_document(),
        policy: access.and_then(|policy| policy.policy_document()),
        boundary: role.permissions_boundary(),
        tags: role.tags(),
    };
    seen(aws, name, parts)
}

/// What a role is made of, whoever shows it.
struct Parts<'a> {
    arn: &'a str,
    path: &'a str,
    trust: Option<&'a str>,
    policy: Option<&'a str>,
    boundary: Option<&'a AttachedPermissionsBoundary>,
    tags: &'a [Tag],
}

fn seen(aws: &Aws, name: &str, parts: Parts<'_>) -> Seen<Props> {
    let boundary = parts.boundary.and_then(|bound| bound.permissions_boundary_arn());
    let tags = tag_map(parts.tags.iter().map(|tag| (Some(tag.key()), Some(tag.value()))));
    Seen {
        name: name.to_string(),
        // Nobody else makes roles in this path.
        owned: owns_or(&aws.place, &tags, parts.path == aws.place.role_path()),
        props: Props {
            trust: document(parts.trust.unwrap_or_default()),
            policy: parts.policy.map_or(Value::Null, document),
            boundary: boundary.map(String::from),
            tags,
        },
        outputs: [("arn".into(), parts.arn.into()), ("name".into(), aws.place.role(name).into())].into(),
        state: State::Ready,
    }
}

/// IAM has each name once in an account, whatever the path: one that is taken is that of a run which was killed before its
/// role was listed, or of others.
async fn not_of_others(aws: &Aws, name: &str) -> Result<(), Failure> {
    let role = aws.place.role(name);
    let found = absent_ok(aws.iam.get_role().role_name(&role).send().await.during("GetRole"))?;
    match found.and_then(|found| found.role).map(|role| role.path) {
        Some(path) if path != aws.place.role_path() => {
            let why =
                format!("a role {role} exists under the path {path}, which does not belong to the stack");
            Err(Failure::refused("CreateRole", why))
        }
        _ => Ok(()),
    }
}

async fn put_policy(aws: &Aws, name: &str, want: &Props) -> Result<(), Failure> {
    let role = aws.place.role(name);
    if want.policy.is_null() {
        let request = aws.iam.delete_role_policy().role_name(role).policy_name(POLICY);
        return already_ok(request.send().await.during("DeleteRolePolicy"), Class::NotFound);
    }
    let document = want.policy.to_string();
    let request = aws.iam.put_role_policy().role_name(role).policy_name(POLICY).policy_document(document);
    // IAM itself may not know a role that it made a moment ago.
    just_made(request.send().await.during("PutRolePolicy")).map(|_| ())
}

fn tags(tags: &BTreeMap<String, String>) -> Result<Option<Vec<Tag>>, Failure> {
    let built: Result<Vec<_>, _> = tags.iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect();
    built
        .map(Some)
        .map_err(|e| Failure::refused("TagRole", format!("the tags could not be built: {e} (a bug)")))
}

/// A policy document as IAM returns it: percent-encoded, formatted as someone liked.
fn document(encoded: &str) -> Value {
    let text = percent_encoding::percent_decode_str(encoded).decode_utf8_lossy();
    serde_json::from_str(&text).map_or(Value::String(text.into_owned()), |value| policy::normal(&value))
}
