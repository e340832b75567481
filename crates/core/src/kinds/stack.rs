//! CloudFormation stack that runs a template of the user's.
//!
//! The template is compared as a structure and by path, as it was submitted: what differs only in its order, its
//! comments or its short forms is the same to CloudFormation, and asking for it would be an empty update.

mod flat;
mod losses;
mod status;

pub use flat::{HIDDEN, flat};
pub use losses::{Replaced, at_stake, is_data};
pub use status::{StackEvent, Status, first_cause, last_cause, status};

use super::Kind;
use crate::base::{Change, Input, Live};
use crate::resource::permission::{EVERYTHING, Permission};
use crate::resource::{Asked, PLAIN, Refusal, Rules};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub struct Stack;

/// Tag by which the stack of a template is found again: `<stack>/<NAME>`. CloudFormation copies the tags of a stack to
/// what is in it, so none of those that make an object the stack's own is on it (decision 19).
pub const TEMPLATE_TAG: &str = "auroraml:template";

/// Output with AWS's word for the stack's status.
pub const STATUS: &str = "status";

/// What the name of a template's output begins with among the outputs of its stack.
pub const OUTPUT: &str = "Outputs.";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Props {
    /// Name of the CloudFormation stack.
    pub name: String,
    /// What the template says, by path; see [`flat`].
    pub template: BTreeMap<String, String>,
    /// Values of all its parameters. CloudFormation shows [`HIDDEN`] for what is `NoEcho`.
    pub parameters: BTreeMap<String, Input>,
    pub termination_protection: bool,
    /// Tags of the stack, which CloudFormation copies to what is in it.
    pub stack_tags: BTreeMap<String, String>,
    /// What a request needs and AWS does not tell.
    pub request: Option<Request>,
}

/// What is sent with a template beside what is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Local file, relative to the spec.
    pub path: String,
    /// Bucket, and key in it, of a template that is too large for the request itself.
    pub bucket: Option<String>,
    pub key: Option<Input>,
    pub capabilities: Vec<String>,
    /// Environment variables that hold the values of parameters.
    pub environment: BTreeMap<String, String>,
    /// The change set that was reviewed, and that is executed in the place of an update.
    pub change_set: Option<ChangeSet>,
}

/// A change set, and what CloudFormation says that it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeSet {
    pub arn: String,
    /// Data-bearing resources that it removes or replaces, as sentences.
    pub losses: Vec<String>,
    /// Logical ids of everything that it touches.
    pub touched: BTreeSet<String>,
}

impl Kind for Stack {
    const NAME: &'static str = "stack";
    const RULES: Rules = Rules {
        outlives_all: true,
        takes_along: Some("with everything that its template created, except with `DeletionPolicy: Retain`"),
        immutable: &[("name", "CloudFormation cannot rename a stack")],
        passing: &["outputs.status"],
        foreign: Some((
            "a CloudFormation stack with this name exists, but was not created for this entry",
            "use another name under `stacks`, or adopt the stack (docs/cloudformation.md)",
        )),
        refuses: |asked| match asked {
            Asked::Delete { live, options }
                if live["termination_protection"] == true
                    && !options.contains_key("unprotect")
                    && !options.contains_key("allowed_by") =>
            {
                Some(Refusal {
                    why: "its termination protection is on",
                    hint: Some("set `termination_protection: false` and apply, or destroy with --unprotect"),
                })
            }
            _ => None,
        },
        holds: losses::holds,
        loses: losses::loses,
        unsettles: losses::unsettles,
        accept: |want, live| {
            want["request"] = Value::Null;
            let (Some(want), Some(live)) =
                (want["parameters"].as_object_mut(), live["parameters"].as_object())
            else {
                return;
            };
            // Its value is nobody's to compare.
            let is_hidden = |name: &str| live.get(name).is_some_and(|value| value == HIDDEN);
            want.iter_mut().filter(|(name, _)| is_hidden(name)).for_each(|(_, value)| *value = HIDDEN.into());
        },
        at_once: &["termination_protection"],
        poll_seconds: 10,
        // A database alone can take most of an hour, and a rollback as long again (fact book, section 6.3).
        limit_minutes: 240,
        permissions: &[
            // What an earlier spec made is found by its name; AWS scopes this listing to nothing.
            Permission::look(&["cloudformation:ListStacks"], EVERYTHING),
            Permission::look(
                &[
                    "cloudformation:DescribeStacks",
                    "cloudformation:GetTemplate",
                    "cloudformation:DescribeStackEvents",
                    "cloudformation:ListStackResources",
                ],
                &["cloudformation:stack/{template_stack}/*"],
            ),
            Permission::create(
                &[
                    "cloudformation:CreateStack",
                    "cloudformation:TagResource",
                    "cloudformation:CreateChangeSet",
                    "cloudformation:DescribeChangeSet",
                    "cloudformation:ExecuteChangeSet",
                    "cloudformation:DeleteChangeSet",
                ],
                &["cloudformation:stack/{template_stack}/*"],
            ),
            // CloudFormation reads a large template with the permissions of whoever asks.
            Permission::create(&["s3:GetObject"], &["s3:{template_bucket}/auroraml/*"]),
            Permission::change(
                &["cloudformation:UpdateStack", "cloudformation:UpdateTerminationProtection"],
                &["cloudformation:stack/{template_stack}/*"],
            ),
            Permission::delete(
                &["cloudformation:DeleteStack", "cloudformation:UpdateTerminationProtection"],
                &["cloudformation:stack/{template_stack}/*"],
            ),
        ],
        ..PLAIN
    };
    type Props = Props;
}

/// What the properties of a template's stack say of it.
pub(crate) fn template_of(props: &Value) -> BTreeMap<&str, &str> {
    let said = props["template"].as_object().into_iter().flatten();
    said.filter_map(|(path, value)| Some((path.as_str(), value.as_str()?))).collect()
}

/// The change set that a step executes, if it was made beforehand.
pub(crate) fn change_set_of(want: &Value) -> Option<ChangeSet> {
    serde_json::from_value(want["request"]["change_set"].clone()).ok()
}

/// Whether a change is of the template or of what it is given.
pub(crate) fn is_of_template(change: &Change) -> bool {
    change.concerns("template") || change.concerns("parameters")
}

/// The status that a look has seen.
pub(crate) fn status_of(live: &Live) -> Option<Status> {
    live.output(STATUS).and_then(status)
}
