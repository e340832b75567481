//! The two steps of a hand-over that concern the CloudFormation stack itself. No other run knows these kinds.
//!
//! Both are statements about the stack, awaited like parameters in sync: what is there is looked at first, so that a run
//! goes on wherever an earlier one was killed.

use crate::kinds::Kind;
use crate::resource::{Nature, PLAIN, Rules};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Every resource of the stack is retained, whatever becomes of it.
pub struct Retention;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RetentionProps {
    /// ARN of the CloudFormation stack.
    pub stack: String,
    /// Logical ids of all its resources, sorted.
    pub resources: Vec<String>,
    /// Whether `DeletionPolicy` and `UpdateReplacePolicy` are `Retain` on each, in the template as it is read back.
    pub retained: bool,
    /// Through which a template goes that is too large for a request; looked at when one is sent only.
    pub bucket: Option<String>,
}

impl Kind for Retention {
    const NAME: &'static str = "retention";
    const RULES: Rules = Rules {
        nature: Nature::Condition,
        immutable: &[("resources", "the stack's resources have changed since the plan")],
        accept: |want, _| want["bucket"] = Value::Null,
        // An update that changes no object takes less than a minute; botocore's waiter looks every half.
        poll_seconds: 10,
        limit_minutes: 60,
        effect_lag_seconds: 30,
        ..PLAIN
    };
    type Props = RetentionProps;
}

/// The CloudFormation stack has let go of what the spec takes over.
pub struct Handover;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HandoverProps {
    /// ARN of the CloudFormation stack.
    pub stack: String,
    /// Logical ids of the resources that it still has, sorted: those that stay with it.
    pub resources: Vec<String>,
    /// Logical ids of those that it deleted instead of skipping them. Nobody wants any.
    pub deleted: Vec<String>,
    /// Through which a template goes that is too large for a request; looked at when one is sent only.
    pub bucket: Option<String>,
}

impl Kind for Handover {
    const NAME: &'static str = "handover";
    const RULES: Rules = Rules {
        nature: Nature::Condition,
        after: &["retention"],
        immutable: &[("deleted", "CloudFormation deleted what it should have kept")],
        accept: |want, _| want["bucket"] = Value::Null,
        poll_seconds: 10,
        limit_minutes: 60,
        effect_lag_seconds: 30,
        ..PLAIN
    };
    type Props = HandoverProps;
}
