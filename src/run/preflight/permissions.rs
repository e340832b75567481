//! Whether IAM allows the caller what the plan's steps will ask for, as its simulator says.
//!
//! Whoever may do none of it only looks, as a pipeline's role for pull requests does: then a note says so. Otherwise a run
//! would end half way.
//!
//! A denial stops a plan only where it is certain that AWS would deny the request as well: the step asks for the action
//! in any case, its resource is known (or is new, so that no policy can name its id), and the simulator missed no key of
//! the request. Of what else it denies a note is made.

use super::{Check, Findings};
use crate::aws::{Aws, Class, During, Failure};
use auroraml_core::base::counted;
use auroraml_core::model::Code;
use auroraml_core::policy::{Known, Names, of_plan};
use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, PolicyEvaluationDecisionType};
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};

/// Pages of results, of which one has up to 1,000.
const PAGES_MAX: usize = 5;
/// Denials that are named; the rest is counted.
const NAMED_MAX: usize = 8;
/// A key that every request has; IAM's own are sent to one region.
const REGION: &str = "aws:RequestedRegion";
/// What makes something that has no id before: its ARN ends in `*` for every policy.
const NEW: &[(&str, &str)] = &[
    ("ec2:CreateVpc", ":vpc/*"),
    ("ec2:CreateSubnet", ":subnet/*"),
    ("ec2:CreateInternetGateway", ":internet-gateway/*"),
    ("ec2:AllocateAddress", ":elastic-ip/*"),
    ("ec2:CreateNatGateway", ":natgateway/*"),
    ("ec2:CreateRouteTable", ":route-table/*"),
    ("ec2:CreateSecurityGroup", ":security-group/*"),
    ("ec2:CreateVpcEndpoint", ":vpc-endpoint/*"),
];
/// What a step asks for in any case; other actions of its kind depend on what it meets.
const CERTAIN: &[&str] = &[
    "ec2:CreateVpc",
    "ec2:CreateSubnet",
    "ec2:CreateInternetGateway",
    "ec2:AllocateAddress",
    "ec2:CreateNatGateway",
    "ec2:CreateRouteTable",
    "ec2:CreateSecurityGroup",
    "ec2:CreateVpcEndpoint",
    "iam:CreateRole",
    "iam:PassRole",
    "rds:CreateDBCluster",
    "rds:CreateDBClusterParameterGroup",
    "rds:CreateDBInstance",
    "rds:CreateDBSubnetGroup",
    "rds:AddRoleToDBCluster",
    "s3:CreateBucket",
    "secretsmanager:CreateSecret",
    "sagemaker:CreateEndpoint",
    "sagemaker:CreateEndpointConfig",
    "sagemaker:CreateModel",
    "sagemaker:CreateNotebookInstance",
    "sagemaker:CreateNotebookInstanceLifecycleConfig",
    "sagemaker:CreateTrainingJob",
    "sagemaker:CreateHyperParameterTuningJob",
    "sagemaker:CreateAutoMLJobV2",
    "rds:DeleteDBCluster",
    "rds:DeleteDBClusterParameterGroup",
    "rds:DeleteDBInstance",
    "rds:DeleteDBSubnetGroup",
    "iam:DeleteRole",
    "sagemaker:DeleteEndpoint",
    "sagemaker:DeleteNotebookInstance",
];

type Context = BTreeMap<String, Vec<String>>;

/// One request to the simulator: it evaluates every action on every resource, of which some are of interest.
#[derive(Default)]
struct Question {
    actions: BTreeSet<&'static str>,
    resources: BTreeSet<String>,
    asked: BTreeSet<(&'static str, String)>,
}

/// What the simulator denies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Denial {
    action: String,
    resource: String,
    explicit: bool,
}

pub(super) async fn permissions(of: Check<'_>) -> Findings {
    let mut findings = Findings::default();
    let questions = questions(of);
    let Some(principal) = principal(&of.aws.caller).filter(|_| !questions.is_empty()) else {
        return findings;
    };
    let answer = match simulate(of.aws, &principal, &questions).await {
        // The path of a role is not in the ARN of its session.
        Err(failure) if failure.is(Class::NotFound) => match with_path(of.aws, &principal).await {
            Ok(principal) => simulate(of.aws, &principal, &questions).await,
            Err(failure) => Err(failure),
        },
        answer => answer,
    };
    let denials = match answer {
        Ok(denials) => denials,
        Err(failure) if failure.is(Class::Denied) => {
            let asked = failure.operation;
            findings
                .notes
                .push(format!("permissions were not checked: the caller is not allowed {asked} for itself"));
            return findings;
        }
        Err(failure) => {
            findings.take::<()>("permissions", Err(failure));
            return findings;
        }
    };
    let (certain, others): (Vec<&Denial>, Vec<&Denial>) =
        denials.iter().partition(|denial| is_certain(&denial.action, &denial.resource, denial.explicit));
    // What is certain to be asked for, allowed or not.
    let asked = questions.values().flat_map(|question| &question.asked);
    let asked = asked.filter(|(action, resource)| is_certain(action, resource, false)).count();
    let implicit =
        certain.iter().filter(|denial| is_certain(&denial.action, &denial.resource, false)).count();
    if asked > 0 && implicit == asked {
        findings.notes.push(format!(
            "{} can read but not change anything in this plan: someone else has to apply it",
            of.aws.caller
        ));
    } else if !certain.is_empty() {
        findings.problem(
            Code::PermissionDenied,
            &of.aws.caller,
            format!(
                "it is allowed only a part of the plan, so a run would stop halfway: IAM denies {}",
                list(&certain)
            ),
            "allow these actions; `auroraml policy` prints the policy that a spec needs",
        );
    } else if !others.is_empty() {
        findings.notes.push(format!(
            "IAM's simulator says that the caller is not allowed {}: a step may fail",
            list(&others)
        ));
    }
    findings
}

fn is_certain(action: &str, resource: &str, explicit: bool) -> bool {
    let is_new = NEW.iter().any(|(known, end)| *known == action && resource.ends_with(end));
    let is_known = resource == "*" || !resource.contains('*');
    CERTAIN.contains(&action) && (is_known || is_new || explicit)
}

/// `iam:CreateRole (arn:aws:iam::…), s3:CreateBucket (…) and 3 others`
fn list(denials: &[&Denial]) -> String {
    let mut by_action: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for denial in denials {
        by_action.entry(&denial.action).or_default().push(&denial.resource);
    }
    let named = by_action.iter().take(NAMED_MAX).map(|(action, resources)| match resources.as_slice() {
        ["*"] => action.to_string(),
        [one] => format!("{action} on {one}"),
        [one, rest @ ..] => format!("{action} on {one} and {} more", rest.len()),
        [] => action.to_string(),
    });
    let mut text = named.collect::<Vec<_>>().join(", ");
    if by_action.len() > NAMED_MAX {
        text += &format!(", and {}", counted(by_action.len() - NAMED_MAX, "more action"));
    }
    text
}

/// Alike requests together: those of a service with the same keys.
fn questions(of: Check<'_>) -> BTreeMap<(String, Context), Question> {
    let names = Names::of(of.spec, &of.aws.place, &Known::default());
    let mut questions: BTreeMap<(String, Context), Question> = BTreeMap::new();
    for asked in of_plan(of.plan, &names) {
        for action in asked.actions {
            let service = action.split(':').next().unwrap_or_default().to_string();
            let question = questions.entry((service, asked.context.clone())).or_default();
            question.actions.insert(action);
            question.resources.extend(asked.resources.iter().cloned());
            question.asked.extend(asked.resources.iter().map(|resource| (action, resource.clone())));
        }
    }
    questions
}

/// The user or role whose policies are asked for: those of root and of federated users cannot be.
fn principal(caller: &str) -> Option<String> {
    if caller.contains(":iam:") && caller.contains(":user/") {
        return Some(caller.to_string());
    }
    // arn:aws:sts::111122223333:assumed-role/NAME/SESSION
    let (head, rest) = caller.split_once(":assumed-role/")?;
    let name = rest.split('/').next()?;
    Some(format!("{}:role/{name}", head.replacen(":sts:", ":iam:", 1)))
}

async fn with_path(aws: &Aws, role: &str) -> Result<String, Failure> {
    let name = role.rsplit('/').next().unwrap_or_default();
    let answer = aws.iam.get_role().role_name(name).send().await.during("GetRole")?;
    Ok(answer.role().map(|role| role.arn().to_string()).unwrap_or_default())
}

async fn simulate(
    aws: &Aws,
    principal: &str,
    questions: &BTreeMap<(String, Context), Question>,
) -> Result<BTreeSet<Denial>, Failure> {
    let answers = questions.iter().map(|((service, context), question)| async move {
        let region = if service == "iam" { "us-east-1" } else { aws.place.region.as_str() };
        let mut entries = vec![entry(REGION, &[region.to_string()])];
        entries.extend(context.iter().map(|(key, values)| entry(key, values)));
        let request = aws
            .iam
            .simulate_principal_policy()
            .policy_source_arn(principal)
            .set_action_names(Some(question.actions.iter().map(ToString::to_string).collect()))
            .set_resource_arns(Some(question.resources.iter().cloned().collect()))
            .set_context_entries(Some(entries));
        let mut pages = request.into_paginator().send();
        let mut denials = Vec::new();
        for _ in 0..PAGES_MAX {
            let Some(page) = pages.next().await else { break };
            for result in page.during("SimulatePrincipalPolicy")?.evaluation_results() {
                denials.extend(denied(result, question));
            }
        }
        Ok::<_, Failure>(denials)
    });
    let mut all = BTreeSet::new();
    for denials in join_all(answers).await {
        all.extend(denials?);
    }
    Ok(all)
}

fn entry(key: &str, values: &[String]) -> ContextEntry {
    ContextEntry::builder()
        .context_key_name(key)
        .set_context_key_values(Some(values.to_vec()))
        .context_key_type(match values.len() {
            1 => ContextKeyTypeEnum::String,
            _ => ContextKeyTypeEnum::StringList,
        })
        .build()
}

/// The denials in one result. With several resources AWS tells each apart, or each in a result of its own.
fn denied(result: &aws_sdk_iam::types::EvaluationResult, question: &Question) -> Vec<Denial> {
    let one = |resource: &str, decision: &PolicyEvaluationDecisionType, missing: &[String]| {
        let is_asked = |(action, of): &&(&'static str, String)| {
            action.eq_ignore_ascii_case(result.eval_action_name()) && of == resource
        };
        let (action, _) = question.asked.iter().find(is_asked)?;
        let explicit = *decision == PolicyEvaluationDecisionType::ExplicitDeny;
        let denies = explicit || *decision == PolicyEvaluationDecisionType::ImplicitDeny;
        (denies && missing.is_empty()).then(|| Denial {
            action: (*action).to_string(),
            resource: resource.to_string(),
            explicit,
        })
    };
    let apart = result.resource_specific_results();
    if apart.is_empty() {
        let resource = result.eval_resource_name().unwrap_or("*");
        return one(resource, result.eval_decision(), result.missing_context_values()).into_iter().collect();
    }
    let each = apart.iter().filter_map(|result| {
        one(result.eval_resource_name(), result.eval_resource_decision(), result.missing_context_values())
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_asked_about() {
        let of = |arn: &str| principal(arn);
        let user = "arn:aws:iam::111122223333:user/people/ann";
        assert_eq!(of(user).as_deref(), Some(user));
        assert_eq!(
            of("arn:aws-cn:sts::111122223333:assumed-role/Deploy/run-1").as_deref(),
            Some("arn:aws-cn:iam::111122223333:role/Deploy")
        );
        assert_eq!(of("arn:aws:iam::111122223333:root"), None);
        assert_eq!(of("arn:aws:sts::111122223333:federated-user/ann"), None);
    }

    #[test]
    fn what_is_certain() {
        let denial = is_certain;
        assert!(denial("rds:CreateDBCluster", "arn:aws:rds:us-east-1:1:cluster:shop", false));
        assert!(
            denial("ec2:CreateVpc", "arn:aws:ec2:us-east-1:1:vpc/*", false),
            "its id is nobody's to name"
        );
        assert!(
            !denial("ec2:CreateSubnet", "arn:aws:ec2:us-east-1:1:vpc/*", false),
            "a policy may name that VPC"
        );
        assert!(denial("ec2:CreateSubnet", "arn:aws:ec2:us-east-1:1:vpc/*", true));
        assert!(!denial("iam:PassRole", "arn:aws:iam::1:role/auroraml/shop/us-east-1/*", false));
        assert!(!denial("iam:CreateServiceLinkedRole", "*", false), "only the first time");
    }
}
