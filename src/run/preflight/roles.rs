//! What IAM lets an account have, names of roles, and what roles refer to.

use super::{Check, Findings, quota};
use crate::aws::{Aws, Class, During, Failure, Inside, Look};
use crate::kinds::rds;
use auroraml_core::base::{Id, Input};
use auroraml_core::kinds::{cluster_role, role};
use auroraml_core::model::Code;
use auroraml_core::resource::Action;
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};

/// Pages of roles, of up to 1,000 each: twice what an account can have by default (fact book, section 3).
const PAGES_MAX: usize = 10;
/// Characters of all inline policies of a role together, white space left out: IAM User Guide, "IAM and AWS STS
/// quotas"; it cannot be raised.
const INLINE_MAX: usize = 10_240;

/// Names of roles are unique in an account whatever their path is, and ignoring case (fact book, section 3): a look at the
/// stack's own path does not see the others.
pub(super) async fn names(of: Check<'_>) -> Findings {
    let mut findings = Findings::default();
    let wanted: BTreeMap<String, String> = of
        .creates("role")
        .map(|step| (of.aws.place.role(&step.id.name).to_ascii_lowercase(), step.id.to_string()))
        .collect();
    if wanted.is_empty() {
        return findings;
    }
    let (taken, counts) = tokio::join!(taken(of.aws, &wanted), counts(of.aws));
    for (id, arn) in findings.take("the names of roles", taken).unwrap_or_default() {
        findings.problem(
            Code::RoleNameTaken,
            id,
            format!("its name is used by {arn}, which does not belong to this stack"),
            "delete that role if it is no longer used, or choose another stack name",
        );
    }
    if let Some(Some((there, most))) = findings.take("the quota of roles", counts)
        && there + wanted.len() as i64 > most
    {
        let why =
            format!("{there} in use in the account, {} more needed, and the quota is {most}", wanted.len());
        let hint = "delete unused ones, or raise the quota L-FE177D64 in Service Quotas (in us-east-1)";
        findings.problem(Code::RoleQuota, "IAM roles", why, hint);
    }
    findings
}

/// The wanted names that roles of others have, with the ARNs of these.
async fn taken(aws: &Aws, wanted: &BTreeMap<String, String>) -> Result<Vec<(String, String)>, Failure> {
    let mut pages = aws.iam.list_roles().max_items(1000).into_paginator().send();
    let (mut found, path) = (Vec::new(), aws.place.role_path());
    for _ in 0..PAGES_MAX {
        let Some(page) = pages.next().await else { break };
        for role in page.during("ListRoles")?.roles().iter().filter(|role| role.path() != path) {
            if let Some(id) = wanted.get(&role.role_name().to_ascii_lowercase()) {
                found.push((id.clone(), role.arn().to_string()));
            }
        }
    }
    Ok(found)
}

/// How many roles there are, and can be.
async fn counts(aws: &Aws) -> Result<Option<(i64, i64)>, Failure> {
    let answer = aws.iam.get_account_summary().send().await.during("GetAccountSummary")?;
    let count = |name: &str| {
        let found = answer.summary_map()?.iter().find(|(key, _)| key.as_str() == name);
        found.map(|(_, count)| i64::from(*count))
    };
    Ok(count("Roles").zip(count("RolesQuota")))
}

/// Kinds that are handed a role, and the property that it is in.
const HANDED: [&str; 6] =
    ["cluster_role", "notebook", "model", "training_job", "tuning_job", "autopilot_job"];

/// IAM roles that a cluster can have unless the quota L-E094F43D was raised (fact book, section 1.8).
const ROLES_PER_CLUSTER: usize = 5;

/// Roles of others that the spec names: whether each is there, and of this account.
pub(super) async fn of_others(of: Check<'_>) -> Findings {
    let mut findings = Findings::default();
    let handed = |arn: &str| {
        let steps = of.plan.work().filter(|step| HANDED.contains(&step.id.kind));
        let mut steps = steps.filter(|step| step.action != Action::Recheck);
        steps.any(|step| of.graph.resources.get(&step.id).is_some_and(|one| one.props["role"] == arn))
    };
    let used = of.aws.place.names.roles.iter().filter(|(_, arn)| handed(arn));
    let answers = used.map(|(name, arn)| async move {
        let role = arn.rsplit('/').next().unwrap_or(arn);
        (name, arn, of.aws.iam.get_role().role_name(role).send().await.during("GetRole"))
    });
    for (name, arn, answer) in join_all(answers).await {
        let missing = match &answer {
            Err(failure) => failure.is(Class::NotFound),
            // Another path, or another account: names are unique within one.
            Ok(found) => found.role().is_some_and(|role| role.arn() != arn),
        };
        if missing {
            findings.problem(
                Code::RoleMissing,
                format!("roles.{name}"),
                format!("role {arn} does not exist in account {}", of.aws.place.account),
                "correct its ARN, or remove it to have the stack create a role",
            );
        } else {
            drop(findings.take(&format!("the role {arn}"), answer));
        }
    }
    findings
}

/// Whether the stack's own cluster, that is there, has room for more roles. While one role takes another's place the
/// cluster has both.
pub(super) async fn room(of: Check<'_>) -> Findings {
    let mut findings = Findings::default();
    let cluster = Id::new("cluster", "main");
    let wanted = of.created::<cluster_role::Props>("cluster_role");
    if wanted.is_empty() || !of.observed.contains_key(&cluster) {
        return findings;
    }
    // What the plan was made from: nothing is asked anew.
    let look = Look { aws: of.aws, as_of: 0, only: None, inside: Inside::default() };
    let facts = findings.take("the roles of the cluster", Box::pin(rds::cluster_facts(look)).await);
    // One that is being deleted goes with its roles: those are for the cluster that is made after it.
    let Some(facts) = facts.flatten().filter(|facts| facts.status != "deleting") else { return findings };
    let has = |role: &Input| matches!(role, Input::Known(arn) if facts.roles.contains(arn));
    let new = wanted.iter().filter(|(_, wanted)| !has(&wanted.role)).count();
    let there = facts.roles.len();
    if there + new <= ROLES_PER_CLUSTER {
        return findings;
    }
    let most = quota(of.aws, "rds", "L-E094F43D").await.unwrap_or(ROLES_PER_CLUSTER as f64);
    if (there + new) as f64 > most {
        findings.problem(
            Code::ClusterRoleQuota,
            cluster.to_string(),
            format!("it has {there} IAM roles, needs {new} more during the change, and AWS allows {most}"),
            "change fewer of `roles` at once, or raise the quota L-E094F43D",
        );
    }
    findings
}

/// Whether what roles are to have fits, and whether their boundary is there.
pub(super) async fn policies(of: Check<'_>) -> Findings {
    let mut findings = Findings::default();
    for step in of.writes("role", &["policy"]) {
        let Some(wanted) = of.wanted::<role::Props>(step).filter(|wanted| wanted.policy.is_object()) else {
            continue;
        };
        let length = wanted.policy.to_string().chars().filter(|c| !c.is_whitespace()).count();
        if length > INLINE_MAX {
            findings.problem(
                Code::RolePolicySize,
                step.id.to_string(),
                format!("its policy has {length} characters, and IAM allows {INLINE_MAX}"),
                "list fewer endpoints, models or buckets in the spec, or use several stacks",
            );
        }
    }
    let written = of.writes("role", &["boundary"]).filter_map(|step| of.wanted::<role::Props>(step));
    let boundaries: BTreeSet<String> = written.filter_map(|role| role.boundary).collect();
    let answers = boundaries.into_iter().map(|arn| async move {
        let answer = of.aws.iam.get_policy().policy_arn(&arn).send().await.during("GetPolicy");
        (arn, answer)
    });
    for (arn, answer) in join_all(answers).await {
        match answer {
            Err(failure) if failure.is(Class::NotFound) => findings.problem(
                Code::BoundaryMissing,
                "permissions_boundary",
                format!("policy {arn} does not exist"),
                "create it (the pipeline's template does), or correct its ARN",
            ),
            answer => drop(findings.take(&format!("the boundary {arn}"), answer)),
        }
    }
    findings
}
