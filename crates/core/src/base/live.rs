//! What was seen of a stack. Pure.

use super::names::STACK_TAG;
use super::{Id, Outputs};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Output of an object that carries the stack's tags and lies somewhere that is not the stack's: where.
pub const ELSEWHERE: &str = "elsewhere";

/// Output of an object for which nothing speaks but the stack's tags: anybody can set those. Where it is text, what
/// there is instead of tags.
pub const ONLY_TAGGED: &str = "only_tagged";

/// Output of an object that the spec takes over and that does not bear the stack's tags yet: the CloudFormation stack that
/// made it.
pub const TAKEN_OVER: &str = "taken_over";

/// Output of an object that CloudFormation made: ARN of the stack of which AWS's own tag tells. The tag stays for ever, and
/// says nothing of whether that stack still is there.
pub const MADE_BY: &str = "made_by";

/// AWS's own tag that tells it.
pub const MADE_BY_TAG: &str = "aws:cloudformation:stack-id";

/// Output in which a kind says why an object goes, where a reader of the plan could not tell.
pub const WHY: &str = "why";

/// One live object, in the same property shape as the desired one.
#[derive(Clone, Debug, PartialEq)]
pub struct Live {
    pub id: Id,
    pub props: Value,
    pub outputs: Outputs,
    pub state: State,
    /// Whether the object is this stack's: it carries the stack's tag (or is by nature a part of one that does), or
    /// it has lost it and something else than its tags proves whose it is.
    pub owned: bool,
}

impl Live {
    /// An output that is text.
    pub fn output(&self, name: &str) -> Option<&str> {
        self.outputs.get(name).and_then(Value::as_str)
    }

    /// Whether it is this stack's and no tag says so any more.
    pub fn has_lost_its_tags(&self) -> bool {
        self.owned && self.props["tags"].as_object().is_some_and(|tags| !tags.contains_key(STACK_TAG))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum State {
    Ready,
    /// On its way; AWS will get there by itself. The text is AWS's own status.
    Busy(String),
    /// AWS will not get there by itself. The text says what AWS says.
    Failed(String),
    /// Failed in a way that only making it again mends, and nothing is lost by that.
    Broken(String),
}

impl State {
    /// Whether AWS is deleting it: RDS and EC2 say `deleting`, SageMaker `Deleting` (fact book, section 4.1).
    pub fn is_leaving(&self) -> bool {
        matches!(self, State::Busy(status) if status.eq_ignore_ascii_case("deleting"))
    }
}

pub type Observed = BTreeMap<Id, Live>;
