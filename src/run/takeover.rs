//! What is read of a CloudFormation stack and of the objects that it made.

mod findings;

pub use findings::findings;

use super::reconcile::{PrepareError, survey};
use crate::aws::{Aws, Class, During, Failure, FileSource};
use crate::kinds::absent_ok;
use crate::kinds::handover::stack::{self, Described};
use crate::stack::{Origin as Heeds, Stack};
use auroraml_core::base::{MADE_BY, Observed};
use auroraml_core::model::facts::Facts;
use auroraml_core::model::{self, Intent};
use auroraml_core::spec::Spec;
use auroraml_core::takeover::{
    Draft, Export, Order, Origin, Part, Written, bytes, draft, is_retained, second_owner, torn, written,
};
use serde_json::Value;
use std::collections::BTreeSet;

/// Exports whose importers are asked for: a stack has at most 200 outputs (CloudFormation quotas).
const EXPORTS_MAX: usize = 200;

/// Stacks of CloudFormation that are asked for because tags tell of them.
const MADE_BY_MAX: usize = 10;

/// The CloudFormation stack from which the spec takes objects over; none where there is no such stack any more. What
/// stands in the way of a hand-over is asked only where `order` wants one.
///
/// # Errors
/// When CloudFormation cannot be asked.
pub async fn origin(aws: &Aws, spec: &Spec, order: Option<&Order>) -> Result<Option<Origin>, Failure> {
    let Some(taken) = &spec.taken_over else { return Ok(None) };
    let Some(found) = stack::describe(aws, &taken.from_stack).await?.filter(|found| !found.is_gone()) else {
        return Ok(None);
    };
    let mut origin = known(aws, &found).await?;
    if let Some(order) = order {
        Box::pin(in_the_way(aws, &found, order, &mut origin)).await?;
    }
    Ok(Some(origin))
}

/// Finds out which stacks of CloudFormation still have what is this stack's. Nothing is asked where no tag of AWS's tells of
/// one: the tag stays for ever, and the stack does not.
///
/// # Errors
/// When CloudFormation cannot be asked.
pub async fn second_owners(
    aws: &Aws,
    spec: &Spec,
    observed: &Observed,
    facts: &mut Facts,
) -> Result<(), Failure> {
    let taken = spec.taken_over.as_ref().map(|taken| taken.from_stack.as_str());
    let tells = observed.values().filter(|live| live.owned).filter_map(|live| live.output(MADE_BY));
    let arns: BTreeSet<&str> = tells.filter(|arn| Some(*arn) != taken).collect();
    for arn in arns.into_iter().take(MADE_BY_MAX) {
        let asked = async {
            match stack::describe(aws, arn).await? {
                Some(found) if !found.is_gone() => known(aws, &found).await.map(Some),
                _ => Ok(None),
            }
        };
        match asked.await {
            Ok(origin) => {
                facts.second_owners.extend(origin.and_then(|origin| second_owner(&origin, observed)));
            }
            // Whoever takes the section out of the spec has the permission of it no more.
            Err(failure) if failure.is(Class::Denied) => facts.notes.push(format!(
                "{arn} created objects of this stack, and auroraml cannot find out whether CloudFormation still owns them: {failure}; keep `taken_over` in the spec, or allow cloudformation:DescribeStacks and cloudformation:ListStackResources"
            )),
            Err(failure) => return Err(failure),
        }
    }
    Ok(())
}

/// Why no spec can be written of a stack.
#[derive(Debug)]
pub enum NoSpec {
    /// AWS could not be asked, or has what no plan can have.
    Prepare(PrepareError),
    /// CloudFormation is at work on the stack: its status.
    Busy(String),
    /// What no spec can say.
    Refused(Vec<String>),
    /// Our own parser does not take what we wrote.
    Bug(String),
}

impl From<Failure> for NoSpec {
    fn from(failure: Failure) -> NoSpec {
        NoSpec::Prepare(PrepareError::Aws(failure))
    }
}

/// The spec of what this CloudFormation stack made, as it is now. Changes nothing.
///
/// # Errors
/// When AWS cannot be asked, or there is what no spec can say.
pub async fn spec_of(
    base: &Aws,
    origin: &str,
    stack: &str,
    files: FileSource,
) -> Result<(Draft, Written), NoSpec> {
    let origin = named(base, origin).await?;
    if origin.is_busy() {
        return Err(NoSpec::Busy(origin.status));
    }
    let found = Box::pin(findings(base, origin)).await?;
    let draft = draft(&found, stack).map_err(NoSpec::Refused)?;
    let first = written(&draft, None).map_err(NoSpec::Bug)?;
    // What an apply would change if CloudFormation had let go: all of that is kept as it is.
    let aws = base.of_another(&first.spec.stack, model::scope(&first.spec), files);
    let mut ours = Stack::over(first.spec, aws);
    ours.origin = Heeds::Ignored;
    let order = model::Order { wake: false, ..model::Order::from(Intent::Apply) };
    let seen = Box::pin(survey(&ours, order)).await.map_err(NoSpec::Prepare)?;
    let (_, plan, _) = seen.planned.map_err(|all| NoSpec::Prepare(PrepareError::Preflight(all)))?;
    let whole = written(&draft, Some(&plan)).map_err(NoSpec::Bug)?;
    Ok((draft, whole))
}

/// The stack of this name, with its resources.
///
/// # Errors
/// When CloudFormation cannot be asked, or has no such stack.
pub async fn named(aws: &Aws, name: &str) -> Result<Origin, Failure> {
    match stack::describe(aws, name).await? {
        Some(found) if !found.is_gone() => known(aws, &found).await,
        _ => Err(Failure::refused(
            "DescribeStacks",
            format!("CloudFormation stack {name} does not exist in {}", aws.place.region),
        )),
    }
}

/// Resources that CloudFormation deleted instead of skipping them.
///
/// # Errors
/// When CloudFormation cannot be asked.
pub async fn deleted(aws: &Aws, arn: &str) -> Result<Vec<String>, Failure> {
    let parts = stack::resources(aws, arn).await?;
    if stack::describe(aws, arn).await?.is_some_and(|found| !found.is_gone()) {
        return stack::deleted_by_us(aws, arn).await;
    }
    let gone = parts.into_iter().filter(|part| part.status == "DELETE_COMPLETE");
    Ok(gone.map(|part| part.logical).collect())
}

async fn known(aws: &Aws, found: &Described) -> Result<Origin, Failure> {
    let mut resources = stack::resources(aws, &found.arn).await?;
    addresses(aws, &mut resources).await?;
    Ok(Origin {
        name: found.name.clone(),
        arn: found.arn.clone(),
        status: found.status.clone(),
        reason: found.reason.clone(),
        resources,
        ..Origin::default()
    })
}

/// CloudFormation knows an Elastic IP address by the address (user guide, "AWS::EC2::EIP", Ref), and EC2 by its
/// allocation.
async fn addresses(aws: &Aws, parts: &mut [Part]) -> Result<(), Failure> {
    let is_address =
        |part: &&mut Part| part.kind == "AWS::EC2::EIP" && !part.physical.starts_with("eipalloc-");
    let wanted: Vec<String> =
        parts.iter_mut().filter(|part| is_address(part)).map(|part| part.physical.clone()).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let filter = aws_sdk_ec2::types::Filter::builder().name("public-ip").set_values(Some(wanted)).build();
    let answer = aws.ec2.describe_addresses().filters(filter).send().await.during("DescribeAddresses")?;
    for part in parts.iter_mut().filter(|part| part.kind == "AWS::EC2::EIP") {
        let of = answer.addresses().iter().find(|one| one.public_ip() == Some(part.physical.as_str()));
        if let Some(id) = of.and_then(|one| one.allocation_id()) {
            part.object = id.to_string();
        }
    }
    Ok(())
}

/// What a hand-over would come up against.
async fn in_the_way(aws: &Aws, found: &Described, order: &Order, origin: &mut Origin) -> Result<(), Failure> {
    let (template, policy) = tokio::try_join!(stack::template(aws, &found.arn), policy(aws, &found.arn))?;
    origin.termination_protection = found.termination_protection;
    origin.parent = found.parent.as_deref().map(|id| id.split('/').nth(1).unwrap_or(id).to_string());
    origin.policy_denies = policy.is_some_and(|policy| denies(&policy));
    origin.retained = is_retained(&template);
    origin.ours = origin.is_busy() && !origin.retained && stack::is_ours(aws, &found.arn).await?;
    origin.bytes = bytes(&template);
    origin.macros = template.transforms().into_iter().map(String::from).collect();
    let parameters = template.parameters();
    let read_anew = parameters.iter().filter(|one| one.kind.starts_with("AWS::SSM::Parameter::Value"));
    origin.read_anew = read_anew.map(|one| one.name.to_string()).collect();
    if !order.leave.is_empty() {
        let stay: Vec<String> = order.leave.iter().cloned().collect();
        origin.torn = torn(&template, &stay);
    }
    for name in found.exports.iter().take(EXPORTS_MAX) {
        let importers = importers(aws, name).await?;
        origin.exports.push(Export { name: name.clone(), importers });
    }
    let cluster = origin.resources.iter().find(|part| part.kind == "AWS::RDS::DBCluster");
    if let Some(cluster) = cluster {
        let request = aws.rds.describe_db_clusters().db_cluster_identifier(&cluster.object);
        let answer = absent_ok(request.send().await.during("DescribeDBClusters"))?;
        let roles =
            answer.iter().flat_map(|answer| answer.db_clusters()).flat_map(|one| one.associated_roles());
        origin.cluster_roles = roles.filter_map(|role| role.role_arn()).map(String::from).collect();
        let live = answer.as_ref().and_then(|answer| answer.db_clusters().first());
        origin.engine = live.map(|live| {
            let text = |value: Option<&str>| value.unwrap_or_default().to_string();
            (text(live.db_cluster_identifier()), text(live.engine()), text(live.engine_version()))
        });
    }
    Ok(())
}

/// Who imports this. That nobody does is an error of its own (API reference, ListImports).
async fn importers(aws: &Aws, export: &str) -> Result<Vec<String>, Failure> {
    let request = aws.cloudformation.list_imports().export_name(export);
    match request.send().await.during("ListImports") {
        Ok(answer) => Ok(answer.imports().to_vec()),
        Err(failure) if failure.message.contains("is not imported by any stack") => Ok(Vec::new()),
        Err(failure) => Err(failure),
    }
}

async fn policy(aws: &Aws, stack: &str) -> Result<Option<Value>, Failure> {
    let request = aws.cloudformation.get_stack_policy().stack_name(stack);
    let answer = absent_ok(request.send().await.during("GetStackPolicy"))?;
    let text = answer.and_then(|answer| answer.stack_policy_body).filter(|text| !text.is_empty());
    Ok(text.map(|text| serde_json::from_str(&text).unwrap_or(Value::Null)))
}

/// Whether a stack policy keeps any update from any resource: what it does not allow it denies (user guide, "Prevent
/// updates to stack resources").
fn denies(policy: &Value) -> bool {
    let statements = match &policy["Statement"] {
        Value::Array(many) => many.clone(),
        one => vec![one.clone()],
    };
    let is = |value: &Value, wanted: &str| match value {
        Value::Array(many) => many.iter().any(|one| one == wanted),
        one => one == wanted,
    };
    let allows_all =
        |one: &Value| one["Effect"] == "Allow" && is(&one["Action"], "Update:*") && is(&one["Resource"], "*");
    statements.iter().any(|one| one["Effect"] != "Allow") || !statements.iter().any(allows_all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_stack_policy_allows_everything_or_denies() {
        let allow = json!({"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"});
        let deny = json!({"Effect": "Deny", "Action": "Update:Replace", "Principal": "*", "Resource": "*"});
        assert!(!denies(&json!({"Statement": [allow]})) && !denies(&json!({"Statement": allow})));
        assert!(denies(&json!({"Statement": [allow, deny]})));
        assert!(denies(
            &json!({"Statement": [{"Effect": "Allow", "Action": "Update:Modify", "Resource": "*"}]})
        ));
        assert!(denies(&Value::Null), "what cannot be read is not taken for leave");
    }
}
