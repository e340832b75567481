//! Statements of a policy, and documents of them.

use super::Names;
use super::names::Name;
use crate::base::names::{RESOURCE_TAG, STACK_TAG};
use crate::resource::permission::When;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Characters of a managed policy, without white space (IAM User Guide, "IAM and AWS STS quotas").
pub const DOCUMENT_MAX: usize = 6_144;

/// Operator and key of a condition, with the values of which one must hold.
pub type Conditions = BTreeMap<(&'static str, String), Vec<Name>>;

/// What is allowed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement {
    pub sid: String,
    pub actions: BTreeSet<&'static str>,
    pub resources: BTreeSet<Name>,
    pub conditions: Conditions,
}

impl Statement {
    pub fn to_json(&self) -> Value {
        let mut out = Map::new();
        out.insert("Sid".into(), json!(self.sid));
        out.insert("Effect".into(), json!("Allow"));
        out.insert("Action".into(), one_or_many(self.actions.iter().map(ToString::to_string)));
        out.insert("Resource".into(), one_or_many(self.resources.iter().map(|name| name.text.clone())));
        if !self.conditions.is_empty() {
            let mut operators = Map::new();
            for ((operator, key), values) in &self.conditions {
                let keys = operators.entry(*operator).or_insert_with(|| json!({}));
                keys[key] = one_or_many(values.iter().map(|name| name.text.clone()));
            }
            out.insert("Condition".into(), Value::Object(operators));
        }
        Value::Object(out)
    }

    /// The service that its actions are of.
    pub fn service(&self) -> &'static str {
        self.actions.first().and_then(|action| action.split(':').next()).unwrap_or_default()
    }
}

fn one_or_many(texts: impl Iterator<Item = String>) -> Value {
    let mut texts: Vec<String> = texts.collect();
    match texts.len() {
        1 => Value::String(texts.remove(0)),
        _ => json!(texts),
    }
}

/// A policy of these statements.
pub fn document(statements: &[Statement]) -> Value {
    crate::base::policy::document(statements.iter().map(Statement::to_json).collect())
}

/// The characters that AWS counts.
pub fn size(document: &Value) -> usize {
    document.to_string().chars().filter(|c| !c.is_whitespace()).count()
}

/// The statements in as few documents as AWS's limit allows, in their order.
pub fn split(statements: Vec<Statement>) -> Vec<Vec<Statement>> {
    let mut documents: Vec<Vec<Statement>> = Vec::new();
    for statement in statements {
        match documents.last_mut() {
            Some(last) => {
                last.push(statement);
                if size(&document(last)) > DOCUMENT_MAX
                    && last.len() > 1
                    && let Some(excess) = last.pop()
                {
                    documents.push(vec![excess]);
                }
            }
            None => documents.push(vec![statement]),
        }
    }
    documents
}

/// The conditions as IAM has them.
pub(super) fn conditions(when: &[When], names: &Names) -> Conditions {
    let mut all = Conditions::new();
    let mut say = |operator: &'static str, key: &str, values: Vec<Name>| {
        all.insert((operator, key.to_string()), values);
    };
    let stack = || vec![names.stack.clone()];
    let (on_request, on_resource) =
        (format!("aws:RequestTag/{STACK_TAG}"), format!("aws:ResourceTag/{STACK_TAG}"));
    let texts = |texts: &[&str]| texts.iter().map(|text| Name::new(*text)).collect();
    for condition in when {
        match *condition {
            When::RequestTag => say("StringEquals", &on_request, stack()),
            When::RequestTagIfAny => say("StringEqualsIfExists", &on_request, stack()),
            When::OwnTag => say("StringEquals", &on_resource, stack()),
            When::NoTag => say("Null", &on_resource, texts(&["true"])),
            When::KeepsTags => {
                say("ForAllValues:StringNotEquals", "aws:TagKeys", texts(&[STACK_TAG, RESOURCE_TAG]));
            }
            When::PassedTo(service) => say("StringEquals", "iam:PassedToService", texts(&[service])),
            When::Bounded if names.boundary.is_empty() => {}
            When::Bounded => say("StringEquals", "iam:PermissionsBoundary", names.boundary.clone()),
            When::ServiceLinked(services) => say("StringEquals", "iam:AWSServiceName", texts(services)),
            When::Ec2Makes(operations) => say("StringEquals", "ec2:CreateAction", texts(operations)),
            When::SageMakerMakes(operations) => {
                say("StringEquals", "sagemaker:TaggingAction", texts(operations));
            }
            When::SecretOfCluster => {
                say("StringEquals", "aws:ResourceTag/aws:rds:primaryDBClusterArn", names.cluster_arns.clone())
            }
            When::InVpc => say("ArnEquals", "ec2:Vpc", names.vpc_arns.clone()),
            When::GuardDutyMade => {
                say("StringEquals", "aws:ResourceTag/GuardDutyManaged", texts(&["true"]));
            }
        }
    }
    all
}
