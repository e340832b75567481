//! What was seen of a stack. Pure.

use super::{Id, Outputs};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One live object, in the same property shape as the desired one.
#[derive(Clone, Debug, PartialEq)]
pub struct Live {
    pub id: Id,
    pub props: Value,
    pub outputs: Outputs,
    pub state: State,
    /// Whether the object carries this stack's tag (or is by nature a part of one that does).
    pub owned: bool,
}

impl Live {
    /// An output that is text.
    pub fn output(&self, name: &str) -> Option<&str> {
        self.outputs.get(name).and_then(Value::as_str)
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
