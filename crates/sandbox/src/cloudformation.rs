//! Simulated CloudFormation: stacks of the resource types that [`kinds`] lists, made by the sandbox's own services.
//!
//! **How it works.** A request is checked and put down in the stack; what has to be done is done as time passes
//! ([`engine`]), resource by resource ([`jobs`]), with the requests that a user would send ([`types`]) and the answers
//! that the services give. What is not modelled is refused with a `ValidationError` that says so.
//!
//! **Who may.** What CloudFormation does in an account it does with the rights of its caller or of a service role. Here
//! it may do everything: policies are held against the requests to CloudFormation itself, not against what follows.
//!
//! **Rooms**, from the ground up: [`state`] (what exists), [`pattern`] (regular expressions), [`kinds`] (resource
//! types), [`template`] and [`functions`] (the language), [`parameters`], [`work`] (how services are asked),
//! [`resolve`] (dynamic references), [`types`] (the handlers), [`imports`], [`around`] (what surrounds a stack), [`plan`] (differences), [`refusals`],
//! [`jobs`], [`undo`] and [`engine`] (what time does), [`source`], [`requests`], [`change_sets`], [`nested_sets`] and [`show`] (what
//! users ask).
//!
//! Statuses, texts and limits: CloudFormation User Guide and API Reference, botocore's model, fact book section 6.3.
//! Durations of CloudFormation's own are assumed.

mod around;
mod change_sets;
mod engine;
mod functions;
mod imports;
mod jobs;
mod kinds;
mod nested_sets;
mod parameters;
mod pattern;
mod plan;
mod policies;
mod refusals;
mod requests;
mod resolve;
mod show;
mod source;
mod state;
mod template;
mod types;
mod undo;
mod work;

#[cfg(test)]
mod tests;

use crate::call::Call;
use crate::wire::Reply;
pub use state::CloudFormation;
pub(crate) use work::Services;

pub(crate) fn handle(call: &Call, own: &mut CloudFormation, services: &mut dyn Services) -> Reply {
    match call.operation.as_str() {
        "CreateStack" => own.create(call, services),
        "UpdateStack" => own.update(call, services),
        "DeleteStack" => own.delete(call),
        "ContinueUpdateRollback" => own.continue_rollback(call),
        "CancelUpdateStack" => own.cancel_update(call),
        "UpdateTerminationProtection" => own.protect(call),
        "SetStackPolicy" => own.set_policy(call),
        "GetStackPolicy" => own.get_policy(call),
        "DescribeStacks" => own.describe_stacks(call),
        "ListStacks" => own.list_stacks(call),
        "DescribeStackEvents" => own.describe_events(call),
        "DescribeStackResources" => own.describe_resources(call),
        "DescribeStackResource" => own.describe_resource(call),
        "ListStackResources" => own.list_resources(call),
        "GetTemplate" => own.get_template(call),
        "GetTemplateSummary" => own.template_summary(call, services),
        "ValidateTemplate" => CloudFormation::validate_template(call, services),
        "ListExports" => own.list_exports(call),
        "ListImports" => own.list_imports(call),
        "CreateChangeSet" => own.create_change_set(call, services),
        "DescribeChangeSet" => own.describe_change_set(call),
        "ListChangeSets" => own.list_change_sets(call),
        "DeleteChangeSet" => own.delete_change_set(call),
        "ExecuteChangeSet" => own.execute_change_set(call, services),
        _ => Err(call.unknown()),
    }
}
